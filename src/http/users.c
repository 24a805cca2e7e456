/* users.c - accounts as administrators see them. */
#include "http/account.h"
#include "http/body.h"

#include <stdio.h>
#include <string.h>

static void send_user(mp_request *r, int status, mp_err err, const mp_user *user, const mp_why *why)
{
    if (err)
        mp_reply_failure(r, err, why);
    else
        mp_reply_json(r, status, mp_user_json(user));
}

/* ---- the list ---- */

/* -1 when it is absent; false: 422. */
static bool query_flag(mp_request *r, const char *name, int *out)
{
    const char *text = mp_request_query(r, name);
    *out = -1;
    if (!text)
        return true;
    *out = strcmp(text, "true") == 0;
    if (*out || strcmp(text, "false") == 0)
        return true;
    mp_reply_problem(r, 422, "%s must be true or false", name);
    return false;
}

static bool read_query(mp_request *r, mp_user_query *q)
{
    int64_t limit;
    q->role = mp_request_query(r, "role");
    q->text = mp_request_query(r, "q");
    if (!query_flag(r, "active", &q->active) ||
        !mp_query_number(r, "cursor", 1, INT64_MAX, 0, &q->after) ||
        !mp_query_number(r, "limit", 1, 1000, 100, &limit))
        return false;
    q->limit = (size_t)limit;
    if (!q->role || mp_role_is(q->role))
        return true;
    mp_reply_problem(r, 422, "a role is one of admin, operator, user, guest");
    return false;
}

/* One more than asked for is read: it says whether a page follows. */
void mp_handle_list_users(mp_request *r)
{
    mp_user_query q = {0};
    mp_user *list;
    size_t n;
    char cursor[24];
    mp_why why = {0};
    if (!read_query(r, &q))
        return;
    q.limit++;
    mp_err err = mp_auth_users(r->service->auth, &q, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n == q.limit;
    n -= more;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, mp_user_json(&list[i]));
    if (more)
        snprintf(cursor, sizeof cursor, "%lld", (long long)list[n - 1].id);
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:o}", "users", rows, "next_cursor",
                            more ? json_string(cursor) : json_null()));
}

/* ---- one ---- */

void mp_handle_get_user(mp_request *r)
{
    mp_user user;
    int64_t id;
    mp_why why = {0};
    if (!mp_path_id(r, &id))
        return;
    mp_err err = mp_auth_user(r->service->auth, id, r->arena, &user, &why);
    send_user(r, 200, err, &user, &why);
}

void mp_handle_add_user(mp_request *r)
{
    static const mp_member members[] = {{"username", JSON_STRING, true, 1, MP_NAME_BYTES},
                                        {"email", JSON_STRING, false, 0, MP_NAME_BYTES},
                                        {"password", JSON_STRING, true, 1, MP_PASSWORD_BYTES},
                                        {"role", JSON_STRING, true, 1, 32}};
    mp_caller caller = mp_caller_of(r);
    mp_user user;
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    mp_account account = {.username = mp_body_text(r, "username"),
                          .email = mp_body_text(r, "email"),
                          .password = mp_body_text(r, "password"),
                          .role = mp_body_text(r, "role")};
    mp_err err =
        mp_auth_register(r->service->auth, &account, r->user.id, &caller, r->arena, &user, &why);
    send_user(r, 201, err, &user, &why);
}

void mp_handle_change_user(mp_request *r)
{
    static const mp_member members[] = {{"role", JSON_STRING, false, 1, 32},
                                        {"active", JSON_TRUE, false, 0, 0},
                                        {"email", JSON_STRING, false, 0, MP_NAME_BYTES}};
    mp_caller caller = mp_caller_of(r);
    mp_user user = {0};
    int64_t id;
    mp_why why = {0};
    if (!mp_path_id(r, &id) || !mp_body_read(r, members, MP_COUNT(members)))
        return;
    if (json_object_size(r->json) == 0) {
        mp_reply_problem(r, 422, "one of role, active and email is needed");
        return;
    }
    const json_t *active = json_object_get(r->json, "active");
    mp_user_change change = {.role = json_string_value(json_object_get(r->json, "role")),
                             .email = json_string_value(json_object_get(r->json, "email")),
                             .active = active ? json_is_true(active) : -1};
    mp_auth *auth = r->service->auth;
    mp_err err = mp_auth_change_user(auth, id, &change, r->user.id, &caller, &why);
    if (!err)
        err = mp_auth_user(auth, id, r->arena, &user, &why);
    send_user(r, 200, err, &user, &why);
}

void mp_handle_delete_user(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    int64_t id;
    mp_why why = {0};
    if (!mp_path_id(r, &id))
        return;
    mp_err err = mp_auth_delete_user(r->service->auth, id, r->user.id, &caller, &why);
    mp_reply_done(r, err, &why);
}
