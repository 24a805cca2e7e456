/* sqlite_lease.c - who works on which job: taking, extending and ending leases. See jobs.h.
 *
 * Taking is one immediate transaction, so of all workers of all processes one gets a job. What is
 * asked most often, "is there anything?", is answered by a reader first: an idle worker never takes
 * the write lock. Every change of a lease names its owner in the WHERE, so that one who has lost it
 * changes nothing. */
#include "meta/sqlite_job.h"

#include <string.h>

typedef struct candidate {
    int64_t id, run_at_ms;
    int priority, max_attempts;
} candidate;

static bool better(const candidate *a, const candidate *b)
{
    if (!b->id || a->priority != b->priority)
        return !b->id || a->priority > b->priority;
    return a->run_at_ms != b->run_at_ms ? a->run_at_ms < b->run_at_ms : a->id < b->id;
}

/* Leases that ran out do not count: nobody works on those jobs. */
static mp_err limit_reached(conn *c, const mp_job_kind *kind, int64_t now_ms, bool *reached,
                            mp_why *why)
{
    static const char sql[] = "SELECT count(*) FROM job WHERE status = 'processing' AND type = ?1 "
                              "AND lease_until_ms > ?2";
    mp_err err;
    *reached = false;
    if (kind->limit <= 0)
        return MP_OK;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, kind->type);
    sqlite3_bind_int64(s, 2, now_ms);
    if (mp_sql_row(c, s, &err, why)) {
        *reached = sqlite3_column_int64(s, 0) >= kind->limit;
        sqlite3_reset(s);
    }
    return err;
}

static mp_err best_of_kind(conn *c, const mp_job_kind *kind, int64_t now_ms, candidate *best,
                           mp_why *why)
{
    static const char sql[] =
        "SELECT id, priority, run_at_ms FROM job WHERE status = 'queued' AND type = ?1 AND "
        "run_at_ms <= ?2 ORDER BY priority DESC, run_at_ms, id LIMIT 1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, kind->type);
    sqlite3_bind_int64(s, 2, now_ms);
    if (mp_sql_row(c, s, &err, why)) {
        candidate found = {.id = sqlite3_column_int64(s, 0),
                           .priority = sqlite3_column_int(s, 1),
                           .run_at_ms = sqlite3_column_int64(s, 2),
                           .max_attempts =
                               kind->max_attempts > 0 ? kind->max_attempts : MP_JOB_ATTEMPTS};
        sqlite3_reset(s);
        if (better(&found, best))
            *best = found;
    }
    return err;
}

/* best->id 0: nothing is due. */
static mp_err choose(conn *c, const mp_job_ask *ask, candidate *best, mp_why *why)
{
    mp_err err = MP_OK;
    *best = (candidate){0};
    for (size_t i = 0; !err && i < ask->n_kinds; i++) {
        bool reached;
        err = limit_reached(c, &ask->kinds[i], ask->now_ms, &reached, why);
        if (!err && !reached)
            err = best_of_kind(c, &ask->kinds[i], ask->now_ms, best, why);
    }
    return err;
}

static mp_err any_lost(conn *c, int64_t now_ms, bool *lost, mp_why *why)
{
    static const char sql[] = "SELECT EXISTS (SELECT 1 FROM job WHERE status = 'processing' AND "
                              "lease_until_ms <= ?1)";
    mp_err err;
    *lost = false;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, now_ms);
    if (s && mp_sql_row(c, s, &err, why)) {
        *lost = sqlite3_column_int(s, 0) != 0;
        sqlite3_reset(s);
    }
    return err;
}

/* Jobs of any kind whose worker is gone: so dead letters show even where nobody has a handler. */
static mp_err sweep(conn *c, int64_t now_ms, mp_why *why)
{
    static const char note[] =
        "INSERT INTO job_log (job_id, at_ms, level, text) "
        "SELECT id, ?1, 'warn', 'the worker ' || lease_owner || ' was lost in attempt ' || "
        "attempts FROM job WHERE status = 'processing' AND lease_until_ms <= ?1";
    static const char requeue[] =
        "UPDATE job SET lease_owner = '', lease_until_ms = 0, "
        "status = CASE WHEN cancel_requested THEN 'cancelled' "
        "WHEN attempts >= max_attempts THEN 'dead' ELSE 'queued' END, "
        "finished_ms = CASE WHEN cancel_requested OR attempts >= max_attempts THEN ?1 ELSE 0 END, "
        "error = CASE WHEN cancel_requested THEN error ELSE 'the worker was lost' END "
        "WHERE status = 'processing' AND lease_until_ms <= ?1";
    mp_err err = mp_sql_exec_ints(c, note, &now_ms, 1, why);
    return err ? err : mp_sql_exec_ints(c, requeue, &now_ms, 1, why);
}

/* Whether a lease could be had now; on a reader. */
static mp_err look(mp_meta *m, const mp_job_ask *ask, bool *any, mp_why *why)
{
    candidate best = {0};
    conn *c;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = any_lost(c, ask->now_ms, any, why);
    if (!err && !*any)
        err = choose(c, ask, &best, why);
    *any = *any || best.id != 0;
    mp_sql_release(m, c);
    return err;
}

