/* sqlite_plan.c - verdicts, and the journal of duplicates plans. */
#include "meta/sqlite.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

/* ---- verdicts ---- */

/* Kinds of one topic replace each other: magpie_verdict_kind 1, 2 are about a pair, 3, 4 about an
 * item, 5 is a note. */
static const char *topic_of(int kind)
{
    return kind <= 2 ? "pair" : kind <= 4 ? "item" : "note";
}

mp_err mp_meta_set_verdict(mp_meta *m, const mp_verdict *v, mp_why *why)
{
    static const char drop[] = "DELETE FROM verdict WHERE topic = ?1 AND a = ?2 AND b IS ?3 "
                               "AND topic <> 'note'";
    static const char add[] = "INSERT INTO verdict (topic, a, b, kind, note, at_ms) "
                              "SELECT ?1, ?2, ?3, ?4, ?5, ?6";
    static const char *const steps[] = {drop, add};
    static const char exists[] = "SELECT count(*) FROM asset WHERE id IN (?1, ?2) AND "
                                 "type = 'image'";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, exists, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, v->a);
        sqlite3_bind_int64(s, 2, v->b ? v->b : v->a);
        if (mp_sql_row(c, s, &err, why) && sqlite3_column_int(s, 0) < (v->b ? 2 : 1))
            err = mp_fail(why, MP_NOT_FOUND, "there is no #%lld or #%lld", (long long)v->a,
                          (long long)v->b);
        sqlite3_reset(s);
    }
    for (size_t i = 0; !err && i < MP_COUNT(steps); i++) {
        s = mp_sql_get(c, steps[i], &err, why);
        if (!s)
            break;
        mp_sql_bind_text(s, 1, topic_of(v->kind));
        sqlite3_bind_int64(s, 2, v->a);
        if (v->b)
            sqlite3_bind_int64(s, 3, v->b);
        sqlite3_bind_int(s, 4, v->kind);
        mp_sql_bind_text(s, 5, v->note);
        sqlite3_bind_int64(s, 6, v->at_ms);
        err = mp_sql_run(c, s, why);
    }
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_clear_verdict(mp_meta *m, int64_t a, int64_t b, mp_why *why)
{
    static const char drop[] = "DELETE FROM verdict WHERE topic = ?1 AND a = ?2 AND b IS ?3";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, drop, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, b ? "pair" : "item");
        sqlite3_bind_int64(s, 2, a);
        if (b)
            sqlite3_bind_int64(s, 3, b);
        err = mp_sql_run(c, s, why);
    }
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no verdict to take back");
    if (!err)
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_list_verdicts(mp_meta *m, mp_arena *arena, mp_verdict **out, size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT kind, a, coalesce(b, 0), note, at_ms FROM verdict ORDER BY id";
    conn *c;
    size_t count = 0, cap = 0;
    mp_verdict *list = NULL;
    *out = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    while (s && mp_sql_row(c, s, &err, why)) {
        if (count == cap) {
            cap = cap ? cap * 2 : 64;
            list = mp_xrealloc(list, cap * sizeof *list);
        }
        list[count++] = (mp_verdict){.kind = sqlite3_column_int(s, 0),
                                     .a = sqlite3_column_int64(s, 1),
                                     .b = sqlite3_column_int64(s, 2),
                                     .note = mp_sql_text(s, 3, arena),
                                     .at_ms = sqlite3_column_int64(s, 4)};
    }
    mp_sql_release(m, c);
    mp_verdict *kept = err ? NULL : mp_arena_alloc(arena, count * sizeof *kept);
    if (kept && count)
        memcpy(kept, list, count * sizeof *kept);
    free(list);
    *out = kept;
    *n = kept ? count : 0;
    return err;
}

/* ---- plans ---- */

static mp_err insert_plan(conn *c, mp_plan_state state, const char *json, int64_t user_id,
                          int64_t *id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO plan (state, json, at_ms, user_id) VALUES (?1, ?2, ?3, ?4)";
    mp_err err = mp_sql_do(c, sql, why, "itiz", (int64_t)state, json, mp_now_ms(), user_id);
    *id = err ? 0 : sqlite3_last_insert_rowid(c->db);
    return err;
}

/* Of two who apply one draft, one changes its state. */
static mp_err open_draft(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] = "UPDATE plan SET state = 1, at_ms = ?2 WHERE id = ?1 AND state = 0";
    mp_err err = mp_sql_do(c, sql, why, "ii", id, mp_now_ms());
    if (!err && sqlite3_changes(c->db) == 0)
        err = mp_fail(why, MP_NOT_FOUND, "there is no such draft");
    return err;
}

