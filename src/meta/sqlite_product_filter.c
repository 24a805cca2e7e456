/* sqlite_product_filter.c - a filter of products as a SQL condition with bound parameters. No text
 * of the user's ever becomes part of the statement. */
#include "meta/sqlite_product.h"

#include <inttypes.h>

static int add_number(sql_filter *f, int64_t number)
{
    f->arg[f->n].text = NULL;
    f->arg[f->n].number = number;
    return ++f->n;
}

static int add_text(sql_filter *f, const char *text)
{
    f->arg[f->n].text = text;
    return ++f->n;
}

static void add_ids(mp_buf *json, const int64_t *ids, size_t n)
{
    mp_buf_str(json, "[");
    for (size_t i = 0; i < n; i++)
        mp_buf_printf(json, "%s%" PRId64, i ? "," : "", ids[i]);
    mp_buf_str(json, "]");
}

/* One project is the common case, and as an equality it lets an index give the order too. */
static void project_test(const mp_product_filter *filter, product_condition *q)
{
    if (filter->all_projects)
        return;
    if (filter->n_projects == 1) {
        mp_buf_printf(&q->f.text, " AND p.project_id = ?%d",
                      add_number(&q->f, filter->projects[0]));
        return;
    }
    add_ids(&q->projects, filter->projects, filter->n_projects);
    mp_buf_printf(&q->f.text, " AND p.project_id IN (SELECT value FROM json_each(?%d))",
                  add_text(&q->f, q->projects.p));
}

static void category_test(const mp_product_filter *filter, product_condition *q)
{
    for (size_t i = 0; i < filter->n_categories; i++)
        mp_buf_printf(&q->f.text, "%s?%d", i ? ", " : " AND p.category IN (",
                      add_text(&q->f, filter->categories[i]));
    if (filter->n_categories)
        mp_buf_str(&q->f.text, ")");
}

static void state_test(unsigned states, product_condition *q)
{
    const char *before = " AND p.index_state IN (";
    for (int i = MP_INDEX_NONE; i <= MP_INDEX_FAILED; i++) {
        if (!(states >> i & 1))
            continue;
        mp_buf_printf(&q->f.text, "%s%d", before, i);
        before = ", ";
    }
    mp_buf_str(&q->f.text, states ? ")" : "");
}

static void price_test(const mp_product_filter *f, product_condition *q)
{
    if (f->has_min) /* not below 0, where PRICE_DOWN has what has no price */
        mp_buf_printf(&q->f.text, " AND " PRICE_DOWN " >= ?%d",
                      add_number(&q->f, MP_MAX(f->price_min_e4, INT64_C(0))));
    if (f->has_max)
        mp_buf_printf(&q->f.text, " AND " PRICE_UP " <= ?%d",
                      add_number(&q->f, MP_MIN(f->price_max_e4, MP_PRICE_E4_MAX)));
}

mp_err mp_sql_product_condition(const mp_product_filter *filter, const int64_t *ids, size_t n_ids,
                                product_condition *q, mp_why *why)
{
    static const mp_product_filter all = {.all_projects = true};
    const mp_product_filter *f = filter ? filter : &all;
    *q = (product_condition){0};
    if (f->n_categories > MP_FILTER_CATEGORIES)
        return mp_fail(why, MP_INVALID, "category: a filter takes at most %d of them",
                       MP_FILTER_CATEGORIES);
    if (f->index_states >> (MP_INDEX_FAILED + 1))
        return mp_fail(why, MP_INVALID, "index_state: the filter names one that does not exist");
    mp_buf *text = &q->f.text;
    mp_buf_str(text, "1");
    project_test(f, q);
    category_test(f, q);
    state_test(f->index_states, q);
    price_test(f, q);
    if (f->currency)
        mp_buf_printf(text, " AND p.currency = ?%d", add_text(&q->f, f->currency));
    if (f->external_id_part)
        mp_buf_printf(text, " AND instr(lower(p.external_id), lower(?%d)) > 0",
                      add_text(&q->f, f->external_id_part));
    if (f->has_picture != MP_ANY)
        mp_buf_str(text, f->has_picture == MP_YES ? " AND p.asset_id IS NOT NULL"
                                                  : " AND p.asset_id IS NULL");
    if (ids) {
        add_ids(&q->ids, ids, n_ids);
        mp_buf_printf(text, " AND p.id IN (SELECT value FROM json_each(?%d))",
                      add_text(&q->f, q->ids.p));
    }
    return MP_OK;
}

void mp_sql_product_condition_free(product_condition *q)
{
    mp_buf_free(&q->f.text);
    mp_buf_free(&q->projects);
    mp_buf_free(&q->ids);
}

mp_err mp_sql_product_prepare(conn *c, const char *head, const product_condition *q,
                              const char *tail, sqlite3_stmt **out, mp_why *why)
{
    mp_buf sql = {0};
    mp_buf_printf(&sql, "%s WHERE %s %s", head, q->f.text.p, tail);
    int code = sqlite3_prepare_v2(c->db, sql.p, -1, out, NULL);
    mp_buf_free(&sql);
    if (code != SQLITE_OK)
        return mp_sql_fail(c->db, code, "cannot prepare a query", why);
    mp_sql_filter_bind(&q->f, *out, 1);
    return MP_OK;
}
