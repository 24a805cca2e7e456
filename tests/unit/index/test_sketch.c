/* Sketches: whether they keep what is near and leave out what is far, when there are any, and that
 * searches find the same with them. */
#include "../test.h"
#include "index/store.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIMS = 256, N = 5000, FROM = 4200, K = 10, CENTRES = 40, INTRINSIC = 24 };

typedef struct fixture {
    float *v; /* N x DIMS */
    int64_t label[N];
    mp_index *ix;
} fixture;

/* Clusters near a few directions, and `noise` along all. */
static void make_rows(fixture *f, float noise)
{
    mp_rng rng = {5};
    float *basis = mp_xcalloc(INTRINSIC * DIMS, sizeof *basis);
    float centre[CENTRES][INTRINSIC];
    f->v = mp_xcalloc((size_t)N * DIMS, sizeof *f->v);
    for (size_t i = 0; i < INTRINSIC * DIMS; i++)
        basis[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < CENTRES * INTRINSIC; i++)
        centre[i / INTRINSIC][i % INTRINSIC] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < N; i++) {
        float *to = f->v + i * DIMS;
        f->label[i] = (int64_t)i + 1;
        for (size_t d = 0; d < DIMS; d++)
            to[d] = noise * (float)mp_rng_gauss(&rng);
        for (size_t k = 0; k < INTRINSIC && noise < 100; k++) {
            float low = centre[i % CENTRES][k] + 0.7f * (float)mp_rng_gauss(&rng);
            for (size_t d = 0; d < DIMS; d++)
                to[d] += low * basis[k * DIMS + d];
        }
        (void)mp_normalise(to, DIMS);
    }
    free(basis);
}

/* One thread makes the same graph every time. */
static mp_index *open_index(const char *kind, mp_index_storage storage, int threads)
{
    mp_why why;
    mp_index *ix;
    mp_index_options opt = {.dims = DIMS, .threads = threads, .tag = 3, .storage = storage};
    assert_ok(mp_index_open(&ix, kind, &opt, &why));
    ix->sketch_from = FROM;
    return ix;
}

static fixture make(float noise, mp_index_storage storage)
{
    mp_why why;
    fixture f;
    make_rows(&f, noise);
    f.ix = open_index("hnsw", storage, 1);
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, N, NULL, NULL, &why));
    return f;
}

static void drop(fixture *f)
{
    mp_index_close(f->ix);
    free(f->v);
}

/* recall@K of every 50th row as a query, beside the scan. */
static double recall(const mp_index *ix, const float *v)
{
    mp_why why;
    size_t right = 0, all = 0;
    for (size_t q = 0; q < N; q += 50) {
        mp_neighbour want[K], have[K];
        size_t n_want, n_have;
        assert_ok(mp_index_search(ix, v + q * DIMS, &(mp_search_options){.k = K, .exact = true},
                                  want, &n_want, &why));
        assert_ok(
            mp_index_search(ix, v + q * DIMS, &(mp_search_options){.k = K}, have, &n_have, &why));
        for (size_t i = 0; i < n_want; i++)
            for (size_t k = 0; k < n_have; k++)
                right += want[i].label == have[k].label;
        all += n_want;
    }
    return (double)right / (double)all;
}

typedef struct sifted {
    size_t near, missed, far, passed;
} sifted;

static int falling(const void *a, const void *b)
{
    float x = ((const near_node *)a)->score, y = ((const near_node *)b)->score;
    return (x < y) - (x > y);
}

/* Every node against the 64th best score: what is nearer should pass, what is farther should not.
 */
