/* auth.c - see auth.h. */
#include "service/auth.h"

#include "base/os.h"
#include "core/ports.h"

#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY = 32, ID = 16, LEAST_PASSWORD = 8, MOST_PASSWORD = 128 };
static const int64_t SESSION_MS = 30LL * 24 * 3600 * 1000;
static const unsigned long long HASH_PASSES = 3;
static const size_t HASH_BYTES = 64 * 1024 * 1024;

struct mp_auth {
    mp_meta *meta; /* the library's */
    uint8_t key[KEY];
    char kid[17];                        /* names the key; of its hash */
    char nobody[crypto_pwhash_STRBYTES]; /* the hash of a password that nobody knows */
};

/* ---- keys and hashes ---- */

static mp_err hash_password(const char *password, char out[crypto_pwhash_STRBYTES], mp_why *why)
{
    if (crypto_pwhash_str_alg(out, password, strlen(password), HASH_PASSES, HASH_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return mp_fail(why, MP_NOMEM, "no memory to hash a password");
    return MP_OK;
}

static mp_err load_key(mp_auth *a, mp_why *why)
{
    char hex[2 * KEY + 1];
    size_t n = 0;
    mp_err err = mp_meta_get_setting(a->meta, "auth_key", hex, sizeof hex, why);
    if (err == MP_NOT_FOUND) {
        randombytes_buf(a->key, KEY);
        mp_hex(a->key, KEY, hex);
        err = mp_meta_set_setting(a->meta, "auth_key", hex, why);
    } else if (!err &&
               (sodium_hex2bin(a->key, KEY, hex, strlen(hex), NULL, &n, NULL) != 0 || n != KEY)) {
        err = mp_fail(why, MP_CORRUPT, "the signing key of the library is damaged");
    }
    sodium_memzero(hex, sizeof hex);
    return err;
}

mp_err mp_auth_open(mp_auth **out, magpie *library, mp_why *why)
{
    mp_auth *a = mp_xcalloc(1, sizeof *a);
    uint8_t hash[crypto_hash_sha256_BYTES], unknown[16];
    char password[33];
    *out = NULL;
    a->meta = mp_core_meta(library);
    mp_err err = load_key(a, why);
    if (!err) {
        crypto_hash_sha256(hash, a->key, KEY);
        mp_hex(hash, 8, a->kid);
        randombytes_buf(unknown, sizeof unknown);
        mp_hex(unknown, sizeof unknown, password);
        err = hash_password(password, a->nobody, why);
    }
    if (err) {
        mp_auth_close(a);
        return err;
    }
    *out = a;
    return MP_OK;
}

void mp_auth_close(mp_auth *a)
{
    if (!a)
        return;
    sodium_memzero(a, sizeof *a);
    free(a);
}

static mp_err note(mp_auth *a, int64_t user_id, const char *action, const char *detail,
                   const mp_caller *caller, mp_why *why)
{
    mp_audit row = {.user_id = user_id,
                    .action = action,
                    .detail = detail,
                    .address = caller->address,
                    .request_id = caller->request_id};
    return mp_meta_add_audit(a->meta, &row, why);
}

/* ---- accounts ---- */

mp_err mp_auth_any_user(mp_auth *a, bool *out, mp_why *why)
{
    uint64_t n;
    mp_err err = mp_meta_count_users(a->meta, &n, why);
    *out = n > 0;
    return err;
}

static mp_err check_name(const char *name, mp_why *why)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);
    if (n < 3 || n > 32 || strspn(name, fine) != n)
        return mp_fail(why, MP_INVALID, "a name has 3 to 32 letters, digits, dots, _ and -");
    return MP_OK;
}

/* What any mail server takes is between this and a mail that arrives. */
static mp_err check_email(const char *email, mp_why *why)
{
    const char *at = strchr(email, '@');
    size_t n = strlen(email);
    bool fine = n == 0 || (at && at > email && !strchr(at + 1, '@') && strchr(at + 1, '.') &&
                           n <= 254 && strcspn(email, " \t\r\n\"<>()") == n);
    return fine ? MP_OK : mp_fail(why, MP_INVALID, "this is not an e-mail address");
}

