/* auth.h - accounts, sessions, keys and tokens of a library that is served.
 *
 * An access token is a JWT (RFC 7519, HS256) that names the user and the session, for 15 minutes or
 * what the options say; a refresh token is 32 random bytes, valid once: each use gives the next,
 * and showing an old one ends the session (RFC 9700, 4.14). Passwords are hashed with argon2id (RFC
 * 9106). Tokens are signed with the newest of the library's own signing keys, or with a secret from
 * outside. Every change is in the audit log, in one transaction with it. Any thread.
 *
 *   auth.c      opening, login, sessions, the audit log
 *   password.c  what a password must be, and its hash
 *   token.c     signing and verifying access tokens; the signing keys
 *   account.c   registration, and what administrators do with accounts
 *   invite.c    invitations
 *   reset.c     new passwords by e-mail
 *   api_key.c   keys for machines
 *   roles.c     what a role and a key's scopes allow */
#ifndef MP_AUTH_H
#define MP_AUTH_H

#include "magpie.h"

#include "meta/accounts.h"

typedef struct mp_auth mp_auth; /* opaque */

/* Sends one mail; called from a thread of the accounts' own, one mail at a time. */
typedef mp_err (*mp_send_mail)(void *context, const char *to, const char *subject, const char *text,
                               mp_why *why);

enum { MP_LEAST_SECRET = 32 };

typedef struct mp_auth_options {
    magpie *library; /* borrowed; must outlive the accounts */
    /* Signs access tokens instead of the library's own keys, which then count for nothing; at least
     * MP_LEAST_SECRET bytes. NULL or "": the library's. */
    const char *jwt_secret;
    int access_s;      /* how long an access token is valid; 0: MP_ACCESS_S */
    mp_send_mail send; /* NULL: there is no mail server */
    void *send_context;
    const char *reset_url; /* what stands before the token in a mail; NULL: the token alone */
} mp_auth_options;

/* Reads the signing key, or makes it. Errors: INVALID (the secret is too short). */
MP_CHECK mp_err mp_auth_open(mp_auth **out, const mp_auth_options *opt, mp_why *why);
/* Waits for the mail that is being sent. */
void mp_auth_close(mp_auth *a); /* NULL allowed */
int mp_auth_access_s(const mp_auth *a);

enum { MP_TOKEN_MAX = 1024, MP_ACCESS_S = 15 * 60, MP_SECRET_TEXT = 65, MP_KEY_TEXT = 96 };

typedef struct mp_tokens {
    char access[MP_TOKEN_MAX], refresh[MP_SECRET_TEXT];
    int expires_in_s; /* of the access token */
} mp_tokens;

/* Who asks, and from where, for the session list and the audit log. */
typedef struct mp_caller {
    const char *agent, *address, *request_id;
} mp_caller;

/* ---- accounts ---- */

/* Is there any account yet? */
MP_CHECK mp_err mp_auth_any_user(mp_auth *a, bool *out, mp_why *why);

typedef struct mp_account {
    const char *username; /* 3 to 32 letters, digits, . _ - */
    const char *email;    /* may be "" */
    const char *password; /* at least 8 characters, at most 128 bytes */
    const char *role;
} mp_account;

/* `by`: who makes it; 0: the new user. *out: strings in arena. INVALID (and why), EXISTS. */
MP_CHECK mp_err mp_auth_register(mp_auth *a, const mp_account *account, int64_t by,
                                 const mp_caller *caller, mp_arena *arena, mp_user *out,
                                 mp_why *why);
/* The same with an invitation, which is used up; it says the role, and the address when it has one:
 * account->email is that or "". NOT_FOUND: it is not valid, or not any more. */
MP_CHECK mp_err mp_auth_register_invited(mp_auth *a, const mp_account *account, const char *invite,
                                         const mp_caller *caller, mp_arena *arena, mp_user *out,
                                         mp_why *why);

/* What administrators see and do. A deleted account is NOT_FOUND. */
MP_CHECK mp_err mp_auth_users(mp_auth *a, const mp_user_query *query, mp_arena *arena,
                              mp_user **out, size_t *n, mp_why *why);
MP_CHECK mp_err mp_auth_user(mp_auth *a, int64_t id, mp_arena *arena, mp_user *out, mp_why *why);
/* Another role, and closing, end sessions and keys. INVALID; EXISTS: the address is taken, or no
 * active administrator would be left. */
MP_CHECK mp_err mp_auth_change_user(mp_auth *a, int64_t id, const mp_user_change *change,
                                    int64_t by, const mp_caller *caller, mp_why *why);
/* Closes the account for ever and takes name, address and password off it; its id stays, so that
 * what belongs to it still has an owner. EXISTS as above. */
