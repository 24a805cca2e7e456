/* sqlite_project.c - projects, their members and who reaches them. See projects.h. */
#include "meta/projects.h"
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

/* ---- making and changing ---- */

static mp_err name_is_free(conn *c, int64_t owner_id, const char *name, int64_t but, mp_why *why)
{
    static const char sql[] =
        "SELECT 1 FROM project WHERE owner_id IS ?1 AND name = ?2 COLLATE NOCASE AND id <> ?3";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "zti", owner_id, name, but);
    if (s && mp_sql_row(c, s, &err, why)) {
        sqlite3_reset(s);
        err = mp_fail(why, MP_EXISTS, "there is a project called %s already", name);
    }
    return err;
}

static mp_err insert(conn *c, const mp_project *p, int64_t *id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO project (owner_id, name, description, config, status, is_default, created_ms, "
        "updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    mp_err err = name_is_free(c, p->owner_id, p->name, 0, why);
    if (!err)
        err = mp_sql_do(c, sql, why, "zttttii", p->owner_id, p->name, p->description, p->config,
                        p->status, (int64_t)p->is_default, p->created_ms);
    if (!err)
        *id = sqlite3_last_insert_rowid(c->db);
    return err;
}

mp_err mp_meta_add_project(mp_meta *m, const mp_project *p, int64_t *id, mp_why *why)
{
    conn *c;
    *id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_end(m, insert(c, p, id, why), why);
    if (err)
        *id = 0;
    return err;
}

static mp_err owner_of(conn *c, int64_t id, int64_t *owner_id, bool *is_default, mp_why *why)
{
    static const char sql[] = "SELECT coalesce(owner_id, 0), is_default FROM project WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "i", id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        *owner_id = sqlite3_column_int64(s, 0);
        *is_default = sqlite3_column_int(s, 1) != 0;
        sqlite3_reset(s);
    }
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such project");
}