static mp_err check_password(const char *password, const char *username, mp_why *why)
{
    size_t n = strlen(password);
    if (n < LEAST_PASSWORD || n > MOST_PASSWORD)
        return mp_fail(why, MP_INVALID, "a password has %d to %d bytes", LEAST_PASSWORD,
                       MOST_PASSWORD);
    if (strcasecmp(password, username) == 0)
        return mp_fail(why, MP_INVALID, "the password must not be the name");
    return MP_OK;
}

mp_err mp_auth_register(mp_auth *a, const char *username, const char *email, const char *password,
                        const char *role, const mp_caller *caller, mp_arena *arena, mp_user *out,
                        mp_why *why)
{
    char hash[crypto_pwhash_STRBYTES];
    int64_t id = 0;
    *out = (mp_user){0};
    mp_err err = check_name(username, why);
    if (!err)
        err = check_email(email, why);
    if (!err)
        err = check_password(password, username, why);
    if (!err)
        err = hash_password(password, hash, why);
    mp_user user = {.username = username,
                    .email = email,
                    .password = hash,
                    .role = role,
                    .active = true,
                    .created_ms = mp_now_ms()};
    if (!err)
        err = mp_meta_add_user(a->meta, &user, &id, why);
    if (!err)
        err = note(a, id, "user.register", role, caller, why);
    return err ? err : mp_meta_get_user(a->meta, id, arena, out, why);
}

/* ---- tokens ---- */

static mp_err sign(mp_auth *a, const mp_user *user, const char *session, mp_tokens *out,
                   mp_why *why)
{
    jwt_t *jwt = NULL;
    long now = (long)(mp_now_ms() / 1000);
    char *text = NULL;
    bool fine = jwt_new(&jwt) == 0 && jwt_add_header(jwt, "kid", a->kid) == 0 &&
                jwt_add_grant_int(jwt, "user_id", (long)user->id) == 0 &&
                jwt_add_grant(jwt, "username", user->username) == 0 &&
                jwt_add_grant(jwt, "role", user->role) == 0 &&
                jwt_add_grant_int(jwt, "iat", now) == 0 &&
                jwt_add_grant_int(jwt, "exp", now + MP_ACCESS_S) == 0 &&
                jwt_add_grant(jwt, "jti", session) == 0 &&
                jwt_set_alg(jwt, JWT_ALG_HS256, a->key, KEY) == 0;
    if (fine)
        text = jwt_encode_str(jwt);
    fine = text && strlen(text) < sizeof out->access;
    if (fine)
        snprintf(out->access, sizeof out->access, "%s", text);
    out->expires_in_s = MP_ACCESS_S;
    free(text);
    jwt_free(jwt);
    return fine ? MP_OK : mp_fail(why, MP_INTERNAL, "the token cannot be signed");
}

/* A new refresh token, and its hash. */
static void make_refresh(mp_tokens *out, uint8_t hash[32])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    mp_hex(bytes, sizeof bytes, out->refresh);
    crypto_hash_sha256(hash, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
}

mp_err mp_auth_begin_session(mp_auth *a, const mp_user *user, const mp_caller *caller,
                             mp_tokens *tokens, mp_why *why)
{
    uint8_t hash[32], id[ID];
    char session[2 * ID + 1];
    randombytes_buf(id, sizeof id);
    mp_hex(id, sizeof id, session);
    make_refresh(tokens, hash);
    mp_session row = {.id = session,
                      .user_id = user->id,
                      .created_ms = mp_now_ms(),
                      .expires_ms = mp_now_ms() + SESSION_MS,
                      .agent = caller->agent,
                      .address = caller->address};
    mp_err err = mp_meta_add_session(a->meta, &row, hash, why);
    if (!err)
        err = note(a, user->id, "session.login", session, caller, why);
    return err ? err : sign(a, user, session, tokens, why);
}

mp_err mp_auth_login(mp_auth *a, const char *name, const char *password, const mp_caller *caller,
                     mp_arena *arena, mp_user *user, mp_tokens *tokens, mp_why *why)
{
    mp_err err = mp_meta_find_user(a->meta, name, arena, user, why);
    if (err && err != MP_NOT_FOUND)
        return err;
    bool known = !err;
    size_t n = MP_MIN(strlen(password), (size_t)MOST_PASSWORD + 1);
    bool right = crypto_pwhash_str_verify(known ? user->password : a->nobody, password, n) == 0;
    if (!known || !right || !user->active) {
        err = note(a, known ? user->id : 0, "session.refused", "", caller, why);
        *user = (mp_user){0};
        return err ? err
                   : mp_fail(why, MP_NOT_FOUND, "the name and the password do not belong together");
    }
    return mp_auth_begin_session(a, user, caller, tokens, why);
}

