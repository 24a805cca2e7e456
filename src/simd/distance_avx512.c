/* distance_avx512.c - AVX-512, and the byte multiply-add of VNNI where the processor has it. See
 * distance.h. */
#include "simd/distance.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET      __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

TARGET static float dot(const float *a, const float *b, size_t n)
{
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
    }
    for (; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i),
                             s0);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

TARGET static __m512 widen(const uint16_t *b)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)b));
}

TARGET static float dot_half(const float *a, const uint16_t *b, size_t n)
{
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), widen(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), widen(b + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), widen(b + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), widen(b + i + 48), s3);
    }
    for (; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 v = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, b + i));
        s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i), v, s0);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

TARGET static __m512i multiply_32(const uint8_t *row, const int8_t *query)
{
    __m512i r = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)row));
    __m512i q = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)query));
    return _mm512_madd_epi16(r, q);
}

TARGET static void dot_codes(const int8_t *query, const uint8_t *const *rows, size_t n_rows,
                             size_t n, int32_t *out)
{
    for (size_t r = 0; r < n_rows; r++) {
        __m512i s0 = _mm512_setzero_si512(), s1 = s0;
        for (size_t i = 0; i < n; i += 64) {
            s0 = _mm512_add_epi32(s0, multiply_32(rows[r] + i, query + i));
            s1 = _mm512_add_epi32(s1, multiply_32(rows[r] + i + 32, query + i + 32));
        }
        out[r] = _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
    }
}

const mp_distance_kernels mp_distance_avx512 = {"avx512", dot, dot_half, dot_codes};

/* The four sums' lanes added up together: fewer shuffles than four reductions. */
TARGET_VNNI static __m128i add_up(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* Four rows at once: their cache misses overlap, and each piece of the query is loaded once. */
TARGET_VNNI static void dot_four(const int8_t *query, const uint8_t *const *rows, size_t n,
                                 int32_t *out)
{
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i < n; i += 64) {
        __m512i q = _mm512_loadu_si512(query + i);
        a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(rows[0] + i), q);
        b = _mm512_dpbusd_epi32(b, _mm512_loadu_si512(rows[1] + i), q);
        c = _mm512_dpbusd_epi32(c, _mm512_loadu_si512(rows[2] + i), q);
        d = _mm512_dpbusd_epi32(d, _mm512_loadu_si512(rows[3] + i), q);
    }
    _mm_storeu_si128((__m128i *)(void *)out, add_up(a, b, c, d));
}

TARGET_VNNI static void dot_codes_vnni(const int8_t *query, const uint8_t *const *rows,
                                       size_t n_rows, size_t n, int32_t *out)
{
    size_t r = 0;
    for (; r + 4 <= n_rows; r += 4)
        dot_four(query, rows + r, n, out + r);
    for (; r < n_rows; r++) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = 0; i < n; i += 64)
            sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(rows[r] + i),
                                      _mm512_loadu_si512(query + i));
        out[r] = _mm512_reduce_add_epi32(sum);
    }
}

const mp_distance_kernels mp_distance_vnni = {"avx512-vnni", dot, dot_half, dot_codes_vnni};
#endif
