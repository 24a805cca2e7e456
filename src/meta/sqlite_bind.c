/* sqlite_bind.c - statements with their values in one call. See sqlite.h. */
#include "meta/sqlite.h"

static void bind_all(sqlite3_stmt *s, const char *types, va_list args)
{
    for (int at = 1; *types; types++, at++) {
        int64_t number;
        const char *text;
        const void *bytes;
        switch (*types) {
        case 'i':
        case 'z':
            number = va_arg(args, int64_t);
            if (number || *types == 'i') /* unbound is NULL */
                sqlite3_bind_int64(s, at, number);
            break;
        case 't':
        case 'o':
            text = va_arg(args, const char *);
            if (text || *types == 't')
                mp_sql_bind_text(s, at, text);
            break;
        case 'd':
            sqlite3_bind_double(s, at, va_arg(args, double));
            break;
        default:
            bytes = va_arg(args, const void *);
            sqlite3_bind_blob64(s, at, bytes, va_arg(args, size_t), SQLITE_STATIC);
        }
    }
}

static sqlite3_stmt *ask(conn *c, const char *literal, mp_err *err, mp_why *why, const char *types,
                         va_list args)
{
    sqlite3_stmt *s = mp_sql_get(c, literal, err, why);
    if (s)
        bind_all(s, types, args);
    return s;
}

sqlite3_stmt *mp_sql_ask(conn *c, const char *literal, mp_err *err, mp_why *why, const char *types,
                         ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *s = ask(c, literal, err, why, types, args);
    va_end(args);
    return s;
}

mp_err mp_sql_do(conn *c, const char *literal, mp_why *why, const char *types, ...)
{
    mp_err err;
    va_list args;
    va_start(args, types);
    sqlite3_stmt *s = ask(c, literal, &err, why, types, args);
    va_end(args);
    return s ? mp_sql_run(c, s, why) : err;
}

mp_err mp_sql_write(mp_meta *m, const char *literal, int64_t *changed, mp_why *why,
                    const char *types, ...)
{
    conn *c;
    va_list args;
    int64_t rows = 0;
    if (changed)
        *changed = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    va_start(args, types);
    sqlite3_stmt *s = ask(c, literal, &err, why, types, args);
    va_end(args);
    if (s) {
        err = mp_sql_run(c, s, why);
        rows = sqlite3_changes(c->db);
    }
    err = mp_sql_end(m, err, why);
    if (!err && changed)
        *changed = rows;
    return err;
}
