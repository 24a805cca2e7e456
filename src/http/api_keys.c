/* api_keys.c - a person's keys for machines. A key cannot see or make keys. */
#include "http/account.h"
#include "http/body.h"

#include <sodium.h>
#include <string.h>

static json_t *scopes_json(const char *scopes)
{
    json_t *list = json_array();
    for (const char *p = scopes; *p;) {
        size_t n = strcspn(p, " ");
        json_array_append_new(list, json_stringn(p, n));
        p += n + (p[n] == ' ');
    }
    return list;
}

static json_t *key_json(const mp_api_key *key)
{
    return json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)key->id, "name", key->name, "scopes",
        scopes_json(key->scopes), "created_at", mp_seconds_json(key->created_ms), "expires_at",
        mp_seconds_json(key->expires_ms), "last_used_at", mp_seconds_json(key->used_ms));
}

void mp_handle_list_keys(mp_request *r)
{
    mp_api_key *list;
    size_t n;
    mp_why why = {0};
    if (!mp_by_person(r))
        return;
    mp_err err = mp_auth_keys(r->service->auth, r->user.id, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, key_json(&list[i]));
    mp_reply_json(r, 200, json_pack("{s:o}", "keys", rows));
}

/* The strings of the list, in the request's arena; false with the reply made. */
static bool take_scopes(mp_request *r, mp_new_key *out)
{
    const json_t *list = json_object_get(r->json, "scopes");
    size_t n = json_array_size(list);
    const char **scopes = mp_arena_alloc(r->arena, (n + 1) * sizeof *scopes);
    for (size_t i = 0; scopes && i < n; i++) {
        scopes[i] = json_string_value(json_array_get(list, i));
        if (!scopes[i]) {
            mp_reply_problem(r, 422, "scopes must be a list of strings");
            return false;
        }
    }
    if (!scopes)
        mp_reply_problem(r, 422, "scopes are too many");
    out->scopes = scopes;
    out->n_scopes = n;
    return scopes != NULL;
}

void mp_handle_add_key(mp_request *r)
{
    enum { LEAST_S = 60, MOST_S = 10 * 366 * 24 * 3600 };
    static const mp_member members[] = {{"name", JSON_STRING, true, 1, 100},
                                        {"scopes", JSON_ARRAY, true, 0, 0},
                                        {"expires_in_s", JSON_INTEGER, false, LEAST_S, MOST_S}};
    mp_caller caller = mp_caller_of(r);
    mp_api_key key;
    char text[MP_KEY_TEXT];
    mp_why why = {0};
    if (!mp_by_person(r) || !mp_body_read(r, members, MP_COUNT(members)))
        return;
    mp_new_key wish = {.name = mp_body_text(r, "name"),
                       .valid_s = mp_body_number(r, "expires_in_s", 0)};
    if (!take_scopes(r, &wish))
        return;
    mp_err err =
        mp_auth_add_key(r->service->auth, &wish, r->user.id, &caller, r->arena, &key, text, &why);
    if (err) {
        mp_refuse(r, err, &why);
        return;
    }
    json_t *body = key_json(&key);
    json_object_set_new(body, "key", json_string(text));
    sodium_memzero(text, sizeof text);
    mp_reply_json(r, 201, body);
}

void mp_handle_remove_key(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    int64_t id;
    mp_why why = {0};
    if (!mp_by_person(r) || !mp_path_id(r, &id))
        return;
    mp_err err = mp_auth_remove_key(r->service->auth, id, r->user.id, &caller, &why);
    mp_reply_done(r, err, &why);
}
