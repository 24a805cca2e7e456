/* sums8_neon.c - sums of byte products for dense8.h and pairs8.h: up to five rows by half a panel
 * with SDOT, up to two without; the sums stay in registers.
 *
 * ARM multiplies bytes of like signs, so 128 is taken off the rows' bytes. They are then -128..127,
 * the codes -127..127: two products fit 16 bits. See neon.h. */
#include "simd/dense8.h"
#include "simd/neon.h"

#if defined(__aarch64__)
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    GROUP = MP_DENSE8_GROUP,
    STEP = MP_PANEL * GROUP,
    PARTS = MP_SUMS8_WIDTH / 4, /* registers of four sums */
    ROWS = 2,
    ROWS_DOTPROD = MP_SUMS8_MOST
};

/* Four codes of a row, four times. */
INLINE int8x16_t four_of(const mp_sums8 *t, int r, size_t i)
{
    uint32_t four;
    memcpy(&four, t->row + (size_t)r * t->stride + i, sizeof four);
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

/* Two groups of the half panel, or the last one alone. */
INLINE void add_groups(const mp_sums8 *t, int rows, size_t i, bool two,
                       int32x4_t sum[ROWS][PARTS][2])
{
    const int8_t *w = t->codes + i / GROUP * STEP;
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
INLINE void half_panel(const mp_sums8 *t, int rows, int32_t (*out)[MP_SUMS8_WIDTH])
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
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        vst1q_s32(out[r] + p * 4, vpaddq_s32(sum[r][p][0], sum[r][p][1]));
}

static void sums(const mp_sums8 *t, size_t rows, int32_t (*out)[MP_SUMS8_WIDTH])
{
    if (rows == 1)
        half_panel(t, 1, out);
    else
        half_panel(t, 2, out);
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

MP_TARGET_DOTPROD INLINE void half_panel_dotprod(const mp_sums8 *t, int rows,
                                                 int32_t (*out)[MP_SUMS8_WIDTH])
{
    int32x4_t sum[ROWS_DOTPROD][PARTS];
    int8x16_t q[ROWS_DOTPROD];
    const int8_t *w = t->codes;
    size_t i = 0;
    MP_UNROLL
    for (int r = 0; r < rows; r++)
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        sum[r][p] = vdupq_n_s32(0);
    for (; i + 4 * GROUP <= t->depth; i += 4 * GROUP) {
        MP_UNROLL
        for (int r = 0; r < rows; r++)
            q[r] = mp_signed(vld1q_u8(t->row + (size_t)r * t->stride + i));
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
        MP_UNROLL
    for (int p = 0; p < PARTS; p++)
        vst1q_s32(out[r] + p * 4, sum[r][p]);
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        half_panel_dotprod(t, rows, out);                                                          \
        break;

MP_TARGET_DOTPROD static void sums_dotprod(const mp_sums8 *t, size_t rows,
                                           int32_t (*out)[MP_SUMS8_WIDTH])
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
    }
}

const mp_sums8_kernels mp_sums8_neon = {ROWS, sums};
const mp_sums8_kernels mp_sums8_dotprod = {ROWS_DOTPROD, sums_dotprod};
#endif
