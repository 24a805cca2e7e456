/* bench_odd.c - odd ones and layouts on synthetic clustered vectors, as JSON.
 *
 *     bench_odd               one JSON object over all cases
 *     bench_odd --steps       reads "CASE N" lines, does each once and answers with milliseconds,
 * so that a peer can be timed in turns bench_odd --dump FILE N writes the N vectors (f32, 512 each)
 * that the cases of N use
 *
 * Cases: knn (every vector against all others), normals (N judged by N normals, look and texture),
 * pca, umap (15 neighbours, found beforehand). */
#include "base/os.h"
#include "core/layout.h"
#include "core/odd.h"
#include "timing.h"
#include "simd/distance.h"

#include <math.h>

enum { LOOK = 512, TEXTURE = 456, NEIGHBOURS = 15, CLUSTERS = 40, FACTORS = 24 };

typedef struct data {
    float *look, *texture;
    size_t *knn; /* made when first needed */
    float *distance;
    size_t n;
} data;

/* Clusters, and directions in which all of them spread alike. */
static void fill(float *v, size_t n, size_t dims, bool unit)
{
    mp_rng r = {dims};
    float *base = mp_xcalloc((CLUSTERS + FACTORS) * dims, sizeof *base);
    for (size_t i = 0; i < (CLUSTERS + FACTORS) * dims; i++)
        base[i] = (float)mp_rng_gauss(&r);
    for (size_t i = 0; i < n; i++) {
        float *row = v + i * dims, factor[FACTORS];
        const float *centre = base + mp_rng_u64(&r) % CLUSTERS * dims;
        for (int f = 0; f < FACTORS; f++)
            factor[f] = 0.3f * (float)mp_rng_gauss(&r);
        for (size_t d = 0; d < dims; d++) {
            row[d] = centre[d] + 0.3f * (float)mp_rng_gauss(&r);
            for (size_t f = 0; f < FACTORS; f++)
                row[d] += factor[f] * base[(CLUSTERS + f) * dims + d];
        }
        if (unit)
            (void)mp_normalise(row, dims);
    }
    free(base);
}

static void prepare(data *d, size_t n)
{
    if (d->n == n)
        return;
    free(d->look);
    free(d->texture);
    free(d->knn);
    free(d->distance);
    *d = (data){mp_xcalloc(n, LOOK * sizeof(float)), mp_xcalloc(n, TEXTURE * sizeof(float)), NULL,
                NULL, n};
    fill(d->look, n, LOOK, true);
    fill(d->texture, n, TEXTURE, false);
}

static void find_neighbours(data *d)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    if (d->knn)
        return;
    d->knn = mp_xcalloc(d->n * NEIGHBOURS, sizeof *d->knn);
    d->distance = mp_xcalloc(d->n * NEIGHBOURS, sizeof *d->distance);
    for (size_t i = 0; i < d->n; i++) {
        size_t *at = d->knn + i * NEIGHBOURS, have = 0;
        float *away = d->distance + i * NEIGHBOURS;
        for (size_t j = 0; j < d->n; j++) {
            float x = fmaxf(1 - dot(d->look + i * LOOK, d->look + j * LOOK, LOOK), 0);
            if (i == j || (have == NEIGHBOURS && x >= away[have - 1]))
                continue;
            size_t k = have < NEIGHBOURS ? have++ : have - 1;
            for (; k > 0 && away[k - 1] > x; k--) {
                away[k] = away[k - 1];
                at[k] = at[k - 1];
            }
            away[k] = x;
            at[k] = j;
        }
    }
}

static mp_err odd(const data *d, bool normals, mp_why *why)
{
    const char *method;
    mp_odd_score *out = mp_xcalloc(d->n, sizeof *out);
    mp_odd_input in = {
        .n = d->n, .look_dims = LOOK, .look = d->look, .alpha = 0.05, .threads = mp_cpu_count()};
    if (normals) {
        in.n_normals = d->n;
        in.texture_dims = TEXTURE;
        in.texture = in.normal_texture = d->texture;
        in.normal_look = d->look;
    }
    mp_err err = mp_odd_run(&in, out, &method, why);
    free(out);
    return err;
}

static mp_err lay_out(data *d, bool umap, mp_why *why)
{
    float *out = mp_xcalloc(d->n, 2 * sizeof *out);
    mp_layout_options opt = {.dims = 2, .min_distance = 0.1f, .spread = 1, .seed = 1};
    mp_err err =
        umap ? mp_layout_umap(d->look, d->n, LOOK, d->knn, d->distance, NEIGHBOURS, &opt, out, why)
             : mp_layout_pca(d->look, d->n, LOOK, &opt, out, why);
    free(out);
    return err;
}

/* One call; milliseconds, or a negative number when it failed. */
static double step(data *d, const char *what, size_t n)
{
    mp_why why;
    mp_err err = MP_INVALID;
    prepare(d, n);
    if (strcmp(what, "umap") == 0)
        find_neighbours(d);
    double began = mp_monotonic_s();
    if (strcmp(what, "knn") == 0 || strcmp(what, "normals") == 0)
        err = odd(d, what[0] == 'n', &why);
    else if (strcmp(what, "pca") == 0 || strcmp(what, "umap") == 0)
        err = lay_out(d, what[0] == 'u', &why);
    return err ? -1 : (mp_monotonic_s() - began) * 1000;
}

static int answer_steps(void)
{
    data d = {0};
    char what[16];
    size_t n;
    while (scanf("%15s %zu", what, &n) == 2 && n >= 100 && n <= 1000000) {
        printf("%.3f\n", step(&d, what, n));
        fflush(stdout);
    }
    return 0;
}

static int dump(const char *path, size_t n)
{
    data d = {0};
    FILE *f = fopen(path, "we");
    prepare(&d, n);
    bool ok = f && fwrite(d.look, LOOK * sizeof(float), n, f) == n;
    ok = f && fclose(f) == 0 && ok;
    if (!ok)
        perror(path);
    return !ok;
}

int main(int argc, char **argv)
{
    static const char *const cases[] = {"knn", "normals", "pca", "umap"};
    static const struct size {
        size_t n;
        int rounds;
    } sizes[] = {{1000, 7}, {10000, 3}};
    if (argc == 2 && strcmp(argv[1], "--steps") == 0)
        return answer_steps();
    if (argc == 4 && strcmp(argv[1], "--dump") == 0 && atol(argv[3]) > 0)
        return dump(argv[2], (size_t)atol(argv[3]));
    data d = {0};
    bool first = true;
    printf("{\"bench\": \"odd\", ");
    timing_machine();
    printf(",");
    for (size_t s = 0; s < MP_COUNT(sizes); s++) {
        timing t[MP_COUNT(cases)] = {{0}};
        for (int round = 0; round < sizes[s].rounds; round++)
            for (size_t c = 0; c < MP_COUNT(cases); c++)
                timing_add(&t[c], step(&d, cases[c], sizes[s].n));
        for (size_t c = 0; c < MP_COUNT(cases); c++) {
            char name[64];
            snprintf(name, sizeof name, "%s_%zu", cases[c], sizes[s].n);
            timing_print(name, &t[c], first);
            first = false;
        }
    }
    printf("\n}\n");
    return 0;
}
