/* sqlite_account.c - users, sessions and the audit log. See accounts.h. */
#include "meta/accounts.h"
#include "meta/sqlite.h"

#include "base/os.h"

#include <string.h>

/* ---- users ---- */

mp_err mp_meta_add_user(mp_meta *m, const mp_user *u, int64_t *id, mp_why *why)
{
    static const char taken[] = "SELECT 1 FROM user WHERE username = ?1 OR email = ?2";
    static const char add[] = "INSERT INTO user (username, email, password, role, active, "
                              "created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, taken, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, u->username);
        if (*u->email)
            mp_sql_bind_text(s, 2, u->email);
        if (mp_sql_row(c, s, &err, why)) {
            sqlite3_reset(s);
            err = mp_fail(why, MP_EXISTS, "this name or e-mail address is taken");
        }
    }
    s = err ? NULL : mp_sql_get(c, add, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, u->username);
        if (*u->email)
            mp_sql_bind_text(s, 2, u->email);
        mp_sql_bind_text(s, 3, u->password);
        mp_sql_bind_text(s, 4, u->role);
        sqlite3_bind_int(s, 5, u->active);
        sqlite3_bind_int64(s, 6, u->created_ms);
        err = mp_sql_run(c, s, why);
        *id = sqlite3_last_insert_rowid(c->db);
    }
    err = mp_sql_end(m, err, why);
    if (err)
        *id = 0;
    return err;
}

#define USER_COLUMNS "SELECT id, username, coalesce(email, ''), password, role, active, created_ms "

/* The one row of a statement that has its values. */
static mp_err read_user(mp_meta *m, conn *c, sqlite3_stmt *s, mp_err err, mp_arena *arena,
                        mp_user *out, mp_why *why)
{
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        *out = (mp_user){.id = sqlite3_column_int64(s, 0),
                         .username = mp_sql_text(s, 1, arena),
                         .email = mp_sql_text(s, 2, arena),
                         .password = mp_sql_text(s, 3, arena),
                         .role = mp_sql_text(s, 4, arena),
                         .active = sqlite3_column_int(s, 5) != 0,
                         .created_ms = sqlite3_column_int64(s, 6)};
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such user");
}

mp_err mp_meta_get_user(mp_meta *m, int64_t id, mp_arena *arena, mp_user *out, mp_why *why)
{
    static const char sql[] = USER_COLUMNS "FROM user WHERE id = ?1";
    conn *c;
    *out = (mp_user){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, id);
    return read_user(m, c, s, err, arena, out, why);
}

mp_err mp_meta_find_user(mp_meta *m, const char *name, mp_arena *arena, mp_user *out, mp_why *why)
{
    static const char sql[] =
        USER_COLUMNS "FROM user WHERE username = ?1 OR email = ?1 ORDER BY username <> ?1";
    conn *c;
    *out = (mp_user){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        mp_sql_bind_text(s, 1, name);
    return read_user(m, c, s, err, arena, out, why);
}

mp_err mp_meta_set_password(mp_meta *m, int64_t user_id, const char *password, const char *keep,
                            mp_why *why)
{
    static const char change[] = "UPDATE user SET password = ?2 WHERE id = ?1";
    static const char end_sessions[] =
        "UPDATE session SET revoked = 1 WHERE user_id = ?1 AND id <> ?2";
    static const char *const literals[] = {change, end_sessions};
    const char *texts[] = {password, keep};
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < MP_COUNT(literals); i++) {
        sqlite3_stmt *s = mp_sql_get(c, literals[i], &err, why);
        if (!s)
            break;
        sqlite3_bind_int64(s, 1, user_id);
        mp_sql_bind_text(s, 2, texts[i]);
        err = mp_sql_run(c, s, why);
        if (!err && i == 0 && sqlite3_changes(c->db) == 0)
            err = mp_fail(why, MP_NOT_FOUND, "there is no such user");
    }
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_count_users(mp_meta *m, uint64_t *n, mp_why *why)
{
    static const char sql[] = "SELECT count(*) FROM user";
    conn *c;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s && mp_sql_row(c, s, &err, why)) {
        *n = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

/* ---- sessions ---- */

mp_err mp_meta_add_session(mp_meta *m, const mp_session *session, const uint8_t refresh[32],
                           mp_why *why)
{
    static const char sql[] = "INSERT INTO session (id, user_id, refresh, created_ms, used_ms, "
                              "expires_ms, agent, address) "
                              "VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, session->id);
        sqlite3_bind_int64(s, 2, session->user_id);
        sqlite3_bind_blob(s, 3, refresh, 32, SQLITE_STATIC);
        sqlite3_bind_int64(s, 4, session->created_ms);
        sqlite3_bind_int64(s, 5, session->expires_ms);
        mp_sql_bind_text(s, 6, session->agent);
        mp_sql_bind_text(s, 7, session->address);
        err = mp_sql_run(c, s, why);
    }
    return mp_sql_end(m, err, why);
}

#define SESSION_COLUMNS                                                                            \
    "SELECT id, user_id, created_ms, used_ms, expires_ms, revoked, agent, address "

static void take_session(sqlite3_stmt *s, mp_arena *arena, mp_session *out)
{
    *out = (mp_session){.id = mp_sql_text(s, 0, arena),
                        .user_id = sqlite3_column_int64(s, 1),
                        .created_ms = sqlite3_column_int64(s, 2),
                        .used_ms = sqlite3_column_int64(s, 3),
                        .expires_ms = sqlite3_column_int64(s, 4),
                        .revoked = sqlite3_column_int(s, 5) != 0,
                        .agent = mp_sql_text(s, 6, arena),
                        .address = mp_sql_text(s, 7, arena)};
}

mp_err mp_meta_get_session(mp_meta *m, const char *id, mp_arena *arena, mp_session *out,
                           mp_why *why)
{
    static const char sql[] = SESSION_COLUMNS "FROM session WHERE id = ?1";
    conn *c;
    bool found = false;
    *out = (mp_session){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, id);
        found = mp_sql_row(c, s, &err, why);
        if (found) {
            take_session(s, arena, out);
            sqlite3_reset(s);
        }
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such session");
}

mp_err mp_meta_list_sessions(mp_meta *m, int64_t user_id, int64_t now_ms, mp_arena *arena,
                             mp_session **out, size_t *n, mp_why *why)
{
    enum { MOST = 100 }; /* of one user; older ones end by themselves */
    static const char sql[] = SESSION_COLUMNS "FROM session WHERE user_id = ?1 AND revoked = 0 AND "
                                              "expires_ms > ?2 ORDER BY created_ms DESC LIMIT 100";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, MOST * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the sessions");
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, user_id);
        sqlite3_bind_int64(s, 2, now_ms);
    }
    while (s && mp_sql_row(c, s, &err, why))
        take_session(s, arena, &(*out)[(*n)++]);
    mp_sql_release(m, c);
    return err;
}

