/* auth.c - opening, login, sessions, the audit log. See auth.h. */
#include "service/inside.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

enum { ID = 16 };
static const int64_t SESSION_MS = 30LL * 24 * 3600 * 1000;

/* ---- shared ---- */

mp_audit mp_service_note(const char *action, int64_t by, const char *detail,
                         const mp_caller *caller)
{
    return (mp_audit){.user_id = by,
                      .action = action,
                      .detail = detail,
                      .address = caller->address,
                      .request_id = caller->request_id};
}

void mp_service_make_secret(char text[MP_SECRET_TEXT], uint8_t hash[32])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    mp_hex(bytes, sizeof bytes, text);
    crypto_hash_sha256(hash, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
}

bool mp_service_read_secret(const char *text, uint8_t hash[32])
{
    uint8_t bytes[32];
    size_t n = 0;
    bool fine = sodium_hex2bin(bytes, sizeof bytes, text, strlen(text), NULL, &n, NULL) == 0 &&
                n == sizeof bytes;
    if (fine)
        crypto_hash_sha256(hash, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    return fine;
}

/* ---- opening ---- */

static mp_err take_secret(mp_auth *a, const char *secret, mp_why *why)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    size_t n = strlen(secret);
    if (n < MP_LEAST_SECRET)
        return mp_fail(why, MP_INVALID, "the secret that signs tokens needs %d bytes or more",
                       MP_LEAST_SECRET);
    a->secret = (uint8_t *)mp_xstrdup(secret);
    a->secret_bytes = n;
    crypto_hash_sha256(hash, a->secret, n);
    mp_hex(hash, 8, a->secret_kid);
    return MP_OK;
}

static mp_err make_nobody(mp_auth *a, mp_why *why)
{
    char password[MP_SECRET_TEXT];
    uint8_t unused[32];
    mp_service_make_secret(password, unused);
    return mp_service_hash_password(password, a->nobody, why);
}

mp_err mp_auth_open(mp_auth **out, const mp_auth_options *opt, mp_why *why)
{
    mp_auth *a = mp_xcalloc(1, sizeof *a);
    *out = NULL;
    a->meta = mp_core_meta(opt->library);
    a->access_s = opt->access_s ? opt->access_s : MP_ACCESS_S;
    a->recent = mp_recent_new();
    mp_err err = opt->jwt_secret && *opt->jwt_secret ? take_secret(a, opt->jwt_secret, why)
                                                     : mp_service_init_keys(a, why);
    if (!err)
        err = make_nobody(a, why);
    if (err) {
        mp_auth_close(a);
        return err;
    }
    if (opt->send)
        a->outbox = mp_outbox_new(a, opt);
    *out = a;
    return MP_OK;
}

void mp_auth_close(mp_auth *a)
{
    if (!a)
        return;
    mp_outbox_free(a->outbox);
    mp_recent_free(a->recent);
    if (a->secret)
        sodium_memzero(a->secret, a->secret_bytes);
    free(a->secret);
    sodium_memzero(a, sizeof *a);
    free(a);
}

int mp_auth_access_s(const mp_auth *a)
{
    return a->access_s;
}

/* ---- sessions ---- */

mp_err mp_auth_begin_session(mp_auth *a, const mp_user *user, const mp_caller *caller,
                             mp_tokens *tokens, mp_why *why)
{
    uint8_t hash[32], id[ID];
    char session[2 * ID + 1];
    randombytes_buf(id, sizeof id);
    mp_hex(id, sizeof id, session);
    mp_service_make_secret(tokens->refresh, hash);
    mp_session row = {.id = session,
                      .user_id = user->id,
                      .created_ms = mp_now_ms(),
                      .expires_ms = mp_now_ms() + SESSION_MS,
                      .agent = caller->agent,
                      .address = caller->address};
    mp_audit note = mp_service_note("session.login", user->id, session, caller);
    mp_err err = mp_meta_add_session(a->meta, &row, user->password, hash, &note, why);
    return err ? err : mp_service_sign(a, user, session, tokens, why);
}

