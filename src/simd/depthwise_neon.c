/* depthwise_neon.c - eight channels of four pixels at once. Kernel and stride are constants where
 * the loops are written out, so that pixels which neighbours share are loaded once. See
 * depthwise.h. */
#include "simd/depthwise.h"
#include "simd/neon.h"

#if defined(__aarch64__)

#define INLINE static inline __attribute__((always_inline))

enum { AT_ONCE = 4, LANES = 8 };

/* Four codes before they are made bytes. */
INLINE uint16x4_t code_of(float32x4_t sum, float scale)
{
    sum = vminq_f32(vmaxq_f32(sum, vdupq_n_f32(0)), vdupq_n_f32(6));
    return vqmovun_s32(vcvtnq_s32_f32(vmulq_n_f32(sum, scale)));
}

/* `n` pixels from x on: AT_ONCE or 1. */
INLINE void pixels(const mp_depthwise *d, size_t kernel, size_t stride, size_t c, size_t x,
                   size_t n, float scale, uint8_t *codes)
{
    const size_t channels = d->channels;
    float32x4_t low[AT_ONCE], high[AT_ONCE];
    MP_UNROLL
    for (size_t i = 0; i < n; i++) {
        low[i] = vld1q_f32(d->bias + c);
        high[i] = vld1q_f32(d->bias + c + 4);
    }
    for (size_t ky = 0; ky < kernel; ky++) {
        const float *in = d->rows[ky] + x * stride * channels + c;
        const float *w = d->weights + ky * kernel * channels + c;
        MP_UNROLL
        for (size_t kx = 0; kx < kernel; kx++) {
            float32x4_t a = vld1q_f32(w + kx * channels), b = vld1q_f32(w + kx * channels + 4);
            MP_UNROLL
            for (size_t i = 0; i < n; i++) {
                const float *pixel = in + (kx + i * stride) * channels;
                low[i] = vfmaq_f32(low[i], a, vld1q_f32(pixel));
                high[i] = vfmaq_f32(high[i], b, vld1q_f32(pixel + 4));
            }
        }
    }
    codes += x * channels + c;
    MP_UNROLL
    for (size_t i = 0; i < n; i++) {
        uint16x8_t all = vcombine_u16(code_of(low[i], scale), code_of(high[i], scale));
        vst1_u8(codes + i * channels, vqmovn_u16(all));
    }
}

INLINE void row_of(const mp_depthwise *d, size_t kernel, size_t stride, size_t from, size_t to,
                   size_t n, uint8_t *codes)
{
    const float scale = (float)d->top / 6;
    for (size_t c = from; c < to; c += LANES) {
        size_t x = 0;
        for (; x + AT_ONCE <= n; x += AT_ONCE)
            pixels(d, kernel, stride, c, x, AT_ONCE, scale, codes);
        for (; x < n; x++)
            pixels(d, kernel, stride, c, x, 1, scale, codes);
    }
}

static void row(const mp_depthwise *d, size_t from, size_t to, size_t n, uint8_t *codes)
{
    if (d->kernel == 3 && d->stride == 1)
        row_of(d, 3, 1, from, to, n, codes);
    else if (d->kernel == 3)
        row_of(d, 3, 2, from, to, n, codes);
    else if (d->stride == 1)
        row_of(d, 5, 1, from, to, n, codes);
    else
        row_of(d, 5, 2, from, to, n, codes);
}

const mp_depthwise_kernels mp_depthwise_neon = {"neon", row};
#endif
