/* clip.h - CLIP (Radford et al., arXiv 2103.00020): a vision transformer and a text transformer
 * whose vectors share one space. Inside the model room; the family is in clip_family.c.
 *
 * Weights are read in place from safetensors in the names of Hugging Face's transformers or of
 * open_clip; which of them, and every size, is found from the file. */
#ifndef MP_CLIP_H
#define MP_CLIP_H

#include "model/safetensors.h"
#include "model/transformer.h"

enum { MP_CLIP_CONTEXT = 77, MP_CLIP_MAX_LAYERS = 48 }; /* tokens of a text; layers of a tower */

typedef struct mp_clip_shape {
    int side, patch;                                                  /* pixels */
    int image_width, image_layers, image_heads, image_hidden;         /* */
    int text_width, text_layers, text_heads, text_hidden, vocabulary; /* */
    int dims;                                                         /* of a vector */
    mp_activation activation;
    float mean[3], deviation[3]; /* of the channels, as trained; values 0..1 */
} mp_clip_shape;

typedef struct mp_clip mp_clip; /* opaque; any thread */
/* Checks every tensor's name, type and shape against `shape`. The weights stay borrowed. Errors:
 * CORRUPT (names the tensor), NOMEM. */
MP_CHECK mp_err mp_clip_open(mp_clip **out, mp_tensors *weights, const mp_clip_shape *shape,
                             mp_precision image, mp_precision text, mp_why *why);
void mp_clip_close(mp_clip *c); /* NULL allowed */

/* n pictures of side x side x 3 bytes to n x dims floats of unit length, on `threads` threads. */
MP_CHECK mp_err mp_clip_images(mp_clip *c, const uint8_t *const *px, size_t n, int threads,
                               float *out, mp_why *why);
/* n texts as token numbers, text i being ids + i * MP_CLIP_CONTEXT, of length[i] tokens, the last
 * of which ends it; n x dims floats of unit length. Errors: CORRUPT (a token beyond the table). */
MP_CHECK mp_err mp_clip_texts(mp_clip *c, const int32_t *ids, const int *length, size_t n,
                              int threads, float *out, mp_why *why);

/* Every row after the first `layers` layers of a tower, for tests: of one picture (patches + 1 x
 * image_width; layers 0: after the first norm) or one text (length x text_width). */
MP_CHECK mp_err mp_clip_probe_image(mp_clip *c, const uint8_t *px, int layers, float *to,
                                    mp_why *why);
MP_CHECK mp_err mp_clip_probe_text(mp_clip *c, const int32_t *ids, int length, int layers,
                                   float *to, mp_why *why);

#endif
