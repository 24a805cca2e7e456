/* sqlite_event.c - events, subscribers' cursors and daily figures. See events.h. */
#include "meta/sqlite_job.h"

#include "base/os.h"

#include <ctype.h>
#include <string.h>

/* ---- events ---- */

mp_err mp_sql_add_event(conn *c, const mp_event *event, mp_why *why)
{
    static const char sql[] = "INSERT INTO event (at_ms, type, project_id, user_id, subject, data) "
                              "VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6)";
    const char *data = mp_sql_json_or_empty(event->data);
    mp_err err = mp_sql_check_name(event->type, "the event's type", why);
    if (!err && event->subject && strlen(event->subject) > MP_EVENT_DATA_MAX)
        err =
            mp_fail(why, MP_TOO_BIG, "the event's subject: more than %d bytes", MP_EVENT_DATA_MAX);
    if (!err)
        err = mp_sql_check_json(c, data, MP_EVENT_DATA_MAX, "the event's data", why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, event->at_ms ? event->at_ms : mp_now_ms());
    mp_sql_bind_text(s, 2, event->type);
    sqlite3_bind_int64(s, 3, event->project_id);
    sqlite3_bind_int64(s, 4, event->user_id);
    mp_sql_bind_text(s, 5, event->subject);
    mp_sql_bind_text(s, 6, data);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_add_events(mp_meta *m, const mp_event *events, size_t n, mp_why *why)
{
    conn *c;
    if (n == 0)
        return MP_OK;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = mp_sql_add_event(c, &events[i], why);
    return mp_sql_end(m, err, why);
}

static void bind_projects(sqlite3_stmt *s, int at, const int64_t *projects, size_t n, mp_buf *text)
{
    if (!projects)
        return; /* NULL: all */
    mp_sql_id_list(projects, n, text);
    mp_sql_bind_text(s, at, text->p);
}

static mp_event event_of(sqlite3_stmt *s, mp_arena *arena)
{
    return (mp_event){.id = sqlite3_column_int64(s, 0),
                      .at_ms = sqlite3_column_int64(s, 1),
                      .type = mp_sql_text(s, 2, arena),
                      .project_id = sqlite3_column_int64(s, 3),
                      .user_id = sqlite3_column_int64(s, 4),
                      .subject = mp_sql_text(s, 5, arena),
                      .data = mp_sql_text(s, 6, arena)};
}

#define LIST_EVENTS                                                                                \
    "SELECT id, at_ms, type, coalesce(project_id, 0), user_id, subject, data FROM event "          \
    "WHERE id > ?1 AND id < ?2 AND (?3 IS NULL OR substr(type, 1, length(?3)) = ?3) AND "          \
    "(?4 IS NULL OR coalesce(project_id, 0) IN (SELECT value FROM json_each(?4))) "

mp_err mp_meta_list_events(mp_meta *m, const mp_event_query *q, mp_arena *arena, mp_event **out,
                           size_t *n, mp_why *why)
{
    static const char ascending[] = LIST_EVENTS "ORDER BY id LIMIT ?5";
    static const char descending[] = LIST_EVENTS "ORDER BY id DESC LIMIT ?5";
    size_t limit = MP_MIN(q->limit, MP_EVENT_PAGE_MAX);
    mp_buf projects = {0};
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu events", limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, q->newest_first ? descending : ascending, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, q->after);
        sqlite3_bind_int64(s, 2, q->before ? q->before : INT64_MAX);
        if (q->prefix)
            mp_sql_bind_text(s, 3, q->prefix);
        bind_projects(s, 4, q->projects, q->n_projects, &projects);
        sqlite3_bind_int64(s, 5, (int64_t)limit);
    }
    while (s && mp_sql_row(c, s, &err, why))
        (*out)[(*n)++] = event_of(s, arena);
    *n = err ? 0 : *n;
    mp_sql_release(m, c);
    mp_buf_free(&projects);
    return err;
}

