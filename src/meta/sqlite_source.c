/* sqlite_source.c - the paths where an item's bytes were seen. */
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_COLUMNS                                                                             \
    "s.path, s.asset_id, s.bytes, s.mtime_ns, v.sha256, s.missing, s.is_primary, "                 \
    "(SELECT count(*) FROM source o WHERE o.asset_id = s.asset_id) - 1, a.state = 2 "              \
    "FROM source s JOIN asset a ON a.id = s.asset_id JOIN version v ON v.id = a.version_id "

static void read_source(sqlite3_stmt *s, mp_arena *arena, mp_source *out)
{
    *out = (mp_source){.path = mp_sql_text(s, 0, arena),
                       .item_id = sqlite3_column_int64(s, 1),
                       .bytes = sqlite3_column_int64(s, 2),
                       .mtime_ns = sqlite3_column_int64(s, 3),
                       .missing = sqlite3_column_int(s, 5) != 0,
                       .primary = sqlite3_column_int(s, 6) != 0,
                       .others = sqlite3_column_int(s, 7),
                       .trashed = sqlite3_column_int(s, 8) != 0};
    if (sqlite3_column_bytes(s, 4) == 32)
        memcpy(out->sha256, sqlite3_column_blob(s, 4), 32);
}

mp_err mp_meta_get_source(mp_meta *m, const char *path, mp_arena *arena, mp_source *out,
                          mp_why *why)
{
    static const char sql[] = "SELECT " SOURCE_COLUMNS "WHERE s.path = ?1";
    conn *c;
    bool found = false;
    *out = (mp_source){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, path);
        found = mp_sql_row(c, s, &err, why);
        if (found)
            read_source(s, arena, out);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    if (!err && !found)
        err = mp_fail(why, MP_NOT_FOUND, "%s is not known", path);
    return err;
}

/* All rows of a statement that has its values. */
static mp_err read_sources(mp_meta *m, conn *c, sqlite3_stmt *s, mp_err err, mp_arena *arena,
                           mp_source **out, size_t *n, mp_why *why)
{
    size_t count = 0, cap = 0;
    mp_source *list = NULL;
    while (s && mp_sql_row(c, s, &err, why)) {
        if (count == cap) {
            cap = cap ? cap * 2 : 256;
            list = mp_xrealloc(list, cap * sizeof *list);
        }
        read_source(s, arena, &list[count++]);
    }
    mp_sql_release(m, c);
    mp_source *kept = err ? NULL : mp_arena_alloc(arena, count * sizeof *kept);
    if (!err && !kept)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu paths", count);
    if (!err && count)
        memcpy(kept, list, count * sizeof *kept);
    free(list);
    *out = err ? NULL : kept;
    *n = err ? 0 : count;
    return err;
}

/* Below a folder: paths from "folder/" up to, not including, "folder0" ('0' follows '/'). */
mp_err mp_meta_list_sources(mp_meta *m, const char *folder, mp_arena *arena, mp_source **out,
                            size_t *n, mp_why *why)
{
    static const char sql[] = "SELECT " SOURCE_COLUMNS
                              "WHERE s.path = ?1 OR (s.path >= ?2 AND s.path < ?3) ORDER BY s.path";
    conn *c;
    size_t len = strlen(folder);
    mp_buf low = {0}, high = {0};
    while (len > 0 && folder[len - 1] == '/')
        len--;
    mp_buf_printf(&low, "%.*s/", (int)len, folder);
    mp_buf_printf(&high, "%.*s0", (int)len, folder);
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, folder);
        mp_sql_bind_text(s, 2, low.p);
        mp_sql_bind_text(s, 3, high.p);
    }
    err = read_sources(m, c, s, err, arena, out, n, why);
    mp_buf_free(&low);
    mp_buf_free(&high);
    return err;
}

mp_err mp_meta_list_spares(mp_meta *m, mp_arena *arena, mp_source **out, size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT " SOURCE_COLUMNS "WHERE s.is_primary = 0 AND s.missing = 0 AND a.state <> 2 AND "
        "v.copied = 0 ORDER BY s.asset_id, s.path";
    conn *c;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    return read_sources(m, c, s, err, arena, out, n, why);
}

/* ---- changes ---- */

