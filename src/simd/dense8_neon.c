/* dense8_neon.c - up to five rows by half a panel with SDOT, up to two without: the sums stay in
 * registers.
 *
 * ARM multiplies bytes of like signs, so the rows' codes are taken less 128, which counts as so
 * much less zero. Those are -128..127, the matrix' -127..127: two products fit 16 bits, and rows
 * keep all 8 bits on every processor. See dense8.h. */
#include "simd/dense8.h"
#include "simd/neon.h"

#include <string.h>

#if defined(__aarch64__)

#define INLINE static inline __attribute__((always_inline))

enum {
    GROUP = MP_DENSE8_GROUP,
    STEP = MP_PANEL * GROUP,
    TOP = 255,
    OFFSET = 128,
    HALF = 16,
    PARTS = 4, /* registers of four outputs */
    ROWS = 2,
    ROWS_DOTPROD = 5
};

/* ---- codes of rows ---- */

static void find_range(const float *x, size_t k, float *low, float *high)
{
    float32x4_t l = vdupq_n_f32(0), h = l;
    for (size_t i = 0; i < k; i += 4) {
        float32x4_t v = mp_load_some(x + i, k - i);
        l = vminq_f32(l, v);
        h = vmaxq_f32(h, v);
    }
    *low = vminvq_f32(l);
    *high = vmaxvq_f32(h);
}

/* Eight codes; what is out of bounds becomes 0 or 255. */
INLINE uint8x8_t codes_of(float32x4_t a, float32x4_t b, float by, int32x4_t zero)
{
    int32x4_t low = vaddq_s32(vcvtnq_s32_f32(vmulq_n_f32(a, by)), zero);
    int32x4_t high = vaddq_s32(vcvtnq_s32_f32(vmulq_n_f32(b, by)), zero);
    return vqmovn_u16(vcombine_u16(vqmovun_s32(low), vqmovun_s32(high)));
}

static void quantise_row(const float *x, size_t k, uint8_t *q, mp_row8 *row)
{
    float low, high;
    find_range(x, k, &low, &high);
    float scale = (high - low) / TOP, inverse = scale > 0 ? 1 / scale : 0;
    int32_t zero = vcvtns_s32_f32(-low * inverse);
    int32x4_t at = vdupq_n_s32(zero);
    uint8_t rest[8];
    size_t i = 0;
    *row = (mp_row8){scale, zero};
    for (; i + 8 <= k; i += 8)
        vst1_u8(q + i, codes_of(vld1q_f32(x + i), vld1q_f32(x + i + 4), inverse, at));
    float32x4_t a = mp_load_some(x + i, k - i);
    float32x4_t b = k - i > 4 ? mp_load_some(x + i + 4, k - i - 4) : vdupq_n_f32(0);
    vst1_u8(rest, codes_of(a, b, inverse, at));
    memcpy(q + i, rest, k - i);
    memset(q + k, 0, mp_dense8_depth(k) - k);
}

static void quantise(const float *x, size_t m, size_t k, size_t x_stride, uint8_t *q,
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
    size_t depth;
    const float *scale, *bias;
    const int32_t *sum;
    size_t some; /* outputs of the half panel that are wanted */
    float *y;
    size_t y_stride;
    bool add, relu6;
} tile;

static void finish_part(const tile *t, size_t r, size_t at, int32x4_t sum)
{
    float *y = t->y + r * t->y_stride + at;
    if (at >= t->some)
        return;
    int32x4_t exact = vmlaq_n_s32(sum, vld1q_s32(t->sum + at), OFFSET - t->rows[r].zero);
    float32x4_t scale = vmulq_n_f32(vld1q_f32(t->scale + at), t->rows[r].scale);
    float32x4_t v = vmulq_f32(vcvtq_f32_s32(exact), scale);
    if (t->bias)
        v = vaddq_f32(v, mp_load_some(t->bias + at, t->some - at));
    if (t->add)
        v = vaddq_f32(v, mp_load_some(y, t->some - at));
    if (t->relu6)
        v = vminq_f32(vmaxq_f32(v, vdupq_n_f32(0)), vdupq_n_f32(6));
    mp_store_some(y, t->some - at, v);
}

/* The outputs of a row. Not inlined, so that what is around stays small enough to be unrolled. */
static __attribute__((noinline)) void finish(const tile *t, int r, int32x4_t a, int32x4_t b,
                                             int32x4_t c, int32x4_t d)
{
    finish_part(t, (size_t)r, 0, a);
    finish_part(t, (size_t)r, 4, b);
    finish_part(t, (size_t)r, 8, c);
    finish_part(t, (size_t)r, 12, d);
}

/* Four codes of a row, four times. */
INLINE int8x16_t four_of(const tile *t, int r, size_t i)
{
    uint32_t four;
    memcpy(&four, t->q + (size_t)r * t->q_stride + i, sizeof four);
    return mp_signed(vreinterpretq_u8_u32(vdupq_n_u32(four)));
}

/* Two groups for four outputs: sum[0] is of the first two of them, sum[1] of the others. */
INLINE void add_two(int32x4_t sum[2], int8x16_t a, int8x16_t b, int8x16_t q, int8x16_t next)
{
    int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(q));
    int16x8_t high = vmull_high_s8(a, q);
    sum[0] = vpadalq_s16(sum[0], vmlal_s8(low, vget_low_s8(b), vget_low_s8(next)));
    sum[1] = vpadalq_s16(sum[1], vmlal_high_s8(high, b, next));
}

