/* accounts.h - who may use the service: the part of the metadata port that holds users, their
 * sessions, invitations and keys, and the audit log. As durable as all of it; any thread.
 *
 * Tokens and secrets come in as their SHA-256; what they were is never stored. A change takes a
 * `note` for the audit log (NULL: none) that is written in the same transaction, so no change is
 * without its row. */
#ifndef MP_ACCOUNTS_H
#define MP_ACCOUNTS_H

#include "meta/meta.h"

/* ---- the audit log ---- */

typedef struct mp_audit {
    int64_t id, at_ms; /* ignored when adding */
    int64_t user_id;   /* who did it; 0: nobody */
    int64_t target_id; /* what it was done to; 0: nothing with an id */
    const char *action, *detail, *address, *request_id;
} mp_audit;
MP_CHECK mp_err mp_meta_add_audit(mp_meta *m, const mp_audit *a, mp_why *why);

typedef struct mp_audit_query {
    int64_t before; /* an id; 0: from the newest on */
    size_t limit;
    int64_t user_id;        /* who did it; 0: anybody */
    const char *action;     /* what the action begins with; NULL or "": any */
    int64_t from_ms, to_ms; /* from <= at < to; to 0: no end */
} mp_audit_query;
/* At most `limit` rows, the newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_audit(mp_meta *m, const mp_audit_query *q, mp_arena *arena,
                                   mp_audit **out, size_t *n, mp_why *why);

/* ---- users ---- */

typedef struct mp_user {
    int64_t id;
    const char *username, *email; /* email "": none */
    const char *password;         /* an argon2id string */
    const char *role;             /* admin, operator, user, guest */
    bool active;
    bool deleted; /* for ever: not active, and without a name */
    int64_t created_ms;
} mp_user;

/* u->id is ignored; *id becomes the new one, and the note's target; a note without a user names the
 * new one. Errors: EXISTS (the name or the address is taken). */
MP_CHECK mp_err mp_meta_add_user(mp_meta *m, const mp_user *u, const mp_audit *note, int64_t *id,
                                 mp_why *why);
/* The same, and uses up the invitation: both or neither. NOT_FOUND: it is not open at
 * u->created_ms. */
MP_CHECK mp_err mp_meta_add_invited_user(mp_meta *m, const mp_user *u, const uint8_t invite[32],
                                         const mp_audit *note, int64_t *id, mp_why *why);
/* Strings in `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_user(mp_meta *m, int64_t id, mp_arena *arena, mp_user *out,
                                 mp_why *why);
/* By name or e-mail address, without case. NOT_FOUND. */
MP_CHECK mp_err mp_meta_find_user(mp_meta *m, const char *name, mp_arena *arena, mp_user *out,
                                  mp_why *why);
/* Open sessions, of everybody. */
MP_CHECK mp_err mp_meta_count_sessions(mp_meta *m, int64_t now_ms, uint64_t *n, mp_why *why);
MP_CHECK mp_err mp_meta_count_users(mp_meta *m, uint64_t *n, mp_why *why);

typedef struct mp_user_query {
    int64_t after; /* an id; 0: from the first on */
    size_t limit;
    const char *role; /* NULL: any */
    int active;       /* 1, 0; -1: either */
    const char *text; /* part of the name or the address, without case (ASCII); NULL: any */
} mp_user_query;
/* By id; without deleted ones. */
MP_CHECK mp_err mp_meta_list_users(mp_meta *m, const mp_user_query *q, mp_arena *arena,
                                   mp_user **out, size_t *n, mp_why *why);

typedef struct mp_user_change {
    const char *role, *email; /* NULL: as it is; email "": none */
    int active;               /* 1, 0; -1: as it is */
} mp_user_change;
/* Another role, and an account that is closed, end the user's sessions and keys; another address
 * makes a token that was mailed to the old one void. NOT_FOUND, also of a deleted one; EXISTS: the
 * address is taken, or no active administrator would be left. */
MP_CHECK mp_err mp_meta_change_user(mp_meta *m, int64_t id, const mp_user_change *change,
                                    const mp_audit *note, mp_why *why);
/* Takes name, address, password, sessions and keys away and leaves the id. Errors as above. */
MP_CHECK mp_err mp_meta_delete_user(mp_meta *m, int64_t id, int64_t now_ms, const mp_audit *note,
                                    mp_why *why);

/* A new password, and the end of all the user's sessions but `keep` ("" for all), in one
 * transaction. NOT_FOUND. */
MP_CHECK mp_err mp_meta_set_password(mp_meta *m, int64_t user_id, const char *password,
                                     const char *keep, const mp_audit *note, mp_why *why);
/* A token with which user_id may take a new password; the one before it is void. */
MP_CHECK mp_err mp_meta_add_reset(mp_meta *m, int64_t user_id, const uint8_t token[32],
                                  int64_t expires_ms, const mp_audit *note, mp_why *why);
