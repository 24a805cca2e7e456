/* dnnl_conv.h - a chain of convolutions on oneDNN's C API, versions 2 and 3.
 *
 * Layouts inside are oneDNN's choice (format any); weights are reordered once; pictures go in and
 * come out with the channels innermost. A net is built for one picture at a time: callers that want
 * more cores run several nets side by side, which share the weights of the first. One thread per
 * net at a time. */
#ifndef MP_DNNL_CONV_H
#define MP_DNNL_CONV_H

#include "base/base.h"

typedef struct mp_conv_spec {
    int in, out, side;    /* channels; side of the square input */
    int kernel, stride;   /* padding as TensorFlow's SAME */
    bool depthwise;       /* in == out */
    bool relu6;           /* fused clip to 0..6 */
    bool keep;            /* the output can be read after later layers have run */
    int add_from;         /* adds the output of that earlier layer (fused sum), which no later layer
                             may read and which is not kept; -1: none */
    const float *weights; /* out x in/groups x kernel x kernel */
    const float *bias;    /* out */
    const float *expected; /* in: means of what comes in, or NULL; net8.h makes use of them */
} mp_conv_spec;

typedef struct mp_net mp_net; /* opaque */
/* like: NULL, or an open net of the same specs, whose weights are used (those in `layers` are not
 * looked at) and which must be closed later than this one. The specs' weights may be freed once it
 * is open. Errors: INTERNAL (oneDNN), NOMEM. */
MP_CHECK mp_err mp_net_open(mp_net **out, const mp_conv_spec *layers, int n, const mp_net *like,
                            mp_why *why);
void mp_net_close(mp_net *net); /* NULL allowed */
/* Runs the first `upto` layers. Input: side x side x channels. */
MP_CHECK mp_err mp_net_run(mp_net *net, const float *input, int upto, mp_why *why);
/* The output of the layer that ran last or is kept: to holds side x side x out. */
MP_CHECK mp_err mp_net_read(mp_net *net, int layer, float *to, mp_why *why);

#endif
