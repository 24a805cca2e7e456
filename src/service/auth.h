/* auth.h - accounts, sessions and tokens of a library that is served.
 *
 * An access token is a JWT (RFC 7519, HS256) that names the user and the session, for 15 minutes; a
 * refresh token is 32 random bytes, valid once: each use gives the next, and showing an old one
 * ends the session (RFC 9700, 4.14). Passwords are hashed with argon2id (RFC 9106). The signing key
 * is made with the first account and kept in the library. Any thread. */
#ifndef MP_AUTH_H
#define MP_AUTH_H

#include "magpie.h"

#include "meta/accounts.h"

typedef struct mp_auth mp_auth; /* opaque */

/* Reads the signing key, or makes it. The library is borrowed. */
MP_CHECK mp_err mp_auth_open(mp_auth **out, magpie *library, mp_why *why);
void mp_auth_close(mp_auth *a); /* NULL allowed */

enum { MP_TOKEN_MAX = 1024, MP_ACCESS_S = 15 * 60 };

typedef struct mp_tokens {
    char access[MP_TOKEN_MAX], refresh[65];
    int expires_in_s; /* of the access token */
} mp_tokens;

/* Who asks, and from where, for the session list and the audit log. */
typedef struct mp_caller {
    const char *agent, *address, *request_id;
} mp_caller;

/* Is there any account yet? */
MP_CHECK mp_err mp_auth_any_user(mp_auth *a, bool *out, mp_why *why);
/* Names: 3 to 32 letters, digits, . _ -; passwords: 8 to 128 characters; email may be "". The new
 * user is in *out (strings in arena). INVALID (and why), EXISTS. */
MP_CHECK mp_err mp_auth_register(mp_auth *a, const char *username, const char *email,
                                 const char *password, const char *role, const mp_caller *caller,
                                 mp_arena *arena, mp_user *out, mp_why *why);
/* Opens a session for a user who has just shown who they are. */
MP_CHECK mp_err mp_auth_begin_session(mp_auth *a, const mp_user *user, const mp_caller *caller,
                                      mp_tokens *tokens, mp_why *why);
/* NOT_FOUND: the name and the password do not belong together; as slow for a name that is not
 * there. */
MP_CHECK mp_err mp_auth_login(mp_auth *a, const char *name, const char *password,
                              const mp_caller *caller, mp_arena *arena, mp_user *user,
                              mp_tokens *tokens, mp_why *why);
/* NOT_FOUND: not a token that is valid now. */
MP_CHECK mp_err mp_auth_refresh(mp_auth *a, const char *refresh, const mp_caller *caller,
                                mp_arena *arena, mp_user *user, mp_tokens *tokens, mp_why *why);
/* Who an access token speaks for; *session becomes its id. NOT_FOUND: it is forged, expired, or its
 * session or account has ended. */
MP_CHECK mp_err mp_auth_check(mp_auth *a, const char *access, mp_arena *arena, mp_user *user,
                              const char **session, mp_why *why);
MP_CHECK mp_err mp_auth_logout(mp_auth *a, const char *session, int64_t user_id,
                               const mp_caller *caller, mp_why *why);

/* The user's open sessions, the newest first; in arena. */
MP_CHECK mp_err mp_auth_sessions(mp_auth *a, int64_t user_id, mp_arena *arena, mp_session **out,
                                 size_t *n, mp_why *why);
/* Ends a session of this user. NOT_FOUND: none of theirs is called so. */
MP_CHECK mp_err mp_auth_end_session(mp_auth *a, const mp_user *user, const char *session,
                                    const mp_caller *caller, mp_why *why);
/* A new password, which ends all other sessions. NOT_FOUND: `old` is wrong; INVALID. */
MP_CHECK mp_err mp_auth_set_password(mp_auth *a, const mp_user *user, const char *session,
                                     const char *old, const char *password, const mp_caller *caller,
                                     mp_why *why);
MP_CHECK mp_err mp_auth_audit(mp_auth *a, int64_t before, size_t limit, mp_arena *arena,
                              mp_audit **out, size_t *n, mp_why *why);

/* May this role do that ("audit.read", "users.write", ...)? */
bool mp_role_may(const char *role, const char *permission);

#endif
