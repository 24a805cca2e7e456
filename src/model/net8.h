/* net8.h - a chain of convolutions of the EfficientNet-Lite kind with 8-bit products.
 *
 * The chain is a stem (any kernel, ReLU6), then blocks of [1 x 1 with ReLU6], depthwise with ReLU6
 * and 1 x 1, perhaps added to what came in, and a last 1 x 1 with ReLU6. The 1 x 1 convolutions are
 * products of codes (simd/dense8.h): weights on a scale per output, pixels on a scale of their own,
 * and what left a ReLU6 on the known scale of 0 to 6. The stem, the depthwise convolutions and all
 * sums are f32. This keeps the last features' cosine with f32 above 0.99 (tests/golden/lite).
 *
 * Large pictures go through a block row by row, so that what is wide never leaves the cache; small
 * ones step by step. One run at a time per net; a team may help with it. */
#ifndef MP_NET8_H
#define MP_NET8_H

#include "model/dnnl_conv.h"
#include "model/team.h"

typedef struct mp_net8 mp_net8; /* opaque */
/* As mp_net_open of dnnl_conv.h. Errors: INVALID (another kind of chain), NOMEM. */
MP_CHECK mp_err mp_net8_open(mp_net8 **out, const mp_conv_spec *layers, int n, const mp_net8 *like,
                             mp_why *why);
void mp_net8_close(mp_net8 *net); /* NULL allowed */
/* Runs all blocks up to that of layer `upto` - 1, which ends one. Input: side x side x channels. */
MP_CHECK mp_err mp_net8_run(mp_net8 *net, const float *input, int upto, mp_team *team, mp_why *why);
/* The output of the layer that ran last, or of a block that is kept. */
MP_CHECK mp_err mp_net8_read(const mp_net8 *net, int layer, float *to, mp_why *why);

#endif
