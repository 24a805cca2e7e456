/* clip_weights.h - CLIP's tensors by the names of two schools. Inside the model room. */
#ifndef MP_CLIP_WEIGHTS_H
#define MP_CLIP_WEIGHTS_H

#include "model/clip.h"

typedef struct mp_tower_weights {
    mp_layer_weights layer[MP_CLIP_MAX_LAYERS];
    const float *positions; /* rows x width */
    mp_norm_weights last;
    const float *projection; /* dims x width, or width x dims where `across` */
} mp_tower_weights;

typedef struct mp_clip_weights {
    mp_tower_weights image, text;
    const float *class_token, *patch; /* width; width x 3 x patch x patch */
    mp_norm_weights first;            /* of the image tower */
    const float *tokens;              /* vocabulary x width */
    bool across;
} mp_clip_weights;

/* Errors: CORRUPT, naming the tensor that is missing, of another type or another shape. */
MP_CHECK mp_err mp_clip_weights_get(mp_tensors *t, const mp_clip_shape *shape, mp_clip_weights *out,
                                    mp_why *why);

#endif
