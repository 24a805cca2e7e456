/* accounts.h - who may use the service: the part of the metadata port that holds users, their
 * sessions and the audit log. As durable as all of it; any thread. */
#ifndef MP_ACCOUNTS_H
#define MP_ACCOUNTS_H

#include "meta/meta.h"

typedef struct mp_user {
    int64_t id;
    const char *username, *email; /* email "": none */
    const char *password;         /* an argon2id string */
    const char *role;             /* admin, operator, user, guest */
    bool active;
    int64_t created_ms;
} mp_user;

/* u->id is ignored; *id becomes the new one. Errors: EXISTS (the name or the address is taken). */
MP_CHECK mp_err mp_meta_add_user(mp_meta *m, const mp_user *u, int64_t *id, mp_why *why);
/* Strings in `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_user(mp_meta *m, int64_t id, mp_arena *arena, mp_user *out,
                                 mp_why *why);
/* By name or e-mail address, without case. NOT_FOUND. */
MP_CHECK mp_err mp_meta_find_user(mp_meta *m, const char *name, mp_arena *arena, mp_user *out,
                                  mp_why *why);
/* A new password, and the end of all the user's sessions but `keep` ("" for all), in one
 * transaction. NOT_FOUND. */
MP_CHECK mp_err mp_meta_set_password(mp_meta *m, int64_t user_id, const char *password,
                                     const char *keep, mp_why *why);
MP_CHECK mp_err mp_meta_count_users(mp_meta *m, uint64_t *n, mp_why *why);

typedef struct mp_session {
    const char *id; /* 32 hex digits */
    int64_t user_id, created_ms, used_ms, expires_ms;
    bool revoked;
    const char *agent, *address;
} mp_session;

MP_CHECK mp_err mp_meta_add_session(mp_meta *m, const mp_session *s, const uint8_t refresh[32],
                                    mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_session(mp_meta *m, const char *id, mp_arena *arena, mp_session *out,
                                    mp_why *why);
/* The user's sessions that are open at now_ms, the newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_sessions(mp_meta *m, int64_t user_id, int64_t now_ms, mp_arena *arena,
                                      mp_session **out, size_t *n, mp_why *why);
/* Changes a valid refresh token for the next, and moves the session's end, in one transaction: of
 * two who show the same token one gets the next. NOT_FOUND: no session has this token, or it ended
 * or was revoked. EXISTS: the token was used before; the session is revoked now. */
MP_CHECK mp_err mp_meta_rotate_session(mp_meta *m, const uint8_t refresh[32],
                                       const uint8_t next[32], int64_t now_ms, int64_t expires_ms,
                                       mp_arena *arena, mp_session *out, mp_why *why);
/* Ended or unknown ones are fine. */
MP_CHECK mp_err mp_meta_revoke_session(mp_meta *m, const char *id, mp_why *why);

typedef struct mp_audit {
    int64_t id, at_ms; /* ignored when adding */
    int64_t user_id;   /* 0: nobody */
    const char *action, *detail, *address, *request_id;
} mp_audit;
MP_CHECK mp_err mp_meta_add_audit(mp_meta *m, const mp_audit *a, mp_why *why);
/* At most `limit` rows before the id `before` (0: the newest), the newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_audit(mp_meta *m, int64_t before, size_t limit, mp_arena *arena,
                                   mp_audit **out, size_t *n, mp_why *why);

#endif
