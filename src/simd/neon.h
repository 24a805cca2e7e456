/* neon.h - what the kernels for 64-bit ARM processors share: SDOT, which adds up products of signed
 * bytes by fours. For src/simd alone. */
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
#endif
#endif
