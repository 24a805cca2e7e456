/* sqlite_asset.c - assets of any type and their versions. See assets.h. */
#include "meta/assets.h"
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/* The bytes of an asset that is no picture; name and metadata are those it has now. */
static mp_err insert_version(conn *c, int64_t id, const mp_sha256 *sha256, int64_t bytes,
                             int64_t user_id, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO version (asset_id, sha256, copied, format, width, height, frames, bytes, "
        "mtime_ns, taken_ms, phash, sharpness, brightness, contrast, entropy, issues, user_id, "
        "created_ms, name, metadata) SELECT id, ?2, 1, '', 0, 0, 0, ?3, 0, 0, zeroblob(64), 0, 0, "
        "0, 0, 0, ?4, ?5, name, metadata FROM asset WHERE id = ?1";
    static const char current[] = "UPDATE asset SET version_id = ?1, state = 0 WHERE id = ?2";
    mp_err err = mp_sql_do(c, sql, why, "ibizi", id, sha256->byte, sizeof sha256->byte, bytes,
                           user_id, now_ms);
    int64_t args[2] = {sqlite3_last_insert_rowid(c->db), id};
    return err ? err : mp_sql_exec_ints(c, current, args, 2, why);
}

/* One of the same type, name and bytes: 0 in *id when there is none. By the bytes (CROSS JOIN keeps
 * that order): there are fewer of them than assets in a project. */
static mp_err find_twin(conn *c, const mp_asset *a, int64_t *id, mp_why *why)
{
    static const char sql[] =
        "SELECT a.id FROM version v CROSS JOIN asset a ON a.id = v.asset_id AND a.version_id = "
        "v.id WHERE v.sha256 = ?1 AND a.project_id = ?2 AND a.type = ?3 AND a.name = ?4 AND "
        "a.state <> 2 ORDER BY a.id LIMIT 1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "bitt", a->version.sha256.byte,
                                 sizeof a->version.sha256.byte, a->project_id, a->type, a->name);
    *id = 0;
    if (s && mp_sql_row(c, s, &err, why)) {
        *id = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return err;
}

static mp_err project_is_there(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM project WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "i", id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found)
        sqlite3_reset(s);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such project");
}

static mp_err insert_asset(conn *c, const mp_asset *a, int64_t *id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO asset (project_id, user_id, type, name, title, description, metadata, "
        "added_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    mp_err err = mp_sql_do(c, sql, why, "izttttti", a->project_id, a->user_id, a->type, a->name,
                           a->title, a->description, a->metadata, a->added_ms);
    if (err)
        return err;
    *id = sqlite3_last_insert_rowid(c->db);
    err =
        insert_version(c, *id, &a->version.sha256, a->version.bytes, a->user_id, a->added_ms, why);
    return err ? err : mp_sql_refresh_text(c, *id, why);
}

mp_err mp_meta_add_asset(mp_meta *m, const mp_asset *a, int64_t *id, bool *known, mp_why *why)
{
    conn *c;
    *id = 0;
    *known = false;
    if (strcmp(a->type, "image") == 0)
        return mp_fail(why, MP_INVALID, "a picture is added as an item");
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = project_is_there(c, a->project_id, why);
    if (!err)
        err = find_twin(c, a, id, why);
    *known = *id != 0;
    if (!err && !*known)
        err = insert_asset(c, a, id, why);
    err = mp_sql_end(m, err, why);
    if (err) {
        *id = 0;
        *known = false;
    }
    return err;
}

mp_err mp_meta_add_version(mp_meta *m, int64_t id, const mp_sha256 *sha256, int64_t bytes,
                           int64_t user_id, int64_t now_ms, bool *unchanged, mp_why *why)
{
    static const char sql[] = "SELECT a.type = 'image', v.sha256 = ?2 FROM asset a JOIN version v "
                              "ON v.id = a.version_id WHERE a.id = ?1 AND a.state <> 2";
    conn *c;
    bool found = false, picture = false, same = false;
    *unchanged = false;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "ib", id, sha256->byte, sizeof sha256->byte);
    if (s && mp_sql_row(c, s, &err, why)) {
        found = true;
        picture = sqlite3_column_int(s, 0) != 0;
        same = sqlite3_column_int(s, 1) != 0;
        sqlite3_reset(s);
    }
    if (!err && !found)
        err = mp_fail(why, MP_NOT_FOUND, "there is no asset %lld", (long long)id);
    else if (!err && picture)
        err = mp_fail(why, MP_INVALID, "a picture's version is added as an item");
    else if (!err && !same)
        err = insert_version(c, id, sha256, bytes, user_id, now_ms, why);
    err = mp_sql_end(m, err, why);
    *unchanged = !err && same;
    return err;
}

