/* effnet.h - EfficientNet-Lite0 (Tan & Le, arXiv 1905.11946; the Lite variant has neither
 * squeeze-excite nor swish). A net is for one thread at a time; several share the weights of the
 * first. Features lie pixel by pixel, channels innermost. */
#ifndef MP_EFFNET_H
#define MP_EFFNET_H

#include "model/linear.h"
#include "model/safetensors.h"
#include "model/team.h"

enum {
    EFFNET_SIDE = 224,
    EFFNET_FEATURES = 1280,
    EFFNET_CLASSES = 1000,
    EFFNET_GRID = 7,    /* of the last features */
    EFFNET_MID_A = 40,  /* channels of block 4, grid 28 */
    EFFNET_MID_B = 112, /* channels of block 10, grid 14 */
    EFFNET_MID_A_GRID = 28,
    EFFNET_MID_B_GRID = 14,
    EFFNET_LAYERS = 49
};

typedef struct mp_effnet mp_effnet; /* opaque */
/* like: NULL, or an open net of the same precision whose weights are shared and which is closed
 * later than this one. */
MP_CHECK mp_err mp_effnet_open(mp_effnet **out, mp_tensors *weights, const mp_effnet *like,
                               mp_precision precision, mp_why *why);
void mp_effnet_close(mp_effnet *net); /* NULL allowed */
/* px: 224 x 224 RGB. features: 7 x 7 x 1280. Input scale: (x - 127) / 128. team: helps
 * with 8-bit products (NULL: alone). */
MP_CHECK mp_err mp_effnet_features(mp_effnet *net, const uint8_t *px, mp_team *team,
                                   float *features, mp_why *why);
/* Outputs of blocks 4 (28 x 28 x 40) and 10 (14 x 14 x 112), with the input on the picture's own
 * scale: mean 0 and deviation 1, but a deviation below 8 levels counts as 8. */
MP_CHECK mp_err mp_effnet_middle(mp_effnet *net, const uint8_t *px, float *a, float *b,
                                 mp_why *why);
/* Runs ready input (224 x 224 x 3) up to any layer and reads its output: for tests, f32 alone. */
MP_CHECK mp_err mp_effnet_probe(mp_effnet *net, const float *input, int layer, float *to,
                                int *channels, int *side, mp_why *why);

#endif
