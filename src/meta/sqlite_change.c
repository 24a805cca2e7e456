/* sqlite_change.c - writing items: puts, removal, tags, words, states. One transaction each. */
#include "meta/sqlite.h"

#include <string.h>

static void store_phash(const uint64_t phash[8], uint8_t out[64])
{
    for (int i = 0; i < 8; i++)
        for (int b = 0; b < 8; b++)
            out[8 * i + b] = (uint8_t)(phash[i] >> (56 - 8 * b));
}

/* ---- put ---- */

static mp_err insert_asset(conn *c, mp_item *item, mp_why *why)
{
    static const char sql[] = "INSERT INTO asset (name, title, description, added_ms, project_id, "
                              "user_id, metadata, folder) VALUES "
                              "(?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, item->name);
    mp_sql_bind_text(s, 2, item->title);
    mp_sql_bind_text(s, 3, item->description);
    sqlite3_bind_int64(s, 4, item->added_ms);
    sqlite3_bind_int64(s, 5, item->project_id ? item->project_id : 1);
    sqlite3_bind_int64(s, 6, item->user_id);
    mp_sql_bind_text(s, 7, item->metadata ? item->metadata : "{}");
    mp_sql_bind_text(s, 8, item->folder ? item->folder : "");
    err = mp_sql_run(c, s, why);
    if (!err)
        item->id = sqlite3_last_insert_rowid(c->db);
    return err;
}

static mp_err update_asset(conn *c, const mp_item *item, mp_why *why)
{
    static const char sql[] =
        "UPDATE asset SET name = coalesce(nullif(?2, ''), name), state = 0 WHERE id = ?1";
    static const char drop_vectors[] =
        "DELETE FROM vector WHERE asset_id = ?1 AND space <> 'sentence'";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, item->id);
    mp_sql_bind_text(s, 2, item->name);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no #%lld", (long long)item->id);
    if (!err)
        err = mp_sql_exec_ints(c, drop_vectors, &item->id, 1, why);
    return err ? err : mp_sql_bump(c, true, why);
}

static mp_err insert_version(conn *c, const mp_item *item, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO version (asset_id, sha256, path, copied, format, width, height, frames, "
        "bytes, mtime_ns, taken_ms, phash, sharpness, brightness, contrast, entropy, issues, "
        "user_id, created_ms, name, metadata) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
        "?12, ?13, ?14, ?15, ?16, ?17, nullif(?18, 0), ?19, name, metadata FROM asset "
        "WHERE id = ?1";
    static const char current[] = "UPDATE asset SET version_id = ?1 WHERE id = ?2";
    uint8_t phash[64];
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    store_phash(item->phash, phash);
    sqlite3_bind_int64(s, 1, item->id);
    sqlite3_bind_blob(s, 2, item->sha256, 32, SQLITE_STATIC);
    mp_sql_bind_text(s, 3, item->path);
    sqlite3_bind_int(s, 4, item->copied);
    mp_sql_bind_text(s, 5, item->format);
    sqlite3_bind_int(s, 6, item->width);
    sqlite3_bind_int(s, 7, item->height);
    sqlite3_bind_int(s, 8, item->frames);
    sqlite3_bind_int64(s, 9, item->bytes);
    sqlite3_bind_int64(s, 10, item->mtime_ns);
    sqlite3_bind_int64(s, 11, item->taken_ms);
    sqlite3_bind_blob(s, 12, phash, sizeof phash, SQLITE_STATIC);
    sqlite3_bind_double(s, 13, (double)item->sharpness);
    sqlite3_bind_double(s, 14, (double)item->brightness);
    sqlite3_bind_double(s, 15, (double)item->contrast);
    sqlite3_bind_double(s, 16, (double)item->entropy);
    sqlite3_bind_int64(s, 17, item->issues);
    sqlite3_bind_int64(s, 18, item->user_id);
    sqlite3_bind_int64(s, 19, item->added_ms);
    err = mp_sql_run(c, s, why);
    if (err)
        return err;
    int64_t args[2] = {sqlite3_last_insert_rowid(c->db), item->id};
    return mp_sql_exec_ints(c, current, args, 2, why);
}

static mp_err insert_source(conn *c, const mp_item *item, mp_why *why)
{
    static const char owner[] = "SELECT asset_id FROM source WHERE path = ?1";
    static const char sql[] =
        "INSERT INTO source (path, asset_id, bytes, mtime_ns, missing, is_primary) "
        "VALUES (?1, ?2, ?3, ?4, 0, 1) ON CONFLICT (path) DO UPDATE SET "
        "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, missing = 0, is_primary = 1";
    static const char demote[] = "UPDATE source SET is_primary = 0 WHERE asset_id = ?1";
    mp_err err;
    if (!*item->path)
        return MP_OK;
    sqlite3_stmt *s = mp_sql_get(c, owner, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, item->path);
    if (mp_sql_row(c, s, &err, why) && sqlite3_column_int64(s, 0) != item->id)
        err = mp_fail(why, MP_EXISTS, "%s belongs to #%lld", item->path,
                      (long long)sqlite3_column_int64(s, 0));
    sqlite3_reset(s);
    if (!err)
        err = mp_sql_exec_ints(c, demote, &item->id, 1, why);
    s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, item->path);
    sqlite3_bind_int64(s, 2, item->id);
    sqlite3_bind_int64(s, 3, item->bytes);
    sqlite3_bind_int64(s, 4, item->mtime_ns);
    return mp_sql_run(c, s, why);
}

