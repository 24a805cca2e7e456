/* sqlite_search_log.c - the log of searches: adding, listing, summing up, forgetting. */
#include "meta/products.h"
#include "meta/search_logs.h"
#include "meta/sqlite.h"

#include "base/os.h"

#include <string.h>

enum { MOST_ROWS = 1000, PRUNE_STEP = 10000 };

/* ---- adding ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static mp_err check(const mp_search_log *log, mp_why *why)
{
    const char *texts[] = {log->text, log->image_url, log->user_id, log->session_id};
    if ((unsigned)log->type >= MP_QUERY_TYPES)
        return mp_fail(why, MP_INVALID, "query_type: there is no type %d", (int)log->type);
    if (log->results < 0 || log->time_ms < 0 || log->created_ms < 0)
        return mp_fail(why, MP_INVALID, "a search log takes no negative numbers");
    for (size_t i = 0; i < MP_COUNT(texts); i++) {
        size_t n = strlen(or_empty(texts[i]));
        if (n > MP_QUERY_TEXT_MAX)
            return mp_fail(why, MP_INVALID, "a text of a search log has at most %d bytes",
                           MP_QUERY_TEXT_MAX);
        if (n && !mp_utf8_valid(texts[i], n))
            return mp_fail(why, MP_INVALID, "a text of a search log is not valid UTF-8");
    }
    return MP_OK;
}

static mp_err add_one(conn *c, const mp_search_log *log, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO search_log (query_type, query_text, query_key, query_image_url, "
        "results_count, execution_time_ms, user_id, session_id, project_id, created_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    mp_buf key = {0};
    mp_err err = check(log, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_query_normalise(or_empty(log->text), &key);
    mp_sql_bind_text(s, 1, mp_query_type_word(log->type));
    mp_sql_bind_text(s, 2, log->text);
    mp_sql_bind_text(s, 3, key.p);
    mp_sql_bind_text(s, 4, log->image_url);
    sqlite3_bind_int64(s, 5, log->results);
    sqlite3_bind_int64(s, 6, log->time_ms);
    mp_sql_bind_text(s, 7, log->user_id);
    mp_sql_bind_text(s, 8, log->session_id);
    sqlite3_bind_int64(s, 9, log->project_id);
    sqlite3_bind_int64(s, 10, log->created_ms ? log->created_ms : now_ms);
    err = mp_sql_run(c, s, why);
    mp_buf_free(&key);
    return err;
}

mp_err mp_meta_add_search_logs(mp_meta *m, const mp_search_log *logs, size_t n, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    int64_t now_ms = mp_now_ms();
    for (size_t i = 0; !err && i < n; i++)
        err = add_one(c, &logs[i], now_ms, why);
    return mp_sql_end(m, err, why);
}

/* ---- listing ---- */

static bool take_text(sqlite3_stmt *s, int column, mp_arena *arena, const char **out)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    *out = mp_arena_strdup(arena, (mp_str){text, (size_t)sqlite3_column_bytes(s, column)});
    return *out != NULL;
}

static mp_query_type type_of(const char *word)
{
    int type = 0;
    while (type + 1 < MP_QUERY_TYPES && strcmp(mp_query_type_word((mp_query_type)type), word) != 0)
        type++;
    return (mp_query_type)type;
}

static mp_err read_log(sqlite3_stmt *s, mp_arena *arena, mp_search_log *out, mp_why *why)
{
    *out = (mp_search_log){.id = sqlite3_column_int64(s, 0),
                           .type = type_of((const char *)sqlite3_column_text(s, 1)),
                           .results = sqlite3_column_int64(s, 4),
                           .time_ms = sqlite3_column_int64(s, 5),
                           .project_id = sqlite3_column_int64(s, 8),
                           .created_ms = sqlite3_column_int64(s, 9)};
    if (take_text(s, 2, arena, &out->text) && take_text(s, 3, arena, &out->image_url) &&
        take_text(s, 6, arena, &out->user_id) && take_text(s, 7, arena, &out->session_id))
        return MP_OK;
    return mp_fail(why, MP_NOMEM, "no memory for the search logs");
}

static mp_err check_limit(size_t limit, mp_why *why)
{
    return limit && limit <= MOST_ROWS
               ? MP_OK
               : mp_fail(why, MP_INVALID, "limit: it must be between 1 and %d", MOST_ROWS);
}

mp_err mp_meta_list_search_logs(mp_meta *m, int64_t project_id, int64_t before, size_t limit,
                                mp_arena *arena, mp_search_log **out, size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT id, query_type, query_text, query_image_url, results_count, execution_time_ms, "
        "user_id, session_id, project_id, created_ms FROM search_log "
        "WHERE (?1 = 0 OR project_id = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3";
    conn *c;
    *out = NULL;
    *n = 0;
    mp_err err = check_limit(limit, why);
    if (err)
        return err;
    mp_search_log *rows = mp_arena_alloc(arena, limit * sizeof *rows);
    if (!rows)
        return mp_fail(why, MP_NOMEM, "no memory for the search logs");
    err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, project_id);
        sqlite3_bind_int64(s, 2, before);
        sqlite3_bind_int64(s, 3, (int64_t)limit);
    }
    while (s && !err && *n < limit && mp_sql_row(c, s, &err, why))
        err = read_log(s, arena, &rows[(*n)++], why);
    if (s)
        sqlite3_reset(s);
    mp_sql_release(m, c);
    if (err)
        *n = 0;
    else
        *out = rows;
    return err;
}

/* ---- the report ---- */