mp_err mp_auth_refresh(mp_auth *a, const char *refresh, const mp_caller *caller, mp_arena *arena,
                       mp_user *user, mp_tokens *tokens, mp_why *why)
{
    uint8_t bytes[32], hash[32], next[32];
    size_t n = 0;
    mp_session session;
    *user = (mp_user){0};
    if (sodium_hex2bin(bytes, sizeof bytes, refresh, strlen(refresh), NULL, &n, NULL) != 0 ||
        n != sizeof bytes)
        return mp_fail(why, MP_NOT_FOUND, "this is no refresh token");
    crypto_hash_sha256(hash, bytes, sizeof bytes);
    make_refresh(tokens, next);
    int64_t now = mp_now_ms();
    mp_err err =
        mp_meta_rotate_session(a->meta, hash, next, now, now + SESSION_MS, arena, &session, why);
    if (err == MP_EXISTS) {
        mp_err noted = note(a, session.user_id, "session.reuse", session.id, caller, NULL);
        if (noted)
            mp_log(MP_LOG_ERROR, "the reuse of a token could not be noted");
        return MP_NOT_FOUND;
    }
    if (!err)
        err = mp_meta_get_user(a->meta, session.user_id, arena, user, why);
    if (!err && !user->active)
        err = mp_fail(why, MP_NOT_FOUND, "this account is closed");
    return err ? err : sign(a, user, session.id, tokens, why);
}

/* The token's session id, when it is ours and not over. */
static const char *verified_session(mp_auth *a, const char *access, mp_arena *arena, int64_t *user)
{
    jwt_t *jwt = NULL;
    const char *session = NULL;
    if (jwt_decode(&jwt, access, a->key, KEY) != 0)
        return NULL;
    const char *kid = jwt_get_header(jwt, "kid"), *jti = jwt_get_grant(jwt, "jti");
    long now = (long)(mp_now_ms() / 1000);
    bool fine = jwt_get_alg(jwt) == JWT_ALG_HS256 && kid && strcmp(kid, a->kid) == 0 && jti &&
                jwt_get_grant_int(jwt, "exp") > now && jwt_get_grant_int(jwt, "iat") <= now + 60;
    if (fine) {
        session = mp_arena_strdup(arena, mp_str_of(jti));
        *user = jwt_get_grant_int(jwt, "user_id");
    }
    jwt_free(jwt);
    return session;
}

mp_err mp_auth_check(mp_auth *a, const char *access, mp_arena *arena, mp_user *user,
                     const char **session, mp_why *why)
{
    mp_session row;
    int64_t id = 0;
    *user = (mp_user){0};
    *session = verified_session(a, access, arena, &id);
    if (!*session)
        return mp_fail(why, MP_NOT_FOUND, "the access token is not valid, or not any more");
    mp_err err = mp_meta_get_session(a->meta, *session, arena, &row, why);
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
    mp_err err = mp_meta_revoke_session(a->meta, session, why);
    return err ? err : note(a, user_id, "session.logout", session, caller, why);
}

/* ---- what a user may do with the own account ---- */

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

mp_err mp_auth_set_password(mp_auth *a, const mp_user *user, const char *session, const char *old,
                            const char *password, const mp_caller *caller, mp_why *why)
{
    char hash[crypto_pwhash_STRBYTES];
    size_t n = MP_MIN(strlen(old), (size_t)MOST_PASSWORD + 1);
    if (crypto_pwhash_str_verify(user->password, old, n) != 0)
        return mp_fail(why, MP_NOT_FOUND, "the old password is wrong");
    mp_err err = check_password(password, user->username, why);
    if (!err)
        err = hash_password(password, hash, why);
    if (!err)
        err = mp_meta_set_password(a->meta, user->id, hash, session, why);
    return err ? err : note(a, user->id, "user.password", "", caller, why);
}

mp_err mp_auth_audit(mp_auth *a, int64_t before, size_t limit, mp_arena *arena, mp_audit **out,
                     size_t *n, mp_why *why)
{
    return mp_meta_list_audit(a->meta, before, limit, arena, out, n, why);
}
