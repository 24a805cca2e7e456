/* depthwise.c - the scalar reference and the choice of a set. See depthwise.h. */
#include "simd/depthwise.h"

#include <math.h>

static float sum_at(const mp_depthwise *d, size_t x, size_t c)
{
    size_t kernel = (size_t)d->kernel, stride = (size_t)d->stride;
    float sum = d->bias[c];
    for (size_t ky = 0; ky < kernel; ky++)
        for (size_t kx = 0; kx < kernel; kx++)
            sum += d->rows[ky][(x * stride + kx) * d->channels + c] *
                   d->weights[(ky * kernel + kx) * d->channels + c];
    return sum;
}

static void row(const mp_depthwise *d, size_t from, size_t to, size_t n, uint8_t *codes)
{
    for (size_t x = 0; x < n; x++)
        for (size_t c = from; c < to; c++) {
            float v = MP_MIN(MP_MAX(sum_at(d, x, c), 0), 6);
            codes[x * d->channels + c] = (uint8_t)lrintf(v * (float)d->top / 6);
        }
}

const mp_depthwise_kernels mp_depthwise_scalar = {"scalar", row};

const mp_depthwise_kernels *mp_depthwise_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return &mp_depthwise_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_depthwise_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return &mp_depthwise_neon;
#endif
    (void)isa;
    return &mp_depthwise_scalar;
}