/* One number of a statement whose only parameter may be a text. */
static mp_err read_number(mp_meta *m, const char *literal, const char *text, int64_t *out,
                          mp_why *why)
{
    conn *c;
    *out = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, literal, &err, why);
    if (s && text)
        mp_sql_bind_text(s, 1, text);
    if (s && mp_sql_row(c, s, &err, why)) {
        *out = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_last_event(mp_meta *m, int64_t *id, mp_why *why)
{
    static const char sql[] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
    return read_number(m, sql, NULL, id, why);
}

mp_err mp_meta_drop_events(mp_meta *m, int64_t before_ms, size_t limit, uint64_t *n, mp_why *why)
{
    static const char sql[] =
        "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at_ms < ?1 AND "
        "id <= coalesce((SELECT min(last_id) FROM subscriber), id) ORDER BY at_ms LIMIT ?2)";
    int64_t dropped, most = (int64_t)MP_MIN(limit, (size_t)INT32_MAX);
    mp_err err = mp_sql_write(m, sql, &dropped, why, "ii", before_ms, most);
    *n = (uint64_t)dropped;
    return err;
}

/* ---- subscribers ---- */

mp_err mp_meta_get_cursor(mp_meta *m, const char *subscriber, int64_t *last_id, mp_why *why)
{
    static const char sql[] = "SELECT last_id FROM subscriber WHERE name = ?1";
    return read_number(m, sql, subscriber, last_id, why);
}

static mp_err advance(conn *c, const char *subscriber, int64_t last_id, mp_why *why)
{
    static const char sql[] = "INSERT INTO subscriber VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE "
                              "SET last_id = max(last_id, excluded.last_id)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, subscriber);
    sqlite3_bind_int64(s, 2, last_id);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_advance_cursor(mp_meta *m, const char *subscriber, int64_t last_id, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_check_name(subscriber, "the subscriber's name", why);
    if (err || (err = mp_sql_begin(m, &c, why)) != MP_OK)
        return err;
    return mp_sql_end(m, advance(c, subscriber, last_id, why), why);
}

mp_err mp_meta_drop_cursor(mp_meta *m, const char *subscriber, mp_why *why)
{
    static const char sql[] = "DELETE FROM subscriber WHERE name = ?1";
    return mp_sql_write(m, sql, NULL, why, "t", subscriber);
}

/* ---- daily figures ---- */

static bool is_day(const char *day)
{
    static const char shape[] = "dddd-dd-dd";
    if (!day || strlen(day) != sizeof shape - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'd' ? !isdigit((unsigned char)day[i]) : day[i] != '-')
            return false;
    int month = (day[5] - '0') * 10 + day[6] - '0', date = (day[8] - '0') * 10 + day[9] - '0';
    return month >= 1 && month <= 12 && date >= 1 && date <= 31;
}

static mp_err add_rows(conn *c, const mp_daily *rows, size_t n, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO daily VALUES (?1, ?2, ?3, ?4) ON CONFLICT (day, project_id, name) "
        "DO UPDATE SET value = value + excluded.value";
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++) {
        if (!is_day(rows[i].day))
            return mp_fail(why, MP_INVALID, "%.20s is no day (YYYY-MM-DD)",
                           rows[i].day ? rows[i].day : "nothing");
        err = mp_sql_check_name(rows[i].name, "the figure's name", why);
        sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
        if (!s)
            break;
        mp_sql_bind_text(s, 1, rows[i].day);
        sqlite3_bind_int64(s, 2, rows[i].project_id);
        mp_sql_bind_text(s, 3, rows[i].name);
        sqlite3_bind_int64(s, 4, rows[i].value);
        err = mp_sql_run(c, s, why);
    }
    return err;
}

mp_err mp_meta_add_daily(mp_meta *m, const mp_daily *rows, size_t n, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    return mp_sql_end(m, add_rows(c, rows, n, why), why);
}

static mp_err still_at(conn *c, const char *subscriber, int64_t from_id, mp_why *why)
{
    static const char sql[] =
        "SELECT coalesce((SELECT last_id FROM subscriber WHERE name = ?1), 0) = ?2";
    bool same = false;
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, subscriber);
    sqlite3_bind_int64(s, 2, from_id);
    if (mp_sql_row(c, s, &err, why)) {
        same = sqlite3_column_int(s, 0) != 0;
        sqlite3_reset(s);
    }
    return err || same
               ? err
               : mp_fail(why, MP_EXISTS, "these events were counted already (%.60s)", subscriber);
}