static mp_err take(conn *c, const mp_job_ask *ask, const candidate *best, mp_why *why)
{
    static const char sql[] =
        "UPDATE job SET status = 'processing', attempts = attempts + 1, lease_owner = ?2, "
        "lease_until_ms = ?3, started_ms = ?4, progress_done = 0, progress_total = 0, "
        "max_attempts = CASE max_attempts WHEN 0 THEN ?5 ELSE max_attempts END WHERE id = ?1";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, best->id);
    mp_sql_bind_text(s, 2, ask->owner);
    sqlite3_bind_int64(s, 3, ask->now_ms + ask->lease_ms);
    sqlite3_bind_int64(s, 4, ask->now_ms);
    sqlite3_bind_int(s, 5, best->max_attempts);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_lease_job(mp_meta *m, const mp_job_ask *ask, mp_arena *arena, mp_job *out,
                         mp_why *why)
{
    bool any = false;
    candidate best = {0};
    conn *c;
    *out = (mp_job){0};
    mp_err err = mp_sql_check_name(ask->owner, "the worker's name", why);
    if (!err && ask->lease_ms <= 0)
        err = mp_fail(why, MP_INVALID, "a lease must last");
    if (!err)
        err = look(m, ask, &any, why);
    if (err || !any)
        return err;
    err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = sweep(c, ask->now_ms, why);
    if (!err)
        err = choose(c, ask, &best, why);
    if (!err && best.id)
        err = take(c, ask, &best, why);
    if (!err && best.id)
        err = mp_sql_find_job(c, best.id, arena, out, why);
    err = mp_sql_end(m, err, why);
    if (err)
        *out = (mp_job){0};
    return err;
}

static mp_err lost(int64_t id, mp_why *why)
{
    return mp_fail(why, MP_NOT_FOUND, "the lease of job %lld is lost", (long long)id);
}

mp_err mp_meta_beat_job(mp_meta *m, const mp_job_beat *beat, bool *cancel, mp_why *why)
{
    static const char sql[] =
        "UPDATE job SET lease_until_ms = max(lease_until_ms, ?3), progress_done = ?4, "
        "progress_total = ?5 WHERE id = ?1 AND status = 'processing' AND lease_owner = ?2 "
        "RETURNING cancel_requested";
    bool held = false, asked = false;
    conn *c;
    *cancel = false;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, beat->job_id);
        mp_sql_bind_text(s, 2, beat->owner);
        sqlite3_bind_int64(s, 3, beat->lease_until_ms);
        sqlite3_bind_int64(s, 4, beat->done);
        sqlite3_bind_int64(s, 5, beat->total);
        while (mp_sql_row(c, s, &err, why)) {
            held = true;
            asked = sqlite3_column_int(s, 0) != 0;
        }
    }
    if (!err && !held)
        err = lost(beat->job_id, why);
    err = mp_sql_end(m, err, why);
    *cancel = !err && asked;
    return err;
}

/* ?1 id, ?2 owner, ?3 text, ?4 now, ?5 when to try again. */
#define END_LEASE(set)                                                                             \
    "UPDATE job SET lease_owner = '', lease_until_ms = 0, " set                                    \
    " WHERE id = ?1 AND status = 'processing' AND lease_owner = ?2"

static const char done_sql[] =
    END_LEASE("status = 'completed', result = ?3, error = '', finished_ms = ?4, "
              "progress_done = max(progress_done, progress_total)");
static const char retry_sql[] =
    END_LEASE("status = CASE WHEN cancel_requested THEN 'cancelled' "
              "WHEN attempts >= max_attempts THEN 'dead' ELSE 'queued' END, "
              "finished_ms = CASE WHEN cancel_requested OR attempts >= max_attempts "
              "THEN ?4 ELSE 0 END, error = substr(?3, 1, 4000), run_at_ms = ?5");
static const char fail_sql[] =
    END_LEASE("status = 'failed', error = substr(?3, 1, 4000), finished_ms = ?4");
static const char stop_sql[] = END_LEASE("status = 'cancelled', finished_ms = ?4");
static const char give_back_sql[] =
    END_LEASE("status = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, "
              "finished_ms = CASE WHEN cancel_requested THEN ?4 ELSE 0 END, "
              "attempts = attempts - 1");

static const char *const end_sql[] = {
    [MP_JOB_DONE] = done_sql, [MP_JOB_RETRY] = retry_sql,         [MP_JOB_FAIL] = fail_sql,
    [MP_JOB_STOP] = stop_sql, [MP_JOB_GIVE_BACK] = give_back_sql,
};

/* "job.completed", "job.failed", ...; nothing for one that is queued again. */
static mp_err tell_end(conn *c, int64_t id, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO event (at_ms, type, project_id, user_id, subject, data) SELECT ?2, "
        "'job.' || status, project_id, user_id, CAST(id AS TEXT), json_object('type', type) "
        "FROM job WHERE id = ?1 AND status NOT IN ('queued', 'processing')";
    return mp_sql_do(c, sql, why, "ii", id, now_ms);
}

static mp_err end_lease(conn *c, const mp_job_end *end, mp_why *why)
{
    mp_err err = MP_OK;
    if (end->outcome == MP_JOB_DONE && end->text && *end->text)
        err = mp_sql_check_json(c, end->text, MP_JOB_TEXT_MAX, "the job's result", why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, end_sql[end->outcome], &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, end->job_id);
    mp_sql_bind_text(s, 2, end->owner);
    mp_sql_bind_text(s, 3, end->text);
    sqlite3_bind_int64(s, 4, end->now_ms);
    if (end->outcome == MP_JOB_RETRY)
        sqlite3_bind_int64(s, 5, end->retry_ms);
    err = mp_sql_run(c, s, why);
    if (!err && sqlite3_changes(c->db) == 0)
        err = lost(end->job_id, why);
    return err || !c->events ? err : tell_end(c, end->job_id, end->now_ms, why);
}

mp_err mp_meta_end_job(mp_meta *m, const mp_job_end *end, mp_why *why)
{
    conn *c;
    if (end->outcome < MP_JOB_DONE || end->outcome > MP_JOB_GIVE_BACK)
        return mp_fail(why, MP_INVALID, "%d is no outcome of a job", (int)end->outcome);
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    return mp_sql_end(m, end_lease(c, end, why), why);
}
