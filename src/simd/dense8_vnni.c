/* dense8_vnni.c - up to twelve rows by one panel with the byte multiply-add of AVX-512 VNNI: 24 of
 * the 32 registers hold sums. See dense8.h. */
#include "simd/dense8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    ROWS = 12,
    GROUP = MP_DENSE8_GROUP,
    STEP = MP_PANEL * GROUP,
    TOP = 255,
    AHEAD = 16,
    LINE = 64
};

/* ---- codes of rows ---- */

TARGET static void find_range(const float *x, size_t k, float *low, float *high)
{
    __m512 l = _mm512_setzero_ps(), h = l;
    size_t i = 0;
    for (; i + 16 <= k; i += 16) {
        __m512 v = _mm512_loadu_ps(x + i);
        l = _mm512_min_ps(l, v);
        h = _mm512_max_ps(h, v);
    }
    if (i < k) {
        __m512 v = _mm512_maskz_loadu_ps((__mmask16)((1u << (k - i)) - 1), x + i);
        l = _mm512_min_ps(l, v);
        h = _mm512_max_ps(h, v);
    }
    *low = _mm512_reduce_min_ps(l);
    *high = _mm512_reduce_max_ps(h);
}

INLINE __m512i codes_of(__m512 x, __m512 by, __m512i at)
{
    __m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(x, by)), at);
    return _mm512_max_epi32(code, _mm512_setzero_si512());
}

TARGET static void quantise_row(const float *x, size_t k, uint8_t *q, mp_row8 *row)
{
    float low, high;
    find_range(x, k, &low, &high);
    float scale = (high - low) / TOP, inverse = scale > 0 ? 1 / scale : 0;
    int zero = _mm_cvtss_si32(_mm_set_ss(-low * inverse));
    __m512 by = _mm512_set1_ps(inverse);
    __m512i at = _mm512_set1_epi32(zero);
    *row = (mp_row8){scale, zero};
    size_t i = 0;
    for (; i + 16 <= k; i += 16) {
        __m512i code = codes_of(_mm512_loadu_ps(x + i), by, at);
        _mm_storeu_si128((__m128i *)(void *)(q + i), _mm512_cvtusepi32_epi8(code));
    }
    if (i < k) {
        __mmask16 mask = (__mmask16)((1u << (k - i)) - 1);
        __m512i code = codes_of(_mm512_maskz_loadu_ps(mask, x + i), by, at);
        _mm512_mask_cvtusepi32_storeu_epi8(q + i, mask, code);
    }
    memset(q + k, 0, mp_dense8_depth(k) - k);
}

TARGET static void quantise(const float *x, size_t m, size_t k, size_t x_stride, uint8_t *q,
                            size_t q_stride, mp_row8 *rows)
{
    for (size_t r = 0; r < m; r++)
        quantise_row(x + r * x_stride, k, q + r * q_stride, rows + r);
}

/* ---- products ---- */

/* What the rows of a tile and the outputs of a panel have in common. */
typedef struct tile {
    const uint8_t *q;
    size_t q_stride;
    const mp_row8 *rows;
    const int8_t *w;
    const int8_t *next, *next_end; /* this tile's share of the next panel, fetched meanwhile */
    size_t depth;
    const float *scale, *bias;
    const int32_t *sum;
    __mmask16 low, high;
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

/* Sixteen outputs. */
typedef struct columns {
    size_t at;
    __mmask16 mask;
    __m512 scale, bias;
    __m512i sum;
} columns;

INLINE columns columns_of(const tile *t, size_t at, __mmask16 mask)
{
    return (columns){at, mask, _mm512_loadu_ps(t->scale + at),
                     t->bias ? _mm512_maskz_loadu_ps(mask, t->bias + at) : _mm512_setzero_ps(),
                     _mm512_loadu_si512(t->sum + at)};
}

INLINE void finish(const tile *t, int r, const columns *c, __m512i sum)
{
    float *y = t->y + (size_t)r * t->y_stride + c->at;
    __m512i zero = _mm512_set1_epi32(t->rows[r].zero);
    __m512 scale = _mm512_mul_ps(c->scale, _mm512_set1_ps(t->rows[r].scale));
    __m512i exact = _mm512_sub_epi32(sum, _mm512_mullo_epi32(c->sum, zero));
    __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(exact), scale, c->bias);
    if (t->add)
        v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(c->mask, y));
    if (t->relu6)
        v = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), _mm512_set1_ps(6));
    _mm512_mask_storeu_ps(y, c->mask, v);
}

