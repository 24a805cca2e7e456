/* product_search.c - products by words and by pictures, both parts in one order.
 *
 * Two lists are made: products whose pictures look like what is asked for, and products whose words
 * match. They are joined by reciprocal-rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009): a
 * product's score is the sum over the lists of weight / (60 + rank), given here as the share of the
 * best score possible. Ranks need no common scale between cosines and bm25. */
#include "http/body.h"
#include "http/from_url.h"
#include "http/items.h"
#include "http/products.h"
#include "http/search.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { RANK = 60, WORDS = 8192, DEPTH = 500 };

typedef struct found {
    int64_t product;
    double score;
    float picture, words; /* NAN: not in that list */
} found;

typedef struct fusion {
    mp_request *r;
    mp_product_filter filter;
    const char *where; /* the same for pictures */
    double picture_weight, text_weight;
    size_t offset, limit;
    int64_t *allowed; /* sorted ids that match the filter; NULL: whatever is reached */
    size_t n_allowed;
    found *list;
    size_t n, cap;
    mp_query_type type;
    const char *text, *image_url;
    double began;
} fusion;

/* ---- the lists ---- */

static found *found_of(fusion *f, int64_t product)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].product == product)
            return &f->list[i];
    if (f->allowed && mp_find_sorted(f->allowed, f->n_allowed, product) == SIZE_MAX)
        return NULL;
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 256;
        f->list = mp_xrealloc(f->list, f->cap * sizeof *f->list);
    }
    f->list[f->n] = (found){.product = product, .picture = NAN, .words = NAN};
    return &f->list[f->n++];
}

static bool add_pictures(fusion *f, const magpie_term *terms, size_t n_terms)
{
    mp_request *r = f->r;
    mp_question q = {
        .n = n_terms, .scope = f->where, .limit = DEPTH, .threshold = -1, .bare = true};
    double ms;
    mp_why why = {0};
    mp_product_asset *pairs;
    size_t n = 0, rank = 0;
    for (size_t i = 0; i < n_terms; i++)
        q.term[i] = terms[i];
    magpie_hits *hits = mp_search_ask(r, &q, "product", &ms);
    if (!hits)
        return false;
    int64_t *assets = mp_xcalloc(hits->n + 1, sizeof *assets);
    for (size_t i = 0; i < hits->n; i++)
        assets[i] = hits->hit[i].id;
    mp_err err = mp_meta_products_of_assets(mp_core_meta(r->service->library), assets, hits->n,
                                            &pairs, &n, &why);
    free(assets);
    /* In the order of the hits; products of one picture share its rank. */
    for (size_t i = 0, h = 0; !err && i < n; i++) {
        while (h < hits->n && hits->hit[h].id != pairs[i].asset_id)
            h++;
        found *one = found_of(f, pairs[i].product_id);
        if (!one || !isnan(one->picture))
            continue;
        bool shared = i > 0 && pairs[i].asset_id == pairs[i - 1].asset_id;
        rank += !shared || !rank;
        one->picture = h < hits->n ? hits->hit[h].score : 0;
        one->score += f->picture_weight / (double)(RANK + rank);
    }
    if (err)
        mp_reply_failure(r, err, &why);
    else
        free(pairs);
    magpie_hits_free(hits);
    return !err;
}

static bool add_words(fusion *f, const char *words)
{
    mp_text_hit *hits;
    size_t n;
    mp_why why = {0};
    mp_err err = mp_meta_search_products(mp_core_meta(f->r->service->library), words, &f->filter,
                                         DEPTH, &hits, &n, &why);
    if (err) {
        mp_reply_failure(f->r, err, &why);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        found *one = found_of(f, hits[i].id);
        if (!one)
            continue;
        one->words = hits[i].score / hits[0].score;
        one->score += f->text_weight / (double)(RANK + i + 1);
    }
    free(hits);
    return true;
}

/* ---- answers ---- */

static int by_score(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->product > y->product) - (x->product < y->product);
}

static json_t *real_or_null(float x)
{
    return isnan(x) ? json_null() : json_real((double)x);
}

static json_t *result_json(mp_request *r, const mp_product *p, const found *one, double best)
{
    json_t *o = mp_product_json(r, p);
    json_object_set_new(o, "score", json_real(best > 0 ? one->score / best : 0));
    json_object_set_new(o, "picture_score", real_or_null(one->picture));
    json_object_set_new(o, "text_score", real_or_null(one->words));
    return o;
}

