/* dedup_parallel.h - many small steps on several threads, with a caller that is asked to stop. */
#ifndef MP_DEDUP_PARALLEL_H
#define MP_DEDUP_PARALLEL_H

#include "base/base.h"

typedef struct mp_dedup_steps {
    size_t n;
    size_t batch;                                      /* steps that a worker takes at once; 0: 1 */
    int workers;                                       /* at least 1 */
    void (*step)(void *context, int worker, size_t i); /* called from any worker, each i once */
    void *context;
    /* Asked from the calling thread, at least every 100 ms; NULL allowed. */
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
} mp_dedup_steps;

/* Runs all steps and returns when the last has ended. CANCELLED when stop said so: steps not begun
 * are then left out. */
MP_CHECK mp_err mp_dedup_parallel(const mp_dedup_steps *steps, mp_why *why);

#endif
