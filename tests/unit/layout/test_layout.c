/* Layouts of synthetic clusters: neighbours are kept, seeds decide, odd shapes of input are fine.
 */
#include "../test.h"

#include "base/linalg.h"
#include "base/os.h"
#include "core/layout_parts.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
    float *v;
    size_t *knn;
    float *distance;
    size_t n, k;
    int dims;
} sample;

/* `clusters` blobs on the unit sphere. */
static sample make(size_t n, int dims, int clusters, double spread, size_t k)
{
    mp_rng r = {n + (size_t)dims};
    sample s = {mp_xcalloc(n * (size_t)dims, sizeof(float)),
                mp_xcalloc(n * k, sizeof(size_t)),
                mp_xcalloc(n * k, sizeof(float)),
                n,
                k,
                dims};
    float *centre = mp_xcalloc((size_t)(clusters * dims), sizeof *centre);
    for (int i = 0; i < clusters * dims; i++)
        centre[i] = (float)mp_rng_gauss(&r);
    for (size_t i = 0; i < n; i++) {
        float *v = s.v + i * (size_t)dims;
        for (int d = 0; d < dims; d++)
            v[d] = centre[(i % (size_t)clusters) * (size_t)dims + (size_t)d] +
                   (float)(spread * mp_rng_gauss(&r));
        (void)mp_normalise(v, (size_t)dims);
    }
    free(centre);
    return s;
}

static void drop(sample *s)
{
    free(s->v);
    free(s->knn);
    free(s->distance);
}

typedef struct other {
    float away;
    size_t at;
} other;

static int nearer(const void *a, const void *b)
{
    const other *x = a, *y = b;
    if (x->away != y->away)
        return x->away < y->away ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The others of point i by squared distance. */
static void order(const float *v, size_t n, int dims, size_t i, other *out)
{
    size_t made = 0;
    for (size_t j = 0; j < n; j++) {
        float sum = 0;
        for (int d = 0; d < dims; d++) {
            float x = v[i * (size_t)dims + (size_t)d] - v[j * (size_t)dims + (size_t)d];
            sum += x * x;
        }
        if (j != i)
            out[made++] = (other){sum, j};
    }
    qsort(out, made, sizeof *out, nearer);
}

static void find_neighbours(sample *s)
{
    other *o = mp_xcalloc(s->n, sizeof *o);
    for (size_t i = 0; i < s->n; i++) {
        order(s->v, s->n, s->dims, i, o);
        for (size_t j = 0; j < s->k; j++) {
            bool there = j + 1 < s->n;
            s->knn[i * s->k + j] = there ? o[j].at : SIZE_MAX;
            s->distance[i * s->k + j] = there ? o[j].away / 2 : 0; /* = 1 - cosine */
        }
    }
    free(o);
}

/* Venna and Kaski's trustworthiness, and the part of k neighbours that are kept. */
static void judge(const sample *s, const float *at, int dims, size_t k, double *trust, double *kept)
{
    other *before = mp_xcalloc(s->n, sizeof *before), *after = mp_xcalloc(s->n, sizeof *after);
    size_t *rank = mp_xcalloc(s->n, sizeof *rank);
    double penalty = 0, same = 0, n = (double)s->n, kd = (double)k;
    for (size_t i = 0; i < s->n; i++) {
        order(s->v, s->n, s->dims, i, before);
        order(at, s->n, dims, i, after);
        for (size_t j = 0; j + 1 < s->n; j++)
            rank[before[j].at] = j + 1;
        for (size_t j = 0; j < k; j++)
            if (rank[after[j].at] > k)
                penalty += (double)(rank[after[j].at] - k);
            else
                same++;
    }
    *trust = 1 - 2 / (n * kd * (2 * n - 3 * kd - 1)) * penalty;
    *kept = same / (n * kd);
    free(rank);
    free(after);
    free(before);
}

static void assert_in_frame(const float *at, size_t n, int dims)
{
    float most = 0;
    double mean[3] = {0};
    for (size_t i = 0; i < n * (size_t)dims; i++) {
        assert_true(isfinite(at[i]));
        most = MP_MAX(most, fabsf(at[i]));
        mean[i % (size_t)dims] += at[i] / (double)n;
    }
    assert_true(most <= 1.00001f && (n < 2 || most > 0.9999f));
    for (int d = 0; d < dims; d++)
        assert_float_equal(mean[d], 0, 1e-5);
}

static void umap_keeps_neighbours(void **state)
{
    (void)state;
    mp_why why;
    sample s = make(600, 32, 12, 0.6, 15);
    find_neighbours(&s);
    for (int dims = 2; dims <= 3; dims++) {
        float *at = mp_xcalloc(s.n * 3, sizeof *at);
        mp_layout_options opt = {.dims = dims, .min_distance = 0.1f, .spread = 1, .seed = 4};
        double trust, kept, pca_trust, pca_kept;
        assert_ok(mp_layout_pca(s.v, s.n, s.dims, &opt, at, &why));
        assert_in_frame(at, s.n, dims);
        judge(&s, at, dims, 15, &pca_trust, &pca_kept);
        assert_ok(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, at, &why));
        assert_in_frame(at, s.n, dims);
        judge(&s, at, dims, 15, &trust, &kept);
        print_message("%d-D: trustworthiness %.3f, 15 neighbours kept %.3f (pca %.3f, %.3f)\n",
                      dims, trust, kept, pca_trust, pca_kept);
        assert_true(trust > 0.93 && kept > 0.35);
        assert_true(trust > pca_trust && kept > pca_kept);
        free(at);
    }
    drop(&s);
}

