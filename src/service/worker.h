/* worker.h - the slow work of a served library: which types of jobs there are and what they do.
 *
 *   worker.c         the table of types; schedules; opening and closing
 *   work_library.c   processing: reindex, thumbnails, odd ones; work_dedup.c duplicates
 *   work_export.c    export: a ZIP file that waits to be downloaded
 *   work_notify.c    notification: mail and signed webhooks
 *   work_products.c  index_product, batch_index_products, reindex_all_products
 *   work_clean.c     cleanup: what is past its time
 *   work_models.c    use_model, fetch_model: another model for the library
 *   subscribers.c    what follows events: notifications, the audit log, daily figures
 *
 * Every handler bears a second run: it looks first, replaces whole, or is harmless twice (a mail
 * can be sent twice, never lost). Runs inside `magpie serve` or beside it as `magpie worker`. */
#ifndef MP_WORKER_H
#define MP_WORKER_H

#include "magpie.h"

#include "jobs/jobs.h"
#include "net/mail.h"

typedef struct mp_worker mp_worker; /* opaque */

typedef struct mp_worker_options {
    magpie *library;           /* must outlive the worker */
    int threads;               /* 0: 2 */
    mp_mail_server mail;       /* url NULL: none */
    const mp_net_allow *allow; /* hosts that downloads and webhooks may reach although private */
    int64_t keep_days;         /* of ended jobs, events, exports; 0: 30 */
    /* Brings the files of a model; asks mp_job_progress whether to stop. NULL: none can be brought.
     */
    mp_err (*fetch_model)(void *context, const char *id, mp_job_run *run, mp_why *why);
    void *fetch_context;
    /* After each run of a job, for metrics; any thread. NULL allowed. */
    void (*on_job)(void *context, const char *type, bool failed, double seconds);
    void *context;
} mp_worker_options;

/* Copies the options (texts stay the caller's). Errors: INVALID, NOMEM. */
MP_CHECK mp_err mp_worker_open(mp_worker **out, const mp_worker_options *opt, mp_why *why);
/* A job was added: look now. */
void mp_worker_wake(mp_worker *w);
/* As mp_jobs_drain, and the subscribers are stopped. */
MP_CHECK mp_err mp_worker_drain(mp_worker *w, int wait_ms, mp_why *why);
void mp_worker_close(mp_worker *w); /* NULL allowed */

/* Is this a type of job that people may ask for, and are these its params? allow: see the options.
 * INVALID with the name of the member. */
MP_CHECK mp_err mp_worker_check(const char *type, const char *params, const mp_net_allow *allow,
                                mp_why *why);

/* Where an export lies: <library>/exports/<job>.zip. */
void mp_export_path(magpie *library, int64_t job_id, char *out, size_t cap);

#endif
