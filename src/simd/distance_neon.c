/* distance_neon.c - what every 64-bit ARM processor has. See distance.h. */
#include "simd/distance.h"

#if defined(__aarch64__)
#include <arm_neon.h>

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
    return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3))) +
           mp_dot_half_scalar(a + i, b + i, n - i);
}

static void dot_codes(const int8_t *query, const uint8_t *const *rows, size_t n_rows, size_t n,
                      int32_t *out)
{
    for (size_t r = 0; r < n_rows; r++) {
        int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
        for (size_t i = 0; i < n; i += 16) {
            uint8x16_t row = vld1q_u8(rows[r] + i);
            int8x16_t q = vld1q_s8(query + i);
            int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(row)));
            int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(row)));
            int16x8_t q_low = vmovl_s8(vget_low_s8(q)), q_high = vmovl_s8(vget_high_s8(q));
            s0 = vmlal_s16(s0, vget_low_s16(low), vget_low_s16(q_low));
            s1 = vmlal_s16(s1, vget_high_s16(low), vget_high_s16(q_low));
            s0 = vmlal_s16(s0, vget_low_s16(high), vget_low_s16(q_high));
            s1 = vmlal_s16(s1, vget_high_s16(high), vget_high_s16(q_high));
        }
        out[r] = vaddvq_s32(vaddq_s32(s0, s1));
    }
}

const mp_distance_kernels mp_distance_neon = {"neon", dot, dot_half, dot_codes};
#endif