MP_CHECK mp_err mp_auth_delete_user(mp_auth *a, int64_t id, int64_t by, const mp_caller *caller,
                                    mp_why *why);

/* ---- invitations ---- */

typedef struct mp_new_invite {
    const char *role, *email; /* email "": any */
    int64_t valid_s;
} mp_new_invite;
/* `token` is shown this once. *out: strings in arena. INVALID, EXISTS (too many are open). */
MP_CHECK mp_err mp_auth_invite(mp_auth *a, const mp_new_invite *invite, int64_t by,
                               const mp_caller *caller, mp_arena *arena, mp_invite *out,
                               char token[MP_SECRET_TEXT], mp_why *why);
MP_CHECK mp_err mp_auth_invites(mp_auth *a, mp_arena *arena, mp_invite **out, size_t *n,
                                mp_why *why);
MP_CHECK mp_err mp_auth_remove_invite(mp_auth *a, int64_t id, int64_t by, const mp_caller *caller,
                                      mp_why *why);

/* ---- sessions ---- */

/* Opens a session for a user who has just shown who they are. NOT_FOUND: the account was closed, or
 * its password changed, since `user` was read. */
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

/* ---- passwords ---- */

/* A new password, which ends all other sessions. NOT_FOUND: `old` is wrong; INVALID. */
MP_CHECK mp_err mp_auth_set_password(mp_auth *a, const mp_user *user, const char *session,
                                     const char *old, const char *password, const mp_caller *caller,
                                     mp_why *why);
/* Is there a mail server, so that a forgotten password can be replaced? */
bool mp_auth_has_mail(const mp_auth *a);
/* Has a mail with a token sent to this address if an open account has it. Whether one has is looked
 * up after the return: neither the answer nor its time tells. UNSUPPORTED: there is no mail server;
 * BUSY: too many mails wait. */
MP_CHECK mp_err mp_auth_forgot(mp_auth *a, const char *email, const mp_caller *caller, mp_why *why);
/* A new password by such a token, which is used up; all sessions end. NOT_FOUND: the token is not
 * valid, or not any more; INVALID: the password. */
MP_CHECK mp_err mp_auth_reset(mp_auth *a, const char *token, const char *password,
                              const mp_caller *caller, mp_why *why);

/* ---- keys for machines ---- */

typedef struct mp_new_key {
    const char *name;
    const char *const *scopes; /* permissions, with wildcards: "assets.read", "assets.*", "*" */
    size_t n_scopes;
    int64_t valid_s; /* 0: for ever */
} mp_new_key;
/* `key` is shown this once. *out: strings in arena. INVALID; EXISTS (the user has too many). */
MP_CHECK mp_err mp_auth_add_key(mp_auth *a, const mp_new_key *key, int64_t user_id,
                                const mp_caller *caller, mp_arena *arena, mp_api_key *out,
                                char text[MP_KEY_TEXT], mp_why *why);
/* The user's, the newest first; in arena. */
MP_CHECK mp_err mp_auth_keys(mp_auth *a, int64_t user_id, mp_arena *arena, mp_api_key **out,
                             size_t *n, mp_why *why);
MP_CHECK mp_err mp_auth_remove_key(mp_auth *a, int64_t id, int64_t user_id, const mp_caller *caller,
                                   mp_why *why);
/* Does the text look like a key, rather than an access token? */
bool mp_auth_is_key(const char *text);
/* Who a key speaks for, and what for. NOT_FOUND: it is wrong, expired or removed, or its account is
 * closed. */
MP_CHECK mp_err mp_auth_check_key(mp_auth *a, const char *text, mp_arena *arena, mp_user *user,
                                  mp_api_key *out, mp_why *why);

/* ---- signing keys, the audit log, roles ---- */

/* A new signing key; the one before it is still believed for an hour, and at least for as long as a
 * token is valid. *out: without the key itself.
 * UNSUPPORTED: the key is a secret from outside. */
MP_CHECK mp_err mp_auth_rotate(mp_auth *a, int64_t by, const mp_caller *caller, mp_signing_key *out,
                               mp_why *why);

MP_CHECK mp_err mp_auth_audit(mp_auth *a, const mp_audit_query *query, mp_arena *arena,
                              mp_audit **out, size_t *n, mp_why *why);

/* The roles, the mightiest first; NULL behind the last. */
const char *mp_role_at(size_t i);
/* Is there such a role? */
bool mp_role_is(const char *role);
/* May this role do that ("audit.read", "users.write", ...)? */
bool mp_role_may(const char *role, const char *permission);
/* Do these scopes, between blanks, allow that? NULL: a person's session, which is not narrowed. */
bool mp_scopes_may(const char *scopes, const char *permission);
/* "resource.action", "resource.*" or "*", in small letters. */
bool mp_scope_is(const char *scope);

#endif
