/* rows.c - the scalar reference and the choice of a set. See rows.h. */
#include "simd/rows.h"

#include <math.h>

static void norm(const float *x, size_t m, size_t n, size_t x_stride, const float *gamma,
                 const float *beta, float eps, float *y, size_t y_stride)
{
    for (size_t r = 0; r < m; r++, x += x_stride, y += y_stride) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)x[i];
        double mean = sum / (double)n;
        for (size_t i = 0; i < n; i++)
            square += ((double)x[i] - mean) * ((double)x[i] - mean);
        double scale = 1 / sqrt(square / (double)n + (double)eps);
        for (size_t i = 0; i < n; i++)
            y[i] = (float)(((double)x[i] - mean) * scale) * gamma[i] + beta[i];
    }
}

static void softmax(float *x, size_t m, size_t n, size_t stride, float scale)
{
    for (size_t r = 0; r < m; r++, x += stride) {
        float top = -INFINITY, sum = 0;
        for (size_t i = 0; i < n; i++)
            top = fmaxf(top, x[i] * scale);
        for (size_t i = 0; i < n; i++)
            sum += x[i] = expf(x[i] * scale - top);
        for (size_t i = 0; i < n; i++)
            x[i] /= sum;
    }
}

static void gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i++)
            x[i] = 0.5f * x[i] * (1 + erff(x[i] * 0.707106781f));
}

static void quick_gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] / (1 + expf(-1.702f * x[i]));
}

const mp_rows_kernels mp_rows_scalar = {"scalar", norm, softmax, gelu, quick_gelu};

const mp_rows_kernels *mp_rows_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return &mp_rows_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_rows_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return &mp_rows_neon;
#endif
    (void)isa;
    return &mp_rows_scalar;
}