/* Clusters far apart: each point's nearest in the layout is of its own cluster. */
static void umap_separates_pieces(void **state)
{
    (void)state;
    mp_why why;
    enum { PIECES = 5 };
    sample s = make(200, 16, PIECES, 0.05, 10);
    find_neighbours(&s); /* 40 in each: the graph falls apart */
    float *at = mp_xcalloc(s.n * 2, sizeof *at);
    other *o = mp_xcalloc(s.n, sizeof *o);
    mp_layout_options opt = {.dims = 2, .min_distance = 0.1f, .spread = 1, .seed = 1};
    assert_ok(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, at, &why));
    assert_in_frame(at, s.n, 2);
    size_t foreign = 0;
    for (size_t i = 0; i < s.n; i++) {
        order(at, s.n, 2, i, o);
        for (int j = 0; j < 10; j++)
            foreign += o[j].at % PIECES != i % PIECES;
    }
    assert_true(foreign < 20); /* of 2,000 */
    free(o);
    free(at);
    drop(&s);
}

static void seed_decides(void **state)
{
    (void)state;
    mp_why why;
    sample s = make(120, 16, 4, 0.5, 8);
    find_neighbours(&s);
    float a[240], b[240], c[240];
    mp_layout_options opt = {.dims = 2, .min_distance = 0.1f, .spread = 1, .epochs = 60, .seed = 7};
    assert_ok(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, a, &why));
    assert_ok(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, b, &why));
    opt.seed = 8;
    assert_ok(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, c, &why));
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    assert_ok(mp_layout_pca(s.v, s.n, s.dims, &opt, a, &why));
    opt.seed = 9;
    assert_ok(mp_layout_pca(s.v, s.n, s.dims, &opt, b, &why));
    assert_memory_equal(a, b, sizeof a);
    drop(&s);
}

static void few_points_and_duplicates(void **state)
{
    (void)state;
    mp_why why;
    for (size_t n = 0; n <= 12; n++)
        for (int same = 0; same < 2; same++)
            for (int dims = 2; dims <= 3; dims++) {
                sample s = make(MP_MAX(n, (size_t)1), 8, 3, 0.3, 4);
                for (size_t i = 1; same && i < n; i++)
                    memcpy(s.v + i * 8, s.v, 8 * sizeof(float));
                find_neighbours(&s);
                float at[36];
                mp_layout_options opt = {
                    .dims = dims, .spread = 1, .min_distance = 0.1f, .epochs = 50};
                assert_ok(mp_layout_pca(s.v, n, 8, &opt, at, &why));
                for (size_t i = 0; same && i < n * (size_t)dims; i++)
                    assert_true(at[i] == 0);
                if (n > 1 && !same)
                    assert_in_frame(at, n, dims);
                assert_ok(
                    mp_layout_umap(s.v, n, 8, s.knn, s.distance, n ? s.k : 0, &opt, at, &why));
                for (size_t i = 0; i < n * (size_t)dims; i++)
                    assert_true(fabsf(at[i]) <= 1.00001f);
                drop(&s);
            }
}

static void two_points_lie_at_the_ends(void **state)
{
    (void)state;
    mp_why why;
    const float v[] = {1, 0, 0, 0, 1, 0};
    float at[4];
    mp_layout_options opt = {.dims = 2};
    assert_ok(mp_layout_pca(v, 2, 3, &opt, at, &why));
    assert_float_equal(fabsf(at[0]), 1, 1e-6);
    assert_float_equal(at[2], -at[0], 1e-6);
    assert_float_equal(at[1], 0, 1e-6);
}

