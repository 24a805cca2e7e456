/* distance_neon.c - what every 64-bit ARM processor has, and the products of codes with SDOT where
 * there is that.
 *
 * ARM multiplies bytes of like signs: the offset of the stored side is taken off again, which is
 * one bit, and added to the sum as 128 * sum(q). Codes of -128..127 times codes of -127..127: two
 * such products fit 16 bits. See distance.h. */
#include "simd/distance.h"
#include "simd/neon.h"

#if defined(__aarch64__)

enum { OFFSET = 128 };

/* Four sums hide the latency of the multiply-add. */
static float dot(const float *a, const float *b, size_t n)
{
    float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
        s1 = vfmaq_f32(s1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        s2 = vfmaq_f32(s2, vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
        s3 = vfmaq_f32(s3, vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
    }
    for (; i + 4 <= n; i += 4)
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
    float sum = vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static float32x4_t widen(const uint16_t *b)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(b)));
}

static float dot_half(const float *a, const uint16_t *b, size_t n)
{
    float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), widen(b + i));
        s1 = vfmaq_f32(s1, vld1q_f32(a + i + 4), widen(b + i + 4));
        s2 = vfmaq_f32(s2, vld1q_f32(a + i + 8), widen(b + i + 8));
        s3 = vfmaq_f32(s3, vld1q_f32(a + i + 12), widen(b + i + 12));
    }
    for (; i + 4 <= n; i += 4)
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), widen(b + i));
    return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3))) +
           mp_dot_half_scalar(a + i, b + i, n - i);
}

/* What the offset adds to the sum of every row. */
static int32_t offset_of(const int8_t *query, size_t n)
{
    int32x4_t sum = vdupq_n_s32(0);
    for (size_t i = 0; i < n; i += 16)
        sum = vpadalq_s16(sum, vpaddlq_s8(vld1q_s8(query + i)));
    return OFFSET * vaddvq_s32(sum);
}

static int32x4_t add_products(int32x4_t sum, const uint8_t *row, int8x16_t q)
{
    int8x16_t c = mp_signed(vld1q_u8(row));
    return vpadalq_s16(sum, vmlal_high_s8(vmull_s8(vget_low_s8(c), vget_low_s8(q)), c, q));
}

/* Four rows at once: their cache misses overlap, and each piece of the query is loaded once. */
static int32x4_t dot_four(const int8_t *query, const uint8_t *const *rows, size_t n)
{
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    for (size_t i = 0; i < n; i += 16) {
        int8x16_t q = vld1q_s8(query + i);
        a = add_products(a, rows[0] + i, q);
        b = add_products(b, rows[1] + i, q);
        c = add_products(c, rows[2] + i, q);
        d = add_products(d, rows[3] + i, q);
    }
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
}

static int32_t dot_row(const int8_t *query, const uint8_t *row, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n; i += 32) {
        s0 = add_products(s0, row + i, vld1q_s8(query + i));
        s1 = add_products(s1, row + i + 16, vld1q_s8(query + i + 16));
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

static void dot_codes(const int8_t *query, const uint8_t *const *rows, size_t n_rows, size_t n,
                      int32_t *out)
{
    int32_t offset = offset_of(query, n);
    size_t r = 0;
    for (; r + 4 <= n_rows; r += 4)
        vst1q_s32(out + r, vaddq_s32(dot_four(query, rows + r, n), vdupq_n_s32(offset)));
    for (; r < n_rows; r++)
        out[r] = dot_row(query, rows[r], n) + offset;
}

const mp_distance_kernels mp_distance_neon = {"neon", dot, dot_half, dot_codes};

/* ---- SDOT ---- */

MP_TARGET_DOTPROD static inline int32x4_t sdot(int32x4_t sum, const uint8_t *row, int8x16_t q)
{
    MP_SDOT(sum, mp_signed(vld1q_u8(row)), q);
    return sum;
}

MP_TARGET_DOTPROD static int32x4_t sdot_four(const int8_t *query, const uint8_t *const *rows,
                                             size_t n)
{
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    for (size_t i = 0; i < n; i += 16) {
        int8x16_t q = vld1q_s8(query + i);
        a = sdot(a, rows[0] + i, q);
        b = sdot(b, rows[1] + i, q);
        c = sdot(c, rows[2] + i, q);
        d = sdot(d, rows[3] + i, q);
    }
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
}

MP_TARGET_DOTPROD static int32_t sdot_row(const int8_t *query, const uint8_t *row, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n; i += 32) {
        s0 = sdot(s0, row + i, vld1q_s8(query + i));
        s1 = sdot(s1, row + i + 16, vld1q_s8(query + i + 16));
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

MP_TARGET_DOTPROD static void sdot_codes(const int8_t *query, const uint8_t *const *rows,
                                         size_t n_rows, size_t n, int32_t *out)
{
    int32_t offset = offset_of(query, n);
    size_t r = 0;
    for (; r + 4 <= n_rows; r += 4)
        vst1q_s32(out + r, vaddq_s32(sdot_four(query, rows + r, n), vdupq_n_s32(offset)));
    for (; r < n_rows; r++)
        out[r] = sdot_row(query, rows[r], n) + offset;
}

const mp_distance_kernels mp_distance_dotprod = {"neon-dotprod", dot, dot_half, sdot_codes};
#endif
