/* sqlite_text.c - full-text search over names, titles, descriptions and tags (FTS5, bm25).
 *
 * File names are split into words before they are indexed ("IMG_2041-redShoe.jpg" is img, 2041,
 * red, shoe). What a person types is never parsed as FTS syntax: each word is quoted. */
#include "meta/sqlite.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Words of a name: separators become spaces, lowerUpper gets a space between, the extension goes.
 */
static void add_name_words(mp_buf *out, const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t n = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (i && isupper(c) && islower((unsigned char)name[i - 1]))
            mp_buf_str(out, " ");
        char kept = c < 128 && !isalnum(c) ? ' ' : (char)c;
        mp_buf_add(out, &kept, 1);
    }
}

mp_err mp_sql_refresh_text(conn *c, int64_t id, mp_why *why)
{
    static const char drop[] = "DELETE FROM item_text WHERE rowid = ?1";
    static const char name_of[] = "SELECT name FROM asset WHERE id = ?1";
    static const char sql[] =
        "INSERT INTO item_text (rowid, name, title, description, tags) "
        "SELECT a.id, ?2, a.title, a.description, coalesce((SELECT group_concat(t.name, ' ') "
        "FROM asset_tag x JOIN tag t ON t.id = x.tag_id WHERE x.asset_id = a.id), '') "
        "FROM asset a WHERE a.id = ?1";
    mp_buf words = {0};
    mp_err err = mp_sql_exec_ints(c, drop, &id, 1, why);
    sqlite3_stmt *s = err ? NULL : mp_sql_get(c, name_of, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, id);
        if (mp_sql_row(c, s, &err, why))
            add_name_words(&words, (const char *)sqlite3_column_text(s, 0));
        sqlite3_reset(s);
    }
    s = err ? NULL : mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, id);
        mp_sql_bind_text(s, 2, words.p);
        err = mp_sql_run(c, s, why);
    }
    mp_buf_free(&words);
    return err;
}

/* "red" OR "shoe": every run of letters, digits and non-ASCII bytes, quoted. Words that say
 * nothing of a picture are left out unless there are no others. */
static bool is_filler(const char *word, size_t n)
{
    static const char *const fillers[] = {"a",  "an",  "the",   "of",      "in",   "on",
                                          "at", "to",  "is",    "are",     "with", "and",
                                          "or", "for", "photo", "picture", "image"};
    for (size_t i = 0; i < MP_COUNT(fillers); i++)
        if (strlen(fillers[i]) == n && strncasecmp(fillers[i], word, n) == 0)
            return true;
    return false;
}

static void add_words(mp_buf *out, const char *text, bool fillers)
{
    while (*text) {
        size_t n = 0;
        while (text[n] && ((unsigned char)text[n] >= 128 || isalnum((unsigned char)text[n])))
            n++;
        if (n && (fillers || !is_filler(text, n)))
            mp_buf_printf(out, "%s\"%.*s\"", out->n ? " OR " : "", (int)n, text);
        text += n ? n : 1;
    }
}

/* The statement is made for its filter: prepared and finalised here, not cached. */
static mp_err prepare_search(conn *c, const char *query, const mp_filter *filter, size_t limit,
                             sqlite3_stmt **out, mp_why *why)
{
    sql_filter f = {0};
    mp_buf sql = {0};
    *out = NULL;
    mp_err err = mp_sql_filter_make(filter, &f, why);
    if (err)
        return err;
    mp_buf_printf(&sql,
                  "SELECT item_text.rowid, -bm25(item_text, 2.0, 4.0, 1.0, 4.0) AS score "
                  "FROM item_text JOIN asset a ON a.id = item_text.rowid "
                  "JOIN version v ON v.id = a.version_id WHERE %s AND item_text MATCH ? "
                  "ORDER BY score DESC, item_text.rowid LIMIT ?",
                  f.text.p);
    int code = sqlite3_prepare_v2(c->db, sql.p, -1, out, NULL);
    if (code != SQLITE_OK) {
        err = mp_sql_fail(c->db, code, "cannot prepare a search", why);
    } else {
        mp_sql_filter_bind(&f, *out, 1);
        sqlite3_bind_text(*out, f.n + 1, query, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(*out, f.n + 2, (int64_t)limit);
    }
    mp_buf_free(&sql);
    mp_buf_free(&f.text);
    return err;
}

mp_err mp_meta_search_text(mp_meta *m, const char *words, const mp_filter *filter, size_t limit,
                           mp_text_hit **out, size_t *n, mp_why *why)
{
    mp_buf query = {0};
    conn *c = NULL;
    size_t count = 0;
    sqlite3_stmt *s = NULL;
    *out = NULL;
    *n = 0;
    add_words(&query, words, false);
    if (!query.n)
        add_words(&query, words, true);
    mp_text_hit *hits = mp_try_array(limit, sizeof *hits);
    mp_err err = hits ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu results", limit);
    if (!err && query.n)
        err = mp_sql_reader(m, &c, why);
    if (!err && query.n)
        err = prepare_search(c, query.p, filter, limit, &s, why);
    while (s && count < limit && mp_sql_row(c, s, &err, why)) {
        /* bm25 can be slightly negative when a word is in most rows: a match is still a match. */
        float score = (float)sqlite3_column_double(s, 1);
        hits[count++] = (mp_text_hit){sqlite3_column_int64(s, 0), MP_MAX(score, 1e-6f)};
    }
    sqlite3_finalize(s);
    mp_sql_release(m, c);
    mp_buf_free(&query);
    if (err) {
        free(hits);
        return err;
    }
    *out = hits;
    *n = count;
    return MP_OK;
}