static void log_search(const fusion *f, size_t results)
{
    mp_request *r = f->r;
    mp_search_log entry = {.type = f->type,
                           .text = f->text,
                           .image_url = f->image_url,
                           .results = (int64_t)results,
                           .time_ms = (int64_t)((mp_monotonic_s() - f->began) * 1000),
                           .user_id = mp_request_text(r, "%lld", (long long)r->user.id),
                           .session_id = r->session,
                           .project_id = f->filter.n_projects == 1 ? f->filter.projects[0] : 0};
    mp_query_log_add(r->service->queries, &entry);
    mp_metrics_count(r->service->metrics, MP_SEARCHES, mp_query_type_word(f->type), 1);
}

static bool facets_of(fusion *f, json_t **out)
{
    mp_product_facets facets;
    mp_why why = {0};
    int64_t *ids = mp_xcalloc(f->n + 1, sizeof *ids);
    for (size_t i = 0; i < f->n; i++)
        ids[i] = f->list[i].product;
    mp_err err = mp_meta_product_facets(mp_core_meta(f->r->service->library), &f->filter, ids, f->n,
                                        50, f->r->arena, &facets, &why);
    free(ids);
    if (err)
        mp_reply_failure(f->r, err, &why);
    else
        *out = mp_facets_json(&facets);
    return !err;
}

static void answer(fusion *f)
{
    mp_request *r = f->r;
    mp_product *products;
    mp_why why = {0};
    json_t *facets = NULL, *rows = json_array();
    size_t begin = MP_MIN(f->offset, f->n), end = MP_MIN(f->offset + f->limit, f->n);
    double best = (f->picture_weight + f->text_weight) / (RANK + 1);
    if (f->n)
        qsort(f->list, f->n, sizeof *f->list, by_score);
    int64_t *ids = mp_xcalloc(f->n + 1, sizeof *ids);
    for (size_t i = begin; i < end; i++)
        ids[i - begin] = f->list[i].product;
    mp_err err = mp_meta_get_products(mp_core_meta(r->service->library), ids, end - begin, r->arena,
                                      &products, &why);
    free(ids);
    if (err || !facets_of(f, &facets)) {
        if (err)
            mp_reply_failure(r, err, &why);
        json_decref(rows);
        return;
    }
    for (size_t i = begin; i < end; i++)
        if (products[i - begin].id)
            json_array_append_new(rows, result_json(r, &products[i - begin], &f->list[i], best));
    const char *next = end < f->n ? mp_request_text(r, "%zu", end) : NULL;
    log_search(f, f->n);
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:I, s:s?, s:o, s:s, s:f}", "results", rows, "total",
                            (json_int_t)f->n, "next_cursor", next, "facets", facets, "query_type",
                            mp_query_type_word(f->type), "execution_time_ms",
                            (mp_monotonic_s() - f->began) * 1000));
}

/* ---- questions ---- */

#define SEARCH_MEMBERS                                                                             \
    {"limit", JSON_INTEGER, false, 1, 200}, {"cursor", JSON_STRING, false, 0, 16},                 \
        {"category", MP_JSON_ANY, false, 0, 0}, {"price_min", MP_JSON_ANY, false, 0, 0},           \
        {"price_max", MP_JSON_ANY, false, 0, 0}, {"currency", JSON_STRING, false, 0, 3},           \
        {"project_id", JSON_INTEGER, false, 1, 9e15},                                              \
    {                                                                                              \
        "weights", JSON_OBJECT, false, 0, 0                                                        \
    }

