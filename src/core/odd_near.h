/* odd_near.h - nearest neighbours by cosine, and which vectors are the same. */
#ifndef MP_ODD_NEAR_H
#define MP_ODD_NEAR_H

#include "core/odd_work.h"

enum { MP_ODD_MAX_K = 32 };

/* For each of n vectors the position of the first that is bit-equal to it (its own when there is
 * none before). same: n of the caller. *distinct: how many are their own. Errors: NOMEM. */
MP_CHECK mp_err mp_odd_distinct(const float *v, size_t n, int dims, size_t *same, size_t *distinct,
                                mp_why *why);

/* Mean 1 - cosine (0..2) of each query to its k nearest points (fewer when there are fewer; 0
 * with none), and that of the nearest. All vectors have length 1. self: the queries are the
 * points, and none is its own neighbour; above MP_PAIRS_MOST_ALONE points nearly all of the nearest
 * are found, else exactly they. k at most MP_ODD_MAX_K. Errors: CANCELLED. */
typedef struct mp_odd_near {
    const float *const *query, *const *point;
    size_t n_queries, n_points;
    int dims, k;
    bool self;
    float *mean, *nearest; /* n_queries, of the caller */
} mp_odd_near;
MP_CHECK mp_err mp_odd_scan(const mp_odd_near *scan, mp_odd_crew *crew, mp_why *why);

#endif
