/* auth.c - accounts over HTTP: set-up, registration, login, refresh, logout, sessions; and who a
 * request speaks for. */
#include "http/account.h"
#include "http/body.h"
#include "http/cookie.h"
#include "http/links.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/meta.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A member of every body that signs in: the refresh token goes into a cookie (cookie.h). */
#define COOKIE_MEMBER                                                                              \
    {                                                                                              \
        "cookie", JSON_TRUE, false, 0, 0                                                           \
    }

/* `token` is what the first clients read; the rest are OAuth's names (RFC 6749, 5.1). */
static void send_tokens(mp_request *r, int status, const mp_user *user, const mp_tokens *t,
                        bool cookie)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:o}", "token", t->access, "access_token",
                          t->access, "token_type", "Bearer", "expires_in", t->expires_in_s, "user",
                          mp_user_json(user));
    if (cookie)
        mp_cookie_set(r, t->refresh);
    else
        json_object_set_new(o, "refresh_token", json_string(t->refresh));
    mp_reply_json(r, status, o);
}

/* Tokens for whoever a function of accounts has let in, or its refusal. */
static void answer(mp_request *r, int status, mp_err err, const mp_why *why, const mp_user *user,
                   mp_tokens *tokens, bool cookie)
{
    if (err)
        mp_refuse(r, err, why);
    else
        send_tokens(r, status, user, tokens, cookie);
    sodium_memzero(tokens, sizeof *tokens);
}

static bool wants_cookie(const mp_request *r)
{
    return json_is_true(json_object_get(r->json, "cookie"));
}

/* Makes the account that the body tells of, with the invitation if there is one, and signs in. */
static void create(mp_request *r, const char *role, const char *invite)
{
    mp_caller caller = mp_caller_of(r);
    mp_user user;
    mp_tokens tokens;
    mp_why why = {0};
    mp_auth *auth = r->service->auth;
    mp_account account = {.username = mp_body_text(r, "username"),
                          .email = mp_body_text(r, "email"),
                          .password = mp_body_text(r, "password"),
                          .role = role};
    mp_err err =
        *invite ? mp_auth_register_invited(auth, &account, invite, &caller, r->arena, &user, &why)
                : mp_auth_register(auth, &account, 0, &caller, r->arena, &user, &why);
    if (err == MP_NOT_FOUND) {
        mp_reply_problem(r, 403, "%s", why.text);
        return;
    }
    if (!err)
        err = mp_auth_begin_session(auth, &user, &caller, &tokens, &why);
    r->made_id = err ? 0 : user.id;
    answer(r, 201, err, &why, &user, &tokens, wants_cookie(r));
}

void mp_handle_register(mp_request *r)
{
    static const mp_member fields[] = {{"username", JSON_STRING, true, 1, MP_NAME_BYTES},
                                       {"email", JSON_STRING, false, 0, MP_NAME_BYTES},
                                       {"password", JSON_STRING, true, 1, MP_PASSWORD_BYTES},
                                       {"invite", JSON_STRING, false, 1, 128},
                                       COOKIE_MEMBER};
    mp_registration mode = r->service->registration;
    if (!mp_body_read(r, fields, MP_COUNT(fields)))
        return;
    const char *invite = mp_body_text(r, "invite");
    if (mode == MP_REGISTRATION_CLOSED || (mode == MP_REGISTRATION_INVITE && !*invite)) {
        mp_reply_problem(r, 403,
                         mode == MP_REGISTRATION_CLOSED ? "registration is closed here"
                                                        : "registration needs an invitation here");
        return;
    }
    if (mp_may_try(r, "register"))
        create(r, "user", invite);
}

/* The first project is nobody's until there is somebody: what was added before is theirs. An
 * administrator reaches it in any case, so that a failure costs nothing but its name. */
static void create_first(mp_request *r)
{
    mp_why why = {0};
    create(r, "admin", "");
    if (r->reply.status == 201 &&
        mp_meta_adopt_project(mp_core_meta(r->service->library), 1, r->made_id, &why))
        mp_log(MP_LOG_INFO, "the first project stays without an owner: %s", why.text);
}