/* A member as the text that the filter wants: numbers as they are written, lists by commas. */
static const char *of_body(mp_request *r, const char *name)
{
    const json_t *value = json_object_get(r->json, name), *one;
    mp_buf text = {0};
    size_t i;
    if (json_is_integer(value))
        return mp_request_text(r, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return mp_request_text(r, "%.4f", json_real_value(value));
    if (!json_is_array(value))
        return json_string_value(value);
    json_array_foreach(value, i, one) mp_buf_printf(
        &text, "%s%s", i ? "," : "", json_is_string(one) ? json_string_value(one) : "");
    const char *out = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return out;
}

/* What of_body can make a text of. */
static bool filter_types_fine(mp_request *r)
{
    static const char *const bounds[] = {"price_min", "price_max"};
    const json_t *value, *one;
    size_t k;
    for (size_t i = 0; i < MP_COUNT(bounds); i++)
        if ((value = json_object_get(r->json, bounds[i])) && !json_is_number(value) &&
            !json_is_string(value) && !json_is_null(value)) {
            mp_reply_problem(r, 422, "%s must be a number or its text", bounds[i]);
            return false;
        }
    value = json_object_get(r->json, "category");
    bool fine = !value || json_is_string(value) || json_is_array(value);
    json_array_foreach(value, k, one) fine = fine && json_is_string(one);
    if (!fine)
        mp_reply_problem(r, 422, "category must be a string or a list of strings");
    return fine;
}

static bool read_weights(mp_request *r, fusion *f)
{
    const json_t *weights = json_object_get(r->json, "weights"), *w;
    const struct {
        const char *name;
        double *to;
    } parts[] = {{"picture", &f->picture_weight}, {"text", &f->text_weight}};
    size_t known = 0;
    for (size_t i = 0; i < MP_COUNT(parts); i++)
        if ((w = json_object_get(weights, parts[i].name))) {
            known++;
            *parts[i].to = json_number_value(w);
            if (!json_is_number(w) || *parts[i].to < 0 || *parts[i].to > 100)
                known = SIZE_MAX / 2;
        }
    if (known == json_object_size(weights) && f->picture_weight + f->text_weight > 0)
        return true;
    mp_reply_problem(r, 422, "weights is {\"picture\": 0 to 100, \"text\": 0 to 100}, not both 0");
    return false;
}

/* The filter for pictures: those of products in the projects, and within the prices. */
static bool picture_scope(fusion *f, int64_t project)
{
    mp_request *r = f->r;
    mp_buf text = {0};
    char price[MP_PRICE_TEXT];
    mp_buf_str(&text, "product:yes");
    for (size_t i = 0; i < f->filter.n_categories; i++) {
        mp_buf_str(&text, i ? " OR category:\"" : " (category:\"");
        for (const char *c = f->filter.categories[i]; *c; c++)
            mp_buf_printf(&text, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        mp_buf_str(&text, "\"");
    }
    if (f->filter.n_categories)
        mp_buf_str(&text, ")");
    if (f->filter.has_min) {
        mp_price_format(f->filter.price_min_e4, price);
        mp_buf_printf(&text, " price>=%s", price);
    }
    if (f->filter.has_max) {
        mp_price_format(f->filter.price_max_e4, price);
        mp_buf_printf(&text, " price<=%s", price);
    }
    const char *where = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return mp_scope_of(r, project, where, &f->where);
}

static bool begin(mp_request *r, fusion *f)
{
    char *end = NULL;
    mp_why why = {0};
    const char *cursor = mp_body_text(r, "cursor");
    const json_t *limit = json_object_get(r->json, "limit");
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    *f = (fusion){.r = r, .picture_weight = 1, .text_weight = 1, .began = mp_monotonic_s()};
    f->limit = limit ? (size_t)json_integer_value(limit) : 20;
    if (*cursor) {
        f->offset = *cursor >= '0' && *cursor <= '9' ? strtoul(cursor, &end, 10) : 0;
        if (!end || *end || f->offset > 100000) {
            mp_reply_problem(r, 422, "the cursor is not one of this search");
            return false;
        }
    }
    if (!read_weights(r, f) || !filter_types_fine(r) ||
        !mp_product_filter_of(r, of_body, project, &f->filter) || !picture_scope(f, project))
        return false;
    bool narrow = f->filter.n_categories || f->filter.has_min || f->filter.has_max ||
                  f->filter.currency || !f->filter.all_projects;
    mp_err err = narrow ? mp_meta_product_ids(mp_core_meta(r->service->library), &f->filter,
                                              &f->allowed, &f->n_allowed, &why)
                        : MP_OK;
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

static void end_fusion(fusion *f)
{
    free(f->allowed);
    free(f->list);
}

void mp_handle_product_text(mp_request *r)
{
    static const mp_member members[] = {{"query", JSON_STRING, false, 1, WORDS},
                                        {"text", JSON_STRING, false, 1, WORDS},
                                        SEARCH_MEMBERS};
    fusion f;
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *words = mp_body_text(r, "query");
    words = *words ? words : mp_body_text(r, "text");
    if (strspn(words, " \t\r\n") == strlen(words)) {
        mp_reply_problem(r, 422, "query is missing");
        return;
    }
    if (!begin(r, &f)) {
        end_fusion(&f);
        return;
    }
    f.type = MP_QUERY_TEXT;
    f.text = words;
    magpie_term term = {.kind = MAGPIE_TEXT, .text = words};
    if ((f.picture_weight == 0 || add_pictures(&f, &term, 1)) &&
        (f.text_weight == 0 || add_words(&f, words)))
        answer(&f);
    end_fusion(&f);
}

/* ---- by a picture ---- */

static bool term_of_url(mp_request *r, const char *url, magpie_term *t)
{
    int fd;
    if (!mp_picture_from_url(r, "image_url", url, &fd))
        return false;
    *t = (magpie_term){.kind = MAGPIE_FILE, .text = mp_request_text(r, "/proc/self/fd/%d", fd)};
    return true;
}

static bool term_of_base64(mp_request *r, const char *text, magpie_term *t)
{
    size_t length = strlen(text), n = 0;
    uint8_t *bytes = mp_arena_alloc(r->arena, length + 1);
    const char *comma = strncmp(text, "data:", 5) == 0 ? strchr(text, ',') : NULL;
    text = comma ? comma + 1 : text;
    if (!bytes ||
        sodium_base642bin(bytes, length, text, strlen(text), "\r\n ", &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        !n) {
        mp_reply_problem(r, 422, "image is base64");
        return false;
    }
    *t = (magpie_term){.kind = MAGPIE_BYTES, .data = bytes, .n = n};
    return true;
}

static bool term_of_product(mp_request *r, const json_t *id, magpie_term *t)
{
    mp_product p;
    mp_why why = {0};
    mp_err err = mp_meta_get_product(mp_core_meta(r->service->library), json_integer_value(id),
                                     r->arena, &p, &why);
    if (err || !mp_access_may(&r->access, p.project_id, false)) {
        mp_reply_problem(r, 404, "there is no such product");
        return false;
    }
    if (!p.asset_id) {
        mp_reply_problem(r, 409, "the product has no picture");
        return false;
    }
    *t = (magpie_term){.kind = MAGPIE_ID, .id = p.asset_id};
    return true;
}

/* In how many ways the request shows a picture. */
static size_t ways(const mp_request *r)
{
    static const char *const names[] = {"image", "image_url", "image_id", "product_id"};
    size_t n = 0;
    for (size_t i = 0; i < MP_COUNT(names); i++)
        n += json_object_get(r->json, names[i]) != NULL;
    for (size_t i = 0; i < r->n_parts; i++)
        n += r->parts[i].file_name && *r->parts[i].field;
    return n;
}

/* The picture that the request shows: a file of its form, or what its JSON names. */
static bool picture_term(mp_request *r, fusion *f, magpie_term *t)
{
    const json_t *id = json_object_get(r->json, "image_id");
    const json_t *product = json_object_get(r->json, "product_id");
    const char *url = mp_body_text(r, "image_url"), *image = mp_body_text(r, "image");
    if (ways(r) != 1) {
        mp_reply_problem(r, 422,
                         "show one picture: a file, image, image_url, image_id or product_id");
        return false;
    }
    for (size_t i = 0; i < r->n_parts; i++)
        if (r->parts[i].file_name && *r->parts[i].field) {
            *t = (magpie_term){.kind = MAGPIE_FILE,
                               .text = mp_request_text(r, "/proc/self/fd/%d", r->parts[i].fd)};
            return true;
        }
    if (*url) {
        f->image_url = url;
        return term_of_url(r, url, t);
    }
    if (*image)
        return term_of_base64(r, image, t);
    if (product) {
        f->type = MP_QUERY_SIMILAR;
        return term_of_product(r, product, t);
    }
    f->type = MP_QUERY_SIMILAR;
    t->kind = MAGPIE_ID;
    return mp_item_id(r, id, "image_id", false, &t->id);
}

static bool is_picture_alone(const mp_request *r)
{
    return r->n_parts == 1 && r->parts[0].file_name && !*r->parts[0].field && r->parts[0].type &&
           strncmp(r->parts[0].type, "image/", 6) == 0;
}

void mp_handle_product_picture(mp_request *r)
{
    static const mp_member members[] = {
        {"image", JSON_STRING, false, 1, 4e7},   {"image_url", JSON_STRING, false, 1, 2048},
        {"image_id", MP_JSON_ANY, false, 0, 0},  {"product_id", JSON_INTEGER, false, 1, 9e15},
        {"query", JSON_STRING, false, 1, WORDS}, SEARCH_MEMBERS};
    fusion f = {0};
    magpie_term terms[2] = {{0}};
    bool alone = is_picture_alone(r);
    if (alone) { /* the body is the picture, and the rest is as it is by default */
        mp_buf_str(&r->body, "{}");
        r->json_form = true;
    }
    if ((!alone && !mp_search_body(r)) || !mp_body_read(r, members, MP_COUNT(members)) ||
        !begin(r, &f)) {
        end_fusion(&f);
        return;
    }
    const char *words = mp_body_text(r, "query");
    f.type = *words ? MP_QUERY_MIXED : MP_QUERY_IMAGE;
    f.text = words;
    if (alone)
        terms[0] = (magpie_term){.kind = MAGPIE_FILE,
                                 .text = mp_request_text(r, "/proc/self/fd/%d", r->parts[0].fd)};
    if (!*words)
        f.text_weight = 0;
    if ((alone || picture_term(r, &f, &terms[0])) && add_pictures(&f, terms, 1) &&
        (!*words || f.text_weight == 0 || add_words(&f, words)))
        answer(&f);
    end_fusion(&f);
}
