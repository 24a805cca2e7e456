/* invites.c - invitations to make an account, for administrators. */
#include "http/account.h"
#include "http/body.h"

#include <sodium.h>

static json_t *invite_json(const mp_invite *in)
{
    json_t *by = in->used_by ? json_integer((json_int_t)in->used_by) : json_null();
    return json_pack("{s:I, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)in->id, "role",
                     in->role, "email", in->email, "created_by", (json_int_t)in->created_by,
                     "created_at", mp_seconds_json(in->created_ms), "expires_at",
                     mp_seconds_json(in->expires_ms), "used_at", mp_seconds_json(in->used_ms),
                     "used_by", by);
}

void mp_handle_list_invites(mp_request *r)
{
    mp_invite *list;
    size_t n;
    mp_why why = {0};
    mp_err err = mp_auth_invites(r->service->auth, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, invite_json(&list[i]));
    mp_reply_json(r, 200, json_pack("{s:o}", "invites", rows));
}

void mp_handle_add_invite(mp_request *r)
{
    enum { LEAST_S = 60, USUAL_S = 7 * 24 * 3600, MOST_S = 90 * 24 * 3600 };
    static const mp_member members[] = {{"email", JSON_STRING, false, 0, MP_NAME_BYTES},
                                        {"role", JSON_STRING, false, 1, 32},
                                        {"expires_in_s", JSON_INTEGER, false, LEAST_S, MOST_S}};
    mp_caller caller = mp_caller_of(r);
    mp_invite invite;
    char token[MP_SECRET_TEXT];
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *role = mp_body_text(r, "role");
    mp_new_invite wish = {.role = *role ? role : "user",
                          .email = mp_body_text(r, "email"),
                          .valid_s = mp_body_number(r, "expires_in_s", USUAL_S)};
    mp_err err = mp_auth_invite(r->service->auth, &wish, r->user.id, &caller, r->arena, &invite,
                                token, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *body = invite_json(&invite);
    json_object_set_new(body, "token", json_string(token));
    sodium_memzero(token, sizeof token);
    mp_reply_json(r, 201, body);
}

void mp_handle_remove_invite(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    int64_t id;
    mp_why why = {0};
    if (!mp_path_id(r, &id))
        return;
    mp_err err = mp_auth_remove_invite(r->service->auth, id, r->user.id, &caller, &why);
    mp_reply_done(r, err, &why);
}
