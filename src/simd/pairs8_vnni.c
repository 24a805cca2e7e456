/* pairs8_vnni.c - up to twelve rows by one panel with the byte multiply-add of AVX-512 VNNI: 24 of
 * the 32 registers hold sums. See pairs8.h.
 *
 * The order of pairs is by rows within a panel, so the tiles of a panel follow each other. Nearly
 * all pairs fail, and what is done to see that must cost little beside the products: each register
 * of sums is held against one number per row, the least that any column of the panel asks for; only
 * where something passes are the columns asked one by one. */
#include "simd/pairs8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { ROWS = 12, GROUP = MP_PAIRS8_GROUP, STEP = MP_PANEL * GROUP, OFFSET = 128, TOP = 127 };

/* One panel, and the tile's first row. */
typedef struct tile {
    const uint8_t *row;
    size_t depth, first;
    const int8_t *column;
    const int32_t *row_slack, *row_least, *column_least;
    size_t at; /* the panel's first column */
    __m512i start_low, start_high;
    int32_t easiest; /* the least of column_least */
    uint32_t *out;
} tile;

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

INLINE void push(tile *t, size_t row, size_t half, __m512i sum)
{
    __m512i least = _mm512_min_epi32(_mm512_set1_epi32(t->row_least[row]),
                                     _mm512_loadu_si512(t->column_least + half));
    __mmask16 pass =
        _mm512_cmpge_epi32_mask(sum, _mm512_sub_epi32(least, _mm512_set1_epi32(t->row_slack[row])));
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t first = mp_pair8(t->first + row, t->at + half);
    __m512i pair = _mm512_add_epi32(lane, _mm512_set1_epi32((int)first));
    _mm512_storeu_si512(t->out, _mm512_maskz_compress_epi32(pass, pair));
    t->out += __builtin_popcount(pass);
}

/* Sums have names of their own, since GCC keeps an array of this many in memory. `rows` is a
 * constant where this is called, so that what is not needed falls away. */
#define EACH_ROW(do)                                                                               \
    do                                                                                             \
    (0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11)
#define CLEAR(r) __m512i a##r = t->start_low, b##r = t->start_high;
#define ADD(r)                                                                                     \
    if (rows > r) {                                                                                \
        __m512i v = four_of(q + r * t->depth);                                                     \
        a##r = add_products(a##r, v, a);                                                           \
        b##r = add_products(b##r, v, b);                                                           \
    }
#define FINISH(r)                                                                                  \
    if (rows > r) {                                                                                \
        __m512i least = _mm512_set1_epi32(easiest[r]);                                             \
        __mmask16 low = _mm512_cmpge_epi32_mask(a##r, least);                                      \
        __mmask16 high = _mm512_cmpge_epi32_mask(b##r, least);                                     \
        if (__builtin_expect(!_kortestz_mask16_u8(low, high), 0)) {                                \
            push(t, r, 0, a##r);                                                                   \
            push(t, r, 16, b##r);                                                                  \
        }                                                                                          \
    }

/* What the rows' sums must reach to be of use to any column. */
INLINE void ask_least(const tile *t, int rows, int32_t *least)
{
    __mmask16 some = (__mmask16)((1u << rows) - 1);
    __m512i mine = _mm512_maskz_loadu_epi32(some, t->row_least);
    __m512i any = _mm512_min_epi32(mine, _mm512_set1_epi32(t->easiest));
    _mm512_storeu_si512(least, _mm512_sub_epi32(any, _mm512_maskz_loadu_epi32(some, t->row_slack)));
}

INLINE void panel(tile *t, int rows)
{
    const int8_t *w = t->column;
    const uint8_t *q = t->row, *end = q + t->depth;
    int32_t easiest[16];
    ask_least(t, rows, easiest);
    EACH_ROW(CLEAR)
    for (; q < end; q += GROUP, w += STEP) {
        __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
        EACH_ROW(ADD)
    }
    EACH_ROW(FINISH)
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        panel(t, rows);                                                                            \
        break;

TARGET static void rows_by_panel(tile *t, size_t rows)
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

/* What a column's sum begins with: its slack, less what the offset of the rows' bytes adds. */
INLINE __m512i start_of(const mp_pairs8 *t, size_t at)
{
    __m512i offset =
        _mm512_mullo_epi32(_mm512_loadu_si512(t->column_sum + at), _mm512_set1_epi32(OFFSET));
    return _mm512_sub_epi32(_mm512_loadu_si512(t->column_slack + at), offset);
}

TARGET static size_t find(const mp_pairs8 *p, uint32_t *out)
{
    tile t = {.depth = p->depth, .out = out};
    size_t tiles = (p->n_rows + ROWS - 1) / ROWS;
    for (size_t at = 0; at < p->width; at += MP_PANEL) {
        t.at = at;
        t.column = p->column + at * p->depth;
        t.column_least = p->column_least + at;
        t.start_low = start_of(p, at);
        t.start_high = start_of(p, at + 16);
        t.easiest = _mm512_reduce_min_epi32(_mm512_min_epi32(
            _mm512_loadu_si512(t.column_least), _mm512_loadu_si512(t.column_least + 16)));
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = p->n_rows * (i + 1) / tiles;
            t.first = r;
            t.row = p->row + r * p->depth;
            t.row_slack = p->row_slack + r;
            t.row_least = p->row_least + r;
            rows_by_panel(&t, next - r);
            r = next;
        }
    }
    return (size_t)(t.out - out);
}

TARGET static float code_numbers(const float *v, size_t n, float scale, int8_t *code)
{
    __m512 by = _mm512_set1_ps(scale), top = _mm512_set1_ps(TOP), low = _mm512_set1_ps(-TOP);
    __m512 missed = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, v + i), by);
        __m512i c = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(x, low), top));
        __m512 off = _mm512_sub_ps(x, _mm512_cvtepi32_ps(c));
        missed = _mm512_fmadd_ps(off, off, missed);
        _mm512_mask_cvtepi32_storeu_epi8(code + i, mask, c);
    }
    return _mm512_reduce_add_ps(missed);
}

const mp_pairs8_kernels mp_pairs8_vnni = {"avx512-vnni", find, code_numbers};
#endif
