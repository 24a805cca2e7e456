/* spread.h - one piece of work on several threads of our own.
 *
 * oneDNN could use several cores for one picture; a picture per core is faster. So every worker
 * tells the OpenMP runtime, whose setting is per thread, that it wants one core; the caller's own
 * setting is put back. */
#ifndef MP_SPREAD_H
#define MP_SPREAD_H

#include "base/base.h"

/* Does items [from, to). */
typedef mp_err (*mp_spread_fn)(void *context, size_t from, size_t to, mp_why *why);

/* Calls fn for all of [0, n) in steps of `step` (at least 1), on at most `threads` threads, the
 * caller among them. After an error nothing new is begun; the first one is returned. */
MP_CHECK mp_err mp_spread(int threads, size_t n, size_t step, mp_spread_fn fn, void *context,
                          mp_why *why);

#endif