static mp_err with_path(conn *c, const char *literal, const mp_source_change *change, mp_why *why)
{
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, literal, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, change->path);
    sqlite3_bind_int64(s, 2, change->item_id);
    sqlite3_bind_int64(s, 3, change->bytes);
    sqlite3_bind_int64(s, 4, change->mtime_ns);
    mp_sql_bind_text(s, 5, change->old_path);
    return mp_sql_run(c, s, why);
}

/* The version's path is that of the primary source; an item without sources left, or with missing
 * ones only, is missing unless its bytes are in the library. Trashed items stay so. */
static mp_err settle(conn *c, int64_t id, mp_why *why)
{
    static const char promote[] =
        "UPDATE source SET is_primary = 1 WHERE path = (SELECT path FROM source "
        "WHERE asset_id = ?1 ORDER BY missing, path LIMIT 1) AND NOT EXISTS "
        "(SELECT 1 FROM source WHERE asset_id = ?1 AND is_primary = 1 AND missing = 0)";
    static const char demote[] =
        "UPDATE source SET is_primary = 0 WHERE asset_id = ?1 AND path <> "
        "(SELECT path FROM source WHERE asset_id = ?1 ORDER BY missing, is_primary DESC, path "
        "LIMIT 1)";
    static const char path[] =
        "UPDATE version SET path = coalesce((SELECT path FROM source WHERE asset_id = ?1 "
        "AND is_primary = 1), path) WHERE id = (SELECT version_id FROM asset WHERE id = ?1)";
    static const char state[] =
        "UPDATE asset SET state = CASE WHEN EXISTS (SELECT 1 FROM source WHERE asset_id = ?1 AND "
        "missing = 0) OR (SELECT copied FROM version WHERE id = version_id) THEN 0 ELSE 1 END "
        "WHERE id = ?1 AND state <> 2";
    mp_err err = mp_sql_exec_ints(c, promote, &id, 1, why);
    if (!err)
        err = mp_sql_exec_ints(c, demote, &id, 1, why);
    if (!err)
        err = mp_sql_exec_ints(c, path, &id, 1, why);
    return err ? err : mp_sql_exec_ints(c, state, &id, 1, why);
}

static mp_err change_one(conn *c, const mp_source_change *change, mp_why *why)
{
    static const char seen[] = "UPDATE source SET bytes = ?3, mtime_ns = ?4, missing = 0 "
                               "WHERE path = ?1 AND asset_id = ?2";
    static const char extra[] =
        "INSERT INTO source (path, asset_id, bytes, mtime_ns) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (path) DO UPDATE SET asset_id = excluded.asset_id, bytes = excluded.bytes, "
        "mtime_ns = excluded.mtime_ns, missing = 0, is_primary = 0";
    static const char drop_old[] = "DELETE FROM source WHERE path = ?5 AND asset_id = ?2";
    static const char missing[] = "UPDATE source SET missing = 1 WHERE path = ?1 AND asset_id = ?2";
    static const char drop[] = "DELETE FROM source WHERE path = ?1 AND asset_id = ?2";
    static const char rename[] = "UPDATE asset SET name = ?2 WHERE id = ?1";
    mp_err err = MP_OK;
    switch (change->kind) {
    case MP_SOURCE_SEEN:
        err = with_path(c, seen, change, why);
        break;
    case MP_SOURCE_EXTRA:
        err = with_path(c, extra, change, why);
        break;
    case MP_SOURCE_MOVED:
        err = with_path(c, drop_old, change, why);
        if (!err)
            err = with_path(c, extra, change, why);
        if (!err) {
            const char *slash = strrchr(change->path, '/');
            sqlite3_stmt *s = mp_sql_get(c, rename, &err, why);
            if (s) {
                sqlite3_bind_int64(s, 1, change->item_id);
                mp_sql_bind_text(s, 2, slash ? slash + 1 : change->path);
                err = mp_sql_run(c, s, why);
            }
        }
        if (!err)
            err = mp_sql_refresh_text(c, change->item_id, why);
        break;
    case MP_SOURCE_MISSING:
        err = with_path(c, missing, change, why);
        break;
    case MP_SOURCE_DROP:
        err = with_path(c, drop, change, why);
        break;
    }
    return err ? err : settle(c, change->item_id, why);
}

mp_err mp_meta_change_sources(mp_meta *m, const mp_source_change *changes, size_t n, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = change_one(c, &changes[i], why);
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}
