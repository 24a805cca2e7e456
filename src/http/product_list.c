/* product_list.c - which products are meant: filters, pages and facets. */
#include "http/products.h"

#include "http/items.h"
#include "http/server.h"

#include "core/ports.h"

#include <string.h>

enum { CATEGORIES = 20 };

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

static bool read_bound(mp_request *r, const char *name, const char *text, bool *has, int64_t *e4)
{
    mp_why why = {0};
    if (!text || !*text)
        return true;
    *has = mp_price_parse(mp_str_of(text), e4, &why) == MP_OK;
    if (!*has)
        mp_reply_problem(r, 422, "%s: %s", name, why.text);
    return *has;
}

/* Names by commas; a backslash keeps the comma or the backslash behind it in a name. False with a
 * 422 made: too many. */
static bool split(mp_request *r, const char *text, mp_product_filter *out)
{
    const char **list = mp_arena_alloc(r->arena, CATEGORIES * sizeof *list);
    char *name = mp_arena_alloc(r->arena, strlen(text) + 1), *end = name;
    size_t n = 0;
    for (const char *at = text; list && name && *at; name = end) {
        while (*at && *at != ',') {
            at += *at == '\\' && (at[1] == ',' || at[1] == '\\');
            *end++ = *at++;
        }
        at += *at == ',';
        if (end == name)
            continue;
        if (n == CATEGORIES) {
            mp_reply_problem(r, 422, "category: at most %d of them", CATEGORIES);
            return false;
        }
        *end++ = '\0';
        list[n++] = name;
    }
    out->categories = list;
    out->n_categories = n;
    return true;
}

bool mp_product_filter_of(mp_request *r, mp_text_of text_of, int64_t project,
                          mp_product_filter *out)
{
    const char *categories = text_of(r, "category"), *currency = text_of(r, "currency");
    *out = (mp_product_filter){.all_projects = r->access.all && !project,
                               .currency = currency && *currency ? currency : NULL};
    if (categories && !split(r, categories, out))
        return false;
    if (!read_bound(r, "price_min", text_of(r, "price_min"), &out->has_min, &out->price_min_e4) ||
        !read_bound(r, "price_max", text_of(r, "price_max"), &out->has_max, &out->price_max_e4))
        return false;
    if (out->all_projects)
        return true;
    if (project && !mp_project_reached(r, project, false))
        return false;
    size_t n = project ? 1 : r->access.n;
    int64_t *ids = mp_arena_alloc(r->arena, (n + 1) * sizeof *ids);
    for (size_t i = 0; ids && !project && i < n; i++)
        ids[i] = r->access.reach[i].project_id;
    if (ids && project)
        ids[0] = project;
    out->projects = ids;
    out->n_projects = ids ? n : 0;
    return true;
}

static const char *of_query(mp_request *r, const char *name)
{
    return mp_request_query(r, name);
}

static json_t *facet_list(const mp_facet_value *list, size_t n)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:s, s:I}", "value", list[i].name, "count",
                                              (json_int_t)list[i].count));
    return rows;
}

static json_t *price_text(int64_t e4)
{
    char text[MP_PRICE_TEXT];
    mp_price_format(MP_MIN(e4, MP_PRICE_E4_MAX), text);
    return json_string(text);
}

json_t *mp_facets_json(const mp_product_facets *f)
{
    json_t *buckets = json_array();
    for (size_t i = 0; i < f->n_buckets; i++)
        json_array_append_new(buckets,
                              json_pack("{s:o, s:o, s:I}", "from", price_text(f->bucket[i].low_e4),
                                        "to", price_text(f->bucket[i].high_e4), "count",
                                        (json_int_t)f->bucket[i].count));
    return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}}", "categories",
                     facet_list(f->categories, f->n_categories), "currencies",
                     facet_list(f->currencies, f->n_currencies), "price", "min",
                     f->priced ? price_text(f->price_min_e4) : json_null(), "max",
                     f->priced ? price_text(f->price_max_e4) : json_null(), "buckets", buckets);
}

static bool read_list(mp_request *r, mp_product_page *page, mp_product_filter *filter)
{
    long long limit;
    int64_t project;
    int sort, order, picture;
    if (!mp_request_number(r, "limit", 1, MP_PRODUCT_PAGE_MAX, 50, &limit) ||
        !mp_query_project(r, &project) ||
        !mp_request_choice(r, "sort", "id|title|price|created|updated", &sort) ||
        !mp_request_choice(r, "order", "asc|desc", &order) ||
        !mp_request_choice(r, "has_picture", "any|yes|no", &picture) ||
        !mp_product_filter_of(r, of_query, project, filter))
        return false;
    filter->has_picture = (mp_any_yes_no)picture;
    filter->external_id_part = mp_request_query(r, "external_id");
    *page = (mp_product_page){.filter = filter,
                              .sort = (mp_product_sort)sort,
                              .descending = order == 1,
                              .after = mp_request_query(r, "cursor"),
                              .limit = (size_t)limit};
    return true;
}

void mp_handle_list_products(mp_request *r)
{
    mp_product_filter filter;
    mp_product_page page;
    mp_product *list;
    mp_product_facets facets;
    size_t n;
    const char *next;
    uint64_t total;
    mp_why why = {0};
    int with_facets;
    if (!mp_request_choice(r, "facets", "no|yes", &with_facets) || !read_list(r, &page, &filter))
        return;
    mp_err err = mp_meta_list_products(meta_of(r), &page, r->arena, &list, &n, &next, &why);
    if (!err)
        err = mp_meta_count_products(meta_of(r), &filter, &total, &why);
    if (!err && with_facets)
        err = mp_meta_product_facets(meta_of(r), &filter, NULL, 0, 50, r->arena, &facets, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, mp_product_json(r, &list[i]));
    json_t *o = json_pack("{s:o, s:I, s:s?}", "products", rows, "total", (json_int_t)total,
                          "next_cursor", *next ? next : NULL);
    if (with_facets)
        json_object_set_new(o, "facets", mp_facets_json(&facets));
    mp_reply_json(r, 200, o);
}
