/* sqlite_account.c - users. See accounts.h. */
#include "meta/sqlite_account.h"

#include <string.h>

/* ---- reading ---- */

mp_user mp_sql_take_user(sqlite3_stmt *s, mp_arena *arena)
{
    return (mp_user){.id = sqlite3_column_int64(s, 0),
                     .username = mp_sql_text(s, 1, arena),
                     .email = mp_sql_text(s, 2, arena),
                     .password = mp_sql_text(s, 3, arena),
                     .role = mp_sql_text(s, 4, arena),
                     .active = sqlite3_column_int(s, 5) != 0,
                     .deleted = sqlite3_column_int(s, 6) != 0,
                     .created_ms = sqlite3_column_int64(s, 7)};
}

mp_err mp_sql_read_user(mp_meta *m, conn *c, sqlite3_stmt *s, mp_err err, mp_arena *arena,
                        mp_user *out, mp_why *why)
{
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        *out = mp_sql_take_user(s, arena);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such user");
}

mp_err mp_meta_get_user(mp_meta *m, int64_t id, mp_arena *arena, mp_user *out, mp_why *why)
{
    static const char sql[] = MP_SQL_USER "FROM user WHERE id = ?1";
    conn *c;
    *out = (mp_user){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, id);
    return mp_sql_read_user(m, c, s, err, arena, out, why);
}

