/* odd.h - who does not belong: scores, conformal p-values and heat maps, apart from storage.
 *
 * Without normals: distance to the k nearest others. With normals: shrunk (Ledoit & Wolf, 2004)
 * Mahalanobis distance on TEXTURE features, mixed with the same on LOOK vectors. p-values are
 * conformal (Vovk et al., 2005): leave-one-out scores of the normals are the calibration set.
 * Pure computation, any thread. */
#ifndef MP_ODD_H
#define MP_ODD_H

#include "image/image.h"
#include "model/model.h"

typedef struct mp_odd_input {
    size_t n, n_normals;                       /* judged; normals (0: each against all others) */
    int look_dims, texture_dims;               /* texture_dims 0: no texture features */
    const float *look, *texture;               /* n x dims */
    const float *normal_look, *normal_texture; /* n_normals x dims */
    double alpha;
    int threads;
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
} mp_odd_input;

typedef struct mp_odd_score {
    float score;   /* larger is odder */
    float nearest; /* 1 - cosine of the nearest other / normal LOOK vector */
    double p;      /* conformal */
    bool flagged;  /* p <= alpha */
} mp_odd_score;

/* out: n entries of the caller. *method: static ("knn", "mahalanobis+knn"). Errors: INVALID (too
 * few), CANCELLED, NOMEM. */
MP_CHECK mp_err mp_odd_run(const mp_odd_input *in, mp_odd_score *out, const char **method,
                           mp_why *why);

/* Oddness of each patch of `test` against the patches of n normals: 1 - the best cosine within a
 * neighbourhood of the same place (and anywhere, slightly penalised). out: rows*cols floats. */
void mp_odd_patches(const mp_patches *test, const mp_patches *normals, size_t n, float *out);
/* Draws a heat map (fixed scale low..high, perceptually ordered colours) over `picture`. */
MP_CHECK mp_err mp_odd_overlay(const mp_image *picture, const float *heat, int rows, int cols,
                               float low, float high, mp_image *out, mp_why *why);

#endif
