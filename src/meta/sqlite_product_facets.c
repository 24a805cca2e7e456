/* sqlite_product_facets.c - what a set of products is made of: categories, currencies, prices. All
 * figures are of one state of the data: one read transaction. */
#include "meta/sqlite_product.h"

/* ---- values with their counts ---- */

static mp_err read_values(conn *c, const char *head, const char *tail, const product_condition *q,
                          size_t limit, mp_arena *arena, const mp_facet_value **out, size_t *n,
                          mp_why *why)
{
    sqlite3_stmt *s = NULL;
    mp_facet_value *values = mp_arena_alloc(arena, limit * sizeof *values);
    if (!values)
        return mp_fail(why, MP_NOMEM, "no memory for the facets");
    mp_err err = mp_sql_product_prepare(c, head, q, tail, &s, why);
    while (!err && *n < limit && mp_sql_row(c, s, &err, why)) {
        mp_str name = {(const char *)sqlite3_column_text(s, 0), (size_t)sqlite3_column_bytes(s, 0)};
        values[*n] =
            (mp_facet_value){mp_arena_strdup(arena, name), (uint64_t)sqlite3_column_int64(s, 1)};
        if (values[(*n)++].name == NULL)
            err = mp_fail(why, MP_NOMEM, "no memory for the facets");
    }
    sqlite3_finalize(s);
    *out = values;
    return err;
}

/* ---- prices ---- */

static mp_err read_totals(conn *c, const product_condition *q, mp_product_facets *out, mp_why *why)
{
    sqlite3_stmt *s = NULL;
    mp_err err = mp_sql_product_prepare(
        c, "SELECT count(*), count(p.price_e4), min(p.price_e4), max(p.price_e4) FROM product p", q,
        "", &s, why);
    if (!err && mp_sql_row(c, s, &err, why)) {
        out->products = (uint64_t)sqlite3_column_int64(s, 0);
        out->priced = (uint64_t)sqlite3_column_int64(s, 1);
        out->price_min_e4 = sqlite3_column_int64(s, 2);
        out->price_max_e4 = sqlite3_column_int64(s, 3);
    }
    sqlite3_finalize(s);
    return err;
}

/* The smallest 1, 2 or 5 times a power of ten of which MP_PRICE_BUCKETS cover low..high; whole
 * units when there is only one price. */
static int64_t bucket_width(int64_t low, int64_t high)
{
    static const int64_t steps[] = {1, 2, 5};
    for (int64_t power = low == high ? 10000 : 1;; power *= 10)
        for (size_t i = 0; i < MP_COUNT(steps); i++) {
            int64_t width = steps[i] * power;
            if (high / width - low / width < MP_PRICE_BUCKETS)
                return width;
        }
}

static mp_err read_buckets(conn *c, const product_condition *q, mp_product_facets *out, mp_why *why)
{
    sqlite3_stmt *s = NULL;
    mp_buf head = {0};
    if (!out->priced)
        return MP_OK;
    int64_t width = bucket_width(out->price_min_e4, out->price_max_e4);
    int64_t first = out->price_min_e4 / width;
    out->n_buckets = (size_t)(out->price_max_e4 / width - first) + 1;
    for (size_t i = 0; i < out->n_buckets; i++) {
        int64_t low = (first + (int64_t)i) * width;
        out->bucket[i] = (mp_price_bucket){.low_e4 = low, .high_e4 = low + width};
    }
    mp_buf_printf(&head, "SELECT p.price_e4 / %lld, count(*) FROM product p", (long long)width);
    mp_err err =
        mp_sql_product_prepare(c, head.p, q, "AND p.price_e4 IS NOT NULL GROUP BY 1", &s, why);
    mp_buf_free(&head);
    while (!err && mp_sql_row(c, s, &err, why)) {
        size_t at = (size_t)(sqlite3_column_int64(s, 0) - first);
        if (at < out->n_buckets)
            out->bucket[at].count = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    return err;
}

/* ---- all of it ---- */

static mp_err read_facets(conn *c, const product_condition *q, size_t top, mp_arena *arena,
                          mp_product_facets *out, mp_why *why)
{
    mp_err err = read_totals(c, q, out, why);
    if (!err)
        err = read_buckets(c, q, out, why);
    if (!err)
        err = read_values(c, "SELECT p.category, count(*) FROM product p",
                          "GROUP BY p.category ORDER BY count(*) DESC, p.category", q,
                          MP_MIN(top, (size_t)MP_FACET_CATEGORIES_MAX), arena, &out->categories,
                          &out->n_categories, why);
    if (!err)
        err = read_values(c, "SELECT p.currency, count(*) FROM product p",
                          "GROUP BY p.currency ORDER BY count(*) DESC, p.currency", q,
                          MP_FACET_CURRENCIES, arena, &out->currencies, &out->n_currencies, why);
    return err;
}

mp_err mp_meta_product_facets(mp_meta *m, const mp_product_filter *filter, const int64_t *ids,
                              size_t n_ids, size_t top, mp_arena *arena, mp_product_facets *out,
                              mp_why *why)
{
    conn *c;
    product_condition q = {0};
    *out = (mp_product_facets){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_product_condition(filter, ids, n_ids, &q, why);
    if (!err) {
        int code = sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL);
        err = code == SQLITE_OK ? read_facets(c, &q, top, arena, out, why)
                                : mp_sql_fail(c->db, code, "read", why);
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    }
    mp_sql_product_condition_free(&q);
    mp_sql_release(m, c);
    if (err)
        *out = (mp_product_facets){0};
    return err;
}
