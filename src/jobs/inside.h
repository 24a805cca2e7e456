/* inside.h - the worker's inside, shared by the files of this room alone.
 *
 * Threads: one `watch` (watch.c) starts, replaces and joins the workers, extends leases and fires
 * schedules; each worker (run.c) takes a job, runs it and writes how it went. The list of workers
 * is changed by the watch alone, under the mutex; so the watch may walk it without, others with it.
 *
 * A run's outcome is written once: by whoever moves its state on from ACTIVE. That is its worker
 * (ENDING) or, at the hard limit, the watch (ABANDONED). A worker whose run was abandoned ends when
 * the handler comes back at last. */
#ifndef MP_JOBS_INSIDE_H
#define MP_JOBS_INSIDE_H

#include "jobs/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    MAX_HANDLERS = 64,
    MAX_THREADS = 64,
    MAX_ABANDONED = 64, /* beyond this, threads that hang are not replaced any more */
    OWNER_BYTES = 150   /* below MP_JOB_NAME_MAX */
};

typedef enum run_state {
    RUN_NONE,     /* waits for work */
    RUN_TAKING,   /* asks for a lease */
    RUN_ACTIVE,   /* its handler runs */
    RUN_ENDING,   /* its outcome is being written */
    RUN_ABANDONED /* its handler runs on, its job is gone */
} run_state;

struct mp_job_run {
    mp_jobs *jobs;
    const mp_job_handler *handler;
    mp_job job; /* in its worker's arena; constant while the handler runs */
    char owner[OWNER_BYTES];
    double soft_s, hard_s; /* monotonic; 0: never */
    _Atomic int64_t done, total;
    atomic_bool cancelled, lost, late; /* late: it was told that the soft limit is over */
};

typedef struct worker {
    mp_jobs *jobs;
    pthread_t thread;
    mp_job_run run;
    mp_arena *arena; /* its thread's */
    mp_rng rng;      /* its thread's */
    /* Guarded by jobs->mutex: */
    run_state state;
    uint64_t turn; /* tells one run from the next */
    double beat_s, look_s;
    int64_t done, total; /* as written down last */
    bool over;           /* its thread does nothing more */
    struct worker *next; /* changed by the watch alone */
} worker;

struct mp_jobs {
    mp_meta *meta;
    char owner[OWNER_BYTES - 32];
    mp_job_handler handlers[MAX_HANDLERS];
    mp_job_kind kinds[MAX_HANDLERS];
    size_t n_handlers;
    int threads;
    int64_t lease_ms, poll_ms, retry_base_ms, retry_cap_ms;
    pthread_t watch;
    mp_arena *arena; /* the watch's */
    mp_rng rng;      /* the watch's */
    atomic_bool draining;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t news;   /* there may be work, or draining began */
    pthread_cond_t quiet;  /* a run ended */
    pthread_cond_t tick;   /* the watch should look */
    uint64_t generation;   /* of news */
    uint64_t turns;
    bool closing;
    worker *workers;
};

/* The threads' mains. */
void *mp_jobs_work(void *worker_of);
void *mp_jobs_watch(void *jobs);
/* Waits on a condition of a worker for at most ms; the mutex is held. */
void mp_jobs_wait(mp_jobs *j, pthread_cond_t *condition, int64_t ms);
int64_t mp_jobs_retry_time(const mp_jobs *j, int attempts, mp_rng *rng);

#endif
