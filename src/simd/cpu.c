/* cpu.c - see cpu.h. __builtin_cpu_supports reads CPUID and XGETBV, so an operating system that
 * does not save the wide registers counts as lacking them. */
#include "simd/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {[MP_ISA_SCALAR] = "scalar",
                                    [MP_ISA_NEON] = "neon",
                                    [MP_ISA_AVX2] = "avx2",
                                    [MP_ISA_AVX512] = "avx512"};

const char *mp_isa_word(mp_isa isa)
{
    return words[isa];
}

#if defined(__x86_64__)
/* Clang's __builtin_cpu_supports does not know it; its registers are AVX's. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

#if defined(__aarch64__)
bool mp_has_dotprod(void)
{
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
}
#endif

static bool supported(mp_isa isa)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (isa == MP_ISA_AVX2)
        return avx2;
    if (isa == MP_ISA_AVX512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return true; /* part of the baseline */
#endif
    return isa == MP_ISA_SCALAR;
}

static mp_isa detect(void)
{
    const char *wanted = getenv("MAGPIE_SIMD");
    for (int isa = MP_ISA_AVX512; isa >= MP_ISA_SCALAR; isa--)
        if (wanted && strcmp(wanted, words[isa]) == 0 && supported((mp_isa)isa))
            return (mp_isa)isa;
    for (int isa = MP_ISA_AVX512; isa > MP_ISA_SCALAR; isa--)
        if (supported((mp_isa)isa))
            return (mp_isa)isa;
    return MP_ISA_SCALAR;
}

mp_isa mp_simd_isa(void)
{
    static _Atomic int cached = -1; /* a race finds the same answer twice */
    int isa = atomic_load_explicit(&cached, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)detect();
        atomic_store_explicit(&cached, isa, memory_order_relaxed);
    }
    return (mp_isa)isa;
}
