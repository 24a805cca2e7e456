/* run.c - a worker's thread: takes a job, runs its handler, writes how it went. */
#include "jobs/inside.h"
#include "jobs/retry.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what a handler may ask ---- */

const mp_job *mp_job_of(const mp_job_run *run)
{
    return &run->job;
}

bool mp_job_progress(mp_job_run *run, int64_t done, int64_t total)
{
    atomic_store(&run->done, done);
    atomic_store(&run->total, total);
    if (run->soft_s > 0 && mp_monotonic_s() >= run->soft_s)
        atomic_store(&run->late, true);
    return atomic_load(&run->cancelled) || atomic_load(&run->lost) || atomic_load(&run->late) ||
           atomic_load(&run->jobs->draining);
}

void mp_job_log(mp_job_run *run, mp_log_level level, const char *format, ...)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    char text[1001];
    mp_why why = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mp_job_line line = {.job_id = run->job.id, .level = words[level], .text = text};
    if (mp_meta_log_job(run->jobs->meta, &line, &why))
        mp_log(MP_LOG_WARN, "job %lld: its log: %s", (long long)run->job.id, why.text);
}

/* ---- taking ---- */

static const mp_job_handler *handler_of(const mp_jobs *j, const char *type)
{
    const mp_job_handler *h = j->handlers;
    while (strcmp(h->type, type) != 0) /* only these were asked for */
        h++;
    return h;
}

/* False when no more work is to be begun. */
static bool begin_taking(worker *w, uint64_t *generation)
{
    mp_jobs *j = w->jobs;
    pthread_mutex_lock(&j->mutex);
    bool go = !atomic_load(&j->draining);
    if (go) {
        w->state = RUN_TAKING;
        w->turn = ++j->turns;
        *generation = j->generation;
        snprintf(w->run.owner, sizeof w->run.owner, "%s#%llu", j->owner,
                 (unsigned long long)w->turn);
    }
    pthread_mutex_unlock(&j->mutex);
    return go;
}

static void begin_run(worker *w, const mp_job *job)
{
    mp_jobs *j = w->jobs;
    mp_job_run *run = &w->run;
    double now_s = mp_monotonic_s();
    pthread_mutex_lock(&j->mutex);
    run->job = *job;
    run->handler = handler_of(j, job->type);
    run->soft_s = run->handler->soft_ms > 0 ? now_s + (double)run->handler->soft_ms / 1000 : 0;
    run->hard_s = run->handler->hard_ms > 0 ? now_s + (double)run->handler->hard_ms / 1000 : 0;
    atomic_store(&run->done, 0);
    atomic_store(&run->total, 0);
    atomic_store(&run->cancelled, job->cancel_requested);
    atomic_store(&run->lost, false);
    atomic_store(&run->late, false);
    w->state = RUN_ACTIVE;
    w->beat_s = w->look_s = now_s;
    w->done = w->total = 0;
    j->generation++; /* where one was there may be more: each that finds one wakes the next */
    pthread_cond_signal(&j->news);
    pthread_cond_signal(&j->tick);
    pthread_mutex_unlock(&j->mutex);
}

static bool take(worker *w)
{
    mp_jobs *j = w->jobs;
    mp_why why = {0};
    mp_job job;
    mp_job_ask ask = {j->kinds, j->n_handlers, w->run.owner, mp_now_ms(), j->lease_ms};
    mp_err err = mp_meta_lease_job(j->meta, &ask, w->arena, &job, &why);
    if (err)
        mp_log(MP_LOG_WARN, "no job could be taken: %s", why.text);
    if (err || !job.id)
        return false;
    begin_run(w, &job);
    return true;
}

static void rest(worker *w, uint64_t generation)
{
    mp_jobs *j = w->jobs;
    pthread_mutex_lock(&j->mutex);
    w->state = RUN_NONE;
    pthread_cond_broadcast(&j->quiet);
    if (j->generation == generation && !atomic_load(&j->draining))
        mp_jobs_wait(j, &j->news, j->poll_ms);
    pthread_mutex_unlock(&j->mutex);
}

/* ---- ending ---- */

