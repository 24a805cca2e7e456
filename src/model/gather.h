/* gather.h - calls from many threads that become one.
 *
 * Encoding eight pictures or queries together costs less than eight times one. Whoever comes while
 * nothing runs, begins at once: nobody is made to wait for company. Whoever comes while something
 * runs waits for it, and the first of these then takes all others that wait along, up to a limit of
 * pieces. So a lonely call costs what it did, and a crowd shares its work. Inside the model room.
 */
#ifndef MP_GATHER_H
#define MP_GATHER_H

#include "base/base.h"

#include <pthread.h>

/* One caller's work; of the same kind it may be joined with others'. */
typedef struct mp_gathered {
    uint64_t kind; /* what must be equal */
    size_t n;      /* pieces */
    void *work;    /* the caller's, for the run function */
    mp_err err;
    mp_why why;
    bool done;
    struct mp_gathered *next;
} mp_gathered;

/* Does the work of all in the list, which have the same kind; every one gets the same result. */
typedef mp_err (*mp_gather_fn)(void *context, mp_gathered *first, size_t pieces, mp_why *why);

typedef struct mp_gather {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool running;
    mp_gathered *first, **last;
    size_t most; /* pieces that go together */
    mp_gather_fn run;
    void *context;
} mp_gather;

void mp_gather_init(mp_gather *g, size_t most, mp_gather_fn run, void *context);
void mp_gather_destroy(mp_gather *g);
/* Returns when the work has been done, by this thread or another. n is at least 1; more than `most`
 * go alone. */
MP_CHECK mp_err mp_gather_do(mp_gather *g, uint64_t kind, size_t n, void *work, mp_why *why);

#endif
