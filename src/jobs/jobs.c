/* jobs.c - opening, waking, draining and closing a worker. See jobs.h and inside.h. */
#include "jobs/inside.h"
#include "jobs/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mp_err check(const mp_jobs_options *opt, mp_why *why)
{
    if (!opt->meta || !opt->owner || !*opt->owner)
        return mp_fail(why, MP_INVALID, "a worker needs a store and a name");
    if (opt->threads < 1 || opt->threads > MAX_THREADS)
        return mp_fail(why, MP_INVALID, "a worker has 1 to %d threads", MAX_THREADS);
    if (opt->n_handlers > MAX_HANDLERS)
        return mp_fail(why, MP_INVALID, "a worker has at most %d handlers", MAX_HANDLERS);
    if (opt->lease_ms < 0 || opt->poll_ms < 0 || opt->retry_base_ms < 0 || opt->retry_cap_ms < 0)
        return mp_fail(why, MP_INVALID, "a worker's times cannot be negative");
    for (size_t i = 0; i < opt->n_handlers; i++) {
        const mp_job_handler *h = &opt->handlers[i];
        if (!h->type || !*h->type || !h->run)
            return mp_fail(why, MP_INVALID, "a handler needs a type and a function");
        for (size_t k = 0; k < i; k++)
            if (strcmp(h->type, opt->handlers[k].type) == 0)
                return mp_fail(why, MP_INVALID, "two handlers for %.60s", h->type);
    }
    return MP_OK;
}

static void copy_handlers(mp_jobs *j, const mp_jobs_options *opt)
{
    j->n_handlers = opt->n_handlers;
    for (size_t i = 0; i < opt->n_handlers; i++) {
        j->handlers[i] = opt->handlers[i];
        j->handlers[i].type = mp_xstrdup(opt->handlers[i].type);
        j->kinds[i] = (mp_job_kind){.type = j->handlers[i].type,
                                    .limit = j->handlers[i].limit,
                                    .max_attempts = j->handlers[i].max_attempts};
    }
}

static void set_up_waiting(mp_jobs *j)
{
    pthread_mutex_init(&j->mutex, NULL);
    mp_cond_open(&j->news);
    mp_cond_open(&j->quiet);
    mp_cond_open(&j->tick);
}

static void release(mp_jobs *j)
{
    pthread_cond_destroy(&j->tick);
    pthread_cond_destroy(&j->quiet);
    pthread_cond_destroy(&j->news);
    pthread_mutex_destroy(&j->mutex);
    mp_arena_free(j->arena);
    for (size_t i = 0; i < j->n_handlers; i++)
        free((char *)j->handlers[i].type); /* our copy */
    free(j);
}

mp_err mp_jobs_open(mp_jobs **out, const mp_jobs_options *opt, mp_why *why)
{
    *out = NULL;
    mp_err err = check(opt, why);
    if (err)
        return err;
    mp_jobs *j = mp_xcalloc(1, sizeof *j);
    uint32_t born;
    j->meta = opt->meta;
    j->threads = opt->threads;
    j->lease_ms = opt->lease_ms ? opt->lease_ms : 30000;
    j->poll_ms = opt->poll_ms ? opt->poll_ms : 1000;
    j->retry_base_ms = opt->retry_base_ms ? opt->retry_base_ms : 2000;
    j->retry_cap_ms = opt->retry_cap_ms ? opt->retry_cap_ms : 600000;
    mp_random_bytes(&born, sizeof born);
    mp_random_bytes(&j->rng, sizeof j->rng);
    /* A restarted process may have the same name, but never the same leases. */
    snprintf(j->owner, sizeof j->owner, "%.100s.%08x", opt->owner, born);
    j->arena = mp_arena_new(0);
    copy_handlers(j, opt);
    set_up_waiting(j);
    int code = pthread_create(&j->watch, NULL, mp_jobs_watch, j);
    if (code) {
        release(j);
        return mp_fail(why, MP_NOMEM, "cannot start the worker: %s", strerror(code));
    }
    *out = j;
    return MP_OK;
}

void mp_jobs_wait(mp_jobs *j, pthread_cond_t *condition, int64_t ms)
{
    (void)mp_cond_wait_until(condition, &j->mutex, mp_monotonic_s() + (double)ms * 1e-3);
}

int64_t mp_jobs_retry_time(const mp_jobs *j, int attempts, mp_rng *rng)
{
    return mp_now_ms() +
           mp_retry_delay_ms(attempts, j->retry_base_ms, j->retry_cap_ms, mp_rng_unit(rng));
}

void mp_jobs_wake(mp_jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    j->generation++;
    pthread_cond_broadcast(&j->news);
    pthread_mutex_unlock(&j->mutex);
}

/* How many are beyond `least`; the mutex is held. */
static size_t busy(const mp_jobs *j, run_state least)
{
    size_t n = 0;
    for (const worker *w = j->workers; w; w = w->next)
        n += w->state >= least;
    return n;
}

size_t mp_jobs_running(mp_jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    size_t n = busy(j, RUN_ACTIVE);
    pthread_mutex_unlock(&j->mutex);
    return n;
}

mp_err mp_jobs_drain(mp_jobs *j, int64_t wait_ms, mp_why *why)
{
    double end_s = mp_monotonic_s() + (double)wait_ms / 1000;
    pthread_mutex_lock(&j->mutex);
    atomic_store(&j->draining, true);
    pthread_cond_broadcast(&j->news);
    size_t left;
    while ((left = busy(j, RUN_TAKING)) > 0) {
        double rest_s = end_s - mp_monotonic_s();
        if (rest_s <= 0)
            break;
        mp_jobs_wait(j, &j->quiet, (int64_t)(rest_s * 1000) + 1);
    }
    pthread_mutex_unlock(&j->mutex);
    return left ? mp_fail(why, MP_TIMEOUT, "%zu jobs still run", left) : MP_OK;
}

void mp_jobs_close(mp_jobs *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->mutex);
    atomic_store(&j->draining, true);
    j->closing = true;
    pthread_cond_broadcast(&j->news);
    pthread_cond_broadcast(&j->tick);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->watch, NULL);
    release(j);
}
