/* sqlite_invite.c - invitations. See accounts.h; using one up is in sqlite_account.c. */
#include "meta/sqlite_account.h"

static const int64_t FORGET_MS = 30LL * 24 * 3600 * 1000; /* after it expired */

#define COLUMNS                                                                                    \
    "SELECT id, role, email, created_by, created_ms, expires_ms, coalesce(used_ms, 0), "           \
    "coalesce(used_by, 0) FROM invite "

static mp_invite take(sqlite3_stmt *s, mp_arena *arena)
{
    return (mp_invite){.id = sqlite3_column_int64(s, 0),
                       .role = mp_sql_text(s, 1, arena),
                       .email = mp_sql_text(s, 2, arena),
                       .created_by = sqlite3_column_int64(s, 3),
                       .created_ms = sqlite3_column_int64(s, 4),
                       .expires_ms = sqlite3_column_int64(s, 5),
                       .used_ms = sqlite3_column_int64(s, 6),
                       .used_by = sqlite3_column_int64(s, 7)};
}

/* Inserts unless so many are open already. */
static mp_err insert(conn *c, const mp_invite *in, const uint8_t token[32], int64_t *id,
                     mp_why *why)
{
    static const char sql[] =
        "INSERT INTO invite (token, role, email, created_by, created_ms, expires_ms) "
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE "
        "(SELECT count(*) FROM invite WHERE used_ms IS NULL AND expires_ms > ?5) < ?7";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_blob(s, 1, token, 32, SQLITE_STATIC);
    mp_sql_bind_text(s, 2, in->role);
    mp_sql_bind_text(s, 3, in->email);
    sqlite3_bind_int64(s, 4, in->created_by);
    sqlite3_bind_int64(s, 5, in->created_ms);
    sqlite3_bind_int64(s, 6, in->expires_ms);
    sqlite3_bind_int(s, 7, MP_INVITES);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_EXISTS, "%d invitations are open already", MP_INVITES);
    *id = err ? 0 : sqlite3_last_insert_rowid(c->db);
    return err;
}

mp_err mp_meta_add_invite(mp_meta *m, const mp_invite *in, const uint8_t token[32],
                          const mp_audit *note, int64_t *id, mp_why *why)
{
    static const char forget[] = "DELETE FROM invite WHERE expires_ms < ?1";
    int64_t before = in->created_ms - FORGET_MS;
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, forget, &before, 1, why);
    if (!err)
        err = insert(c, in, token, id, why);
    if (!err)
        err = mp_sql_note(c, note, 0, *id, why);
    err = mp_sql_end(m, err, why);
    if (err)
        *id = 0;
    return err;
}

mp_err mp_meta_find_invite(mp_meta *m, const uint8_t token[32], int64_t now_ms, mp_arena *arena,
                           mp_invite *out, mp_why *why)
{
    static const char sql[] = COLUMNS "WHERE token = ?1 AND used_ms IS NULL AND expires_ms > ?2";
    bool found = false;
    conn *c;
    *out = (mp_invite){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_blob(s, 1, token, 32, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, now_ms);
        found = mp_sql_row(c, s, &err, why);
        if (found)
            *out = take(s, arena);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found
               ? err
               : mp_fail(why, MP_NOT_FOUND, "this invitation is not valid, or not any more");
}

mp_err mp_meta_list_invites(mp_meta *m, mp_arena *arena, mp_invite **out, size_t *n, mp_why *why)
{
    static const char sql[] = COLUMNS "ORDER BY id DESC LIMIT ?1";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, MP_INVITES * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the invitations");
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int(s, 1, MP_INVITES);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = take(s, arena);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_remove_invite(mp_meta *m, int64_t id, const mp_audit *note, mp_why *why)
{
    static const char sql[] = "DELETE FROM invite WHERE id = ?1";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, sql, &id, 1, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such invitation");
    if (!err)
        err = mp_sql_note(c, note, 0, id, why);
    return mp_sql_end(m, err, why);
}