#define IN_REPORT "created_ms >= ?1 AND created_ms < ?2 AND (?3 = 0 OR project_id = ?3) "

static sqlite3_stmt *for_report(conn *c, const char *literal, const mp_search_report_options *opt,
                                mp_err *err, mp_why *why)
{
    sqlite3_stmt *s = mp_sql_get(c, literal, err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, opt->from_ms);
        sqlite3_bind_int64(s, 2, opt->to_ms);
        sqlite3_bind_int64(s, 3, opt->project_id);
    }
    return s;
}

static mp_err read_queries(conn *c, const char *literal, const mp_search_report_options *opt,
                           mp_arena *arena, const mp_query_figures **out, size_t *n, mp_why *why)
{
    mp_err err;
    mp_query_figures *rows = mp_arena_alloc(arena, opt->limit * sizeof *rows);
    if (!rows)
        return mp_fail(why, MP_NOMEM, "no memory for the report");
    sqlite3_stmt *s = for_report(c, literal, opt, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 4, (int64_t)opt->limit);
    while (!err && *n < opt->limit && mp_sql_row(c, s, &err, why)) {
        mp_query_figures *row = &rows[(*n)++];
        *row = (mp_query_figures){.count = (uint64_t)sqlite3_column_int64(s, 1),
                                  .mean_results = sqlite3_column_double(s, 2),
                                  .mean_ms = sqlite3_column_double(s, 3),
                                  .last_ms = sqlite3_column_int64(s, 4)};
        if (!take_text(s, 0, arena, &row->query))
            err = mp_fail(why, MP_NOMEM, "no memory for the report");
    }
    sqlite3_reset(s);
    *out = rows;
    return err;
}

static mp_err read_totals(conn *c, const mp_search_report_options *opt, mp_query_type type,
                          mp_query_totals *out, mp_why *why)
{
    static const char totals[] =
        "SELECT count(*), coalesce(sum(results_count = 0), 0), coalesce(avg(execution_time_ms), 0) "
        "FROM search_log WHERE " IN_REPORT "AND query_type = ?4";
    static const char ranked[] = "SELECT execution_time_ms FROM search_log WHERE " IN_REPORT
                                 "AND query_type = ?4 ORDER BY 1 LIMIT 1 OFFSET ?5";
    mp_err err;
    sqlite3_stmt *s = for_report(c, totals, opt, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 4, mp_query_type_word(type));
    if (mp_sql_row(c, s, &err, why))
        *out = (mp_query_totals){.count = (uint64_t)sqlite3_column_int64(s, 0),
                                 .empty = (uint64_t)sqlite3_column_int64(s, 1),
                                 .mean_ms = sqlite3_column_double(s, 2)};
    sqlite3_reset(s);
    if (err || !out->count)
        return err;
    s = for_report(c, ranked, opt, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 4, mp_query_type_word(type));
    sqlite3_bind_int64(s, 5, (int64_t)((out->count * 95 + 99) / 100) - 1);
    if (mp_sql_row(c, s, &err, why))
        out->p95_ms = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return err;
}

#define FIGURES                                                                                    \
    "SELECT query_key, count(*), avg(results_count), avg(execution_time_ms), max(created_ms) "     \
    "FROM search_log WHERE query_key <> '' AND " IN_REPORT
#define MOST_FIRST "GROUP BY query_key ORDER BY count(*) DESC, query_key LIMIT ?4"

static mp_err read_report(conn *c, const mp_search_report_options *opt, mp_arena *arena,
                          mp_search_report *out, mp_why *why)
{
    static const char top[] = FIGURES MOST_FIRST;
    static const char empty[] = FIGURES "AND results_count = 0 " MOST_FIRST;
    mp_err err = read_queries(c, top, opt, arena, &out->top, &out->n_top, why);
    if (!err)
        err = read_queries(c, empty, opt, arena, &out->empty, &out->n_empty, why);
    for (int type = 0; !err && type < MP_QUERY_TYPES; type++)
        err = read_totals(c, opt, (mp_query_type)type, &out->type[type], why);
    return err;
}

mp_err mp_meta_search_report(mp_meta *m, const mp_search_report_options *opt, mp_arena *arena,
                             mp_search_report *out, mp_why *why)
{
    conn *c;
    *out = (mp_search_report){0};
    mp_err err = check_limit(opt->limit, why);
    if (!err)
        err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    int code = sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL);
    err = code == SQLITE_OK ? read_report(c, opt, arena, out, why)
                            : mp_sql_fail(c->db, code, "read", why);
    sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    mp_sql_release(m, c);
    if (err)
        *out = (mp_search_report){0};
    return err;
}

/* ---- forgetting ---- */

mp_err mp_meta_prune_search_logs(mp_meta *m, int64_t before_ms, uint64_t *removed, mp_why *why)
{
    static const char sql[] = "DELETE FROM search_log WHERE id IN "
                              "(SELECT id FROM search_log WHERE created_ms < ?1 LIMIT ?2)";
    const int64_t args[] = {before_ms, PRUNE_STEP};
    int gone = PRUNE_STEP;
    mp_err err = MP_OK;
    if (removed)
        *removed = 0;
    while (!err && gone == PRUNE_STEP) {
        conn *c;
        err = mp_sql_begin(m, &c, why);
        if (err)
            return err;
        err = mp_sql_exec_ints(c, sql, args, 2, why);
        gone = err ? 0 : sqlite3_changes(c->db);
        err = mp_sql_end(m, err, why);
        if (!err && removed)
            *removed += (uint64_t)gone;
    }
    return err;
}
