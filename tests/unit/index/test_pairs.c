/* All pairs: the very answer of the plain double loop, bit for bit, whatever rules pairs out. */
#include "../test.h"
#include "base/os.h"
#include "index/pairs.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { NOISE, CLUSTERS, COPIES, CROWD } kind;

typedef struct rows {
    float *v;
    const float **row;
    size_t n, dims;
} rows;

/* CLUSTERS: in a few directions, and a little noise. COPIES: the same, many rows equal. CROWD: all
 * within a hair of each other. */
static rows make(kind what, size_t n, size_t dims)
{
    enum { CENTRES = 12, DEEP = 6 };
    mp_rng rng = {n * 3 + dims};
    rows r = {mp_xcalloc(n * dims, sizeof(float)), mp_xcalloc(n, sizeof *r.row), n, dims};
    float *basis = mp_xcalloc(CENTRES * DEEP * dims, sizeof *basis);
    for (size_t i = 0; i < CENTRES * DEEP * dims; i++)
        basis[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < n; i++) {
        float *to = r.v + i * dims;
        const float *centre = basis + mp_rng_u64(&rng) % CENTRES * DEEP * dims;
        float weight[DEEP], spread = what == NOISE ? 1 : what == CROWD ? 1e-4f : 0.1f;
        for (int k = 0; k < DEEP; k++)
            weight[k] = what == CROWD ? 1 : 1 + 0.5f * (float)mp_rng_gauss(&rng);
        for (size_t d = 0; d < dims; d++) {
            to[d] = spread * (float)mp_rng_gauss(&rng);
            for (size_t k = 0; what != NOISE && k < DEEP; k++)
                to[d] += weight[k] * (what == CROWD ? basis : centre)[k * dims + d];
        }
        if (what == COPIES && i > 0 && mp_rng_u64(&rng) % 3 == 0)
            memcpy(to, r.v + mp_rng_u64(&rng) % MP_MIN(i, (size_t)9) * dims, dims * sizeof *to);
        else
            assert_true(mp_normalise(to, dims));
        r.row[i] = to;
    }
    free(basis);
    return r;
}

static void drop(rows *r)
{
    free(r->v);
    free(r->row);
}

static bool before(mp_neighbour a, mp_neighbour b)
{
    return b.label == 0 || a.score > b.score || (a.score == b.score && a.label < b.label);
}

static void put(mp_neighbour *best, size_t k, mp_neighbour x)
{
    if (!before(x, best[k - 1]))
        return;
    size_t i = k - 1;
    for (; i > 0 && before(x, best[i - 1]); i--)
        best[i] = best[i - 1];
    best[i] = x;
}

static mp_neighbour *brute_force(const rows *r, size_t k)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    mp_neighbour *out = mp_xcalloc(r->n * k, sizeof *out);
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < r->n; j++)
            if (j != i)
                put(out + i * k, k,
                    (mp_neighbour){(int64_t)j + 1, dot(r->row[i], r->row[j], r->dims)});
    return out;
}

static void assert_same(const mp_neighbour *want, const mp_neighbour *have, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(have[i].label, want[i].label);
        assert_true(have[i].score == want[i].score);
    }
}

static void check(kind what, size_t n, size_t dims, size_t k, int threads)
{
    mp_why why;
    rows r = make(what, n, dims);
    mp_neighbour *want = brute_force(&r, k), *have = mp_xcalloc(n * k, sizeof *have);
    memset(have, 0x55, n * k * sizeof *have);
    mp_pairs_input in = {.row = r.row, .n = n, .dims = dims, .k = k, .threads = threads};
    assert_ok(mp_pairs_nearest(&in, have, &why));
    assert_same(want, have, n * k);
    free(want);
    free(have);
    drop(&r);
}

static void test_small_sets(void **state)
{
    (void)state;
    static const size_t n[] = {1, 2, 3, 31, 33, 255, 256, 257, 530, 769};
    static const size_t dims[] = {1, 3, 64, 97, 130};
    for (size_t i = 0; i < MP_COUNT(n); i++)
        for (size_t d = 0; d < MP_COUNT(dims); d++)
            for (kind what = NOISE; what <= CROWD; what++)
                check(what, n[i], dims[d], 1 + (i + d) % 12, 1 + (int)(d % 3));
}

