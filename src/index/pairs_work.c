/* pairs_work.c - tasks on all threads. See pairs_parts.h. */
#include "index/pairs_parts.h"

#include <stdatomic.h>

static const double ASK_EVERY_S = 0.02;

typedef struct shift {
    pairs_run *p;
    size_t n;
    pairs_task_fn fn;
    void *context;
    atomic_size_t next, finished;
    atomic_bool stopped;
} shift;

typedef struct hand {
    shift *s;
    pairs_scratch *scratch;
} hand;

static bool take(const hand *h)
{
    shift *s = h->s;
    size_t task = atomic_load(&s->stopped) ? s->n : atomic_fetch_add(&s->next, 1);
    if (task >= s->n)
        return false;
    s->fn(s->p, task, h->scratch, s->context);
    atomic_fetch_add(&s->finished, 1);
    return true;
}

static void *worker(void *arg)
{
    while (take(arg))
        continue;
    return NULL;
}

/* Progress is told in rows, whatever the tasks are. */
static void ask(shift *s)
{
    const mp_pairs_input *in = s->p->in;
    size_t done = s->p->work_done + atomic_load(&s->finished);
    double share = (double)done / (double)MP_MAX(s->p->work_total, (size_t)1);
    size_t rows = (size_t)(MP_MIN(share, 1.0) * (double)in->n);
    if (in->progress && in->progress(in->context, rows, in->n))
        atomic_store(&s->stopped, true);
}

mp_err mp_pairs_each(pairs_run *p, size_t n, pairs_task_fn fn, void *context, mp_why *why)
{
    pthread_t thread[PAIRS_MOST_THREADS];
    hand hands[PAIRS_MOST_THREADS];
    int started = 0, wanted = (int)MP_MIN((size_t)p->threads, n) - 1;
    shift s = {.p = p, .n = n, .fn = fn, .context = context};
    for (int i = 0; i < PAIRS_MOST_THREADS && i <= MP_MAX(wanted, 0); i++)
        hands[i] = (hand){&s, &p->scratch[i]};
    /* Fewer threads than asked for only make it slower. */
    while (started < wanted &&
           pthread_create(&thread[started], NULL, worker, &hands[started + 1]) == 0)
        started++;
    double asked = 0;
    while (take(&hands[0])) {
        double now = mp_monotonic_s();
        if (now - asked >= ASK_EVERY_S) {
            ask(&s);
            asked = now;
        }
    }
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    p->work_done += n;
    return atomic_load(&s.stopped)
               ? mp_fail(why, MP_CANCELLED, "stopped while looking for neighbours")
               : MP_OK;
}
