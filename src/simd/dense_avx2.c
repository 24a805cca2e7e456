/* dense_avx2.c - up to six rows by half a panel: 12 of the 16 registers hold sums. See dense.h. */
#include "simd/dense.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))

enum { ROWS = 6, HALF = MP_PANEL / 2 };

/* `rows` is a constant where this is called, so that the sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void half_panel(const float *x, int rows,
                                                                    size_t k, const float *w,
                                                                    const float *bias, size_t some,
                                                                    float *y, size_t y_stride)
{
    __m256 sum[ROWS][2];
    float out[HALF];
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    for (size_t i = 0; i < k; i++, w += MP_PANEL) {
        __m256 a = _mm256_load_ps(w), b = _mm256_load_ps(w + 8);
        for (int r = 0; r < rows; r++) {
            __m256 v = _mm256_set1_ps(x[(size_t)r * k + i]);
            sum[r][0] = _mm256_fmadd_ps(v, a, sum[r][0]);
            sum[r][1] = _mm256_fmadd_ps(v, b, sum[r][1]);
        }
    }
    for (int r = 0; r < rows; r++, y += y_stride) {
        _mm256_storeu_ps(out, sum[r][0]);
        _mm256_storeu_ps(out + 8, sum[r][1]);
        for (size_t c = 0; bias && c < some; c++)
            out[c] += bias[c];
        memcpy(y, out, some * sizeof *y);
    }
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        half_panel(x, rows, k, w, bias, some, y, y_stride);                                        \
        break;

TARGET static void rows_by_half(const float *x, size_t m, size_t k, const float *w,
                                const float *bias, size_t some, float *y, size_t y_stride)
{
    switch (m) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
    }
}

TARGET static void multiply(const float *x, size_t m, size_t k, const float *packed, size_t n,
                            const float *bias, float *y, size_t y_stride)
{
    for (size_t from = 0; from < n; from += HALF) {
        const float *w = packed + from / MP_PANEL * MP_PANEL * k + from % MP_PANEL;
        for (size_t r = 0; r < m; r += ROWS)
            rows_by_half(x + r * k, MP_MIN(m - r, (size_t)ROWS), k, w, bias ? bias + from : NULL,
                         MP_MIN(n - from, (size_t)HALF), y + r * y_stride + from, y_stride);
    }
}

const mp_dense_kernels mp_dense_avx2 = {"avx2", multiply};
#endif