mp_err mp_meta_change_project(mp_meta *m, int64_t id, const char *name, const char *description,
                              const char *config, const char *status, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "UPDATE project SET name = coalesce(?2, name), description = coalesce(?3, description), "
        "config = coalesce(?4, config), status = coalesce(?5, status), updated_ms = ?6 "
        "WHERE id = ?1";
    conn *c;
    int64_t owner_id = 0;
    bool is_default = false;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = owner_of(c, id, &owner_id, &is_default, why);
    if (!err && is_default && status && strcmp(status, "active") != 0)
        err = mp_fail(why, MP_EXISTS, "a default project stays active");
    if (!err && name)
        err = name_is_free(c, owner_id, name, id, why);
    if (!err)
        err = mp_sql_do(c, sql, why, "iooooi", id, name, description, config, status, now_ms);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_remove_project(mp_meta *m, int64_t id, mp_why *why)
{
    static const char used[] =
        "SELECT is_default, EXISTS (SELECT 1 FROM asset WHERE project_id = ?1), "
        "EXISTS (SELECT 1 FROM product WHERE project_id = ?1) FROM project WHERE id = ?1";
    /* The rows name bytes that the sweep of uploads takes away: they outlive their project. */
    static const char uploads[] =
        "UPDATE upload SET project_id = 1, expires_ms = 0 WHERE project_id = ?1";
    static const char drop[] = "DELETE FROM project WHERE id = ?1";
    conn *c;
    bool found = false;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_ask(c, used, &err, why, "i", id);
    if (s && mp_sql_row(c, s, &err, why)) {
        found = true;
        if (sqlite3_column_int(s, 0))
            err = mp_fail(why, MP_EXISTS, "a default project stays");
        else if (sqlite3_column_int(s, 1))
            err = mp_fail(why, MP_EXISTS, "the project still holds assets");
        else if (sqlite3_column_int(s, 2))
            err = mp_fail(why, MP_EXISTS, "the project still holds products");
        sqlite3_reset(s);
    }
    if (!err && !found)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such project");
    if (!err)
        err = mp_sql_do(c, uploads, why, "i", id);
    if (!err)
        err = mp_sql_do(c, drop, why, "i", id);
    return mp_sql_end(m, err, why);
}

static mp_err find_default(conn *c, int64_t user_id, int64_t *id, mp_why *why)
{
    static const char sql[] =
        "SELECT id FROM project WHERE owner_id = ?1 AND is_default ORDER BY id LIMIT 1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "i", user_id);
    if (s && mp_sql_row(c, s, &err, why)) {
        *id = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return err;
}

mp_err mp_meta_default_project(mp_meta *m, int64_t user_id, int64_t now_ms, int64_t *id,
                               mp_why *why)
{
    conn *c;
    *id = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = find_default(c, user_id, id, why);
    mp_sql_release(m, c);
    if (err || *id)
        return err;
    mp_project p = {.owner_id = user_id,
                    .name = "default",
                    .description = "",
                    .config = "{}",
                    .status = "active",
                    .is_default = true,
                    .created_ms = now_ms};
    err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = find_default(c, user_id, id, why); /* somebody may have been quicker */
    if (!err && !*id)
        err = insert(c, &p, id, why);
    err = mp_sql_end(m, err, why);
    if (err)
        *id = 0;
    return err;
}

mp_err mp_meta_adopt_project(mp_meta *m, int64_t id, int64_t user_id, mp_why *why)
{
    static const char sql[] = "UPDATE project SET owner_id = ?2 WHERE id = ?1 AND owner_id IS NULL";
    int64_t changed;
    mp_err err = mp_sql_write(m, sql, &changed, why, "ii", id, user_id);
    return err || changed ? err : mp_fail(why, MP_NOT_FOUND, "this project is somebody's");
}

/* ---- reading ---- */

#define ASSETS_OF(project)                                                                         \
    "(SELECT count(*) FROM asset a WHERE a.project_id = " project " AND a.state <> 2)"
/* ?1: who asks. Counting takes as long as there are assets. */
#define PROJECT_COLUMNS(assets)                                                                    \
    "SELECT p.id, coalesce(p.owner_id, 0), p.name, p.description, p.config, p.status, "            \
    "p.is_default, p.created_ms, p.updated_ms, " assets ", CASE WHEN p.owner_id = ?1 THEN "        \
    "'owner' ELSE coalesce((SELECT role FROM project_member x WHERE x.project_id = p.id AND "      \
    "x.user_id = ?1), '') END FROM project p "

static void take_project(sqlite3_stmt *s, mp_arena *arena, mp_project *out)
{
    *out = (mp_project){.id = sqlite3_column_int64(s, 0),
                        .owner_id = sqlite3_column_int64(s, 1),
                        .name = mp_sql_text(s, 2, arena),
                        .description = mp_sql_text(s, 3, arena),
                        .config = mp_sql_text(s, 4, arena),
                        .status = mp_sql_text(s, 5, arena),
                        .is_default = sqlite3_column_int(s, 6) != 0,
                        .created_ms = sqlite3_column_int64(s, 7),
                        .updated_ms = sqlite3_column_int64(s, 8),
                        .assets = (uint64_t)sqlite3_column_int64(s, 9),
                        .role = mp_sql_text(s, 10, arena)};
}

mp_err mp_meta_get_project(mp_meta *m, int64_t id, int64_t user_id, mp_arena *arena,
                           mp_project *out, mp_why *why)
{
    static const char sql[] = PROJECT_COLUMNS("0") "WHERE p.id = ?2";
    conn *c;
    *out = (mp_project){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "ii", user_id, id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        take_project(s, arena, out);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such project");
}

mp_err mp_meta_count_assets(mp_meta *m, int64_t project_id, uint64_t *out, mp_why *why)
{
    static const char sql[] = "SELECT " ASSETS_OF("?1");
    conn *c;
    *out = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", project_id);
    if (s && mp_sql_row(c, s, &err, why)) {
        *out = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_has_project(mp_meta *m, int64_t id, bool *out, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM project WHERE id = ?1";
    conn *c;
    *out = false;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", id);
    if (s)
        *out = mp_sql_row(c, s, &err, why);
    if (s)
        sqlite3_reset(s);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_list_projects(mp_meta *m, int64_t user_id, bool all, const char *status,
                             int64_t after, size_t limit, mp_arena *arena, mp_project **out,
                             size_t *n, mp_why *why)
{
    static const char sql[] = PROJECT_COLUMNS(
        ASSETS_OF("p.id")) "WHERE p.id > ?2 AND (?3 OR p.owner_id = ?1 OR EXISTS (SELECT 1 FROM "
                           "project_member x WHERE x.project_id = p.id AND x.user_id = ?1)) "
                           "AND (?5 IS NULL OR p.status = ?5) ORDER BY p.id LIMIT ?4";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err = *out ? mp_sql_reader(m, &c, why)
                      : mp_fail(why, MP_NOMEM, "no memory for %zu projects", limit);
    sqlite3_stmt *s = err ? NULL
                          : mp_sql_ask(c, sql, &err, why, "iiiio", user_id, after, (int64_t)all,
                                       (int64_t)limit, status);
    while (s && mp_sql_row(c, s, &err, why))
        take_project(s, arena, &(*out)[(*n)++]);
    mp_sql_release(m, c);
    return err;
}

/* ---- members and reach ---- */

mp_err mp_meta_set_member(mp_meta *m, int64_t project_id, int64_t user_id, const char *role,
                          mp_why *why)
{
    static const char drop[] = "DELETE FROM project_member WHERE project_id = ?1 AND user_id = ?2";
    static const char known[] = "SELECT 1 FROM project p, user u WHERE p.id = ?1 AND u.id = ?2";
    static const char put[] = "INSERT INTO project_member (project_id, user_id, role) "
                              "VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET role = excluded.role";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_ask(c, known, &err, why, "ii", project_id, user_id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (s)
        sqlite3_reset(s);
    if (!err && !found)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such project or user");
    else if (!err)
        err = *role ? mp_sql_do(c, put, why, "iit", project_id, user_id, role)
                    : mp_sql_do(c, drop, why, "ii", project_id, user_id);
    if (!err && !*role && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "this user is no member");
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_list_members(mp_meta *m, int64_t project_id, mp_arena *arena,
                            mp_project_member **out, size_t *n, mp_why *why)
{
    enum { MOST = 1000 };
    static const char sql[] = "SELECT u.id, u.username, x.role FROM project_member x JOIN user u "
                              "ON u.id = x.user_id WHERE x.project_id = ?1 ORDER BY u.username "
                              "LIMIT 1000";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, MOST * sizeof **out);
    mp_err err =
        *out ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory for the members");
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", project_id);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = (mp_project_member){.user_id = sqlite3_column_int64(s, 0),
                                             .username = mp_sql_text(s, 1, arena),
                                             .role = mp_sql_text(s, 2, arena)};
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_reach(mp_meta *m, int64_t user_id, mp_arena *arena, mp_reach **out, size_t *n,
                     mp_why *why)
{
    static const char sql[] =
        "SELECT id, 1 FROM project WHERE owner_id = ?1 UNION ALL "
        "SELECT project_id, role = 'editor' FROM project_member WHERE user_id = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM project WHERE id = project_id AND owner_id = ?1) ORDER BY 1";
    conn *c;
    size_t cap = 0;
    mp_reach *list = NULL;
    *out = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", user_id);
    while (s && mp_sql_row(c, s, &err, why)) {
        if (*n == cap) {
            cap = cap ? cap * 2 : 16;
            list = mp_xrealloc(list, cap * sizeof *list);
        }
        list[(*n)++] = (mp_reach){sqlite3_column_int64(s, 0), sqlite3_column_int(s, 1) != 0};
    }
    mp_sql_release(m, c);
    *out = err ? NULL : mp_arena_alloc(arena, (*n + 1) * sizeof **out);
    if (!err && !*out)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu projects", *n);
    if (!err && *n)
        memcpy(*out, list, *n * sizeof *list);
    if (err)
        *n = 0;
    free(list);
    return err;
}
