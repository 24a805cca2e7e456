/* dedup_sketch.h - a picture as the duplicate check sees it. Inside the dedup files.
 *
 * Everything is squashed to squares, so that a change of aspect is none. `window` is the picture at
 * WINDOW x WINDOW; `wide[i]` the same at the sizes of mp_sketch_sizes: a WINDOW-sized window of it is a
 * crop of the picture. Values are grey, 0..255. */
#ifndef MP_DEDUP_SKETCH_H
#define MP_DEDUP_SKETCH_H

#include "core/dedup.h"

enum { SKETCH_WINDOW = 24, SKETCH_FINE = 64, SKETCH_BASE = 128, SKETCH_SIZES = 16 };

typedef struct mp_sketch_size {
    int w, h;
} mp_sketch_size;
extern const mp_sketch_size mp_sketch_sizes[SKETCH_SIZES]; /* the first is the window itself */

typedef struct mp_sketch {
    float window[8][SKETCH_WINDOW * SKETCH_WINDOW]; /* per symmetry; mean 0, length 1 */
    uint8_t *wide[SKETCH_SIZES];                    /* one block, owned by wide[0] */
    uint8_t *fine;                                  /* FINE x FINE, in the same block */
    uint8_t *base;                                  /* BASE x BASE, in the same block */
    float deviation, mean;                          /* of the window */
} mp_sketch;

MP_CHECK mp_err mp_sketch_make(mp_sketch *out, const mp_image *picture);
void mp_sketch_free(mp_sketch *s);
/* The verification of mp_dedup_compare on prepared pictures. */
float mp_sketch_compare(const mp_sketch *a, const mp_sketch *b, mp_relation_kind *kind);
/* The symmetry `turn` (numbered as in mp_phash8) of an n x n square. */
void mp_turn_square(const uint8_t *in, int n, int turn, uint8_t *out);

#endif
