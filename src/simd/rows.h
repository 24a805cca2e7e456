/* rows.h - what transformers do to rows between their matrix products: layer normalisation (Ba et
 * al., arXiv 1607.06450), softmax, and the two forms of GELU (Hendrycks and Gimpel, arXiv
 * 1606.08415; `quick` is x sigmoid(1.702 x), with which CLIP was trained).
 *
 * All work on m rows of n floats that lie `stride` apart; any alignment, any n. The vector sets use
 * polynomials for exp and erf: they agree with the scalar set, which uses the C library, within
 * 2e-6 of the largest value of a row, GELU within 2e-7 of the largest that goes in (tested). Any
 * thread. */
#ifndef MP_ROWS_H
#define MP_ROWS_H

#include "simd/cpu.h"

typedef struct mp_rows_kernels {
    const char *word;
    /* y = (x - mean) / sqrt(variance + eps) * gamma + beta; y may be x. */
    void (*norm)(const float *x, size_t m, size_t n, size_t x_stride, const float *gamma,
                 const float *beta, float eps, float *y, size_t y_stride);
    /* In place; each row is multiplied by scale first. */
    void (*softmax)(float *x, size_t m, size_t n, size_t stride, float scale);
    void (*gelu)(float *x, size_t m, size_t n, size_t stride);
    void (*quick_gelu)(float *x, size_t m, size_t n, size_t stride);
} mp_rows_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_rows_kernels *mp_rows_for(mp_isa isa);

extern const mp_rows_kernels mp_rows_scalar;
#if defined(__x86_64__)
extern const mp_rows_kernels mp_rows_avx2, mp_rows_avx512;
#elif defined(__aarch64__)
extern const mp_rows_kernels mp_rows_neon;
#endif

#endif
