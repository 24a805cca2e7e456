/* depthwise_avx2.c - eight channels of four pixels at once. Kernel and stride are constants
 * where the loops are written out, so that pixels which neighbours share are loaded once. See
 * depthwise.h. */
#include "simd/depthwise.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { AT_ONCE = 4, LANES = 8 };

INLINE void store(__m256 sum, __m256 scale, uint8_t *to)
{
    sum = _mm256_min_ps(_mm256_max_ps(sum, _mm256_setzero_ps()), _mm256_set1_ps(6));
    __m256i all = _mm256_cvtps_epi32(_mm256_mul_ps(sum, scale));
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(half, half));
}

/* `n` pixels from x on, at most AT_ONCE. */
INLINE void pixels(const mp_depthwise *d, size_t kernel, size_t stride, size_t c, size_t x,
                   size_t n, __m256 scale, uint8_t *codes)
{
    const size_t channels = d->channels;
    __m256 s0 = _mm256_loadu_ps(d->bias + c), s1 = s0, s2 = s0, s3 = s0;
    for (size_t ky = 0; ky < kernel; ky++) {
        const float *in = d->rows[ky] + x * stride * channels + c;
        const float *w = d->weights + ky * kernel * channels + c;
        MP_UNROLL
        for (size_t kx = 0; kx < kernel; kx++) {
            __m256 by = _mm256_loadu_ps(w + kx * channels);
            s0 = _mm256_fmadd_ps(by, _mm256_loadu_ps(in + kx * channels), s0);
            if (n == 1)
                continue;
            s1 = _mm256_fmadd_ps(by, _mm256_loadu_ps(in + (kx + stride) * channels), s1);
            s2 = _mm256_fmadd_ps(by, _mm256_loadu_ps(in + (kx + 2 * stride) * channels), s2);
            s3 = _mm256_fmadd_ps(by, _mm256_loadu_ps(in + (kx + 3 * stride) * channels), s3);
        }
    }
    codes += x * channels + c;
    store(s0, scale, codes);
    if (n == 1)
        return;
    store(s1, scale, codes + channels);
    store(s2, scale, codes + 2 * channels);
    store(s3, scale, codes + 3 * channels);
}

INLINE void row_of(const mp_depthwise *d, size_t kernel, size_t stride, size_t from, size_t to,
                   size_t n, uint8_t *codes)
{
    const __m256 scale = _mm256_set1_ps((float)d->top / 6);
    for (size_t c = from; c < to; c += LANES) {
        size_t x = 0;
        for (; x + AT_ONCE <= n; x += AT_ONCE)
            pixels(d, kernel, stride, c, x, AT_ONCE, scale, codes);
        for (; x < n; x++)
            pixels(d, kernel, stride, c, x, 1, scale, codes);
    }
}

TARGET static void row(const mp_depthwise *d, size_t from, size_t to, size_t n, uint8_t *codes)
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

const mp_depthwise_kernels mp_depthwise_avx2 = {"avx2", row};
#endif
