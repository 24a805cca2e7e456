/* rows_neon.c - four lanes; the ends of rows are loaded and stored float by float. See rows.h. */
#include "simd/rows.h"
#include "simd/neon.h"

#if defined(__aarch64__)
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 4 };

/* v where there are floats, `other` behind the end. */
INLINE float32x4_t select_some(float32x4_t v, size_t left, float other)
{
    const uint32x4_t lane = {0, 1, 2, 3};
    uint32x4_t there = vcltq_u32(lane, vdupq_n_u32((uint32_t)MP_MIN(left, (size_t)LANES)));
    return vbslq_f32(there, v, vdupq_n_f32(other));
}

/* 2^f by a polynomial for |f| <= 1/2 (its largest relative error is 8e-8), 2^n by the exponent. */
INLINE float32x4_t exp_of(float32x4_t x)
{
    float32x4_t z = vmulq_n_f32(x, 1.44269504f);
    z = vminq_f32(vmaxq_f32(z, vdupq_n_f32(-126)), vdupq_n_f32(126));
    float32x4_t n = vrndnq_f32(z), f = vsubq_f32(z, n), p = vdupq_n_f32(0.000154035304f);
    p = vfmaq_f32(vdupq_n_f32(0.00133335581f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0.00961812911f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0.0555041087f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0.240226507f), p, f);
    p = vfmaq_f32(vdupq_n_f32(0.693147181f), p, f);
    p = vfmaq_f32(vdupq_n_f32(1), p, f);
    int32x4_t bits = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(bits, 23)));
}

static void norm_row(const float *x, size_t n, const float *gamma, const float *beta, float eps,
                     float *y)
{
    float32x4_t sum = vdupq_n_f32(0), square = sum;
    for (size_t i = 0; i < n; i += LANES)
        sum = vaddq_f32(sum, mp_load_some(x + i, n - i));
    float32x4_t mean = vdupq_n_f32(vaddvq_f32(sum) / (float)n);
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t v = vsubq_f32(mp_load_some(x + i, n - i), mean);
        v = select_some(v, n - i, 0);
        square = vfmaq_f32(square, v, v);
    }
    float32x4_t scale = vdupq_n_f32(1 / sqrtf(vaddvq_f32(square) / (float)n + eps));
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t v = vmulq_f32(vsubq_f32(mp_load_some(x + i, n - i), mean), scale);
        v = vfmaq_f32(mp_load_some(beta + i, n - i), v, mp_load_some(gamma + i, n - i));
        mp_store_some(y + i, n - i, v);
    }
}

static void norm(const float *x, size_t m, size_t n, size_t x_stride, const float *gamma,
                 const float *beta, float eps, float *y, size_t y_stride)
{
    for (size_t r = 0; r < m; r++)
        norm_row(x + r * x_stride, n, gamma, beta, eps, y + r * y_stride);
}

static void softmax_row(float *x, size_t n, float scale)
{
    float32x4_t top = vdupq_n_f32(-INFINITY), sum = vdupq_n_f32(0);
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t v = vmulq_n_f32(mp_load_some(x + i, n - i), scale);
        top = vmaxq_f32(top, select_some(v, n - i, -INFINITY));
    }
    float32x4_t below = vdupq_n_f32(-vmaxvq_f32(top));
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t v = exp_of(vfmaq_n_f32(below, mp_load_some(x + i, n - i), scale));
        sum = vaddq_f32(sum, select_some(v, n - i, 0));
        mp_store_some(x + i, n - i, v);
    }
    float by = 1 / vaddvq_f32(sum);
    for (size_t i = 0; i < n; i += LANES)
        mp_store_some(x + i, n - i, vmulq_n_f32(mp_load_some(x + i, n - i), by));
}

static void softmax(float *x, size_t m, size_t n, size_t stride, float scale)
{
    for (size_t r = 0; r < m; r++)
        softmax_row(x + r * stride, n, scale);
}

/* erf by Abramowitz and Stegun 7.1.26, within 1.5e-7; of |x|, the sign put back. */
INLINE float32x4_t erf_of(float32x4_t x)
{
    const float32x4_t one = vdupq_n_f32(1);
    const uint32x4_t sign = vdupq_n_u32(0x80000000);
    float32x4_t a = vabsq_f32(x), t = vdivq_f32(one, vfmaq_n_f32(one, a, 0.3275911f));
    float32x4_t p = vfmaq_n_f32(vdupq_n_f32(-1.453152027f), t, 1.061405429f);
    p = vfmaq_f32(vdupq_n_f32(1.421413741f), p, t);
    p = vfmaq_f32(vdupq_n_f32(-0.284496736f), p, t);
    p = vfmaq_f32(vdupq_n_f32(0.254829592f), p, t);
    float32x4_t erf = vfmsq_f32(one, vmulq_f32(p, t), exp_of(vmulq_f32(vnegq_f32(a), a)));
    return vbslq_f32(sign, x, erf);
}

static void gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            float32x4_t v = mp_load_some(x + i, n - i), half = vmulq_n_f32(v, 0.5f);
            v = vfmaq_f32(half, half, erf_of(vmulq_n_f32(v, 0.707106781f)));
            mp_store_some(x + i, n - i, v);
        }
}

static void quick_gelu(float *x, size_t m, size_t n, size_t stride)
{
    for (size_t r = 0; r < m; r++, x += stride)
        for (size_t i = 0; i < n; i += LANES) {
            float32x4_t v = mp_load_some(x + i, n - i), e = exp_of(vmulq_n_f32(v, -1.702f));
            mp_store_some(x + i, n - i, vdivq_f32(v, vaddq_f32(e, vdupq_n_f32(1))));
        }
}

const mp_rows_kernels mp_rows_neon = {"neon", norm, softmax, gelu, quick_gelu};
#endif
