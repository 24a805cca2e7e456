/* pairs8_avx2.c - two rows by one panel with AVX2. See pairs8.h.
 *
 * The multiply-add of bytes takes an unsigned and a signed side and adds two products in 16 bits,
 * which full unsigned bytes could overflow. With the row's sign moved to the column both sides are
 * at most 127, and two products 32,258. */
#include "simd/pairs8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    ROWS = 2,
    PARTS = 4,
    LANES = 8,
    GROUP = MP_PAIRS8_GROUP,
    STEP = MP_PANEL * GROUP,
    TOP = 127
};

INLINE __m256i four_of(const uint8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_xor_si256(_mm256_set1_epi32(four), _mm256_set1_epi8((char)0x80));
}

INLINE __m256i add_products(__m256i sum, __m256i row, __m256i size, __m256i column)
{
    __m256i twos = _mm256_maddubs_epi16(size, _mm256_sign_epi8(column, row));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(twos, _mm256_set1_epi16(1)));
}

/* The sums of `rows` rows with the panel at column `at`. */
INLINE void sums_of(const mp_pairs8 *t, size_t row, int rows, size_t at, __m256i sum[ROWS][PARTS])
{
    const uint8_t *q = t->row + row * t->depth;
    const int8_t *w = t->column + at * t->depth;
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (size_t i = 0; i < PARTS; i++)
        sum[r][i] = _mm256_loadu_si256((const void *)(t->column_slack + at + i * LANES));
    for (size_t d = 0; d < t->depth; d += GROUP, w += STEP)
        MP_UNROLL
    for (int r = 0; r < rows; r++) {
        __m256i v = four_of(q + (size_t)r * t->depth + d), size = _mm256_abs_epi8(v);
        MP_UNROLL
        for (size_t i = 0; i < PARTS; i++) {
            __m256i column = _mm256_load_si256((const void *)(w + i * LANES * GROUP));
            sum[r][i] = add_products(sum[r][i], v, size, column);
        }
    }
}

INLINE uint32_t *push(const mp_pairs8 *t, size_t row, size_t at, const __m256i *sum, uint32_t *out)
{
    for (size_t i = 0; i < PARTS; i++, at += LANES) {
        __m256i least = _mm256_min_epi32(_mm256_set1_epi32(t->row_least[row]),
                                         _mm256_loadu_si256((const void *)(t->column_least + at)));
        least = _mm256_sub_epi32(least, _mm256_set1_epi32(t->row_slack[row]));
        __m256i fails = _mm256_cmpgt_epi32(least, sum[i]);
        unsigned pass = ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(fails)) & 0xFF;
        for (; pass; pass &= pass - 1)
            *out++ = mp_pair8(row, at + (size_t)__builtin_ctz(pass));
    }
    return out;
}

TARGET static size_t find(const mp_pairs8 *t, uint32_t *out)
{
    uint32_t *to = out;
    __m256i sum[ROWS][PARTS];
    for (size_t at = 0; at < t->width; at += MP_PANEL) {
        size_t r = 0;
        for (; r + ROWS <= t->n_rows; r += ROWS) {
            sums_of(t, r, ROWS, at, sum);
            to = push(t, r, at, sum[0], to);
            to = push(t, r + 1, at, sum[1], to);
        }
        for (; r < t->n_rows; r++) {
            sums_of(t, r, 1, at, sum);
            to = push(t, r, at, sum[0], to);
        }
    }
    return (size_t)(to - out);
}

TARGET static float code_numbers(const float *v, size_t n, float scale, int8_t *code)
{
    __m256 by = _mm256_set1_ps(scale), top = _mm256_set1_ps(TOP), low = _mm256_set1_ps(-TOP);
    __m256 sum = _mm256_setzero_ps();
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        __m256 x = _mm256_mul_ps(_mm256_loadu_ps(v + i), by);
        __m256i c = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(x, low), top));
        __m256 off = _mm256_sub_ps(x, _mm256_cvtepi32_ps(c));
        sum = _mm256_fmadd_ps(off, off, sum);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(c), _mm256_extracti128_si256(c, 1));
        _mm_storel_epi64((__m128i *)(void *)(code + i), _mm_packs_epi16(words, words));
    }
    float lane[LANES], missed = mp_pairs8_scalar.code(v + whole, n - whole, scale, code + whole);
    _mm256_storeu_ps(lane, sum);
    for (size_t i = 0; i < LANES; i++)
        missed += lane[i];
    return missed;
}

const mp_pairs8_kernels mp_pairs8_avx2 = {"avx2", find, code_numbers};
#endif
