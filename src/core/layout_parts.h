/* layout_parts.h - what the files of the layout share; not for others. */
#ifndef MP_LAYOUT_PARTS_H
#define MP_LAYOUT_PARTS_H

#include "core/layout.h"

/* INVALID unless the options and the shape make sense. */
MP_CHECK mp_err mp_layout_check(const mp_layout_options *opt, size_t n, int vdims, mp_why *why);
/* True when the caller wants to stop. */
bool mp_layout_stopped(const mp_layout_options *opt, size_t done, size_t total);
/* Moves the mean to the origin and scales so that the largest coordinate is 1. */
void mp_layout_finish(float *points, size_t n, int dims);

/* A weighted undirected graph; every edge once, a < b, sorted. */
typedef struct mp_edge {
    uint32_t a, b;
    float weight; /* 0..1 */
} mp_edge;
/* The fuzzy union of every point's neighbourhood (UMAP, section 3.1). *out: caller frees. */
MP_CHECK mp_err mp_fuzzy_graph(const size_t *knn, const float *distance, size_t n, size_t k,
                               mp_edge **out, size_t *n_edges, mp_why *why);
/* a and b of 1 / (1 + a d^2b), the least-squares fit to "1 up to min_distance, then falling
 * exponentially with `spread`". */
void mp_fit_curve(double min_distance, double spread, double *a, double *b);

#endif
