/* sqlite_api_key.c - keys of machines. See accounts.h. */
#include "meta/sqlite_account.h"

#include <string.h>

enum { TOUCH_MS = 60 * 1000 };

#define COLUMNS                                                                                    \
    "SELECT id, user_id, name, scopes, created_ms, expires_ms, used_ms, secret FROM api_key "

static mp_api_key take(sqlite3_stmt *s, mp_arena *arena)
{
    return (mp_api_key){.id = sqlite3_column_int64(s, 0),
                        .user_id = sqlite3_column_int64(s, 1),
                        .name = mp_sql_text(s, 2, arena),
                        .scopes = mp_sql_text(s, 3, arena),
                        .created_ms = sqlite3_column_int64(s, 4),
                        .expires_ms = sqlite3_column_int64(s, 5),
                        .used_ms = sqlite3_column_int64(s, 6)};
}

/* Of a user who is active, and has room for it. */
static mp_err check_room(conn *c, int64_t user_id, mp_why *why)
{
    static const char sql[] = "SELECT (SELECT count(*) FROM api_key WHERE user_id = user.id) "
                              "FROM user WHERE id = ?1 AND active = 1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, user_id);
    if (!mp_sql_row(c, s, &err, why))
        return err ? err : mp_fail(why, MP_NOT_FOUND, "this account is closed");
    bool full = sqlite3_column_int64(s, 0) >= MP_API_KEYS;
    sqlite3_reset(s);
    return full ? mp_fail(why, MP_EXISTS, "an account has %d keys at most", MP_API_KEYS) : MP_OK;
}

static mp_err insert(conn *c, const mp_api_key *k, const uint8_t secret[32], int64_t *id,
                     mp_why *why)
{
    static const char sql[] =
        "INSERT INTO api_key (user_id, name, scopes, secret, created_ms, expires_ms, used_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, k->user_id);
    mp_sql_bind_text(s, 2, k->name);
    mp_sql_bind_text(s, 3, k->scopes);
    sqlite3_bind_blob(s, 4, secret, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, k->created_ms);
    sqlite3_bind_int64(s, 6, k->expires_ms);
    err = mp_sql_run(c, s, why);
    *id = err ? 0 : sqlite3_last_insert_rowid(c->db);
    return err;
}

mp_err mp_meta_add_api_key(mp_meta *m, const mp_api_key *k, const uint8_t secret[32],
                           const mp_audit *note, int64_t *id, mp_why *why)
{
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = check_room(c, k->user_id, why);
    if (!err)
        err = insert(c, k, secret, id, why);
    if (!err)
        err = mp_sql_note(c, note, k->user_id, *id, why);
    err = mp_sql_end(m, err, why);
    if (err)
        *id = 0;
    return err;
}

mp_err mp_meta_get_api_key(mp_meta *m, int64_t id, mp_arena *arena, mp_api_key *out,
                           uint8_t secret[32], mp_why *why)
{
    static const char sql[] = COLUMNS "WHERE id = ?1";
    bool found = false;
    conn *c;
    *out = (mp_api_key){0};
    memset(secret, 0, 32);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, id);
        found = mp_sql_row(c, s, &err, why);
        if (found) {
            *out = take(s, arena);
            memcpy(secret, sqlite3_column_blob(s, 7), 32); /* the schema says 32 */
        }
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such key");
}

mp_err mp_meta_list_api_keys(mp_meta *m, int64_t user_id, mp_arena *arena, mp_api_key **out,
                             size_t *n, mp_why *why)
{
    static const char sql[] = COLUMNS "WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, MP_API_KEYS * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the keys");
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, user_id);
        sqlite3_bind_int(s, 2, MP_API_KEYS);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = take(s, arena);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_remove_api_key(mp_meta *m, int64_t id, int64_t user_id, const mp_audit *note,
                              mp_why *why)
{
    static const char sql[] = "DELETE FROM api_key WHERE id = ?1 AND user_id = ?2";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, sql, (int64_t[]){id, user_id}, 2, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such key");
    if (!err)
        err = mp_sql_note(c, note, user_id, id, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_touch_api_key(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why)
{
    static const char sql[] = "UPDATE api_key SET used_ms = ?2 WHERE id = ?1 AND used_ms <= ?3";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, sql, (int64_t[]){id, now_ms, now_ms - TOUCH_MS}, 3, why);
    return mp_sql_end(m, err, why);
}
