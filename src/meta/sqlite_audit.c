/* sqlite_audit.c - the log of who did what. See accounts.h. */
#include "meta/sqlite_account.h"

#include "base/os.h"

mp_err mp_sql_note(conn *c, const mp_audit *note, int64_t user_id, int64_t target_id, mp_why *why)
{
    static const char sql[] = "INSERT INTO audit (at_ms, user_id, target_id, action, detail, "
                              "address, request_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    mp_err err;
    if (!note)
        return MP_OK;
    int64_t user = note->user_id ? note->user_id : user_id;
    int64_t target = note->target_id ? note->target_id : target_id;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, mp_now_ms());
    if (user)
        sqlite3_bind_int64(s, 2, user);
    if (target)
        sqlite3_bind_int64(s, 3, target);
    mp_sql_bind_text(s, 4, note->action);
    mp_sql_bind_text(s, 5, note->detail);
    mp_sql_bind_text(s, 6, note->address);
    mp_sql_bind_text(s, 7, note->request_id);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_add_audit(mp_meta *m, const mp_audit *a, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    return mp_sql_end(m, mp_sql_note(c, a, 0, 0, why), why);
}

#define COLUMNS                                                                                    \
    "SELECT id, at_ms, coalesce(user_id, 0), coalesce(target_id, 0), action, detail, address, "    \
    "request_id FROM audit WHERE "
#define CHOSEN                                                                                     \
    "id < ?1 AND at_ms >= ?2 AND at_ms < ?3 AND substr(action, 1, length(?4)) = ?4 "               \
    "ORDER BY id DESC LIMIT ?5"

mp_err mp_meta_list_audit(mp_meta *m, const mp_audit_query *q, mp_arena *arena, mp_audit **out,
                          size_t *n, mp_why *why)
{
    static const char all[] = COLUMNS CHOSEN;
    static const char of_user[] = COLUMNS "user_id = ?6 AND " CHOSEN; /* by the index */
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, (q->limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu rows", q->limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, q->user_id ? of_user : all, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, q->before ? q->before : INT64_MAX);
        sqlite3_bind_int64(s, 2, q->from_ms);
        sqlite3_bind_int64(s, 3, q->to_ms ? q->to_ms : INT64_MAX);
        mp_sql_bind_text(s, 4, q->action);
        sqlite3_bind_int64(s, 5, (int64_t)q->limit);
        if (q->user_id)
            sqlite3_bind_int64(s, 6, q->user_id);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = (mp_audit){.id = sqlite3_column_int64(s, 0),
                                    .at_ms = sqlite3_column_int64(s, 1),
                                    .user_id = sqlite3_column_int64(s, 2),
                                    .target_id = sqlite3_column_int64(s, 3),
                                    .action = mp_sql_text(s, 4, arena),
                                    .detail = mp_sql_text(s, 5, arena),
                                    .address = mp_sql_text(s, 6, arena),
                                    .request_id = mp_sql_text(s, 7, arena)};
    mp_sql_release(m, c);
    return err;
}
