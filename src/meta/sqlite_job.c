/* sqlite_job.c - jobs as people see them: adding, listing, cancelling, replaying, logs. Leases are
 * in sqlite_lease.c. See jobs.h. */
#include "meta/sqlite_job.h"

#include "base/os.h"

#include <string.h>

/* ---- checks ---- */

mp_err mp_sql_check_name(const char *text, const char *what, mp_why *why)
{
    if (!text || !*text)
        return mp_fail(why, MP_INVALID, "%s is missing", what);
    if (strlen(text) > MP_JOB_NAME_MAX)
        return mp_fail(why, MP_INVALID, "%s has more than %d bytes", what, MP_JOB_NAME_MAX);
    return MP_OK;
}

mp_err mp_sql_check_json(conn *c, const char *text, size_t most, const char *what, mp_why *why)
{
    static const char sql[] = "SELECT json_valid(?1)";
    mp_err err = MP_OK;
    if (strlen(text) > most)
        return mp_fail(why, MP_TOO_BIG, "%s: more than %zu bytes", what, most);
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, text);
    if (mp_sql_row(c, s, &err, why)) {
        bool valid = sqlite3_column_int(s, 0) != 0;
        sqlite3_reset(s);
        if (!valid)
            err = mp_fail(why, MP_INVALID, "%s: not JSON: %.60s", what, text);
    }
    return err;
}

const char *mp_sql_json_or_empty(const char *text)
{
    return text && *text ? text : "{}";
}

void mp_sql_id_list(const int64_t *ids, size_t n, mp_buf *out)
{
    mp_buf_str(out, "[");
    for (size_t i = 0; i < n; i++)
        mp_buf_printf(out, "%s%lld", i ? "," : "", (long long)ids[i]);
    mp_buf_str(out, "]");
}

/* ---- adding ---- */

/* Gives the job that has this user's key, or *id 0. */
static mp_err find_key(conn *c, const mp_job *job, int64_t *id, mp_why *why)
{
    static const char sql[] = "SELECT id, type = ?3 AND params = ?4 FROM job "
                              "WHERE user_id = ?1 AND idempotency_key = ?2";
    mp_err err;
    *id = 0;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, job->user_id);
    mp_sql_bind_text(s, 2, job->key);
    mp_sql_bind_text(s, 3, job->type);
    mp_sql_bind_text(s, 4, mp_sql_json_or_empty(job->params));
    if (mp_sql_row(c, s, &err, why)) {
        int64_t found = sqlite3_column_int64(s, 0);
        bool same = sqlite3_column_int(s, 1) != 0;
        sqlite3_reset(s);
        if (!same)
            return mp_fail(why, MP_EXISTS, "the key %.60s was used for another job (%lld)",
                           job->key, (long long)found);
        *id = found;
    }
    return err;
}

static mp_err insert_job(conn *c, const mp_job *job, int64_t *id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO job (project_id, user_id, type, status, priority, params, max_attempts, "
        "run_at_ms, created_ms, idempotency_key) "
        "VALUES (nullif(?1, 0), ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, nullif(?9, ''))";
    mp_err err;
    int64_t created_ms = job->created_ms ? job->created_ms : mp_now_ms();
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, job->project_id);
    sqlite3_bind_int64(s, 2, job->user_id);
    mp_sql_bind_text(s, 3, job->type);
    sqlite3_bind_int(s, 4, job->priority);
    mp_sql_bind_text(s, 5, mp_sql_json_or_empty(job->params));
    sqlite3_bind_int(s, 6, job->max_attempts);
    sqlite3_bind_int64(s, 7, job->run_at_ms ? job->run_at_ms : created_ms);
    sqlite3_bind_int64(s, 8, created_ms);
    mp_sql_bind_text(s, 9, job->key);
    err = mp_sql_run(c, s, why);
    *id = err ? 0 : sqlite3_last_insert_rowid(c->db);
    return err;
}