INLINE __m512i four_of(const uint8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/* sum += bytes * codes, by fours. GCC 12 copies the sum before and after when asked by the
 * intrinsic, which costs a third of the speed. */
INLINE __m512i add_products(__m512i sum, __m512i bytes, __m512i codes)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(codes));
    return sum;
}

/* Sums have names of their own, since GCC keeps an array of this many in memory. `rows` is a
 * constant where this is called, so that what is not needed falls away. */
#define EACH_ROW(do)                                                                               \
    do                                                                                             \
    (0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11)
#define CLEAR(r) __m512i a##r = _mm512_setzero_si512(), b##r = a##r;
#define ADD(r)                                                                                     \
    if (rows > r) {                                                                                \
        __m512i v = four_of(q + r * t->q_stride);                                                  \
        a##r = add_products(a##r, v, a);                                                           \
        b##r = add_products(b##r, v, b);                                                           \
    }
#define FINISH(r)                                                                                  \
    if (rows > r) {                                                                                \
        finish(t, r, &low, a##r);                                                                  \
        finish(t, r, &high, b##r);                                                                 \
    }

INLINE void panel(const tile *t, int rows)
{
    const int8_t *w = t->w, *next = t->next;
    const uint8_t *q = t->q, *end = q + t->depth;
    EACH_ROW(CLEAR)
    for (; q < end; q += GROUP, w += STEP) {
        __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
        _mm_prefetch((const char *)(w + AHEAD * STEP), _MM_HINT_T0);
        _mm_prefetch((const char *)(w + AHEAD * STEP + 64), _MM_HINT_T0);
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        next = MP_MIN(next + LINE, t->next_end);
        EACH_ROW(ADD)
    }
    columns low = columns_of(t, 0, t->low), high = columns_of(t, 16, t->high);
    EACH_ROW(FINISH)
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        panel(t, rows);                                                                            \
        break;

TARGET static void rows_by_panel(const tile *t, size_t rows)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
    }
}

TARGET static void multiply(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                            const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    tile t = {.q_stride = q_stride,
              .depth = mp_dense8_depth(w->k),
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    size_t tiles = (m + ROWS - 1) / ROWS;
    for (; from < to; from += MP_PANEL) {
        size_t some = to - from;
        t.w = w->packed + from * t.depth;
        t.scale = w->scale + from;
        t.sum = w->sum + from;
        t.bias = out->bias ? out->bias + from : NULL;
        t.low = (__mmask16)(some >= 16 ? 0xFFFF : (1u << some) - 1);
        t.high = (__mmask16)(some >= 32 ? 0xFFFF : some > 16 ? (1u << (some - 16)) - 1 : 0);
        size_t ahead = from + MP_PANEL < to ? MP_PANEL * t.depth : 0;
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = m * (i + 1) / tiles;
            t.next = t.w + ahead + ahead * i / tiles;
            t.next_end = t.w + ahead + ahead * (i + 1) / tiles;
            t.q = q + r * q_stride;
            t.rows = rows + r;
            t.y = out->y + r * out->y_stride + from;
            rows_by_panel(&t, next - r);
            r = next;
        }
    }
}

const mp_dense8_kernels mp_dense8_vnni = {"avx512-vnni", TOP, quantise, multiply};
#endif