static mp_err insert_step(conn *c, int64_t plan_id, size_t number, const mp_plan_step *step,
                          mp_why *why)
{
    static const char sql[] = "INSERT INTO plan_step (plan_id, number, asset_id, keep_id, "
                              "from_path, to_path, merged, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                              "?7, ?8)";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, plan_id);
    sqlite3_bind_int64(s, 2, (int64_t)number);
    sqlite3_bind_int64(s, 3, step->item_id);
    sqlite3_bind_int64(s, 4, step->keep_id);
    mp_sql_bind_text(s, 5, step->from);
    mp_sql_bind_text(s, 6, step->to);
    mp_sql_bind_text(s, 7, step->merged);
    sqlite3_bind_int(s, 8, step->state);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_plan_begin(mp_meta *m, int64_t draft, const char *json, const mp_plan_step *steps,
                          size_t n, int64_t *plan_id, mp_why *why)
{
    conn *c;
    *plan_id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err =
        draft ? open_draft(c, draft, why) : insert_plan(c, MP_PLAN_APPLYING, json, 0, &draft, why);
    *plan_id = draft;
    for (size_t i = 0; !err && i < n; i++)
        err = insert_step(c, *plan_id, i, &steps[i], why);
    err = mp_sql_end(m, err, why);
    if (err)
        *plan_id = 0;
    return err;
}

static mp_err tell_step(conn *c, int64_t plan_id, size_t step, const char *what, mp_why *why)
{
    static const char sql[] = "SELECT asset_id FROM plan_step WHERE plan_id = ?1 AND number = ?2";
    int64_t id = 0;
    mp_err err;
    sqlite3_stmt *s = mp_sql_ask(c, sql, &err, why, "ii", plan_id, (int64_t)step);
    if (s && mp_sql_row(c, s, &err, why)) {
        id = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return err ? err : mp_sql_item_event(c, id, what, why);
}

mp_err mp_meta_plan_step(mp_meta *m, int64_t plan_id, size_t step, mp_step_state state,
                         mp_item_state item_state, mp_why *why)
{
    static const char set_step[] =
        "UPDATE plan_step SET state = ?3 WHERE plan_id = ?1 AND number = ?2";
    static const char set_item[] =
        "UPDATE asset SET state = ?3 WHERE id = (SELECT asset_id FROM plan_step "
        "WHERE plan_id = ?1 AND number = ?2)";
    int64_t args[3] = {plan_id, (int64_t)step, state};
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, set_step, args, 3, why);
    args[2] = item_state;
    if (!err)
        err = mp_sql_exec_ints(c, set_item, args, 3, why);
    if (!err && state != MP_STEP_SKIPPED)
        err = tell_step(c, plan_id, step,
                        item_state == MP_TRASHED ? "image.trashed"
                        : state == MP_STEP_DONE  ? "image.changed" /* a spare file of it went */
                                                 : "image.restored",
                        why);
    if (!err)
        err = mp_sql_bump(c, true, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_plan_set_state(mp_meta *m, int64_t plan_id, mp_plan_state state, mp_why *why)
{
    static const char sql[] = "UPDATE plan SET state = ?2 WHERE id = ?1";
    int64_t args[2] = {plan_id, state};
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, sql, args, 2, why);
    return mp_sql_end(m, err, why);
}

static mp_err read_steps(conn *c, int64_t plan_id, mp_arena *arena, mp_plan_step **out, size_t *n,
                         mp_why *why)
{
    static const char sql[] = "SELECT asset_id, keep_id, from_path, to_path, merged, state "
                              "FROM plan_step WHERE plan_id = ?1 ORDER BY number";
    size_t count = 0, cap = 0;
    mp_plan_step *list = NULL;
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s)
        sqlite3_bind_int64(s, 1, plan_id);
    while (s && mp_sql_row(c, s, &err, why)) {
        if (count == cap) {
            cap = cap ? cap * 2 : 64;
            list = mp_xrealloc(list, cap * sizeof *list);
        }
        list[count++] = (mp_plan_step){.item_id = sqlite3_column_int64(s, 0),
                                       .keep_id = sqlite3_column_int64(s, 1),
                                       .from = mp_sql_text(s, 2, arena),
                                       .to = mp_sql_text(s, 3, arena),
                                       .merged = mp_sql_text(s, 4, arena),
                                       .state = (mp_step_state)sqlite3_column_int(s, 5)};
    }
    mp_plan_step *kept = err ? NULL : mp_arena_alloc(arena, count * sizeof *kept);
    if (kept && count)
        memcpy(kept, list, count * sizeof *kept);
    free(list);
    *out = kept;
    *n = kept ? count : 0;
    return err;
}

