/* bulk.c - many pictures changed at once: all of them or, when one of them may not be, none. */
#include "http/body.h"
#include "http/items.h"
#include "http/server.h"

#include "core/ports.h"

enum { MOST_IDS = 10000, MOST_TAGS = 64 };

#define IDS_MEMBER                                                                                 \
    {                                                                                              \
        "ids", JSON_ARRAY, true, 0, 0                                                              \
    }

/* The pictures of the body's `ids`, each of which who asks may change. In the request's arena. */
static bool read_ids(mp_request *r, int64_t **out, size_t *n)
{
    const json_t *list = json_object_get(r->json, "ids"), *value;
    size_t i;
    *n = json_array_size(list);
    *out = mp_arena_alloc(r->arena, *n * sizeof **out);
    if (*n == 0 || *n > MOST_IDS || !*out) {
        mp_reply_problem(r, 422, "ids must be the numbers of 1 to %d pictures", MOST_IDS);
        return false;
    }
    json_array_foreach(list, i, value)
    {
        if (!mp_item_id(r, value, "each of ids", true, &(*out)[i]))
            return false;
    }
    return true;
}

static bool read_tags(mp_request *r, const char *name, const char **out, size_t *n)
{
    const json_t *list = json_object_get(r->json, name), *value;
    size_t i;
    *n = 0;
    json_array_foreach(list, i, value)
    {
        if (!json_is_string(value) || *n == MOST_TAGS) {
            mp_reply_problem(r, 422, "%s must be at most %d strings", name, MOST_TAGS);
            return false;
        }
        out[(*n)++] = json_string_value(value);
    }
    return true;
}

void mp_handle_tag_images(mp_request *r)
{
    static const mp_member members[] = {IDS_MEMBER,
                                        {"add_tags", JSON_ARRAY, false, 0, 0},
                                        {"remove_tags", JSON_ARRAY, false, 0, 0}};
    const char *add[MOST_TAGS], *drop[MOST_TAGS];
    size_t n, n_add, n_drop;
    int64_t *ids;
    magpie_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_tags(r, "add_tags", add, &n_add) ||
        !read_tags(r, "remove_tags", drop, &n_drop) || !read_ids(r, &ids, &n))
        return;
    magpie_err err = magpie_tag(r->service->library, ids, n, add, n_add, drop, n_drop, &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_json(r, 200, json_pack("{s:I}", "changed", (json_int_t)n));
}

void mp_handle_delete_images(mp_request *r)
{
    static const mp_member members[] = {IDS_MEMBER};
    size_t n;
    int64_t *ids;
    magpie_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_ids(r, &ids, &n))
        return;
    magpie_err err = magpie_remove(r->service->library, ids, n, NULL, &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_json(r, 200, json_pack("{s:I}", "deleted", (json_int_t)n));
}

/* Under the library's write lock: the project must not go meanwhile, nor get the same bytes. */
static mp_err move_locked(magpie *library, const int64_t *ids, size_t n, int64_t project_id,
                          mp_why *why)
{
    mp_err err = mp_core_begin_write(library, why);
    if (err)
        return err;
    err = mp_meta_move(mp_core_meta(library), ids, n, project_id, why);
    mp_core_end_write(library);
    return err;
}

/* Where they are now, so that a move can be taken back: [{project_id, ids}]. */
static mp_err projects_of(mp_request *r, const int64_t *ids, size_t n, json_t *out, mp_why *why)
{
    mp_meta *meta = mp_core_meta(r->service->library);
    for (size_t i = 0; i < n; i++) {
        int64_t project;
        size_t k;
        json_t *one, *list = NULL;
        mp_err err = mp_meta_get_item_project(meta, ids[i], &project, why);
        if (err)
            return err;
        json_array_foreach(out, k, one)
        {
            if (json_integer_value(json_object_get(one, "project_id")) == project)
                list = json_object_get(one, "ids");
        }
        if (!list) {
            list = json_array();
            json_array_append_new(
                out, json_pack("{s:I, s:o}", "project_id", (json_int_t)project, "ids", list));
        }
        json_array_append_new(list, json_integer(ids[i]));
    }
    return MP_OK;
}

void mp_handle_move_images(mp_request *r)
{
    static const mp_member members[] = {IDS_MEMBER, {"project_id", JSON_INTEGER, true, 1, 9e15}};
    size_t n;
    int64_t *ids;
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_ids(r, &ids, &n))
        return;
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    if (!mp_project_reached(r, project, true))
        return;
    json_t *from = json_array();
    mp_err err = projects_of(r, ids, n, from, &why);
    if (!err)
        err = move_locked(r->service->library, ids, n, project, &why);
    if (!err)
        mp_reply_json(r, 200, json_pack("{s:I, s:O}", "moved", (json_int_t)n, "from", from));
    else
        mp_reply_failure(r, err, &why);
    json_decref(from);
}
