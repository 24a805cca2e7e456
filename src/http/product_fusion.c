/* product_fusion.c - see product_fusion.h. */
#include "http/product_fusion.h"

#include "http/items.h"
#include "http/products.h"
#include "http/search.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <math.h>
#include <stdlib.h>

enum { RANK = 60, DEPTH = 500 };

/* ---- the lists ---- */

static mp_found *found_of(mp_fusion *f, int64_t product)
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
    f->list[f->n] = (mp_found){.product = product, .picture = NAN, .words = NAN};
    return &f->list[f->n++];
}

bool mp_fusion_pictures(mp_fusion *f, const magpie_term *terms, size_t n_terms)
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
        mp_found *one = found_of(f, pairs[i].product_id);
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

bool mp_fusion_words(mp_fusion *f, const char *words)
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
        mp_found *one = found_of(f, hits[i].id);
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
    const mp_found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->product > y->product) - (x->product < y->product);
}

static json_t *real_or_null(float x)
{
    return isnan(x) ? json_null() : json_real((double)x);
}

static json_t *result_json(mp_request *r, const mp_product *p, const mp_found *one, double best)
{
    json_t *o = mp_product_json(r, p);
    json_object_set_new(o, "score", json_real(best > 0 ? one->score / best : 0));
    json_object_set_new(o, "picture_score", real_or_null(one->picture));
    json_object_set_new(o, "text_score", real_or_null(one->words));
    return o;
}

static void log_search(const mp_fusion *f, size_t results)
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

static bool facets_of(mp_fusion *f, json_t **out)
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

void mp_fusion_answer(mp_fusion *f)
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

void mp_fusion_end(mp_fusion *f)
{
    free(f->allowed);
    free(f->list);
}
