/* distance.h - dot products of f32 vectors, and of their 8-bit codes. Any thread.
 *
 * f32: any alignment, any length. The sums of the vector kernels are ordered differently from the
 * scalar one's: they agree within 4e-7 * n relative to the sum of absolute products (tested).
 *
 * f16: the second vector as IEEE half precision, widened on the way; the same sums.
 *
 * Codes: a vector v is stored as c = round(v / scale), |c| <= 127, with scale = max|v| / 127: a
 * quarter of the memory traffic of f32, which is what searching costs. The stored side is c + 128
 * as unsigned bytes, the query side c as signed ones, because that is the pair that the byte
 * multiply-add instructions take; sum((c + 128) * q) - 128 * sum(q) is the dot product of the
 * codes. Integer sums do not depend on order: all kernels agree bit for bit. */
#ifndef MP_DISTANCE_H
#define MP_DISTANCE_H

#include "simd/cpu.h"

typedef float (*mp_dot_fn)(const float *a, const float *b, size_t n);

enum { MP_CODE_GROUP = 64 }; /* coded vectors are padded to a multiple of this many bytes */

typedef struct mp_distance_kernels {
    const char *word; /* "scalar", "neon", "neon-dotprod", "avx2", "avx512", "avx512-vnni" */
    mp_dot_fn dot;
    float (*dot_half)(const float *a, const uint16_t *b, size_t n);
    /* out[i] = sum over rows[i][j] * query[j], j < n; n is a multiple of MP_CODE_GROUP and at most
     * 65536. Any alignment; rows that start on a cache line are quickest. */
    void (*dot_codes)(const int8_t *query, const uint8_t *const *rows, size_t n_rows, size_t n,
                      int32_t *out);
} mp_distance_kernels;

/* For an instruction set; falls back to scalar where there is none of its own. */
const mp_distance_kernels *mp_distance_for(mp_isa isa);
mp_dot_fn mp_dot_for(mp_isa isa);

/* v becomes v / |v|; false (and v untouched) when its length is zero or not finite. */
bool mp_normalise(float *v, size_t n);

/* Whether it would: finite, and not zero. */
bool mp_has_direction(const float *v, size_t n);

/* To half precision (nearest, ties to even; too large: infinite) and back. half.c */
void mp_to_half(const float *from, size_t n, uint16_t *to);
void mp_from_half(const uint16_t *from, size_t n, float *to);
float mp_dot_half_scalar(const float *a, const uint16_t *b, size_t n);

/* Codes n finite floats, n at most padded; code[n..padded) becomes 0. Returns the scale; *error
 * becomes the length of v - scale * code. */
float mp_encode(const float *v, size_t n, size_t padded, int8_t *code, float *error);

/* The sets themselves: distance.c, distance_avx2.c, distance_avx512.c, distance_neon.c. */
extern const mp_distance_kernels mp_distance_scalar;
#if defined(__x86_64__)
extern const mp_distance_kernels mp_distance_avx2, mp_distance_avx512, mp_distance_vnni;
#elif defined(__aarch64__)
extern const mp_distance_kernels mp_distance_neon, mp_distance_dotprod;
#endif

#endif
