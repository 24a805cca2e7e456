/* product_search.c - questions for products: words, or a picture in any of the ways to show one. */
#include "http/body.h"
#include "http/from_url.h"
#include "http/items.h"
#include "http/product_fusion.h"
#include "http/products.h"
#include "http/search.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = MAGPIE_TEXT_BYTES };

/* ---- questions ---- */

#define SEARCH_MEMBERS                                                                             \
    {"limit", JSON_INTEGER, false, 1, 200}, {"cursor", JSON_STRING, false, 0, 16},                 \
        {"category", MP_JSON_ANY, false, 0, 0}, {"price_min", MP_JSON_ANY, false, 0, 0},           \
        {"price_max", MP_JSON_ANY, false, 0, 0}, {"currency", JSON_STRING, false, 0, 3},           \
        {"project_id", JSON_INTEGER, false, 1, 9e15},                                              \
    {                                                                                              \
        "weights", JSON_OBJECT, false, 0, 0                                                        \
    }

/* A member as the text that the filter wants: numbers as they are written, lists by commas, those
 * of their names behind a backslash. */
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
    json_array_foreach(value, i, one)
    {
        mp_buf_str(&text, i ? "," : "");
        for (const char *c = json_is_string(one) ? json_string_value(one) : ""; *c; c++)
            mp_buf_printf(&text, "%s%c", *c == ',' || *c == '\\' ? "\\" : "", *c);
    }
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

static bool read_weights(mp_request *r, mp_fusion *f)
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
static bool picture_scope(mp_fusion *f, int64_t project)
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

static bool begin(mp_request *r, mp_fusion *f)
{
    char *end = NULL;
    mp_why why = {0};
    const char *cursor = mp_body_text(r, "cursor");
    const json_t *limit = json_object_get(r->json, "limit");
    int64_t project = json_integer_value(json_object_get(r->json, "project_id"));
    *f = (mp_fusion){.r = r, .picture_weight = 1, .text_weight = 1, .began = mp_monotonic_s()};
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

void mp_handle_product_text(mp_request *r)
{
    static const mp_member members[] = {{"query", JSON_STRING, false, 1, WORDS},
                                        {"text", JSON_STRING, false, 1, WORDS},
                                        SEARCH_MEMBERS};
    mp_fusion f;
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *words = mp_body_text(r, "query");
    words = *words ? words : mp_body_text(r, "text");
    if (!mp_search_words_fine(r, words))
        return;
    if (!begin(r, &f)) {
        mp_fusion_end(&f);
        return;
    }
    f.type = MP_QUERY_TEXT;
    f.text = words;
    magpie_term term = {.kind = MAGPIE_TEXT, .text = words};
    if ((f.picture_weight == 0 || mp_fusion_pictures(&f, &term, 1)) &&
        (f.text_weight == 0 || mp_fusion_words(&f, words)))
        mp_fusion_answer(&f);
    mp_fusion_end(&f);
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
static bool picture_term(mp_request *r, mp_fusion *f, magpie_term *t)
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
    mp_fusion f = {0};
    magpie_term terms[2] = {{0}};
    bool alone = is_picture_alone(r);
    if (alone) { /* the body is the picture, and the rest is as it is by default */
        mp_buf_str(&r->body, "{}");
        r->json_form = true;
    }
    if ((!alone && !mp_search_body(r)) || !mp_body_read(r, members, MP_COUNT(members)) ||
        !begin(r, &f)) {
        mp_fusion_end(&f);
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
    if ((alone || picture_term(r, &f, &terms[0])) && mp_fusion_pictures(&f, terms, 1) &&
        (!*words || f.text_weight == 0 || mp_fusion_words(&f, words)))
        mp_fusion_answer(&f);
    mp_fusion_end(&f);
}
