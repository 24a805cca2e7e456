/* dnnl_conv.h - a chain of convolutions on oneDNN's C API, versions 2 and 3.
 *
 * Layouts are oneDNN's choice (format any); weights are reordered once. A net is built for one
 * picture at a time: callers that want more cores run several nets side by side. One thread per net
 * at a time; the engine and the reordered weights are shared. */
#ifndef MP_DNNL_CONV_H
#define MP_DNNL_CONV_H

#include "base/base.h"

typedef struct mp_conv_spec {
    int in, out, side;       /* channels; side of the square input */
    int kernel, stride;      /* padding as TensorFlow's SAME */
    bool depthwise;          /* in == out */
    bool relu6;              /* fused clip to 0..6 */
    int add_from;            /* adds the output of that earlier layer (fused sum); -1: none */
    const float *weights;    /* out x in/groups x kernel x kernel */
    const float *bias;       /* out */
} mp_conv_spec;

typedef struct mp_net mp_net; /* opaque */
/* Weights may be freed once it is open. Errors: INTERNAL (oneDNN), NOMEM. */
MP_CHECK mp_err mp_net_open(mp_net **out, const mp_conv_spec *layers, int n, mp_why *why);
void mp_net_close(mp_net *net); /* NULL allowed */
/* Input: channels x side x side, planar. */
MP_CHECK mp_err mp_net_run(mp_net *net, const float *input, int upto, mp_why *why);
/* A layer's output as planar floats, valid until the next run; to holds out x side x side. */
MP_CHECK mp_err mp_net_read(mp_net *net, int layer, float *to, mp_why *why);

/* C = A B' + bias: row-major, A m x k, B n x k, C m x n. One thread. */
MP_CHECK mp_err mp_gemm_nt(int m, int n, int k, const float *a, const float *b, const float *bias,
                           float *c, mp_why *why);

#endif
