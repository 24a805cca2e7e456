/* product_pictures.c - the picture of a product, given or fetched, and the jobs that fetch them. */
#include "http/products.h"

#include "http/body.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"

#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

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
        mp_product_send(r, 200, p.id, 0);
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
