/* sqlite_open.c - connections, transactions, migrations, error codes. See sqlite.h. */
#include "meta/sqlite.h"

#include "meta/migrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x4D616770 }; /* "Magp" */

mp_err mp_sql_fail(sqlite3 *db, int code, const char *what, mp_why *why)
{
    const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return mp_fail(why, MP_FULL, "%s: the disk is full; nothing was lost", what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return mp_fail(why, MP_BUSY, "%s: another process is writing to the library", what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return mp_fail(why, MP_CORRUPT, "%s: the database is damaged: %s", what, text);
    case SQLITE_READONLY:
        return mp_fail(why, MP_IO, "%s: the library is read-only", what);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return mp_fail(why, MP_IO, "%s: %s", what, text);
    case SQLITE_IOERR:
        return mp_fail(why, MP_IO, "%s: the disk failed: %s", what, text);
    case SQLITE_NOMEM:
        return mp_fail(why, MP_NOMEM, "%s: out of memory", what);
    case SQLITE_TOOBIG:
        return mp_fail(why, MP_TOO_BIG, "%s: %s", what, text);
    case SQLITE_CONSTRAINT:
        return mp_fail(why, MP_EXISTS, "%s: %s", what, text);
    default:
        return mp_fail(why, MP_INTERNAL, "%s: %s", what, text);
    }
}

/* ---- statements ---- */

sqlite3_stmt *mp_sql_get(conn *c, const char *literal, mp_err *err, mp_why *why)
{
    size_t at = 0;
    *err = MP_OK;
    while (at < MAX_STATEMENTS && c->cache[at].sql && c->cache[at].sql != literal)
        at++;
    if (at == MAX_STATEMENTS) {
        *err = mp_fail(why, MP_INTERNAL, "the table of statements is full");
        return NULL;
    }
    if (!c->cache[at].sql) {
        int code = sqlite3_prepare_v3(c->db, literal, -1, SQLITE_PREPARE_PERSISTENT,
                                      &c->cache[at].stmt, NULL);
        if (code != SQLITE_OK) {
            *err = mp_sql_fail(c->db, code, "cannot prepare a query", why);
            return NULL;
        }
        c->cache[at].sql = literal;
    }
    sqlite3_stmt *s = c->cache[at].stmt;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return s;
}

mp_err mp_sql_run(conn *c, sqlite3_stmt *s, mp_why *why)
{
    int code = sqlite3_step(s);
    mp_err err =
        code == SQLITE_DONE || code == SQLITE_ROW ? MP_OK : mp_sql_fail(c->db, code, "write", why);
    sqlite3_reset(s);
    return err;
}

bool mp_sql_row(conn *c, sqlite3_stmt *s, mp_err *err, mp_why *why)
{
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        *err = mp_sql_fail(c->db, code, "read", why);
    sqlite3_reset(s);
    return false;
}

mp_err mp_sql_exec_ints(conn *c, const char *literal, const int64_t *args, int n, mp_why *why)
{
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, literal, &err, why);
    if (!s)
        return err;
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(s, i + 1, args[i]);
    return mp_sql_run(c, s, why);
}

void mp_sql_bind_text(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text ? text : "", -1, SQLITE_STATIC);
}

const char *mp_sql_text(sqlite3_stmt *s, int column, mp_arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    mp_str view = {text, text ? (size_t)sqlite3_column_bytes(s, column) : 0};
    const char *kept = mp_arena_strdup(arena, view);
    return kept ? kept : "";
}

mp_err mp_sql_bump(conn *c, bool removal, mp_why *why)
{
    static const char both[] = "UPDATE counter SET value = value + 1";
    static const char one[] = "UPDATE counter SET value = value + 1 WHERE name = 'changes'";
    return mp_sql_exec_ints(c, removal ? both : one, NULL, 0, why);
}

/* ---- connections ---- */

void mp_meta_own_process(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once it is in use: no harm */
}

static void conn_close(conn *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < MAX_STATEMENTS && c->cache[i].sql; i++)
        sqlite3_finalize(c->cache[i].stmt);
    sqlite3_close(c->db);
    free(c);
}

