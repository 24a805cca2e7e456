/* jobs.h - the worker: threads that take jobs from the metadata store and run their handlers.
 *
 * At least once: a job whose worker dies is taken again when its lease runs out, so a handler must
 * bear a second run (by keys, by looking first, by replacing whole). While a handler runs, another
 * thread extends its lease, writes down its progress and sees whether somebody cancelled it. The
 * same thread fires the schedules. Several workers, in one process or many, share one queue.
 *
 * Handlers are asked to stop, never made to: mp_job_progress says when. One that does not stop at
 * its hard limit loses its job (it is tried again elsewhere, and what the handler brings at last is
 * ignored), and another thread takes its place. */
#ifndef MP_JOBS_H
#define MP_JOBS_H

#include "base/os.h"
#include "meta/jobs.h"

typedef struct mp_jobs mp_jobs;       /* opaque */
typedef struct mp_job_run mp_job_run; /* one run of one job; valid while its handler runs */

/* Does the work. Writes the result, JSON or nothing, to `result`. What it returns decides:
 *   OK                                        completed
 *   INVALID, UNSUPPORTED, NOT_FOUND, CORRUPT  failed for good: the input is what is wrong
 *   CANCELLED                                 when it was asked to stop: cancelled, tried again
 *                                             (soft limit) or given back (drain)
 *   any other                                 tried again, until the attempts are used up
 * `why` becomes the job's error. */
typedef mp_err (*mp_job_fn)(mp_job_run *run, void *context, mp_buf *result, mp_why *why);

typedef struct mp_job_handler {
    const char *type;
    mp_job_fn run;
    void *context;    /* the caller's; must outlive the worker */
    int limit;        /* how many at once, over all processes; 0: any number */
    int max_attempts; /* of jobs that do not say; 0: MP_JOB_ATTEMPTS */
    int64_t soft_ms;  /* after this it is asked to stop; 0: never */
    int64_t hard_ms;  /* after this its job is taken away; 0: never */
} mp_job_handler;

typedef struct mp_jobs_options {
    mp_meta *meta;     /* must outlive the worker */
    const char *owner; /* names this worker in leases and logs: host and process */
    const mp_job_handler *handlers;
    size_t n_handlers;     /* at most 64 */
    int threads;           /* 1 to 64 */
    int64_t lease_ms;      /* 0: 30 s */
    int64_t poll_ms;       /* how often an idle thread looks; 0: 1 s */
    int64_t retry_base_ms; /* 0: 2 s */
    int64_t retry_cap_ms;  /* 0: 10 minutes */
} mp_jobs_options;

/* Copies the options and starts. Errors: INVALID, NOMEM (no threads). */
MP_CHECK mp_err mp_jobs_open(mp_jobs **out, const mp_jobs_options *opt, mp_why *why);
/* There is a new job: look now, not at the next poll. Any thread. */
void mp_jobs_wake(mp_jobs *j);
/* How many handlers run now, those beyond their hard limit included. Any thread. */
size_t mp_jobs_running(mp_jobs *j);
/* Takes no more jobs, asks the running handlers to stop and waits for them at most wait_ms. Jobs of
 * handlers that stopped for this are queued again and the attempt does not count. TIMEOUT: some
 * still run; then the process should end without mp_jobs_close: their leases run out. */
MP_CHECK mp_err mp_jobs_drain(mp_jobs *j, int64_t wait_ms, mp_why *why);
/* Drains and waits for every handler, however long it takes. NULL allowed. */
void mp_jobs_close(mp_jobs *j);

/* ---- for handlers; any thread of theirs ---- */

/* type, params, project_id, user_id, attempts as they were when the lease was taken. */
const mp_job *mp_job_of(const mp_job_run *run);
/* Notes how far it is. True: stop soon and return MP_CANCELLED (it was cancelled, its lease is
 * lost, its soft limit is over, or the worker drains). Cheap: a few atomics, written down later. */
bool mp_job_progress(mp_job_run *run, int64_t done, int64_t total);
/* A line for the job's log; at most 1,000 bytes. Writes at once, so not in inner loops. */
void mp_job_log(mp_job_run *run, mp_log_level level, const char *format, ...) MP_PRINTF(3, 4);

#endif
