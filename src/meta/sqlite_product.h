/* sqlite_product.h - what the files sqlite_product*.c share: reading a row, and a filter of
 * products as a SQL condition. */
#ifndef MP_SQLITE_PRODUCT_H
#define MP_SQLITE_PRODUCT_H

#include "meta/products.h"
#include "meta/sqlite.h"

/* The columns of product p that mp_sql_read_product reads, from the first one on. */
#define PRODUCT_COLUMNS                                                                            \
    "p.id, p.project_id, p.external_id, p.title, p.description, p.category, p.price_e4, "          \
    "p.currency, p.image_url, p.metadata, p.asset_id, p.index_state, p.index_error, "              \
    "p.created_ms, p.updated_ms"

/* The price as 0005_products.sql indexes it: what has none is beyond all that have one. */
#define PRICE_UP   "coalesce(p.price_e4, 10000000000000)" /* MP_PRICE_E4_MAX + 1 */
#define PRICE_DOWN "coalesce(p.price_e4, -1)"

/* NOMEM when the arena is full: a text is whole or the row is not read. */
MP_CHECK mp_err mp_sql_read_product(sqlite3_stmt *s, mp_arena *arena, mp_product *out, mp_why *why);
/* The one row of a statement that has its values, which is reset; found says whether there was one.
 */
MP_CHECK mp_err mp_sql_take_product(conn *c, sqlite3_stmt *s, mp_arena *arena, mp_product *out,
                                    bool *found, mp_why *why);
/* Within a transaction or not; out->id 0 when there is none. */
MP_CHECK mp_err mp_sql_get_product(conn *c, int64_t id, mp_arena *arena, mp_product *out,
                                   mp_why *why);

/* A condition over `p` (product) with its parameters. Owns what its arguments point to, but for the
 * filter's own texts. */
typedef struct product_condition {
    sql_filter f;
    mp_buf projects, ids; /* JSON arrays: sets of any size are one parameter each */
} product_condition;
/* ids NULL: whichever. Free it also after a failure. */
MP_CHECK mp_err mp_sql_product_condition(const mp_product_filter *filter, const int64_t *ids,
                                         size_t n_ids, product_condition *out, mp_why *why);
void mp_sql_product_condition_free(product_condition *q);
/* "head WHERE condition tail", prepared and bound; the caller finalises. The tail's parameters are
 * numbered from q->f.n + 1. */
MP_CHECK mp_err mp_sql_product_prepare(conn *c, const char *head, const product_condition *q,
                                       const char *tail, sqlite3_stmt **out, mp_why *why);

#endif
