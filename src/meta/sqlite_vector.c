/* sqlite_vector.c - reading vectors: streams, rows by id, and what is lacking. */
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

static void bind_key(sqlite3_stmt *s, const mp_vector_key *key)
{
    mp_sql_bind_text(s, 1, key->model);
    mp_sql_bind_text(s, 2, key->model_sha256);
    mp_sql_bind_text(s, 3, key->space);
    sqlite3_bind_int(s, 4, key->dims);
}

/* The stored floats of a column, or NULL when the row is not what it says. */
static const float *floats_of(sqlite3_stmt *s, int column, int dims)
{
    return sqlite3_column_bytes(s, column) == dims * (int)sizeof(float)
               ? sqlite3_column_blob(s, column)
               : NULL;
}

mp_err mp_meta_each_vector(mp_meta *m, const mp_vector_key *key, int64_t after_seq, mp_vector_fn fn,
                           void *context, mp_why *why)
{
    static const char sql[] =
        "SELECT v.asset_id, v.seq, v.data FROM vector v JOIN asset a ON a.id = v.asset_id "
        "WHERE v.model = ?1 AND v.space = ?3 AND v.seq > ?5 AND v.model_sha256 = ?2 AND "
        "v.dims = ?4 AND a.state <> 2 ORDER BY v.seq";
    conn *c;
    float *aligned = mp_try_array((size_t)key->dims, sizeof *aligned);
    mp_err err = aligned ? mp_sql_reader(m, &c, why) : mp_fail(why, MP_NOMEM, "no memory");
    if (!aligned)
        return err;
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        bind_key(s, key);
        sqlite3_bind_int64(s, 5, after_seq);
    }
    bool stop = false;
    while (s && !stop && mp_sql_row(c, s, &err, why)) {
        const float *data = floats_of(s, 2, key->dims);
        if (!data)
            continue;
        memcpy(aligned, data, (size_t)key->dims * sizeof *aligned);
        stop = fn(context, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), aligned);
    }
    if (s)
        sqlite3_reset(s);
    if (c)
        mp_sql_release(m, c);
    free(aligned);
    return err;
}

mp_err mp_meta_get_vectors(mp_meta *m, const mp_vector_key *key, const int64_t *ids, size_t n,
                           float *out, mp_why *why)
{
    static const char sql[] = "SELECT data FROM vector WHERE asset_id = ?5 AND model = ?1 AND "
                              "space = ?3 AND model_sha256 = ?2 AND dims = ?4";
    size_t row_bytes = (size_t)key->dims * sizeof *out;
    conn *c;
    memset(out, 0, n * row_bytes);
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    for (size_t i = 0; s && !err && i < n; i++) {
        bind_key(s, key);
        sqlite3_bind_int64(s, 5, ids[i]);
        const float *data = mp_sql_row(c, s, &err, why) ? floats_of(s, 0, key->dims) : NULL;
        if (data)
            memcpy(out + i * (size_t)key->dims, data, row_bytes);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_lacking(mp_meta *m, const mp_vector_key *key, int64_t **out, size_t *n, mp_why *why)
{
    static const char sql[] =
        "SELECT a.id FROM asset a WHERE a.state <> 2 AND a.type = 'image' AND NOT EXISTS "
        "(SELECT 1 FROM vector v WHERE v.asset_id = a.id AND v.model = ?1 AND v.space = ?3 AND "
        "v.model_sha256 = ?2 AND "
        "v.dims = ?4) ORDER BY a.id";
    size_t cap = 256, count = 0;
    int64_t *ids = mp_xmalloc(cap * sizeof *ids);
    conn *c;
    *out = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s)
        bind_key(s, key);
    while (s && mp_sql_row(c, s, &err, why)) {
        if (count == cap) {
            cap *= 2;
            ids = mp_xrealloc(ids, cap * sizeof *ids);
        }
        ids[count++] = sqlite3_column_int64(s, 0);
    }
    mp_sql_release(m, c);
    if (err) {
        free(ids);
        return err;
    }
    *out = ids;
    *n = count;
    return MP_OK;
}

mp_err mp_meta_drop_vectors(mp_meta *m, const char *model, mp_why *why)
{
    static const char sql[] = "DELETE FROM vector WHERE model = ?1";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, model);
        err = mp_sql_run(c, s, why);
    }
    if (!err)
        err = mp_sql_bump(c, true, why);
    return mp_sql_end(m, err, why);
}

mp_err mp_meta_count_vectors(mp_meta *m, const char *model, const char *space, uint64_t *n,
                             mp_why *why)
{
    static const char sql[] = "SELECT count(*) FROM vector v JOIN asset a ON a.id = v.asset_id "
                              "WHERE v.model = ?1 AND v.space = ?2 AND a.state <> 2";
    conn *c;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        mp_sql_bind_text(s, 1, model);
        mp_sql_bind_text(s, 2, space);
        if (mp_sql_row(c, s, &err, why))
            *n = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    mp_sql_release(m, c);
    return err;
}
