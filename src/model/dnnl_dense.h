/* dnnl_dense.h - matrix products and GELU on oneDNN. Any thread; each call runs on the cores that
 * the calling thread's OpenMP setting allows. */
#ifndef MP_DNNL_DENSE_H
#define MP_DNNL_DENSE_H

#include "base/base.h"

/* C = alpha A B + beta C, or A B' with `transposed`. Row-major: A m x k, C m x n, with row strides.
 */
typedef struct mp_product {
    const float *a, *b;
    float *c;
    int m, n, k;
    int a_stride, b_stride, c_stride;
    bool transposed;
    float alpha, beta;
} mp_product;
MP_CHECK mp_err mp_multiply(const mp_product *p, mp_why *why);

/* C = A W' + bias, all dense: A m x k, W n x k, C m x n; bias may be NULL. */
MP_CHECK mp_err mp_dense(int m, int n, int k, const float *a, const float *w, const float *bias,
                         float *c, mp_why *why);

/* GELU by the error function, in place, on rows of a fixed length. */
typedef struct mp_gelu mp_gelu; /* opaque */
MP_CHECK mp_err mp_gelu_open(mp_gelu **out, int row, mp_why *why);
void mp_gelu_close(mp_gelu *g); /* NULL allowed */
MP_CHECK mp_err mp_gelu_run(const mp_gelu *g, float *x, int rows, mp_why *why);

#endif