static void test_more_neighbours_than_rows(void **state)
{
    (void)state;
    for (kind what = NOISE; what <= CROWD; what++) {
        check(what, 20, 70, 19, 2);
        check(what, 20, 70, 20, 2);
        check(what, 300, 70, 400, 2);
    }
}

/* Enough rows for an order and leading directions. */
static void test_large_sets(void **state)
{
    (void)state;
    for (kind what = NOISE; what <= CROWD; what++)
        check(what, 4500, 128, 10, 3);
    check(CLUSTERS, 4353, 200, 3, 2);
}

static void test_threads_do_not_show(void **state)
{
    (void)state;
    enum { N = 5000, DIMS = 96, K = 8 };
    mp_why why;
    rows r = make(CLUSTERS, N, DIMS);
    mp_neighbour *one = mp_xcalloc(N * K, sizeof *one), *many = mp_xcalloc(N * K, sizeof *many);
    mp_pairs_input in = {.row = r.row, .n = N, .dims = DIMS, .k = K, .threads = 1};
    assert_ok(mp_pairs_nearest(&in, one, &why));
    for (int threads = 2; threads <= 7; threads += 5) {
        in.threads = threads;
        assert_ok(mp_pairs_nearest(&in, many, &why));
        assert_same(one, many, N * K);
    }
    free(one);
    free(many);
    drop(&r);
}

static void test_all_rows_equal(void **state)
{
    (void)state;
    enum { N = 700, DIMS = 80, K = 5 };
    mp_why why;
    rows r = make(NOISE, N, DIMS);
    mp_neighbour out[N * K];
    for (size_t i = 0; i < N; i++)
        r.row[i] = r.v;
    mp_pairs_input in = {.row = r.row, .n = N, .dims = DIMS, .k = K};
    assert_ok(mp_pairs_nearest(&in, out, &why));
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < K; j++) {
            assert_int_equal(out[i * K + j].label, (int64_t)(j + 1 + (j >= i)));
            assert_true(out[i * K + j].score > 0.9999f);
        }
    drop(&r);
}

static void test_refuses_rows_without_length_1(void **state)
{
    (void)state;
    enum { N = 40, DIMS = 70, K = 3 };
    static const float bad[] = {0, NAN, INFINITY, 2};
    mp_why why;
    mp_neighbour out[N * K];
    for (size_t b = 0; b < MP_COUNT(bad); b++) {
        rows r = make(NOISE, N, DIMS);
        for (size_t d = 0; d < DIMS; d++)
            r.v[17 * DIMS + d] *= bad[b];
        mp_pairs_input in = {.row = r.row, .n = N, .dims = DIMS, .k = K};
        assert_int_equal(mp_pairs_nearest(&in, out, &why), MP_INVALID);
        assert_non_null(strstr(why.text, "row 18"));
        drop(&r);
    }
    mp_pairs_input none = {.dims = DIMS, .k = K};
    assert_ok(mp_pairs_nearest(&none, out, &why));
}

typedef struct told {
    size_t calls, last, total;
    bool stop;
} told;

static bool tell(void *context, size_t done, size_t total)
{
    told *t = context;
    assert_true(done >= t->last && done <= total);
    t->calls++;
    t->last = done;
    t->total = total;
    return t->stop;
}

static void test_tells_progress_and_stops(void **state)
{
    (void)state;
    enum { N = 4500, DIMS = 64, K = 4 };
    mp_why why;
    rows r = make(CLUSTERS, N, DIMS);
    mp_neighbour *out = mp_xcalloc(N * K, sizeof *out);
    told t = {0};
    mp_pairs_input in = {
        .row = r.row, .n = N, .dims = DIMS, .k = K, .progress = tell, .context = &t};
    assert_ok(mp_pairs_nearest(&in, out, &why));
    assert_true(t.calls > 0);
    assert_int_equal(t.total, N);
    t = (told){.stop = true};
    assert_int_equal(mp_pairs_nearest(&in, out, &why), MP_CANCELLED);
    assert_int_equal(t.calls, 1);
    free(out);
    drop(&r);
}

