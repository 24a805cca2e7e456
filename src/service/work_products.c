/* work_products.c - jobs that give products their pictures. See worker.h.
 *
 * index_product fetches one product's image_url, takes the picture into the library and ties the
 * two together; batch_index_products does so for many; reindex_all_products computes the vectors of
 * a project's catalogue anew. A second run finds the same bytes and the same row. */
#include "service/work.h"

#include "core/ports.h"
#include "meta/products.h"
#include "net/fetch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_IDS = 10000 };

/* ---- params ---- */

mp_err mp_check_index_product(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    static const mp_param list[] = {{"product_id", JSON_INTEGER, true}};
    (void)allow; /* the product's address is held against it when it is fetched */
    return mp_work_params(params, list, MP_COUNT(list), why);
}

mp_err mp_check_batch_index(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    static const mp_param list[] = {{"product_ids", JSON_ARRAY, false}};
    const json_t *ids = json_object_get(params, "product_ids"), *id;
    size_t i;
    (void)allow;
    mp_err err = mp_work_params(params, list, MP_COUNT(list), why);
    json_array_foreach(ids, i, id)
    {
        if (!err && (!json_is_integer(id) || i >= BATCH_IDS))
            err = mp_fail(why, MP_INVALID, "params.product_ids is at most %d numbers", BATCH_IDS);
    }
    return err;
}

mp_err mp_check_reindex_products(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    (void)allow;
    return mp_work_params(params, NULL, 0, why);
}

/* ---- one product ---- */

/* The last part of the URL's path, or the product's own name for it. */
static void name_of(const mp_product *p, char out[256])
{
    const char *end = p->image_url + strcspn(p->image_url, "?#"), *at = end;
    while (at > p->image_url && at[-1] != '/')
        at--;
    int n = (int)MP_MIN((size_t)(end - at), (size_t)255);
    if (n > 0)
        snprintf(out, 256, "%.*s", n, at);
    else
        snprintf(out, 256, "product-%lld", (long long)p->id);
}

static mp_err take_picture(mp_worker *w, const mp_product *p, int fd, int64_t *item, mp_why *why)
{
    char name[256];
    magpie_outcome outcome;
    name_of(p, name);
    magpie_put put = {.name = name, .title = p->title, .project = p->project_id};
    /* A product's description may be longer than a picture's. */
    char *description = mp_xstrdup(p->description);
    if (strlen(description) > 8000) {
        size_t n = 8000;
        while (n && ((unsigned char)description[n] & 0xC0) == 0x80)
            n--;
        description[n] = '\0';
    }
    put.description = description;
    mp_err err =
        (mp_err)magpie_add_fd(w->opt.library, fd, &put, item, &outcome, (magpie_why *)(void *)why);
    free(description);
    return err;
}

static bool draining(void *run)
{
    return mp_job_progress(run, 0, 0);
}

static mp_err fetch_picture(mp_worker *w, mp_job_run *run, const mp_product *p, int64_t *item,
                            mp_why *why)
{
    char folder[PATH_MAX];
    mp_fetched answer;
    int fd = -1;
    mp_fetch fetch = {.url = p->image_url,
                      .max_bytes = mp_core_max_bytes(w->opt.library),
                      .want_prefix = "image/",
                      .allow = w->opt.allow,
                      .stop = {draining, run}};
    snprintf(folder, sizeof folder, "%s/tmp", magpie_path(w->opt.library));
    mp_err err = mp_mkdirs(folder, why);
    if (!err)
        err = mp_temp_file(folder, &fd, why);
    if (!err)
        err = mp_net_fetch(&fetch, fd, &answer, why);
    if (!err)
        err = take_picture(w, p, fd, item, why);
    if (fd >= 0)
        close(fd);
    return err;
}

static bool passes(mp_err err)
{
    return err == MP_BUSY || err == MP_TIMEOUT || err == MP_IO || err == MP_CANCELLED ||
           err == MP_NOMEM || err == MP_FULL;
}

/* OK also when there is nothing to do. What will not get better is noted with the product. */
static mp_err index_one(mp_worker *w, mp_job_run *run, int64_t id, bool *done, mp_why *why)
{
    mp_meta *meta = mp_core_meta(w->opt.library);
    mp_arena *arena = mp_arena_new(0);
    mp_product p;
    int64_t item = 0;
    *done = false;
    mp_err err = mp_meta_get_product(meta, id, arena, &p, why);
    if (!err && *p.image_url) {
        err = fetch_picture(w, run, &p, &item, why);
        if (err == MP_NOT_FOUND) /* the picture, not the product */
            err = MP_INVALID;
    }
    if (!err && *p.image_url)
        err = mp_meta_set_product_asset(meta, id, item, p.image_url, why);
    *done = !err && *p.image_url;
    if (err == MP_EXISTS) /* its address changed meanwhile: that change has queued it again */
        err = MP_OK;
    else if (err && err != MP_NOT_FOUND && !passes(err) &&
             mp_meta_set_product_index(meta, &id, 1, MP_INDEX_FAILED, why->text, NULL))
        mp_job_log(run, MP_LOG_WARN, "the failure of product %lld is not noted", (long long)id);
    mp_arena_free(arena);
    return err;
}