/* The first account, by who can read the terminal of the service. */
void mp_handle_setup(mp_request *r)
{
    static const mp_member fields[] = {{"setup_token", JSON_STRING, true, 1, 64},
                                       {"username", JSON_STRING, true, 1, MP_NAME_BYTES},
                                       {"email", JSON_STRING, false, 0, MP_NAME_BYTES},
                                       {"password", JSON_STRING, true, 1, MP_PASSWORD_BYTES},
                                       COOKIE_MEMBER};
    mp_service *s = r->service;
    bool any = true;
    mp_why why = {0};
    if (!mp_body_read(r, fields, MP_COUNT(fields)) || !mp_may_try(r, "setup"))
        return;
    const char *given = mp_body_text(r, "setup_token");
    bool right = strlen(given) == strlen(s->setup_token) && *given &&
                 sodium_memcmp(given, s->setup_token, strlen(given)) == 0;
    pthread_mutex_lock(&s->setup_mutex); /* two at once must not both be the first */
    mp_err err = mp_auth_any_user(s->auth, &any, &why);
    if (err)
        mp_refuse(r, err, &why);
    else if (any || !right)
        mp_reply_problem(r, 403, "%s", any ? "the set-up is done" : "this is not the set-up token");
    else
        create_first(r);
    pthread_mutex_unlock(&s->setup_mutex);
}

/* What a page that signs people in has to know before anybody is. */
void mp_handle_ways(mp_request *r)
{
    static const char *const modes[] = {[MP_REGISTRATION_OPEN] = "open",
                                        [MP_REGISTRATION_INVITE] = "invite",
                                        [MP_REGISTRATION_CLOSED] = "closed"};
    bool any = true;
    mp_why why = {0};
    mp_err err = mp_auth_any_user(r->service->auth, &any, &why);
    if (err)
        mp_refuse(r, err, &why);
    else
        mp_reply_json(r, 200,
                      json_pack("{s:b, s:s, s:b}", "setup_needed", (int)!any, "registration",
                                modes[r->service->registration], "mail",
                                (int)mp_auth_has_mail(r->service->auth)));
}

void mp_handle_login(mp_request *r)
{
    static const mp_member fields[] = {{"username", JSON_STRING, false, 1, MP_NAME_BYTES},
                                       {"email", JSON_STRING, false, 1, MP_NAME_BYTES},
                                       {"password", JSON_STRING, true, 1, MP_PASSWORD_BYTES},
                                       COOKIE_MEMBER};
    mp_caller caller = mp_caller_of(r);
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
    if (!mp_may_try(r, name))
        return;
    mp_err err = mp_auth_login(r->service->auth, name, mp_body_text(r, "password"), &caller,
                               r->arena, &user, &tokens, &why);
    answer(r, 200, err, &why, &user, &tokens, wants_cookie(r));
}

/* By the body's token, else by the cookie's; the next one goes the way that this one came. A cookie
 * that is refused is taken away: it will never be good again. */
void mp_handle_refresh(mp_request *r)
{
    static const mp_member fields[] = {{"refresh_token", JSON_STRING, false, 1, 128}};
    mp_caller caller = mp_caller_of(r);
    mp_user user;
    mp_tokens tokens;
    mp_why why = {0};
    if (!mp_body_read(r, fields, MP_COUNT(fields)))
        return;
    const char *refresh = mp_body_text(r, "refresh_token");
    bool cookie = !*refresh;
    if (cookie && !(refresh = mp_cookie_read(r))) {
        mp_reply_problem(r, 401, "there is no session to go on with: log in");
        return;
    }
    if (cookie && !mp_cookie_guard(r))
        return;
    mp_err err =
        mp_auth_refresh(r->service->auth, refresh, &caller, r->arena, &user, &tokens, &why);
    answer(r, 200, err, &why, &user, &tokens, cookie);
    if (cookie && r->reply.status == 401)
        mp_cookie_set(r, "");
}

void mp_handle_logout(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    mp_why why = {0};
    bool cookie = mp_cookie_read(r) != NULL;
    if (!mp_by_person(r) || (cookie && !mp_cookie_guard(r)))
        return;
    mp_err err = mp_auth_logout(r->service->auth, r->session, r->user.id, &caller, &why);
    mp_reply_done(r, err, &why);
    if (cookie && !err)
        mp_cookie_set(r, "");
}