/* By a graph: the nearest but for few, each at its own score, under the caller's labels. */
static void test_nearly(void **state)
{
    (void)state;
    enum { N = 3000, DIMS = 72, K = 10 };
    mp_why why;
    rows r = make(CLUSTERS, N, DIMS);
    mp_neighbour *want = brute_force(&r, K), *out = mp_xmalloc((size_t)N * K * sizeof *out);
    int64_t *label = mp_xmalloc(N * sizeof *label);
    size_t found = 0;
    for (size_t i = 0; i < N; i++)
        label[i] = 7 + 3 * (int64_t)i;
    mp_pairs_input in = {.row = r.row, .label = label, .n = N, .dims = DIMS, .k = K, .threads = 2};
    assert_ok(mp_pairs_nearly(&in, N - 1, out, &why));
    for (size_t i = 0; i < (size_t)N * K; i++) {
        const mp_neighbour *mine = want + i / K * K;
        assert_true(i % K == 0 || out[i].score <= out[i - 1].score);
        assert_true(out[i].label != label[i / K]);
        for (size_t j = 0; j < K; j++)
            if (out[i].label == label[mine[j].label - 1]) {
                found++;
                assert_true(fabsf(out[i].score - mine[j].score) < 1e-6f);
            }
    }
    assert_true(found >= (size_t)N * K * 99 / 100);
    assert_ok(mp_pairs_nearly(&in, N, out, &why)); /* exactly */
    for (size_t i = 0; i < (size_t)N * K; i++)
        assert_int_equal(out[i].label, label[want[i].label - 1]);
    told t = {0};
    in.progress = tell;
    in.context = &t;
    assert_ok(mp_pairs_nearly(&in, N - 1, out, &why));
    assert_true(t.calls > 1 && t.last == N && t.total == N);
    t = (told){.stop = true};
    assert_int_equal(mp_pairs_nearly(&in, N - 1, out, &why), MP_CANCELLED);
    free(label);
    free(out);
    free(want);
    drop(&r);
}

static void test_of_an_index(void **state)
{
    (void)state;
    enum { N = 300, DIMS = 72, K = 6 };
    mp_why why;
    mp_index *ix;
    rows r = make(COPIES, N, DIMS);
    int64_t label[N];
    mp_neighbour *want = brute_force(&r, K), out[(N + 2) * K];
    for (size_t i = 0; i < N; i++)
        label[i] = 10 + 2 * (int64_t)i;
    mp_index_options opt = {.dims = DIMS, .threads = 2};
    assert_ok(mp_index_open(&ix, "hnsw", &opt, &why));
    assert_ok(mp_index_add_many(ix, label, r.v, N, NULL, NULL, &why));
    assert_true(mp_pairs_pays(ix, N));
    assert_false(mp_pairs_pays(ix, 10000000));
    int64_t asked[N + 2]; /* two of them have no vector */
    asked[0] = 1;
    memcpy(asked + 1, label, 100 * sizeof *asked);
    asked[101] = label[99] + 1;
    memcpy(asked + 102, label + 100, (N - 100) * sizeof *asked);
    memset(out, 0x55, sizeof out);
    assert_ok(mp_index_all_pairs(ix, asked, N + 2, K, out, NULL, NULL, &why));
    for (size_t i = 0; i < K; i++)
        assert_true(out[i].label == 0 && out[101 * K + i].label == 0);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < K; j++) {
            const mp_neighbour *have = &out[(i + 1 + (i >= 100)) * K + j];
            assert_int_equal(have->label, label[want[i * K + j].label - 1]);
            assert_true(fabsf(have->score - want[i * K + j].score) < 1e-6f);
        }
    asked[1] = asked[0];
    assert_int_equal(mp_index_all_pairs(ix, asked, N + 2, K, out, NULL, NULL, &why), MP_INVALID);
    mp_index_close(ix);
    free(want);
    drop(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_sets),
                                              cmocka_unit_test(test_more_neighbours_than_rows),
                                              cmocka_unit_test(test_large_sets),
                                              cmocka_unit_test(test_threads_do_not_show),
                                              cmocka_unit_test(test_all_rows_equal),
                                              cmocka_unit_test(test_refuses_rows_without_length_1),
                                              cmocka_unit_test(test_tells_progress_and_stops),
                                              cmocka_unit_test(test_nearly),
                                              cmocka_unit_test(test_of_an_index)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