mp_err mp_work_index_product(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                             mp_why *why)
{
    bool done;
    const mp_job *job = mp_job_of(run);
    int64_t id = json_integer_value(json_object_get(params, "product_id"));
    mp_err err = index_one(w, run, id, &done, why);
    bool last = job->max_attempts && job->attempts >= job->max_attempts;
    if (passes(err) && err != MP_CANCELLED && last &&
        mp_meta_set_product_index(mp_core_meta(w->opt.library), &id, 1, MP_INDEX_FAILED, why->text,
                                  NULL))
        mp_job_log(run, MP_LOG_WARN, "the failure of product %lld is not noted", (long long)id);
    if (!err)
        *result = json_pack("{s:I, s:b}", "product_id", (json_int_t)id, "indexed", (int)done);
    return err;
}

/* ---- many ---- */

static int64_t *given_ids(const json_t *params, size_t *n)
{
    const json_t *ids = json_object_get(params, "product_ids");
    *n = json_array_size(ids);
    int64_t *list = mp_xcalloc(*n + 1, sizeof *list);
    for (size_t i = 0; i < *n; i++)
        list[i] = json_integer_value(json_array_get(ids, i));
    return list;
}

/* Those that are named, or whose pictures wait. */
static mp_err ids_of(mp_meta *meta, const mp_job *job, const json_t *params, unsigned states,
                     int64_t **out, size_t *n, mp_why *why)
{
    mp_product_filter filter = {.all_projects = !job->project_id,
                                .projects = &job->project_id,
                                .n_projects = 1,
                                .index_states = states};
    if (json_object_get(params, "product_ids")) {
        *out = given_ids(params, n);
        return MP_OK;
    }
    return mp_meta_product_ids(meta, &filter, out, n, why);
}

mp_err mp_work_batch_index(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                           mp_why *why)
{
    mp_meta *meta = mp_core_meta(w->opt.library);
    int64_t *ids = NULL;
    size_t n = 0;
    json_int_t indexed = 0, failed = 0, later = 0;
    mp_why last = {0};
    mp_err err = ids_of(meta, mp_job_of(run), params, 1u << MP_INDEX_QUEUED, &ids, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        bool done;
        mp_err one = index_one(w, run, ids[i], &done, &last);
        indexed += !one && done;
        later += passes(one);
        failed += one && !passes(one);
        if (one)
            mp_job_log(run, MP_LOG_WARN, "product %lld: %s", (long long)ids[i], last.text);
        if (mp_job_progress(run, (int64_t)i + 1, (int64_t)n))
            err = mp_fail(why, MP_CANCELLED, "stopped");
    }
    free(ids);
    if (!err && later) /* the next attempt finds the others done */
        err = mp_fail(why, MP_BUSY, "%lld of the pictures could not be fetched now: %s",
                      (long long)later, last.text);
    if (!err)
        *result = json_pack("{s:I, s:I, s:I}", "products", (json_int_t)n, "indexed", indexed,
                            "failed", failed);
    return err;
}

mp_err mp_work_reindex_products(mp_worker *w, mp_job_run *run, const json_t *params,
                                json_t **result, mp_why *why)
{
    mp_meta *meta = mp_core_meta(w->opt.library);
    int64_t *ids = NULL;
    size_t n = 0;
    json_int_t indexed = 0, failed = 0;
    mp_err err = ids_of(meta, mp_job_of(run), params, 0, &ids, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        mp_arena *arena = mp_arena_new(0);
        mp_product p;
        mp_why one = {0};
        bool done = true;
        mp_err step = mp_meta_get_product(meta, ids[i], arena, &p, &one);
        if (!step && p.asset_id)
            step = (mp_err)magpie_reindex_items(w->opt.library, &p.asset_id, 1,
                                                (magpie_why *)(void *)&one);
        else if (!step)
            step = index_one(w, run, ids[i], &done, &one);
        indexed += !step && done;
        failed += step && step != MP_NOT_FOUND;
        if (step && step != MP_NOT_FOUND)
            mp_job_log(run, MP_LOG_WARN, "product %lld: %s", (long long)ids[i], one.text);
        mp_arena_free(arena);
        if (mp_job_progress(run, (int64_t)i + 1, (int64_t)n))
            err = mp_fail(why, MP_CANCELLED, "stopped");
    }
    free(ids);
    if (!err)
        *result = json_pack("{s:I, s:I, s:I}", "products", (json_int_t)n, "indexed", indexed,
                            "failed", failed);
    return err;
}
