/* sqlite_pool.c - connections that read: a pool of idle ones, and reading several things at once.
 */
#include "meta/sqlite.h"

/* What this thread reads with between mp_meta_hold and mp_meta_let_go. */
static _Thread_local struct {
    const mp_meta *m;
    conn *c;
    int depth;
    bool known; /* generation */
    mp_generation generation;
} held;

mp_err mp_sql_reader(mp_meta *m, conn **out, mp_why *why)
{
    *out = held.m == m ? held.c : NULL;
    if (*out)
        return MP_OK;
    pthread_mutex_lock(&m->pool);
    *out = m->idle;
    if (m->idle)
        m->idle = m->idle->next;
    m->open += !*out;
    pthread_mutex_unlock(&m->pool);
    return *out ? MP_OK : mp_sql_connect(m, false, false, out, why);
}

size_t mp_meta_connections(mp_meta *m)
{
    pthread_mutex_lock(&m->pool);
    size_t n = m->open + (m->writer != NULL);
    pthread_mutex_unlock(&m->pool);
    return n;
}

void mp_sql_release(mp_meta *m, conn *c)
{
    if (!c || c == held.c)
        return;
    pthread_mutex_lock(&m->pool);
    c->next = m->idle;
    m->idle = c;
    pthread_mutex_unlock(&m->pool);
}

mp_err mp_sql_enter(mp_meta *m, conn **out, mp_why *why)
{
    static const char begin[] = "BEGIN";
    mp_err err = mp_sql_reader(m, out, why);
    if (!err && *out != held.c)
        err = mp_sql_exec_ints(*out, begin, NULL, 0, why);
    if (err) {
        mp_sql_release(m, *out);
        *out = NULL;
    }
    return err;
}

void mp_sql_leave(mp_meta *m, conn *c)
{
    static const char end[] = "COMMIT";
    if (c == held.c)
        return;
    if (c && mp_sql_exec_ints(c, end, NULL, 0, NULL)) /* nothing was written: nothing can be lost */
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    mp_sql_release(m, c);
}

void mp_meta_hold(mp_meta *m)
{
    conn *c;
    if (held.m == m) {
        held.depth++;
        return;
    }
    if (held.c || mp_sql_enter(m, &c, NULL) != MP_OK) /* then each reads by itself */
        return;
    held.m = m;
    held.c = c;
    held.depth = 1;
    held.known = false;
}

void mp_meta_let_go(mp_meta *m)
{
    conn *c = held.c;
    if (held.m != m || --held.depth > 0)
        return;
    held.m = NULL;
    held.c = NULL;
    mp_sql_leave(m, c);
}

/* ---- generation ---- */

static mp_err read_generation(mp_meta *m, mp_generation *out, mp_why *why)
{
    static const char sql[] =
        "SELECT (SELECT value FROM counter WHERE name = 'changes'), "
        "(SELECT value FROM counter WHERE name = 'removals'), "
        "(SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'vector'), 0))";
    conn *c;
    *out = (mp_generation){0};
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s && mp_sql_row(c, s, &err, why))
        *out = (mp_generation){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
                               sqlite3_column_int64(s, 2)};
    if (s)
        sqlite3_reset(s);
    mp_sql_release(m, c);
    return err;
}

/* Of a state that is held it stays the same, and a search asks several times. */
mp_err mp_meta_generation(mp_meta *m, mp_generation *out, mp_why *why)
{
    if (held.m == m && held.known) {
        *out = held.generation;
        return MP_OK;
    }
    mp_err err = read_generation(m, out, why);
    if (held.m == m && !err) {
        held.known = true;
        held.generation = *out;
    }
    return err;
}
