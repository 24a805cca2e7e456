/* sqlite_password.c - new passwords, by the old one or by a token. See accounts.h. */
#include "meta/sqlite_account.h"

static mp_err write_password(conn *c, int64_t user_id, const char *password, mp_why *why)
{
    static const char sql[] = "UPDATE user SET password = ?2 WHERE id = ?1 AND deleted_ms IS NULL";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, user_id);
    mp_sql_bind_text(s, 2, password);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such user");
    return err;
}

mp_err mp_sql_forget_reset(conn *c, int64_t user_id, mp_why *why)
{
    static const char sql[] = "DELETE FROM password_reset WHERE user_id = ?1";
    return mp_sql_exec_ints(c, sql, &user_id, 1, why);
}

/* A token that is still on its way in a mail is void once there is a new password. */
static mp_err replace_password(conn *c, int64_t user_id, const char *password, const char *keep,
                               mp_why *why)
{
    mp_err err = write_password(c, user_id, password, why);
    if (!err)
        err = mp_sql_end_sessions(c, user_id, keep, why);
    return err ? err : mp_sql_forget_reset(c, user_id, why);
}

mp_err mp_meta_set_password(mp_meta *m, int64_t user_id, const char *password, const char *keep,
                            const mp_audit *note, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = replace_password(c, user_id, password, keep, why);
    if (!err)
        err = mp_sql_note(c, note, user_id, user_id, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_add_reset(mp_meta *m, int64_t user_id, const uint8_t token[32], int64_t expires_ms,
                         const mp_audit *note, mp_why *why)
{
    static const char sql[] = "INSERT INTO password_reset VALUES (?1, ?2, ?3) "
                              "ON CONFLICT (user_id) DO UPDATE SET token = excluded.token, "
                              "expires_ms = excluded.expires_ms";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, user_id);
        sqlite3_bind_blob(s, 2, token, 32, SQLITE_STATIC);
        sqlite3_bind_int64(s, 3, expires_ms);
        err = mp_sql_run(c, s, why);
    }
    if (!err)
        err = mp_sql_note(c, note, user_id, user_id, why);
    return mp_sql_end(m, err, why);
}

#define GOOD_RESET                                                                                 \
    "FROM password_reset AS r JOIN user ON user.id = r.user_id "                                   \
    "WHERE r.token = ?1 AND r.expires_ms > ?2 AND user.active = 1"

static void bind_token(sqlite3_stmt *s, const uint8_t token[32], int64_t now_ms)
{
    sqlite3_bind_blob(s, 1, token, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, now_ms);
}

mp_err mp_meta_find_reset(mp_meta *m, const uint8_t token[32], int64_t now_ms, mp_arena *arena,
                          mp_user *out, mp_why *why)
{
    static const char sql[] = MP_SQL_USER GOOD_RESET;
    conn *c;
    *out = (mp_user){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        bind_token(s, token, now_ms);
    return mp_sql_read_user(m, c, s, err, arena, out, why);
}

mp_err mp_meta_use_reset(mp_meta *m, const uint8_t token[32], int64_t now_ms, const char *password,
                         const mp_audit *note, mp_why *why)
{
    static const char sql[] = "SELECT user.id " GOOD_RESET;
    int64_t id = 0;
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        bind_token(s, token, now_ms);
        if (mp_sql_row(c, s, &err, why)) {
            id = sqlite3_column_int64(s, 0);
            sqlite3_reset(s);
        }
    }
    if (!err && !id)
        err = mp_fail(why, MP_NOT_FOUND, "this token is not valid, or not any more");
    if (!err)
        err = replace_password(c, id, password, "", why); /* forgets the token, too */
    if (!err)
        err = mp_sql_note(c, note, id, id, why);
    return mp_sql_end(m, err, why);
}
