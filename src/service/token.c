/* token.c - access tokens and the keys that sign them. See auth.h.
 *
 * Which key a token was signed with is read from its head before anything is believed; it must be
 * one of our own list, and the only algorithm is HS256 (RFC 8725, 3.1 and 3.2). The list is read
 * for each token, as another process may have rotated it; the same token is read once a second. */
#include "service/inside.h"

#include "base/os.h"

#include <errno.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 4096, SLACK_S = 60 /* between two clocks */ };
static const int64_t BELIEVED_MS = 3600 * 1000; /* an old key, after it was replaced, at least */
static const char OLD_SETTING[] = "auth_key";   /* where the one key was before there was a list */

typedef struct signer {
    const uint8_t *key;
    size_t n;
    const char *kid;
} signer;

/* ---- keys ---- */

/* What was signed with an old key stays valid to its end. */
static int64_t believed_ms(const mp_auth *a)
{
    return MP_MAX(BELIEVED_MS, (int64_t)a->access_s * 1000);
}

static void name_key(mp_signing_key *key)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, key->key, sizeof key->key);
    mp_hex(hash, 8, key->kid);
    key->created_ms = mp_now_ms();
}

mp_err mp_service_init_keys(mp_auth *a, mp_why *why)
{
    mp_signing_key key = {0};
    char hex[2 * sizeof key.key + 1];
    size_t n = 0;
    mp_err err = mp_meta_get_signing_key(a->meta, NULL, &key, why);
    if (err == MP_NOT_FOUND) {
        err = mp_meta_get_setting(a->meta, OLD_SETTING, hex, sizeof hex, why);
        if (err == MP_NOT_FOUND) {
            randombytes_buf(key.key, sizeof key.key);
            err = MP_OK;
        } else if (!err && (sodium_hex2bin(key.key, sizeof key.key, hex, strlen(hex), NULL, &n,
                                           NULL) != 0 ||
                            n != sizeof key.key)) {
            err = mp_fail(why, MP_CORRUPT, "the signing key of the library is damaged");
        }
        name_key(&key);
        if (!err)
            err = mp_meta_init_signing_key(a->meta, &key, OLD_SETTING, why);
    }
    sodium_memzero(&key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    return err;
}

/* The key to sign with (kid NULL), or the one of this name if it may be believed; `from` keeps it.
 */
static mp_err find_key(mp_auth *a, const char *kid, mp_signing_key *from, signer *out, mp_why *why)
{
    if (a->secret) {
        *out = (signer){a->secret, a->secret_bytes, a->secret_kid};
        return !kid || strcmp(kid, a->secret_kid) == 0
                   ? MP_OK
                   : mp_fail(why, MP_NOT_FOUND, "this key is none of ours");
    }
    mp_err err = mp_meta_get_signing_key(a->meta, kid, from, why);
    if (!err && from->retired_ms && from->retired_ms + believed_ms(a) <= mp_now_ms())
        err = mp_fail(why, MP_NOT_FOUND, "this key is not believed any more");
    *out = (signer){from->key, sizeof from->key, from->kid};
    return err;
}

mp_err mp_auth_rotate(mp_auth *a, int64_t by, const mp_caller *caller, mp_signing_key *out,
                      mp_why *why)
{
    *out = (mp_signing_key){0};
    if (a->secret)
        return mp_fail(why, MP_UNSUPPORTED,
                       "tokens are signed with the secret of the configuration; change it there");
    randombytes_buf(out->key, sizeof out->key);
    name_key(out);
    mp_audit note = mp_service_note("keys.rotate", by, out->kid, caller);
    mp_err err = mp_meta_rotate_signing_key(a->meta, out, mp_now_ms() - believed_ms(a), &note, why);
    sodium_memzero(out->key, sizeof out->key);
    return err;
}

/* ---- tokens ---- */

static bool encode(const mp_auth *a, const signer *by, const mp_user *user, const char *session,
                   mp_tokens *out)
{
    jwt_t *jwt = NULL;
    long now = (long)(mp_now_ms() / 1000);
    char *text = NULL, id[24]; /* a string, as the first clients read it */
    snprintf(id, sizeof id, "%lld", (long long)user->id);
    bool fine = jwt_new(&jwt) == 0 && jwt_add_header(jwt, "kid", by->kid) == 0 &&
                jwt_add_grant(jwt, "user_id", id) == 0 &&
                jwt_add_grant(jwt, "username", user->username) == 0 &&
                jwt_add_grant(jwt, "role", user->role) == 0 &&
                jwt_add_grant_int(jwt, "iat", now) == 0 &&
                jwt_add_grant_int(jwt, "exp", now + a->access_s) == 0 &&
                jwt_add_grant(jwt, "jti", session) == 0 &&
                jwt_set_alg(jwt, JWT_ALG_HS256, by->key, (int)by->n) == 0;
    if (fine)
        text = jwt_encode_str(jwt);
    fine = text && strlen(text) < sizeof out->access;
    if (fine)
        snprintf(out->access, sizeof out->access, "%s", text);
    out->expires_in_s = a->access_s;
    free(text);
    jwt_free(jwt);
    return fine;
}

mp_err mp_service_sign(mp_auth *a, const mp_user *user, const char *session, mp_tokens *out,
                       mp_why *why)
{
    mp_signing_key from = {0};
    signer by;
    mp_err err = find_key(a, NULL, &from, &by, why);
    if (!err && !encode(a, &by, user, session, out))
        err = mp_fail(why, MP_INTERNAL, "the token cannot be signed");
    sodium_memzero(&from, sizeof from);
    return err;
}

/* A whole number of the claims; false when it is missing or something else. As text: libjwt's own
 * reader takes a string for 0. */
static bool number(jwt_t *jwt, const char *name, bool *missing, int64_t *out)
{
    char *end = NULL, *text = jwt_get_grants_json(jwt, name);
    *missing = !text;
    errno = 0;
    *out = text ? strtoll(text, &end, 10) : 0;
    bool fine = text && end > text && !*end && errno == 0;
    free(text);
    return fine;
}

/* The user of the claims: a string of digits alone. */
static bool user_of(jwt_t *jwt, int64_t *out)
{
    const char *text = jwt_get_grant(jwt, "user_id");
    size_t n = text ? strspn(text, "0123456789") : 0;
    bool fine = n > 0 && n < 19 && !text[n];
    *out = fine ? strtoll(text, NULL, 10) : 0;
    return fine;
}

/* exp, iat and user_id must be there; nbf may be (RFC 7519, 4.1.4 to 4.1.6). */
static bool claims_hold(jwt_t *jwt, int64_t *user)
{
    bool missing;
    int64_t exp, iat, nbf, id, now = mp_now_ms() / 1000;
    if (!number(jwt, "exp", &missing, &exp) || exp <= now)
        return false;
    if (!number(jwt, "iat", &missing, &iat) || iat > now + SLACK_S)
        return false;
    if (!user_of(jwt, &id))
        return false;
    if (!number(jwt, "nbf", &missing, &nbf) && !missing)
        return false;
    *user = id;
    return missing || nbf <= now + SLACK_S;
}

/* The kid of a head that claims the one algorithm that we take; nothing is verified yet. */
static const char *claimed_kid(const char *access, mp_arena *arena)
{
    jwt_t *jwt = NULL;
    if (strnlen(access, LONGEST) == LONGEST || jwt_decode(&jwt, access, NULL, 0) != 0)
        return NULL;
    const char *alg = jwt_get_header(jwt, "alg"), *kid = jwt_get_header(jwt, "kid");
    bool ours = alg && strcmp(alg, "HS256") == 0 && kid;
    const char *kept = ours ? mp_arena_strdup(arena, mp_str_of(kid)) : NULL;
    jwt_free(jwt);
    return kept;
}

/* What a token says that is ours and not over. */
static mp_err read_claim(mp_auth *a, const char *access, mp_arena *arena, mp_claim *out,
                         mp_why *why)
{
    jwt_t *jwt = NULL;
    mp_signing_key from = {0};
    signer by;
    const char *kid = claimed_kid(access, arena);
    mp_err err = kid ? find_key(a, kid, &from, &by, why) : MP_NOT_FOUND;
    bool fine = false;
    if (!err && jwt_decode(&jwt, access, by.key, (int)by.n) == 0) {
        const char *jti = jwt_get_grant(jwt, "jti");
        fine = jwt_get_alg(jwt) == JWT_ALG_HS256 && jti && claims_hold(jwt, &out->user) &&
               strlen(jti) < sizeof out->session;
        if (fine)
            snprintf(out->session, sizeof out->session, "%s", jti);
        jwt_free(jwt);
    }
    sodium_memzero(&from, sizeof from);
    return err ? err : fine ? MP_OK : MP_NOT_FOUND;
}

mp_err mp_service_verify(mp_auth *a, const char *access, mp_arena *arena, const char **session,
                         int64_t *user, mp_why *why)
{
    mp_claim claim = {0};
    int64_t now_s = mp_now_ms() / 1000;
    mp_err err = MP_OK;
    *session = NULL;
    *user = 0;
    if (!mp_recent_find(a->recent, access, now_s, &claim)) {
        err = read_claim(a, access, arena, &claim, why);
        if (!err)
            mp_recent_keep(a->recent, access, now_s, &claim);
    }
    if (err && err != MP_NOT_FOUND)
        return err;
    *session = err ? NULL : mp_arena_strdup(arena, mp_str_of(claim.session));
    *user = *session ? claim.user : 0;
    return *session ? MP_OK
                    : mp_fail(why, MP_NOT_FOUND, "the access token is not valid, or not any more");
}
