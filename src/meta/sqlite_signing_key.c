/* sqlite_signing_key.c - the keys that sign access tokens. See accounts.h. */
#include "meta/sqlite_account.h"

#include <stdio.h>
#include <string.h>

static void take(sqlite3_stmt *s, mp_signing_key *out)
{
    snprintf(out->kid, sizeof out->kid, "%s", (const char *)sqlite3_column_text(s, 0));
    memcpy(out->key, sqlite3_column_blob(s, 1), sizeof out->key); /* the schema says 32 */
    out->created_ms = sqlite3_column_int64(s, 2);
    out->retired_ms = sqlite3_column_int64(s, 3);
}

mp_err mp_meta_get_signing_key(mp_meta *m, const char *kid, mp_signing_key *out, mp_why *why)
{
    static const char named[] =
        "SELECT kid, key, created_ms, retired_ms FROM signing_key WHERE kid = ?1";
    static const char current[] =
        "SELECT kid, key, created_ms, retired_ms FROM signing_key WHERE state = 'current'";
    bool found = false;
    conn *c;
    *out = (mp_signing_key){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, kid ? named : current, &err, why);
    if (s) {
        if (kid)
            mp_sql_bind_text(s, 1, kid);
        found = mp_sql_row(c, s, &err, why);
        if (found)
            take(s, out);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no such signing key");
}

/* Nothing when there is a current one. */
static mp_err insert(conn *c, const mp_signing_key *key, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO signing_key SELECT ?1, ?2, ?3, 'current', 0 "
        "WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE state = 'current')";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    mp_sql_bind_text(s, 1, key->kid);
    sqlite3_bind_blob(s, 2, key->key, sizeof key->key, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, key->created_ms);
    return mp_sql_run(c, s, why);
}

mp_err mp_meta_init_signing_key(mp_meta *m, const mp_signing_key *key, const char *old_setting,
                                mp_why *why)
{
    static const char forget[] = "DELETE FROM setting WHERE key = ?1";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = insert(c, key, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, forget, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, old_setting);
        err = mp_sql_run(c, s, why);
    }
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_rotate_signing_key(mp_meta *m, const mp_signing_key *key, int64_t forget_ms,
                                  const mp_audit *note, mp_why *why)
{
    static const char retire[] =
        "UPDATE signing_key SET state = 'old', retired_ms = ?1 WHERE state = 'current'";
    static const char forget[] = "DELETE FROM signing_key WHERE state = 'old' AND retired_ms < ?1";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_exec_ints(c, retire, &key->created_ms, 1, why);
    if (!err)
        err = mp_sql_exec_ints(c, forget, &forget_ms, 1, why);
    if (!err)
        err = insert(c, key, why);
    if (!err)
        err = mp_sql_note(c, note, 0, 0, why);
    return mp_sql_end(m, err, why);
}
