/* sqlite_account.h - what the files of the accounts share. Inside the SQLite back end; all of it
 * within a transaction of the writer. */
#ifndef MP_SQLITE_ACCOUNT_H
#define MP_SQLITE_ACCOUNT_H

#include "meta/accounts.h"
#include "meta/sqlite.h"

/* Writes the row of a change; NULL: nothing. A note without a user gets user_id; one without a
 * target gets target_id. */
MP_CHECK mp_err mp_sql_note(conn *c, const mp_audit *note, int64_t user_id, int64_t target_id,
                            mp_why *why);
/* Revokes the user's sessions but `keep`. */
MP_CHECK mp_err mp_sql_end_sessions(conn *c, int64_t user_id, const char *keep, mp_why *why);

/* Makes the user's token for a new password void. */
MP_CHECK mp_err mp_sql_forget_reset(conn *c, int64_t user_id, mp_why *why);

/* What a user's row has, and how it is read. */
#define MP_SQL_USER                                                                                \
    "SELECT user.id, username, coalesce(email, ''), password, user.role, active, "                 \
    "deleted_ms IS NOT NULL, user.created_ms "
mp_user mp_sql_take_user(sqlite3_stmt *s, mp_arena *arena);
/* Reads the one row of a statement that has its values (NULL with err set: it could not be made),
 * and gives the connection back. NOT_FOUND. */
MP_CHECK mp_err mp_sql_read_user(mp_meta *m, conn *c, sqlite3_stmt *s, mp_err err, mp_arena *arena,
                                 mp_user *out, mp_why *why);

#endif
