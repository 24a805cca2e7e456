/* dedup_parallel.c - workers take batches from a counter; the caller waits and polls. Workers never
 * touch the caller's progress function, so that it may belong to one thread. */
#include "core/dedup_parallel.h"

#include "base/os.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { POLL_MS = 50 };

typedef struct crew {
    const mp_dedup_steps *steps;
    atomic_size_t next, done;
    atomic_bool stopped;
    pthread_mutex_t mutex; /* guards `running` */
    pthread_cond_t ended;
    int running;
} crew;

typedef struct member {
    crew *crew;
    int number;
    pthread_t thread;
    bool started;
} member;

static void *work(void *arg)
{
    member *me = arg;
    crew *c = me->crew;
    size_t n = c->steps->n, batch = c->steps->batch ? c->steps->batch : 1;
    for (;;) {
        size_t from = atomic_fetch_add(&c->next, batch);
        if (from >= n || atomic_load(&c->stopped))
            break;
        size_t to = MP_MIN(n, from + batch);
        for (size_t i = from; i < to; i++)
            c->steps->step(c->steps->context, me->number, i);
        atomic_fetch_add(&c->done, to - from);
    }
    pthread_mutex_lock(&c->mutex);
    c->running--;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

static void poll_caller(crew *c)
{
    const mp_dedup_steps *s = c->steps;
    if (s->stop && !atomic_load(&c->stopped) &&
        s->stop(s->stop_context, atomic_load(&c->done), s->n))
        atomic_store(&c->stopped, true);
}

static void wait_for_all(crew *c)
{
    pthread_mutex_lock(&c->mutex);
    while (c->running > 0) {
        (void)mp_cond_wait_until(&c->ended, &c->mutex, mp_monotonic_s() + POLL_MS * 1e-3);
        pthread_mutex_unlock(&c->mutex);
        poll_caller(c);
        pthread_mutex_lock(&c->mutex);
    }
    pthread_mutex_unlock(&c->mutex);
}

mp_err mp_dedup_parallel(const mp_dedup_steps *steps, mp_why *why)
{
    crew c = {.steps = steps};
    member *members = mp_xcalloc((size_t)steps->workers, sizeof *members);
    pthread_mutex_init(&c.mutex, NULL);
    mp_cond_open(&c.ended);
    c.running = steps->workers;
    poll_caller(&c);
    for (int i = 0; i < steps->workers; i++) {
        members[i] = (member){.crew = &c, .number = i};
        members[i].started = pthread_create(&members[i].thread, NULL, work, &members[i]) == 0;
        if (!members[i].started) /* no more threads to be had: the caller's own does its share */
            work(&members[i]);
    }
    wait_for_all(&c);
    for (int i = 0; i < steps->workers; i++)
        if (members[i].started)
            pthread_join(members[i].thread, NULL);
    free(members);
    pthread_cond_destroy(&c.ended);
    pthread_mutex_destroy(&c.mutex);
    return atomic_load(&c.stopped) ? mp_fail(why, MP_CANCELLED, "stopped") : MP_OK;
}