static mp_job_outcome outcome_of(const mp_job_run *run, mp_err err)
{
    if (err == MP_OK)
        return MP_JOB_DONE;
    if (err == MP_CANCELLED && atomic_load(&run->cancelled))
        return MP_JOB_STOP;
    if (err == MP_CANCELLED && !atomic_load(&run->late) && atomic_load(&run->jobs->draining))
        return MP_JOB_GIVE_BACK;
    return mp_retry_is_useless(err) ? MP_JOB_FAIL : MP_JOB_RETRY;
}

/* Work that was done should not be done again because the store was busy: tries for as long as the
 * lease could last. */
static void write_end(mp_jobs *j, mp_job_end *end)
{
    double give_up_s = mp_monotonic_s() + (double)j->lease_ms / 1000;
    useconds_t pause_us = 10000;
    mp_why why = {0}, bad_result;
    for (;;) {
        mp_err err = mp_meta_end_job(j->meta, end, &why);
        if (!err)
            return;
        bool useless = mp_retry_is_useless(err); /* NOT_FOUND: the lease is lost */
        if (end->outcome == MP_JOB_DONE && (err == MP_INVALID || err == MP_TOO_BIG)) {
            bad_result = why;
            end->outcome = MP_JOB_FAIL; /* the result is none that can be kept */
            end->text = bad_result.text;
        } else if (useless || mp_monotonic_s() > give_up_s) {
            mp_log(MP_LOG_WARN, "job %lld: its outcome was not written: %s", (long long)end->job_id,
                   why.text);
            return;
        } else {
            usleep(pause_us);
            pause_us = MP_MIN(pause_us * 2, 500000);
        }
    }
}

/* False when the watch has given the job away: then the outcome is nobody's. */
static bool claim_end(worker *w)
{
    pthread_mutex_lock(&w->jobs->mutex);
    bool mine = w->state == RUN_ACTIVE;
    if (mine)
        w->state = RUN_ENDING;
    pthread_mutex_unlock(&w->jobs->mutex);
    return mine;
}

static void end_run(worker *w, mp_err err, mp_buf *result, mp_why *why)
{
    mp_jobs *j = w->jobs;
    const mp_job_run *run = &w->run;
    mp_job_end end = {.job_id = run->job.id,
                      .owner = run->owner,
                      .outcome = outcome_of(run, err),
                      .now_ms = mp_now_ms(),
                      .retry_ms = mp_jobs_retry_time(j, run->job.attempts, &w->rng)};
    if (err && !why->text[0])
        mp_fail(why, err, "%s", atomic_load(&run->late) ? "it took too long" : mp_err_word(err));
    end.text = err ? why->text : (result->n ? result->p : "");
    write_end(j, &end);
}

/* Runs the job that was taken. False when the thread is not wanted any more. */
static bool run_job(worker *w)
{
    mp_jobs *j = w->jobs;
    mp_buf result = {0};
    mp_why why = {0};
    mp_err err = MP_CANCELLED; /* draining began or somebody cancelled since it was taken */
    if (!mp_job_progress(&w->run, 0, 0))
        err = w->run.handler->run(&w->run, w->run.handler->context, &result, &why);
    bool mine = claim_end(w);
    if (mine)
        end_run(w, err, &result, &why);
    else
        mp_log(MP_LOG_WARN, "job %lld: its handler came back after the hard limit",
               (long long)w->run.job.id);
    mp_buf_free(&result);
    mp_arena_reset(w->arena);
    pthread_mutex_lock(&j->mutex);
    w->state = RUN_NONE;
    pthread_cond_broadcast(&j->quiet);
    pthread_mutex_unlock(&j->mutex);
    return mine;
}

void *mp_jobs_work(void *context)
{
    worker *w = context;
    mp_jobs *j = w->jobs;
    uint64_t generation;
    bool wanted = true;
    while (wanted && begin_taking(w, &generation)) {
        if (take(w))
            wanted = run_job(w);
        else
            rest(w, generation);
    }
    pthread_mutex_lock(&j->mutex);
    w->over = true;
    pthread_cond_broadcast(&j->tick); /* to be joined */
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}
