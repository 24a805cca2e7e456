/* Multi-index hashing against looking at all pairs; degenerate sets stay small. */
#include "../test.h"

#include "base/os.h"
#include "core/dedup_hash.h"

#include <stdlib.h>
#include <string.h>

typedef uint64_t eight[8];

static int distance(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}

/* Random hashes, half of them a few bits away from a turn of an earlier one. */
static eight *some_hashes(size_t n, uint64_t seed)
{
    mp_rng r = {seed};
    eight *h = calloc(n, sizeof *h);
    assert_non_null(h);
    for (size_t i = 0; i < n; i++) {
        for (int t = 0; t < 8; t++)
            h[i][t] = mp_rng_u64(&r);
        if (i % 2) {
            h[i][0] = h[mp_rng_u64(&r) % i][mp_rng_u64(&r) % 8];
            for (uint64_t flips = mp_rng_u64(&r) % 18; flips > 0; flips--)
                h[i][0] ^= 1ull << (mp_rng_u64(&r) % 64);
        }
    }
    return h;
}

static int least_distance(const uint64_t *a, const uint64_t *b)
{
    int least = 64;
    for (int t = 0; t < 8; t++)
        least = MP_MIN(least, distance(a[t], b[0]));
    return least;
}

static void same_as_all_pairs(void **state)
{
    (void)state;
    enum { N = 1500 };
    static const int radii[] = {0, 1, 3, 4, 7, 8, 10, 12, 15};
    eight *h = some_hashes(N, 5);
    mp_why why;
    for (size_t k = 0; k < MP_COUNT(radii); k++)
        for (int workers = 1; workers <= 3; workers += 2) {
            mp_dedup_hash_input in = {
                .phash = (const eight *)h, .n = N, .radius = radii[k], .workers = workers};
            mp_dedup_near *near;
            size_t n, at = 0;
            assert_ok(mp_dedup_hash_pairs(&in, &near, &n, &why));
            for (uint32_t a = 0; a < N; a++)
                for (uint32_t b = a + 1; b < N; b++) {
                    int least = least_distance(h[a], h[b]);
                    if (least > radii[k])
                        continue;
                    assert_true(at < n);
                    assert_int_equal(near[at].a, a);
                    assert_int_equal(near[at].b, b);
                    assert_int_equal(near[at].distance, least);
                    assert_int_equal(distance(h[a][near[at].turn], h[b][0]), least);
                    at++;
                }
            assert_int_equal(at, n);
            free(near);
        }
    free(h);
}

static void equal_hashes_do_not_square(void **state)
{
    (void)state;
    enum { N = 20000 };
    eight *h = calloc(N, sizeof *h);
    mp_dedup_near *near;
    size_t n;
    mp_why why;
    for (int i = 0; i < N; i++)
        for (int t = 0; t < 8; t++)
            h[i][t] = 0x0123456789abcdefull * (uint64_t)(t + 1);
    mp_dedup_hash_input in = {.phash = (const eight *)h, .n = N, .radius = 10, .workers = 2};
    assert_ok(mp_dedup_hash_pairs(&in, &near, &n, &why));
    assert_true(n >= N - 1);
    assert_true(n <= 6 * (size_t)N);
    bool *reached = calloc(N, sizeof *reached); /* every one is a neighbour of the first */
    for (size_t i = 0; i < n; i++)
        if (near[i].a == 0)
            reached[near[i].b] = true;
    for (int i = 1; i < N; i++)
        assert_true(reached[i]);
    free(reached);
    free(near);
    free(h);
}

/* All within a few bits of one value, as hashes of blank pictures are. */
static void crowded_buckets_are_capped(void **state)
{
    (void)state;
    enum { N = 6000 };
    mp_rng r = {9};
    eight *h = calloc(N, sizeof *h);
    mp_dedup_near *near;
    size_t n;
    mp_why why;
    for (int i = 0; i < N; i++)
        for (int t = 0; t < 8; t++)
            h[i][t] = 1ull << (mp_rng_u64(&r) % 64) | 1ull << (mp_rng_u64(&r) % 64) |
                      1ull << (mp_rng_u64(&r) % 64);
    mp_dedup_hash_input in = {.phash = (const eight *)h, .n = N, .radius = 10, .workers = 2};
    double began = mp_monotonic_s();
    assert_ok(mp_dedup_hash_pairs(&in, &near, &n, &why));
    assert_true(mp_monotonic_s() - began < 60);
    assert_true(n > N);
    assert_true(n < (size_t)N * 64 * 4 * 8);
    free(near);
    free(h);
}

static bool stop_now(void *context, size_t done, size_t total)
{
    (void)context, (void)done, (void)total;
    return true;
}

static void refusals(void **state)
{
    (void)state;
    eight h[2] = {{0}};
    mp_dedup_near *near;
    size_t n;
    mp_dedup_hash_input in = {.phash = (const eight *)h, .n = 2, .radius = 16, .workers = 1};
    assert_int_equal(mp_dedup_hash_pairs(&in, &near, &n, NULL), MP_INVALID);
    assert_null(near);
    in.radius = -1;
    assert_int_equal(mp_dedup_hash_pairs(&in, &near, &n, NULL), MP_INVALID);
    in.radius = 10;
    in.stop = stop_now;
    assert_int_equal(mp_dedup_hash_pairs(&in, &near, &n, NULL), MP_CANCELLED);
    assert_null(near);
    in.stop = NULL;
    in.n = 0;
    assert_int_equal(mp_dedup_hash_pairs(&in, &near, &n, NULL), MP_OK);
    assert_int_equal(n, 0);
    free(near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_all_pairs),
        cmocka_unit_test(equal_hashes_do_not_square),
        cmocka_unit_test(crowded_buckets_are_capped),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
