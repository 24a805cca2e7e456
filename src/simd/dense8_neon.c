/* dense8_neon.c - the sums of sums8_neon.c made outputs, and the codes of rows. What the sums take
 * off the rows' codes counts as so much less zero: rows keep all 8 bits on every processor. See
 * dense8.h. */
#include "simd/dense8.h"
#include "simd/neon.h"

#if defined(__aarch64__)
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { GROUP = MP_DENSE8_GROUP, TOP = 255, OFFSET = 128, HALF = MP_SUMS8_WIDTH };

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

/* The outputs of half a panel. */
typedef struct columns {
    const float *scale, *bias;
    const int32_t *sum;
    size_t some; /* that are wanted */
    bool add, relu6;
} columns;

static void finish(const columns *c, size_t at, mp_row8 row, const int32_t *sum, float *y)
{
    int32x4_t exact = vmlaq_n_s32(vld1q_s32(sum), vld1q_s32(c->sum + at), OFFSET - row.zero);
    float32x4_t scale = vmulq_n_f32(vld1q_f32(c->scale + at), row.scale);
    float32x4_t v = vmulq_f32(vcvtq_f32_s32(exact), scale);
    if (c->bias)
        v = vaddq_f32(v, mp_load_some(c->bias + at, c->some - at));
    if (c->add)
        v = vaddq_f32(v, mp_load_some(y, c->some - at));
    if (c->relu6)
        v = vminq_f32(vmaxq_f32(v, vdupq_n_f32(0)), vdupq_n_f32(6));
    mp_store_some(y, c->some - at, v);
}

/* What a call of multiply is about. */
typedef struct work {
    const mp_sums8_kernels *kernels;
    mp_sums8 t;
    size_t m;
    const mp_row8 *rows;
    float *y;
    size_t y_stride;
} work;

static void half_panel(const work *k, const columns *c)
{
    size_t tiles = (k->m + k->kernels->most - 1) / k->kernels->most;
    int32_t sum[MP_SUMS8_MOST][MP_SUMS8_WIDTH];
    mp_sums8 t = k->t;
    for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
        size_t next = k->m * (i + 1) / tiles;
        t.row = k->t.row + r * t.stride;
        k->kernels->sums(&t, next - r, sum);
        for (size_t first = r; r < next; r++)
            for (size_t at = 0; at < c->some; at += 4)
                finish(c, at, k->rows[r], sum[r - first] + at, k->y + r * k->y_stride + at);
    }
}

static void multiply_by(work k, const mp_matrix8 *w, size_t from, size_t to,
                        const mp_dense_out *out)
{
    columns c = {.add = out->add, .relu6 = out->relu6};
    k.t.depth = mp_dense8_depth(w->k);
    k.y_stride = out->y_stride;
    for (; from < to; from += HALF) {
        k.t.codes = w->packed + from / MP_PANEL * MP_PANEL * k.t.depth + from % MP_PANEL * GROUP;
        k.y = out->y + from;
        c.scale = w->scale + from;
        c.sum = w->sum + from;
        c.bias = out->bias ? out->bias + from : NULL;
        c.some = MP_MIN(to - from, (size_t)HALF);
        half_panel(&k, &c);
    }
}

static void multiply(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                     const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    work k = {.kernels = &mp_sums8_neon, .t = {q, q_stride, NULL, 0}, .m = m, .rows = rows};
    multiply_by(k, w, from, to, out);
}

static void multiply_dotprod(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                             const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    work k = {.kernels = &mp_sums8_dotprod, .t = {q, q_stride, NULL, 0}, .m = m, .rows = rows};
    multiply_by(k, w, from, to, out);
}

const mp_dense8_kernels mp_dense8_neon = {"neon", TOP, quantise, multiply};
const mp_dense8_kernels mp_dense8_dotprod = {"neon-dotprod", TOP, quantise, multiply_dotprod};
#endif
