/* verdicts.c - what people say of pictures: verdicts, that change what is reported, and feedback.
 */
#include "http/body.h"
#include "http/items.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/uploads.h"

#include <string.h>

static const char *const kinds[] = {"", "same", "different", "normal", "anomaly", "note"};

static bool read_verdict_kind(mp_request *r, magpie_verdict_kind *out)
{
    const char *word = mp_body_text(r, "verdict");
    for (int i = MAGPIE_SAME; i <= MAGPIE_NOTE; i++)
        if (strcmp(word, kinds[i]) == 0) {
            *out = (magpie_verdict_kind)i;
            return true;
        }
    mp_reply_problem(r, 422, "verdict must be one of same, different, normal, anomaly, note");
    return false;
}

void mp_handle_verdict(mp_request *r)
{
    static const mp_member members[] = {{"verdict", JSON_STRING, true, 1, 16},
                                        {"image_id", MP_JSON_ANY, true, 0, 0},
                                        {"other_id", MP_JSON_ANY, false, 0, 0},
                                        {"note", JSON_STRING, false, 0, 2048}};
    magpie_verdict_kind kind;
    magpie_why why = {0};
    int64_t a, b = 0;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_verdict_kind(r, &kind) ||
        !mp_item_id(r, json_object_get(r->json, "image_id"), "image_id", true, &a))
        return;
    const json_t *other = json_object_get(r->json, "other_id");
    bool pair = kind == MAGPIE_SAME || kind == MAGPIE_DIFFERENT;
    if (pair != (other != NULL)) {
        mp_reply_problem(r, 422,
                         pair ? "other_id is missing" : "other_id is for same and different alone");
        return;
    }
    if (pair && !mp_item_id(r, other, "other_id", true, &b))
        return;
    magpie_err err =
        magpie_verdict_set(r->service->library, kind, a, b, mp_body_text(r, "note"), &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_json(r, 201,
                      json_pack("{s:s, s:I, s:I}", "verdict", kinds[kind], "image_id",
                                (json_int_t)a, "other_id", (json_int_t)b));
}

/* A picture that the query names and that may be changed. */
static bool read_asked(mp_request *r, const char *name, int64_t *out)
{
    magpie_item *item;
    const char *text = mp_request_query(r, name);
    if (!text) {
        mp_reply_problem(r, 422, "%s is missing", name);
        return false;
    }
    if (!mp_item_asked(r, text, true, &item))
        return false;
    *out = item->id;
    magpie_item_free(item);
    return true;
}

void mp_handle_clear_verdict(mp_request *r)
{
    magpie_why why = {0};
    int64_t a, b = 0;
    if (!read_asked(r, "image_id", &a) ||
        (mp_request_query(r, "other_id") && !read_asked(r, "other_id", &b)))
        return;
    magpie_err err = magpie_verdict_clear(r->service->library, a, b, &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

static bool in_reach(mp_request *r, int64_t id)
{
    magpie_item *item;
    if (magpie_get(r->service->library, id, &item, NULL))
        return false;
    bool may = mp_access_may(&r->access, item->project, false);
    magpie_item_free(item);
    return may;
}

void mp_handle_list_verdicts(mp_request *r)
{
    magpie_verdict *list;
    magpie_why why = {0};
    size_t n;
    magpie_err err = magpie_verdicts(r->service->library, &list, &n, &why);
    if (err) {
        mp_reply_error(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        const magpie_verdict *v = &list[i];
        if (in_reach(r, v->a) && (!v->b || in_reach(r, v->b)))
            json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:s, s:o}", "verdict",
                                                  kinds[v->kind], "image_id", (json_int_t)v->a,
                                                  "other_id", (json_int_t)v->b, "note", v->note,
                                                  "at", mp_time_json(v->at_ms)));
    }
    magpie_free(list);
    mp_reply_json(r, 200, json_pack("{s:o}", "verdicts", rows));
}

/* ---- feedback ---- */

void mp_handle_feedback(mp_request *r)
{
    static const mp_member members[] = {{"image_id", MP_JSON_ANY, true, 0, 0},
                                        {"action", JSON_STRING, true, 1, 64},
                                        {"note", JSON_STRING, false, 0, 4096}};
    mp_why why = {0};
    int64_t id = 0;
    mp_feedback f = {.user_id = r->user.id, .at_ms = mp_now_ms()};
    if (!mp_body_read(r, members, MP_COUNT(members)) ||
        !mp_item_id(r, json_object_get(r->json, "image_id"), "image_id", true, &f.item_id))
        return;
    f.action = mp_body_text(r, "action");
    f.note = mp_body_text(r, "note");
    mp_err err = mp_meta_add_feedback(mp_core_meta(r->service->library), &f, &id, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_json(r, 201, json_pack("{s:s, s:I}", "status", "noted", "id", (json_int_t)id));
}

void mp_handle_list_feedback(mp_request *r)
{
    mp_feedback *list;
    mp_why why = {0};
    size_t n;
    magpie_item *item;
    const char *id = mp_request_query(r, "image_id");
    if (!id) {
        mp_reply_problem(r, 422, "image_id is missing");
        return;
    }
    if (!mp_item_asked(r, id, false, &item))
        return;
    mp_err err = mp_meta_list_feedback(mp_core_meta(r->service->library), item->id, r->arena, &list,
                                       &n, &why);
    magpie_item_free(item);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:o}", "id", (json_int_t)list[i].id,
                            "image_id", mp_request_text(r, "%lld", (long long)list[i].item_id),
                            "user_id", mp_request_text(r, "%lld", (long long)list[i].user_id),
                            "action", list[i].action, "note", list[i].note, "created_at",
                            mp_time_json(list[i].at_ms)));
    mp_reply_json(r, 200, json_pack("{s:o}", "feedback", rows));
}
