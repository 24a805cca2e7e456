/* auth.c - accounts over HTTP: set-up, registration, login, refresh, logout, who am I. */
#include "http/body.h"
#include "http/links.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME = 254, PASSWORD = 1024 };

static mp_caller caller_of(const mp_request *r)
{
    const char *agent = mp_request_header(r, "User-Agent");
    return (mp_caller){agent ? mp_arena_strdup(r->arena, (mp_str){agent, strnlen(agent, 200)}) : "",
                       r->address, r->id};
}

/* The codes of the account functions as answers. */
static void refuse(mp_request *r, mp_err err, const mp_why *why)
{
    switch (err) {
    case MP_NOT_FOUND:
        mp_reply_problem(r, 401, "%s", why->text);
        mp_reply_header(r, "WWW-Authenticate", "Bearer");
        break;
    default:
        mp_reply_error(r, (magpie_err)err, (const magpie_why *)(const void *)why);
    }
}

static json_t *user_json(const mp_user *u)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:I}", "id", (json_int_t)u->id, "username", u->username,
                     "email", u->email, "role", u->role, "created_at",
                     (json_int_t)(u->created_ms / 1000));
}

/* `token` is what the first clients read; the rest are OAuth's names (RFC 6749, 5.1). */
static void send_tokens(mp_request *r, int status, const mp_user *user, const mp_tokens *t)
{
    mp_reply_json(r, status,
                  json_pack("{s:s, s:s, s:s, s:i, s:s, s:o}", "token", t->access, "access_token",
                            t->access, "token_type", "Bearer", "expires_in", t->expires_in_s,
                            "refresh_token", t->refresh, "user", user_json(user)));
}

