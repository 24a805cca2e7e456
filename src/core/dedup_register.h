/* dedup_register.h - bringing one small picture to lie on another.
 *
 * A warp maps frame units (dedup_picture.h) of picture A to those of picture B. Pure; any thread.
 */
#ifndef MP_DEDUP_REGISTER_H
#define MP_DEDUP_REGISTER_H

#include "core/dedup_picture.h"

typedef struct mp_dedup_warp {
    float m[6]; /* u' = m0 u + m1 v + m2, v' = m3 u + m4 v + m5 */
} mp_dedup_warp;

mp_dedup_warp mp_dedup_warp_then(mp_dedup_warp first, mp_dedup_warp second);
/* False when it cannot be inverted. */
bool mp_dedup_warp_invert(mp_dedup_warp w, mp_dedup_warp *out);
float mp_dedup_warp_det(mp_dedup_warp w);

/* How A and the warped B agree where both are. */
typedef struct mp_dedup_fit {
    float ncc;     /* correlation of the overlap, -1..1; 0 where either is flat */
    float overlap; /* share of A's pixels that fall on B */
} mp_dedup_fit;
mp_dedup_fit mp_dedup_fit_of(const mp_dedup_level *a, const mp_dedup_level *b, mp_dedup_warp w);

/* Moves *w by at most `steps` Gauss-Newton steps at one level. False when the pictures slide apart
 * or the problem is singular: *w is then the last sound one. */
bool mp_dedup_refine(const mp_dedup_level *a, const mp_dedup_level *b, int steps, mp_dedup_warp *w);

/* B as A sees it: out[i] for each pixel of A's level, below 0 where B has none. */
void mp_dedup_sample(const mp_dedup_level *a, const mp_dedup_level *b, mp_dedup_warp w, float *out);

#endif
