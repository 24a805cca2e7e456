/* sqlite.h - the SQLite back end's inside, shared by the files sqlite_*.c alone.
 *
 * One writer connection behind `writing`; reader connections are taken from a pool and given back,
 * so a read never waits for a write (WAL). Statements are prepared once per connection, found again
 * by the address of their SQL literal. A statement in use belongs to the thread that holds the
 * connection. */
#ifndef MP_SQLITE_H
#define MP_SQLITE_H

#include "meta/meta.h"

#include <pthread.h>
#include <sqlite3.h>

enum { MAX_STATEMENTS = 512 };
#define MP_EVENTS_SETTING "events"

typedef struct conn {
    sqlite3 *db;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } cache[MAX_STATEMENTS];
    struct conn *next; /* in the pool */
    bool events;       /* changes of items are told as events */
} conn;

struct mp_meta {
    char *path;
    bool read_only, immutable;
    int busy_ms;
    pthread_mutex_t writing; /* guards writer */
    conn *writer;
    pthread_mutex_t pool; /* guards idle */
    conn *idle;
    size_t open; /* connections that read; guarded by pool */
};

/* Translates what SQLite says; `what` names the attempt. */
mp_err mp_sql_fail(sqlite3 *db, int code, const char *what, mp_why *why);
/* Opens one more connection to the same file. */
MP_CHECK mp_err mp_sql_connect(const mp_meta *m, bool writer, bool create, conn **out, mp_why *why);
/* A connection for reading until mp_sql_release: what this thread holds, else one of its own. */
MP_CHECK mp_err mp_sql_reader(mp_meta *m, conn **out, mp_why *why);
void mp_sql_release(mp_meta *m, conn *c);
/* A reader for several statements: they see one state, and the locks of a read are taken once.
 * Given back by mp_sql_leave. */
MP_CHECK mp_err mp_sql_enter(mp_meta *m, conn **out, mp_why *why);
void mp_sql_leave(mp_meta *m, conn *c); /* NULL allowed */
/* Locks the writer and begins an immediate transaction. Must be ended by mp_sql_end. */
MP_CHECK mp_err mp_sql_begin(mp_meta *m, conn **out, mp_why *why);
/* Commits when err is MP_OK, else rolls back; unlocks. Returns err or the commit's failure. */
mp_err mp_sql_end(mp_meta *m, mp_err err, mp_why *why);

/* A reset statement of a literal (the address is the key); NULL with *err set on failure. */
sqlite3_stmt *mp_sql_get(conn *c, const char *literal, mp_err *err, mp_why *why);
/* Steps a statement that returns no rows and resets it. */
MP_CHECK mp_err mp_sql_run(conn *c, sqlite3_stmt *s, mp_why *why);
/* True when there is a row; at the end or on failure resets, with *err set on failure. */
bool mp_sql_row(conn *c, sqlite3_stmt *s, mp_err *err, mp_why *why);
/* "UPDATE ... ?1 ... ?2": the common shape with integer arguments. */
MP_CHECK mp_err mp_sql_exec_ints(conn *c, const char *literal, const int64_t *args, int n,
                                 mp_why *why);
/* The same with values of all types, one letter each: i int64_t, z int64_t that is NULL when 0,
 * t text, o text that is NULL when NULL, d double, b blob (pointer, then size_t). They must live
 * until the step. */
sqlite3_stmt *mp_sql_ask(conn *c, const char *literal, mp_err *err, mp_why *why, const char *types,
                         ...);
MP_CHECK mp_err mp_sql_do(conn *c, const char *literal, mp_why *why, const char *types, ...);
/* One statement as a transaction of its own; *changed (NULL allowed) counts its rows. */
MP_CHECK mp_err mp_sql_write(mp_meta *m, const char *literal, int64_t *changed, mp_why *why,
                             const char *types, ...);
void mp_sql_bind_text(sqlite3_stmt *s, int at, const char *text); /* must live until the step */
const char *mp_sql_text(sqlite3_stmt *s, int column, mp_arena *arena);
/* Both inside a transaction of the writer. */
MP_CHECK mp_err mp_sql_bump(conn *c, bool removal, mp_why *why);
/* Tells of an item's change, in the same transaction; nothing where nobody listens. "image.added",
 * ...; for a removal before the row goes. */
MP_CHECK mp_err mp_sql_item_event(conn *c, int64_t id, const char *type, mp_why *why);
/* Writes the full-text row of an item anew. */
MP_CHECK mp_err mp_sql_refresh_text(conn *c, int64_t id, mp_why *why);

/* A filter as a SQL condition over `a` (asset) and `v` (its version), and its parameters. */
typedef struct sql_filter {
    mp_buf text;
    struct {
        const char *text; /* NULL: number */
        int64_t number;
    } arg[256];
    int n;
} sql_filter;
MP_CHECK mp_err mp_sql_filter_make(const mp_filter *f, sql_filter *out, mp_why *why);
void mp_sql_filter_bind(const sql_filter *f, sqlite3_stmt *s, int first);
/* head WHERE filter tail, with what the filter compares with bound from ?1 on; f keeps its text, to
 * be freed behind the statement. */
MP_CHECK mp_err mp_sql_filtered(conn *c, const char *head, const mp_filter *filter,
                                const char *tail, sql_filter *f, sqlite3_stmt **out, mp_why *why);
/* An item `a` and its version `v`; when its picture was taken, as far as is known. */
#define ITEM_TABLES "FROM asset a JOIN version v ON v.id = a.version_id "
#define ITEM_COLUMNS                                                                               \
    "a.id, a.state, v.copied, v.path, a.name, a.title, a.description, v.sha256, v.format, "        \
    "v.width, v.height, v.frames, v.bytes, v.mtime_ns, v.taken_ms, a.added_ms, v.phash, "          \
    "v.sharpness, v.brightness, v.contrast, v.entropy, v.issues, a.project_id, "                   \
    "coalesce(a.user_id, 0)"
#define TAKEN "(CASE WHEN v.taken_ms <> 0 THEN v.taken_ms ELSE v.mtime_ns / 1000000 END)"

/* The columns above as an item, without its tags; those. */
void mp_sql_read_item(sqlite3_stmt *s, mp_arena *arena, mp_item *out);
MP_CHECK mp_err mp_sql_read_tags(conn *c, mp_item *item, mp_arena *arena, mp_why *why);

#endif
