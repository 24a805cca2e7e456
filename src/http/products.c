/* products.c - the catalogue over HTTP: made, read, changed, removed, and given pictures. */
#include "http/products.h"

#include "http/body.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CATEGORIES = 20 };

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

/* ---- JSON ---- */

static json_t *price_json(const mp_product *p)
{
    char text[MP_PRICE_TEXT];
    if (!p->has_price)
        return json_null();
    mp_price_format(p->price_e4, text);
    return json_string(text);
}

json_t *mp_product_json(mp_request *r, const mp_product *p)
{
    static const char *const states[] = {"none", "queued", "indexed", "failed"};
    json_t *metadata = json_loads(p->metadata, 0, NULL);
    json_t *o = json_pack(
        "{s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o}", "id", (json_int_t)p->id, "project_id",
        (json_int_t)p->project_id, "external_id", p->external_id, "title", p->title, "description",
        p->description, "category", p->category, "price", price_json(p), "currency", p->currency,
        "image_url", p->image_url, "metadata", metadata ? metadata : json_object());
    json_object_set_new(o, "image_id",
                        p->asset_id
                            ? json_string(mp_request_text(r, "%lld", (long long)p->asset_id))
                            : json_null());
    json_object_set_new(o, "preview_url",
                        p->asset_id ? json_string(mp_preview_url(r, p->asset_id)) : json_null());
    json_object_set_new(o, "index_state", json_string(states[p->index_state]));
    json_object_set_new(o, "index_error", json_string(p->index_error));
    json_object_set_new(o, "created_at", mp_time_json(p->created_ms));
    json_object_set_new(o, "updated_at", mp_time_json(p->updated_ms));
    return o;
}

/* ---- which one ---- */

bool mp_product_asked(mp_request *r, bool write, mp_product *out)
{
    char *end;
    mp_why why = {0};
    errno = 0;
    int64_t id = *r->param[0] >= '1' && *r->param[0] <= '9' ? strtoll(r->param[0], &end, 10) : 0;
    mp_err err = id && !*end && !errno ? mp_meta_get_product(meta_of(r), id, r->arena, out, &why)
                                       : MP_NOT_FOUND;
    if (err && err != MP_NOT_FOUND) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    if (err || !mp_access_may(&r->access, out->project_id, false)) {
        mp_reply_problem(r, 404, "there is no such product");
        return false;
    }
    return !write || mp_project_reached(r, out->project_id, true);
}

void mp_handle_get_product(mp_request *r)
{
    mp_product p;
    if (mp_product_asked(r, false, &p))
        mp_reply_json(r, 200, mp_product_json(r, &p));
}

/* ---- writing ---- */

/* A price is a number or its text, which alone is exact. */
static bool read_price(mp_request *r, const json_t *value, mp_product *p)
{
    char digits[64];
    mp_why why = {0};
    const char *text = json_string_value(value);
    if (json_is_null(value))
        return true;
    if (json_is_integer(value))
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(digits, sizeof digits, "%.4f", json_real_value(value));
    else if (!text) {
        mp_reply_problem(r, 422, "price must be a number or its text");
        return false;
    }
    if (mp_price_parse(mp_str_of(text ? text : digits), &p->price_e4, &why)) {
        mp_reply_problem(r, 422, "price: %s", why.text);
        return false;
    }
    p->has_price = true;
    return true;
}

static const struct text_field {
    const char *name;
    unsigned bit;
    size_t at;
} texts[] = {
    {"external_id", MP_PRODUCT_EXTERNAL_ID, offsetof(mp_product, external_id)},
    {"title", MP_PRODUCT_TITLE, offsetof(mp_product, title)},
    {"description", MP_PRODUCT_DESCRIPTION, offsetof(mp_product, description)},
    {"category", MP_PRODUCT_CATEGORY, offsetof(mp_product, category)},
    {"currency", MP_PRODUCT_CURRENCY, offsetof(mp_product, currency)},
    {"image_url", MP_PRODUCT_IMAGE_URL, offsetof(mp_product, image_url)},
};

/* The members of the body as fields; *metadata is to be freed. */
static bool read_fields(mp_request *r, mp_product *p, unsigned *fields, char **metadata)
{
    const json_t *value;
    *metadata = NULL;
    for (size_t i = 0; i < MP_COUNT(texts); i++)
        if ((value = json_object_get(r->json, texts[i].name))) {
            const char *text = json_string_value(value);
            memcpy((char *)p + texts[i].at, &text, sizeof text);
            *fields |= texts[i].bit;
        }
    if ((value = json_object_get(r->json, "price"))) {
        *fields |= MP_PRODUCT_PRICE;
        if (!read_price(r, value, p))
            return false;
    }
    if ((value = json_object_get(r->json, "metadata"))) {
        *fields |= MP_PRODUCT_METADATA;
        *metadata = json_dumps(value, JSON_COMPACT);
        p->metadata = *metadata;
    }
    mp_why why = {0};
    if (*p->image_url && mp_net_check_url(p->image_url, r->service->allow, &why)) {
        mp_reply_problem(r, 422, "image_url: %s", why.text);
        return false;
    }
    return true;
}

