/* qualify.h - whether a model may compute with 8-bit products on this machine.
 *
 * 8-bit products are quicker and a little off. They are used only where they have been measured:
 * mp_qualify encodes pictures and texts both ways, and keeps the worst cosine between the two
 * beside the model, in precision.json. A result counts for the same weights and the same kernels
 * alone: on another machine, or after an update, f32 is used until it is measured again. */
#ifndef MP_QUALIFY_H
#define MP_QUALIFY_H

#include "model/linear.h"
#include "model/model.h"

/* The worst cosine with which 8-bit products are still used. */
#define MP_QUALIFIED_FROM 0.99f

typedef struct mp_qualified {
    mp_precision image, text;
} mp_qualified;

/* What to compute with. AUTO asks precision.json in the folder; f32 where that is missing, damaged,
 * or of other weights or kernels. */
mp_qualified mp_precision_for(const char *folder, const char *sha256, mp_precision_choice wanted);

#endif
