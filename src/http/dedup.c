/* dedup.c - copies of the same picture, and look-alikes, as clusters. See dedup.h. */
#include "http/dedup.h"

#include "http/body.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURSOR = 64 };

/* ---- finding ---- */

bool mp_dedup_is_large(mp_request *r, const char *scope, bool *large)
{
    const mp_filter *filter;
    uint64_t n = 0;
    mp_why why = {0};
    mp_err err = mp_filter_parse(scope, r->arena, &filter, &why);
    if (!err)
        err = mp_meta_count(mp_core_meta(r->service->library), filter, &n, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    *large = n > r->service->dedup_at_once;
    return !err;
}

static bool compute(mp_request *r, const mp_dedup_question *q, mp_buf *out)
{
    magpie_groups *groups;
    magpie_why why = {0};
    magpie_dupe_options opt = {.kind = q->kind,
                               .threshold = q->threshold,
                               .where = q->scope,
                               .on_progress = mp_service_draining,
                               .context = r->service};
    double began = mp_monotonic_s();
    magpie_err err = magpie_duplicates(r->service->library, &opt, &groups, &why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "deduplicate", seconds);
    if (err) {
        mp_reply_error(r, err, &why);
        return false;
    }
    if (groups->not_compared)
        mp_log(MP_LOG_WARN, "%zu pictures were not compared: %s", groups->not_compared,
               groups->not_compared_text);
    mp_clusters_pack(groups, seconds, out);
    magpie_groups_free(groups);
    return true;
}

static void question_text(const mp_dedup_question *q, mp_buf *out)
{
    mp_buf_printf(out, "%d %.9g %s", (int)q->kind, (double)q->threshold, q->scope ? q->scope : "*");
}

/* Whether pictures were left out because they could not be read: next time they may be. */
static bool lacks_some(const mp_buf *bytes)
{
    mp_cluster_list list;
    mp_span span = {(const uint8_t *)bytes->p, bytes->n};
    return mp_clusters_view(span, &list, NULL) != MP_OK || list.not_compared > 0;
}

/* The state is read before the groups are looked for: what changes meanwhile gives them a name that
 * is too old, never one that is too new. */
bool mp_dedup_find(mp_request *r, const mp_dedup_question *q, int64_t *changes, mp_buf *out)
{
    mp_generation now;
    mp_why why = {0};
    mp_buf key = {0};
    mp_err err = mp_meta_generation(mp_core_meta(r->service->library), &now, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    int64_t wanted = *changes ? *changes : now.changes;
    mp_buf_printf(&key, "%llu %lld ", (unsigned long long)mp_core_model_turn(r->service->library),
                  (long long)wanted);
    question_text(q, &key);
    mp_span name = {(const uint8_t *)key.p, key.n};
    bool found = mp_cache_get(r->service->groups, name, out);
    if (found && !*changes && lacks_some(out)) { /* a page that goes on takes them as they were */
        out->n = 0;
        found = false;
    }
    if (!found && wanted != now.changes) {
        mp_reply_problem(r, 409, "the library has changed since the first page: begin anew");
    } else if (!found && compute(r, q, out)) {
        mp_cache_put(r->service->groups, name, (mp_span){(const uint8_t *)out->p, out->n});
        found = true;
    }
    *changes = wanted;
    mp_buf_free(&key);
    return found;
}

/* ---- cursors ---- */

/* "state.question.place": a page goes on with the groups that the first one was of. */
typedef struct place {
    int64_t changes;
    uint64_t question;
    size_t offset;
} place;

static uint64_t sum_of(const mp_dedup_question *q)
{
    mp_buf text = {0};
    question_text(q, &text);
    uint64_t sum = mp_checksum64(text.p, text.n, 0);
    mp_buf_free(&text);
    return sum;
}

static bool read_cursor(mp_request *r, const mp_dedup_question *q, place *out)
{
    const char *cursor = mp_body_text(r, "cursor");
    unsigned long long question, offset;
    long long changes;
    int n = 0;
    *out = (place){.question = sum_of(q)};
    if (!*cursor)
        return true;
    if (sscanf(cursor, "%18lld.%16llx.%18llu%n", &changes, &question, &offset, &n) != 3 ||
        cursor[n] || changes < 1 || question != out->question) {
        mp_reply_problem(r, 422, "the cursor is not one of this list");
        return false;
    }
    out->changes = changes;
    out->offset = offset;
    return true;
}

/* ---- answers ---- */

static void answer_now(mp_request *r, const mp_dedup_question *q, place at, size_t limit)
{
    mp_buf bytes = {0};
    mp_cluster_list list;
    mp_why why = {0};
    if (!mp_dedup_find(r, q, &at.changes, &bytes)) {
        mp_buf_free(&bytes);
        return;
    }
    mp_err err = mp_clusters_view((mp_span){(const uint8_t *)bytes.p, bytes.n}, &list, &why);
    size_t from = err ? 0 : MP_MIN(at.offset, list.n);
    json_t *o = err ? NULL : mp_clusters_page(r, &list, from, limit);
    if (o) {
        const char *next = mp_request_text(r, "%lld.%016llx.%zu", (long long)at.changes,
                                           (unsigned long long)at.question, from + limit);
        json_object_set_new(o, "next_cursor",
                            from + limit < list.n ? json_string(next) : json_null());
        mp_reply_json(r, 200, o);
    } else if (err) {
        mp_reply_failure(r, err, &why);
    }
    mp_buf_free(&bytes);
}

/* The job looks at what its asker reaches; here that is what this request reaches, which may be
 * less (a key's scopes). */
static json_t *job_params(mp_request *r, int64_t project)
{
    static const char *const same[] = {"kind", "threshold", "where"};
    json_t *params = json_pack("{s:s}", "operation", "deduplicate");
    for (size_t i = 0; i < MP_COUNT(same); i++)
        if (json_object_get(r->json, same[i]))
            json_object_set(params, same[i], json_object_get(r->json, same[i]));
    if (!project && !r->access.all) {
        json_t *projects = json_array();
        for (size_t i = 0; i < r->access.n; i++)
            json_array_append_new(projects, json_integer(r->access.reach[i].project_id));
        json_object_set_new(params, "projects", projects);
    }
    return params;
}

static void answer_later(mp_request *r, int64_t project)
{
    mp_why why = {0};
    int64_t id;
    json_t *params = job_params(r, project);
    char *text = json_dumps(params, JSON_COMPACT);
    json_decref(params);
    mp_job job = {.type = "processing", .project_id = project, .params = text};
    mp_err err = mp_worker_check(job.type, text, r->service->allow, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else if (mp_job_start(r, &job, &id))
        r->reply.status = 202; /* also when it is there already: 200 is a page */
    free(text);
}

/* ---- the question ---- */

static bool read_question(mp_request *r, int64_t project, mp_dedup_question *q)
{
    const char *word = mp_body_text(r, "kind"), *where = mp_body_text(r, "where");
    q->kind = strcmp(word, "similar") == 0 ? MAGPIE_SIMILAR : MAGPIE_SAME_PICTURE;
    q->threshold = (float)json_number_value(json_object_get(r->json, "threshold"));
    if (*word && strcmp(word, "same") != 0 && q->kind != MAGPIE_SIMILAR) {
        mp_reply_problem(r, 422, "kind must be same or similar");
        return false;
    }
    return mp_scope_of(r, project, *where ? where : NULL, &q->scope);
}

/* Now or as a job? The pages of an answer that was given at once are given at once. */
static bool choose(mp_request *r, const mp_dedup_question *q, const place *at, bool *later)
{
    const json_t *wish = json_object_get(r->json, "async");
    bool large;
    *later = json_is_true(wish);
    if (at->changes && *later) {
        mp_reply_problem(r, 422, "a cursor goes on with an answer: async cannot be true");
        return false;
    }
    if (at->changes || *later)
        return true;
    if (!mp_dedup_is_large(r, q->scope, &large))
        return false;
    if (large && wish) {
        mp_reply_problem(r, 422,
                         "these are more than %llu pictures: only a job looks through so many",
                         (unsigned long long)r->service->dedup_at_once);
        return false;
    }
    *later = large;
    return true;
}

void mp_handle_deduplicate(mp_request *r)
{
    static const mp_member members[] = {
        {"kind", JSON_STRING, false, 1, 16},     {"threshold", JSON_REAL, false, 0, 1},
        {"where", JSON_STRING, false, 0, 4000},  {"project_id", JSON_INTEGER, false, 1, 9e15},
        {"limit", JSON_INTEGER, false, 1, 1000}, {"cursor", JSON_STRING, false, 0, CURSOR},
        {"async", JSON_TRUE, false, 0, 0}};
    mp_dedup_question q;
    place at;
    bool later;
    const char *key; /* of the job, should there be one */
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_job_key(r, &key))
        return;
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    const json_t *limit = json_object_get(r->json, "limit");
    if (!read_question(r, project, &q) || !read_cursor(r, &q, &at) || !choose(r, &q, &at, &later))
        return;
    if (later)
        answer_later(r, project);
    else
        answer_now(r, &q, at, limit ? (size_t)json_integer_value(limit) : 100);
}
