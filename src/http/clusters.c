/* clusters.c - groups of duplicates as JSON, and the pages of those that a job found. */
#include "http/dedup.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/notes.h"
#include "http/server.h"

#include "base/os.h"

#include <string.h>

/* NULL: it was removed since, or is not for the eyes of who asks (a project may have changed hands
 * since the groups were made). */
static json_t *member_json(mp_request *r, const magpie_member *m)
{
    magpie_item *item;
    if (magpie_get(r->service->library, m->id, &item, NULL))
        return NULL;
    if (!mp_access_may(&r->access, item->project, false)) {
        magpie_item_free(item);
        return NULL;
    }
    json_t *o = json_pack("{s:s, s:I, s:b, s:f, s:s, s:s, s:i, s:i, s:I}", "image_id",
                          mp_request_text(r, "%lld", (long long)m->id), "id", (json_int_t)m->id,
                          "keep", (int)m->keep, "score", (double)m->score, "reason", m->reason,
                          "preview_url", mp_preview_url(r, m->id), "width", (int)m->width, "height",
                          (int)m->height, "bytes", (json_int_t)m->bytes);
    json_object_set_new(o, "payload", mp_item_payload(r, item));
    magpie_item_free(item);
    return o;
}

static json_t *info_json(const magpie_group *group, size_t shown)
{
    return json_pack("{s:I, s:I, s:{s:f, s:I, s:I}}", "size", (json_int_t)shown, "bytes_saved",
                     (json_int_t)group->bytes_saved, "weakest", "score", (double)group->weakest,
                     "a", (json_int_t)group->weakest_a, "b", (json_int_t)group->weakest_b);
}

/* A cluster is the list of its pictures, as the first service had it; what is to say of it as a
 * whole stands beside it, in the same order. */
json_t *mp_clusters_page(mp_request *r, const mp_cluster_list *list, size_t from, size_t limit)
{
    json_t *clusters = json_array(), *about = json_array();
    mp_why why = {0};
    mp_err err = MP_OK;
    for (size_t g = from; !err && g < MP_MIN(from + limit, list->n); g++) {
        magpie_group group;
        mp_arena *arena = mp_arena_new(0);
        json_t *cluster = json_array();
        err = mp_clusters_get(list, g, arena, &group, &why);
        for (size_t i = 0; i < group.n; i++) {
            json_t *one = member_json(r, &group.member[i]);
            if (one)
                json_array_append_new(cluster, one);
        }
        json_array_append_new(about, info_json(&group, json_array_size(cluster)));
        json_array_append_new(clusters, cluster);
        mp_arena_free(arena);
    }
    json_t *o =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:s, s:f, s:f}", "status", "done", "clusters",
                  clusters, "cluster_info", about, "total", (json_int_t)list->n, "bytes_saved",
                  (json_int_t)list->bytes_saved, "not_compared", (json_int_t)list->not_compared,
                  "kind", list->kind == MAGPIE_SIMILAR ? "similar" : "same", "threshold",
                  (double)list->threshold, "took_ms", list->seconds * 1000);
    if (!err)
        return o;
    json_decref(o);
    mp_reply_failure(r, err, &why);
    return NULL;
}

/* ---- what a job found ---- */

static void send_unfinished(mp_request *r, const mp_job *job)
{
    if (job->status != MP_JOB_QUEUED && job->status != MP_JOB_PROCESSING) {
        mp_reply_problem(r, 409, "this job has no clusters: it is %s",
                         mp_job_status_word(job->status));
        return;
    }
    json_t *o = mp_job_json(r, job);
    json_object_set_new(o, "job_id", json_integer(job->id));
    mp_reply_json(r, 202, o);
    mp_reply_header(r, "Retry-After", "1");
}

bool mp_job_clusters(mp_request *r, const mp_job *job, mp_cluster_list *out)
{
    mp_why why = {0};
    mp_err err = mp_job_is_dedup(job) ? mp_clusters_open(r->service->library, job->id, out, &why)
                                      : MP_NOT_FOUND;
    if (err == MP_CORRUPT)
        mp_log(MP_LOG_ERROR, "job %lld: %s", (long long)job->id, why.text);
    if (err == MP_CORRUPT || err == MP_NOT_FOUND)
        mp_reply_problem(r, 404, "the clusters of this job are not there, or not any more");
    else if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

void mp_handle_get_clusters(mp_request *r)
{
    mp_job job;
    mp_cluster_list list;
    int64_t from;
    long long limit;
    if (!mp_request_number(r, "limit", 1, 1000, 100, &limit) || !mp_query_cursor(r, &from) ||
        !mp_job_asked(r, false, &job))
        return;
    if (mp_job_is_dedup(&job) && job.status != MP_JOB_COMPLETED) {
        send_unfinished(r, &job);
        return;
    }
    if (!mp_job_clusters(r, &job, &list))
        return;
    size_t first = (size_t)MP_MIN(from, (int64_t)list.n), next = first + (size_t)limit;
    json_t *o = mp_clusters_page(r, &list, first, (size_t)limit);
    if (o) {
        json_object_set_new(o, "job_id", json_integer(job.id));
        json_object_set_new(o, "next_cursor", mp_next_cursor(r, next < list.n, (int64_t)next));
        mp_reply_json(r, 200, o);
    }
    mp_clusters_close(&list);
}
