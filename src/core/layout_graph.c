/* layout_graph.c - from nearest neighbours to UMAP's weighted graph, and the curve that says how
 * close linked points want to be.
 *
 * Every point measures distance in its own units: rho is where its nearest neighbour begins, sigma
 * is set by bisection so that its memberships exp(-(d - rho) / sigma) add up to log2(k + 1) (the
 * +1 is the point itself, which the caller leaves out). What two points think of each other is
 * joined by the probabilistic sum u + v - uv. */
#include "core/layout_parts.h"

#include <math.h>
#include <stdlib.h>

enum { BISECTIONS = 64, CURVE_POINTS = 300, CURVE_ROUNDS = 100 };
static const double LEAST_SIGMA = 1e-3; /* of the mean distance: duplicates must not make it 0 */

typedef struct row {
    const size_t *to;
    const float *distance;
    size_t k;
} row;

static double memberships(const row *r, double rho, double sigma)
{
    double sum = 0;
    for (size_t j = 0; j < r->k; j++)
        if (r->to[j] != SIZE_MAX)
            sum += r->distance[j] > rho ? exp(-(r->distance[j] - rho) / sigma) : 1;
    return sum;
}

/* Distance to the nearest neighbour that is not in the same place; 0 if there is none. */
static double nearest_apart(const row *r)
{
    double best = 0;
    for (size_t j = 0; j < r->k; j++)
        if (r->to[j] != SIZE_MAX && r->distance[j] > 0 && (best == 0 || r->distance[j] < best))
            best = r->distance[j];
    return best;
}

static double mean_distance(const row *r)
{
    double sum = 0;
    size_t n = 0;
    for (size_t j = 0; j < r->k; j++)
        if (r->to[j] != SIZE_MAX) {
            sum += r->distance[j];
            n++;
        }
    return n ? sum / (double)n : 0;
}

static double fit_sigma(const row *r, double rho, double target, double least)
{
    double low = 0, high = HUGE_VAL, sigma = 1;
    for (int i = 0; i < BISECTIONS; i++) {
        double sum = memberships(r, rho, sigma);
        if (fabs(sum - target) < 1e-5)
            break;
        if (sum > target)
            high = sigma;
        else
            low = sigma;
        sigma = isinf(high) ? sigma * 2 : (low + high) / 2;
    }
    return fmax(sigma, least);
}

static int by_ends(const void *x, const void *y)
{
    const mp_edge *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    if (p->b != q->b)
        return p->b < q->b ? -1 : 1;
    /* the order of the two opinions must not depend on qsort */
    return (p->weight > q->weight) - (p->weight < q->weight);
}

/* Joins the opinions on the same pair; sorted input. */
static size_t join(mp_edge *e, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        mp_edge *last = kept ? &e[kept - 1] : NULL;
        if (last && last->a == e[i].a && last->b == e[i].b)
            last->weight = last->weight + e[i].weight - last->weight * e[i].weight;
        else
            e[kept++] = e[i];
    }
    return kept;
}

static size_t link_point(size_t i, const row *r, double target, double mean_all, mp_edge *out)
{
    double rho = nearest_apart(r), mean = rho > 0 ? mean_distance(r) : mean_all;
    double sigma = fit_sigma(r, rho, target, fmax(LEAST_SIGMA * mean, 1e-12));
    size_t made = 0;
    for (size_t j = 0; j < r->k; j++) {
        size_t to = r->to[j];
        if (to == SIZE_MAX || to == i)
            continue;
        double w = r->distance[j] > rho ? exp(-(r->distance[j] - rho) / sigma) : 1;
        out[made++] = (mp_edge){(uint32_t)MP_MIN(i, to), (uint32_t)MP_MAX(i, to), (float)w};
    }
    return made;
}

mp_err mp_fuzzy_graph(const size_t *knn, const float *distance, size_t n, size_t k, mp_edge **out,
                      size_t *n_edges, mp_why *why)
{
    *out = NULL;
    *n_edges = 0;
    row all = {knn, distance, n * k};
    for (size_t i = 0; i < all.k; i++)
        if (knn[i] != SIZE_MAX && (knn[i] >= n || !(distance[i] >= 0) || isinf(distance[i])))
            return mp_fail(why, MP_INVALID, "a neighbour's position or distance is out of range");
    mp_edge *e = mp_try_array(n * k, sizeof *e);
    if (!e)
        return mp_fail(why, MP_NOMEM, "no memory for a graph of %zu x %zu edges", n, k);
    double target = log2((double)k + 1), mean_all = mean_distance(&all);
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        row r = {knn + i * k, distance + i * k, k};
        made += link_point(i, &r, target, mean_all, e + made);
    }
    qsort(e, made, sizeof *e, by_ends);
    *n_edges = join(e, made);
    *out = e;
    return MP_OK;
}

/* ---- the curve ---- */

typedef struct curve_sum {
    double error, aa, ab, bb, ga, gb; /* normal equations of Gauss-Newton */
} curve_sum;

/* In log a, so that a stays positive. */
static curve_sum add_up(double log_a, double b, double min_distance, double spread)
{
    curve_sum s = {0};
    double a = exp(log_a);
    for (int i = 1; i <= CURVE_POINTS; i++) {
        double d = 3 * spread * i / CURVE_POINTS;
        double want = d < min_distance ? 1 : exp(-(d - min_distance) / spread);
        double power = a * pow(d, 2 * b), got = 1 / (1 + power), miss = want - got;
        double da = -got * got * power, db = da * 2 * log(d);
        s.error += miss * miss;
        s.aa += da * da;
        s.ab += da * db;
        s.bb += db * db;
        s.ga += da * miss;
        s.gb += db * miss;
    }
    return s;
}

/* Levenberg and Marquardt's damping on two parameters. */
void mp_fit_curve(double min_distance, double spread, double *a, double *b)
{
    double log_a = 0, damping = 1e-3;
    *b = 1;
    curve_sum now = add_up(log_a, *b, min_distance, spread);
    for (int i = 0; i < CURVE_ROUNDS; i++) {
        double aa = now.aa * (1 + damping) + 1e-12, bb = now.bb * (1 + damping) + 1e-12;
        double det = aa * bb - now.ab * now.ab;
        double step_a = (bb * now.ga - now.ab * now.gb) / det;
        double step_b = (aa * now.gb - now.ab * now.ga) / det;
        curve_sum next = add_up(log_a + step_a, *b + step_b, min_distance, spread);
        if (!(next.error < now.error)) {
            damping *= 10;
            if (damping > 1e9)
                break;
            continue;
        }
        log_a += step_a;
        *b += step_b;
        damping = fmax(damping / 10, 1e-9);
        now = next;
    }
    *a = exp(log_a);
}
