/* odd_shape.h - the shape of a set of normal vectors: how far out is another one?
 *
 * A shape is the mean of K models. Model k is fitted to the normals without those of fold k:
 * centre, spread per dimension, and the Ledoit-Wolf shrunk correlation (J. Multivariate Analysis
 * 88, 2004), whose squared Mahalanobis distance it measures. A stranger's distance is the mean
 * over the K models; a normal's own is that of the one model that has not seen it. So both are
 * distances to models fitted to the same number of others, and the normals' distances are honest
 * calibration for the strangers'. */
#ifndef MP_ODD_SHAPE_H
#define MP_ODD_SHAPE_H

#include "core/odd_work.h"

typedef struct mp_shape mp_shape; /* opaque: odd_shape.c */

/* rows: n pointers to vectors of `dims` floats, sorted by fold; fold f has rows first[f] to
 * first[f + 1] (first has folds + 1 entries). own: the normals' distances, n, of the caller. The
 * vectors are not kept. Caller frees *out. Errors: CANCELLED, NOMEM. */
MP_CHECK mp_err mp_shape_fit(mp_shape **out, const float *const *rows, size_t n, int dims,
                             const size_t *first, int folds, mp_odd_crew *crew, double *own,
                             mp_why *why);
/* Squared distance of x, at least 0. `scratch` holds 2 * dims floats. Any thread. */
double mp_shape_distance(const mp_shape *s, const float *x, float *scratch);
void mp_shape_free(mp_shape *s); /* NULL allowed */

#endif