static sifted sift_all(const mp_index *ix, bool by_node)
{
    enum { RANK = 64 };
    sifted s = {0};
    size_t n = atomic_load(&ix->n_nodes);
    near_node *all = mp_xcalloc(n, sizeof *all);
    uint32_t *nodes = mp_xcalloc(n, sizeof *nodes);
    bool *kept = mp_xcalloc(n, sizeof *kept);
    for (uint32_t q = 0; q < n; q += 397) {
        int8_t code[MAX_CODE_BYTES], sketch[MP_SKETCH_MOST];
        float unit[DIMS];
        const float *v = mp_store_vector(ix, q, unit);
        probe p = mp_probe_of_vector(ix, v, code);
        if (by_node)
            mp_sketch_ask_node(ix, q, &p, sketch);
        else
            mp_sketch_ask_vector(ix, &p, sketch);
        for (uint32_t i = 0; i < n; i++) {
            all[i] = (near_node){mp_probe_exact(ix, &p, i), i};
            nodes[i] = i;
            kept[i] = false;
        }
        qsort(all, n, sizeof *all, falling);
        size_t some = mp_sketch_sift(ix, &p, nodes, n, all[RANK].score);
        for (size_t i = 0; i < some; i++) {
            assert_true(i == 0 || nodes[i] > nodes[i - 1]);
            kept[nodes[i]] = true;
        }
        for (size_t i = 0; i < n; i++) {
            bool near = i <= RANK;
            s.near += near;
            s.far += !near;
            s.missed += near && !kept[all[i].node];
            s.passed += !near && kept[all[i].node];
        }
    }
    free(all);
    free(nodes);
    free(kept);
    return s;
}

static void what_is_near_passes_and_what_is_far_does_not(void **state)
{
    (void)state;
    static const mp_index_storage storage[] = {MP_INDEX_F32, MP_INDEX_F16};
    for (size_t i = 0; i < MP_COUNT(storage); i++) {
        fixture f = make(0.3f, storage[i]);
        assert_int_not_equal(f.ix->sketch.bytes, 0);
        for (int by_node = 0; by_node < 2; by_node++) {
            sifted s = sift_all(f.ix, by_node);
            print_message("missed %zu of %zu near, passed %zu of %zu far\n", s.missed, s.near,
                          s.passed, s.far);
            assert_true(s.missed * 200 <= s.near);
            assert_true(s.passed * 4 <= s.far);
        }
        assert_true(recall(f.ix, f.v) > 0.99);
        drop(&f);
    }
}

/* Where rows lie along no directions in particular, or there are few, or no graph. */
static void there_are_none_where_they_do_not_pay(void **state)
{
    (void)state;
    mp_why why;
    fixture f = make(100, MP_INDEX_F32);
    assert_int_equal(f.ix->sketch.bytes, 0);
    assert_true(f.ix->sketch.fitted >= FROM);
    assert_true(recall(f.ix, f.v) > 0.8);
    drop(&f);
    make_rows(&f, 0.3f);
    f.ix = open_index("hnsw", MP_INDEX_F32, 1);
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, FROM - 1, NULL, NULL, &why));
    assert_int_equal(f.ix->sketch.fitted, 0);
    mp_index_close(f.ix);
    f.ix = open_index("exact", MP_INDEX_F32, 1);
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, N, NULL, NULL, &why));
    assert_int_equal(f.ix->sketch.fitted, 0);
    drop(&f);
}

/* Bursts: hundreds of pictures that hardly differ. What tells them apart is not along the
 * directions in which subjects differ. */
static void nearly_equal_rows_are_found(void **state)
{
    (void)state;
    enum { BURST = 250 };
    mp_why why;
    fixture f;
    mp_rng rng = {9};
    make_rows(&f, 0.3f);
    for (size_t i = 0; i < N / 2; i++) {
        float *to = f.v + i * DIMS;
        if (i % BURST)
            memcpy(to, f.v + i / BURST * BURST * DIMS, DIMS * sizeof *to);
        for (size_t d = 0; d < DIMS; d++)
            to[d] += 0.002f * (float)mp_rng_gauss(&rng);
        (void)mp_normalise(to, DIMS);
    }
    f.ix = open_index("hnsw", MP_INDEX_F32, 1);
    mp_index *plain = open_index("hnsw", MP_INDEX_F32, 1);
    plain->sketch_from = UINT32_MAX;
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, N, NULL, NULL, &why));
    assert_ok(mp_index_add_many(plain, f.label, f.v, N, NULL, NULL, &why));
    assert_int_not_equal(f.ix->sketch.bytes, 0);
    assert_int_equal(plain->sketch.bytes, 0);
    sifted s = sift_all(f.ix, true);
    double with = recall(f.ix, f.v), without = recall(plain, f.v);
    print_message("missed %zu of %zu near, passed %zu of %zu far; recall %.4f, without %.4f\n",
                  s.missed, s.near, s.passed, s.far, with, without);
    assert_true(s.missed * 100 <= s.near);
    assert_true(with > without - 0.01);
    mp_index_close(plain);
    drop(&f);
}

