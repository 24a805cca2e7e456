/* inside.h - what the files of the accounts share. Inside the service room. */
#ifndef MP_SERVICE_INSIDE_H
#define MP_SERVICE_INSIDE_H

#include "service/auth.h"
#include "service/recent.h"

#include <sodium.h>

typedef struct mp_outbox mp_outbox; /* reset.c */

struct mp_auth {
    mp_meta *meta;   /* the library's */
    uint8_t *secret; /* from outside; NULL: the library's keys count */
    size_t secret_bytes;
    int access_s;
    char secret_kid[17];
    char nobody[crypto_pwhash_STRBYTES]; /* the hash of a password that nobody knows */
    mp_outbox *outbox;                   /* NULL: no mail server */
    mp_recent *recent;
};

/* A row for the audit log. */
mp_audit mp_service_note(const char *action, int64_t by, const char *detail,
                         const mp_caller *caller);

/* 32 random bytes as text, and their SHA-256. */
void mp_service_make_secret(char text[MP_SECRET_TEXT], uint8_t hash[32]);
/* The SHA-256 of such a text's bytes; false when it is none. */
bool mp_service_read_secret(const char *text, uint8_t hash[32]);

/* ---- password.c ---- */
MP_CHECK mp_err mp_service_check_password(const char *password, const char *username, mp_why *why);
MP_CHECK mp_err mp_service_hash_password(const char *password, char out[crypto_pwhash_STRBYTES],
                                         mp_why *why);
/* Takes as long for any hash of ours. */
bool mp_service_password_fits(const char *hash, const char *password);

/* ---- account.c ---- */
MP_CHECK mp_err mp_service_check_email(const char *email, mp_why *why); /* "" is fine */

/* ---- token.c ---- */
/* Makes the library's first signing key, if it is not there. */
MP_CHECK mp_err mp_service_init_keys(mp_auth *a, mp_why *why);
MP_CHECK mp_err mp_service_sign(mp_auth *a, const mp_user *user, const char *session,
                                mp_tokens *out, mp_why *why);
/* The session and the user that a token names, when it is ours and not over; in arena. NOT_FOUND.
 */
MP_CHECK mp_err mp_service_verify(mp_auth *a, const char *access, mp_arena *arena,
                                  const char **session, int64_t *user, mp_why *why);

/* ---- reset.c ---- */
mp_outbox *mp_outbox_new(mp_auth *a, const mp_auth_options *opt);
void mp_outbox_free(mp_outbox *o); /* NULL allowed */

#endif
