/* work.h - threads for the handlers that take long. Inside the http room. */
#ifndef MP_HTTP_WORK_H
#define MP_HTTP_WORK_H

#include "base/base.h"

typedef struct mp_work mp_work; /* opaque */
typedef void (*mp_work_fn)(void *item);

/* threads 0: one per processor. most: how many items may wait. */
mp_work *mp_work_new(int threads, size_t most);
/* False when too many wait already: the caller should say so. Any thread. */
bool mp_work_put(mp_work *w, mp_work_fn fn, void *item);
/* Finishes what was put, then ends the threads. */
void mp_work_free(mp_work *w);
size_t mp_work_waiting(mp_work *w);

#endif
