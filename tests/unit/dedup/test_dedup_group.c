/* Average linkage: no chains, verdicts hold, big heaps stay together, order does not matter. */
#include "../test.h"

#include "base/os.h"
#include "core/dedup.h"

#include <stdlib.h>
#include <string.h>

static mp_pair link(size_t a, size_t b, float score)
{
    return (mp_pair){.a = a, .b = b, .score = score, .kind = MP_SAME_CROPPED};
}

static mp_pair copy_of(size_t a, size_t b)
{
    return (mp_pair){.a = a, .b = b, .score = 0.97f, .kind = MP_SAME_RECODED};
}

/* Every pair within [from, to). */
static size_t clique(mp_pair *out, size_t from, size_t to, float score)
{
    size_t n = 0;
    for (size_t a = from; a < to; a++)
        for (size_t b = a + 1; b < to; b++)
            out[n++] = link(a, b, score);
    return n;
}

static void copies_become_groups(void **state)
{
    (void)state;
    mp_pair pairs[32];
    mp_grouping g;
    mp_why why;
    size_t n = clique(pairs, 1, 5, 0.9f);
    pairs[0].score = 0.8f; /* 1 and 2: held by the others */
    pairs[n++] = link(8, 6, 0.7f);
    assert_ok(mp_dedup_group(pairs, n, 10, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 2);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(g.group[i], 0);
    assert_int_equal(g.group[6], 1);
    assert_int_equal(g.group[8], 1);
    assert_true(g.group[0] == SIZE_MAX && g.group[5] == SIZE_MAX && g.group[7] == SIZE_MAX);
    assert_float_equal(g.weakest[0].score, 0.9, 1e-6);
    assert_float_equal(g.weakest[1].score, 0.7, 1e-6);
    assert_int_equal(g.weakest[1].a, 6);
    assert_int_equal(g.weakest[1].b, 8);
    mp_grouping_free(&g);
}

static size_t largest(const mp_grouping *g, size_t n)
{
    size_t *size = calloc(g->n_groups + 1, sizeof *size), most = 0;
    for (size_t i = 0; i < n; i++)
        if (g->group[i] != SIZE_MAX && ++size[g->group[i]] > most)
            most = size[g->group[i]];
    free(size);
    return most;
}

static void chains_break(void **state)
{
    (void)state;
    enum { N = 1000 };
    mp_pair pairs[N];
    mp_grouping g;
    mp_why why;
    for (size_t i = 0; i + 1 < N; i++)
        pairs[i] = link(i, i + 1, 0.95f);
    assert_ok(mp_dedup_group(pairs, N - 1, N, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_true(largest(&g, N) <= 3);
    mp_grouping_free(&g);
    assert_ok(mp_dedup_group(pairs, N - 1, N, NULL, 0, NULL, 0, 0.85f, &g, &why));
    assert_true(largest(&g, N) <= 2);
    mp_grouping_free(&g);
}

static void chains_of_certain_copies_break_too(void **state)
{
    (void)state;
    enum { N = 1000 };
    mp_pair pairs[N];
    mp_grouping g;
    mp_why why;
    for (size_t i = 0; i + 1 < N; i++)
        pairs[i] = copy_of(i, i + 1);
    assert_ok(mp_dedup_group(pairs, N - 1, N, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_true(largest(&g, N) <= 6);
    mp_grouping_free(&g);
}

static void one_false_link_is_outvoted(void **state)
{
    (void)state;
    mp_pair pairs[64];
    mp_grouping g;
    mp_why why;
    size_t n = clique(pairs, 0, 4, 0.9f);
    n += clique(pairs + n, 4, 8, 0.9f);
    pairs[n++] = link(1, 6, 0.95f);
    assert_ok(mp_dedup_group(pairs, n, 8, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 2);
    assert_int_equal(g.group[0], g.group[3]);
    assert_int_equal(g.group[4], g.group[7]);
    assert_int_not_equal(g.group[0], g.group[4]);
    mp_grouping_free(&g);
}

/* A thousand reposts of which only a part were compared, and a second heap with one false link. */
static void heaps_stay_together_and_apart(void **state)
{
    (void)state;
    enum { HEAP = 1000 };
    mp_pair *pairs = calloc(4 * HEAP, sizeof *pairs);
    mp_grouping g;
    mp_why why;
    size_t n = 0;
    for (size_t i = 1; i < HEAP; i++) {
        pairs[n++] = copy_of(0, i);
        pairs[n++] = copy_of(HEAP, HEAP + i);
    }
    pairs[n++] = copy_of(17, HEAP + 400);
    assert_ok(mp_dedup_group(pairs, n, 2 * HEAP, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 2);
    for (size_t i = 0; i < HEAP; i++) {
        assert_int_equal(g.group[i], 0);
        assert_int_equal(g.group[HEAP + i], 1);
    }
    mp_grouping_free(&g);
    free(pairs);
}

static void cannot_links_hold(void **state)
{
    (void)state;
    mp_pair pairs[16], cannot[2] = {link(2, 0, 0), link(1, 1, 0)};
    mp_grouping g;
    mp_why why;
    size_t n = clique(pairs, 0, 4, 0.97f);
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < n; i++)
            pairs[i].kind = kind ? MP_SAME_RECODED : MP_SAME_CROPPED;
        assert_ok(mp_dedup_group(pairs, n, 4, NULL, 0, cannot, 2, 0.6f, &g, &why));
        assert_true(g.group[0] == SIZE_MAX || g.group[0] != g.group[2]);
        assert_true(g.n_groups >= 1);
        mp_grouping_free(&g);
    }
}

static void must_links_force(void **state)
{
    (void)state;
    mp_pair must[3] = {link(0, 5, 0), link(5, 9, 0), link(3, 2, 0)};
    mp_pair cannot[1] = {link(2, 3, 0)}, pairs[1] = {link(7, 8, 0.9f)};
    mp_grouping g;
    mp_why why;
    assert_ok(mp_dedup_group(pairs, 1, 10, must, 3, cannot, 1, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 2);
    assert_true(g.group[0] == 0 && g.group[5] == 0 && g.group[9] == 0);
    assert_int_equal(g.group[7], 1);
    assert_true(g.group[2] == SIZE_MAX && g.group[3] == SIZE_MAX); /* a cannot-link is stronger */
    assert_float_equal(g.weakest[0].score, 1, 1e-6);
    mp_grouping_free(&g);
}

/* Random cliques with noise; any order and direction of the pairs gives the same. */
static void order_does_not_matter(void **state)
{
    (void)state;
    enum { N = 300, PAIRS = 3000 };
    static mp_pair pairs[PAIRS];
    mp_rng r = {3};
    mp_grouping first = {0}, g;
    mp_why why;
    for (size_t i = 0; i < PAIRS; i++) {
        size_t a = mp_rng_u64(&r) % N,
               b = i % 3 ? a / 7 * 7 + mp_rng_u64(&r) % 7 : mp_rng_u64(&r) % N;
        pairs[i] = link(a, MP_MIN(b, (size_t)N - 1), 0.6f + 0.05f * (float)(mp_rng_u64(&r) % 8));
        pairs[i].kind = i % 2 ? MP_SAME_RECODED : MP_SAME_FRAMED;
    }
    for (int round = 0; round < 20; round++) {
        assert_ok(mp_dedup_group(pairs, PAIRS, N, NULL, 0, NULL, 0, 0.6f, &g, &why));
        if (round == 0)
            first = g;
        assert_int_equal(g.n_groups, first.n_groups);
        assert_memory_equal(g.group, first.group, N * sizeof *g.group);
        for (size_t k = 0; k < g.n_groups; k++)
            assert_true(g.weakest[k].a == first.weakest[k].a &&
                        g.weakest[k].b == first.weakest[k].b);
        if (round)
            mp_grouping_free(&g);
        for (size_t i = PAIRS - 1; i > 0; i--) {
            size_t other = mp_rng_u64(&r) % (i + 1);
            mp_pair t = pairs[i];
            pairs[i] = pairs[other];
            pairs[other] = (mp_pair){.a = t.b, .b = t.a, .score = t.score, .kind = t.kind};
        }
    }
    mp_grouping_free(&first);
}

/* The same on a small graph, slowly: the best average join again and again. */
static float slow_average(float score[8][8], const int *of, int x, int y)
{
    float sum = 0;
    int n = 0;
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++)
            if (of[a] == x && of[b] == y) {
                sum += score[a][b];
                n++;
            }
    return n ? sum / (float)n : 0;
}

static void agrees_with_the_definition(void **state)
{
    (void)state;
    mp_why why;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        mp_rng r = {seed};
        float score[8][8] = {{0}};
        mp_pair pairs[28];
        size_t n = 0;
        int of[8] = {0, 1, 2, 3, 4, 5, 6, 7};
        for (int a = 0; a < 8; a++)
            for (int b = a + 1; b < 8; b++)
                if (mp_rng_unit(&r) < 0.4) {
                    score[a][b] = score[b][a] = 0.6f + 0.35f * (float)mp_rng_unit(&r);
                    pairs[n++] = link((size_t)a, (size_t)b, score[a][b]);
                }
        for (;;) {
            float best = 0;
            int bx = 0, by = 0;
            for (int x = 0; x < 8; x++)
                for (int y = x + 1; y < 8; y++)
                    if (slow_average(score, of, x, y) > best) {
                        best = slow_average(score, of, x, y);
                        bx = x;
                        by = y;
                    }
            if (best < 0.36f)
                break;
            for (int i = 0; i < 8; i++)
                of[i] = of[i] == by ? bx : of[i];
        }
        mp_grouping g;
        assert_ok(mp_dedup_group(pairs, n, 8, NULL, 0, NULL, 0, 0.6f, &g, &why));
        for (int a = 0; a < 8; a++)
            for (int b = a + 1; b < 8; b++)
                assert_int_equal(of[a] == of[b],
                                 g.group[a] != SIZE_MAX && g.group[a] == g.group[b]);
        mp_grouping_free(&g);
    }
}

static void odd_input(void **state)
{
    (void)state;
    mp_pair bad[1] = {link(0, 9, 1)}, loop[2] = {link(2, 2, 1), link(0, 1, 0)};
    mp_grouping g;
    mp_why why;
    assert_int_equal(mp_dedup_group(bad, 1, 9, NULL, 0, NULL, 0, 0.6f, &g, &why), MP_INVALID);
    assert_null(g.group);
    assert_int_equal(mp_dedup_group(NULL, 0, 9, bad, 1, NULL, 0, 0.6f, &g, &why), MP_INVALID);
    assert_int_equal(mp_dedup_group(NULL, 0, 9, NULL, 0, bad, 1, 0.6f, &g, &why), MP_INVALID);
    assert_ok(mp_dedup_group(loop, 2, 3, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 0);
    mp_grouping_free(&g);
    assert_ok(mp_dedup_group(NULL, 0, 0, NULL, 0, NULL, 0, 0.6f, &g, &why));
    assert_int_equal(g.n_groups, 0);
    mp_grouping_free(&g);
    mp_grouping_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_become_groups),
        cmocka_unit_test(chains_break),
        cmocka_unit_test(chains_of_certain_copies_break_too),
        cmocka_unit_test(one_false_link_is_outvoted),
        cmocka_unit_test(heaps_stay_together_and_apart),
        cmocka_unit_test(cannot_links_hold),
        cmocka_unit_test(must_links_force),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(odd_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