#define PRODUCT_MEMBERS                                                                            \
    {"external_id", JSON_STRING, false, 1, MP_EXTERNAL_ID_MAX},                                    \
        {"title", JSON_STRING, false, 1, MP_TITLE_MAX},                                            \
        {"description", JSON_STRING, false, 0, MP_DESCRIPTION_MAX},                                \
        {"category", JSON_STRING, false, 0, MP_CATEGORY_MAX}, {"price", MP_JSON_ANY, false, 0, 0}, \
        {"currency", JSON_STRING, false, 0, 3},                                                    \
        {"image_url", JSON_STRING, false, 0, MP_IMAGE_URL_MAX},                                    \
    {                                                                                              \
        "metadata", JSON_OBJECT, false, 0, 0                                                       \
    }

int64_t mp_product_queue(mp_request *r, int64_t project, const int64_t *ids, size_t n)
{
    mp_why why = {0};
    int64_t job_id = 0;
    json_t *params;
    bool one = ids && n == 1;
    if (one) {
        params = json_pack("{s:I}", "product_id", (json_int_t)ids[0]);
    } else {
        params = json_object();
        json_t *list = ids ? json_array() : NULL;
        for (size_t i = 0; list && i < n; i++)
            json_array_append_new(list, json_integer(ids[i]));
        if (list)
            json_object_set_new(params, "product_ids", list);
    }
    char *text = json_dumps(params, JSON_COMPACT);
    mp_job job = {.type = one ? "index_product" : "batch_index_products",
                  .project_id = project,
                  .user_id = r->user.id,
                  .params = text ? text : "{}"};
    mp_err err = mp_meta_add_job(meta_of(r), &job, &job_id, NULL, &why);
    if (err)
        mp_log(MP_LOG_WARN, "no job to index products: %s", why.text);
    else if (r->service->worker)
        mp_worker_wake(r->service->worker);
    free(text);
    json_decref(params);
    return err ? 0 : job_id;
}

static void send_product(mp_request *r, int status, int64_t id, int64_t job_id)
{
    mp_product p;
    mp_why why = {0};
    mp_err err = mp_meta_get_product(meta_of(r), id, r->arena, &p, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *o = mp_product_json(r, &p);
    if (job_id)
        json_object_set_new(o, "job_id", json_integer(job_id));
    mp_reply_json(r, status, o);
}

static void write_product(mp_request *r, mp_product *p, unsigned fields, int status)
{
    mp_why why = {0};
    char *metadata = NULL;
    mp_product now;
    if (!read_fields(r, p, &fields, &metadata)) {
        free(metadata);
        return;
    }
    mp_err err = mp_meta_put_product(meta_of(r), p, fields, &why);
    free(metadata);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    err = mp_meta_get_product(meta_of(r), p->id, r->arena, &now, &why);
    int64_t job = !err && now.index_state == MP_INDEX_QUEUED
                      ? mp_product_queue(r, now.project_id, &now.id, 1)
                      : 0;
    send_product(r, status, p->id, job);
}

void mp_handle_add_product(mp_request *r)
{
    static const mp_member members[] = {PRODUCT_MEMBERS,
                                        {"project_id", JSON_INTEGER, false, 1, 9e15}};
    mp_product p = {.external_id = "",
                    .title = "",
                    .description = "",
                    .category = "",
                    .currency = "",
                    .image_url = "",
                    .metadata = "{}"};
    uint8_t random[8];
    char hex[17];
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    if (!json_object_get(r->json, "title")) {
        mp_reply_problem(r, 422, "title is missing");
        return;
    }
    if (!mp_project_to_write(r, json_integer_value(json_object_get(r->json, "project_id")),
                             &p.project_id))
        return;
    mp_random_bytes(random, sizeof random);
    mp_hex(random, sizeof random, hex);
    p.external_id = hex; /* unless the body names one */
    write_product(r, &p, MP_PRODUCT_EXTERNAL_ID, 201);
}

void mp_handle_change_product(mp_request *r)
{
    static const mp_member members[] = {PRODUCT_MEMBERS};
    mp_product was;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_product_asked(r, true, &was))
        return;
    mp_product p = {.id = was.id,
                    .external_id = "",
                    .title = "",
                    .description = "",
                    .category = "",
                    .currency = "",
                    .image_url = "",
                    .metadata = "{}"};
    unsigned fields = 0;
    if (r->method == MP_PUT) { /* all of it: what is not said is empty */
        if (!json_object_get(r->json, "title")) {
            mp_reply_problem(r, 422, "title is missing");
            return;
        }
        fields = MP_PRODUCT_CATALOGUE & ~(unsigned)MP_PRODUCT_EXTERNAL_ID;
    }
    write_product(r, &p, fields, 200);
}