/* Against all eigenvectors of the covariance. */
static void pca_finds_the_leading_directions(void **state)
{
    (void)state;
    enum { N = 300, D = 20 };
    mp_why why;
    sample s = make(N, D, 7, 0.4, 1);
    double mean[D] = {0}, cov[D * D] = {0}, values[D], vectors[D * D], reach = 0;
    for (int i = 0; i < N * D; i++)
        mean[i % D] += s.v[i] / (double)N;
    for (int i = 0; i < N; i++)
        for (int a = 0; a < D; a++)
            for (int b = 0; b < D; b++)
                cov[a * D + b] += (s.v[i * D + a] - mean[a]) * (s.v[i * D + b] - mean[b]);
    assert_ok(mp_eigen_symmetric(cov, D, values, vectors, &why));
    float at[N * 3];
    double want[N * 3];
    mp_layout_options opt = {.dims = 3};
    assert_ok(mp_layout_pca(s.v, N, D, &opt, at, &why));
    for (int c = 0; c < 3; c++) {
        double most = 0;
        for (int j = 0; j < D; j++)
            most = fabs(vectors[c * D + j]) > fabs(most) ? vectors[c * D + j] : most;
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int j = 0; j < D; j++)
                sum += (s.v[i * D + j] - mean[j]) * vectors[c * D + j];
            want[i * 3 + c] = most < 0 ? -sum : sum;
            reach = fmax(reach, fabs(sum));
        }
    }
    for (int i = 0; i < N * 3; i++)
        assert_float_equal(at[i], want[i] / reach, 2e-3);
    drop(&s);
}

/* min_distance 0.1 and spread 1 give a 1.577, b 0.895 (McInnes et al. print 1.58 and 0.90). */
static void curve_is_the_papers(void **state)
{
    (void)state;
    double a, b;
    mp_fit_curve(0.1, 1, &a, &b);
    assert_float_equal(a, 1.577, 0.002);
    assert_float_equal(b, 0.895, 0.001);
    for (int i = 0; i <= 10; i++)
        for (int j = 1; j <= 4; j++) {
            mp_fit_curve(0.1 * i, 0.5 * j, &a, &b);
            assert_true(isfinite(a) && isfinite(b) && a > 0 && b > 0);
        }
}

static void weights_add_up(void **state)
{
    (void)state;
    mp_why why;
    /* 0 and 1 name each other; 2 names 0 alone, far away, which is its nearest: weight 1 */
    const size_t knn[] = {1, 2, 0, 2, 0, SIZE_MAX};
    const float distance[] = {0.1f, 0.9f, 0.1f, 0.8f, 0.9f, 0};
    mp_edge *e;
    size_t n;
    assert_ok(mp_fuzzy_graph(knn, distance, 3, 2, &e, &n, &why));
    assert_int_equal(n, 3);
    assert_true(e[0].a == 0 && e[0].b == 1 && e[1].a == 0 && e[1].b == 2 && e[2].a == 1);
    assert_float_equal(e[0].weight, 1, 1e-6);
    assert_float_equal(e[1].weight, 1, 1e-6);
    /* log2(3) = 1 + w: only point 1 believes in this one */
    assert_float_equal(e[2].weight, log2(3) - 1, 1e-3);
    free(e);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    mp_why why;
    sample s = make(20, 8, 3, 0.3, 4);
    float at[60];
    mp_layout_options opt = {.dims = 4, .spread = 1};
    assert_int_equal(mp_layout_pca(s.v, 20, 8, &opt, at, &why), MP_INVALID);
    opt = (mp_layout_options){.dims = 2, .min_distance = NAN};
    assert_int_equal(mp_layout_pca(s.v, 20, 8, &opt, at, &why), MP_INVALID);
    opt = (mp_layout_options){.dims = 2, .min_distance = 0.1f};
    find_neighbours(&s);
    s.knn[5] = 20;
    assert_int_equal(mp_layout_umap(s.v, 20, 8, s.knn, s.distance, 4, &opt, at, &why), MP_INVALID);
    s.knn[5] = SIZE_MAX;
    s.distance[7] = NAN;
    assert_int_equal(mp_layout_umap(s.v, 20, 8, s.knn, s.distance, 4, &opt, at, &why), MP_INVALID);
    drop(&s);
}

static bool stop_after(void *context, size_t done, size_t total)
{
    size_t *left = context;
    assert_true(done <= total);
    return (*left)-- == 0;
}

static void stops_when_asked(void **state)
{
    (void)state;
    mp_why why;
    sample s = make(60, 8, 3, 0.3, 6);
    find_neighbours(&s);
    float at[120];
    for (size_t after = 0; after < 40; after += 3) {
        size_t left = after;
        mp_layout_options opt = {.dims = 2,
                                 .min_distance = 0.1f,
                                 .epochs = 100,
                                 .stop = stop_after,
                                 .stop_context = &left};
        assert_int_equal(mp_layout_umap(s.v, s.n, s.dims, s.knn, s.distance, s.k, &opt, at, &why),
                         MP_CANCELLED);
    }
    drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(umap_keeps_neighbours),
        cmocka_unit_test(umap_separates_pieces),
        cmocka_unit_test(seed_decides),
        cmocka_unit_test(few_points_and_duplicates),
        cmocka_unit_test(two_points_lie_at_the_ends),
        cmocka_unit_test(pca_finds_the_leading_directions),
        cmocka_unit_test(curve_is_the_papers),
        cmocka_unit_test(weights_add_up),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