static mp_err set_up(conn *c, const mp_meta *m, bool writer, mp_why *why)
{
    /* FULL: a commit is on the disk when it returns. The cache serves the vectors' scans. The file
     * is not mapped: a read error would then be a signal instead of an error. */
    static const char common[] = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
                                 "PRAGMA temp_store = MEMORY;"
                                 "PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF;";
    sqlite3_busy_timeout(c->db, m->busy_ms);
    sqlite3_extended_result_codes(c->db, 1);
    int code = sqlite3_exec(c->db, common, NULL, NULL, NULL);
    if (code == SQLITE_OK && writer)
        code = sqlite3_exec(c->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    return code == SQLITE_OK ? MP_OK : mp_sql_fail(c->db, code, "cannot open the database", why);
}

/* Percent-encodes what a URI would read as its own. */
static void add_uri_path(mp_buf *uri, const char *path)
{
    for (; *path; path++) {
        if (strchr("%?#", *path))
            mp_buf_printf(uri, "%%%02X", (unsigned char)*path);
        else
            mp_buf_add(uri, path, 1);
    }
}

mp_err mp_sql_connect(const mp_meta *m, bool writer, bool create, conn **out, mp_why *why)
{
    conn *c = mp_xcalloc(1, sizeof *c);
    mp_buf uri = {0};
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    flags |= m->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= create ? SQLITE_OPEN_CREATE : 0;
    mp_buf_str(&uri, "file:");
    add_uri_path(&uri, m->path);
    if (m->immutable)
        mp_buf_str(&uri, "?immutable=1");
    int code = sqlite3_open_v2(uri.p, &c->db, flags, NULL);
    mp_buf_free(&uri);
    mp_err err = code == SQLITE_OK ? set_up(c, m, writer && !m->read_only, why)
                                   : mp_sql_fail(c->db, code, "cannot open the database", why);
    if (err) {
        conn_close(c);
        c = NULL;
    }
    *out = c;
    return err;
}

mp_err mp_sql_begin(mp_meta *m, conn **out, mp_why *why)
{
    *out = NULL;
    if (m->read_only)
        return mp_fail(why, MP_IO, "the library is open read-only");
    pthread_mutex_lock(&m->writing);
    int code = sqlite3_exec(m->writer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        mp_err err = mp_sql_fail(m->writer->db, code, "cannot begin to write", why);
        pthread_mutex_unlock(&m->writing);
        return err;
    }
    *out = m->writer;
    return MP_OK;
}

mp_err mp_sql_end(mp_meta *m, mp_err err, mp_why *why)
{
    sqlite3 *db = m->writer->db;
    if (!err) {
        int code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        if (code != SQLITE_OK)
            err = mp_sql_fail(db, code, "cannot commit", why);
    }
    /* Some errors (FULL, IOERR) have rolled back already. */
    if (err && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&m->writing);
    return err;
}

/* ---- migrations ---- */

static mp_err pragma_int(conn *c, const char *sql, int64_t *out, mp_why *why)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL);
    *out = 0;
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return code == SQLITE_ROW ? MP_OK : mp_sql_fail(c->db, code, "cannot read the database", why);
}

static mp_err apply_migrations(conn *c, int64_t have, int64_t newest, mp_why *why)
{
    int code = SQLITE_OK;
    for (int64_t v = have; code == SQLITE_OK && v < newest; v++)
        code = sqlite3_exec(c->db, mp_migrations[v], NULL, NULL, NULL);
    char stamp[128];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %lld",
             APPLICATION_ID, (long long)newest);
    if (code == SQLITE_OK)
        code = sqlite3_exec(c->db, stamp, NULL, NULL, NULL);
    return code == SQLITE_OK ? MP_OK : mp_sql_fail(c->db, code, "cannot migrate", why);
}

static mp_err check_references(conn *c, mp_why *why)
{
    int64_t broken;
    mp_err err = pragma_int(c, "SELECT count(*) FROM pragma_foreign_key_check", &broken, why);
    if (!err && broken)
        err = mp_fail(why, MP_CORRUPT, "the database holds %lld broken references: not migrated",
                      (long long)broken);
    return err;
}

static mp_err check_version(conn *c, int64_t newest, int64_t *have, mp_why *why)
{
    int64_t application, tables;
    mp_err err = pragma_int(c, "PRAGMA application_id", &application, why);
    if (!err)
        err = pragma_int(c, "PRAGMA user_version", have, why);
    if (!err)
        err = pragma_int(c, "SELECT count(*) FROM sqlite_master", &tables, why);
    if (err)
        return err;
    if (application != APPLICATION_ID && (application || tables))
        return mp_fail(why, MP_CORRUPT, "the database is not one of Magpie's");
    if (*have > newest)
        return mp_fail(
            why, MP_UNSUPPORTED,
            "the library was written by a newer Magpie (schema %lld; this one knows %lld)",
            (long long)*have, (long long)newest);
    return MP_OK;
}

