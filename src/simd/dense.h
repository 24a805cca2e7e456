/* dense.h - a few rows times a constant matrix: what a short text costs a language model.
 *
 * Libraries pack the matrix anew for each product, which for a few rows takes longer than the
 * product. Here it is packed once, into panels of MP_PANEL outputs that lie as they are read:
 * packed[panel][k][MP_PANEL]; the last panel is padded with zeros. f32 throughout. Sums are ordered
 * alike in all sets but for fused multiply-adds: they agree within 1e-6 * k relative to the sum of
 * absolute products (tested). Any thread. */
#ifndef MP_DENSE_H
#define MP_DENSE_H

#include "simd/cpu.h"

enum { MP_PANEL = 32 };

/* How many floats the packed matrix takes. */
static inline size_t mp_dense_packed(size_t n, size_t k)
{
    return (n + MP_PANEL - 1) / MP_PANEL * MP_PANEL * k;
}
/* w: n x k. packed: 64-byte aligned room for mp_dense_packed(n, k). */
void mp_dense_pack(const float *w, size_t n, size_t k, float *packed);

typedef struct mp_dense_kernels {
    const char *word;
    /* y (m x n, rows y_stride apart) = x (m x k, dense) times the packed n x k matrix, transposed,
     * plus bias (n, or NULL). Reads x only within its m rows. */
    void (*multiply)(const float *x, size_t m, size_t k, const float *packed, size_t n,
                     const float *bias, float *y, size_t y_stride);
} mp_dense_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_dense_kernels *mp_dense_for(mp_isa isa);

extern const mp_dense_kernels mp_dense_scalar;
#if defined(__x86_64__)
extern const mp_dense_kernels mp_dense_avx2, mp_dense_avx512;
#endif

#endif