void mp_handle_delete_product(mp_request *r)
{
    mp_product p;
    mp_why why = {0};
    if (!mp_product_asked(r, true, &p))
        return;
    mp_err err = mp_meta_remove_products(meta_of(r), &p.id, 1, NULL, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

/* ---- pictures ---- */

void mp_handle_product_image(mp_request *r)
{
    mp_product p;
    magpie_why why = {0};
    const mp_part *file = NULL;
    magpie_outcome outcome;
    int64_t item;
    if (!mp_product_asked(r, true, &p))
        return;
    for (size_t i = 0; i < r->n_parts; i++)
        file = r->parts[i].file_name && !file ? &r->parts[i] : file;
    if (!file || !file->bytes) {
        mp_reply_problem(r, 422, "there is no file in the body");
        return;
    }
    const char *slash = strrchr(file->file_name, '/');
    const char *name = slash ? slash + 1 : file->file_name;
    magpie_put put = {.name = *name ? name : p.external_id,
                      .title = p.title,
                      .project = p.project_id,
                      .user = r->user.id,
                      .given = true};
    if (strchr(put.name, '/') || strlen(put.name) > 255)
        put.name = "product";
    magpie_err err = magpie_add_fd(r->service->library, file->fd, &put, &item, &outcome, &why);
    if (!err)
        err = (magpie_err)mp_meta_set_product_asset(meta_of(r), p.id, item, NULL,
                                                    (mp_why *)(void *)&why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        send_product(r, 200, p.id, 0);
}

void mp_handle_index_product(mp_request *r)
{
    mp_product p;
    int64_t id;
    if (!mp_product_asked(r, true, &p))
        return;
    if (!*p.image_url) {
        mp_reply_problem(r, 409, "the product has no image_url to fetch");
        return;
    }
    mp_job job = {.type = "index_product", .project_id = p.project_id};
    job.params = mp_request_text(r, "{\"product_id\":%lld}", (long long)p.id);
    (void)mp_job_start(r, &job, &id);
}

/* Many: those that are named and may be written to, else all that wait. */
void mp_handle_index_products(mp_request *r)
{
    static const mp_member members[] = {{"product_ids", JSON_ARRAY, false, 0, 0},
                                        {"project_id", JSON_INTEGER, false, 1, 9e15}};
    mp_job job = {.type = "batch_index_products"};
    int64_t id;
    size_t i;
    const json_t *one;
    if (!mp_body_read(r, members, MP_COUNT(members)) ||
        !mp_project_to_write(r, json_integer_value(json_object_get(r->json, "project_id")),
                             &job.project_id))
        return;
    json_t *ids = json_object_get(r->json, "product_ids");
    json_array_foreach(ids, i, one)
    {
        mp_product p;
        if (!json_is_integer(one) || i >= 10000 ||
            mp_meta_get_product(meta_of(r), json_integer_value(one), r->arena, &p, NULL) ||
            p.project_id != job.project_id) {
            mp_reply_problem(r, 422, "product_ids are at most 10000 products of the project");
            return;
        }
    }
    json_t *params = ids ? json_pack("{s:O}", "product_ids", ids) : json_object();
    char *text = json_dumps(params, JSON_COMPACT);
    job.params = text;
    (void)mp_job_start(r, &job, &id);
    free(text);
    json_decref(params);
}

void mp_handle_reindex_products(mp_request *r)
{
    static const mp_member members[] = {{"project_id", JSON_INTEGER, false, 1, 9e15}};
    mp_job job = {.type = "reindex_all_products"};
    int64_t id;
    if (mp_body_read(r, members, MP_COUNT(members)) &&
        mp_project_to_write(r, json_integer_value(json_object_get(r->json, "project_id")),
                            &job.project_id))
        (void)mp_job_start(r, &job, &id);
}

/* ---- lists ---- */

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

/* False with a 422 made: too many. */
static bool split(mp_request *r, const char *text, mp_product_filter *out)
{
    const char **list = mp_arena_alloc(r->arena, CATEGORIES * sizeof *list);
    size_t n = 0;
    for (const char *at = text; list && *at;) {
        size_t length = strcspn(at, ",");
        if (length && n == CATEGORIES) {
            mp_reply_problem(r, 422, "category: at most %d of them", CATEGORIES);
            return false;
        }
        if (length)
            list[n++] = mp_arena_strdup(r->arena, (mp_str){at, length});
        at += length + (at[length] == ',');
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