static mp_err migrate(mp_meta *m, mp_why *why)
{
    int64_t newest = 0, have;
    conn *c;
    while (mp_migrations[newest])
        newest++;
    if (m->read_only) {
        mp_err err = mp_sql_reader(m, &c, why);
        if (err)
            return err;
        err = check_version(c, newest, &have, why);
        mp_sql_release(m, c);
        if (!err && have < newest)
            err = mp_fail(why, MP_IO, "the library must be opened for writing once, to migrate it");
        return err;
    }
    mp_err err = check_version(m->writer, newest, &have, why);
    if (err || have == newest)
        return err;
    /* A table that is made anew takes its children along only while nobody checks them: they are
     * checked as a whole before the commit. The switch works outside a transaction alone. */
    sqlite3_exec(m->writer->db, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
    err = mp_sql_begin(m, &c, why);
    if (!err) {
        err = check_version(c, newest, &have, why); /* another process may have been quicker */
        if (!err)
            err = apply_migrations(c, have, newest, why);
        if (!err)
            err = check_references(c, why);
        err = mp_sql_end(m, err, why);
    }
    sqlite3_exec(m->writer->db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    return err;
}

/* A WAL database in a folder that cannot be written to has no shared memory file: it can still be
 * read when nobody writes, which immutable promises. */
static mp_err open_connections(mp_meta *m, bool create, mp_why *why)
{
    if (!m->read_only)
        return mp_sql_connect(m, true, create, &m->writer, why);
    conn *c;
    int64_t unused;
    mp_err err = mp_sql_connect(m, false, false, &c, why);
    if (!err && pragma_int(c, "SELECT count(*) FROM sqlite_master", &unused, NULL) == MP_OK) {
        mp_sql_release(m, c);
        return MP_OK;
    }
    conn_close(c);
    m->immutable = true;
    err = mp_sql_connect(m, false, false, &c, why);
    if (!err)
        mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_open(mp_meta **out, const char *url, const mp_meta_options *opt, mp_why *why)
{
    *out = NULL;
    if (strncmp(url, "sqlite:", 7) != 0)
        return mp_fail(why, MP_UNSUPPORTED, "no metadata store is called %s", url);
    const char *path = url + 7;
    if (!opt->create && access(path, F_OK) != 0)
        return mp_fail(why, MP_NOT_FOUND, "no database at %s", path);
    mp_meta *m = mp_xcalloc(1, sizeof *m);
    m->path = mp_xstrdup(path);
    m->read_only = opt->read_only;
    m->busy_ms = opt->busy_ms;
    pthread_mutex_init(&m->writing, NULL);
    pthread_mutex_init(&m->pool, NULL);
    mp_err err = open_connections(m, opt->create, why);
    if (!err)
        err = migrate(m, why);
    if (!err && m->writer) {
        char told[8];
        m->writer->events =
            mp_meta_get_setting(m, MP_EVENTS_SETTING, told, sizeof told, NULL) == MP_OK;
    }
    if (err) {
        mp_meta_close(m);
        return err;
    }
    *out = m;
    return MP_OK;
}

void mp_meta_close(mp_meta *m)
{
    if (!m)
        return;
    while (m->idle) {
        conn *next = m->idle->next;
        conn_close(m->idle);
        m->idle = next;
    }
    conn_close(m->writer);
    pthread_mutex_destroy(&m->pool);
    pthread_mutex_destroy(&m->writing);
    free(m->path);
    free(m);
}

/* ---- settings ---- */

mp_err mp_meta_get_setting(mp_meta *m, const char *key, char *out, size_t cap, mp_why *why)
{
    static const char sql[] = "SELECT value FROM setting WHERE key = ?1";
    conn *c;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    bool found = false;
    if (s) {
        mp_sql_bind_text(s, 1, key);
        found = mp_sql_row(c, s, &err, why);
        if (found)
            snprintf(out, cap, "%s", (const char *)sqlite3_column_text(s, 0));
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    if (!err && !found)
        err = mp_fail(why, MP_NOT_FOUND, "no setting %s", key);
    return err;
}

mp_err mp_meta_set_setting(mp_meta *m, const char *key, const char *value, mp_why *why)
{
    static const char sql[] = "INSERT INTO setting VALUES (?1, ?2) "
                              "ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, key);
        mp_sql_bind_text(s, 2, value);
        err = mp_sql_run(c, s, why);
    }
    return mp_sql_end(m, err, why);
}