static void they_come_back_with_a_snapshot_and_a_rebuild(void **state)
{
    (void)state;
    char path[] = "/tmp/magpie-sketch-XXXXXX";
    mp_why why;
    uint64_t stamp;
    fixture f = make(0.3f, MP_INDEX_F32);
    size_t bytes = f.ix->sketch.bytes;
    close(mkstemp(path));
    assert_ok(mp_index_save(f.ix, path, 7, &why));
    mp_index *again = open_index("hnsw", MP_INDEX_F32, 1);
    assert_ok(mp_index_load(again, path, &stamp, &why));
    assert_int_equal(again->sketch.bytes, bytes);
    assert_true(recall(again, f.v) > 0.99);
    mp_index_close(again);
    unlink(path);
    f.ix->sketch_from = N / 3; /* so that what is left after removals counts */
    for (size_t i = 0; i < N / 2 + 1; i++)
        assert_ok(mp_index_remove(f.ix, f.label[i], &why));
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, 1, NULL, NULL, &why));
    assert_int_equal(atomic_load(&f.ix->n_dead), 0);
    assert_int_equal(f.ix->sketch.fitted, N - N / 2);
    assert_true(recall(f.ix, f.v) > 0.99);
    drop(&f);
}

typedef struct asking {
    const fixture *f;
    _Atomic bool stop;
    _Atomic int found;
} asking;

static void *ask(void *context)
{
    asking *a = context;
    for (size_t q = 0; !atomic_load(&a->stop); q = (q + 1) % 1000) {
        mp_neighbour out[K];
        size_t n;
        if (mp_index_search(a->f->ix, a->f->v + q * DIMS, &(mp_search_options){.k = K}, out, &n,
                            NULL))
            abort();
        atomic_fetch_add(&a->found, n == K && out[0].label == a->f->label[q]);
    }
    return NULL;
}

static void searches_go_on_while_they_are_made(void **state)
{
    (void)state;
    mp_why why;
    fixture f;
    pthread_t thread;
    make_rows(&f, 0.3f);
    f.ix = open_index("hnsw", MP_INDEX_F32, 2);
    assert_ok(mp_index_add_many(f.ix, f.label, f.v, FROM - 100, NULL, NULL, &why));
    asking a = {.f = &f};
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    for (size_t i = FROM - 100; i < N; i += 50)
        assert_ok(mp_index_add_many(f.ix, f.label + i, f.v + i * DIMS, 50, NULL, NULL, &why));
    while (atomic_load(&a.found) < 100)
        usleep(1000);
    atomic_store(&a.stop, true);
    pthread_join(thread, NULL);
    assert_int_not_equal(f.ix->sketch.bytes, 0);
    assert_true(recall(f.ix, f.v) > 0.99);
    drop(&f);
}

/* The arithmetic is the same under ThreadSanitizer, only thirty times slower. */
#if defined(__SANITIZE_THREAD__)
enum { ARITHMETIC = false };
#else
enum { ARITHMETIC = true };
#endif

int main(void)
{
    const struct CMUnitTest threads[] = {
        cmocka_unit_test(searches_go_on_while_they_are_made),
    };
    const struct CMUnitTest arithmetic[] = {
        cmocka_unit_test(what_is_near_passes_and_what_is_far_does_not),
        cmocka_unit_test(there_are_none_where_they_do_not_pay),
        cmocka_unit_test(nearly_equal_rows_are_found),
        cmocka_unit_test(they_come_back_with_a_snapshot_and_a_rebuild),
    };
    int failed = cmocka_run_group_tests(threads, NULL, NULL);
    if (ARITHMETIC)
        failed += cmocka_run_group_tests(arithmetic, NULL, NULL);
    return failed;
}
