/* sqlite_health.c - figures, and the integrity check. */
#include "meta/sqlite.h"

#include <string.h>

mp_err mp_meta_stats_get(mp_meta *m, mp_meta_stats *out, mp_why *why)
{
    static const char sql[] =
        "SELECT count(*) FILTER (WHERE a.state <> 2), count(*) FILTER (WHERE a.state = 1), "
        "count(*) FILTER (WHERE a.state = 2), count(*) FILTER (WHERE v.copied AND a.state <> 2), "
        "coalesce(sum(v.bytes) FILTER (WHERE a.state <> 2), 0), "
        "(SELECT count(DISTINCT tag_id) FROM asset_tag), (SELECT count(*) FROM verdict), "
        "count(*) FILTER (WHERE v.issues & 1), count(*) FILTER (WHERE v.issues & 2), "
        "count(*) FILTER (WHERE v.issues & 4), count(*) FILTER (WHERE v.issues & 8), "
        "count(*) FILTER (WHERE v.issues & 16) "
        "FROM asset a JOIN version v ON v.id = a.version_id WHERE a.type = 'image'";
    conn *c;
    *out = (mp_meta_stats){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s && mp_sql_row(c, s, &err, why)) {
        uint64_t *const to[] = {&out->items,     &out->missing,   &out->trashed,   &out->copied,
                                &out->bytes,     &out->tags,      &out->verdicts,  &out->issues[0],
                                &out->issues[1], &out->issues[2], &out->issues[3], &out->issues[4]};
        for (size_t i = 0; i < MP_COUNT(to); i++)
            *to[i] = (uint64_t)sqlite3_column_int64(s, (int)i);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

typedef struct problem_row {
    const char *sql, *what;
} problem_row;

/* Each query returns the items for which `what` is true. */
static const problem_row references[] = {
    {"SELECT id FROM asset WHERE version_id IS NULL OR NOT EXISTS (SELECT 1 FROM version v WHERE "
     "v.id = asset.version_id AND v.asset_id = asset.id)",
     "it has no current version"},
    {"SELECT asset_id FROM vector WHERE length(data) <> dims * 4", "a vector has the wrong length"},
    {"SELECT a.id FROM asset a WHERE NOT EXISTS (SELECT 1 FROM item_text t WHERE t.rowid = a.id)",
     "its words are not in the text index"},
    {"SELECT rowid FROM item_text WHERE rowid NOT IN (SELECT id FROM asset)",
     "the text index knows a removed item"},
    {"SELECT a.id FROM asset a JOIN version v ON v.id = a.version_id WHERE a.state = 0 AND "
     "NOT v.copied AND NOT EXISTS (SELECT 1 FROM source s WHERE s.asset_id = a.id)",
     "it is said to be present but has neither a path nor a copy"},
};

static void check_store(conn *c, mp_meta_problem_fn fn, void *context)
{
    static const char *const checks[] = {"PRAGMA integrity_check(20)", "PRAGMA foreign_key_check"};
    for (size_t i = 0; i < MP_COUNT(checks); i++) {
        sqlite3_stmt *s = NULL;
        if (sqlite3_prepare_v2(c->db, checks[i], -1, &s, NULL) != SQLITE_OK) {
            fn(context, 0, sqlite3_errmsg(c->db));
            continue;
        }
        int code;
        while ((code = sqlite3_step(s)) == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(s, 0);
            if (!text || strcmp(text, "ok") != 0)
                fn(context, 0, text ? text : "a row refers to one that is not there");
        }
        if (code != SQLITE_DONE)
            fn(context, 0, sqlite3_errmsg(c->db));
        sqlite3_finalize(s);
    }
}

mp_err mp_meta_check(mp_meta *m, mp_meta_problem_fn fn, void *context, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    check_store(c, fn, context);
    for (size_t i = 0; !err && i < MP_COUNT(references); i++) {
        sqlite3_stmt *s = mp_sql_get(c, references[i].sql, &err, why);
        while (s && mp_sql_row(c, s, &err, why))
            fn(context, sqlite3_column_int64(s, 0), references[i].what);
    }
    mp_sql_release(m, c);
    return err;
}
