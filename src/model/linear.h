/* linear.h - y = x w' + b with constant weights, in f32 or with 8-bit codes, for a team of threads.
 *
 * The weights are packed once (simd/dense.h, simd/dense8.h); rows are quantised one by one as they
 * come. Inside the model room. */
#ifndef MP_LINEAR_H
#define MP_LINEAR_H

#include "model/team.h"
#include "simd/dense8.h"

typedef enum mp_precision { MP_F32, MP_INT8 } mp_precision;

typedef struct mp_linear {
    size_t n, k;   /* outputs, inputs */
    float *packed; /* f32, or NULL */
    int8_t *codes; /* 8-bit, or NULL */
    float *scale, *bias;
    int32_t *sum;
    bool relu6; /* outputs are clipped to 0..6 */
} mp_linear;

/* Room for n outputs of k inputs; false when there is no memory (what there is, mp_linear_free
 * takes). The bias is zero. */
MP_CHECK bool mp_linear_make(mp_linear *l, size_t n, size_t k, mp_precision precision);
void mp_linear_free(mp_linear *l);
/* Outputs [at, at + n) from w (n x k) and b (n, or NULL); at is a multiple of MP_PANEL, and n too
 * unless it ends with the last. */
void mp_linear_fill(mp_linear *l, size_t at, size_t n, const float *w, const float *b);

/* Codes leave out a little of every weight; with inputs whose mean is not zero these errors add up
 * to a shift of the outputs. Adds what it is for inputs of these means (k) to the bias (Nagel et
 * al., arXiv 1906.04721); w as it was filled in. */
void mp_linear_correct(mp_linear *l, const float *w, const float *expected);

/* Rows as a product reads them: x in f32; codes beside it when the product has codes. */
typedef struct mp_rows_in {
    const float *x;
    size_t stride;
    uint8_t *code; /* rows x code_stride */
    size_t code_stride;
    mp_row8 *meant;
} mp_rows_in;
static inline size_t mp_linear_code_stride(size_t k)
{
    return (mp_dense8_depth(k) + 63) / 64 * 64 + 64; /* no multiple of a page */
}
/* Rows [from, to): makes their codes where the product has codes. */
void mp_linear_enter(const mp_linear *l, const mp_rows_in *in, size_t from, size_t to);
/* Outputs [from, to), whole panels but for the last, for all rows; with `add`, y += them. */
void mp_linear_multiply(const mp_linear *l, size_t from, size_t to, const mp_rows_in *in,
                        size_t rows, bool add, float *y, size_t y_stride);
/* The same by a team (NULL: alone). */
void mp_linear_multiply_by(const mp_linear *l, mp_team *team, size_t from, size_t to,
                           const mp_rows_in *in, size_t rows, bool add, float *y, size_t y_stride);
/* All outputs. */
void mp_linear_multiply_all(const mp_linear *l, mp_team *team, const mp_rows_in *in, size_t rows,
                            bool add, float *y, size_t y_stride);

/* All of it. Errors: NOMEM. */
MP_CHECK mp_err mp_linear_apply(const mp_linear *l, mp_team *team, const float *x, size_t rows,
                                size_t x_stride, float *y, size_t y_stride, mp_why *why);

#endif
