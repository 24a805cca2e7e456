/* pipeline.c - reader threads over a list of files, results in order. See analyse.h.
 *
 * A ring of WINDOW slots: a reader claims the next number once its slot is free, fills it and marks
 * it; the consumer takes slots strictly in order. `mutex` guards everything but the content of
 * claimed slots, which belongs to the claiming reader until it is marked. */
#include "core/analyse.h"

#include <stdlib.h>

enum { WINDOW = 64 };

typedef struct slot {
    analysis result;
    bool ready;
} slot;

struct pipeline {
    const analysis_plan *plan;
    const char *const *paths;
    size_t n, claimed, taken;
    bool stop;
    slot slots[WINDOW];
    pthread_mutex_t mutex;
    pthread_cond_t freed, filled;
    pthread_t *threads;
    int n_threads;
};

static bool claim(pipeline *p, size_t *at)
{
    pthread_mutex_lock(&p->mutex);
    while (!p->stop && p->claimed < p->n && p->claimed - p->taken >= WINDOW)
        pthread_cond_wait(&p->freed, &p->mutex);
    bool got = !p->stop && p->claimed < p->n;
    if (got)
        *at = p->claimed++;
    pthread_mutex_unlock(&p->mutex);
    return got;
}

static void *read_files(void *context)
{
    pipeline *p = context;
    for (size_t at; claim(p, &at);) {
        slot *s = &p->slots[at % WINDOW];
        s->result = (analysis){.path = p->paths[at]};
        mp_analyse_path(p->plan, &s->result);
        pthread_mutex_lock(&p->mutex);
        s->ready = true;
        pthread_cond_signal(&p->filled);
        pthread_mutex_unlock(&p->mutex);
    }
    return NULL;
}

mp_err mp_pipeline_open(pipeline **out, const analysis_plan *plan, const char *const *paths,
                        size_t n, int threads, mp_why *why)
{
    pipeline *p = mp_xcalloc(1, sizeof *p);
    *p = (pipeline){.plan = plan, .paths = paths, .n = n};
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->freed, NULL);
    mp_cond_open(&p->filled);
    p->threads = mp_xcalloc((size_t)threads, sizeof *p->threads);
    while (p->n_threads < threads &&
           pthread_create(&p->threads[p->n_threads], NULL, read_files, p) == 0)
        p->n_threads++;
    if (p->n_threads == 0) {
        mp_pipeline_close(p);
        *out = NULL;
        return mp_fail(why, MP_NOMEM, "cannot start a thread");
    }
    *out = p;
    return MP_OK;
}

bool mp_pipeline_next(pipeline *p, analysis *out, int wait_ms)
{
    double until = mp_monotonic_s() + wait_ms * 1e-3;
    pthread_mutex_lock(&p->mutex);
    slot *s = &p->slots[p->taken % WINDOW];
    while (p->taken < p->n && !s->ready && mp_cond_wait_until(&p->filled, &p->mutex, until))
        ;
    bool got = p->taken < p->n && s->ready;
    if (got) {
        *out = s->result;
        s->result = (analysis){0};
        s->ready = false;
        p->taken++;
        pthread_cond_broadcast(&p->freed);
    }
    pthread_mutex_unlock(&p->mutex);
    return got;
}

void mp_pipeline_close(pipeline *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->freed);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < WINDOW; i++)
        mp_analysis_free(&p->slots[i].result);
    free(p->threads);
    pthread_cond_destroy(&p->filled);
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
