/* lite_derive.h - what the lite model computes once from its weights, and keeps beside them.
 *
 * look:    512 x 1280, the first right singular vectors of the row-normalised, centred class
 *          weights: pooled features times this are the LOOK and COPY vectors (no data is fitted)
 * word:    512 x 1000, the matching left singular vectors: they project sqrt(p) and queries alike
 * concept: 1000 x 384, the sentence vectors of "a photo of a {name}" */
#ifndef MP_LITE_DERIVE_H
#define MP_LITE_DERIVE_H

#include "model/bert.h"
#include "model/concepts.h"
#include "model/effnet.h"

enum { LITE_DIMS = 512 };

typedef struct mp_derived {
    float *look, *word, *concept; /* one block, owned; look is its start */
} mp_derived;

/* Reads <folder>/derived.bin when it belongs to these weights and names, else computes it (a few
 * seconds, `threads` cores) and keeps it there if the folder can be written to. */
MP_CHECK mp_err mp_derive(mp_derived *out, const char *folder, const char *sha256,
                          const float *fc_weight, mp_bert *bert, const mp_tokenizer *tokens,
                          int threads, mp_why *why);
void mp_derived_free(mp_derived *d);

#endif
