/* odd_work.c - see odd_work.h. */
#include "core/odd_work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

typedef struct shift {
    size_t n, chunk;
    mp_odd_rows_fn fn;
    void *context;
    atomic_size_t next;
    atomic_size_t finished; /* rows */
    atomic_bool ended;      /* an error or a stop: take no further chunk */
    pthread_mutex_t mutex;  /* guards err and why */
    mp_err err;
    mp_why why;
} shift;

static void end_with(shift *s, mp_err err, const mp_why *why)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->err) {
        s->err = err;
        s->why = *why;
    }
    pthread_mutex_unlock(&s->mutex);
    atomic_store(&s->ended, true);
}

/* False when nothing is left to do. */
static bool take_chunk(shift *s)
{
    size_t from = atomic_load(&s->ended) ? s->n : atomic_fetch_add(&s->next, s->chunk);
    if (from >= s->n)
        return false;
    size_t to = from + MP_MIN(s->chunk, s->n - from);
    mp_why why = {0};
    mp_err err = s->fn(s->context, from, to, &why);
    if (err)
        end_with(s, err, &why);
    atomic_fetch_add(&s->finished, to - from);
    return true;
}

static void *worker(void *arg)
{
    while (take_chunk(arg))
        continue;
    return NULL;
}

static void ask(const mp_odd_crew *crew, shift *s)
{
    static const mp_why stopped = {"the comparison was stopped"};
    if (crew->stop && crew->stop(crew->stop_context, crew->done + atomic_load(&s->finished),
                                 MP_MAX(crew->total, crew->done + s->n)))
        end_with(s, MP_CANCELLED, &stopped);
}

mp_err mp_odd_each(mp_odd_crew *crew, size_t n, size_t chunk, mp_odd_rows_fn fn, void *context,
                   mp_why *why)
{
    pthread_t thread[MAX_THREADS];
    int started = 0;
    shift s = {.n = n, .chunk = MP_MAX(chunk, (size_t)1), .fn = fn, .context = context};
    size_t chunks = (n + s.chunk - 1) / s.chunk;
    int threads = MP_MAX(1, MP_MIN(crew->threads, MAX_THREADS));
    int wanted = (int)MP_MIN((size_t)threads, chunks) - 1;
    pthread_mutex_init(&s.mutex, NULL);
    ask(crew, &s);
    /* Fewer threads than asked for only make it slower. */
    while (started < wanted && pthread_create(&thread[started], NULL, worker, &s) == 0)
        started++;
    while (take_chunk(&s))
        ask(crew, &s);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&s.mutex);
    crew->done += n;
    if (s.err)
        return mp_fail(why, s.err, "%s", s.why.text);
    return MP_OK;
}
