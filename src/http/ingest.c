/* ingest.c - taking in what was PUT to a presigned link, or lies at a URL. */
#include "http/ingest.h"

#include "http/body.h"
#include "http/from_url.h"
#include "http/items.h"
#include "http/server.h"
#include "service/uploads.h"

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

static void send_taken(mp_request *r, mp_err err, const mp_why *why, int64_t id,
                       magpie_outcome outcome)
{
    if (err)
        mp_reply_failure(r, err, why);
    else
        mp_reply_json(r, outcome == MAGPIE_ADDED ? 201 : 200, mp_taken_json(r, id, outcome));
}

static void ingest_key(mp_request *r, const char *key, const magpie_put *put)
{
    mp_upload u;
    mp_why why = {0};
    int64_t id = 0;
    magpie_outcome outcome = MAGPIE_KNOWN;
    mp_err err = mp_upload_of_key(r->service->library, key, r->user.id, r->arena, &u, &why);
    if (!err && !mp_project_reached(r, u.project_id, true))
        return;
    if (!err)
        err = mp_upload_ingest(r->service->library, &u, put, &id, &outcome, &why);
    send_taken(r, err, &why, id, outcome);
}

/* Rights first: nobody has the service connect to anything for a picture that would be refused. */
static void ingest_url(mp_request *r, const char *url, magpie_put *put)
{
    int fd;
    mp_why why = {0};
    int64_t id = 0;
    magpie_outcome outcome = MAGPIE_KNOWN;
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    if (!mp_project_to_write(r, project, &put->project) || !mp_picture_from_url(r, "url", url, &fd))
        return;
    put->name = mp_name_from_url(r, url);
    put->user = r->user.id;
    put->given = true;
    mp_err err = (mp_err)magpie_add_fd(r->service->library, fd, put, &id, &outcome,
                                       (magpie_why *)(void *)&why);
    send_taken(r, err, &why, id, outcome);
}

void mp_handle_ingest(mp_request *r)
{
    static const mp_member members[] = {{"key", JSON_STRING, false, 1, 1024},
                                        {"url", JSON_STRING, false, 1, 2048},
                                        {"project_id", JSON_INTEGER, false, 1, 9e15},
                                        {"title", JSON_STRING, false, 0, 512},
                                        {"description", JSON_STRING, false, 0, 8192}};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *key = mp_body_text(r, "key"), *url = mp_body_text(r, "url");
    magpie_put put = {.title = mp_body_text(r, "title"),
                      .description = mp_body_text(r, "description")};
    if (!*key == !*url)
        mp_reply_problem(r, 422, "one of key and url is needed");
    else if (*key && json_object_get(r->json, "project_id"))
        mp_reply_problem(r, 422, "project_id goes with url: a key has its project already");
    else if (*key)
        ingest_key(r, key, &put);
    else
        ingest_url(r, url, &put);
}
