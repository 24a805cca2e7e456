/* sqlite_schedule.c - jobs that come again and again. See jobs.h.
 *
 * A slot's job carries a key made of the schedule's name and the slot's time; it and the step to
 * the next slot are one transaction, so that a slot gives one job whoever fires, and whoever dies.
 */
#include "meta/sqlite_job.h"

#include <string.h>

enum {
    SCHEDULES_MAX = 1000,
    NAME_MAX_BYTES = 100 /* so that the slot's key has room for the time */
};

mp_err mp_meta_put_schedule(mp_meta *m, const mp_schedule *schedule, int64_t now_ms, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO schedule VALUES (?1, ?2, ?3, ?4, "
        "min(CASE ?5 WHEN 0 THEN ?6 ELSE ?5 END, ?6), ?7) ON CONFLICT (name) DO UPDATE SET "
        "type = excluded.type, params = excluded.params, every_s = excluded.every_s, next_ms = "
        "min(CASE ?5 WHEN 0 THEN next_ms ELSE ?5 END, ?6), enabled = excluded.enabled";
    conn *c;
    mp_err err = mp_sql_check_name(schedule->name, "the schedule's name", why);
    if (!err)
        err = mp_sql_check_name(schedule->type, "the schedule's type", why);
    if (!err && strlen(schedule->name) > NAME_MAX_BYTES)
        err =
            mp_fail(why, MP_INVALID, "the schedule's name has more than %d bytes", NAME_MAX_BYTES);
    if (!err && (schedule->every_s < 1 || schedule->every_s > 366 * 86400))
        err = mp_fail(why, MP_INVALID, "a schedule's interval is from a second to a year");
    if (err || (err = mp_sql_begin(m, &c, why)) != MP_OK)
        return err;
    err = mp_sql_check_json(c, mp_sql_json_or_empty(schedule->params), MP_JOB_TEXT_MAX,
                            "the schedule's parameters", why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, schedule->name);
        mp_sql_bind_text(s, 2, schedule->type);
        mp_sql_bind_text(s, 3, mp_sql_json_or_empty(schedule->params));
        sqlite3_bind_int64(s, 4, schedule->every_s);
        sqlite3_bind_int64(s, 5, schedule->next_ms);
        sqlite3_bind_int64(s, 6, now_ms + schedule->every_s * 1000);
        sqlite3_bind_int(s, 7, schedule->enabled);
        err = mp_sql_run(c, s, why);
    }
    return mp_sql_end(m, err, why);
}

static void take_schedule(sqlite3_stmt *s, mp_arena *arena, mp_schedule *out)
{
    *out = (mp_schedule){.name = mp_sql_text(s, 0, arena),
                         .type = mp_sql_text(s, 1, arena),
                         .params = mp_sql_text(s, 2, arena),
                         .every_s = sqlite3_column_int64(s, 3),
                         .next_ms = sqlite3_column_int64(s, 4),
                         .enabled = sqlite3_column_int(s, 5) != 0};
}

mp_err mp_meta_list_schedules(mp_meta *m, mp_arena *arena, mp_schedule **out, size_t *n,
                              mp_why *why)
{
    static const char sql[] = "SELECT name, type, params, every_s, next_ms, enabled FROM schedule "
                              "ORDER BY name LIMIT ?1";
    conn *c;
    *n = 0;
    *out = mp_arena_alloc(arena, SCHEDULES_MAX * sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for the schedules");
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, SCHEDULES_MAX);
    while (s && mp_sql_row(c, s, &err, why))
        take_schedule(s, arena, &(*out)[(*n)++]);
    *n = err ? 0 : *n;
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_drop_schedule(mp_meta *m, const char *name, mp_why *why)
{
    static const char sql[] = "DELETE FROM schedule WHERE name = ?1";
    int64_t dropped;
    mp_err err = mp_sql_write(m, sql, &dropped, why, "t", name);
    if (!err && !dropped)
        err = mp_fail(why, MP_NOT_FOUND, "there is no schedule %.60s", name);
    return err;
}

/* One whose time has come, or name NULL. */
static mp_err next_due(conn *c, int64_t now_ms, mp_arena *arena, mp_schedule *out, mp_why *why)
{
    static const char sql[] = "SELECT name, type, params, every_s, next_ms, enabled FROM schedule "
                              "WHERE enabled AND next_ms <= ?1 ORDER BY next_ms LIMIT 1";
    mp_err err;
    *out = (mp_schedule){0};
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, now_ms);
    if (s && mp_sql_row(c, s, &err, why)) {
        take_schedule(s, arena, out);
        sqlite3_reset(s);
    }
    return err;
}

static mp_err move_on(conn *c, const mp_schedule *schedule, int64_t now_ms, mp_why *why)
{
    static const char sql[] = "UPDATE schedule SET next_ms = ?2 WHERE name = ?1";
    int64_t every_ms = schedule->every_s * 1000;
    int64_t missed = (now_ms - schedule->next_ms) / every_ms;
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, schedule->name);
    sqlite3_bind_int64(s, 2, schedule->next_ms + (missed + 1) * every_ms);
    return mp_sql_run(c, s, why);
}

static mp_err fire(conn *c, const mp_schedule *schedule, int64_t now_ms, size_t *n, mp_why *why)
{
    mp_buf key = {0};
    bool existed;
    int64_t id;
    mp_buf_printf(&key, "%s@%lld", schedule->name, (long long)schedule->next_ms);
    mp_job job = {.type = schedule->type,
                  .params = schedule->params,
                  .run_at_ms = schedule->next_ms,
                  .created_ms = now_ms,
                  .key = key.p};
    mp_err err = mp_sql_add_job(c, &job, &id, &existed, why);
    if (err == MP_EXISTS) { /* the schedule was changed and set back to a slot that was fired */
        err = MP_OK;
        existed = true;
    }
    mp_buf_free(&key);
    *n += !err && !existed;
    return err ? err : move_on(c, schedule, now_ms, why);
}

static mp_err any_due(mp_meta *m, int64_t now_ms, mp_arena *arena, bool *any, mp_why *why)
{
    mp_schedule due;
    conn *c;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = next_due(c, now_ms, arena, &due, why);
    *any = due.name != NULL;
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_fire_schedules(mp_meta *m, int64_t now_ms, size_t *n, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    bool any = false;
    size_t fired = 0;
    conn *c;
    *n = 0;
    mp_err err = any_due(m, now_ms, arena, &any, why); /* a reader: idle costs no write */
    if (err || !any || (err = mp_sql_begin(m, &c, why)) != MP_OK)
        goto done;
    for (;;) {
        mp_schedule due;
        err = next_due(c, now_ms, arena, &due, why);
        if (err || !due.name)
            break;
        err = fire(c, &due, now_ms, &fired, why);
        if (err)
            break;
    }
    err = mp_sql_end(m, err, why);
    *n = err ? 0 : fired;
done:
    mp_arena_free(arena);
    return err;
}
