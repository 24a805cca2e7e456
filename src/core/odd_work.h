/* odd_work.h - one function over many rows, on several threads, that can be stopped.
 *
 * The caller's thread works too, and it alone asks `stop`. Chunks are handed out by an atomic
 * counter; which thread gets which never shows in the results, because every row writes only its
 * own place. */
#ifndef MP_ODD_WORK_H
#define MP_ODD_WORK_H

#include "base/base.h"

typedef struct mp_odd_crew {
    int threads; /* 0 is taken as 1 */
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
    size_t done, total; /* rows of all phases together, for `stop` */
} mp_odd_crew;

/* Handles rows from..to (to not included). An error ends the whole run. */
typedef mp_err (*mp_odd_rows_fn)(void *context, size_t from, size_t to, mp_why *why);

/* Runs fn over 0..n in chunks. Errors: CANCELLED, and the first one of fn. */
MP_CHECK mp_err mp_odd_each(mp_odd_crew *crew, size_t n, size_t chunk, mp_odd_rows_fn fn,
                            void *context, mp_why *why);

#endif