mp_err mp_meta_count_events(mp_meta *m, const mp_tally *tally, mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_check_name(tally->subscriber, "the subscriber's name", why);
    if (!err && tally->to_id < tally->from_id)
        err = mp_fail(why, MP_INVALID, "a cursor never goes back");
    if (err || (err = mp_sql_begin(m, &c, why)) != MP_OK)
        return err;
    err = still_at(c, tally->subscriber, tally->from_id, why);
    if (!err)
        err = add_rows(c, tally->rows, tally->n, why);
    if (!err)
        err = advance(c, tally->subscriber, tally->to_id, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_audit_events(mp_meta *m, const char *subscriber, int64_t from_id, int64_t to_id,
                            mp_why *why)
{
    static const char sql[] =
        "INSERT INTO audit (at_ms, user_id, action, detail, address, request_id) "
        "SELECT at_ms, nullif(user_id, 0), type, 'subject ' || subject || ', project ' || "
        "coalesce(project_id, 0), '', 'event-' || id FROM event WHERE id > ?1 AND id <= ?2";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = still_at(c, subscriber, from_id, why);
    if (!err)
        err = mp_sql_do(c, sql, why, "ii", from_id, to_id);
    if (!err)
        err = advance(c, subscriber, to_id, why);
    return mp_sql_end(m, err, why);
}

/* Copies what was collected into the arena. */
static mp_err keep_rows(const mp_buf *rows, mp_arena *arena, mp_daily **out, size_t *n, mp_why *why)
{
    *out = mp_arena_alloc(arena, rows->n + 1);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the figures");
    if (rows->n)
        memcpy(*out, rows->p, rows->n);
    *n = rows->n / sizeof **out;
    return MP_OK;
}

mp_err mp_meta_list_daily(mp_meta *m, const mp_daily_query *q, mp_arena *arena, mp_daily **out,
                          size_t *n, mp_why *why)
{
    enum { MOST = 100000 };
    static const char sql[] =
        "SELECT day, project_id, name, value FROM daily WHERE day BETWEEN ?1 AND ?2 AND "
        "(?3 IS NULL OR name = ?3) AND (?4 IS NULL OR project_id IN (SELECT value FROM "
        "json_each(?4))) ORDER BY day, project_id, name LIMIT ?5";
    mp_buf rows = {0}, projects = {0};
    conn *c;
    *out = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, q->from);
        mp_sql_bind_text(s, 2, q->to);
        if (q->name)
            mp_sql_bind_text(s, 3, q->name);
        bind_projects(s, 4, q->projects, q->n_projects, &projects);
        sqlite3_bind_int64(s, 5, MOST + 1);
    }
    while (s && mp_sql_row(c, s, &err, why)) {
        mp_daily row = {mp_sql_text(s, 0, arena), sqlite3_column_int64(s, 1),
                        mp_sql_text(s, 2, arena), sqlite3_column_int64(s, 3)};
        mp_buf_add(&rows, &row, sizeof row);
    }
    mp_sql_release(m, c);
    if (!err && rows.n / sizeof **out > MOST)
        err = mp_fail(why, MP_TOO_BIG, "more than %d figures: ask for fewer days", MOST);
    if (!err)
        err = keep_rows(&rows, arena, out, n, why);
    mp_buf_free(&rows);
    mp_buf_free(&projects);
    return err;
}

/* ---- what happens to pictures ---- */

mp_err mp_meta_tell_changes(mp_meta *m, mp_why *why)
{
    mp_err err = mp_meta_set_setting(m, MP_EVENTS_SETTING, "on", why);
    if (!err) {
        pthread_mutex_lock(&m->writing);
        m->writer->events = true;
        pthread_mutex_unlock(&m->writing);
    }
    return err;
}

mp_err mp_sql_item_event(conn *c, int64_t id, const char *type, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO event (at_ms, type, project_id, user_id, subject, data) SELECT ?2, ?3, "
        "project_id, CASE WHEN ?3 = 'image.added' THEN coalesce(user_id, 0) ELSE 0 END, "
        "CAST(id AS TEXT), '{}' FROM asset WHERE id = ?1";
    return c->events ? mp_sql_do(c, sql, why, "iit", id, mp_now_ms(), type) : MP_OK;
}