static mp_err put_vector(conn *c, int64_t id, const mp_vector *v, mp_why *why)
{
    static const char sql[] =
        "INSERT OR REPLACE INTO vector (asset_id, model, model_sha256, space, dims, data) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    mp_sql_bind_text(s, 2, v->model);
    mp_sql_bind_text(s, 3, v->model_sha256);
    mp_sql_bind_text(s, 4, v->space);
    sqlite3_bind_int(s, 5, v->dims);
    sqlite3_bind_blob(s, 6, v->data, v->dims * (int)sizeof(float), SQLITE_STATIC);
    return mp_sql_run(c, s, why);
}

static mp_err add_tag(conn *c, int64_t id, const char *tag, mp_why *why)
{
    static const char make[] = "INSERT OR IGNORE INTO tag (name) VALUES (?1)";
    static const char link[] = "INSERT OR IGNORE INTO asset_tag (asset_id, tag_id) "
                               "SELECT ?1, id FROM tag WHERE name = ?2 COLLATE NOCASE";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, make, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, tag);
    err = mp_sql_run(c, s, why);
    s = err ? NULL : mp_sql_get(c, link, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    mp_sql_bind_text(s, 2, tag);
    return mp_sql_run(c, s, why);
}

static mp_err put_one(conn *c, mp_put *put, mp_why *why)
{
    mp_item *item = &put->item;
    const char *what = item->id ? "image.changed" : "image.added";
    mp_err err = item->id ? update_asset(c, item, why) : insert_asset(c, item, why);
    if (!err)
        err = insert_version(c, item, why);
    if (!err)
        err = insert_source(c, item, why);
    for (size_t i = 0; !err && i < item->n_tags; i++)
        err = add_tag(c, item->id, item->tags[i], why);
    for (size_t i = 0; !err && i < put->n_vectors; i++)
        err = put_vector(c, item->id, &put->vectors[i], why);
    if (!err)
        err = mp_sql_refresh_text(c, item->id, why);
    return err ? err : mp_sql_item_event(c, item->id, what, why);
}

