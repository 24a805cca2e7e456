/* jobs.c - slow work over HTTP: asked for, looked at, stopped, tried again; and exports. */
#include "http/jobs.h"

#include "http/body.h"
#include "http/items.h"
#include "http/links.h"
#include "http/server.h"

#include "core/ports.h"
#include "service/secrets.h"
#include "service/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

/* ---- one job ---- */

static json_t *parsed(const char *text)
{
    json_t *value = *text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return value ? value : json_null();
}

json_t *mp_job_params_json(const char *text)
{
    json_t *params = parsed(text);
    mp_secrets_hide(params);
    return params;
}

bool mp_job_is_dedup(const mp_job *job)
{
    json_t *params = strcmp(job->type, "processing") == 0 ? parsed(job->params) : NULL;
    const char *operation = json_string_value(json_object_get(params, "operation"));
    bool is = operation && strcmp(operation, "deduplicate") == 0;
    json_decref(params);
    return is;
}

json_t *mp_job_json(mp_request *r, const mp_job *job)
{
    json_t *o =
        json_pack("{s:I, s:s, s:s, s:I, s:I, s:i, s:i, s:i, s:b, s:s}", "id", (json_int_t)job->id,
                  "type", job->type, "status", mp_job_status_word(job->status), "project_id",
                  (json_int_t)job->project_id, "user_id", (json_int_t)job->user_id, "priority",
                  job->priority, "attempts", job->attempts, "max_attempts", job->max_attempts,
                  "cancel_requested", (int)job->cancel_requested, "error", job->error);
    json_object_set_new(o, "params", mp_job_params_json(job->params));
    json_object_set_new(o, "result", parsed(job->result));
    json_object_set_new(o, "progress",
                        json_pack("{s:I, s:I}", "done", (json_int_t)job->progress_done, "total",
                                  (json_int_t)job->progress_total));
    json_object_set_new(o, "created_at", mp_time_json(job->created_ms));
    json_object_set_new(o, "run_at", mp_time_json(job->run_at_ms));
    json_object_set_new(o, "started_at", mp_time_json(job->started_ms));
    json_object_set_new(o, "finished_at", mp_time_json(job->finished_ms));
    if (job->status == MP_JOB_COMPLETED && strcmp(job->type, "export") == 0)
        json_object_set_new(
            o, "download_url",
            json_string(mp_link_to(
                r, mp_request_text(r, "/api/exports/%lld/content", (long long)job->id))));
    if (mp_job_is_dedup(job))
        json_object_set_new(
            o, "clusters_url",
            json_string(mp_request_text(r, "/api/deduplicate/%lld", (long long)job->id)));
    return o;
}

bool mp_job_asked(mp_request *r, bool write, mp_job *out)
{
    char *end;
    mp_why why = {0};
    errno = 0;
    int64_t id = *r->param[0] >= '1' && *r->param[0] <= '9' ? strtoll(r->param[0], &end, 10) : 0;
    mp_err err =
        id && !*end && !errno ? mp_meta_get_job(meta_of(r), id, r->arena, out, &why) : MP_NOT_FOUND;
    bool mine = !err && (r->by_link || r->access.all || out->user_id == r->user.id ||
                         (out->project_id && mp_access_may(&r->access, out->project_id, false)));
    if (err && err != MP_NOT_FOUND) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    if (!mine) {
        mp_reply_problem(r, 404, "there is no such job");
        return false;
    }
    bool may = !write || r->access.all || out->user_id == r->user.id ||
               mp_access_may(&r->access, out->project_id, true);
    if (!may)
        mp_reply_problem(r, 403, "you may look at this, not change it");
    return may;
}

void mp_handle_get_job(mp_request *r)
{
    mp_job job;
    if (mp_job_asked(r, false, &job))
        mp_reply_json(r, 200, mp_job_json(r, &job));
}

/* ---- adding ---- */

bool mp_job_key(mp_request *r, const char **out)
{
    *out = mp_request_header(r, "Idempotency-Key");
    bool fine = !*out || (**out && strlen(*out) <= MP_JOB_NAME_MAX);
    if (!fine)
        mp_reply_problem(r, 422, "an Idempotency-Key has 1 to %d bytes", MP_JOB_NAME_MAX);
    return fine;
}

