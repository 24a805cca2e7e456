/* dedup_search.h - where in one picture the other may lie, when they do not share a frame.
 *
 * Pure; any thread. */
#ifndef MP_DEDUP_SEARCH_H
#define MP_DEDUP_SEARCH_H

#include "core/dedup_register.h"

typedef struct mp_dedup_place {
    mp_dedup_warp warp; /* from A to B: a scale and a shift */
    float peak;         /* correlation in standard deviations of chance */
} mp_dedup_place;

/* The most likely places, best first, at most `cap`; returns how many. */
size_t mp_dedup_search(const mp_dedup_picture *a, const mp_dedup_picture *b, mp_dedup_place *out,
                       size_t cap);

#endif
