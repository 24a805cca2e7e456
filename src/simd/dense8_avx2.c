/* dense8_avx2.c - up to four rows by half a panel. Codes of rows have seven bits: two products of
 * bytes then fit the 16 bits in which AVX2 adds them. See dense8.h. */
#include "simd/dense8.h"

#include "simd/finish_avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))

enum {
    ROWS = 4,
    GROUP = MP_DENSE8_GROUP,
    STEP = MP_PANEL * GROUP,
    TOP = 127,
    HALF = 16,
    AHEAD = 8
};

/* ---- codes of rows ---- */

TARGET static float lowest(__m256 v)
{
    __m128 h = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_min_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_min_ss(h, _mm_movehdup_ps(h)));
}

TARGET static void find_range(const float *x, size_t k, float *low, float *high)
{
    __m256 l = _mm256_setzero_ps(), h = l; /* h: the lowest of what is negated */
    size_t i = 0;
    for (; i + 8 <= k; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i);
        l = _mm256_min_ps(l, v);
        h = _mm256_min_ps(h, _mm256_sub_ps(_mm256_setzero_ps(), v));
    }
    *low = lowest(l);
    *high = -lowest(h);
    for (; i < k; i++) {
        *low = MP_MIN(*low, x[i]);
        *high = MP_MAX(*high, x[i]);
    }
}

TARGET static __m256i codes_of(const float *x, __m256 by, __m256i at)
{
    __m256i code = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), by)), at);
    return _mm256_min_epi32(_mm256_max_epi32(code, _mm256_setzero_si256()), _mm256_set1_epi32(TOP));
}

TARGET static void quantise_row(const float *x, size_t k, uint8_t *q, mp_row8 *row)
{
    float low, high;
    find_range(x, k, &low, &high);
    float scale = (high - low) / TOP, inverse = scale > 0 ? 1 / scale : 0;
    int zero = _mm_cvtss_si32(_mm_set_ss(-low * inverse));
    __m256 by = _mm256_set1_ps(inverse);
    __m256i at = _mm256_set1_epi32(zero);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    size_t i = 0;
    *row = (mp_row8){scale, zero};
    for (; i + 32 <= k; i += 32) {
        __m256i a = _mm256_packs_epi32(codes_of(x + i, by, at), codes_of(x + i + 8, by, at));
        __m256i b = _mm256_packs_epi32(codes_of(x + i + 16, by, at), codes_of(x + i + 24, by, at));
        __m256i all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
        _mm256_storeu_si256((__m256i *)(void *)(q + i), all);
    }
    for (; i < k; i++) {
        int code = _mm_cvtss_si32(_mm_set_ss(x[i] * inverse)) + zero;
        q[i] = (uint8_t)MP_MIN(MP_MAX(code, 0), TOP);
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

typedef struct tile {
    const uint8_t *q;
    size_t q_stride;
    const mp_row8 *rows;
    const int8_t *w;
    const int8_t *next, *next_end; /* this tile's share of the next half panel, fetched meanwhile */
    size_t depth;
    const float *scale, *bias;
    const int32_t *sum;
    size_t some; /* outputs of the half panel that are wanted */
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

TARGET static void finish(const tile *t, int r, int half, __m256i sum)
{
    size_t from = (size_t)half * 8;
    __m256i sums = _mm256_loadu_si256((const __m256i *)(const void *)(t->sum + from));
    __m256i exact =
        _mm256_sub_epi32(sum, _mm256_mullo_epi32(sums, _mm256_set1_epi32(t->rows[r].zero)));
    __m256 scale =
        _mm256_mul_ps(_mm256_loadu_ps(t->scale + from), _mm256_set1_ps(t->rows[r].scale));
    mp_finish_avx2(_mm256_mul_ps(_mm256_cvtepi32_ps(exact), scale), t->bias ? t->bias + from : NULL,
                   t->y + (size_t)r * t->y_stride + from, t->some > from ? t->some - from : 0,
                   t->add, t->relu6);
}

/* `rows` is a constant where this is called and all loops over rows are unrolled: only so do the
 * sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void half_panel(const tile *t, int rows)
{
    __m256i sum[ROWS][2];
    const __m256i ones = _mm256_set1_epi16(1);
    const int8_t *w = t->w, *next = t->next, *const end = t->next_end;
    const uint8_t *q = t->q, *const q_end = q + t->depth;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    for (; q < q_end; q += GROUP, w += STEP) {
        __m256i a = _mm256_load_si256((const __m256i *)(const void *)w);
        __m256i b = _mm256_load_si256((const __m256i *)(const void *)(w + 32));
        _mm_prefetch((const char *)(w + AHEAD * STEP), _MM_HINT_T0);
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        next = MP_MIN(next + STEP, end);
        MP_UNROLL
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, q + (size_t)r * t->q_stride, sizeof four);
            __m256i v = _mm256_set1_epi32(four);
            __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(v, a), ones);
            __m256i s = _mm256_madd_epi16(_mm256_maddubs_epi16(v, b), ones);
            sum[r][0] = _mm256_add_epi32(sum[r][0], p);
            sum[r][1] = _mm256_add_epi32(sum[r][1], s);
        }
    }
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (int half = 0; half < 2; half++)
        finish(t, r, half, sum[r][half]);
}

TARGET static void rows_by_half(const tile *t, size_t rows)
{
    if (rows == 1)
        half_panel(t, 1);
    else if (rows == 2)
        half_panel(t, 2);
    else if (rows == 3)
        half_panel(t, 3);
    else
        half_panel(t, 4);
}

static const int8_t *half_at(const mp_matrix8 *w, size_t depth, size_t from)
{
    return w->packed + from / MP_PANEL * MP_PANEL * depth + from % MP_PANEL * GROUP;
}

TARGET static void multiply(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                            const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    tile t = {.q_stride = q_stride,
              .depth = mp_dense8_depth(w->k),
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    size_t tiles = (m + ROWS - 1) / ROWS, lines = t.depth / GROUP;
    for (; from < to; from += HALF) {
        t.w = half_at(w, t.depth, from);
        t.scale = w->scale + from;
        t.sum = w->sum + from;
        t.bias = out->bias ? out->bias + from : NULL;
        t.some = MP_MIN(to - from, (size_t)HALF);
        const int8_t *ahead = from + HALF < to ? half_at(w, t.depth, from + HALF) : t.w;
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = m * (i + 1) / tiles;
            t.next = ahead + lines * i / tiles * STEP;
            t.next_end = ahead + lines * (i + 1) / tiles * STEP;
            t.q = q + r * q_stride;
            t.rows = rows + r;
            t.y = out->y + r * out->y_stride + from;
            rows_by_half(&t, next - r);
            r = next;
        }
    }
}

const mp_dense8_kernels mp_dense8_avx2 = {"avx2", TOP, quantise, multiply};
#endif
