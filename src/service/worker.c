/* worker.c - see worker.h. */
#include "service/work.h"

#include "core/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t MINUTE_MS = 60 * 1000, HOUR_MS = 60 * 60 * 1000;

static const struct type_row {
    const char *type;
    mp_work_run run;
    mp_work_check check; /* NULL: not to be asked for by POST /api/jobs */
    int limit;           /* at once, over all processes */
    int attempts;
    int64_t soft_ms, hard_ms;
} types[] = {
    {"processing", mp_work_processing, mp_check_processing, 1, 3, 6 * HOUR_MS, 8 * HOUR_MS},
    {"export", mp_work_export, mp_check_export, 2, 3, 6 * HOUR_MS, 8 * HOUR_MS},
    {"notification", mp_work_notify, mp_check_notify, 4, 8, MINUTE_MS, 2 * MINUTE_MS},
    {"index_product", mp_work_index_product, mp_check_index_product, 4, 5, 2 * MINUTE_MS,
     3 * MINUTE_MS},
    {"batch_index_products", mp_work_batch_index, mp_check_batch_index, 2, 5, 2 * HOUR_MS,
     3 * HOUR_MS},
    {"reindex_all_products", mp_work_reindex_products, mp_check_reindex_products, 1, 3, 6 * HOUR_MS,
     8 * HOUR_MS},
    {"cleanup", mp_work_clean, mp_check_clean, 1, 3, HOUR_MS, 2 * HOUR_MS},
    /* A large library takes as long as it takes. */
    {"use_model", mp_work_use_model, NULL, 1, 3, 0, 0},
    {"fetch_model", mp_work_fetch_model, NULL, 1, 2, HOUR_MS, 2 * HOUR_MS},
};

/* One type's way from the worker room's handler to ours. */
typedef struct mp_work_call {
    mp_worker *w;
    const struct type_row *row;
} mp_work_call;

/* ---- what handlers share ---- */

mp_err mp_work_params(const json_t *params, const mp_param *list, size_t n, mp_why *why)
{
    const char *name;
    json_t *value;
    if (!json_is_object(params))
        return mp_fail(why, MP_INVALID, "params must be an object");
    json_object_foreach((json_t *)(uintptr_t)params, name, value)
    {
        const mp_param *known = NULL;
        for (size_t i = 0; i < n; i++)
            if (strcmp(list[i].name, name) == 0)
                known = &list[i];
        if (!known)
            return mp_fail(why, MP_INVALID, "params.%.60s is not known", name);
        bool fits = known->type == JSON_TRUE   ? json_is_boolean(value)
                    : known->type == JSON_REAL ? json_is_number(value)
                                               : json_typeof(value) == known->type;
        if (!fits)
            return mp_fail(why, MP_INVALID, "params.%s is of the wrong type", name);
    }
    for (size_t i = 0; i < n; i++)
        if (list[i].required && !json_object_get(params, list[i].name))
            return mp_fail(why, MP_INVALID, "params.%s is missing", list[i].name);
    return MP_OK;
}

const char *mp_work_text(const json_t *params, const char *name)
{
    const char *text = json_string_value(json_object_get(params, name));
    return text ? text : "";
}

bool mp_work_progress(void *run, const magpie_progress *p)
{
    return mp_job_progress(run, (int64_t)p->done, (int64_t)p->total);
}

mp_err mp_work_scope(const mp_job *job, const char *where, mp_arena *arena, const char **out,
                     mp_why *why)
{
    const mp_filter *own;
    mp_buf text = {0};
    *out = NULL;
    mp_err err = mp_filter_parse(where, arena, &own, why); /* on its own, before parentheses */
    if (err)
        return err;
    if (job->project_id)
        mp_buf_printf(&text, "project:%lld ", (long long)job->project_id);
    if (own)
        mp_buf_printf(&text, "(%s)", where);
    if (text.n) {
        *out = mp_arena_strdup(arena, (mp_str){text.p, text.n});
        err = *out ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the filter");
    }
    mp_buf_free(&text);
    return err;
}

/* ---- running ---- */

