/* plans.c - duplicates plans over HTTP: made as drafts, looked at, applied, undone. */
#include "http/body.h"
#include "http/dedup.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"

#include "core/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 10000, MEMBERS = 10000 };

static const char *state_word(mp_plan_state state)
{
    static const char *const words[] = {"draft", "applying", "applied", "undoing", "undone"};
    return words[state];
}

static json_t *info_json(const mp_plan_info *p)
{
    return json_pack("{s:I, s:s, s:I, s:o, s:I, s:I, s:I}", "plan_id", (json_int_t)p->id, "status",
                     state_word(p->state), "user_id", (json_int_t)p->user_id, "at",
                     mp_time_json(p->at_ms), "steps", (json_int_t)p->steps, "done",
                     (json_int_t)p->done, "skipped", (json_int_t)p->skipped);
}

/* ---- making ---- */

typedef struct draft {
    magpie_choice *choice;
    size_t n;
} draft;

/* {"keep": id, "remove": [ids]}: each of them the user's to change. */
static bool read_choice(mp_request *r, const json_t *cluster, magpie_choice *out)
{
    const json_t *keep = json_object_get(cluster, "keep"), *id;
    const json_t *remove = json_object_get(cluster, "remove");
    size_t i, n = json_array_size(remove);
    if (!keep || !json_is_array(remove) || json_object_size(cluster) != 2 || !n || n > MEMBERS) {
        mp_reply_problem(r, 422, "a cluster is {\"keep\": id, \"remove\": [ids]}");
        return false;
    }
    int64_t *trash = mp_arena_alloc(r->arena, n * sizeof *trash);
    if (!trash || !mp_item_id(r, keep, "keep", true, &out->keep))
        return false;
    json_array_foreach(remove, i, id)
    {
        if (!mp_item_id(r, id, "remove", true, &trash[i]))
            return false;
    }
    out->trash = trash;
    out->n = n;
    return true;
}

static bool read_choices(mp_request *r, const json_t *clusters, draft *out)
{
    const json_t *cluster;
    size_t i;
    out->n = json_array_size(clusters);
    out->choice =
        out->n && out->n <= GROUPS ? mp_arena_alloc(r->arena, out->n * sizeof *out->choice) : NULL;
    if (!out->choice) {
        mp_reply_problem(r, 422, "clusters has 1 to %d members", GROUPS);
        return false;
    }
    json_array_foreach(clusters, i, cluster)
    {
        if (!read_choice(r, cluster, &out->choice[i]))
            return false;
    }
    return true;
}

/* The suggestion for one group: what is kept, and what of the rest may be removed. */
static bool suggest_group(mp_request *r, const magpie_group *group, bool check, draft *out)
{
    int64_t *trash = mp_arena_alloc(r->arena, group->n * sizeof *trash);
    size_t n = 0;
    for (size_t i = 0; trash && i < group->n; i++) {
        int64_t project, id = group->member[i].id;
        bool may = !check || (!mp_meta_get_item_project(mp_core_meta(r->service->library), id,
                                                        &project, NULL) &&
                              mp_access_may(&r->access, project, true));
        if (i == 0 && !may)
            return true;
        if (i > 0 && may && id != group->member[0].id) /* one item's files are one picture */
            trash[n++] = id;
    }
    if (n)
        out->choice[out->n++] = (magpie_choice){group->member[0].id, trash, n};
    return trash != NULL;
}