bool mp_job_start(mp_request *r, mp_job *job, int64_t *id)
{
    mp_why why = {0};
    bool existed = false;
    if (!mp_job_key(r, &job->key))
        return false;
    job->user_id = r->user.id;
    mp_err err = mp_meta_add_job(meta_of(r), job, id, &existed, &why);
    mp_job made;
    if (!err)
        err = mp_meta_get_job(meta_of(r), *id, r->arena, &made, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    if (r->service->worker)
        mp_worker_wake(r->service->worker);
    json_t *o = mp_job_json(r, &made);
    json_object_set_new(o, "job_id", json_integer(*id));
    mp_reply_json(r, existed ? 200 : 202, o);
    mp_reply_header(r, "Location", mp_request_text(r, "/api/jobs/%lld", (long long)*id));
    return true;
}

/* The project that a job is for: what a body names, else the user's default one. */
static bool job_project(mp_request *r, bool write, int64_t *out)
{
    int64_t id = json_integer_value(json_object_get(r->json, "project_id"));
    if (id && !mp_project_reached(r, id, write))
        return false;
    *out = id;
    return id || r->access.all || mp_project_to_write(r, 0, out);
}

static char *params_text(const json_t *params)
{
    return params ? json_dumps(params, JSON_COMPACT) : mp_xstrdup("{}");
}

void mp_handle_add_job(mp_request *r)
{
    static const mp_member members[] = {
        {"type", JSON_STRING, true, 1, 64},           {"params", JSON_OBJECT, false, 0, 0},
        {"project_id", JSON_INTEGER, false, 1, 9e15}, {"priority", JSON_INTEGER, false, -100, 100},
        {"max_attempts", JSON_INTEGER, false, 1, 20}, {"run_at", JSON_INTEGER, false, 0, 4e9}};
    mp_why why = {0};
    int64_t id;
    mp_job job = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    job.type = mp_body_text(r, "type");
    mp_err err = mp_secrets_keep(json_object_get(r->json, "params"), NULL, &why);
    char *params = params_text(json_object_get(r->json, "params"));
    if (!err)
        err = mp_worker_check(job.type, params, r->service->allow, &why);
    if (!err && strcmp(job.type, "cleanup") == 0 && !mp_request_may(r, "jobs.write"))
        mp_reply_problem(r, 403, "cleanup is for operators and administrators");
    else if (err)
        mp_reply_failure(r, err, &why);
    else if (job_project(r, true, &job.project_id)) {
        job.params = params;
        job.priority = (int)json_integer_value(json_object_get(r->json, "priority"));
        job.max_attempts = (int)json_integer_value(json_object_get(r->json, "max_attempts"));
        job.run_at_ms = json_integer_value(json_object_get(r->json, "run_at")) * 1000;
        (void)mp_job_start(r, &job, &id);
    }
    free(params);
}

/* ---- lists ---- */

static bool read_query(mp_request *r, mp_job_query *q)
{
    const char *status = mp_request_query(r, "status");
    long long before, limit;
    int64_t project;
    if (!mp_request_number(r, "cursor", 1, INT64_MAX, 0, &before) ||
        !mp_request_number(r, "limit", 1, MP_JOB_PAGE_MAX, 50, &limit) ||
        !mp_query_project(r, &project))
        return false;
    *q = (mp_job_query){
        .before = before, .limit = (size_t)limit, .type = mp_request_query(r, "type")};
    if (status && !(q->status = mp_job_status_of(status))) {
        mp_reply_problem(r, 422,
                         "status must be one of queued, processing, completed, failed, "
                         "cancelled, dead");
        return false;
    }
    if (project && !mp_project_reached(r, project, false))
        return false;
    if (r->access.all && !project)
        return true;
    int64_t *ids = mp_arena_alloc(r->arena, (r->access.n + 1) * sizeof *ids);
    for (size_t i = 0; ids && i < r->access.n; i++)
        ids[i] = r->access.reach[i].project_id;
    if (ids && project)
        ids[0] = project;
    q->projects = ids;
    q->n_projects = project ? 1 : r->access.n;
    return ids != NULL;
}

void mp_handle_list_jobs(mp_request *r)
{
    mp_job_query query;
    mp_job *list;
    size_t n;
    mp_why why = {0};
    if (!read_query(r, &query))
        return;
    mp_err err = mp_meta_list_jobs(meta_of(r), &query, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, mp_job_json(r, &list[i]));
    const char *next =
        n == query.limit ? mp_request_text(r, "%lld", (long long)list[n - 1].id) : NULL;
    mp_reply_json(r, 200, json_pack("{s:o, s:s?}", "jobs", rows, "next_cursor", next));
}

/* ---- deciding ---- */

static void after_change(mp_request *r, mp_err err, const mp_why *why, const mp_job *job)
{
    mp_job now;
    mp_why inner = {0};
    if (!err)
        err = mp_meta_get_job(meta_of(r), job->id, r->arena, &now, &inner);
    if (err) {
        mp_reply_failure(r, err, *inner.text ? &inner : why);
        return;
    }
    if (r->service->worker)
        mp_worker_wake(r->service->worker);
    mp_reply_json(r, 200, mp_job_json(r, &now));
}

void mp_handle_cancel_job(mp_request *r)
{
    mp_job job;
    mp_why why = {0};
    if (mp_job_asked(r, true, &job))
        after_change(r, mp_meta_cancel_job(meta_of(r), job.id, mp_now_ms(), &why), &why, &job);
}

void mp_handle_retry_job(mp_request *r)
{
    mp_job job;
    mp_why why = {0};
    if (mp_job_asked(r, true, &job))
        after_change(r, mp_meta_retry_job(meta_of(r), job.id, mp_now_ms(), &why), &why, &job);
}

void mp_handle_replay_jobs(mp_request *r)
{
    static const mp_member members[] = {{"type", JSON_STRING, false, 1, 64}};
    mp_why why = {0};
    uint64_t n = 0;
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *type = mp_body_text(r, "type");
    mp_err err = mp_meta_replay_jobs(meta_of(r), *type ? type : NULL, mp_now_ms(), &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    if (r->service->worker)
        mp_worker_wake(r->service->worker);
    mp_reply_json(r, 200, json_pack("{s:I}", "replayed", (json_int_t)n));
}

/* ---- exports ---- */

/* An export is a job; who may look at pictures may take them away. */
void mp_handle_add_export(mp_request *r)
{
    static const mp_member members[] = {
        {"project_id", JSON_INTEGER, false, 1, 9e15}, {"where", JSON_STRING, false, 0, 4000},
        {"title", JSON_STRING, false, 0, 200},        {"originals", JSON_TRUE, false, 0, 0},
        {"thumbnails", JSON_TRUE, false, 0, 0},       {"vectors", JSON_TRUE, false, 0, 0},
        {"manifests", JSON_ARRAY, false, 0, 0}};
    mp_why why = {0};
    int64_t id;
    mp_job job = {.type = "export"};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    json_t *params = json_copy(r->json);
    json_object_del(params, "project_id");
    char *text = params_text(params);
    json_decref(params);
    mp_err err = mp_worker_check("export", text, NULL, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else if (job_project(r, false, &job.project_id)) {
        job.params = text;
        (void)mp_job_start(r, &job, &id);
    }
    free(text);
}

void mp_handle_export_content(mp_request *r)
{
    char path[PATH_MAX];
    mp_job job;
    struct stat st;
    if (!mp_job_asked(r, false, &job))
        return;
    mp_export_path(r->service->library, job.id, path, sizeof path);
    int fd = strcmp(job.type, "export") == 0 && job.status == MP_JOB_COMPLETED
                 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                 : -1;
    if (fd < 0 || fstat(fd, &st) != 0) {
        mp_reply_problem(r, 404, "this export is not there, not yet or not any more");
        return;
    }
    mp_reply_header(
        r, "Content-Disposition",
        mp_request_text(r, "attachment; filename=\"export-%lld.zip\"", (long long)job.id));
    mp_reply_file(
        r, "application/zip", fd, (uint64_t)st.st_size,
        mp_request_text(r, "\"export-%lld-%lld\"", (long long)job.id, (long long)job.finished_ms),
        0);
}
