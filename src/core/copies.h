/* copies.h - which pictures of the library show the same as one that need not be in it. Inside the
 * core room.
 *
 * Candidates come, as in dupes.c, from near hashes under the eight symmetries and from the nearest
 * COPY vectors; each is registered on the picture (dedup_verify.h). The hashes are kept in memory,
 * 16 bytes a picture, from the first question on. Any thread. */
#ifndef MP_COPIES_H
#define MP_COPIES_H

#include "core/core.h"

enum { MP_COPIES_PX = 256 }; /* fit_long_side of a decode whose picture is to be compared */

/* Decoded with analysis and MP_COPIES_PX; `view`: which of its views is that of the COPY space of
 * `model`, or -1. */
typedef struct mp_copies_picture {
    const mp_decoded *decoded;
    mp_model *model;
    int view;
} mp_copies_picture;

/* The best `most` copies among the items of `where` (NULL: all), by falling score; out has room for
 * them. BUSY: picture->model is not the library's any more. */
MP_CHECK mp_err mp_copies_find(magpie *m, const mp_copies_picture *picture, const char *where,
                               size_t most, magpie_copy *out, size_t *n, mp_why *why);
void mp_copies_open(magpie *m);
void mp_copies_close(magpie *m);

#endif