/* check: the groups were made some time ago, or for somebody who reaches more. */
static bool suggest_all(mp_request *r, const mp_cluster_list *list, bool check, draft *out)
{
    mp_why why = {0};
    mp_err err = MP_OK;
    out->choice = mp_arena_alloc(r->arena, (list->n + 1) * sizeof *out->choice);
    for (size_t g = 0; !err && g < list->n; g++) {
        magpie_group group;
        mp_arena *arena = mp_arena_new(0);
        err = mp_clusters_get(list, g, arena, &group, &why);
        if (!err && (!out->choice || !suggest_group(r, &group, check, out)))
            err = mp_fail(&why, MP_NOMEM, "no memory for the plan");
        mp_arena_free(arena);
    }
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

/* Of the groups that a job has found. */
static bool suggest_of_job(mp_request *r, draft *out)
{
    mp_job job;
    mp_cluster_list list;
    r->param[0] = mp_request_text(
        r, "%lld", (long long)json_integer_value(json_object_get(r->json, "job_id")));
    if (json_object_size(r->json) != 1) {
        mp_reply_problem(r, 422, "job_id stands alone: the job has the question");
        return false;
    }
    if (!mp_job_asked(r, true, &job) ||
        (job.project_id && !mp_project_reached(r, job.project_id, true)) ||
        !mp_job_clusters(r, &job, &list))
        return false;
    bool fine = list.kind == MAGPIE_SAME_PICTURE;
    if (!fine)
        mp_reply_problem(r, 422, "pictures that are only similar are not removed by suggestion");
    fine = fine && suggest_all(r, &list, true, out);
    mp_clusters_close(&list);
    return fine;
}

/* The suggestion for every group of the same picture that may be written to. */
static bool suggest(mp_request *r, draft *out)
{
    mp_dedup_question q = {.kind = MAGPIE_SAME_PICTURE};
    mp_cluster_list list;
    mp_buf bytes = {0};
    mp_why why = {0};
    bool large;
    int64_t changes = 0, project = json_integer_value(json_object_get(r->json, "project_id"));
    const char *where = mp_body_text(r, "where");
    if (r->access.read_only || (project && !mp_project_reached(r, project, true))) {
        if (r->access.read_only)
            mp_reply_problem(r, 403, "you may look at this, not change it");
        return false;
    }
    if (!project && !mp_project_to_write(r, 0, &project))
        return false;
    q.threshold = (float)json_number_value(json_object_get(r->json, "threshold"));
    if (!mp_scope_of(r, project, *where ? where : NULL, &q.scope) ||
        !mp_dedup_is_large(r, q.scope, &large))
        return false;
    if (large) {
        mp_reply_problem(r, 422,
                         "these are too many pictures to look through at once: ask POST "
                         "/api/deduplicate for a job, and give its job_id");
        return false;
    }
    bool fine = mp_dedup_find(r, &q, &changes, &bytes);
    mp_err err = MP_OK;
    if (fine && (err = mp_clusters_view((mp_span){(const uint8_t *)bytes.p, bytes.n}, &list, &why)))
        mp_reply_failure(r, err, &why);
    fine = fine && !err && suggest_all(r, &list, false, out);
    mp_buf_free(&bytes);
    return fine;
}

static bool read_draft(mp_request *r, draft *out)
{
    const json_t *clusters = json_object_get(r->json, "clusters");
    if (clusters && json_object_get(r->json, "job_id")) {
        mp_reply_problem(r, 422, "say clusters or job_id, not both");
        return false;
    }
    return clusters                             ? read_choices(r, clusters, out)
           : json_object_get(r->json, "job_id") ? suggest_of_job(r, out)
                                                : suggest(r, out);
}

void mp_handle_make_plan(mp_request *r)
{
    static const mp_member members[] = {{"clusters", JSON_ARRAY, false, 0, 0},
                                        {"threshold", JSON_REAL, false, 0, 1},
                                        {"where", JSON_STRING, false, 0, 4000},
                                        {"project_id", JSON_INTEGER, false, 1, 9e15},
                                        {"job_id", JSON_INTEGER, false, 1, 9e15}};
    draft d = {0};
    magpie_why why = {0};
    int64_t id, bytes;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_draft(r, &d))
        return;
    if (!d.n) {
        mp_reply_problem(r, 409, "there are no duplicates: nothing to plan");
        return;
    }
    magpie_err err =
        magpie_plan_draft(r->service->library, d.choice, d.n, r->user.id, &id, &bytes, &why);
    if (err) {
        mp_reply_error(r, err, &why);
        return;
    }
    size_t pictures = 0;
    for (size_t i = 0; i < d.n; i++)
        pictures += d.choice[i].n;
    mp_reply_json(r, 201,
                  json_pack("{s:I, s:s, s:I, s:I, s:I}", "plan_id", (json_int_t)id, "status",
                            "draft", "clusters", (json_int_t)d.n, "pictures", (json_int_t)pictures,
                            "bytes_saved", (json_int_t)bytes));
}

/* ---- looking ---- */

