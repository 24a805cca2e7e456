/* pixel_neon.c - see pixel.h.
 *
 * Row kernels multiply 16-bit samples with the two halves of the weights, eight taps at a time; the
 * halves are joined at the end. Their sums may wrap, but the joined sum is right modulo 2^32 and
 * fits. Columns take the weights whole. */
#include "simd/neon.h"
#include "simd/pixel.h"

#if defined(__aarch64__)

#define INLINE static inline __attribute__((always_inline))

enum { TAPS = 8, AT_ONCE = 16 };
_Static_assert(MP_PIXEL_GROUP % TAPS == 0, "weights are padded to whole steps");

/* Sums with the low and with the high halves of the weights. */
typedef struct halves {
    int32x4_t low, high;
} halves;

INLINE void add_taps(halves *sum, uint8x8_t samples, int16x8_t low, int16x8_t high)
{
    int16x8_t v = vreinterpretq_s16_u16(vmovl_u8(samples));
    sum->low = vmlal_s16(sum->low, vget_low_s16(v), vget_low_s16(low));
    sum->high = vmlal_s16(sum->high, vget_low_s16(v), vget_low_s16(high));
    sum->low = vmlal_high_s16(sum->low, v, low);
    sum->high = vmlal_high_s16(sum->high, v, high);
}

INLINE uint8_t byte_of(halves sum)
{
    int32x4_t joined = vaddq_s32(sum.low, vshlq_n_s32(sum.high, MP_PIXEL_SPLIT));
    int32_t v = (vaddvq_s32(joined) + MP_PIXEL_HALF) >> MP_PIXEL_PRECISION;
    return (uint8_t)MP_MIN(MP_MAX(v, 0), 255);
}

static void row_rgb(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    const halves none = {vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int i = 0; i < n_out; i++, out += 3) {
        const uint8_t *p = in + 3 * (size_t)taps[i].first;
        halves r = none, g = none, b = none;
        for (int t = 0; t < taps[i].n; t += TAPS, p += 3 * TAPS) {
            uint8x8x3_t px = vld3_u8(p);
            int16x8_t low = vld1q_s16(taps[i].low + t), high = vld1q_s16(taps[i].high + t);
            add_taps(&r, px.val[0], low, high);
            add_taps(&g, px.val[1], low, high);
            add_taps(&b, px.val[2], low, high);
        }
        out[0] = byte_of(r);
        out[1] = byte_of(g);
        out[2] = byte_of(b);
    }
}

static void row_grey(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + taps[i].first;
        halves sum = {vdupq_n_s32(0), vdupq_n_s32(0)};
        for (int t = 0; t < taps[i].n; t += TAPS)
            add_taps(&sum, vld1_u8(p + t), vld1q_s16(taps[i].low + t), vld1q_s16(taps[i].high + t));
        out[i] = byte_of(sum);
    }
}

/* Four samples times a weight. */
INLINE int32x4_t add_four(int32x4_t sum, uint16x4_t samples, int32_t weight)
{
    return vmlaq_n_s32(sum, vreinterpretq_s32_u32(vmovl_u16(samples)), weight);
}

/* Eight sums to bytes: shifted down and clamped to 0..255. */
INLINE uint8x8_t narrow(int32x4_t a, int32x4_t b)
{
    int16x4_t low = vqmovn_s32(vshrq_n_s32(a, MP_PIXEL_PRECISION));
    int16x4_t high = vqmovn_s32(vshrq_n_s32(b, MP_PIXEL_PRECISION));
    return vqmovun_s16(vcombine_s16(low, high));
}

static void column(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out)
{
    size_t i = 0;
    for (; i + AT_ONCE <= n; i += AT_ONCE) {
        int32x4_t a = vdupq_n_s32(MP_PIXEL_HALF), b = a, c = a, d = a;
        const uint8_t *p = in + i;
        for (int k = 0; k < t->n; k++, p += stride) {
            uint8x16_t bytes = vld1q_u8(p);
            uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_high_u8(bytes);
            a = add_four(a, vget_low_u16(low), t->weight[k]);
            b = add_four(b, vget_high_u16(low), t->weight[k]);
            c = add_four(c, vget_low_u16(high), t->weight[k]);
            d = add_four(d, vget_high_u16(high), t->weight[k]);
        }
        vst1q_u8(out + i, vcombine_u8(narrow(a, b), narrow(c, d)));
    }
    if (i < n)
        mp_pixel_scalar.column(in + i, stride, t, n - i, out + i);
}

const mp_pixel_kernels mp_pixel_neon = {row_rgb, row_grey, NULL, column};
#endif
