/* load.h - libvips: encoded bytes to RGB. Runs in the sandboxed child (and nowhere else). */
#ifndef MP_LOAD_H
#define MP_LOAD_H

#include "image/decode.h"

typedef struct mp_load_limits {
    int64_t max_pixels;
    int32_t max_side;
} mp_load_limits;

typedef struct mp_loaded {
    mp_image image; /* RGB, oriented; may be smaller than width x height (shrink on load) */
    mp_format format;
    int width, height; /* of the original, after orientation */
    int frames;
    int64_t taken_ms;
} mp_loaded;

/* min_short, min_long: how many pixels the sides must at least keep (0: all of them). */
MP_CHECK mp_err mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
                        mp_loaded *out, mp_why *why);
/* The header alone: out->image stays empty. */
MP_CHECK mp_err mp_load_header(mp_span bytes, const mp_load_limits *limits, mp_loaded *out,
                               mp_exif *exif, mp_why *why);
/* Runs every loader once on tiny pictures, so that plug-ins and tables are loaded before the
 * sandbox closes. A format that this libvips lacks is no error. */
MP_CHECK mp_err mp_load_warm_up(mp_why *why);

/* "2024:05:01 12:30:00..." as UTC in ms; 0 when that is no time. */
int64_t mp_exif_time_ms(const char *text);
/* Texts cut to what is valid UTF-8 without control characters, numbers that cannot be made NAN: of
 * an mp_exif of any bytes. */
void mp_exif_clean(mp_exif *exif);
/* The size in a Netpbm header, at most INT32_MAX each; false when there is none. */
bool mp_netpbm_size(mp_span bytes, int64_t *w, int64_t *h);
/* Whether an ICC profile describes sRGB to within what 8 bits can show, so that converting by it
 * would change nothing. Any bytes. */
bool mp_icc_is_srgb(mp_span profile);
/* Replaces the picture by itself as EXIF orientation 1..8 says it must be shown (others: as is). */
MP_CHECK mp_err mp_image_orient(mp_image *im, int orientation, mp_why *why);

#endif