mp_err mp_sql_add_job(conn *c, const mp_job *job, int64_t *id, bool *existed, mp_why *why)
{
    *id = 0;
    *existed = false;
    mp_err err = mp_sql_check_name(job->type, "the job's type", why);
    if (!err && job->key && *job->key)
        err = mp_sql_check_name(job->key, "the idempotency key", why);
    if (!err && (job->max_attempts < 0 || job->project_id < 0 || job->user_id < 0))
        err = mp_fail(why, MP_INVALID, "a job's numbers cannot be negative");
    if (!err)
        err = mp_sql_check_json(c, mp_sql_json_or_empty(job->params), MP_JOB_TEXT_MAX,
                                "the job's parameters", why);
    if (!err && job->key && *job->key)
        err = find_key(c, job, id, why);
    if (err || *id) {
        *existed = !err;
        return err;
    }
    return insert_job(c, job, id, why);
}

mp_err mp_meta_add_job(mp_meta *m, const mp_job *job, int64_t *id, bool *existed, mp_why *why)
{
    bool unused;
    conn *c;
    existed = existed ? existed : &unused;
    *id = 0;
    *existed = false;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_end(m, mp_sql_add_job(c, job, id, existed, why), why);
    if (err) {
        *id = 0;
        *existed = false;
    }
    return err;
}

/* ---- reading ---- */

void mp_sql_take_job(sqlite3_stmt *s, mp_arena *arena, mp_job *out)
{
    *out = (mp_job){.id = sqlite3_column_int64(s, 0),
                    .project_id = sqlite3_column_int64(s, 1),
                    .user_id = sqlite3_column_int64(s, 2),
                    .type = mp_sql_text(s, 3, arena),
                    .status = mp_job_status_of((const char *)sqlite3_column_text(s, 4)),
                    .priority = sqlite3_column_int(s, 5),
                    .params = mp_sql_text(s, 6, arena),
                    .result = mp_sql_text(s, 7, arena),
                    .error = mp_sql_text(s, 8, arena),
                    .attempts = sqlite3_column_int(s, 9),
                    .max_attempts = sqlite3_column_int(s, 10),
                    .run_at_ms = sqlite3_column_int64(s, 11),
                    .lease_owner = mp_sql_text(s, 12, arena),
                    .lease_until_ms = sqlite3_column_int64(s, 13),
                    .progress_done = sqlite3_column_int64(s, 14),
                    .progress_total = sqlite3_column_int64(s, 15),
                    .created_ms = sqlite3_column_int64(s, 16),
                    .started_ms = sqlite3_column_int64(s, 17),
                    .finished_ms = sqlite3_column_int64(s, 18),
                    .cancel_requested = sqlite3_column_int(s, 19) != 0,
                    .key = mp_sql_text(s, 20, arena)};
}

mp_err mp_sql_find_job(conn *c, int64_t id, mp_arena *arena, mp_job *out, mp_why *why)
{
    static const char sql[] = MP_JOB_COLUMNS "WHERE id = ?1";
    mp_err err;
    *out = (mp_job){0};
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    if (mp_sql_row(c, s, &err, why)) {
        mp_sql_take_job(s, arena, out);
        sqlite3_reset(s);
        if (!*out->params) { /* never empty in the store: the arena is */
            *out = (mp_job){0};
            err = mp_fail(why, MP_NOMEM, "no memory for job %lld", (long long)id);
        }
    }
    return err;
}

