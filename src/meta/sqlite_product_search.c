/* sqlite_product_search.c - full-text search over products: titles, descriptions, categories,
 * external ids (FTS5, bm25). What a person types is never parsed as FTS syntax: each word is
 * quoted. */
#include "meta/sqlite_product.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_WORDS = 64 }; /* of a query; the rest is passed over */

static bool is_filler(const char *word, size_t n)
{
    static const char fillers[][5] = {"a",  "an", "the", "of",  "in", "on",  "at",
                                      "to", "is", "are", "and", "or", "for", "with"};
    for (size_t i = 0; i < MP_COUNT(fillers); i++)
        if (strlen(fillers[i]) == n && strncasecmp(fillers[i], word, n) == 0)
            return true;
    return false;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (text[n] && ((unsigned char)text[n] >= 128 || isalnum((unsigned char)text[n])))
        n++;
    return n;
}

/* "red" OR "shoe"; words that every text has are left out unless there are no others. */
static void match_any(const char *words, bool fillers, mp_buf *out)
{
    int taken = 0;
    while (*words && taken < MOST_WORDS) {
        size_t n = word_length(words);
        if (n && (fillers || !is_filler(words, n))) {
            mp_buf_str(out, taken++ ? " OR \"" : "\"");
            mp_buf_add(out, words, n);
            mp_buf_str(out, "\"");
        }
        words += n ? n : 1;
    }
}

/* The words are the parameter after those of the filter. */
static mp_err search(conn *c, const char *match, const product_condition *q, size_t limit,
                     mp_text_hit *hits, size_t *n, mp_why *why)
{
    sqlite3_stmt *s = NULL;
    mp_buf tail = {0};
    mp_buf_printf(&tail, "AND product_text MATCH ?%d ORDER BY score DESC, p.id LIMIT ?%d",
                  q->f.n + 1, q->f.n + 2);
    mp_err err = mp_sql_product_prepare(
        c,
        /* CROSS: the words are looked up once, whatever the planner thinks of the filter. */
        "SELECT p.id, -bm25(product_text, 8.0, 1.0, 3.0, 4.0) AS score FROM product_text "
        "CROSS JOIN product p ON p.id = product_text.rowid",
        q, tail.p, &s, why);
    mp_buf_free(&tail);
    if (err)
        return err;
    sqlite3_bind_text(s, q->f.n + 1, match, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, q->f.n + 2, (int64_t)limit);
    while (*n < limit && mp_sql_row(c, s, &err, why)) {
        /* Next to nothing when a word is in most rows: a match is still a match. */
        float score = (float)sqlite3_column_double(s, 1);
        hits[(*n)++] = (mp_text_hit){sqlite3_column_int64(s, 0), MP_MAX(score, 1e-6f)};
    }
    sqlite3_finalize(s);
    return err;
}

mp_err mp_meta_search_products(mp_meta *m, const char *words, const mp_product_filter *filter,
                               size_t limit, mp_text_hit **out, size_t *n, mp_why *why)
{
    conn *c = NULL;
    mp_buf match = {0};
    product_condition q = {0};
    size_t count = 0;
    mp_text_hit *hits = NULL;
    *out = NULL;
    *n = 0;
    if (limit == 0 || limit > MP_PRODUCT_HITS_MAX)
        return mp_fail(why, MP_INVALID, "limit: it must be between 1 and %d", MP_PRODUCT_HITS_MAX);
    match_any(words, false, &match);
    if (!match.n)
        match_any(words, true, &match);
    mp_err err = mp_sql_product_condition(filter, NULL, 0, &q, why);
    if (!err) {
        hits = mp_try_array(limit, sizeof *hits);
        if (!hits)
            err = mp_fail(why, MP_NOMEM, "no memory for %zu results", limit);
    }
    if (!err && match.n) {
        err = mp_sql_reader(m, &c, why);
        if (!err)
            err = search(c, match.p, &q, limit, hits, &count, why);
        mp_sql_release(m, c);
    }
    mp_buf_free(&match);
    mp_sql_product_condition_free(&q);
    if (err) {
        free(hits);
        return err;
    }
    *out = hits;
    *n = count;
    return MP_OK;
}
