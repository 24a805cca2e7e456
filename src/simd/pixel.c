/* pixel.c - the scalar reference, and the choice. See pixel.h. */
#include "simd/pixel.h"

static uint8_t clamp8(int32_t sum)
{
    sum >>= MP_PIXEL_PRECISION;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void row_rgb(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + 3 * (size_t)taps[i].first;
        int32_t r = MP_PIXEL_HALF, g = MP_PIXEL_HALF, b = MP_PIXEL_HALF;
        for (int t = 0; t < taps[i].n; t++, p += 3) {
            int32_t w = taps[i].weight[t];
            r += w * p[0];
            g += w * p[1];
            b += w * p[2];
        }
        out[3 * i] = clamp8(r);
        out[3 * i + 1] = clamp8(g);
        out[3 * i + 2] = clamp8(b);
    }
}

static void row_grey(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + taps[i].first;
        int32_t sum = MP_PIXEL_HALF;
        for (int t = 0; t < taps[i].n; t++)
            sum += taps[i].weight[t] * p[t];
        out[i] = clamp8(sum);
    }
}

static void column(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t sum = MP_PIXEL_HALF;
        for (int k = 0; k < t->n; k++)
            sum += t->weight[k] * in[(size_t)k * stride + i];
        out[i] = clamp8(sum);
    }
}

const mp_pixel_kernels mp_pixel_scalar = {row_rgb, row_grey, NULL, column};

const mp_pixel_kernels *mp_pixel_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return __builtin_cpu_supports("avx512vnni") ? &mp_pixel_vnni : &mp_pixel_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_pixel_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return &mp_pixel_neon;
#endif
    (void)isa;
    return &mp_pixel_scalar;
}
