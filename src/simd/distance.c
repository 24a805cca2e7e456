/* distance.c - the scalar reference, the choice of a set, and the coding. See distance.h. */
#include "simd/distance.h"

#include <math.h>

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void dot_codes(const int8_t *query, const uint8_t *const *rows, size_t n_rows, size_t n,
                      int32_t *out)
{
    for (size_t r = 0; r < n_rows; r++) {
        int32_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += rows[r][i] * query[i];
        out[r] = sum;
    }
}

const mp_distance_kernels mp_distance_scalar = {"scalar", dot, mp_dot_half_scalar, dot_codes};

const mp_distance_kernels *mp_distance_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return __builtin_cpu_supports("avx512vnni") ? &mp_distance_vnni : &mp_distance_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_distance_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return mp_has_dotprod() ? &mp_distance_dotprod : &mp_distance_neon;
#endif
    (void)isa;
    return &mp_distance_scalar;
}

mp_dot_fn mp_dot_for(mp_isa isa)
{
    return mp_distance_for(isa)->dot;
}

/* Independent lanes, so that the compiler may use vectors without being told that sums reorder. */
enum { LANES = 8 };

static double length_of(const float *v, size_t n)
{
    double lane[LANES] = {0}, square = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)v[i + k] * (double)v[i + k];
    for (; i < n; i++)
        square += (double)v[i] * (double)v[i];
    for (size_t k = 0; k < LANES; k++)
        square += lane[k];
    return sqrt(square);
}

bool mp_has_direction(const float *v, size_t n)
{
    double length = length_of(v, n);
    return length > 0 && isfinite(length);
}

bool mp_normalise(float *v, size_t n)
{
    double length = length_of(v, n);
    if (!(length > 0) || !isfinite(length))
        return false;
    for (size_t i = 0; i < n; i++)
        v[i] = (float)(v[i] / length);
    return true;
}

static float largest(const float *v, size_t n)
{
    float lane[LANES] = {0}, most = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float x = fabsf(v[i + k]);
            lane[k] = x > lane[k] ? x : lane[k];
        }
    for (; i < n; i++)
        most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
    for (size_t k = 0; k < LANES; k++)
        most = lane[k] > most ? lane[k] : most;
    return most;
}

static float rounded_code(float x, float inverse)
{
    float scaled = x * inverse;
    return (float)(int)(scaled + (scaled < 0 ? -0.5f : 0.5f));
}

/* Codes a whole group of lanes and adds up how far off they are. */
static void encode_lanes(const float *v, float inverse, float scale, int8_t *code, float *lane)
{
    for (size_t k = 0; k < LANES; k++) {
        float c = rounded_code(v[k], inverse), off = v[k] - c * scale;
        code[k] = (int8_t)c;
        lane[k] += off * off;
    }
}

float mp_encode(const float *v, size_t n, size_t padded, int8_t *code, float *error)
{
    float most = largest(v, n), scale = most / 127, inverse = most > 0 ? 127 / most : 0;
    float lane[LANES] = {0}, square = 0;
    size_t i = 0;
    if (!isfinite(inverse)) /* a subnormal vector: nothing that has been normalised */
        scale = inverse = 0;
    for (; i + LANES <= n; i += LANES)
        encode_lanes(v + i, inverse, scale, code + i, lane);
    for (; i < n; i++) {
        float c = rounded_code(v[i], inverse), off = v[i] - c * scale;
        code[i] = (int8_t)c;
        square += off * off;
    }
    for (; i < padded; i++)
        code[i] = 0;
    for (size_t k = 0; k < LANES; k++)
        square += lane[k];
    *error = sqrtf(square);
    return scale;
}
