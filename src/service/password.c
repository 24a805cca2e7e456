/* password.c - what a password must be, and its hash. See auth.h. */
#include "service/inside.h"

#include <string.h>
#include <strings.h>

enum { LEAST = 8, MOST = 128 };
/* RFC 9106, 4, second recommendation: for where memory is shared with other work. */
static const unsigned long long HASH_PASSES = 3;
static const size_t HASH_BYTES = 64 * 1024 * 1024;

mp_err mp_service_check_password(const char *password, const char *username, mp_why *why)
{
    size_t n = strlen(password), characters = 0;
    for (const char *c = password; *c; c++) /* of UTF-8: few of several bytes are easy to guess */
        characters += (*c & 0xC0) != 0x80;
    if (characters < LEAST || n > MOST)
        return mp_fail(why, MP_INVALID,
                       "a password has at least %d characters and at most %d bytes", LEAST, MOST);
    if (strcasecmp(password, username) == 0)
        return mp_fail(why, MP_INVALID, "the password must not be the name");
    return MP_OK;
}

mp_err mp_service_hash_password(const char *password, char out[crypto_pwhash_STRBYTES], mp_why *why)
{
    if (crypto_pwhash_str_alg(out, password, strlen(password), HASH_PASSES, HASH_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return mp_fail(why, MP_NOMEM, "no memory to hash a password");
    return MP_OK;
}

bool mp_service_password_fits(const char *hash, const char *password)
{
    size_t n = strnlen(password, MOST + 1); /* a longer one is nobody's */
    return crypto_pwhash_str_verify(hash, password, n) == 0;
}

mp_err mp_auth_set_password(mp_auth *a, const mp_user *user, const char *session, const char *old,
                            const char *password, const mp_caller *caller, mp_why *why)
{
    char hash[crypto_pwhash_STRBYTES];
    mp_audit note = mp_service_note("user.password", user->id, "", caller);
    if (!mp_service_password_fits(user->password, old))
        return mp_fail(why, MP_NOT_FOUND, "the old password is wrong");
    mp_err err = mp_service_check_password(password, user->username, why);
    if (!err)
        err = mp_service_hash_password(password, hash, why);
    return err ? err : mp_meta_set_password(a->meta, user->id, hash, session, &note, why);
}
