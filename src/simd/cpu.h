/* cpu.h - which instruction set the kernels use: found once, the same for the whole process. */
#ifndef MP_CPU_H
#define MP_CPU_H

#include "base/base.h"

/* Before a loop of constant length whose array must live in registers. */
#define MP_UNROLL _Pragma("GCC unroll 16")

typedef enum mp_isa { MP_ISA_SCALAR, MP_ISA_NEON, MP_ISA_AVX2, MP_ISA_AVX512 } mp_isa;

/* The best set that the processor and the operating system (saved registers) support and this
 * build has kernels for. AVX2 means AVX2 + FMA + F16C; AVX512 means F, BW, DQ, VL.
 * MAGPIE_SIMD=scalar|neon|avx2|avx512 lowers it (a set that is not there is ignored). Any thread.
 */
mp_isa mp_simd_isa(void);
#if defined(__aarch64__)
/* Whether this processor adds up products of bytes by fours (SDOT), which NEON need not have. */
bool mp_has_dotprod(void);
#endif
const char *mp_isa_word(mp_isa isa);

#endif
