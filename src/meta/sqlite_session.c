/* sqlite_session.c - sessions and their refresh tokens. See accounts.h. */
#include "meta/sqlite_account.h"

/* The session's row, if the account is open and still has that password. */
static mp_err insert(conn *c, const mp_session *session, const char *password,
                     const uint8_t refresh[32], mp_why *why)
{
    static const char sql[] =
        "INSERT INTO session (id, user_id, refresh, created_ms, used_ms, expires_ms, agent, "
        "address) SELECT ?1, id, ?3, ?4, ?4, ?5, ?6, ?7 FROM user "
        "WHERE id = ?2 AND active = 1 AND password = ?8";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, session->id);
    sqlite3_bind_int64(s, 2, session->user_id);
    sqlite3_bind_blob(s, 3, refresh, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, session->created_ms);
    sqlite3_bind_int64(s, 5, session->expires_ms);
    mp_sql_bind_text(s, 6, session->agent);
    mp_sql_bind_text(s, 7, session->address);
    mp_sql_bind_text(s, 8, password);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "this account is closed, or has another password by now");
    return err;
}

mp_err mp_meta_add_session(mp_meta *m, const mp_session *session, const char *password,
                           const uint8_t refresh[32], const mp_audit *note, mp_why *why)
{
    static const char forget[] = "DELETE FROM session WHERE user_id = ?1 AND expires_ms <= ?2";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, forget, (int64_t[]){session->user_id, session->created_ms}, 2, why);
    if (!err)
        err = insert(c, session, password, refresh, why);
    if (!err)
        err = mp_sql_note(c, note, session->user_id, 0, why);
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

mp_err mp_meta_revoke_session(mp_meta *m, const char *id, const mp_audit *note, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = revoke(c, id, why);
    if (!err)
        err = mp_sql_note(c, note, 0, 0, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_sql_end_sessions(conn *c, int64_t user_id, const char *keep, mp_why *why)
{
    static const char sql[] = "UPDATE session SET revoked = 1 WHERE user_id = ?1 AND id <> ?2";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, user_id);
    mp_sql_bind_text(s, 2, keep);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_count_sessions(mp_meta *m, int64_t now_ms, uint64_t *n, mp_why *why)
{
    static const char sql[] = "SELECT count(*) FROM session WHERE revoked = 0 AND expires_ms > ?1";
    conn *c;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", now_ms);
    if (s && mp_sql_row(c, s, &err, why)) {
        *n = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}