/* Uses the token up: a new password, and the end of all sessions. The note's user and target become
 * the token's. NOT_FOUND: the token is not good at now_ms, or the account is closed. */
MP_CHECK mp_err mp_meta_use_reset(mp_meta *m, const uint8_t token[32], int64_t now_ms,
                                  const char *password, const mp_audit *note, mp_why *why);
/* Whose token it is, while it is good; in `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_find_reset(mp_meta *m, const uint8_t token[32], int64_t now_ms,
                                   mp_arena *arena, mp_user *out, mp_why *why);

/* ---- sessions ---- */

typedef struct mp_session {
    const char *id; /* 32 hex digits */
    int64_t user_id, created_ms, used_ms, expires_ms;
    bool revoked;
    const char *agent, *address;
} mp_session;

/* `password`: the stored one that the user has just been held against. NOT_FOUND: it is another by
 * now, or the account is closed. Sessions of the user that have ended by time are forgotten. */
MP_CHECK mp_err mp_meta_add_session(mp_meta *m, const mp_session *s, const char *password,
                                    const uint8_t refresh[32], const mp_audit *note, mp_why *why);
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
MP_CHECK mp_err mp_meta_revoke_session(mp_meta *m, const char *id, const mp_audit *note,
                                       mp_why *why);

/* ---- invitations ---- */

typedef struct mp_invite {
    int64_t id;
    const char *role, *email; /* email "": any */
    int64_t created_by, created_ms, expires_ms;
    int64_t used_ms, used_by; /* 0: open */
} mp_invite;

enum { MP_INVITES = 1000, MP_API_KEYS = 100 };

/* in->id is ignored. EXISTS: MP_INVITES are open already. Long expired ones are forgotten. */
MP_CHECK mp_err mp_meta_add_invite(mp_meta *m, const mp_invite *in, const uint8_t token[32],
                                   const mp_audit *note, int64_t *id, mp_why *why);
/* NOT_FOUND: no such, or it is not open at now_ms. */
MP_CHECK mp_err mp_meta_find_invite(mp_meta *m, const uint8_t token[32], int64_t now_ms,
                                    mp_arena *arena, mp_invite *out, mp_why *why);
/* The newest MP_INVITES, used and expired ones among them, the newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_invites(mp_meta *m, mp_arena *arena, mp_invite **out, size_t *n,
                                     mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_remove_invite(mp_meta *m, int64_t id, const mp_audit *note, mp_why *why);

/* ---- keys of machines ---- */

typedef struct mp_api_key {
    int64_t id, user_id;
    const char *name, *scopes; /* scopes: permissions between blanks */
    int64_t created_ms;
    int64_t expires_ms, used_ms; /* 0: never */
} mp_api_key;

/* k->id is ignored. EXISTS: the user has MP_API_KEYS already; NOT_FOUND: the account is closed. */
MP_CHECK mp_err mp_meta_add_api_key(mp_meta *m, const mp_api_key *k, const uint8_t secret[32],
                                    const mp_audit *note, int64_t *id, mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_api_key(mp_meta *m, int64_t id, mp_arena *arena, mp_api_key *out,
                                    uint8_t secret[32], mp_why *why);
/* The user's, the newest first; in `arena`. */
MP_CHECK mp_err mp_meta_list_api_keys(mp_meta *m, int64_t user_id, mp_arena *arena,
                                      mp_api_key **out, size_t *n, mp_why *why);
/* NOT_FOUND: none of this user's has this id. */
MP_CHECK mp_err mp_meta_remove_api_key(mp_meta *m, int64_t id, int64_t user_id,
                                       const mp_audit *note, mp_why *why);
/* It was used now; written only when the last note of that is a minute old. */
MP_CHECK mp_err mp_meta_touch_api_key(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why);

/* ---- keys that sign access tokens ---- */

typedef struct mp_signing_key {
    char kid[33];
    uint8_t key[32];
    int64_t created_ms, retired_ms; /* retired 0: the current one */
} mp_signing_key;

/* By its name; kid NULL: the current one. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_signing_key(mp_meta *m, const char *kid, mp_signing_key *out,
                                        mp_why *why);
/* The first one; nothing when there is a current one by now. The setting `old_setting`, which held
 * it before there was a list, is taken away with it. */
MP_CHECK mp_err mp_meta_init_signing_key(mp_meta *m, const mp_signing_key *key,
                                         const char *old_setting, mp_why *why);
/* `key` becomes the current one; those that were retired before `forget_ms` are forgotten. */
MP_CHECK mp_err mp_meta_rotate_signing_key(mp_meta *m, const mp_signing_key *key, int64_t forget_ms,
                                           const mp_audit *note, mp_why *why);

#endif
