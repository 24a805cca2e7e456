/* dense_avx2.c - up to six rows by half a panel: 12 of the 16 registers hold sums. See dense.h. */
#include "simd/dense.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

enum { ROWS = 6, HALF = MP_PANEL / 2 };

typedef struct tile {
    const float *x;
    size_t x_stride;
    const float *w;
    size_t k;
    const float *bias;
    size_t some; /* outputs of the half panel that are wanted */
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

/* `rows` is a constant where this is called and all loops over rows are unrolled: only so do the
 * sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void half_panel(const tile *t, int rows)
{
    __m256 sum[ROWS][2];
    const float *w = t->w;
    float out[HALF], *y = t->y;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    for (size_t i = 0; i < t->k; i++, w += MP_PANEL) {
        __m256 a = _mm256_load_ps(w), b = _mm256_load_ps(w + 8);
        MP_UNROLL
        for (int r = 0; r < rows; r++) {
            __m256 v = _mm256_set1_ps(t->x[(size_t)r * t->x_stride + i]);
            sum[r][0] = _mm256_fmadd_ps(v, a, sum[r][0]);
            sum[r][1] = _mm256_fmadd_ps(v, b, sum[r][1]);
        }
    }
    MP_UNROLL
    for (int r = 0; r < rows; r++, y += t->y_stride) {
        _mm256_storeu_ps(out, sum[r][0]);
        _mm256_storeu_ps(out + 8, sum[r][1]);
        for (size_t c = 0; c < t->some; c++) {
            float v = (t->add ? y[c] : 0) + out[c] + (t->bias ? t->bias[c] : 0);
            y[c] = t->relu6 ? MP_MIN(MP_MAX(v, 0), 6) : v;
        }
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

TARGET static void multiply(const float *x, size_t m, size_t x_stride, const mp_matrix *w,
                            size_t from, size_t to, const mp_dense_out *out)
{
    tile t = {.x_stride = x_stride,
              .k = w->k,
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    for (; from < to; from += HALF) {
        t.w = w->packed + from / MP_PANEL * MP_PANEL * w->k + from % MP_PANEL;
        t.bias = out->bias ? out->bias + from : NULL;
        t.some = MP_MIN(to - from, (size_t)HALF);
        for (size_t r = 0; r < m; r += ROWS) {
            t.x = x + r * x_stride;
            t.y = out->y + r * out->y_stride + from;
            rows_by_half(&t, MP_MIN(m - r, (size_t)ROWS));
        }
    }
}

const mp_dense_kernels mp_dense_avx2 = {"avx2", multiply};
#endif
