/* odd.h - who does not belong: scores, conformal p-values and heat maps, apart from storage.
 *
 * Without normals: distance to the k nearest others. With normals: shrunk (Ledoit & Wolf, 2004)
 * Mahalanobis distance on TEXTURE features, mixed with the same on LOOK vectors and the distance
 * to the nearest normals. p-values are conformal (Vovk et al., 2005): scores of normals that the
 * judging model has not seen are the calibration set.
 * Bit-equal LOOK vectors are one picture: copies of an odd picture do not make it normal, and a
 * normal picture given twice counts once.
 * Pure computation, any thread; `stop` is called on the caller's thread alone. */
#ifndef MP_ODD_H
#define MP_ODD_H

#include "image/image.h"
#include "model/model.h"

/* Fewest different pictures: normals, and all together when there are no normals. */
enum { MP_ODD_MIN_NORMALS = 8, MP_ODD_MIN_ITEMS = 3 };

typedef struct mp_odd_input {
    size_t n, n_normals;                       /* judged; normals (0: each against all others) */
    int look_dims, texture_dims;               /* texture_dims 0: no texture features */
    const float *look, *texture;               /* n x dims; LOOK vectors have length 1 */
    const float *normal_look, *normal_texture; /* n_normals x dims */
    double alpha;
    int threads;
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
} mp_odd_input;

typedef struct mp_odd_score {
    float score;   /* larger is odder: "knn": mean 1 - cosine of the nearest others; with normals:
                      in standard deviations from the normals' own mean score */
    float nearest; /* 1 - cosine of the nearest other / normal LOOK vector; 0 for a copy */
    double p;      /* conformal: (1 + normals at least as odd) / (1 + normals); without normals
                      the rank among all, oddest lowest */
    bool flagged;  /* p <= alpha; impossible when alpha < 1 / (1 + normals) */
} mp_odd_score;

/* out: n entries of the caller. *method: static ("knn", "mahalanobis+knn"). n 0 is fine. Errors:
 * INVALID (too few different vectors, or not finite), CANCELLED, NOMEM. */
MP_CHECK mp_err mp_odd_run(const mp_odd_input *in, mp_odd_score *out, const char **method,
                           mp_why *why);

/* Oddness of each patch of `test` against the patches of n normals: 1 - the best cosine within a
 * neighbourhood of the same place (and anywhere, slightly penalised). out: rows*cols floats, 0..2;
 * all 0 when n is 0 or no normal has as many dimensions. */
void mp_odd_patches(const mp_patches *test, const mp_patches *normals, size_t n, float *out);
/* Draws a heat map (fixed scale low..high, perceptually ordered colours) over `picture` (grey or
 * RGB). What lies below `low` keeps its own pixels. *out: RGB, the caller's to free. Errors:
 * INVALID (an empty grid or picture, or low not below high), NOMEM. */
MP_CHECK mp_err mp_odd_overlay(const mp_image *picture, const float *heat, int rows, int cols,
                               float low, float high, mp_image *out, mp_why *why);

#endif
