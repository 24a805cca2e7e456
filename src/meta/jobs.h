/* jobs.h - work that outlives the process that asked for it: the part of the metadata port that
 * holds the queue of jobs, their logs and their schedules.
 *
 * A job is queued -> processing -> completed, failed, cancelled or dead. Whoever takes one holds it
 * by a lease that must be extended in time; a job whose lease ran out is taken again, so that each
 * runs at least once whoever dies, and handlers must bear a second run. Attempts count the leases;
 * a job that has used them up is dead until it is replayed. An outcome is accepted from the holder
 * of the lease alone: a late worker cannot overwrite what another found.
 *
 * As durable as all of the port; any thread, several processes (of one machine: they share a
 * clock). Times are Unix milliseconds and come from the caller. */
#ifndef MP_META_JOBS_H
#define MP_META_JOBS_H

#include "meta/meta.h"

enum {
    MP_JOB_TEXT_MAX = 1 << 20, /* bytes of params and of a result */
    MP_JOB_NAME_MAX = 200,     /* bytes of a type, a key, an owner, a schedule's name */
    MP_JOB_PAGE_MAX = 1000,    /* rows of one list */
    MP_JOB_LOG_MAX = 1000,     /* lines kept of one job, the last ones */
    MP_JOB_ATTEMPTS = 5        /* where nobody says how many */
};

typedef enum mp_job_status {
    MP_JOB_QUEUED = 1,
    MP_JOB_PROCESSING,
    MP_JOB_COMPLETED,
    MP_JOB_FAILED,    /* for good: another attempt would fail the same way */
    MP_JOB_CANCELLED, /* before it ran or while it ran */
    MP_JOB_DEAD       /* dead letter: all attempts are used up */
} mp_job_status;
/* "queued", ...: the words of the store and of JSON. Static storage. */
const char *mp_job_status_word(mp_job_status s);
/* 0 for a word that is none. */
mp_job_status mp_job_status_of(const char *word);

typedef struct mp_job {
    int64_t id;
    int64_t project_id; /* 0: of none */
    int64_t user_id;    /* 0: of the system */
    const char *type;   /* "export", ... */
    mp_job_status status;
    int priority;       /* higher first */
    const char *params; /* JSON */
    const char *result; /* JSON, or "" */
    const char *error;  /* of the last attempt that failed, or "" */
    int attempts, max_attempts;
    int64_t run_at_ms;       /* not before */
    const char *lease_owner; /* "": nobody */
    int64_t lease_until_ms;
    int64_t progress_done, progress_total;
    int64_t created_ms, started_ms, finished_ms; /* 0: not yet; started: the last attempt */
    bool cancel_requested;
    const char *key; /* idempotency key, or "" */
} mp_job;

/* Of *job it takes project_id, user_id, type, priority, params (NULL or "": {}), max_attempts (0:
 * the first to take it says), run_at_ms (0: at once), created_ms (0: now) and key (NULL or "":
 * none). A user's key names one job while that is kept: adding it again gives its id with *existed
 * true (NULL allowed). Errors: EXISTS (the key was used for another type or other params), INVALID,
 * TOO_BIG. */
MP_CHECK mp_err mp_meta_add_job(mp_meta *m, const mp_job *job, int64_t *id, bool *existed,
                                mp_why *why);
/* Strings in `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_job(mp_meta *m, int64_t id, mp_arena *arena, mp_job *out, mp_why *why);

typedef struct mp_job_query {
    const int64_t *projects; /* NULL: all jobs; else of these alone (0: those of none) */
    size_t n_projects;
    mp_job_status status; /* 0: any */
    const char *type;     /* NULL: any */
    int64_t before;       /* ids below this; 0: from the newest */
    size_t limit;         /* at most MP_JOB_PAGE_MAX */
} mp_job_query;
/* The newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_jobs(mp_meta *m, const mp_job_query *query, mp_arena *arena,
                                  mp_job **out, size_t *n, mp_why *why);

typedef struct mp_job_count {
    const char *type;
    mp_job_status status;
    uint64_t n;
} mp_job_count;
/* By type, then status; what there is none of is left out. In `arena`. */
MP_CHECK mp_err mp_meta_count_jobs(mp_meta *m, mp_arena *arena, mp_job_count **out, size_t *n,
                                   mp_why *why);
/* For how long the job that waits longest has been due; 0 when none waits. */
MP_CHECK mp_err mp_meta_oldest_job(mp_meta *m, int64_t now_ms, int64_t *age_ms, mp_why *why);

/* ---- taking jobs and telling how they went ---- */

