/* dense_neon.c - up to five rows by half a panel: 20 of the 32 registers hold sums, and four inputs
 * of a row are loaded at once. See dense.h. */
#include "simd/dense.h"
#include "simd/neon.h"

#if defined(__aarch64__)

#define INLINE static inline __attribute__((always_inline))

enum { ROWS = 5, HALF = MP_PANEL / 2, PARTS = 4, AT_ONCE = 4 };

/* ---- packing ---- */

/* Four inputs of four outputs: vst4q writes them by turns, which is the transpose. */
static void pack_block(const float *w, size_t w_stride, float *to)
{
    float turned[16];
    float32x4x4_t rows = {{vld1q_f32(w), vld1q_f32(w + w_stride), vld1q_f32(w + 2 * w_stride),
                           vld1q_f32(w + 3 * w_stride)}};
    vst4q_f32(turned, rows);
    for (size_t i = 0; i < 4; i++)
        vst1q_f32(to + i * MP_PANEL, vld1q_f32(turned + 4 * i));
}

static void pack(const float *w, size_t n, size_t k, size_t w_stride, float *packed)
{
    for (size_t o = 0; o < (n + MP_PANEL - 1) / MP_PANEL * MP_PANEL; o += 4) {
        float *to = packed + o / MP_PANEL * MP_PANEL * k + o % MP_PANEL;
        size_t i = 0;
        for (; o + 4 <= n && i + 4 <= k; i += 4)
            pack_block(w + o * w_stride + i, w_stride, to + i * MP_PANEL);
        for (; i < k; i++)
            for (size_t c = 0; c < 4; c++)
                to[i * MP_PANEL + c] = o + c < n ? w[(o + c) * w_stride + i] : 0;
    }
}

/* ---- products ---- */

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

static void finish_part(const tile *t, size_t r, size_t at, float32x4_t sum)
{
    float *y = t->y + r * t->y_stride + at;
    if (at >= t->some)
        return;
    if (t->add)
        sum = vaddq_f32(sum, mp_load_some(y, t->some - at));
    if (t->bias)
        sum = vaddq_f32(sum, mp_load_some(t->bias + at, t->some - at));
    if (t->relu6)
        sum = vminq_f32(vmaxq_f32(sum, vdupq_n_f32(0)), vdupq_n_f32(6));
    mp_store_some(y, t->some - at, sum);
}

/* The outputs of a row. Not inlined, so that what is around stays small enough to be unrolled. */
static __attribute__((noinline)) void finish(const tile *t, int r, float32x4_t a, float32x4_t b,
                                             float32x4_t c, float32x4_t d)
{
    finish_part(t, (size_t)r, 0, a);
    finish_part(t, (size_t)r, 4, b);
    finish_part(t, (size_t)r, 8, c);
    finish_part(t, (size_t)r, 12, d);
}

/* The products of one input; of the rows it is `lane` of x. */
#define ADD_INPUT(lane)                                                                            \
    MP_LOADS_STAY;                                                                                 \
    MP_UNROLL                                                                                      \
    for (int p = 0; p < PARTS; p++) {                                                              \
        float32x4_t by = vld1q_f32(w + p * 4);                                                     \
        MP_UNROLL                                                                                  \
        for (int r = 0; r < rows; r++)                                                             \
            sum[r][p] = vfmaq_laneq_f32(sum[r][p], by, x[r], lane);                                \
    }                                                                                              \
    w += MP_PANEL;

/* `rows` is a constant where this is called and all loops over rows are unrolled: only so do the
 * sums stay in registers. */
INLINE void half_panel(const tile *t, int rows)
{
    float32x4_t sum[ROWS][PARTS], x[ROWS];
    const float *w = t->w;
    size_t i = 0;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        sum[r][p] = vdupq_n_f32(0);
    for (; i + AT_ONCE <= t->k; i += AT_ONCE) {
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            x[r] = vld1q_f32(t->x + (size_t)r * t->x_stride + i);
        ADD_INPUT(0)
        ADD_INPUT(1)
        ADD_INPUT(2)
        ADD_INPUT(3)
    }
    for (; i < t->k; i++) {
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            x[r] = vld1q_dup_f32(t->x + (size_t)r * t->x_stride + i);
        ADD_INPUT(0)
    }
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        finish(t, r, sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        half_panel(t, rows);                                                                       \
        break;

static void rows_by_half(const tile *t, size_t rows)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
    }
}

static void multiply(const float *x, size_t m, size_t x_stride, const mp_matrix *w, size_t from,
                     size_t to, const mp_dense_out *out)
{
    tile t = {.x_stride = x_stride,
              .k = w->k,
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    size_t tiles = (m + ROWS - 1) / ROWS;
    for (; from < to; from += HALF) {
        t.w = w->packed + from / MP_PANEL * MP_PANEL * w->k + from % MP_PANEL;
        t.bias = out->bias ? out->bias + from : NULL;
        t.some = MP_MIN(to - from, (size_t)HALF);
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = m * (i + 1) / tiles;
            t.x = x + r * x_stride;
            t.y = out->y + r * out->y_stride + from;
            rows_by_half(&t, next - r);
            r = next;
        }
    }
}

const mp_dense_kernels mp_dense_neon = {"neon", pack, multiply};
#endif
