/* half.c - IEEE half precision by integer arithmetic, for every processor; ARM's own conversions do
 * what comes by fours. See distance.h. */
#include "simd/distance.h"
#include "simd/neon.h"

#include <string.h>

/* To the nearest, ties to even. What is too large becomes infinite; subnormals are kept. */
static uint16_t half_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7FFFFFFF;
    if (size > 0x7F800000)
        return (uint16_t)(sign | 0x7E00); /* not a number */
    if (size >= 0x477FF000)
        return (uint16_t)(sign | 0x7C00);
    if (size < 0x38800000) { /* below 2^-14: adding 2^-1 makes the sum's last bit 2^-24 */
        static const float half = 0.5f;
        float sum;
        memcpy(&sum, &size, sizeof sum);
        sum += half;
        memcpy(&size, &sum, sizeof size);
        return (uint16_t)(sign | (size - 0x3F000000));
    }
    size += 0xFFF + (size >> 13 & 1); /* half a unit of the last place that stays */
    return (uint16_t)(sign | ((size - 0x38000000) >> 13));
}

static float float_of(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, size = h & 0x7FFFu, bits;
    float x;
    if (size >= 0x7C00) {
        bits = sign | 0x7F800000 | (size & 0x3FF) << 13;
    } else if (size >= 0x400) {
        bits = sign | ((size << 13) + 0x38000000);
    } else {
        float tiny = (float)size * 0x1p-24f;
        memcpy(&bits, &tiny, sizeof bits);
        bits |= sign;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

void mp_to_half(const float *from, size_t n, uint16_t *to)
{
    size_t i = 0;
#if defined(__aarch64__)
    i = mp_to_half_neon(from, n, to);
#endif
    for (; i < n; i++)
        to[i] = half_of(from[i]);
}

void mp_from_half(const uint16_t *from, size_t n, float *to)
{
    size_t i = 0;
#if defined(__aarch64__)
    i = mp_from_half_neon(from, n, to);
#endif
    for (; i < n; i++)
        to[i] = float_of(from[i]);
}

float mp_dot_half_scalar(const float *a, const uint16_t *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * float_of(b[i]);
    return sum;
}
