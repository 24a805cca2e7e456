/* dense_avx2.c - up to six rows by half a panel: 12 of the 16 registers hold sums. See dense.h. */
#include "simd/dense.h"

#include "simd/finish_avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

enum { ROWS = 6, HALF = MP_PANEL / 2, AHEAD = 16 };

/* ---- packing ---- */

/* Eight rows of eight, of which so many are there, transposed to lines of a panel. */
TARGET static void pack_block(const float *w, size_t rows, size_t w_stride, float *to)
{
    __m256 r[8], pair[8], four[8];
    for (size_t i = 0; i < 8; i++)
        r[i] = i < rows ? _mm256_loadu_ps(w + i * w_stride) : _mm256_setzero_ps();
    for (size_t i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4) {
        four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
        four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
    }
    for (size_t i = 0; i < 4; i++) {
        _mm256_store_ps(to + i * MP_PANEL, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
        _mm256_store_ps(to + (i + 4) * MP_PANEL,
                        _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
    }
}

TARGET void mp_dense_pack_avx2(const float *w, size_t n, size_t k, size_t w_stride, float *packed)
{
    for (size_t o = 0; o < (n + MP_PANEL - 1) / MP_PANEL * MP_PANEL; o += 8) {
        float *to = packed + o / MP_PANEL * MP_PANEL * k + o % MP_PANEL;
        size_t i = 0, rows = o < n ? MP_MIN(n - o, (size_t)8) : 0;
        for (; i + 8 <= k; i += 8)
            pack_block(rows ? w + o * w_stride + i : w, rows, w_stride, to + i * MP_PANEL);
        for (; i < k; i++)
            for (size_t c = 0; c < 8; c++)
                to[i * MP_PANEL + c] = o + c < n ? w[(o + c) * w_stride + i] : 0;
    }
}

/* ---- products ---- */

typedef struct tile {
    const float *x;
    size_t x_stride;
    const float *w;
    const float *next, *next_end; /* this tile's share of the next half panel, fetched meanwhile */
    size_t k;
    const float *bias;
    size_t some; /* outputs of the half panel that are wanted */
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

TARGET static void finish(const tile *t, int r, size_t from, __m256 sum)
{
    mp_finish_avx2(sum, t->bias ? t->bias + from : NULL, t->y + (size_t)r * t->y_stride + from,
                   t->some > from ? t->some - from : 0, t->add, t->relu6);
}

/* `rows` is a constant where this is called and all loops over rows are unrolled: only so do the
 * sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void
half_step(const float *x, size_t x_stride, const float *w, int rows, __m256 sum[ROWS][2])
{
    __m256 a = _mm256_load_ps(w), b = _mm256_load_ps(w + 8);
    _mm_prefetch((const char *)(w + AHEAD * MP_PANEL), _MM_HINT_T0);
    MP_UNROLL
    for (int r = 0; r < rows; r++) {
        __m256 v = _mm256_set1_ps(x[(size_t)r * x_stride]);
        sum[r][0] = _mm256_fmadd_ps(v, a, sum[r][0]);
        sum[r][1] = _mm256_fmadd_ps(v, b, sum[r][1]);
    }
}

TARGET static inline __attribute__((always_inline)) void half_panel(const tile *t, int rows)
{
    __m256 sum[ROWS][2];
    const float *w = t->w, *x = t->x, *next = t->next, *const end = t->next_end;
    const size_t k = t->k, stride = t->x_stride;
    const size_t lines = rows < 3 ? 2 : 1; /* few rows come by too fast for less */
    size_t i = 0;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    for (; i + 2 <= k; i += 2) {
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        if (lines == 2)
            _mm_prefetch((const char *)(next + MP_PANEL), _MM_HINT_T1);
        next = MP_MIN(next + lines * MP_PANEL, end);
        half_step(x + i, stride, w + i * MP_PANEL, rows, sum);
        half_step(x + i + 1, stride, w + (i + 1) * MP_PANEL, rows, sum);
    }
    if (i < k)
        half_step(x + i, stride, w + i * MP_PANEL, rows, sum);
    MP_UNROLL
    for (int r = 0; r < rows; r++) {
        finish(t, r, 0, sum[r][0]);
        finish(t, r, 8, sum[r][1]);
    }
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        half_panel(t, rows);                                                                       \
        break;

TARGET static void rows_by_half(const tile *t, size_t rows)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
    }
}

static const float *half_at(const mp_matrix *w, size_t from)
{
    return w->packed + from / MP_PANEL * MP_PANEL * w->k + from % MP_PANEL;
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
    for (; from < to; from += HALF) {
        t.w = half_at(w, from);
        t.bias = out->bias ? out->bias + from : NULL;
        t.some = MP_MIN(to - from, (size_t)HALF);
        const float *ahead = from + HALF < to ? half_at(w, from + HALF) : t.w;
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = m * (i + 1) / tiles;
            t.next = ahead + w->k * i / tiles * MP_PANEL;
            t.next_end = ahead + w->k * (i + 1) / tiles * MP_PANEL;
            t.x = x + r * x_stride;
            t.y = out->y + r * out->y_stride + from;
            rows_by_half(&t, next - r);
            r = next;
        }
    }
}

const mp_dense_kernels mp_dense_avx2 = {"avx2", mp_dense_pack_avx2, multiply};
#endif
