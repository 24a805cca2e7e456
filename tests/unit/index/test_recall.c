/* Recall@10 of the graph at default settings against the scan, on 100,000 x 512 clustered vectors:
 * 1,000 centres in a 48-dimensional subspace, points scattered around them in 48 directions (so
 * that clusters overlap) plus isotropic noise: image embeddings have a low intrinsic dimension.
 * Also after 30 % deletes and a reload, and under filters. Sanitizer builds use a tenth of the
 * points. */
#include "../test.h"
#include "base/os.h"
#include "index/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIMS = 512, INTRINSIC = 48, CENTRES = 1000, QUERIES = 200, K = 10 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { POINTS = 10000 };
#else
enum { POINTS = 100000 };
#endif

typedef struct world {
    float *vectors, *queries;
    int64_t *labels;
    mp_index *ix;
} world;

static void mix_down(const float *basis, const float *low, mp_rng *rng, float *out)
{
    for (int d = 0; d < DIMS; d++)
        out[d] = 0.02f * (float)mp_rng_gauss(rng);
    for (int i = 0; i < INTRINSIC; i++)
        for (int d = 0; d < DIMS; d++)
            out[d] += low[i] * basis[i * DIMS + d];
}

static void make_points(world *w)
{
    mp_rng rng = {11};
    float *basis = mp_xcalloc(INTRINSIC * DIMS, sizeof *basis);
    float *centres = mp_xcalloc(CENTRES * INTRINSIC, sizeof *centres);
    float low[INTRINSIC];
    for (int i = 0; i < INTRINSIC * DIMS; i++)
        basis[i] = (float)mp_rng_gauss(&rng) / 22.6f;
    for (int i = 0; i < CENTRES * INTRINSIC; i++)
        centres[i] = (float)mp_rng_gauss(&rng);
    for (int i = 0; i < POINTS + QUERIES; i++) {
        const float *c = centres + (mp_rng_u64(&rng) % CENTRES) * INTRINSIC;
        for (int k = 0; k < INTRINSIC; k++)
            low[k] = c[k] + 0.8f * (float)mp_rng_gauss(&rng);
        mix_down(basis, low, &rng,
                 i < POINTS ? w->vectors + (size_t)i * DIMS
                            : w->queries + (size_t)(i - POINTS) * DIMS);
    }
    free(basis);
    free(centres);
}

static int set_up(void **state)
{
    mp_why why;
    world *w = mp_xcalloc(1, sizeof *w);
    w->vectors = mp_xcalloc((size_t)POINTS * DIMS, sizeof(float));
    w->queries = mp_xcalloc((size_t)QUERIES * DIMS, sizeof(float));
    w->labels = mp_xcalloc(POINTS, sizeof(int64_t));
    make_points(w);
    for (int i = 0; i < POINTS; i++)
        w->labels[i] = i + 1;
    mp_index_options opt = {.dims = DIMS, .tag = 5};
    double began = mp_monotonic_s();
    if (mp_index_open(&w->ix, "hnsw", &opt, &why) ||
        mp_index_add_many(w->ix, w->labels, w->vectors, POINTS, NULL, NULL, &why))
        return -1;
    print_message("built %d x %d in %.1f s\n", POINTS, DIMS, mp_monotonic_s() - began);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    mp_index_close(w->ix);
    free(w->vectors);
    free(w->queries);
    free(w->labels);
    free(w);
    return 0;
}

static double recall(const mp_index *ix, const world *w, const mp_label_set *allow)
{
    size_t hit = 0, all = 0;
    for (int q = 0; q < QUERIES; q++) {
        mp_neighbour want[K], have[K];
        size_t n_want, n_have;
        mp_search_options exact = {.k = K, .allow = allow, .exact = true};
        mp_search_options graph = {.k = K, .allow = allow};
        const float *query = w->queries + (size_t)q * DIMS;
        mp_why why;
        assert_ok(mp_index_search(ix, query, &exact, want, &n_want, &why));
        assert_ok(mp_index_search(ix, query, &graph, have, &n_have, &why));
        assert_int_equal(n_want, n_have);
        all += n_want;
        for (size_t i = 0; i < n_want; i++)
            for (size_t k = 0; k < n_have; k++)
                hit += want[i].label == have[k].label;
    }
    return (double)hit / (double)all;
}

static void recall_at_default_settings(void **state)
{
    world *w = *state;
    double r = recall(w->ix, w, NULL);
    print_message("recall@10 on %d x %d: %.4f\n", POINTS, DIMS, r);
    assert_true(r >= 0.98);
}

static void recall_under_filters(void **state)
{
    world *w = *state;
    static const int steps[] = {2, 3, 10, 100, 5000};
    for (size_t s = 0; s < MP_COUNT(steps); s++) {
        int64_t *allowed = mp_xcalloc(POINTS, sizeof *allowed);
        mp_label_set set = {.label = allowed};
        for (int i = 0; i < POINTS; i += steps[s])
            allowed[set.n++] = i + 1;
        double r = recall(w->ix, w, &set);
        print_message("recall@10, 1 of %d allowed: %.4f\n", steps[s], r);
        assert_true(r >= 0.98);
        free(allowed);
    }
}

static void recall_after_deletes_and_reload(void **state)
{
    world *w = *state;
    mp_why why;
    char path[] = "/tmp/magpie-recall-XXXXXX";
    uint64_t stamp;
    mp_index *again;
    mp_rng rng = {99};
    size_t removed = 0;
    for (int i = 0; i < POINTS; i++)
        if (mp_rng_unit(&rng) < 0.3) {
            assert_ok(mp_index_remove(w->ix, w->labels[i], &why));
            removed++;
        }
    double r = recall(w->ix, w, NULL);
    print_message("recall@10 after %zu deletes: %.4f\n", removed, r);
    assert_true(r >= 0.98);
    close(mkstemp(path));
    assert_ok(mp_index_save(w->ix, path, 77, &why));
    mp_index_options opt = {.dims = DIMS, .tag = 5};
    assert_ok(mp_index_open(&again, "hnsw", &opt, &why));
    assert_ok(mp_index_load(again, path, &stamp, &why));
    assert_int_equal(stamp, 77);
    assert_int_equal(mp_index_count(again), POINTS - removed);
    r = recall(again, w, NULL);
    print_message("recall@10 after a reload: %.4f\n", r);
    assert_true(r >= 0.98);
    mp_index_close(again);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recall_at_default_settings),
        cmocka_unit_test(recall_under_filters),
        cmocka_unit_test(recall_after_deletes_and_reload),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
