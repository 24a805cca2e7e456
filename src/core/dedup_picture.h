/* dedup_picture.h - a small picture made ready for being compared: grey, as a pyramid.
 *
 * Registration works in *frame units*: the origin is the picture's centre and its long side is 1,
 * so that one transform holds on every level of the pyramid. Pixel (x, y) of a level lies at
 * ((x + 0.5 - w/2) / long_side, (y + 0.5 - h/2) / long_side). Immutable once made; any thread. */
#ifndef MP_DEDUP_PICTURE_H
#define MP_DEDUP_PICTURE_H

#include "image/image.h"

enum {
    MP_DEDUP_LEVELS = 4, /* long sides 128, 64, 32, 16 */
    MP_DEDUP_LONG = 128,
    MP_DEDUP_FINEST = 0,
    MP_DEDUP_COARSEST = 3
};

typedef struct mp_dedup_level {
    int w, h;
    float unit; /* pixels of one frame unit: the long side */
    float *px;  /* w * h, 0..255 */
} mp_dedup_level;

typedef struct mp_dedup_picture {
    mp_dedup_level level[MP_DEDUP_LEVELS];
    float half_w, half_h;  /* half the sides in frame units */
    float mean, deviation; /* of the finest level */
    float colour[3];       /* mean R, G, B; thrice the mean of a picture given as grey */
} mp_dedup_picture;

/* Errors: NOMEM, INVALID (empty). mp_dedup_picture_free even after a failure is allowed. */
MP_CHECK mp_err mp_dedup_picture_make(const mp_image *small, mp_dedup_picture *out, mp_why *why);
void mp_dedup_picture_free(mp_dedup_picture *p);

#endif
