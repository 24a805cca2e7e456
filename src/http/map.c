/* map.c - where pictures lie beside each other: positions in two or three dimensions. */
#include "http/items.h"
#include "http/maps.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

/* UMAP's time grows with the pictures; beyond this many a request would wait too long, and the
 * principal components are drawn unless UMAP is asked for by name. */
enum { UMAP_MOST = 20000 };

/* Little-endian: "MPM1", u32 dims, u64 n, then n ids (i64), then n x dims positions (f32). */
static void send_binary(mp_request *r, const magpie_point *points, size_t n, int dims)
{
    uint32_t dims32 = (uint32_t)dims;
    uint64_t n64 = n;
    mp_reply_text(r, 200, "application/octet-stream", (mp_str){0});
    mp_buf *out = &r->reply.body;
    mp_buf_add(out, "MPM1", 4);
    mp_buf_add(out, &dims32, sizeof dims32);
    mp_buf_add(out, &n64, sizeof n64);
    for (size_t i = 0; i < n; i++)
        mp_buf_add(out, &points[i].id, sizeof points[i].id);
    for (size_t i = 0; i < n; i++)
        mp_buf_add(out, &points[i].x, (size_t)dims * sizeof(float));
}

static void send_points(mp_request *r, const magpie_point *points, size_t n, int dims,
                        const char *method)
{
    char model[64], version[65];
    json_t *rows = json_array();
    mp_core_model_name(r->service->library, model, version);
    for (size_t i = 0; i < n; i++) {
        json_t *at = json_array();
        const float xyz[3] = {points[i].x, points[i].y, points[i].z};
        for (int d = 0; d < dims; d++)
            json_array_append_new(at, json_real((double)xyz[d]));
        json_array_append_new(
            rows, json_pack("{s:I, s:o}", "id", (json_int_t)points[i].id, "position", at));
    }
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:i, s:I, s:s, s:s}", "points", rows, "dims", dims, "total",
                            (json_int_t)n, "method", method, "model", model));
}

static void send_news(mp_request *r, const mp_map_news *news)
{
    mp_reply_json(r, 202,
                  json_pack("{s:s, s:I, s:I, s:f}", "stage", news->stage, "done",
                            (json_int_t)news->done, "total", (json_int_t)news->total, "elapsed_s",
                            news->elapsed_s));
}

/* All that a map depends on. Tags and words change without it, unless the filter asks for them: the
 * scope of a project does not. */
static mp_err make_key(mp_request *r, const magpie_map_options *opt, bool filtered, mp_buf *key,
                       mp_why *why)
{
    const mp_filter *filter;
    mp_generation now;
    uint64_t count = 0;
    mp_meta *meta = mp_core_meta(r->service->library);
    mp_err err = mp_meta_generation(meta, &now, why);
    if (!err)
        err = mp_filter_parse(opt->where, r->arena, &filter, why);
    if (!err)
        err = mp_meta_count(meta, filter, &count, why);
    if (!err)
        mp_buf_printf(key, "%llu %d %d %d %llu %lld %lld %lld %llu %s",
                      (unsigned long long)mp_core_model_turn(r->service->library), opt->dims,
                      opt->neighbours, (int)opt->pca, (unsigned long long)opt->seed,
                      (long long)now.last_seq, (long long)now.removals,
                      (long long)(filtered ? now.changes : 0), (unsigned long long)count,
                      opt->where ? opt->where : "*");
    return err;
}

static bool read_options(mp_request *r, magpie_map_options *opt, int *format, bool *background)
{
    int64_t project;
    long long dims, seed, neighbours;
    int method, apart;
    magpie_stats stats;
    magpie_why why = {0};
    if (!mp_request_number(r, "dims", 2, 3, 2, &dims) ||
        !mp_request_number(r, "seed", 0, INT64_MAX, 0, &seed) ||
        !mp_request_number(r, "neighbours", 2, 200, 15, &neighbours) ||
        !mp_request_choice(r, "format", "json|binary", format) ||
        !mp_request_choice(r, "method", "auto|umap|pca", &method) ||
        !mp_request_choice(r, "background", "false|true", &apart) ||
        !mp_query_project(r, &project) ||
        !mp_scope_of(r, project, mp_request_query(r, "where"), &opt->where))
        return false;
    magpie_err err = magpie_get_stats(r->service->library, &stats, &why);
    if (err) {
        mp_reply_error(r, err, &why);
        return false;
    }
    opt->dims = (int)dims;
    opt->seed = (uint64_t)seed;
    opt->neighbours = (int)neighbours;
    opt->pca = method == 2 || (method == 0 && stats.items > UMAP_MOST);
    *background = apart == 1;
    return true;
}

void mp_handle_vectors_map(mp_request *r)
{
    magpie_map_options opt = {0};
    mp_service *s = r->service;
    const mp_map *map = NULL;
    mp_map_news news = {0};
    mp_why inner = {0};
    magpie_why why = {0};
    mp_buf key = {0};
    int format;
    bool background;
    if (!read_options(r, &opt, &format, &background))
        return;
    const char *where = mp_request_query(r, "where");
    mp_err failed = make_key(r, &opt, where && *where, &key, &inner);
    if (failed) {
        mp_buf_free(&key);
        mp_reply_failure(r, failed, &inner);
        return;
    }
    double began = mp_monotonic_s();
    magpie_err err = background ? mp_maps_ask(s->maps, s->work, key.p, &opt, &map, &news, &why)
                                : mp_maps_get(s->maps, key.p, &opt, &map, &why);
    mp_buf_free(&key);
    mp_metrics_observe(s->metrics, MP_IMAGE_PROCESSING, "map", mp_monotonic_s() - began);
    if (err)
        mp_reply_error(r, err, &why);
    else if (!map)
        send_news(r, &news);
    else if (format == 1)
        send_binary(r, map->points, map->n, opt.dims);
    else
        send_points(r, map->points, map->n, opt.dims, opt.pca ? "pca" : "umap");
    mp_map_release(s->maps, map);
}