static mp_err run_job(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    const mp_work_call *call = context;
    const mp_worker_options *opt = &call->w->opt;
    json_t *answer = NULL, *params = json_loads(mp_job_of(run)->params, 0, NULL);
    double began = mp_monotonic_s();
    mp_err err = params ? call->row->run(call->w, run, params, &answer, why)
                        : mp_fail(why, MP_INVALID, "the params are not JSON");
    char *text = answer && !err ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (text)
        mp_buf_str(result, text);
    free(text);
    json_decref(answer);
    json_decref(params);
    if (err && err != MP_CANCELLED)
        mp_job_log(run, MP_LOG_ERROR, "%s", why->text);
    if (opt->on_job)
        opt->on_job(opt->context, call->row->type, err && err != MP_CANCELLED,
                    mp_monotonic_s() - began);
    return err;
}

mp_err mp_worker_check(const char *type, const char *params, const mp_net_allow *allow, mp_why *why)
{
    for (size_t i = 0; i < MP_COUNT(types); i++) {
        if (strcmp(types[i].type, type) != 0 || !types[i].check)
            continue;
        json_t *p = json_loads(*params ? params : "{}", 0, NULL);
        mp_err err =
            p ? types[i].check(p, allow, why) : mp_fail(why, MP_INVALID, "params is not JSON");
        json_decref(p);
        return err;
    }
    return mp_fail(why, MP_INVALID,
                   "type must be one of processing, export, notification, cleanup, "
                   "index_product, batch_index_products, reindex_all_products");
}

/* Once a day what is past its time goes; an hour after the first start, so that a look around does
 * not begin with it. */
static mp_err put_schedules(mp_meta *meta, mp_why *why)
{
    mp_schedule daily = {.name = "cleanup",
                         .type = "cleanup",
                         .params = "{}",
                         .every_s = 24 * 3600,
                         .enabled = true};
    return mp_meta_put_schedule(meta, &daily, mp_now_ms(), why);
}

static void fill_handlers(mp_worker *w)
{
    w->n = MP_COUNT(types);
    w->handlers = mp_xcalloc(w->n, sizeof *w->handlers);
    w->calls = mp_xcalloc(w->n, sizeof *w->calls);
    for (size_t i = 0; i < w->n; i++) {
        w->calls[i] = (mp_work_call){w, &types[i]};
        w->handlers[i] = (mp_job_handler){.type = types[i].type,
                                          .run = run_job,
                                          .context = &w->calls[i],
                                          .limit = types[i].limit,
                                          .max_attempts = types[i].attempts,
                                          .soft_ms = types[i].soft_ms,
                                          .hard_ms = types[i].hard_ms};
    }
}

mp_err mp_worker_open(mp_worker **out, const mp_worker_options *opt, mp_why *why)
{
    char host[64] = "", owner[128];
    mp_worker *w = mp_xcalloc(1, sizeof *w);
    mp_meta *meta = mp_core_meta(opt->library);
    w->opt = *opt;
    *out = NULL;
    fill_handlers(w);
    (void)gethostname(host, sizeof host - 1);
    snprintf(owner, sizeof owner, "%s-%ld", *host ? host : "host", (long)getpid());
    mp_jobs_options jobs = {.meta = meta,
                            .owner = owner,
                            .handlers = w->handlers,
                            .n_handlers = w->n,
                            .threads = opt->threads > 0 ? opt->threads : 2};
    mp_err err = mp_net_init(why);
    if (!err)
        err = put_schedules(meta, why);
    if (!err)
        err = mp_jobs_open(&w->jobs, &jobs, why);
    if (err) {
        mp_worker_close(w);
        return err;
    }
    w->subscribers = mp_subscribers_open(w);
    *out = w;
    return MP_OK;
}

void mp_worker_wake(mp_worker *w)
{
    mp_jobs_wake(w->jobs);
}

mp_err mp_worker_drain(mp_worker *w, int wait_ms, mp_why *why)
{
    mp_subscribers_close(w->subscribers);
    w->subscribers = NULL;
    return mp_jobs_drain(w->jobs, wait_ms, why);
}

void mp_worker_close(mp_worker *w)
{
    if (!w)
        return;
    mp_subscribers_close(w->subscribers);
    mp_jobs_close(w->jobs);
    free(w->handlers);
    free(w->calls);
    free(w);
    mp_net_exit();
}
