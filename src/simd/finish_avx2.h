/* finish_avx2.h - what becomes of eight outputs of a product, alike in f32 and from codes. */
#ifndef MP_FINISH_AVX2_H
#define MP_FINISH_AVX2_H

#include "simd/dense.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* v and the bias (NULL: none) to y, of which the first n are wanted; where these are not all, one
 * by one, since neither y nor the bias may be touched beyond. */
__attribute__((target("avx2,fma"))) static inline void
mp_finish_avx2(__m256 v, const float *bias, float *y, size_t n, bool add, bool relu6)
{
    float out[8];
    if (n >= 8) {
        v = bias ? _mm256_add_ps(v, _mm256_loadu_ps(bias)) : v;
        v = add ? _mm256_add_ps(v, _mm256_loadu_ps(y)) : v;
        if (relu6)
            v = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(6));
        _mm256_storeu_ps(y, v);
        return;
    }
    _mm256_storeu_ps(out, v);
    for (size_t i = 0; i < n; i++) {
        float one = out[i] + (bias ? bias[i] : 0) + (add ? y[i] : 0);
        y[i] = relu6 ? MP_MIN(MP_MAX(one, 0), 6) : one;
    }
}
#endif

#endif
