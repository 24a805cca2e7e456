/* neon.h - what the kernels for 64-bit ARM processors share: the ends of rows, SDOT, which adds up
 * products of signed bytes by fours, half precision, and the sums under dense8.h and pairs8.h. For
 * src/simd alone. */
#ifndef MP_NEON_H
#define MP_NEON_H

#include "simd/cpu.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#if defined(__clang__)
#define MP_TARGET_DOTPROD __attribute__((target("dotprod")))
#else
#define MP_TARGET_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

/* By their name, because compilers that are still about (Clang 14) have the intrinsics only where
 * the whole file is for such processors. */
#define MP_SDOT(sum, a, b) __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b))
/* By one group of four of b. */
#define MP_SDOT_LANE(sum, a, b, lane)                                                              \
    __asm__("sdot %0.4s, %1.16b, %2.4b[" #lane "]" : "+w"(sum) : "w"(a), "w"(b))

/* Bytes that are stored with an offset of 128, as signed ones: one bit of each. */
static inline int8x16_t mp_signed(uint8x16_t bytes)
{
    return vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(128)));
}

/* The `left` floats that remain of a row, at most four of them; the rest of the register is 0. */
static inline float32x4_t mp_load_some(const float *from, size_t left)
{
    float32x4_t v = vdupq_n_f32(0);
    if (left >= 4)
        return vld1q_f32(from);
    if (left > 0)
        v = vld1q_lane_f32(from, v, 0);
    if (left > 1)
        v = vld1q_lane_f32(from + 1, v, 1);
    return left > 2 ? vld1q_lane_f32(from + 2, v, 2) : v;
}

static inline void mp_store_some(float *to, size_t left, float32x4_t v)
{
    if (left >= 4) {
        vst1q_f32(to, v);
        return;
    }
    if (left > 0)
        vst1q_lane_f32(to, v, 0);
    if (left > 1)
        vst1q_lane_f32(to + 1, v, 1);
    if (left > 2)
        vst1q_lane_f32(to + 2, v, 2);
}

/* GCC would load all that a loop reads before the first product, and put the sums out of the
 * registers for that: nothing is loaded before this that is written after it. */
#define MP_LOADS_STAY __asm__ volatile("" ::: "memory")

/* To half precision and back, by fours; return how many they did of n. */
size_t mp_to_half_neon(const float *from, size_t n, uint16_t *to);
size_t mp_from_half_neon(const uint16_t *from, size_t n, float *to);

/* ---- sums of byte products: sums8_neon.c ---- */

enum { MP_SUMS8_MOST = 5, MP_SUMS8_WIDTH = 16 };

/* Rows of unsigned bytes against half a panel of signed codes, packed[depth / 4][MP_PANEL][4]. */
typedef struct mp_sums8 {
    const uint8_t *row;
    size_t stride; /* from row to row */
    const int8_t *codes;
    size_t depth; /* a multiple of four */
} mp_sums8;

typedef struct mp_sums8_kernels {
    size_t most; /* rows at once, at most MP_SUMS8_MOST */
    /* out[r][c] = sum of (row[r][i] - 128) * code[c][i] for 1 to `most` rows. Codes lie in
     * -127..127. */
    void (*sums)(const mp_sums8 *t, size_t rows, int32_t (*out)[MP_SUMS8_WIDTH]);
} mp_sums8_kernels;

extern const mp_sums8_kernels mp_sums8_neon, mp_sums8_dotprod;
#endif
#endif