/* The current version follows its asset. */
static mp_err change(conn *c, int64_t id, const char *name, const char *title,
                     const char *description, const char *metadata, mp_why *why)
{
    static const char asset[] =
        "UPDATE asset SET name = coalesce(?2, name), title = coalesce(?3, title), "
        "description = coalesce(?4, description), metadata = coalesce(?5, metadata) WHERE id = ?1";
    static const char version[] =
        "UPDATE version SET name = coalesce(?2, name), metadata = coalesce(?3, metadata) "
        "WHERE id = (SELECT version_id FROM asset WHERE id = ?1)";
    static const char drop[] = "DELETE FROM vector WHERE asset_id = ?1 AND space = 'sentence'";
    bool words = title || description;
    mp_err err = mp_sql_do(c, asset, why, "ioooo", id, name, title, description, metadata);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no asset %lld", (long long)id);
    if (!err)
        err = mp_sql_do(c, version, why, "ioo", id, name, metadata);
    if (!err && words)
        err = mp_sql_exec_ints(c, drop, &id, 1, why);
    if (!err)
        err = mp_sql_refresh_text(c, id, why);
    return err ? err : mp_sql_bump(c, words, why);
}

mp_err mp_meta_change_asset(mp_meta *m, int64_t id, const char *name, const char *title,
                            const char *description, const char *metadata, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    return mp_sql_end(m, change(c, id, name, title, description, metadata, why), why);
}

/* ---- reading ---- */

#define VERSION_COLUMNS                                                                            \
    "v.asset_id, v.id = a.version_id, v.sha256, v.copied, v.path, v.format, v.width, v.height, "   \
    "v.bytes, coalesce(v.user_id, 0), v.created_ms, v.name, v.metadata"
enum { VERSION_WIDTH = 13 };

static void take_version(sqlite3_stmt *s, mp_arena *arena, mp_version *out)
{
    *out = (mp_version){.asset_id = sqlite3_column_int64(s, 0),
                        .current = sqlite3_column_int(s, 1) != 0,
                        .copied = sqlite3_column_int(s, 3) != 0,
                        .path = mp_sql_text(s, 4, arena),
                        .format = mp_sql_text(s, 5, arena),
                        .width = sqlite3_column_int(s, 6),
                        .height = sqlite3_column_int(s, 7),
                        .bytes = sqlite3_column_int64(s, 8),
                        .user_id = sqlite3_column_int64(s, 9),
                        .created_ms = sqlite3_column_int64(s, 10),
                        .name = mp_sql_text(s, 11, arena),
                        .metadata = mp_sql_text(s, 12, arena)};
    memcpy(out->sha256.byte, sqlite3_column_blob(s, 2), sizeof out->sha256.byte);
}

#define ASSET_ROWS                                                                                 \
    "SELECT " VERSION_COLUMNS                                                                      \
    ", a.id, a.project_id, coalesce(a.user_id, 0), a.added_ms, a.type, a.name, a.title, "          \
    "a.description, a.metadata, a.state, (SELECT count(*) FROM version x WHERE x.asset_id = "      \
    "a.id) FROM asset a JOIN version v ON v.id = a.version_id "

static void take_asset(sqlite3_stmt *s, mp_arena *arena, mp_asset *out)
{
    enum { AT = VERSION_WIDTH };
    *out = (mp_asset){.id = sqlite3_column_int64(s, AT),
                      .project_id = sqlite3_column_int64(s, AT + 1),
                      .user_id = sqlite3_column_int64(s, AT + 2),
                      .added_ms = sqlite3_column_int64(s, AT + 3),
                      .type = mp_sql_text(s, AT + 4, arena),
                      .name = mp_sql_text(s, AT + 5, arena),
                      .title = mp_sql_text(s, AT + 6, arena),
                      .description = mp_sql_text(s, AT + 7, arena),
                      .metadata = mp_sql_text(s, AT + 8, arena),
                      .state = (mp_item_state)sqlite3_column_int(s, AT + 9)};
    take_version(s, arena, &out->version);
    out->version.number = sqlite3_column_int64(s, AT + 10); /* the last of them */
}

