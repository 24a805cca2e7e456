/* dense_avx512.c - up to twelve rows by one panel: 24 of the 32 registers hold sums. See dense.h.
 */
#include "simd/dense.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

enum { ROWS = 12, AHEAD = 16 };

/* `rows` is a constant where this is called, so that the sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void panel(const float *x, int rows, size_t k,
                                                               const float *w, const float *bias,
                                                               size_t some, float *y,
                                                               size_t y_stride)
{
    __m512 sum[ROWS][2];
    __mmask16 low = (__mmask16)(some >= 16 ? 0xFFFF : (1u << some) - 1);
    __mmask16 high = (__mmask16)(some >= 32 ? 0xFFFF : some > 16 ? (1u << (some - 16)) - 1 : 0);
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm512_setzero_ps();
    for (size_t i = 0; i < k; i++, w += MP_PANEL) {
        __m512 a = _mm512_load_ps(w), b = _mm512_load_ps(w + 16);
        _mm_prefetch((const char *)(w + AHEAD * MP_PANEL), _MM_HINT_T0);
        _mm_prefetch((const char *)(w + AHEAD * MP_PANEL + 16), _MM_HINT_T0);
        for (int r = 0; r < rows; r++) {
            __m512 v = _mm512_set1_ps(x[(size_t)r * k + i]);
            sum[r][0] = _mm512_fmadd_ps(v, a, sum[r][0]);
            sum[r][1] = _mm512_fmadd_ps(v, b, sum[r][1]);
        }
    }
    __m512 first = bias ? _mm512_maskz_loadu_ps(low, bias) : _mm512_setzero_ps();
    __m512 second = bias ? _mm512_maskz_loadu_ps(high, bias + 16) : _mm512_setzero_ps();
    for (int r = 0; r < rows; r++, y += y_stride) {
        _mm512_mask_storeu_ps(y, low, _mm512_add_ps(sum[r][0], first));
        _mm512_mask_storeu_ps(y + 16, high, _mm512_add_ps(sum[r][1], second));
    }
}

/* One case per count of rows: the compiler makes each a loop without branches. */
#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        panel(x, rows, k, w, bias, some, y, y_stride);                                             \
        break;

TARGET static void rows_by_panel(const float *x, size_t m, size_t k, const float *w,
                                 const float *bias, size_t some, float *y, size_t y_stride)
{
    switch (m) {
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

TARGET static void multiply(const float *x, size_t m, size_t k, const float *packed, size_t n,
                            const float *bias, float *y, size_t y_stride)
{
    for (size_t from = 0; from < n; from += MP_PANEL, packed += MP_PANEL * k)
        for (size_t r = 0; r < m; r += ROWS)
            rows_by_panel(x + r * k, MP_MIN(m - r, (size_t)ROWS), k, packed,
                          bias ? bias + from : NULL, MP_MIN(n - from, (size_t)MP_PANEL),
                          y + r * y_stride + from, y_stride);
}

const mp_dense_kernels mp_dense_avx512 = {"avx512", multiply};
#endif
