/* map.c - where pictures lie beside each other: positions in two or three dimensions. */
#include "http/items.h"
#include "http/server.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

/* UMAP's time grows with the pictures; beyond this many a request would wait too long, and the
 * principal components are drawn unless UMAP is asked for by name. */
enum { UMAP_MOST = 20000 };

static bool draining(void *context, const magpie_progress *p)
{
    (void)p;
    return atomic_load(&((mp_service *)context)->draining);
}

/* Little-endian: "MPM1", u32 dims, u64 n, then n ids (i64), then n x dims positions (f32). */
static void send_binary(mp_request *r, const magpie_point *points, size_t n, int dims)
{
    mp_buf out = {0};
    uint32_t dims32 = (uint32_t)dims;
    uint64_t n64 = n;
    mp_buf_add(&out, "MPM1", 4);
    mp_buf_add(&out, &dims32, sizeof dims32);
    mp_buf_add(&out, &n64, sizeof n64);
    for (size_t i = 0; i < n; i++)
        mp_buf_add(&out, &points[i].id, sizeof points[i].id);
    for (size_t i = 0; i < n; i++)
        mp_buf_add(&out, &points[i].x, (size_t)dims * sizeof(float));
    mp_reply_text(r, 200, "application/octet-stream", (mp_str){out.p, out.n});
    mp_buf_free(&out);
}

static void send_points(mp_request *r, const magpie_point *points, size_t n, int dims,
                        const char *method)
{
    json_t *rows = json_array();
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
                            (json_int_t)n, "method", method, "model", r->service->model_name));
}

void mp_handle_vectors_map(mp_request *r)
{
    magpie_map_options opt = {.on_progress = draining, .context = r->service};
    magpie_point *points;
    magpie_stats stats;
    magpie_why why = {0};
    size_t n;
    int64_t project;
    long long dims, seed, neighbours;
    int format, method;
    if (!mp_request_number(r, "dims", 2, 3, 2, &dims) ||
        !mp_request_number(r, "seed", 0, INT64_MAX, 0, &seed) ||
        !mp_request_number(r, "neighbours", 2, 200, 15, &neighbours) ||
        !mp_request_choice(r, "format", "json|binary", &format) ||
        !mp_request_choice(r, "method", "auto|umap|pca", &method) ||
        !mp_query_project(r, &project) ||
        !mp_scope_of(r, project, mp_request_query(r, "where"), &opt.where))
        return;
    magpie_err err = magpie_get_stats(r->service->library, &stats, &why);
    opt.dims = (int)dims;
    opt.seed = (uint64_t)seed;
    opt.neighbours = (int)neighbours;
    opt.pca = method == 2 || (method == 0 && stats.items > UMAP_MOST);
    double began = mp_monotonic_s();
    if (!err)
        err = magpie_map(r->service->library, &opt, &points, &n, &why);
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "map", mp_monotonic_s() - began);
    if (err) {
        mp_reply_error(r, err, &why);
        return;
    }
    if (format == 1)
        send_binary(r, points, n, (int)dims);
    else
        send_points(r, points, n, (int)dims, opt.pca ? "pca" : "umap");
    magpie_free(points);
}
