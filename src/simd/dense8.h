/* dense8.h - rows of 8-bit numbers times a constant 8-bit matrix: a quarter of f32's memory, and
 * several times its speed where the processor multiplies bytes (VNNI).
 *
 * The matrix w (n outputs x k inputs) is stored per output: w = scale * code, |code| <= 127. A row
 * x of inputs is stored on its own scale with its own zero: x = scale * (code - zero), codes 0 to
 * `top`, so that what is never negative (after GELU: hardly ever) does not waste half of them. Then
 * x . w = scale * scale * (sum(code * code) - zero * sum(w's codes)), and the sums of w's codes are
 * made once. Dynamic quantisation, as in Jacob et al., arXiv 1712.05877, with a scale per row.
 *
 * Codes are packed into panels of MP_PANEL outputs in groups of four inputs, packed[panel][k / 4]
 * [MP_PANEL][4]: what one multiply-add takes lies together. k is padded to a multiple of four with
 * zero codes. Sums are whole numbers: all sets that have the same `top` agree to the rounding of
 * the last f32 steps. Any thread. */
#ifndef MP_DENSE8_H
#define MP_DENSE8_H

#include "simd/dense.h"

enum { MP_DENSE8_GROUP = 4 };

static inline size_t mp_dense8_depth(size_t k)
{
    return (k + MP_DENSE8_GROUP - 1) / MP_DENSE8_GROUP * MP_DENSE8_GROUP;
}
/* Bytes of the packed codes, and how many outputs they are padded to. */
static inline size_t mp_dense8_width(size_t n)
{
    return (n + MP_PANEL - 1) / MP_PANEL * MP_PANEL;
}
static inline size_t mp_dense8_packed(size_t n, size_t k)
{
    return mp_dense8_width(n) * mp_dense8_depth(k);
}

/* A packed matrix; all arrays are the caller's. scale and sum have mp_dense8_width(n) entries. */
typedef struct mp_matrix8 {
    const int8_t *packed; /* 64-byte aligned, mp_dense8_packed(n, k) bytes */
    const float *scale;
    const int32_t *sum; /* of an output's codes */
    size_t n, k;
} mp_matrix8;
/* w: n x k finite floats. */
void mp_dense8_pack(const float *w, size_t n, size_t k, int8_t *packed, float *scale, int32_t *sum);

/* How a row's codes are meant. */
typedef struct mp_row8 {
    float scale;
    int32_t zero;
} mp_row8;

typedef struct mp_dense8_kernels {
    const char *word;
    int top; /* 255, or 127 where the products of full bytes could overflow */
    /* m rows of k floats, x_stride apart, to codes; q_stride is at least mp_dense8_depth(k), the
     * padding becomes 0. Floats must be finite. */
    void (*quantise)(const float *x, size_t m, size_t k, size_t x_stride, uint8_t *q,
                     size_t q_stride, mp_row8 *rows);
    /* Outputs [from, to) of x w', in f32. from is a multiple of MP_PANEL, to too or n. */
    void (*multiply)(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                     const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out);
} mp_dense8_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_dense8_kernels *mp_dense8_for(mp_isa isa);

extern const mp_dense8_kernels mp_dense8_scalar;
#if defined(__x86_64__)
extern const mp_dense8_kernels mp_dense8_avx2, mp_dense8_vnni;
#elif defined(__aarch64__)
extern const mp_dense8_kernels mp_dense8_neon, mp_dense8_dotprod;
#endif

#endif
