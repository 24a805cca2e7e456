/* watch.c - the thread that keeps the others going: starts and joins workers, extends leases, sees
 * cancelled and lost jobs, takes jobs from handlers beyond their hard limit, fires schedules. */
#include "jobs/inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- the workers ---- */

static worker *start_worker(mp_jobs *j)
{
    worker *w = mp_xcalloc(1, sizeof *w);
    w->jobs = w->run.jobs = j;
    w->arena = mp_arena_new(0);
    mp_random_bytes(&w->rng, sizeof w->rng);
    int code = pthread_create(&w->thread, NULL, mp_jobs_work, w);
    if (code == 0)
        return w;
    mp_log(MP_LOG_ERROR, "no thread for jobs: %s", strerror(code)); /* the next tick tries again */
    mp_arena_free(w->arena);
    free(w);
    return NULL;
}

/* Joins the workers that are over. */
static void reap(mp_jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    for (worker **at = &j->workers; *at;) {
        worker *w = *at;
        if (!w->over) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        pthread_join(w->thread, NULL); /* it only has to let the mutex go: it has by now */
        mp_arena_free(w->arena);
        free(w);
    }
    pthread_mutex_unlock(&j->mutex);
}

/* As many workers as there should be, besides those that hang. */
static void fill(mp_jobs *j)
{
    int able = 0, hanging = 0;
    pthread_mutex_lock(&j->mutex);
    for (const worker *w = j->workers; w; w = w->next)
        *(w->state == RUN_ABANDONED ? &hanging : &able) += 1;
    while (able < j->threads && hanging < MAX_ABANDONED && !atomic_load(&j->draining)) {
        worker *w = start_worker(j);
        if (!w)
            break;
        w->next = j->workers;
        j->workers = w;
        able++;
    }
    pthread_mutex_unlock(&j->mutex);
}

/* ---- one run ---- */

/* What the watch knows of a run; its handler may end while the store is asked. */
typedef struct sight {
    worker *w;
    uint64_t turn;
    int64_t job_id, done, total;
    int attempts;
    char owner[OWNER_BYTES];
    bool too_long, beat, look;
} sight;

/* Looks at a worker; at the hard limit its run is claimed here. False: there is nothing to do. */
static bool see(mp_jobs *j, worker *w, sight *out)
{
    double now_s = mp_monotonic_s(), beat_s = (double)j->lease_ms / 3000;
    *out = (sight){.w = w};
    pthread_mutex_lock(&j->mutex);
    if (w->state == RUN_ACTIVE || w->state == RUN_ENDING) {
        mp_job_run *run = &w->run;
        out->turn = w->turn;
        out->job_id = run->job.id;
        out->attempts = run->job.attempts;
        out->done = atomic_load(&run->done);
        out->total = atomic_load(&run->total);
        memcpy(out->owner, run->owner, sizeof out->owner);
        out->too_long = w->state == RUN_ACTIVE && run->hard_s > 0 && now_s >= run->hard_s;
        bool news = out->done != w->done || out->total != w->total;
        out->beat = now_s - w->beat_s >= (news ? MP_MIN(beat_s, 1) : beat_s);
        out->look = now_s - w->look_s >= MP_MIN(beat_s, 1);
        if (out->too_long) {
            w->state = RUN_ABANDONED;
            atomic_store(&run->lost, true);
        }
    }
    pthread_mutex_unlock(&j->mutex);
    return out->too_long || out->beat || out->look;
}

/* Once: should the store be busy, the lease runs out instead. */
static void take_away(mp_jobs *j, const sight *s)
{
    mp_why why = {0};
    mp_job_end end = {.job_id = s->job_id,
                      .owner = s->owner,
                      .outcome = MP_JOB_RETRY,
                      .text = "it did not end within its hard limit",
                      .now_ms = mp_now_ms(),
                      .retry_ms = mp_jobs_retry_time(j, s->attempts, &j->rng)};
    mp_log(MP_LOG_ERROR, "job %lld: its handler hangs", (long long)s->job_id);
    if (mp_meta_end_job(j->meta, &end, &why))
        mp_log(MP_LOG_WARN, "job %lld: %s", (long long)s->job_id, why.text);
}

/* Asks the store, by a write where the lease or the progress needs one, else by a read. */
static mp_err ask_store(mp_jobs *j, const sight *s, bool *cancel, bool *lost, mp_why *why)
{
    mp_err err;
    *cancel = *lost = false;
    if (s->beat) {
        mp_job_beat beat = {s->job_id, s->owner, mp_now_ms() + j->lease_ms, s->done, s->total};
        err = mp_meta_beat_job(j->meta, &beat, cancel, why);
    } else {
        mp_job job;
        err = mp_meta_get_job(j->meta, s->job_id, j->arena, &job, why);
        *cancel = !err && job.cancel_requested;
        *lost = !err && (job.status != MP_JOB_PROCESSING || strcmp(job.lease_owner, s->owner) != 0);
        mp_arena_reset(j->arena);
    }
    *lost = *lost || err == MP_NOT_FOUND;
    return *lost ? MP_OK : err;
}

static void tend(mp_jobs *j, const sight *s)
{
    mp_why why = {0};
    bool cancel, lost;
    double now_s = mp_monotonic_s();
    mp_err err = ask_store(j, s, &cancel, &lost, &why);
    pthread_mutex_lock(&j->mutex);
    worker *w = s->w;
    if (w->turn == s->turn && (w->state == RUN_ACTIVE || w->state == RUN_ENDING)) {
        w->look_s = now_s;
        if (!err && s->beat) {
            w->beat_s = now_s;
            w->done = s->done;
            w->total = s->total;
        }
        /* A lease that could not be extended in time may be another's by now. */
        if (err && now_s - w->beat_s > (double)j->lease_ms / 1000)
            lost = true;
        if (cancel)
            atomic_store(&w->run.cancelled, true);
        if (lost)
            atomic_store(&w->run.lost, true);
    }
    pthread_mutex_unlock(&j->mutex);
    if (err)
        mp_log(MP_LOG_WARN, "job %lld: %s", (long long)s->job_id, why.text);
}

/* ---- the loop ---- */

static void fire_schedules(mp_jobs *j)
{
    mp_why why = {0};
    size_t n;
    if (mp_meta_fire_schedules(j->meta, mp_now_ms(), &n, &why))
        mp_log(MP_LOG_WARN, "the schedules: %s", why.text);
    if (n)
        mp_jobs_wake(j);
}

/* Waits for the next tick, longer where nothing runs; false when all is over. */
static bool next_tick(mp_jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    bool more = !j->closing || j->workers;
    bool to_join = false, runs = false;
    for (const worker *w = j->workers; w; w = w->next) {
        to_join |= w->over;
        runs |= w->state == RUN_ACTIVE || w->state == RUN_ENDING;
    }
    if (more && !to_join)
        mp_jobs_wait(j, &j->tick, MP_MAX(MP_MIN(j->lease_ms / 10, runs ? 100 : 1000), 1));
    pthread_mutex_unlock(&j->mutex);
    return more;
}

void *mp_jobs_watch(void *context)
{
    mp_jobs *j = context;
    double fired_s = 0;
    do {
        sight s;
        reap(j);
        fill(j);
        for (worker *w = j->workers; w; w = w->next) {
            if (!see(j, w, &s))
                continue;
            if (s.too_long)
                take_away(j, &s);
            else
                tend(j, &s);
        }
        if (mp_monotonic_s() - fired_s >= 1 && !atomic_load(&j->draining)) {
            fire_schedules(j);
            fired_s = mp_monotonic_s();
        }
    } while (next_tick(j));
    return NULL;
}
