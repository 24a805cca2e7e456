/* bench_pairs.c - the nearest neighbours of all rows, beside the graph's searches for each.
 *
 *     bench_pairs [KIND [ROWS [DIMS]]]       one JSON object; default clusters, 20,000 x 512
 *     bench_pairs --write FILE KIND ROWS DIMS    the rows, of length 1, raw f32
 *     bench_pairs --steps FILE DIMS          for peers: "pairs THREADS" lines; answers each with
 *                                            {"s"} and writes the neighbours to FILE.pairs
 *
 * KIND: "clusters" (400 of them in 48 dimensions, and a little noise: those of bench_index),
 * "falling" (clusters whose spread falls along all directions, off the centre: like encoders'
 * vectors), "noise" (no structure at all: the worst case). The recall is that of the graph. */
#include "index/pairs.h"
#include "timing.h"

#include "simd/distance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 10, CENTRES = 400, INTRINSIC = 48, GRAPH_QUERIES = 2000 };

typedef struct rows {
    float *v;
    const float **row;
    size_t n, dims;
} rows;

static void fail(const char *what, const mp_why *why)
{
    fprintf(stderr, "bench_pairs: %s: %s\n", what, why->text);
    exit(1);
}

static float *noise(mp_rng *rng, size_t n)
{
    float *v = mp_xcalloc(n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)mp_rng_gauss(rng);
    return v;
}

static void make_clusters(mp_rng *rng, rows *r)
{
    float *basis = noise(rng, INTRINSIC * r->dims), *centre = noise(rng, CENTRES * INTRINSIC);
    for (size_t i = 0; i < r->n; i++) {
        const float *c = centre + (mp_rng_u64(rng) % CENTRES) * INTRINSIC;
        float *to = r->v + i * r->dims;
        for (size_t d = 0; d < r->dims; d++)
            to[d] = 0.4f * (float)mp_rng_gauss(rng);
        for (size_t k = 0; k < INTRINSIC; k++) {
            float low = c[k] + 0.8f * (float)mp_rng_gauss(rng);
            for (size_t d = 0; d < r->dims; d++)
                to[d] += low * basis[k * r->dims + d];
        }
    }
    free(basis);
    free(centre);
}

/* As the lite model's vectors of 1,891 photographs: three quarters of the length lie in the first
 * 64 directions of 512, nine tenths in the first 192, an eighth in the mean of all. */
static void make_falling(mp_rng *rng, rows *r)
{
    static const float power = 1.1f, off_centre = 0.14f;
    float *centre = noise(rng, CENTRES * r->dims), *offset = noise(rng, r->dims);
    float *spread = mp_xcalloc(r->dims, sizeof *spread), sum = 0;
    for (size_t d = 0; d < r->dims; d++)
        sum += powf((float)d + 1, -power);
    for (size_t d = 0; d < r->dims; d++) {
        spread[d] = sqrtf(powf((float)d + 1, -power) / sum / 2);
        offset[d] *= sqrtf(off_centre / (float)r->dims);
    }
    for (size_t i = 0; i < r->n; i++) {
        const float *c = centre + (mp_rng_u64(rng) % CENTRES) * r->dims;
        for (size_t d = 0; d < r->dims; d++)
            r->v[i * r->dims + d] = spread[d] * (c[d] + (float)mp_rng_gauss(rng)) + offset[d];
    }
    free(centre);
    free(offset);
    free(spread);
}

static rows point(float *v, size_t n, size_t dims)
{
    rows r = {v, mp_xcalloc(n, sizeof *r.row), n, dims};
    for (size_t i = 0; i < n; i++)
        r.row[i] = v + i * dims;
    return r;
}

static rows make_rows(const char *kind, size_t n, size_t dims)
{
    mp_rng rng = {11};
    rows r = point(mp_xcalloc(n * dims, sizeof(float)), n, dims);
    if (strcmp(kind, "clusters") == 0)
        make_clusters(&rng, &r);
    else if (strcmp(kind, "falling") == 0)
        make_falling(&rng, &r);
    else
        for (size_t i = 0; i < n * dims; i++)
            r.v[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < n; i++)
        (void)mp_normalise(r.v + i * dims, dims);
    return r;
}

static rows read_rows(const char *path, size_t dims)
{
    uint8_t *bytes;
    size_t n;
    mp_why why;
    if (mp_file_read(path, SIZE_MAX / 2, &bytes, &n, &why))
        fail("read", &why);
    return point((float *)(void *)bytes, n / sizeof(float) / dims, dims);
}