INLINE int32x4_t both(const int32x4_t sum[2])
{
    return vpaddq_s32(sum[0], sum[1]);
}

/* Two groups of the half panel, or the last one alone. */
INLINE void add_groups(const tile *t, int rows, size_t i, bool two, int32x4_t sum[ROWS][PARTS][2])
{
    const int8_t *w = t->w + i / GROUP * STEP;
    const int8x16_t none = vdupq_n_s8(0);
    int8x16_t q[ROWS], next[ROWS];
    MP_UNROLL
    for (int r = 0; r < rows; r++) {
        q[r] = four_of(t, r, i);
        next[r] = two ? four_of(t, r, i + GROUP) : none;
    }
    MP_UNROLL
    for (int p = 0; p < PARTS; p++) {
        MP_LOADS_STAY;
        int8x16_t a = vld1q_s8(w + p * 16), b = two ? vld1q_s8(w + STEP + p * 16) : none;
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            add_two(sum[r][p], a, b, q[r], next[r]);
    }
}

/* `rows` is a constant where this is called and all loops but the one over the depth are unrolled:
 * only so do the sums stay in registers. */
INLINE void half_panel(const tile *t, int rows)
{
    int32x4_t sum[ROWS][PARTS][2];
    size_t i = 0;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        sum[r][p][0] = sum[r][p][1] = vdupq_n_s32(0);
    for (; i + 2 * GROUP <= t->depth; i += 2 * GROUP)
        add_groups(t, rows, i, true, sum);
    if (i < t->depth)
        add_groups(t, rows, i, false, sum);
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        finish(t, r, both(sum[r][0]), both(sum[r][1]), both(sum[r][2]), both(sum[r][3]));
}

static void rows_by_half(const tile *t, size_t rows)
{
    if (rows == 1)
        half_panel(t, 1);
    else
        half_panel(t, 2);
}

/* One group of the half panel; the group of the rows is `lane` of q. */
#define ADD_GROUP(lane)                                                                            \
    MP_LOADS_STAY;                                                                                 \
    MP_UNROLL                                                                                      \
    for (int p = 0; p < PARTS; p++) {                                                              \
        int8x16_t codes = vld1q_s8(w + p * 16);                                                    \
        MP_UNROLL                                                                                  \
        for (int r = 0; r < rows; r++)                                                             \
            MP_SDOT_LANE(sum[r][p], codes, q[r], lane);                                            \
    }                                                                                              \
    w += STEP;

MP_TARGET_DOTPROD INLINE void half_panel_dotprod(const tile *t, int rows)
{
    int32x4_t sum[ROWS_DOTPROD][PARTS];
    int8x16_t q[ROWS_DOTPROD];
    const int8_t *w = t->w;
    size_t i = 0;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        sum[r][p] = vdupq_n_s32(0);
    for (; i + 4 * GROUP <= t->depth; i += 4 * GROUP) {
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            q[r] = mp_signed(vld1q_u8(t->q + (size_t)r * t->q_stride + i));
        ADD_GROUP(0)
        ADD_GROUP(1)
        ADD_GROUP(2)
        ADD_GROUP(3)
    }
    for (; i < t->depth; i += GROUP) {
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            q[r] = four_of(t, r, i);
        ADD_GROUP(0)
    }
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        finish(t, r, sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        half_panel_dotprod(t, rows);                                                               \
        break;

MP_TARGET_DOTPROD static void rows_by_half_dotprod(const tile *t, size_t rows)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
    }
}

/* What one call of multiply is about, and by how many rows at once it is done. */
typedef struct work {
    const uint8_t *q;
    size_t m, q_stride, most;
    const mp_row8 *rows;
    void (*by_half)(const tile *t, size_t rows);
} work;

static void multiply_by(const work *k, const mp_matrix8 *w, size_t from, size_t to,
                        const mp_dense_out *out)
{
    tile t = {.q_stride = k->q_stride,
              .depth = mp_dense8_depth(w->k),
              .y_stride = out->y_stride,
              .add = out->add,
              .relu6 = out->relu6};
    size_t tiles = (k->m + k->most - 1) / k->most;
    for (; from < to; from += HALF) {
        t.w = w->packed + from / MP_PANEL * MP_PANEL * t.depth + from % MP_PANEL * GROUP;
        t.scale = w->scale + from;
        t.sum = w->sum + from;
        t.bias = out->bias ? out->bias + from : NULL;
        t.some = MP_MIN(to - from, (size_t)HALF);
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = k->m * (i + 1) / tiles;
            t.q = k->q + r * k->q_stride;
            t.rows = k->rows + r;
            t.y = out->y + r * out->y_stride + from;
            k->by_half(&t, next - r);
            r = next;
        }
    }
}

static void multiply(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                     const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    multiply_by(&(work){q, m, q_stride, ROWS, rows, rows_by_half}, w, from, to, out);
}

static void multiply_dotprod(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                             const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    multiply_by(&(work){q, m, q_stride, ROWS_DOTPROD, rows, rows_by_half_dotprod}, w, from, to,
                out);
}

const mp_dense8_kernels mp_dense8_neon = {"neon", TOP, quantise, multiply};
const mp_dense8_kernels mp_dense8_dotprod = {"neon-dotprod", TOP, quantise, multiply_dotprod};
#endif