/* The session that has this token in `literal`'s column; within the writer's transaction. */
static bool session_with(conn *c, const char *literal, const uint8_t token[32], mp_arena *arena,
                         mp_session *out, mp_err *err, mp_why *why)
{
    sqlite3_stmt *s = *err ? NULL : mp_sql_get(c, literal, err, why);
    if (!s)
        return false;
    sqlite3_bind_blob(s, 1, token, 32, SQLITE_STATIC);
    bool found = mp_sql_row(c, s, err, why);
    if (found) {
        take_session(s, arena, out);
        sqlite3_reset(s);
    }
    return found;
}

static mp_err revoke(conn *c, const char *id, mp_why *why)
{
    static const char sql[] = "UPDATE session SET revoked = 1 WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, id);
    return mp_sql_run(c, s, why);
}

static mp_err renew(conn *c, const mp_session *session, const uint8_t next[32], mp_why *why)
{
    static const char sql[] = "UPDATE session SET previous = refresh, refresh = ?2, used_ms = ?3, "
                              "expires_ms = ?4 WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, session->id);
    sqlite3_bind_blob(s, 2, next, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, session->used_ms);
    sqlite3_bind_int64(s, 4, session->expires_ms);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_rotate_session(mp_meta *m, const uint8_t refresh[32], const uint8_t next[32],
                              int64_t now_ms, int64_t expires_ms, mp_arena *arena, mp_session *out,
                              mp_why *why)
{
    static const char current[] = SESSION_COLUMNS "FROM session WHERE refresh = ?1";
    static const char before[] = SESSION_COLUMNS "FROM session WHERE previous = ?1";
    conn *c;
    bool reused = false, valid = false;
    *out = (mp_session){0};
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    if (session_with(c, current, refresh, arena, out, &err, why))
        valid = !out->revoked && out->expires_ms > now_ms;
    else if (session_with(c, before, refresh, arena, out, &err, why))
        reused = !out->revoked;
    if (!err && valid) {
        out->used_ms = now_ms;
        out->expires_ms = expires_ms;
        err = renew(c, out, next, why);
    } else if (!err && reused) {
        err = revoke(c, out->id, why);
    }
    err = mp_sql_end(m, err, why);
    if (err || valid)
        return err;
    return reused ? mp_fail(why, MP_EXISTS, "this token was used before: the session is ended")
                  : mp_fail(why, MP_NOT_FOUND, "no session has this token");
}

mp_err mp_meta_revoke_session(mp_meta *m, const char *id, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    return mp_sql_end(m, revoke(c, id, why), why);
}

/* ---- audit ---- */

mp_err mp_meta_add_audit(mp_meta *m, const mp_audit *a, mp_why *why)
{
    static const char sql[] = "INSERT INTO audit (at_ms, user_id, action, detail, address, "
                              "request_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, mp_now_ms());
        if (a->user_id)
            sqlite3_bind_int64(s, 2, a->user_id);
        mp_sql_bind_text(s, 3, a->action);
        mp_sql_bind_text(s, 4, a->detail);
        mp_sql_bind_text(s, 5, a->address);
        mp_sql_bind_text(s, 6, a->request_id);
        err = mp_sql_run(c, s, why);
    }
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_list_audit(mp_meta *m, int64_t before, size_t limit, mp_arena *arena, mp_audit **out,
                          size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT id, at_ms, coalesce(user_id, 0), action, detail, address, request_id FROM audit "
        "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu rows", limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, before);
        sqlite3_bind_int64(s, 2, (int64_t)limit);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = (mp_audit){.id = sqlite3_column_int64(s, 0),
                                    .at_ms = sqlite3_column_int64(s, 1),
                                    .user_id = sqlite3_column_int64(s, 2),
                                    .action = mp_sql_text(s, 3, arena),
                                    .detail = mp_sql_text(s, 4, arena),
                                    .address = mp_sql_text(s, 5, arena),
                                    .request_id = mp_sql_text(s, 6, arena)};
    mp_sql_release(m, c);
    return err;
}
