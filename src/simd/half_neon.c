/* half_neon.c - half precision by the processor's own conversions, which every 64-bit ARM processor
 * has: they round as half.c does. See neon.h. */
#include "simd/neon.h"

#if defined(__aarch64__)

size_t mp_to_half_neon(const float *from, size_t n, uint16_t *to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
    return i;
}

size_t mp_from_half_neon(const uint16_t *from, size_t n, float *to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
    return i;
}
#endif
