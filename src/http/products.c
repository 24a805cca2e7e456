/* products.c - the catalogue over HTTP: made, read, changed, removed. */
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

void mp_product_send(mp_request *r, int status, int64_t id, int64_t job_id)
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
    mp_product_send(r, status, p->id, job);
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
