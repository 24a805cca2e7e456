/* sqlite_job.h - what the files of jobs and events share; inside the SQLite back end. */
#ifndef MP_SQLITE_JOB_H
#define MP_SQLITE_JOB_H

#include "meta/events.h"
#include "meta/jobs.h"
#include "meta/sqlite.h"

#define MP_JOB_COLUMNS                                                                             \
    "SELECT id, coalesce(project_id, 0), user_id, type, status, priority, params, result, error, " \
    "attempts, max_attempts, run_at_ms, lease_owner, lease_until_ms, progress_done, "              \
    "progress_total, created_ms, started_ms, finished_ms, cancel_requested, "                      \
    "coalesce(idempotency_key, '') FROM job "

/* The row under a statement of MP_JOB_COLUMNS; strings in `arena`. */
void mp_sql_take_job(sqlite3_stmt *s, mp_arena *arena, mp_job *out);
/* The job of this id on this connection; out->id 0 when there is none. */
MP_CHECK mp_err mp_sql_find_job(conn *c, int64_t id, mp_arena *arena, mp_job *out, mp_why *why);
/* mp_meta_add_job inside a transaction of the writer. */
MP_CHECK mp_err mp_sql_add_job(conn *c, const mp_job *job, int64_t *id, bool *existed, mp_why *why);
/* mp_meta_add_events for one, inside a transaction of the writer: an event that belongs to a change
 * is there exactly when the change is. */
MP_CHECK mp_err mp_sql_add_event(conn *c, const mp_event *event, mp_why *why);

/* INVALID unless the text is JSON, TOO_BIG beyond `most` bytes; `what` names it in the words. */
MP_CHECK mp_err mp_sql_check_json(conn *c, const char *text, size_t most, const char *what,
                                  mp_why *why);
/* INVALID when it is missing, empty or longer than MP_JOB_NAME_MAX. */
MP_CHECK mp_err mp_sql_check_name(const char *text, const char *what, mp_why *why);
/* "{}" for nothing. */
const char *mp_sql_json_or_empty(const char *text);
/* Ids as a JSON array for `IN (SELECT value FROM json_each(?))`; caller frees. */
void mp_sql_id_list(const int64_t *ids, size_t n, mp_buf *out);

#endif