mp_err mp_meta_find_user(mp_meta *m, const char *name, mp_arena *arena, mp_user *out, mp_why *why)
{
    static const char sql[] =
        MP_SQL_USER "FROM user WHERE username = ?1 OR email = ?1 ORDER BY username <> ?1";
    conn *c;
    *out = (mp_user){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        mp_sql_bind_text(s, 1, name);
    return mp_sql_read_user(m, c, s, err, arena, out, why);
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

mp_err mp_meta_list_users(mp_meta *m, const mp_user_query *q, mp_arena *arena, mp_user **out,
                          size_t *n, mp_why *why)
{
    /* instr and lower: in LIKE the signs % and _ of a name would mean something else */
    static const char sql[] =
        MP_SQL_USER "FROM user WHERE id > ?1 AND deleted_ms IS NULL AND (?2 = '' OR role = ?2) AND "
                    "(?3 < 0 OR active = ?3) AND (?4 = '' OR instr(lower(username), lower(?4)) > 0 "
                    "OR instr(lower(coalesce(email, '')), lower(?4)) > 0) ORDER BY id LIMIT ?5";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, (q->limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu users", q->limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, q->after);
        mp_sql_bind_text(s, 2, q->role);
        sqlite3_bind_int(s, 3, q->active);
        mp_sql_bind_text(s, 4, q->text);
        sqlite3_bind_int64(s, 5, (int64_t)q->limit);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = mp_sql_take_user(s, arena);
    mp_sql_release(m, c);
    return err;
}

/* ---- adding ---- */

/* Is the name another's, or the address? */
static mp_err check_free(conn *c, int64_t id, const char *username, const char *email, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM user WHERE (username = ?2 OR email = ?3) AND id <> ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    mp_sql_bind_text(s, 2, username);
    if (*email)
        mp_sql_bind_text(s, 3, email);
    if (mp_sql_row(c, s, &err, why)) {
        sqlite3_reset(s);
        err = mp_fail(why, MP_EXISTS, "this name or e-mail address is taken");
    }
    return err;
}

static mp_err insert(conn *c, const mp_user *u, int64_t *id, mp_why *why)
{
    static const char add[] = "INSERT INTO user (username, email, password, role, active, "
                              "created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    mp_err err = check_free(c, 0, u->username, u->email, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, add, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, u->username);
    if (*u->email)
        mp_sql_bind_text(s, 2, u->email);
    mp_sql_bind_text(s, 3, u->password);
    mp_sql_bind_text(s, 4, u->role);
    sqlite3_bind_int(s, 5, u->active);
    sqlite3_bind_int64(s, 6, u->created_ms);
    err = mp_sql_run(c, s, why);
    *id = sqlite3_last_insert_rowid(c->db);
    return err;
}

static mp_err use_invite(conn *c, const uint8_t token[32], int64_t now_ms, int64_t user_id,
                         mp_why *why)
{
    static const char sql[] = "UPDATE invite SET used_ms = ?2, used_by = ?3 "
                              "WHERE token = ?1 AND used_ms IS NULL AND expires_ms > ?2";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_blob(s, 1, token, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, now_ms);
    sqlite3_bind_int64(s, 3, user_id);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "this invitation is not valid, or not any more");
    return err;
}

static mp_err add_user(mp_meta *m, const mp_user *u, const uint8_t *invite, const mp_audit *note,
                       int64_t *id, mp_why *why)
{
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = insert(c, u, id, why);
    if (!err && invite)
        err = use_invite(c, invite, u->created_ms, *id, why);
    if (!err)
        err = mp_sql_note(c, note, *id, *id, why);
    err = mp_sql_end(m, err, why);
    if (err)
        *id = 0;
    return err;
}

mp_err mp_meta_add_user(mp_meta *m, const mp_user *u, const mp_audit *note, int64_t *id,
                        mp_why *why)
{
    return add_user(m, u, NULL, note, id, why);
}

mp_err mp_meta_add_invited_user(mp_meta *m, const mp_user *u, const uint8_t invite[32],
                                const mp_audit *note, int64_t *id, mp_why *why)
{
    return add_user(m, u, invite, note, id, why);
}

/* ---- changing ---- */

/* The user as they are within the writer's transaction; NOT_FOUND also for a deleted one. */
static mp_err read_for_change(conn *c, int64_t id, mp_arena *arena, mp_user *out, mp_why *why)
{
    static const char sql[] = MP_SQL_USER "FROM user WHERE id = ?1 AND deleted_ms IS NULL";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    if (!mp_sql_row(c, s, &err, why))
        return err ? err : mp_fail(why, MP_NOT_FOUND, "there is no such user");
    *out = mp_sql_take_user(s, arena);
    sqlite3_reset(s);
    return MP_OK;
}

/* Somebody must stay who can let others in. */
static mp_err check_admin_left(conn *c, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM user WHERE role = 'admin' AND active = 1 LIMIT 1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    if (!mp_sql_row(c, s, &err, why))
        return err ? err
                   : mp_fail(why, MP_EXISTS,
                             "this is the last active administrator: make another "
                             "one first");
    sqlite3_reset(s);
    return MP_OK;
}

static bool is_admin(const mp_user *u)
{
    return u->active && strcmp(u->role, "admin") == 0;
}

/* Ends what the user could still come in with. */
static mp_err end_logins(conn *c, int64_t id, mp_why *why)
{
    static const char keys[] = "DELETE FROM api_key WHERE user_id = ?1";
    mp_err err = mp_sql_end_sessions(c, id, "", why);
    if (!err)
        err = mp_sql_exec_ints(c, keys, &id, 1, why);
    return err ? err : mp_sql_forget_reset(c, id, why);
}

static mp_err write_user(conn *c, const mp_user *u, mp_why *why)
{
    static const char sql[] = "UPDATE user SET role = ?2, email = ?3, active = ?4 WHERE id = ?1";
    mp_err err = check_free(c, u->id, "", u->email, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, u->id);
    mp_sql_bind_text(s, 2, u->role);
    if (*u->email)
        mp_sql_bind_text(s, 3, u->email);
    sqlite3_bind_int(s, 4, u->active);
    return mp_sql_run(c, s, why);
}

static mp_err change(conn *c, int64_t id, const mp_user_change *to, mp_arena *arena, mp_why *why)
{
    mp_user was;
    mp_err err = read_for_change(c, id, arena, &was, why);
    if (err)
        return err;
    mp_user now = was;
    now.role = to->role ? to->role : was.role;
    now.email = to->email ? to->email : was.email;
    now.active = to->active < 0 ? was.active : to->active > 0;
    err = write_user(c, &now, why);
    if (!err && is_admin(&was) && !is_admin(&now))
        err = check_admin_left(c, why);
    if (!err && strcmp(was.email, now.email) != 0) /* a mail may lie in the old mailbox */
        err = mp_sql_forget_reset(c, id, why);
    if (!err && (strcmp(was.role, now.role) != 0 || !now.active))
        err = end_logins(c, id, why);
    return err;
}

mp_err mp_meta_change_user(mp_meta *m, int64_t id, const mp_user_change *to, const mp_audit *note,
                           mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    mp_arena *arena = mp_arena_new(0);
    err = change(c, id, to, arena, why);
    if (!err)
        err = mp_sql_note(c, note, 0, id, why);
    mp_arena_free(arena);
    return mp_sql_end(m, err, why);
}

/* A name may not hold a '#', so that the one which is left here is nobody's. */
static mp_err erase(conn *c, int64_t id, int64_t now_ms, mp_why *why)
{
    static const char user[] =
        "UPDATE user SET username = 'deleted#' || id, email = NULL, password = '!', active = 0, "
        "deleted_ms = ?2 WHERE id = ?1";
    static const char sessions[] = "DELETE FROM session WHERE user_id = ?1";
    static const char invites[] = "UPDATE invite SET email = '' WHERE used_by = ?1";
    mp_err err = end_logins(c, id, why);
    if (!err)
        err = mp_sql_exec_ints(c, user, (int64_t[]){id, now_ms}, 2, why);
    if (!err)
        err = mp_sql_exec_ints(c, sessions, &id, 1, why);
    return err ? err : mp_sql_exec_ints(c, invites, &id, 1, why);
}

mp_err mp_meta_delete_user(mp_meta *m, int64_t id, int64_t now_ms, const mp_audit *note,
                           mp_why *why)
{
    conn *c;
    mp_user was = {0};
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    mp_arena *arena = mp_arena_new(0);
    err = read_for_change(c, id, arena, &was, why);
    if (!err)
        err = erase(c, id, now_ms, why);
    if (!err && is_admin(&was))
        err = check_admin_left(c, why);
    if (!err)
        err = mp_sql_note(c, note, 0, id, why);
    mp_arena_free(arena);
    return mp_sql_end(m, err, why);
}