mp_err mp_meta_get_asset(mp_meta *m, int64_t id, mp_arena *arena, mp_asset *out, mp_why *why)
{
    static const char sql[] = ASSET_ROWS "WHERE a.id = ?1";
    conn *c;
    *out = (mp_asset){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        take_asset(s, arena, out);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no asset %lld", (long long)id);
}

mp_err mp_meta_list_assets(mp_meta *m, int64_t project_id, const char *type, const char *glob,
                           int64_t after, size_t limit, mp_arena *arena, mp_asset **out, size_t *n,
                           mp_why *why)
{
    static const char sql[] =
        ASSET_ROWS "WHERE a.project_id = ?1 AND a.id > ?2 AND a.state <> 2 AND (?3 IS NULL OR "
                   "a.type = ?3) AND (?4 IS NULL OR lower(a.name) GLOB lower(?4)) "
                   "ORDER BY a.id LIMIT ?5";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err = *out ? mp_sql_reader(m, &c, why)
                      : mp_fail(why, MP_NOMEM, "no memory for %zu assets", limit);
    sqlite3_stmt *s =
        err ? NULL
            : mp_sql_ask(c, sql, &err, why, "iiooi", project_id, after, type, glob, (int64_t)limit);
    while (s && mp_sql_row(c, s, &err, why))
        take_asset(s, arena, &(*out)[(*n)++]);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_list_versions(mp_meta *m, int64_t id, int64_t after, size_t limit, mp_arena *arena,
                             mp_version **out, size_t *n, mp_why *why)
{
    static const char sql[] = "SELECT " VERSION_COLUMNS " FROM version v JOIN asset a ON a.id = "
                              "v.asset_id WHERE v.asset_id = ?1 ORDER BY v.id LIMIT ?2 OFFSET ?3";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err = *out ? mp_sql_reader(m, &c, why)
                      : mp_fail(why, MP_NOMEM, "no memory for %zu versions", limit);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "iii", id, (int64_t)limit, after);
    while (s && mp_sql_row(c, s, &err, why)) {
        mp_version *v = &(*out)[(*n)++];
        take_version(s, arena, v);
        v->number = after + (int64_t)*n;
    }
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_get_version(mp_meta *m, int64_t id, int64_t number, mp_arena *arena, mp_version *out,
                           mp_why *why)
{
    mp_version *list;
    size_t n = 0;
    *out = (mp_version){0};
    mp_err err =
        number < 1 ? MP_OK : mp_meta_list_versions(m, id, number - 1, 1, arena, &list, &n, why);
    if (!err && n)
        *out = list[0];
    return err || n ? err
                    : mp_fail(why, MP_NOT_FOUND, "asset %lld has no version %lld", (long long)id,
                              (long long)number);
}

/* ---- all of them ---- */

mp_err mp_meta_asset_ids(mp_meta *m, int64_t project_id, size_t limit, mp_arena *arena,
                         int64_t **out, size_t *n, mp_why *why)
{
    static const char sql[] = "SELECT id FROM asset WHERE project_id = ?1 LIMIT ?2";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err = *out ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory for ids");
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "ii", project_id, (int64_t)limit);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = sqlite3_column_int64(s, 0);
    mp_sql_release(m, c);
    return err;
}

/* Appends the hashes of one asset's versions to a list that grows. */
static mp_err add_hashes(conn *c, int64_t id, mp_sha256 **list, size_t *n, size_t *cap, mp_why *why)
{
    static const char sql[] = "SELECT DISTINCT sha256 FROM version WHERE asset_id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "i", id);
    while (s && mp_sql_row(c, s, &err, why)) {
        if (*n == *cap) {
            *cap = *cap ? *cap * 2 : 64;
            *list = mp_xrealloc(*list, *cap * sizeof **list);
        }
        memcpy((*list)[(*n)++].byte, sqlite3_column_blob(s, 0), 32);
    }
    return err;
}

mp_err mp_meta_asset_hashes(mp_meta *m, const int64_t *ids, size_t n, mp_arena *arena,
                            mp_sha256 **out, size_t *n_out, mp_why *why)
{
    conn *c;
    mp_sha256 *list = NULL;
    size_t count = 0, cap = 0;
    *out = NULL;
    *n_out = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    for (size_t i = 0; !err && i < n; i++)
        err = add_hashes(c, ids[i], &list, &count, &cap, why);
    mp_sql_release(m, c);
    *out = err ? NULL : mp_arena_alloc(arena, (count + 1) * sizeof **out);
    if (!err && !*out)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu hashes", count);
    if (!err && count)
        memcpy(*out, list, count * sizeof *list);
    if (!err)
        *n_out = count;
    free(list);
    return err;
}

mp_err mp_meta_each_copy(mp_meta *m, mp_version_fn fn, void *context, mp_why *why)
{
    static const char sql[] = "SELECT " VERSION_COLUMNS " FROM version v JOIN asset a ON a.id = "
                              "v.asset_id WHERE v.copied AND NOT (a.type = 'image' AND v.id = "
                              "a.version_id) ORDER BY v.id";
    conn *c;
    bool stopped = false;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "");
    while (s && !stopped && mp_sql_row(c, s, &err, why)) {
        mp_version v;
        mp_arena_reset(arena);
        take_version(s, arena, &v);
        stopped = fn(context, &v);
    }
    if (stopped)
        sqlite3_reset(s);
    mp_sql_release(m, c);
    mp_arena_free(arena);
    return err;
}
