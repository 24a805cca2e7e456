/* work.h - what the handlers of jobs share; inside the service room. */
#ifndef MP_SERVICE_WORK_H
#define MP_SERVICE_WORK_H

#include "service/worker.h"

#include <jansson.h>

struct mp_worker {
    mp_worker_options opt;
    mp_jobs *jobs;
    struct mp_subscribers *subscribers;
    mp_job_handler *handlers;
    struct mp_work_call *calls;
    size_t n;
};

/* A handler as the table has it: params are an object, the result may be NULL. */
typedef mp_err (*mp_work_run)(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                              mp_why *why);
typedef mp_err (*mp_work_check)(const json_t *params, const mp_net_allow *allow, mp_why *why);

mp_err mp_work_processing(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                          mp_why *why);
mp_err mp_work_export(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                      mp_why *why);
mp_err mp_work_notify(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                      mp_why *why);
mp_err mp_work_clean(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                     mp_why *why);
/* Of operation deduplicate; reads its own members of params. */
mp_err mp_work_dedup(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                     mp_why *why);
mp_err mp_check_dedup(const json_t *params, mp_why *why);
mp_err mp_check_processing(const json_t *params, const mp_net_allow *allow, mp_why *why);
mp_err mp_check_export(const json_t *params, const mp_net_allow *allow, mp_why *why);
mp_err mp_check_notify(const json_t *params, const mp_net_allow *allow, mp_why *why);
mp_err mp_check_clean(const json_t *params, const mp_net_allow *allow, mp_why *why);

mp_err mp_work_use_model(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                         mp_why *why);
mp_err mp_work_fetch_model(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                           mp_why *why);

mp_err mp_work_index_product(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                             mp_why *why);
mp_err mp_work_batch_index(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                           mp_why *why);
mp_err mp_work_reindex_products(mp_worker *w, mp_job_run *run, const json_t *params,
                                json_t **result, mp_why *why);
mp_err mp_check_index_product(const json_t *params, const mp_net_allow *allow, mp_why *why);
mp_err mp_check_batch_index(const json_t *params, const mp_net_allow *allow, mp_why *why);
mp_err mp_check_reindex_products(const json_t *params, const mp_net_allow *allow, mp_why *why);

/* One member of a job's params. */
typedef struct mp_param {
    const char *name;
    json_type type; /* JSON_TRUE: either boolean; JSON_REAL: any number */
    bool required;
} mp_param;
/* INVALID with the member's name: unknown, missing or of another type. */
MP_CHECK mp_err mp_work_params(const json_t *params, const mp_param *list, size_t n, mp_why *why);
/* "" when absent. */
const char *mp_work_text(const json_t *params, const char *name);
/* The library's progress callback for a run; context is the mp_job_run. */
bool mp_work_progress(void *run, const magpie_progress *p);
/* A filter that keeps to the job's project (0: all), in the arena. */
MP_CHECK mp_err mp_work_scope(const mp_job *job, const char *where, mp_arena *arena,
                              const char **out, mp_why *why);

/* ---- subscribers.c ---- */
struct mp_subscribers *mp_subscribers_open(mp_worker *w);
void mp_subscribers_close(struct mp_subscribers *s); /* NULL allowed */

#endif