typedef struct mp_job_kind {
    const char *type;
    int limit;        /* how many may be held at once, by anybody; 0: any number */
    int max_attempts; /* for jobs that do not say; 0: MP_JOB_ATTEMPTS */
} mp_job_kind;
typedef struct mp_job_ask {
    const mp_job_kind *kinds;
    size_t n_kinds;
    const char *owner; /* names this one lease: never use a name twice */
    int64_t now_ms, lease_ms;
} mp_job_ask;
/* Takes the due job of the highest priority, of these the one due first, of these the oldest; of
 * the kinds asked for and within their limits. Jobs whose lease ran out go back to the queue first
 * (or are cancelled, or dead). out->id 0: there is nothing to do; that costs no write. */
MP_CHECK mp_err mp_meta_lease_job(mp_meta *m, const mp_job_ask *ask, mp_arena *arena, mp_job *out,
                                  mp_why *why);

typedef struct mp_job_beat {
    int64_t job_id;
    const char *owner;
    int64_t lease_until_ms; /* the new end */
    int64_t done, total;    /* progress */
} mp_job_beat;
/* Extends a lease; *cancel tells that somebody asked for the job's end. NOT_FOUND: the lease is
 * lost, another may have the job. */
MP_CHECK mp_err mp_meta_beat_job(mp_meta *m, const mp_job_beat *beat, bool *cancel, mp_why *why);

typedef enum mp_job_outcome {
    MP_JOB_DONE = 1, /* completed */
    MP_JOB_RETRY,    /* queued until retry_ms; dead when the attempts are used up */
    MP_JOB_FAIL,     /* failed: no attempt more */
    MP_JOB_STOP,     /* cancelled */
    MP_JOB_GIVE_BACK /* queued at once, and this attempt does not count */
} mp_job_outcome;
typedef struct mp_job_end {
    int64_t job_id;
    const char *owner;
    mp_job_outcome outcome;
    const char *text; /* DONE: the result (JSON or ""); RETRY, FAIL: the error */
    int64_t retry_ms, now_ms;
} mp_job_end;
/* Ends a lease. Where cancelling was asked for, RETRY and GIVE_BACK become STOP. Errors: NOT_FOUND
 * (the lease is lost; nothing changed), INVALID (the result is not JSON), TOO_BIG. */
MP_CHECK mp_err mp_meta_end_job(mp_meta *m, const mp_job_end *end, mp_why *why);

/* ---- what people do with jobs ---- */

/* A queued job is cancelled at once, one that runs is asked to stop; one that is cancelled already
 * is fine. Errors: NOT_FOUND, EXISTS (it has ended otherwise). */
MP_CHECK mp_err mp_meta_cancel_job(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why);
/* A failed, cancelled or dead job is queued again, all its attempts before it. Errors: NOT_FOUND,
 * EXISTS (it is none of these). */
MP_CHECK mp_err mp_meta_retry_job(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why);
/* The same for all dead ones; type NULL: of every type. */
MP_CHECK mp_err mp_meta_replay_jobs(mp_meta *m, const char *type, int64_t now_ms, uint64_t *n,
                                    mp_why *why);
/* Drops at most `limit` jobs that ended before a time, with logs and keys. */
MP_CHECK mp_err mp_meta_drop_jobs(mp_meta *m, int64_t before_ms, size_t limit, uint64_t *n,
                                  mp_why *why);

typedef struct mp_job_line {
    int64_t id; /* ignored when adding */
    int64_t job_id, at_ms;
    const char *level; /* "error", "warn", "info", "debug" */
    const char *text;
} mp_job_line;
/* Errors: NOT_FOUND (no such job), INVALID (no such level). */
MP_CHECK mp_err mp_meta_log_job(mp_meta *m, const mp_job_line *line, mp_why *why);
/* The lines after the id `after`, the oldest first, at most `limit`; in `arena`. */
MP_CHECK mp_err mp_meta_list_job_log(mp_meta *m, int64_t job_id, int64_t after, size_t limit,
                                     mp_arena *arena, mp_job_line **out, size_t *n, mp_why *why);

/* ---- schedules ---- */

typedef struct mp_schedule {
    const char *name, *type;
    const char *params; /* JSON; NULL or "": {} */
    int64_t every_s;
    int64_t next_ms; /* putting: 0 for one interval from now, or, where it is known, as it was */
    bool enabled;
} mp_schedule;
/* Adds or replaces. The next time is never more than one interval away. Errors: INVALID. */
MP_CHECK mp_err mp_meta_put_schedule(mp_meta *m, const mp_schedule *s, int64_t now_ms, mp_why *why);
/* By name; in `arena`. */
MP_CHECK mp_err mp_meta_list_schedules(mp_meta *m, mp_arena *arena, mp_schedule **out, size_t *n,
                                       mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_drop_schedule(mp_meta *m, const char *name, mp_why *why);
/* Adds one job for each enabled schedule whose time has come and moves its time beyond now; slots
 * that were missed are not made up for. Of several that call, one adds. *n: how many jobs. */
MP_CHECK mp_err mp_meta_fire_schedules(mp_meta *m, int64_t now_ms, size_t *n, mp_why *why);

#endif
