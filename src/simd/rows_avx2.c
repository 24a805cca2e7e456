/* rows_avx2.c - eight lanes; masked loads and stores take the ends of rows. See rows.h. */
#include "simd/rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 8 };

INLINE __m256i mask_of(size_t left)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)MP_MIN(left, (size_t)LANES)), lane);
}

INLINE float add_up(__m256 v)
{
    __m128 h = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_add_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
}

INLINE float highest(__m256 v)
{
    __m128 h = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_max_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}

/* 2^f by a polynomial for |f| <= 1/2 (its largest relative error is 8e-8), 2^n by the exponent. */
INLINE __m256 exp_of(__m256 x)
{
    __m256 z = _mm256_mul_ps(x, _mm256_set1_ps(1.44269504f));
    z = _mm256_min_ps(_mm256_max_ps(z, _mm256_set1_ps(-126)), _mm256_set1_ps(126));
    __m256 n = _mm256_round_ps(z, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 f = _mm256_sub_ps(z, n), p = _mm256_set1_ps(0.000154035304f);
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.00133335581f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.00961812911f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.0555041087f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.240226507f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.693147181f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1));
    __m256i bits = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(bits, 23)));
}

TARGET static void norm_row(const float *x, size_t n, const float *gamma, const float *beta,
                            float eps, float *y)
{
    __m256 sum = _mm256_setzero_ps(), square = sum;
    for (size_t i = 0; i < n; i += LANES)
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(x + i, mask_of(n - i)));
    __m256 mean = _mm256_set1_ps(add_up(sum) / (float)n);
    for (size_t i = 0; i < n; i += LANES) {
        __m256i mask = mask_of(n - i);
        __m256 v = _mm256_sub_ps(_mm256_maskload_ps(x + i, mask), mean);
        v = _mm256_and_ps(v, _mm256_castsi256_ps(mask));
        square = _mm256_fmadd_ps(v, v, square);
    }
    __m256 scale = _mm256_set1_ps(1 / sqrtf(add_up(square) / (float)n + eps));
    for (size_t i = 0; i < n; i += LANES) {
        __m256i mask = mask_of(n - i);
        __m256 v = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), mean), scale);
        v = _mm256_fmadd_ps(v, _mm256_maskload_ps(gamma + i, mask),
                            _mm256_maskload_ps(beta + i, mask));
        _mm256_maskstore_ps(y + i, mask, v);
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
    __m256 by = _mm256_set1_ps(scale), top = _mm256_set1_ps(-INFINITY), none = top;
    __m256 sum = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += LANES) {
        __m256i mask = mask_of(n - i);
        __m256 v = _mm256_mul_ps(_mm256_maskload_ps(x + i, mask), by);
        top = _mm256_max_ps(top, _mm256_blendv_ps(none, v, _mm256_castsi256_ps(mask)));
    }
    top = _mm256_set1_ps(highest(top));
    for (size_t i = 0; i < n; i += LANES) {
        __m256i mask = mask_of(n - i);
        __m256 v = exp_of(_mm256_fmsub_ps(_mm256_maskload_ps(x + i, mask), by, top));
        sum = _mm256_add_ps(sum, _mm256_and_ps(v, _mm256_castsi256_ps(mask)));
        _mm256_maskstore_ps(x + i, mask, v);
    }
    by = _mm256_set1_ps(1 / add_up(sum));
    for (size_t i = 0; i < n; i += LANES) {
        __m256i mask = mask_of(n - i);
        _mm256_maskstore_ps(x + i, mask, _mm256_mul_ps(_mm256_maskload_ps(x + i, mask), by));
    }
}

TARGET static void softmax(float *x, size_t m, size_t n, size_t stride, float scale)
{
    for (size_t r = 0; r < m; r++)
        softmax_row(x + r * stride, n, scale);
}

/* erf by Abramowitz and Stegun 7.1.26, within 1.5e-7; of |x|, the sign put back. */
INLINE __m256 erf_of(__m256 x)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 a = _mm256_andnot_ps(sign, x), t, p = _mm256_set1_ps(1.061405429f);
    t = _mm256_div_ps(_mm256_set1_ps(1),
                      _mm256_fmadd_ps(a, _mm256_set1_ps(0.3275911f), _mm256_set1_ps(1)));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.453152027f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(1.421413741f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.284496736f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.254829592f));
    __m256 e = exp_of(_mm256_mul_ps(_mm256_xor_ps(a, sign), a));
    __m256 erf = _mm256_fnmadd_ps(_mm256_mul_ps(p, t), e, _mm256_set1_ps(1));
    return _mm256_or_ps(_mm256_andnot_ps(sign, erf), _mm256_and_ps(sign, x));
}

TARGET static void gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            __m256i mask = mask_of(n - i);
            __m256 v = _mm256_maskload_ps(x + i, mask), half;
            half = _mm256_mul_ps(v, _mm256_set1_ps(0.5f));
            v = erf_of(_mm256_mul_ps(v, _mm256_set1_ps(0.707106781f)));
            _mm256_maskstore_ps(x + i, mask, _mm256_fmadd_ps(half, v, half));
        }
}

TARGET static void quick_gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            __m256i mask = mask_of(n - i);
            __m256 v = _mm256_maskload_ps(x + i, mask);
            __m256 e = exp_of(_mm256_mul_ps(v, _mm256_set1_ps(-1.702f)));
            _mm256_maskstore_ps(x + i, mask, _mm256_div_ps(v, _mm256_add_ps(e, _mm256_set1_ps(1))));
        }
}

const mp_rows_kernels mp_rows_avx2 = {"avx2", norm, softmax, gelu, quick_gelu};
#endif
