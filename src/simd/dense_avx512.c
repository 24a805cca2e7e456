/* dense_avx512.c - up to twelve rows by one panel: 24 of the 32 registers hold sums. See dense.h.
 */
#include "simd/dense.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

enum { ROWS = 12, AHEAD = 16, LINE = 16 };

typedef struct tile {
    const float *x;
    size_t x_stride;
    const float *w;
    const float *next, *next_end; /* this tile's share of the next panel, fetched meanwhile */
    size_t k;
    const float *bias;
    __mmask16 low, high; /* of the panel's outputs, those that are wanted */
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

TARGET static inline __attribute__((always_inline)) void finish(const tile *t, int r, int half,
                                                                __m512 sum, __m512 bias)
{
    float *y = t->y + (size_t)r * t->y_stride + half * 16;
    __mmask16 mask = half ? t->high : t->low;
    sum = _mm512_add_ps(sum, bias);
    if (t->add)
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, y));
    if (t->relu6)
        sum = _mm512_min_ps(_mm512_max_ps(sum, _mm512_setzero_ps()), _mm512_set1_ps(6));
    _mm512_mask_storeu_ps(y, mask, sum);
}

/* `rows` is a constant where this is called and all loops over rows are unrolled: only so do the
 * sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void panel(const tile *t, int rows)
{
    __m512 sum[ROWS][2];
    const float *w = t->w, *next = t->next;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm512_setzero_ps();
    for (size_t i = 0; i < t->k; i++, w += MP_PANEL) {
        __m512 a = _mm512_load_ps(w), b = _mm512_load_ps(w + 16);
        _mm_prefetch((const char *)(w + AHEAD * MP_PANEL), _MM_HINT_T0);
        _mm_prefetch((const char *)(w + AHEAD * MP_PANEL + 16), _MM_HINT_T0);
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        next = MP_MIN(next + LINE, t->next_end);
        MP_UNROLL
        for (int r = 0; r < rows; r++) {
            __m512 v = _mm512_set1_ps(t->x[(size_t)r * t->x_stride + i]);
            sum[r][0] = _mm512_fmadd_ps(v, a, sum[r][0]);
            sum[r][1] = _mm512_fmadd_ps(v, b, sum[r][1]);
        }
    }
    MP_UNROLL
    for (int half = 0; half < 2; half++) {
        __m512 bias = t->bias ? _mm512_maskz_loadu_ps(half ? t->high : t->low, t->bias + half * 16)
                              : _mm512_setzero_ps();
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            finish(t, r, half, sum[r][half], bias);
    }
}

/* One case per count of rows: the compiler makes each a loop without branches. */
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

TARGET static void multiply(const float *x, size_t m, size_t x_stride, const mp_matrix *w,
                            size_t from, size_t to, const mp_dense_out *out)
{
    tile t = {.x_stride = x_stride,
              .k = w->k,
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    size_t tiles = (m + ROWS - 1) / ROWS;
    for (; from < to; from += MP_PANEL) {
        size_t some = to - from;
        t.w = w->packed + from * w->k;
        t.bias = out->bias ? out->bias + from : NULL;
        t.low = (__mmask16)(some >= 16 ? 0xFFFF : (1u << some) - 1);
        t.high = (__mmask16)(some >= 32 ? 0xFFFF : some > 16 ? (1u << (some - 16)) - 1 : 0);
        size_t ahead = from + MP_PANEL < to ? MP_PANEL * w->k : 0;
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = m * (i + 1) / tiles;
            t.next = t.w + ahead + ahead * i / tiles;
            t.next_end = t.w + ahead + ahead * (i + 1) / tiles;
            t.x = x + r * x_stride;
            t.y = out->y + r * out->y_stride + from;
            rows_by_panel(&t, next - r);
            r = next;
        }
    }
}

const mp_dense_kernels mp_dense_avx512 = {"avx512", mp_dense_pack_avx2, multiply};
#endif
