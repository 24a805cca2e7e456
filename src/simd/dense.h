/* dense.h - rows times a constant matrix: what transformers spend their time on.
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
/* w: n x k, rows w_stride apart. packed: 64-byte aligned room for mp_dense_packed(n, k). By the
 * best set of the processor. */
void mp_dense_pack(const float *w, size_t n, size_t k, size_t w_stride, float *packed);
/* The same from the transposed matrix: w is k x n. */
void mp_dense_pack_across(const float *w, size_t n, size_t k, size_t w_stride, float *packed);

typedef struct mp_matrix {
    const float *packed;
    size_t n, k;
} mp_matrix;

/* What becomes of a product's outputs. */
typedef struct mp_dense_out {
    float *y; /* rows y_stride apart */
    size_t y_stride;
    const float *bias; /* of every output, or NULL */
    bool add;          /* to what y holds */
    bool relu6;        /* clipped to 0..6 at the end */
} mp_dense_out;

typedef struct mp_dense_kernels {
    const char *word;
    void (*pack)(const float *w, size_t n, size_t k, size_t w_stride, float *packed);
    /* Outputs [from, to) of x (m x k, rows x_stride apart) times w, transposed. from is a multiple
     * of MP_PANEL, to too or n. Reads x only within its m rows. Strides that are a multiple of 4096
     * bytes fall on the same lines of the first cache: avoid them. */
    void (*multiply)(const float *x, size_t m, size_t x_stride, const mp_matrix *w, size_t from,
                     size_t to, const mp_dense_out *out);
} mp_dense_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_dense_kernels *mp_dense_for(mp_isa isa);

extern const mp_dense_kernels mp_dense_scalar;
#if defined(__x86_64__)
extern const mp_dense_kernels mp_dense_avx2, mp_dense_avx512;
/* Eight lanes are enough for it. */
void mp_dense_pack_avx2(const float *w, size_t n, size_t k, size_t w_stride, float *packed);
#elif defined(__aarch64__)
extern const mp_dense_kernels mp_dense_neon;
#endif

#endif
