/* sqlite_upload.c - presigned uploads and feedback. See uploads.h. */
#include "meta/sqlite.h"
#include "meta/uploads.h"

mp_err mp_meta_add_upload(mp_meta *m, const mp_upload *u, mp_why *why)
{
    static const char sql[] = "INSERT OR IGNORE INTO upload (id, user_id, project_id, name, type, "
                              "bytes, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    int64_t added;
    mp_err err = mp_sql_write(m, sql, &added, why, "tiittii", u->id, u->user_id, u->project_id,
                              u->name, u->type, u->bytes, u->expires_ms);
    return err || added ? err : mp_fail(why, MP_EXISTS, "this link was used already");
}

mp_err mp_meta_get_upload(mp_meta *m, const char *id, mp_arena *arena, mp_upload *out, mp_why *why)
{
    static const char sql[] = "SELECT id, user_id, project_id, name, type, bytes, expires_ms, "
                              "coalesce(asset_id, 0) FROM upload WHERE id = ?1";
    conn *c;
    *out = (mp_upload){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "t", id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        *out = (mp_upload){.id = mp_sql_text(s, 0, arena),
                           .user_id = sqlite3_column_int64(s, 1),
                           .project_id = sqlite3_column_int64(s, 2),
                           .name = mp_sql_text(s, 3, arena),
                           .type = mp_sql_text(s, 4, arena),
                           .bytes = sqlite3_column_int64(s, 5),
                           .expires_ms = sqlite3_column_int64(s, 6),
                           .item_id = sqlite3_column_int64(s, 7)};
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such upload");
}

mp_err mp_meta_take_upload(mp_meta *m, const char *id, int64_t item_id, mp_why *why)
{
    static const char sql[] = "UPDATE upload SET asset_id = ?2 WHERE id = ?1";
    return mp_sql_write(m, sql, NULL, why, "ti", id, item_id);
}

mp_err mp_meta_drop_upload(mp_meta *m, const char *id, mp_why *why)
{
    static const char sql[] = "DELETE FROM upload WHERE id = ?1";
    return mp_sql_write(m, sql, NULL, why, "t", id);
}

mp_err mp_meta_old_uploads(mp_meta *m, int64_t now_ms, size_t limit, mp_arena *arena,
                           const char ***out, size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT id FROM upload WHERE expires_ms < ?1 ORDER BY expires_ms LIMIT ?2";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err = *out ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory for uploads");
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "ii", now_ms, (int64_t)limit);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = mp_sql_text(s, 0, arena);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_add_feedback(mp_meta *m, const mp_feedback *f, int64_t *id, mp_why *why)
{
    static const char sql[] = "INSERT INTO feedback (asset_id, user_id, action, note, at_ms) "
                              "SELECT id, nullif(?2, 0), ?3, ?4, ?5 FROM asset WHERE id = ?1";
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_do(c, sql, why, "iitti", f->item_id, f->user_id, f->action, f->note, f->at_ms);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no #%lld", (long long)f->item_id);
    int64_t made = sqlite3_last_insert_rowid(c->db);
    err = mp_sql_end(m, err, why);
    if (!err)
        *id = made;
    return err;
}

mp_err mp_meta_list_feedback(mp_meta *m, int64_t item_id, mp_arena *arena, mp_feedback **out,
                             size_t *n, mp_why *why)
{
    enum { MOST = 1000 };
    static const char sql[] = "SELECT id, asset_id, coalesce(user_id, 0), at_ms, action, note "
                              "FROM feedback WHERE asset_id = ?1 ORDER BY id LIMIT 1000";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, MOST * sizeof **out);
    mp_err err =
        *out ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory for feedback");
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", item_id);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = (mp_feedback){.id = sqlite3_column_int64(s, 0),
                                       .item_id = sqlite3_column_int64(s, 1),
                                       .user_id = sqlite3_column_int64(s, 2),
                                       .at_ms = sqlite3_column_int64(s, 3),
                                       .action = mp_sql_text(s, 4, arena),
                                       .note = mp_sql_text(s, 5, arena)};
    mp_sql_release(m, c);
    return err;
}