/* The plan that the path names, when it is the user's or they may see all. */
static bool asked(mp_request *r, mp_plan_info *out)
{
    char *end;
    mp_why why = {0};
    errno = 0;
    int64_t id = *r->param[0] >= '1' && *r->param[0] <= '9' ? strtoll(r->param[0], &end, 10) : 0;
    if (!id || *end || errno) {
        mp_reply_problem(r, 404, "there is no such plan");
        return false;
    }
    mp_err err = mp_meta_plan_info(mp_core_meta(r->service->library), id, r->arena, out, &why);
    if (!err && out->user_id != r->user.id && !r->access.all)
        err = mp_fail(&why, MP_NOT_FOUND, "there is no such plan");
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

void mp_handle_list_plans(mp_request *r)
{
    mp_plan_info *list;
    mp_why why = {0};
    size_t n;
    long long before, limit;
    if (!mp_request_number(r, "cursor", 1, INT64_MAX, 0, &before) ||
        !mp_request_number(r, "limit", 1, 200, 50, &limit))
        return;
    mp_err err =
        mp_meta_list_plans(mp_core_meta(r->service->library), r->access.all ? 0 : r->user.id,
                           before, (size_t)limit, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, info_json(&list[i]));
    const char *next =
        n == (size_t)limit ? mp_request_text(r, "%lld", (long long)list[n - 1].id) : NULL;
    mp_reply_json(r, 200, json_pack("{s:o, s:s?}", "plans", rows, "next_cursor", next));
}

/* The files' places are for who reads the server's disk, not for a client. */
static json_t *without_path(mp_request *r, const json_t *row)
{
    json_t *o = json_deep_copy(row);
    json_object_del(o, "path");
    json_object_set_new(
        o, "preview_url",
        json_string(mp_preview_url(r, json_integer_value(json_object_get(row, "id")))));
    return o;
}

void mp_handle_get_plan(mp_request *r)
{
    mp_plan_info info;
    const json_t *group, *row;
    size_t i, k;
    if (!asked(r, &info))
        return;
    json_t *plan = json_loads(info.json, 0, NULL), *clusters = json_array();
    json_array_foreach(json_object_get(plan, "groups"), i, group)
    {
        json_t *remove = json_array();
        json_array_foreach(json_object_get(group, "trash"), k, row)
            json_array_append_new(remove, without_path(r, row));
        json_array_append_new(clusters, json_pack("{s:o, s:o}", "keep",
                                                  without_path(r, json_object_get(group, "keep")),
                                                  "remove", remove));
    }
    json_decref(plan);
    json_t *o = info_json(&info);
    json_object_set_new(o, "clusters", clusters);
    mp_reply_json(r, 200, o);
}

/* ---- deciding ---- */

static void send_report(mp_request *r, int64_t id, const char *status,
                        const magpie_plan_report *report)
{
    mp_reply_json(r, 200,
                  json_pack("{s:I, s:s, s:I, s:I, s:I, s:I}", "plan_id", (json_int_t)id, "status",
                            status, "clusters", (json_int_t)report->groups, "pictures",
                            (json_int_t)report->trashed, "skipped", (json_int_t)report->skipped,
                            "bytes", (json_int_t)report->bytes));
}

static void refuse_state(mp_request *r, magpie_err err, const magpie_why *why)
{
    if (err == MAGPIE_INVALID || err == MAGPIE_EXISTS)
        mp_reply_problem(r, 409, "%s", why->text);
    else
        mp_reply_error(r, err, why);
}

void mp_handle_apply_plan(mp_request *r)
{
    mp_plan_info info;
    magpie_plan_report report;
    magpie_why why = {0};
    if (!asked(r, &info))
        return;
    magpie_err err =
        magpie_plan_apply_draft(r->service->library, info.id, NULL, NULL, &report, &why);
    if (err)
        refuse_state(r, err, &why);
    else
        send_report(r, info.id, "applied", &report);
}

void mp_handle_undo_plan(mp_request *r)
{
    mp_plan_info info;
    magpie_plan_report report;
    magpie_why why = {0};
    if (!asked(r, &info))
        return;
    magpie_err err = magpie_plan_undo(r->service->library, info.id, NULL, NULL, &report, &why);
    if (err)
        refuse_state(r, err, &why);
    else
        send_report(r, info.id, "undone", &report);
}

void mp_handle_drop_plan(mp_request *r)
{
    mp_plan_info info;
    mp_why why = {0};
    if (!asked(r, &info))
        return;
    mp_err err = mp_meta_plan_drop(mp_core_meta(r->service->library), info.id, &why);
    if (err == MP_NOT_FOUND)
        mp_reply_problem(r, 409, "only a draft can be dropped");
    else if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}
