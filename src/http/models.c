/* models.c - which models there are, and switching the library to another one. */
#include "http/jobs.h"
#include "http/server.h"

#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

static const char *const types[] = {"use_model", "fetch_model"};

/* The job of one of these types that waits or runs; its id 0: there is none. */
static mp_err under_way(mp_request *r, mp_job *out, mp_why *why)
{
    static const mp_job_status open[] = {MP_JOB_PROCESSING, MP_JOB_QUEUED};
    mp_err err = MP_OK;
    *out = (mp_job){0};
    for (size_t i = 0; !err && !out->id && i < MP_COUNT(types) * MP_COUNT(open); i++) {
        mp_job_query q = {
            .type = types[i / MP_COUNT(open)], .status = open[i % MP_COUNT(open)], .limit = 1};
        mp_job *list;
        size_t n = 0;
        err = mp_meta_list_jobs(mp_core_meta(r->service->library), &q, r->arena, &list, &n, why);
        if (!err && n)
            *out = list[0];
    }
    return err;
}

static json_t *model_json(const magpie_model_info *m)
{
    bool part = strcmp(m->id, "builtin") == 0; /* of the program: there is nothing to fetch */
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:b, s:I}", "name", m->id, "about",
                     m->about, "licence", m->licence, "sha256", m->sha256, "dims", m->dims,
                     "installed", (int)m->installed, "current", (int)m->current, "fetchable",
                     (int)!part, "images", (json_int_t)m->items);
}

void mp_handle_list_models(mp_request *r)
{
    magpie_model_info *list;
    size_t n;
    uint64_t images;
    mp_job job;
    magpie_why outer = {0};
    mp_why why = {0};
    magpie_err failed = magpie_models(r->service->library, &list, &n, &outer);
    if (failed) {
        mp_reply_error(r, failed, &outer);
        return;
    }
    mp_err err = mp_meta_count(mp_core_meta(r->service->library), NULL, &images, &why);
    if (!err)
        err = under_way(r, &job, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
    } else {
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(rows, model_json(&list[i]));
        mp_reply_json(r, 200,
                      json_pack("{s:o, s:I, s:o}", "models", rows, "images", (json_int_t)images,
                                "job", job.id ? mp_job_json(r, &job) : json_null()));
    }
    magpie_free(list);
}

/* The model that the path names, as it is now. False with the reply made: 404, or 409 when a job is
 * at work on models. */
static bool asked(mp_request *r, magpie_model_info *out)
{
    magpie_model_info *list;
    size_t n, at = 0;
    mp_job job;
    magpie_why outer = {0};
    mp_why why = {0};
    magpie_err failed = magpie_models(r->service->library, &list, &n, &outer);
    if (failed) {
        mp_reply_error(r, failed, &outer);
        return false;
    }
    while (at < n && strcmp(list[at].id, r->param[0]) != 0)
        at++;
    bool found = at < n;
    *out = found ? list[at] : (magpie_model_info){0};
    out->id = r->param[0]; /* the same, and it lives longer; the other texts are not used */
    magpie_free(list);
    mp_err err = found ? under_way(r, &job, &why) : MP_OK;
    if (!found)
        mp_reply_problem(r, 404, "there is no such model");
    else if (err)
        mp_reply_failure(r, err, &why);
    else if (job.id)
        mp_reply_problem(r, 409, "job %lld is at work on models; wait for it or stop it",
                         (long long)job.id);
    return found && !err && !job.id;
}

static void start(mp_request *r, const char *type, const char *model)
{
    int64_t id;
    json_t *params = json_pack("{s:s}", "model", model);
    char *text = json_dumps(params, JSON_COMPACT);
    mp_job job = {.type = type, .params = text};
    (void)mp_job_start(r, &job, &id);
    free(text);
    json_decref(params);
}

void mp_handle_use_model(mp_request *r)
{
    magpie_model_info model;
    if (!asked(r, &model))
        return;
    if (model.current)
        mp_reply_problem(r, 409, "%s is in use already", model.id);
    else if (!model.installed)
        mp_reply_problem(r, 409, "%s is not installed; fetch it first", model.id);
    else
        start(r, "use_model", model.id);
}

void mp_handle_fetch_model(mp_request *r)
{
    magpie_model_info model;
    if (!asked(r, &model))
        return;
    if (model.installed)
        mp_reply_problem(r, 409, "%s is installed already", model.id);
    else
        start(r, "fetch_model", model.id);
}
