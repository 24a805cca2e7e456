/* load.h - libvips: encoded bytes to RGB. Runs in the sandboxed child (and nowhere else). */
#ifndef MP_LOAD_H
#define MP_LOAD_H

#include "image/image.h"

typedef struct mp_load_limits {
    int64_t max_pixels;
    int32_t max_side;
} mp_load_limits;

typedef struct mp_loaded {
    mp_image image;    /* RGB, oriented; may be smaller than width x height (shrink on load) */
    mp_format format;
    int width, height; /* of the original, after orientation */
    int frames;
    int64_t taken_ms;
} mp_loaded;

/* min_short, min_long: how many pixels the sides must at least keep (0: all of them). */
MP_CHECK mp_err mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
                        mp_loaded *out, mp_why *why);
/* Runs every loader once on tiny pictures, so that plug-ins and tables are loaded before the
 * sandbox closes. */
void mp_load_warm_up(void);

#endif