void mp_handle_me(mp_request *r)
{
    mp_reply_json(r, 200, json_pack("{s:o}", "user", mp_user_json(&r->user)));
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
    if (!mp_by_person(r))
        return;
    mp_err err = mp_auth_sessions(r->service->auth, r->user.id, r->arena, &list, &n, &why);
    if (err) {
        mp_refuse(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, session_json(r, &list[i]));
    mp_reply_json(r, 200, json_pack("{s:o}", "sessions", rows));
}

void mp_handle_end_session(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    mp_why why = {0};
    if (!mp_by_person(r))
        return;
    mp_err err = mp_auth_end_session(r->service->auth, &r->user, r->param[0], &caller, &why);
    mp_reply_done(r, err, &why);
}

void mp_handle_rotate(mp_request *r)
{
    mp_caller caller = mp_caller_of(r);
    mp_signing_key key;
    mp_why why = {0};
    mp_err err = mp_auth_rotate(r->service->auth, r->user.id, &caller, &key, &why);
    if (err == MP_UNSUPPORTED)
        mp_reply_problem(r, 409, "%s", why.text);
    else if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_json(r, 200,
                      json_pack("{s:s, s:I}", "kid", key.kid, "created_at",
                                (json_int_t)(key.created_ms / 1000)));
}

/* ---- who may ---- */

bool mp_request_may(const mp_request *r, const char *permission)
{
    return mp_role_may(r->user.role, permission) && mp_scopes_may(r->scopes, permission);
}

/* What came to say who asks: an access token, or an API key in either of two places; NULL: none. */
static const char *credential(const mp_request *r)
{
    const char *header = mp_request_header(r, "Authorization");
    if (header)
        return strncasecmp(header, "Bearer ", 7) == 0 ? header + 7 : NULL;
    const char *key = mp_request_header(r, "X-API-Key");
    return key && mp_auth_is_key(key) ? key : NULL;
}

static mp_err identify(mp_request *r, const char *shown, mp_why *why)
{
    mp_api_key key;
    if (!mp_auth_is_key(shown))
        return mp_auth_check(r->service->auth, shown, r->arena, &r->user, &r->session, why);
    mp_err err = mp_auth_check_key(r->service->auth, shown, r->arena, &r->user, &key, why);
    r->session = "";
    r->scopes = err ? "" : key.scopes;
    r->key_id = err ? 0 : key.id;
    return err;
}

/* A process that embeds has no accounts: one secret, or none behind a closed door. */
static bool shows_embed_token(mp_request *r, const char *shown)
{
    const char *right = r->service->embed_token;
    if (!right || (shown && strlen(shown) == strlen(right) &&
                   sodium_memcmp(shown, right, strlen(right)) == 0))
        return true;
    mp_reply_problem(r, 401, "this needs the token of the embedding service");
    mp_reply_header(r, "WWW-Authenticate", "Bearer");
    return false;
}

bool mp_request_authorize(mp_request *r)
{
    const char *shown = credential(r);
    mp_why why = {0};
    if (r->service->embed_only)
        return shows_embed_token(r, shown);
    if (r->route->linked && mp_request_query(r, "sig"))
        return mp_link_admits(r);
    if (!shown) {
        mp_reply_problem(r, 401,
                         "this needs an access token or an API key: Authorization: Bearer "
                         "...");
        mp_reply_header(r, "WWW-Authenticate", "Bearer");
        return false;
    }
    mp_meta *meta = mp_core_meta(r->service->library);
    mp_meta_hold(meta); /* key, session, account, projects: four small questions */
    mp_err err = identify(r, shown, &why);
    if (!err)
        err = mp_access_of(r->service->library, &r->user, r->scopes, r->arena, &r->access, &why);
    mp_meta_let_go(meta);
    if (err) {
        mp_refuse(r, err, &why);
        return false;
    }
    const char *permission = r->route->permission;
    if (!permission || mp_request_may(r, permission))
        return true;
    if (mp_role_may(r->user.role, permission))
        mp_reply_problem(r, 403, "the scopes of this key do not cover this (%s)", permission);
    else
        mp_reply_problem(r, 403, "the role %s may not do this (%s)", r->user.role, permission);
    return false;
}
