/* crew.c - see crew.h. */
#include "index/crew.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct crew {
    mp_crew_fn work;
    void *context;
    size_t n;
    _Atomic size_t next;
    _Atomic int err;
    mp_why why;
    pthread_mutex_t mutex; /* guards why */
} crew;

static void *crew_run(void *context)
{
    crew *c = context;
    for (;;) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->n || atomic_load(&c->err))
            return NULL;
        mp_why why = {0};
        mp_err err = c->work(c->context, i, &why);
        if (err) {
            pthread_mutex_lock(&c->mutex);
            if (!atomic_load(&c->err))
                c->why = why;
            atomic_store(&c->err, (int)err);
            pthread_mutex_unlock(&c->mutex);
        }
    }
}

mp_err mp_crew_run(mp_crew_fn work, void *context, size_t n, int threads, mp_why *why)
{
    enum { MAX_THREADS = 64, LEAST_EACH = 16 };
    crew c = {.work = work, .context = context, .n = n};
    pthread_t ids[MAX_THREADS];
    size_t started = 0, wanted = MP_MIN(n / LEAST_EACH + 1, (size_t)MP_MIN(threads, MAX_THREADS));
    pthread_mutex_init(&c.mutex, NULL);
    while (started + 1 < wanted && pthread_create(&ids[started], NULL, crew_run, &c) == 0)
        started++;
    crew_run(&c);
    for (size_t i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&c.mutex);
    mp_err err = (mp_err)atomic_load(&c.err);
    return err ? mp_fail(why, err, "%s", c.why.text) : MP_OK;
}