static double run(const rows *r, int threads, mp_neighbour *out)
{
    mp_why why;
    mp_pairs_input in = {.row = r->row, .n = r->n, .dims = r->dims, .k = K, .threads = threads};
    double began = mp_monotonic_s();
    if (mp_pairs_nearest(&in, out, &why))
        fail("pairs", &why);
    return mp_monotonic_s() - began;
}

static int write_file(const char *path, const void *data, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(data, 1, bytes, f) == bytes;
    if (!f || fclose(f) != 0 || !ok) {
        perror(path);
        return 1;
    }
    return 0;
}

static int take_steps(const rows *r, const char *path, mp_neighbour *out)
{
    char line[64], answers[4096];
    int threads;
    int64_t *labels = mp_xcalloc(r->n * K, sizeof *labels);
    snprintf(answers, sizeof answers, "%s.pairs", path);
    while (fgets(line, sizeof line, stdin)) {
        double spent = sscanf(line, "pairs %d", &threads) == 1 ? run(r, threads, out) : 0;
        for (size_t i = 0; i < r->n * K; i++)
            labels[i] = out[i].label - 1;
        if (write_file(answers, labels, r->n * K * sizeof *labels))
            return 1;
        printf("{\"s\":%.4f}\n", spent);
        fflush(stdout);
    }
    free(labels);
    return 0;
}

/* Seconds for all rows, from the searches of some; *recall of what they find. */
static double graph(const rows *r, const mp_neighbour *want, double *build_s, double *recall)
{
    mp_index *ix;
    mp_why why;
    mp_index_options opt = {.dims = (int)r->dims};
    size_t some = MP_MIN(r->n, (size_t)GRAPH_QUERIES), hit = 0;
    int64_t *labels = mp_xcalloc(r->n, sizeof *labels);
    mp_neighbour *found = mp_xcalloc(some * K, sizeof *found);
    for (size_t i = 0; i < r->n; i++)
        labels[i] = (int64_t)i + 1;
    if (mp_index_open(&ix, "hnsw", &opt, &why))
        fail("open", &why);
    double began = mp_monotonic_s();
    if (mp_index_add_many(ix, labels, r->v, r->n, NULL, NULL, &why))
        fail("build", &why);
    *build_s = mp_monotonic_s() - began;
    began = mp_monotonic_s();
    if (mp_index_knn(ix, labels, some, K, found, NULL, NULL, &why))
        fail("knn", &why);
    double spent = (mp_monotonic_s() - began) / (double)some * (double)r->n;
    for (size_t i = 0; i < some; i++)
        for (size_t a = 0; a < K; a++)
            for (size_t b = 0; b < K; b++)
                hit += found[i * K + a].label == want[i * K + b].label;
    *recall = (double)hit / (double)(some * K);
    mp_index_close(ix);
    free(labels);
    free(found);
    return spent;
}

static void report(const rows *r, const char *kind, mp_neighbour *out)
{
    double build_s, recall, pairs_s = run(r, 0, out);
    double graph_s = graph(r, out, &build_s, &recall);
    printf("{\"bench\": \"pairs\", ");
    timing_machine();
    printf(", \"kind\":\"%s\",\"rows\":%zu,\"dims\":%zu,\"k\":%d,\"pairs_s\":%.3f,"
           "\"graph_build_s\":%.3f,\"graph_knn_s\":%.3f,\"graph_recall\":%.4f}\n",
           kind, r->n, r->dims, K, pairs_s, build_s, graph_s, recall);
}

static size_t number(int argc, char **argv, int at, size_t otherwise)
{
    return argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    bool steps = argc == 4 && strcmp(argv[1], "--steps") == 0;
    bool write = argc == 6 && strcmp(argv[1], "--write") == 0;
    int first = write ? 3 : 1;
    const char *kind = argc > first && !steps ? argv[first] : "clusters";
    rows r = steps ? read_rows(argv[2], number(argc, argv, 3, 1))
                   : make_rows(kind, number(argc, argv, first + 1, 20000),
                               number(argc, argv, first + 2, 512));
    mp_neighbour *out = mp_xcalloc(r.n * K, sizeof *out);
    int status = 0;
    if (write)
        status = write_file(argv[2], r.v, r.n * r.dims * sizeof *r.v);
    else if (steps)
        status = take_steps(&r, argv[2], out);
    else
        report(&r, kind, out);
    free(out);
    free(r.v);
    free(r.row);
    return status;
}
