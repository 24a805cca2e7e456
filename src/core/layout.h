/* layout.h - a 2-D or 3-D picture of vectors: UMAP (McInnes et al., 2018, arXiv 1802.03426) from
 * a kNN graph, PCA as the quick way and as its start. Deterministic for a seed (one thread in the
 * optimisation). Pure computation, any thread; `stop` is called on the caller's thread. */
#ifndef MP_LAYOUT_H
#define MP_LAYOUT_H

#include "base/base.h"

typedef struct mp_layout_options {
    int dims; /* 2 or 3 */
    float min_distance, spread;
    int epochs; /* 0: 500 up to 10,000 points, 200 above */
    uint64_t seed;
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
} mp_layout_options;

/* vectors: n x vdims. out: n x dims floats, centred, scaled to [-1, 1] by one common factor (all
 * zeros when the points coincide). An axis points to where its largest loading is positive; the
 * seed plays no part. Errors: INVALID, CANCELLED, NOMEM. */
MP_CHECK mp_err mp_layout_pca(const float *vectors, size_t n, int vdims,
                              const mp_layout_options *opt, float *out, mp_why *why);
/* knn: n x k positions (SIZE_MAX unused) and distances (1 - cosine), self left out. The graph may
 * be in pieces. Fewer than four points, or no edges at all, are laid out by PCA. spread 0 is taken
 * as 1. Errors: as above. */
MP_CHECK mp_err mp_layout_umap(const float *vectors, size_t n, int vdims, const size_t *knn,
                               const float *distance, size_t k, const mp_layout_options *opt,
                               float *out, mp_why *why);

#endif