mp_err mp_meta_put_items(mp_meta *m, mp_put *puts, size_t n, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = put_one(c, &puts[i], why);
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_put_vectors(mp_meta *m, const int64_t *ids, const mp_vector *vectors, size_t n,
                           mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = put_vector(c, ids[i], &vectors[i], why);
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}

/* ---- removal ---- */

static mp_err remove_one(conn *c, int64_t id, size_t *removed, mp_why *why)
{
    static const char asset[] = "DELETE FROM asset WHERE id = ?1"; /* the rest cascades */
    static const char text[] = "DELETE FROM item_text WHERE rowid = ?1";
    mp_err err = mp_sql_item_event(c, id, "image.removed", why);
    if (!err)
        err = mp_sql_exec_ints(c, asset, &id, 1, why);
    if (err || sqlite3_changes(c->db) == 0)
        return err;
    (*removed)++;
    return mp_sql_exec_ints(c, text, &id, 1, why);
}

mp_err mp_meta_remove(mp_meta *m, const int64_t *ids, size_t n, size_t *removed, mp_why *why)
{
    conn *c;
    size_t count = 0;
    if (removed)
        *removed = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = remove_one(c, ids[i], &count, why);
    if (!err && count)
        err = mp_sql_bump(c, true, why);
    err = mp_sql_end(m, err, why);
    if (!err && removed)
        *removed = count;
    return err;
}

/* ---- tags, words, states ---- */

static mp_err must_exist(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM asset WHERE id = ?1 AND type = 'image'";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    bool there = mp_sql_row(c, s, &err, why);
    sqlite3_reset(s);
    if (!err && !there)
        err = mp_fail(why, MP_NOT_FOUND, "there is no #%lld", (long long)id);
    return err;
}

static mp_err remove_tag(conn *c, int64_t id, const char *tag, mp_why *why)
{
    static const char sql[] = "DELETE FROM asset_tag WHERE asset_id = ?1 AND tag_id = "
                              "(SELECT id FROM tag WHERE name = ?2 COLLATE NOCASE)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    mp_sql_bind_text(s, 2, tag);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_tag(mp_meta *m, const int64_t *ids, size_t n, const char *const *add, size_t n_add,
                   const char *const *remove, size_t n_remove, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++) {
        err = must_exist(c, ids[i], why);
        for (size_t k = 0; !err && k < n_remove; k++)
            err = remove_tag(c, ids[i], remove[k], why);
        for (size_t k = 0; !err && k < n_add; k++)
            err = add_tag(c, ids[i], add[k], why);
        if (!err)
            err = mp_sql_refresh_text(c, ids[i], why);
        if (!err)
            err = mp_sql_item_event(c, ids[i], "image.tagged", why);
    }
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_describe(mp_meta *m, int64_t id, const char *title, const char *description,
                        mp_why *why)
{
    static const char sql[] = "UPDATE asset SET title = coalesce(?2, title), "
                              "description = coalesce(?3, description) WHERE id = ?1";
    static const char drop[] = "DELETE FROM vector WHERE asset_id = ?1 AND space = 'sentence'";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = must_exist(c, id, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, id);
        if (title)
            mp_sql_bind_text(s, 2, title);
        if (description)
            mp_sql_bind_text(s, 3, description);
        err = mp_sql_run(c, s, why);
    }
    if (!err)
        err = mp_sql_exec_ints(c, drop, &id, 1, why);
    if (!err)
        err = mp_sql_refresh_text(c, id, why);
    if (!err)
        err = mp_sql_item_event(c, id, "image.described", why);
    if (!err)
        err = mp_sql_bump(c, true, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_set_state(mp_meta *m, const int64_t *ids, size_t n, mp_item_state state, mp_why *why)
{
    static const char sql[] = "UPDATE asset SET state = ?2 WHERE id = ?1";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++) {
        int64_t args[2] = {ids[i], state};
        err = must_exist(c, ids[i], why);
        if (!err)
            err = mp_sql_exec_ints(c, sql, args, 2, why);
    }
    if (!err)
        err = mp_sql_bump(c, true, why);
    return mp_sql_end(m, err, why);
}

/* ---- projects ---- */

static mp_err move_one(conn *c, int64_t id, int64_t project_id, mp_why *why)
{
    static const char twin[] =
        "SELECT o.id FROM asset a JOIN version v ON v.id = a.version_id "
        "JOIN version w ON w.sha256 = v.sha256 JOIN asset o ON o.version_id = w.id "
        "WHERE a.id = ?1 AND a.project_id <> ?2 AND o.project_id = ?2 AND o.type = 'image' "
        "AND o.state <> 2 LIMIT 1";
    static const char sql[] = "UPDATE asset SET project_id = ?2 WHERE id = ?1";
    int64_t args[2] = {id, project_id};
    mp_err err = must_exist(c, id, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, twin, &err, why, "ii", id, project_id);
    if (s && mp_sql_row(c, s, &err, why)) {
        err = mp_fail(why, MP_EXISTS, "the project has the bytes of #%lld already, as #%lld",
                      (long long)id, (long long)sqlite3_column_int64(s, 0));
        sqlite3_reset(s);
    }
    if (!err)
        err = mp_sql_exec_ints(c, sql, args, 2, why);
    return err ? err : mp_sql_item_event(c, id, "image.moved", why);
}

mp_err mp_meta_move(mp_meta *m, const int64_t *ids, size_t n, int64_t project_id, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = move_one(c, ids[i], project_id, why);
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}