mp_err mp_meta_get_job(mp_meta *m, int64_t id, mp_arena *arena, mp_job *out, mp_why *why)
{
    conn *c;
    *out = (mp_job){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_find_job(c, id, arena, out, why);
    mp_sql_release(m, c);
    if (!err && !out->id)
        err = mp_fail(why, MP_NOT_FOUND, "there is no job %lld", (long long)id);
    return err;
}

/* One literal for each combination, so that an index can serve it. */
#define LIST_JOBS(where)                                                                           \
    MP_JOB_COLUMNS "WHERE " where "(?3 = 0 OR id < ?3) AND (?4 IS NULL OR coalesce(project_id, "   \
                   "0) IN (SELECT value FROM json_each(?4))) ORDER BY id DESC LIMIT ?5"

static sqlite3_stmt *list_statement(conn *c, const mp_job_query *q, mp_err *err, mp_why *why)
{
    static const char all[] = LIST_JOBS("");
    static const char of_status[] = LIST_JOBS("status = ?1 AND ");
    static const char of_type[] = LIST_JOBS("type = ?2 AND ");
    static const char of_both[] = LIST_JOBS("status = ?1 AND type = ?2 AND ");
    const char *sql = q->status ? (q->type ? of_both : of_status) : (q->type ? of_type : all);
    sqlite3_stmt *s = mp_sql_get(c, sql, err, why);
    if (s && q->status)
        mp_sql_bind_text(s, 1, mp_job_status_word(q->status));
    if (s && q->type)
        mp_sql_bind_text(s, 2, q->type);
    return s;
}

mp_err mp_meta_list_jobs(mp_meta *m, const mp_job_query *q, mp_arena *arena, mp_job **out,
                         size_t *n, mp_why *why)
{
    size_t limit = MP_MIN(q->limit, MP_JOB_PAGE_MAX);
    mp_buf projects = {0};
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu jobs", limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = list_statement(c, q, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 3, q->before);
        if (q->projects) {
            mp_sql_id_list(q->projects, q->n_projects, &projects);
            mp_sql_bind_text(s, 4, projects.p);
        }
        sqlite3_bind_int64(s, 5, (int64_t)limit);
    }
    while (s && mp_sql_row(c, s, &err, why))
        mp_sql_take_job(s, arena, &(*out)[(*n)++]);
    *n = err ? 0 : *n;
    mp_sql_release(m, c);
    mp_buf_free(&projects);
    return err;
}

