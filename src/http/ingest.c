/* ingest.c - taking in what was PUT to a presigned link, or lies at a URL. */
#include "http/ingest.h"

#include "http/body.h"
#include "http/from_url.h"
#include "http/items.h"
#include "http/server.h"
#include "service/uploads.h"

#include "core/ports.h"
#include "meta/projects.h"

#include <string.h>

json_t *mp_taken_json(mp_request *r, int64_t id, magpie_outcome outcome)
{
    magpie_item *item;
    magpie_why why = {0};
    const char *status = outcome == MAGPIE_ADDED ? "added" : "known";
    if (magpie_get(r->service->library, id, &item, &why)) /* removed again already */
        return json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "image_id",
                         mp_request_text(r, "%lld", (long long)id), "status", status);
    json_t *o = mp_item_json(r, item);
    json_object_set_new(o, "status", json_string(status));
    magpie_item_free(item);
    return o;
}

/* ---- the gate for copies ---- */

static bool is_policy(const char *word)
{
    return word && (strcmp(word, "keep") == 0 || strcmp(word, "refuse") == 0);
}

mp_err mp_gate_check(const json_t *config, mp_why *why)
{
    const json_t *policy = json_object_get(config, "near_duplicates");
    if (!policy || is_policy(json_string_value(policy)))
        return MP_OK;
    return mp_fail(why, MP_INVALID, "config.near_duplicates must be keep or refuse");
}

bool mp_gate_wanted(mp_request *r, const char *said, int64_t project_id, bool *refuse)
{
    mp_project project;
    mp_why why = {0};
    *refuse = said && strcmp(said, "refuse") == 0;
    if (said && !is_policy(said))
        mp_reply_problem(r, 422, "near_duplicates must be keep or refuse");
    if (said)
        return is_policy(said);
    mp_err err = mp_meta_get_project(mp_core_meta(r->service->library), project_id, r->user.id,
                                     r->arena, &project, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    json_t *config = json_loads(project.config, 0, NULL);
    const char *policy = json_string_value(json_object_get(config, "near_duplicates"));
    *refuse = policy && strcmp(policy, "refuse") == 0;
    json_decref(config);
    return true;
}

json_t *mp_match_json(mp_request *r, const magpie_copy *copy)
{
    return json_pack("{s:I, s:s, s:f, s:s, s:s}", "id", (json_int_t)copy->id, "image_id",
                     mp_request_text(r, "%lld", (long long)copy->id), "score", (double)copy->score,
                     "relation", copy->relation, "preview_url", mp_preview_url(r, copy->id));
}

/* ---- one picture ---- */

typedef struct taking {
    magpie_put put;
    magpie_copy copy; /* that it was refused for */
    int64_t id;
    magpie_outcome outcome;
} taking;

static bool open_gate(mp_request *r, taking *t, int64_t project_id)
{
    bool refuse;
    const json_t *said = json_object_get(r->json, "near_duplicates");
    if (!mp_gate_wanted(r, json_string_value(said), project_id, &refuse))
        return false;
    t->put.refuse_copies = refuse ? &t->copy : NULL;
    return true;
}

static void send_taken(mp_request *r, mp_err err, const mp_why *why, const taking *t)
{
    if (!err) {
        mp_reply_json(r, t->outcome == MAGPIE_ADDED ? 201 : 200,
                      mp_taken_json(r, t->id, t->outcome));
        return;
    }
    mp_reply_failure(r, err, why);
    if (err == MP_EXISTS && t->copy.id)
        mp_reply_add(r, "match", mp_match_json(r, &t->copy));
}

static void ingest_key(mp_request *r, const char *key, taking *t)
{
    mp_upload u;
    mp_why why = {0};
    mp_err err = mp_upload_of_key(r->service->library, key, r->user.id, r->arena, &u, &why);
    if (!err && (!mp_project_reached(r, u.project_id, true) || !open_gate(r, t, u.project_id)))
        return;
    if (!err)
        err = mp_upload_ingest(r->service->library, &u, &t->put, &t->id, &t->outcome, &why);
    send_taken(r, err, &why, t);
}

/* Rights first: nobody has the service connect to anything for a picture that would be refused. */
static void ingest_url(mp_request *r, const char *url, taking *t)
{
    int fd;
    mp_why why = {0};
    magpie_put *put = &t->put;
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    if (!mp_project_to_write(r, project, &put->project) || !open_gate(r, t, put->project) ||
        !mp_picture_from_url(r, "url", url, &fd))
        return;
    put->name = mp_name_from_url(r, url);
    put->user = r->user.id;
    put->given = true;
    mp_err err = (mp_err)magpie_add_fd(r->service->library, fd, put, &t->id, &t->outcome,
                                       (magpie_why *)(void *)&why);
    send_taken(r, err, &why, t);
}

void mp_handle_ingest(mp_request *r)
{
    static const mp_member members[] = {
        {"key", JSON_STRING, false, 1, 1024},          {"url", JSON_STRING, false, 1, 2048},
        {"project_id", JSON_INTEGER, false, 1, 9e15},  {"title", JSON_STRING, false, 0, 512},
        {"description", JSON_STRING, false, 0, 8192},  {"folder", JSON_STRING, false, 0, 8192},
        {"near_duplicates", JSON_STRING, false, 1, 16}};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *key = mp_body_text(r, "key"), *url = mp_body_text(r, "url");
    taking t = {.put = {.title = mp_body_text(r, "title"),
                        .description = mp_body_text(r, "description"),
                        .folder = mp_body_text(r, "folder")},
                .outcome = MAGPIE_KNOWN};
    if (!*key == !*url)
        mp_reply_problem(r, 422, "one of key and url is needed");
    else if (*key && json_object_get(r->json, "project_id"))
        mp_reply_problem(r, 422, "project_id goes with url: a key has its project already");
    else if (*key)
        ingest_key(r, key, &t);
    else
        ingest_url(r, url, &t);
}