mp_err mp_meta_plan_get(mp_meta *m, int64_t plan_id, mp_plan_state wanted, mp_arena *arena,
                        int64_t *id, mp_plan_state *state, mp_plan_step **steps, size_t *n,
                        mp_why *why)
{
    static const char sql[] = "SELECT id, state FROM plan WHERE (?1 = 0 OR id = ?1) AND "
                              "(?2 = 0 OR state = ?2) ORDER BY id DESC LIMIT 1";
    conn *c;
    bool found = false;
    *id = 0;
    *steps = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, plan_id);
        sqlite3_bind_int64(s, 2, (int64_t)wanted);
        found = mp_sql_row(c, s, &err, why);
        if (found) {
            *id = sqlite3_column_int64(s, 0);
            *state = (mp_plan_state)sqlite3_column_int(s, 1);
        }
        sqlite3_reset(s);
    }
    if (!err)
        err = found ? read_steps(c, *id, arena, steps, n, why)
                    : mp_fail(why, MP_NOT_FOUND, "there is no such plan");
    mp_sql_release(m, c);
    return err;
}

/* ---- drafts and lists ---- */

mp_err mp_meta_plan_draft(mp_meta *m, const char *json, int64_t user_id, int64_t *plan_id,
                          mp_why *why)
{
    conn *c;
    int64_t id = 0;
    *plan_id = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_end(m, insert_plan(c, MP_PLAN_DRAFT, json, user_id, &id, why), why);
    if (!err)
        *plan_id = id;
    return err;
}

mp_err mp_meta_plan_drop(mp_meta *m, int64_t plan_id, mp_why *why)
{
    static const char sql[] = "DELETE FROM plan WHERE id = ?1 AND state = 0";
    int64_t changed;
    mp_err err = mp_sql_write(m, sql, &changed, why, "i", plan_id);
    return err || changed ? err : mp_fail(why, MP_NOT_FOUND, "there is no such draft");
}

#define PLAN_COLUMNS                                                                               \
    "SELECT id, coalesce(user_id, 0), at_ms, state, json, "                                        \
    "(SELECT count(*) FROM plan_step s WHERE s.plan_id = plan.id), "                               \
    "(SELECT count(*) FROM plan_step s WHERE s.plan_id = plan.id AND s.state = 1), "               \
    "(SELECT count(*) FROM plan_step s WHERE s.plan_id = plan.id AND s.state = 2) FROM plan "

static void take_info(sqlite3_stmt *s, mp_arena *arena, mp_plan_info *out)
{
    *out = (mp_plan_info){.id = sqlite3_column_int64(s, 0),
                          .user_id = sqlite3_column_int64(s, 1),
                          .at_ms = sqlite3_column_int64(s, 2),
                          .state = (mp_plan_state)sqlite3_column_int(s, 3),
                          .json = mp_sql_text(s, 4, arena),
                          .steps = (size_t)sqlite3_column_int64(s, 5),
                          .done = (size_t)sqlite3_column_int64(s, 6),
                          .skipped = (size_t)sqlite3_column_int64(s, 7)};
}

mp_err mp_meta_plan_info(mp_meta *m, int64_t plan_id, mp_arena *arena, mp_plan_info *out,
                         mp_why *why)
{
    static const char sql[] = PLAN_COLUMNS "WHERE id = ?1";
    conn *c;
    *out = (mp_plan_info){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_ask(c, sql, &err, why, "i", plan_id);
    bool found = s && mp_sql_row(c, s, &err, why);
    if (found) {
        take_info(s, arena, out);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such plan");
}

mp_err mp_meta_list_plans(mp_meta *m, int64_t user_id, int64_t before, size_t limit,
                          mp_arena *arena, mp_plan_info **out, size_t *n, mp_why *why)
{
    static const char sql[] = PLAN_COLUMNS "WHERE (?1 = 0 OR user_id = ?1) AND (?2 = 0 OR id < ?2) "
                                           "ORDER BY id DESC LIMIT ?3";
    conn *c = NULL;
    *n = 0;
    *out = mp_arena_alloc(arena, (limit + 1) * sizeof **out);
    mp_err err =
        *out ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory for %zu plans", limit);
    sqlite3_stmt *s =
        err ? NULL : mp_sql_ask(c, sql, &err, why, "iii", user_id, before, (int64_t)limit);
    while (s && mp_sql_row(c, s, &err, why))
        take_info(s, arena, &(*out)[(*n)++]);
    mp_sql_release(m, c);
    return err;
}