mp_err mp_meta_count_jobs(mp_meta *m, mp_arena *arena, mp_job_count **out, size_t *n, mp_why *why)
{
    static const char sql[] = "SELECT type, status, count(*) FROM job GROUP BY status, type "
                              "ORDER BY type, status LIMIT 1000";
    enum { MOST = 1000 };
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, MOST * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the figures");
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] =
            (mp_job_count){.type = mp_sql_text(s, 0, arena),
                           .status = mp_job_status_of((const char *)sqlite3_column_text(s, 1)),
                           .n = (uint64_t)sqlite3_column_int64(s, 2)};
    *n = err ? 0 : *n;
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_oldest_job(mp_meta *m, int64_t now_ms, int64_t *age_ms, mp_why *why)
{
    static const char sql[] =
        "SELECT coalesce(max(?1 - min(run_at_ms), 0), 0) FROM job WHERE status = 'queued'";
    conn *c;
    *age_ms = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, now_ms);
    if (s && mp_sql_row(c, s, &err, why)) {
        *age_ms = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

/* ---- cancelling and replaying ---- */

/* Runs `literal` (?1 id, ?2 now), which changes the job when its state allows; `verb` is what the
 * words say that the state forbids. */
static mp_err change_job(mp_meta *m, const char *literal, int64_t id, int64_t now_ms,
                         const char *verb, mp_why *why)
{
    static const char state[] = "SELECT status FROM job WHERE id = ?1";
    mp_err err;
    conn *c;
    if ((err = mp_sql_begin(m, &c, why)) != MP_OK)
        return err;
    err = mp_sql_exec_ints(c, literal, (int64_t[]){id, now_ms}, 2, why);
    if (!err && sqlite3_changes(c->db) == 0) {
        sqlite3_stmt *s = mp_sql_get(c, state, &err, why);
        if (s)
            sqlite3_bind_int64(s, 1, id);
        if (s && mp_sql_row(c, s, &err, why)) {
            err = mp_fail(why, MP_EXISTS, "job %lld cannot be %s: it is %s", (long long)id, verb,
                          (const char *)sqlite3_column_text(s, 0));
            sqlite3_reset(s);
        } else if (!err) {
            err = mp_fail(why, MP_NOT_FOUND, "there is no job %lld", (long long)id);
        }
    }
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_cancel_job(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "UPDATE job SET cancel_requested = 1, "
        "finished_ms = CASE status WHEN 'queued' THEN ?2 ELSE finished_ms END, "
        "status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END "
        "WHERE id = ?1 AND status IN ('queued', 'processing', 'cancelled')";
    return change_job(m, sql, id, now_ms, "cancelled", why);
}

#define REPLAY                                                                                     \
    "UPDATE job SET status = 'queued', attempts = 0, result = '', error = '', run_at_ms = ?2, "    \
    "progress_done = 0, progress_total = 0, cancel_requested = 0, finished_ms = 0 WHERE "

mp_err mp_meta_retry_job(mp_meta *m, int64_t id, int64_t now_ms, mp_why *why)
{
    static const char sql[] = REPLAY "id = ?1 AND status IN ('failed', 'cancelled', 'dead')";
    return change_job(m, sql, id, now_ms, "tried again", why);
}

mp_err mp_meta_replay_jobs(mp_meta *m, const char *type, int64_t now_ms, uint64_t *n, mp_why *why)
{
    static const char sql[] = REPLAY "status = 'dead' AND (?1 IS NULL OR type = ?1)";
    conn *c;
    *n = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        if (type)
            mp_sql_bind_text(s, 1, type);
        sqlite3_bind_int64(s, 2, now_ms);
        err = mp_sql_run(c, s, why);
    }
    uint64_t changed = err ? 0 : (uint64_t)sqlite3_changes(c->db);
    err = mp_sql_end(m, err, why);
    *n = err ? 0 : changed;
    return err;
}

mp_err mp_meta_drop_jobs(mp_meta *m, int64_t before_ms, size_t limit, uint64_t *n, mp_why *why)
{
    static const char sql[] =
        "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished_ms > 0 AND "
        "finished_ms < ?1 ORDER BY finished_ms LIMIT ?2)";
    int64_t dropped, most = (int64_t)MP_MIN(limit, (size_t)INT32_MAX);
    mp_err err = mp_sql_write(m, sql, &dropped, why, "ii", before_ms, most);
    *n = (uint64_t)dropped;
    return err;
}

/* ---- logs ---- */

static mp_err insert_line(conn *c, const mp_job_line *line, mp_why *why)
{
    static const char sql[] = "INSERT INTO job_log (job_id, at_ms, level, text) SELECT id, ?2, ?3, "
                              "substr(?4, 1, 4000) FROM job WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, line->job_id);
    sqlite3_bind_int64(s, 2, line->at_ms ? line->at_ms : mp_now_ms());
    mp_sql_bind_text(s, 3, line->level);
    mp_sql_bind_text(s, 4, line->text);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no job %lld", (long long)line->job_id);
    return err;
}

mp_err mp_meta_log_job(mp_meta *m, const mp_job_line *line, mp_why *why)
{
    static const char trim[] =
        "DELETE FROM job_log WHERE job_id = ?1 AND id <= (SELECT id FROM job_log "
        "WHERE job_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    bool known = false;
    conn *c;
    for (size_t i = 0; line->level && i < MP_COUNT(levels); i++)
        known |= strcmp(levels[i], line->level) == 0;
    if (!known)
        return mp_fail(why, MP_INVALID, "a line of a job's log is error, warn, info or debug");
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = insert_line(c, line, why);
    if (!err)
        err = mp_sql_exec_ints(c, trim, (int64_t[]){line->job_id, MP_JOB_LOG_MAX}, 2, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_list_job_log(mp_meta *m, int64_t job_id, int64_t after, size_t limit,
                            mp_arena *arena, mp_job_line **out, size_t *n, mp_why *why)
{
    static const char sql[] = "SELECT id, job_id, at_ms, level, text FROM job_log "
                              "WHERE job_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    conn *c;
    limit = MP_MIN(limit, MP_JOB_PAGE_MAX);
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu lines", limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, job_id);
        sqlite3_bind_int64(s, 2, after);
        sqlite3_bind_int64(s, 3, (int64_t)limit);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = (mp_job_line){.id = sqlite3_column_int64(s, 0),
                                       .job_id = sqlite3_column_int64(s, 1),
                                       .at_ms = sqlite3_column_int64(s, 2),
                                       .level = mp_sql_text(s, 3, arena),
                                       .text = mp_sql_text(s, 4, arena)};
    *n = err ? 0 : *n;
    mp_sql_release(m, c);
    return err;
}
