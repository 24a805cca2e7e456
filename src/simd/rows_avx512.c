/* rows_avx512.c - sixteen lanes; masks take the ends of rows. See rows.h. */
#include "simd/rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 16 };

INLINE __mmask16 mask_of(size_t left)
{
    return left >= LANES ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* 1 / x by an estimate of 14 bits and one step of Newton's: a third of a division's time. */
INLINE __m512 inverse_of(__m512 x)
{
    __m512 r = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2)));
}

/* 2^f by a polynomial for |f| <= 1/2 (its largest relative error is 8e-8), 2^n by the exponent. */
INLINE __m512 exp_of(__m512 x)
{
    __m512 z = _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f));
    z = _mm512_min_ps(_mm512_max_ps(z, _mm512_set1_ps(-126)), _mm512_set1_ps(126));
    __m512 n = _mm512_roundscale_ps(z, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 f = _mm512_sub_ps(z, n), p = _mm512_set1_ps(0.000154035304f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00133335581f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00961812911f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0555041087f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240226507f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147181f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}

/* Several sums at a time: an addition takes longer than a load. */
enum { SUMS = 4 };

INLINE float total(const __m512 sum[SUMS])
{
    return _mm512_reduce_add_ps(
        _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3])));
}

INLINE float sum_of(const float *x, size_t n)
{
    __m512 sum[SUMS] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                        _mm512_setzero_ps()};
    size_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES) {
        MP_UNROLL
        for (size_t s = 0; s < SUMS; s++)
            sum[s] = _mm512_add_ps(sum[s], _mm512_loadu_ps(x + i + s * LANES));
    }
    for (; i < n; i += LANES)
        sum[0] = _mm512_add_ps(sum[0], _mm512_maskz_loadu_ps(mask_of(n - i), x + i));
    return total(sum);
}

INLINE float squares_about(const float *x, size_t n, __m512 mean)
{
    __m512 sum[SUMS] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                        _mm512_setzero_ps()};
    size_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES) {
        MP_UNROLL
        for (size_t s = 0; s < SUMS; s++) {
            __m512 v = _mm512_sub_ps(_mm512_loadu_ps(x + i + s * LANES), mean);
            sum[s] = _mm512_fmadd_ps(v, v, sum[s]);
        }
    }
    for (; i < n; i += LANES) {
        __mmask16 mask = mask_of(n - i);
        __m512 v = _mm512_maskz_sub_ps(mask, _mm512_maskz_loadu_ps(mask, x + i), mean);
        sum[0] = _mm512_fmadd_ps(v, v, sum[0]);
    }
    return total(sum);
}

TARGET static void norm_row(const float *x, size_t n, const float *gamma, const float *beta,
                            float eps, float *y)
{
    __m512 mean = _mm512_set1_ps(sum_of(x, n) / (float)n);
    __m512 scale = _mm512_set1_ps(1 / sqrtf(squares_about(x, n, mean) / (float)n + eps));
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 mask = mask_of(n - i);
        __m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), mean), scale);
        _mm512_mask_storeu_ps(y + i, mask,
                              _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(mask, gamma + i),
                                              _mm512_maskz_loadu_ps(mask, beta + i)));
    }
}

TARGET static void norm(const float *x, size_t m, size_t n, size_t x_stride, const float *gamma,
                        const float *beta, float eps, float *y, size_t y_stride)
{
    for (size_t r = 0; r < m; r++)
        norm_row(x + r * x_stride, n, gamma, beta, eps, y + r * y_stride);
}

TARGET static void softmax_row(float *x, size_t n, float scale)
{
    __m512 by = _mm512_set1_ps(scale), top = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 mask = mask_of(n - i);
        __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), by);
        top = _mm512_mask_max_ps(top, mask, top, v);
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 mask = mask_of(n - i);
        __m512 v = exp_of(_mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, x + i), by, top));
        sum = _mm512_mask_add_ps(sum, mask, sum, v);
        _mm512_mask_storeu_ps(x + i, mask, v);
    }
    by = _mm512_set1_ps(1 / _mm512_reduce_add_ps(sum));
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 mask = mask_of(n - i);
        _mm512_mask_storeu_ps(x + i, mask, _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), by));
    }
}

TARGET static void softmax(float *x, size_t m, size_t n, size_t stride, float scale)
{
    for (size_t r = 0; r < m; r++)
        softmax_row(x + r * stride, n, scale);
}

/* erf by Abramowitz and Stegun 7.1.26, within 1.5e-7; e: exp(-x x) of |x|, the sign put back. */
INLINE __m512 erf_of(__m512 x)
{
    __m512 a = _mm512_abs_ps(x), t, p = _mm512_set1_ps(1.061405429f);
    t = inverse_of(_mm512_fmadd_ps(a, _mm512_set1_ps(0.3275911f), _mm512_set1_ps(1)));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
    __m512 e = exp_of(_mm512_mul_ps(_mm512_sub_ps(_mm512_setzero_ps(), a), a));
    __m512 erf = _mm512_fnmadd_ps(_mm512_mul_ps(p, t), e, _mm512_set1_ps(1));
    return _mm512_mask_sub_ps(erf, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ),
                              _mm512_setzero_ps(), erf);
}

TARGET static void gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            __mmask16 mask = mask_of(n - i);
            __m512 v = _mm512_maskz_loadu_ps(mask, x + i), half;
            half = _mm512_mul_ps(v, _mm512_set1_ps(0.5f));
            v = erf_of(_mm512_mul_ps(v, _mm512_set1_ps(0.707106781f)));
            _mm512_mask_storeu_ps(x + i, mask, _mm512_fmadd_ps(half, v, half));
        }
}

TARGET static void quick_gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            __mmask16 mask = mask_of(n - i);
            __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
            __m512 e = exp_of(_mm512_mul_ps(v, _mm512_set1_ps(-1.702f)));
            _mm512_mask_storeu_ps(
                x + i, mask, _mm512_mul_ps(v, inverse_of(_mm512_add_ps(e, _mm512_set1_ps(1)))));
        }
}

const mp_rows_kernels mp_rows_avx512 = {"avx512", norm, softmax, gelu, quick_gelu};
#endif
