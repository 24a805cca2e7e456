/* layout_umap.c - UMAP's optimisation: linked points attract, random pairs repel.
 *
 * The layout starts from PCA. An edge is sampled in proportion to its weight: the strongest in
 * every epoch, one of half its weight in every second. Each sample pulls both ends together and
 * pushes one end away from NEGATIVES random points; the step falls linearly to zero. One thread
 * and one generator, so that a seed gives one layout. */
#include "core/layout_parts.h"

#include "base/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEGATIVES = 5, EPOCHS_SMALL = 500, EPOCHS_LARGE = 200, LARGE = 10000 };
static const float START_REACH = 10, START_NOISE = 1e-3f, LONGEST_STEP = 4;

typedef struct umap {
    float *at; /* n x dims */
    size_t n;
    int dims;
    float a, b;
    mp_edge *edge;
    float *next_epoch; /* when an edge is due; edge.weight becomes its period */
    size_t n_edges;
    mp_rng rng;
} umap;

static float squared_distance(const float *x, const float *y, int dims)
{
    float sum = 0;
    for (int d = 0; d < dims; d++)
        sum += (x[d] - y[d]) * (x[d] - y[d]);
    return sum;
}

static float clip(float step)
{
    return step > LONGEST_STEP ? LONGEST_STEP : step < -LONGEST_STEP ? -LONGEST_STEP : step;
}

/* The gradient of log(1 / (1 + a d^2b)), on both ends. */
static void attract(const umap *u, float *x, float *y, float rate)
{
    float d2 = squared_distance(x, y, u->dims);
    if (!(d2 > 0))
        return;
    float power = u->a * powf(d2, u->b);
    float pull = -2 * u->b * power / (d2 * (1 + power));
    for (int d = 0; d < u->dims; d++) {
        float step = clip(pull * (x[d] - y[d])) * rate;
        x[d] += step;
        y[d] -= step;
    }
}

/* The gradient of log(1 - 1 / (1 + a d^2b)), on x alone. Points in the same place stay. */
static void repel(const umap *u, float *x, const float *y, float rate)
{
    float d2 = squared_distance(x, y, u->dims);
    if (!(d2 > 0))
        return;
    float push = 2 * u->b / ((0.001f + d2) * (1 + u->a * powf(d2, u->b)));
    for (int d = 0; d < u->dims; d++)
        x[d] += clip(push * (x[d] - y[d])) * rate;
}

static float *place(const umap *u, size_t i)
{
    return u->at + i * (size_t)u->dims;
}

/* A position below n without a division (Lemire's multiplication). */
static size_t any_point(umap *u)
{
    return (size_t)((mp_rng_u64(&u->rng) >> 32) * u->n >> 32);
}

static void push_away(umap *u, size_t i, float rate)
{
    for (int s = 0; s < NEGATIVES; s++) {
        size_t other = any_point(u);
        if (other != i)
            repel(u, place(u, i), place(u, other), rate);
    }
}

static void run_epoch(umap *u, int epoch, float rate)
{
    for (size_t e = 0; e < u->n_edges; e++) {
        if (u->next_epoch[e] > (float)epoch)
            continue;
        u->next_epoch[e] += u->edge[e].weight;
        size_t a = u->edge[e].a, b = u->edge[e].b;
        /* once per direction, as each end has its own sample of strangers */
        attract(u, place(u, a), place(u, b), rate);
        push_away(u, a, rate);
        attract(u, place(u, b), place(u, a), rate);
        push_away(u, b, rate);
    }
}

/* Weights become periods in epochs; edges too weak to be sampled even once leave. */
static mp_err plan(umap *u, int epochs, mp_why *why)
{
    float strongest = 0;
    for (size_t e = 0; e < u->n_edges; e++)
        strongest = MP_MAX(strongest, u->edge[e].weight);
    size_t kept = 0;
    for (size_t e = 0; e < u->n_edges; e++) {
        if (u->edge[e].weight * (float)epochs < strongest)
            continue;
        u->edge[kept] = u->edge[e];
        u->edge[kept++].weight = strongest / u->edge[e].weight;
    }
    u->n_edges = kept;
    u->next_epoch = mp_try_array(kept, sizeof *u->next_epoch);
    if (!u->next_epoch)
        return mp_fail(why, MP_NOMEM, "no memory for %zu edges", kept);
    for (size_t e = 0; e < kept; e++)
        u->next_epoch[e] = u->edge[e].weight;
    return MP_OK;
}

static mp_err optimise(umap *u, int epochs, const mp_layout_options *opt, mp_why *why)
{
    for (size_t i = 0; i < u->n * (size_t)u->dims; i++)
        u->at[i] = u->at[i] * START_REACH + START_NOISE * (float)mp_rng_gauss(&u->rng);
    for (int epoch = 1; epoch <= epochs; epoch++) {
        if (mp_layout_stopped(opt, (size_t)epoch - 1, (size_t)epochs))
            return mp_fail(why, MP_CANCELLED, "the layout was stopped");
        run_epoch(u, epoch, 1 - (float)(epoch - 1) / (float)epochs);
    }
    return MP_OK;
}

/* The layout's own progress reports come from the epochs; the start only asks whether to go on. */
typedef struct quiet {
    const mp_layout_options *opt;
} quiet;

static bool stop_quietly(void *context, size_t done, size_t total)
{
    (void)done;
    (void)total;
    return mp_layout_stopped(((const quiet *)context)->opt, 0, 1);
}

mp_err mp_layout_umap(const float *vectors, size_t n, int vdims, const size_t *knn,
                      const float *distance, size_t k, const mp_layout_options *opt, float *out,
                      mp_why *why)
{
    umap u = {.at = out, .n = n, .dims = opt->dims, .rng = {opt->seed}};
    quiet context = {opt};
    mp_layout_options start = *opt;
    start.stop = stop_quietly;
    start.stop_context = &context;
    mp_err err = mp_layout_pca(vectors, n, vdims, &start, out, why);
    if (!err && n >= 4 && k > 0)
        err = mp_fuzzy_graph(knn, distance, n, k, &u.edge, &u.n_edges, why);
    if (err || u.n_edges == 0)
        goto done;
    double a, b;
    mp_fit_curve(opt->min_distance, opt->spread > 0 ? opt->spread : 1, &a, &b);
    u.a = (float)a;
    u.b = (float)b;
    int epochs = opt->epochs ? opt->epochs : n <= LARGE ? EPOCHS_SMALL : EPOCHS_LARGE;
    err = plan(&u, epochs, why);
    if (!err)
        err = optimise(&u, epochs, opt, why);
    if (!err)
        mp_layout_finish(out, n, opt->dims);
done:
    free(u.next_epoch);
    free(u.edge);
    return err;
}
