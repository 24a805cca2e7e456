/* distance_avx2.c - AVX2 and FMA; codes are widened to 16 bits, which no product can overflow. See
 * distance.h. */
#include "simd/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))

TARGET static float add_up(__m256 sums)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    half = _mm_add_ss(half, _mm_movehdup_ps(half));
    return _mm_cvtss_f32(half);
}

/* Four sums hide the latency of the multiply-add. */
TARGET static float dot(const float *a, const float *b, size_t n)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
    }
    for (; i + 8 <= n; i += 8)
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s0 = _mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3));
    float sum = add_up(s0);
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

TARGET static __m256 widen(const uint16_t *b)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)b));
}

TARGET static float dot_half(const float *a, const uint16_t *b, size_t n)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), widen(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), widen(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), widen(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), widen(b + i + 24), s3);
    }
    for (; i + 8 <= n; i += 8)
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), widen(b + i), s0);
    return add_up(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3))) +
           mp_dot_half_scalar(a + i, b + i, n - i);
}

TARGET static __m256i query_16(const int8_t *query)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)query));
}

TARGET static __m256i multiply_16(const uint8_t *row, __m256i query)
{
    __m256i r = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)row));
    return _mm256_madd_epi16(r, query);
}

/* Four rows at once: the query is widened once for all of them. */
TARGET static void dot_four(const int8_t *query, const uint8_t *const *rows, size_t n, int32_t *out)
{
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (size_t i = 0; i < n; i += 16) {
        __m256i q = query_16(query + i);
        a = _mm256_add_epi32(a, multiply_16(rows[0] + i, q));
        b = _mm256_add_epi32(b, multiply_16(rows[1] + i, q));
        c = _mm256_add_epi32(c, multiply_16(rows[2] + i, q));
        d = _mm256_add_epi32(d, multiply_16(rows[3] + i, q));
    }
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128((__m128i *)(void *)out, sum);
}

TARGET static int32_t dot_row(const int8_t *query, const uint8_t *row, size_t n)
{
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    for (size_t i = 0; i < n; i += 32) {
        s0 = _mm256_add_epi32(s0, multiply_16(row + i, query_16(query + i)));
        s1 = _mm256_add_epi32(s1, multiply_16(row + i + 16, query_16(query + i + 16)));
    }
    s0 = _mm256_add_epi32(s0, s1);
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
    return _mm_cvtsi128_si32(half);
}

TARGET static void dot_codes(const int8_t *query, const uint8_t *const *rows, size_t n_rows,
                             size_t n, int32_t *out)
{
    size_t r = 0;
    for (; r + 4 <= n_rows; r += 4)
        dot_four(query, rows + r, n, out + r);
    for (; r < n_rows; r++)
        out[r] = dot_row(query, rows[r], n);
}

const mp_distance_kernels mp_distance_avx2 = {"avx2", dot, dot_half, dot_codes};
#endif