mp_err mp_auth_login(mp_auth *a, const char *name, const char *password, const mp_caller *caller,
                     mp_arena *arena, mp_user *user, mp_tokens *tokens, mp_why *why)
{
    mp_err err = mp_meta_find_user(a->meta, name, arena, user, why);
    if (err && err != MP_NOT_FOUND)
        return err;
    bool known = !err && !user->deleted;
    bool right = mp_service_password_fits(known ? user->password : a->nobody, password);
    if (!known || !right || !user->active) {
        mp_audit note = mp_service_note("session.refused", known ? user->id : 0, "", caller);
        err = mp_meta_add_audit(a->meta, &note, why);
        *user = (mp_user){0};
        return err ? err
                   : mp_fail(why, MP_NOT_FOUND, "the name and the password do not belong together");
    }
    return mp_auth_begin_session(a, user, caller, tokens, why);
}

mp_err mp_auth_refresh(mp_auth *a, const char *refresh, const mp_caller *caller, mp_arena *arena,
                       mp_user *user, mp_tokens *tokens, mp_why *why)
{
    uint8_t hash[32], next[32];
    mp_session session;
    *user = (mp_user){0};
    if (!mp_service_read_secret(refresh, hash))
        return mp_fail(why, MP_NOT_FOUND, "this is no refresh token");
    mp_service_make_secret(tokens->refresh, next);
    int64_t now = mp_now_ms();
    mp_err err =
        mp_meta_rotate_session(a->meta, hash, next, now, now + SESSION_MS, arena, &session, why);
    if (err == MP_EXISTS) {
        mp_audit note = mp_service_note("session.reuse", session.user_id, session.id, caller);
        if (mp_meta_add_audit(a->meta, &note, NULL))
            mp_log(MP_LOG_ERROR, "the reuse of a token could not be noted");
        return MP_NOT_FOUND;
    }
    if (!err)
        err = mp_meta_get_user(a->meta, session.user_id, arena, user, why);
    if (!err && !user->active)
        err = mp_fail(why, MP_NOT_FOUND, "this account is closed");
    return err ? err : mp_service_sign(a, user, session.id, tokens, why);
}

mp_err mp_auth_check(mp_auth *a, const char *access, mp_arena *arena, mp_user *user,
                     const char **session, mp_why *why)
{
    mp_session row;
    int64_t id;
    *user = (mp_user){0};
    mp_err err = mp_service_verify(a, access, arena, session, &id, why);
    if (!err)
        err = mp_meta_get_session(a->meta, *session, arena, &row, why);
    if (!err && (row.revoked || row.user_id != id || row.expires_ms <= mp_now_ms()))
        err = mp_fail(why, MP_NOT_FOUND, "this session is over");
    if (!err)
        err = mp_meta_get_user(a->meta, id, arena, user, why);
    if (!err && !user->active)
        err = mp_fail(why, MP_NOT_FOUND, "this account is closed");
    return err;
}

mp_err mp_auth_logout(mp_auth *a, const char *session, int64_t user_id, const mp_caller *caller,
                      mp_why *why)
{
    mp_audit note = mp_service_note("session.logout", user_id, session, caller);
    return mp_meta_revoke_session(a->meta, session, &note, why);
}

mp_err mp_auth_sessions(mp_auth *a, int64_t user_id, mp_arena *arena, mp_session **out, size_t *n,
                        mp_why *why)
{
    return mp_meta_list_sessions(a->meta, user_id, mp_now_ms(), arena, out, n, why);
}

mp_err mp_auth_end_session(mp_auth *a, const mp_user *user, const char *session,
                           const mp_caller *caller, mp_why *why)
{
    mp_session row;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_meta_get_session(a->meta, session, arena, &row, why);
    if (!err && row.user_id != user->id)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such session");
    mp_arena_free(arena);
    return err ? err : mp_auth_logout(a, session, user->id, caller, why);
}

mp_err mp_auth_audit(mp_auth *a, const mp_audit_query *query, mp_arena *arena, mp_audit **out,
                     size_t *n, mp_why *why)
{
    return mp_meta_list_audit(a->meta, query, arena, out, n, why);
}
