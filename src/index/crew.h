/* crew.h - the same work for many numbers, spread over threads. */
#ifndef MP_INDEX_CREW_H
#define MP_INDEX_CREW_H

#include "base/base.h"

typedef mp_err (*mp_crew_fn)(void *context, size_t i, mp_why *why);

/* Runs work(0..n-1) on up to `threads` threads, the caller's among them. After an error no more is
 * begun, and the first error is given back. */
MP_CHECK mp_err mp_crew_run(mp_crew_fn work, void *context, size_t n, int threads, mp_why *why);

#endif