/* 429 when this name or this address was tried too often. */
static bool may_try(mp_request *r, const char *name)
{
    mp_buf key = {0};
    mp_buf_printf(&key, "%s %s", r->address, name);
    for (char *c = key.p; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    int wait = mp_limits_take(r->service->logins, key.p);
    mp_buf_free(&key);
    if (!wait)
        return true;
    mp_buf seconds = {0};
    mp_buf_printf(&seconds, "%d", wait);
    mp_reply_problem(r, 429, "too many attempts; wait %d s", wait);
    mp_reply_header(r, "Retry-After", mp_arena_strdup(r->arena, (mp_str){seconds.p, seconds.n}));
    mp_buf_free(&seconds);
    return false;
}

/* Tokens for whoever a function of accounts has let in, or its refusal. */
static void answer(mp_request *r, int status, mp_err err, const mp_why *why, const mp_user *user,
                   mp_tokens *tokens)
{
    if (err)
        refuse(r, err, why);
    else
        send_tokens(r, status, user, tokens);
    sodium_memzero(tokens, sizeof *tokens);
}

static void create(mp_request *r, const char *role)
{
    mp_caller caller = caller_of(r);
    mp_user user;
    mp_tokens tokens;
    mp_why why = {0};
    mp_auth *auth = r->service->auth;
    mp_err err =
        mp_auth_register(auth, mp_body_text(r, "username"), mp_body_text(r, "email"),
                         mp_body_text(r, "password"), role, &caller, r->arena, &user, &why);
    if (!err)
        err = mp_auth_begin_session(auth, &user, &caller, &tokens, &why);
    r->made_id = err ? 0 : user.id;
    answer(r, 201, err, &why, &user, &tokens);
}

void mp_handle_register(mp_request *r)
{
    static const mp_member fields[] = {{"username", JSON_STRING, true, 1, NAME},
                                       {"email", JSON_STRING, false, 0, NAME},
                                       {"password", JSON_STRING, true, 1, PASSWORD}};
    if (!mp_body_read(r, fields, MP_COUNT(fields)))
        return;
    if (!r->service->open_registration) {
        mp_reply_problem(r, 403, "registration is closed here");
        return;
    }
    if (may_try(r, "register"))
        create(r, "user");
}

/* The first project is nobody's until there is somebody: what was added before is theirs. An
 * administrator reaches it in any case, so that a failure costs nothing but its name. */
static void create_first(mp_request *r)
{
    mp_why why = {0};
    create(r, "admin");
    if (r->reply.status == 201 &&
        mp_meta_adopt_project(mp_core_meta(r->service->library), 1, r->made_id, &why))
        mp_log(MP_LOG_INFO, "the first project stays without an owner: %s", why.text);
}

/* The first account, by who can read the terminal of the service. */
void mp_handle_setup(mp_request *r)
{
    static const mp_member fields[] = {{"setup_token", JSON_STRING, true, 1, 64},
                                       {"username", JSON_STRING, true, 1, NAME},
                                       {"email", JSON_STRING, false, 0, NAME},
                                       {"password", JSON_STRING, true, 1, PASSWORD}};
    mp_service *s = r->service;
    bool any = true;
    mp_why why = {0};
    if (!mp_body_read(r, fields, MP_COUNT(fields)) || !may_try(r, "setup"))
        return;
    const char *given = mp_body_text(r, "setup_token");
    bool right = strlen(given) == strlen(s->setup_token) && *given &&
                 sodium_memcmp(given, s->setup_token, strlen(given)) == 0;
    pthread_mutex_lock(&s->setup_mutex); /* two at once must not both be the first */
    mp_err err = mp_auth_any_user(s->auth, &any, &why);
    if (err)
        refuse(r, err, &why);
    else if (any || !right)
        mp_reply_problem(r, 403, "%s", any ? "the set-up is done" : "this is not the set-up token");
    else
        create_first(r);
    pthread_mutex_unlock(&s->setup_mutex);
}

void mp_handle_login(mp_request *r)
{
    static const mp_member fields[] = {{"username", JSON_STRING, false, 1, NAME},
                                       {"email", JSON_STRING, false, 1, NAME},
                                       {"password", JSON_STRING, true, 1, PASSWORD}};
    mp_caller caller = caller_of(r);
    mp_user user;
    mp_tokens tokens;
    mp_why why = {0};
    if (!mp_body_read(r, fields, MP_COUNT(fields)))
        return;
    const char *name = mp_body_text(r, "username");
    name = *name ? name : mp_body_text(r, "email");
    if (!*name) {
        mp_reply_problem(r, 422, "username or email is missing");
        return;
    }
    if (!may_try(r, name))
        return;
    mp_err err = mp_auth_login(r->service->auth, name, mp_body_text(r, "password"), &caller,
                               r->arena, &user, &tokens, &why);
    answer(r, 200, err, &why, &user, &tokens);
}

void mp_handle_refresh(mp_request *r)
{
    static const mp_member fields[] = {{"refresh_token", JSON_STRING, true, 1, 128}};
    mp_caller caller = caller_of(r);
    mp_user user;
    mp_tokens tokens;
    mp_why why = {0};
    if (!mp_body_read(r, fields, MP_COUNT(fields)))
        return;
    mp_err err = mp_auth_refresh(r->service->auth, mp_body_text(r, "refresh_token"), &caller,
                                 r->arena, &user, &tokens, &why);
    answer(r, 200, err, &why, &user, &tokens);
}

void mp_handle_logout(mp_request *r)
{
    mp_caller caller = caller_of(r);
    mp_why why = {0};
    mp_err err = mp_auth_logout(r->service->auth, r->session, r->user.id, &caller, &why);
    if (err)
        refuse(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

void mp_handle_me(mp_request *r)
{
    mp_reply_json(r, 200, json_pack("{s:o}", "user", user_json(&r->user)));
}

static json_t *session_json(const mp_request *r, const mp_session *session)
{
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:s, s:s, s:b}", "id", session->id, "created_at",
        (json_int_t)(session->created_ms / 1000), "used_at", (json_int_t)(session->used_ms / 1000),
        "expires_at", (json_int_t)(session->expires_ms / 1000), "user_agent", session->agent,
        "address", session->address, "current", (int)(strcmp(session->id, r->session) == 0));
}

void mp_handle_sessions(mp_request *r)
{
    mp_session *list;
    size_t n;
    mp_why why = {0};
    mp_err err = mp_auth_sessions(r->service->auth, r->user.id, r->arena, &list, &n, &why);
    if (err) {
        refuse(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, session_json(r, &list[i]));
    mp_reply_json(r, 200, json_pack("{s:o}", "sessions", rows));
}

void mp_handle_end_session(mp_request *r)
{
    mp_caller caller = caller_of(r);
    mp_why why = {0};
    mp_err err = mp_auth_end_session(r->service->auth, &r->user, r->param[0], &caller, &why);
    if (err)
        mp_reply_error(r, (magpie_err)err, (const magpie_why *)(const void *)&why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

void mp_handle_password(mp_request *r)
{
    static const mp_member members[] = {{"old_password", JSON_STRING, true, 1, PASSWORD},
                                        {"new_password", JSON_STRING, true, 1, PASSWORD}};
    mp_caller caller = caller_of(r);
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !may_try(r, r->user.username))
        return;
    mp_err err = mp_auth_set_password(r->service->auth, &r->user, r->session,
                                      mp_body_text(r, "old_password"),
                                      mp_body_text(r, "new_password"), &caller, &why);
    if (err == MP_NOT_FOUND)
        mp_reply_problem(r, 403, "%s", why.text);
    else if (err)
        refuse(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

void mp_handle_audit(mp_request *r)
{
    mp_audit *list;
    size_t n;
    long long before, limit;
    mp_why why = {0};
    if (!mp_request_number(r, "before", 1, INT64_MAX, 0, &before) ||
        !mp_request_number(r, "limit", 1, 1000, 100, &limit))
        return;
    mp_err err = mp_auth_audit(r->service->auth, before, (size_t)limit, r->arena, &list, &n, &why);
    if (err) {
        refuse(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "id",
                                              (json_int_t)list[i].id, "at",
                                              (json_int_t)(list[i].at_ms / 1000), "user_id",
                                              (json_int_t)list[i].user_id, "action", list[i].action,
                                              "detail", list[i].detail, "address", list[i].address,
                                              "request_id", list[i].request_id));
    json_t *next = n == (size_t)limit ? json_integer((json_int_t)list[n - 1].id) : json_null();
    mp_reply_json(r, 200, json_pack("{s:o, s:o}", "audit", rows, "next_before", next));
}

bool mp_request_authorize(mp_request *r)
{
    const char *header = mp_request_header(r, "Authorization");
    mp_why why = {0};
    if (r->route->linked && mp_request_query(r, "sig"))
        return mp_link_admits(r);
    if (!header || strncasecmp(header, "Bearer ", 7) != 0) {
        mp_reply_problem(r, 401, "this needs an access token: Authorization: Bearer ...");
        mp_reply_header(r, "WWW-Authenticate", "Bearer");
        return false;
    }
    mp_err err = mp_auth_check(r->service->auth, header + 7, r->arena, &r->user, &r->session, &why);
    if (!err)
        err = mp_access_of(r->service->library, &r->user, r->arena, &r->access, &why);
    if (err) {
        refuse(r, err, &why);
        return false;
    }
    const char *permission = r->route->permission;
    if (!permission || mp_role_may(r->user.role, permission))
        return true;
    mp_reply_problem(r, 403, "the role %s may not do this (%s)", r->user.role, permission);
    return false;
}
