/* From hashes, neighbours and pictures to pairs: the whole of mp_dedup_same. */
#include "../test.h"

#include "core/dedup.h"
#include "scene.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SCENES = 12, COPIES = 6, N = SCENES * COPIES };

typedef struct album {
    mp_image picture[N];
    uint64_t phash[N][8];
    atomic_int asked;
    size_t broken; /* this one cannot be had; SIZE_MAX: none */
} album;

/* Position s * COPIES + c is copy c of scene s. */
static album *new_album(void)
{
    album *al = calloc(1, sizeof *al);
    al->broken = SIZE_MAX;
    for (size_t s = 0; s < SCENES; s++) {
        mp_image *p = &al->picture[s * COPIES];
        p[0] = scene_new(s + 50, 256, 192);
        p[1] = scene_resize(&p[0], 120, 90);
        p[2] = scene_tone(&p[0], 0.8, 10, 5, s);
        p[3] = scene_turn(&p[0], 1, false);
        p[4] = scene_turn(&p[0], 0, true);
        p[5] = scene_crop(&p[0], 0.15, 0.1, 0.05, 0.1);
    }
    for (size_t i = 0; i < N; i++)
        mp_phash8(&al->picture[i], al->phash[i]);
    return al;
}

static void free_album(album *al)
{
    for (size_t i = 0; i < N; i++)
        mp_image_free(&al->picture[i]);
    free(al);
}

static mp_err small_of(void *context, size_t i, mp_image *out)
{
    album *al = context;
    atomic_fetch_add(&al->asked, 1);
    *out = (mp_image){0};
    if (i == al->broken)
        return MP_CORRUPT;
    *out = scene_crop(&al->picture[i], 0, 0, 0, 0);
    return MP_OK;
}

/* Neighbours as a poor model gives them: the next copy of the scene, and a stranger. */
static mp_neighbour *neighbours(void)
{
    mp_neighbour *knn = calloc((size_t)N * 3, sizeof *knn);
    for (size_t i = 0; i < N; i++) {
        size_t next = i / COPIES * COPIES + (i + 1) % COPIES;
        knn[i * 3] = (mp_neighbour){.label = (int64_t)next + 1, .score = 0.9f};
        knn[i * 3 + 1] = (mp_neighbour){.label = (int64_t)((i + 13) % N) + 1, .score = 0.8f};
    }
    return knn;
}

static mp_dedup_input input_of(album *al, const mp_neighbour *knn)
{
    return (mp_dedup_input){.n = N,
                            .phash = (const uint64_t(*)[8])al->phash,
                            .copy_knn = knn,
                            .copy_k = 3,
                            .small = small_of,
                            .small_context = al,
                            .threads = 2};
}

static bool has(const mp_pair *pairs, size_t n, size_t a, size_t b)
{
    for (size_t i = 0; i < n; i++)
        if (pairs[i].a == a && pairs[i].b == b)
            return true;
    return false;
}

static void all_copies_and_no_strangers(void **state)
{
    (void)state;
    album *al = new_album();
    mp_neighbour *knn = neighbours();
    mp_dedup_input in = input_of(al, knn);
    mp_pair *pairs, *again;
    size_t n, n_again;
    mp_why why;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    for (size_t i = 0; i < n; i++) {
        assert_true(pairs[i].a < pairs[i].b);
        assert_int_equal(pairs[i].a / COPIES, pairs[i].b / COPIES);
        assert_true(pairs[i].score >= mp_dedup_threshold && pairs[i].score <= 1);
    }
    /* Triangles are closed: a turned one and the crop were never proposed, yet are found. */
    assert_int_equal(n, SCENES * COPIES * (COPIES - 1) / 2);
    in.threads = 1;
    assert_ok(mp_dedup_same(&in, &again, &n_again, &why));
    assert_int_equal(n, n_again);
    for (size_t i = 0; i < n; i++)
        assert_true(pairs[i].a == again[i].a && pairs[i].b == again[i].b &&
                    pairs[i].score == again[i].score && pairs[i].kind == again[i].kind);
    mp_grouping g;
    assert_ok(mp_dedup_group(pairs, n, N, NULL, 0, NULL, 0, mp_dedup_threshold, &g, &why));
    assert_int_equal(g.n_groups, SCENES);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(g.group[i], i / COPIES);
    mp_grouping_free(&g);
    free(pairs);
    free(again);
    free(knn);
    free_album(al);
}

static void hashes_alone_find_what_is_whole(void **state)
{
    (void)state;
    album *al = new_album();
    mp_dedup_input in = input_of(al, NULL);
    mp_pair *pairs;
    size_t n;
    mp_why why;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    for (size_t s = 0; s < SCENES; s++)
        for (size_t c = 1; c < 5; c++)
            assert_true(has(pairs, n, s * COPIES, s * COPIES + c));
    free(pairs);
    free_album(al);
}

static void verdicts_are_kept_and_not_asked_again(void **state)
{
    (void)state;
    album *al = new_album();
    mp_neighbour *knn = neighbours();
    mp_dedup_input in = input_of(al, knn);
    mp_pair same[1] = {{.a = COPIES, .b = 0}}, different[1] = {{.a = 1, .b = 0}}, *pairs;
    size_t n;
    mp_why why;
    in.same = same;
    in.n_same = 1;
    in.different = different;
    in.n_different = 1;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    assert_true(has(pairs, n, 0, COPIES));
    assert_false(has(pairs, n, 0, 1));
    assert_true(has(pairs, n, 0, 2));
    free(pairs);
    different[0].a = N;
    assert_int_equal(mp_dedup_same(&in, &pairs, &n, &why), MP_INVALID);
    assert_null(pairs);
    free(knn);
    free_album(al);
}

static void a_picture_that_cannot_be_had_is_left_out(void **state)
{
    (void)state;
    album *al = new_album();
    mp_neighbour *knn = neighbours();
    mp_dedup_input in = input_of(al, knn);
    mp_pair *pairs;
    size_t n;
    mp_why why;
    al->broken = 2;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    for (size_t i = 0; i < n; i++)
        assert_true(pairs[i].a != 2 && pairs[i].b != 2);
    assert_true(has(pairs, n, 0, 1));
    free(pairs);
    free(knn);
    free_album(al);
}

/* Five hundred blank pictures in five greys: five groups, not one, and no flood of comparisons. */
typedef struct blanks {
    atomic_int asked;
} blanks;

enum { BLANKS = 500, GREYS = 5 };

static mp_err blank_of(void *context, size_t i, mp_image *out)
{
    blanks *b = context;
    atomic_fetch_add(&b->asked, 1);
    *out = scene_blank(64, 48, (uint8_t)(40 * (i % GREYS)));
    return MP_OK;
}

static void blank_pictures_group_by_what_they_are(void **state)
{
    (void)state;
    static uint64_t phash[BLANKS][8];
    blanks b = {0};
    mp_pair *pairs;
    size_t n;
    mp_why why;
    mp_grouping g;
    for (size_t i = 0; i < BLANKS; i++) {
        mp_image im;
        assert_ok(blank_of(&b, i, &im));
        mp_phash8(&im, phash[i]);
        mp_image_free(&im);
    }
    mp_dedup_input in = {.n = BLANKS,
                         .phash = (const uint64_t(*)[8])phash,
                         .small = blank_of,
                         .small_context = &b,
                         .threads = 2};
    b.asked = 0;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    assert_true(b.asked < 30000);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pairs[i].a % GREYS, pairs[i].b % GREYS);
    assert_ok(mp_dedup_group(pairs, n, BLANKS, NULL, 0, NULL, 0, mp_dedup_threshold, &g, &why));
    for (size_t i = 0; i < BLANKS; i++)
        for (size_t k = 0; k < GREYS; k++)
            if (i % GREYS != k && g.group[i] != SIZE_MAX)
                assert_int_not_equal(g.group[i], g.group[k]);
    mp_grouping_free(&g);
    free(pairs);
}

static bool stop_soon(void *context, size_t done, size_t total)
{
    (void)total;
    int *asked = context;
    return ++*asked > 2 && done > 0;
}

static void stopping_is_heard(void **state)
{
    (void)state;
    album *al = new_album();
    mp_neighbour *knn = neighbours();
    mp_dedup_input in = input_of(al, knn);
    mp_pair *pairs;
    size_t n;
    int asked = 0;
    mp_why why;
    in.stop = stop_soon;
    in.stop_context = &asked;
    assert_int_equal(mp_dedup_same(&in, &pairs, &n, &why), MP_CANCELLED);
    assert_null(pairs);
    free(knn);
    free_album(al);
}

static void odd_neighbours_are_ignored(void **state)
{
    (void)state;
    album *al = new_album();
    mp_neighbour *knn = calloc((size_t)N * 3, sizeof *knn);
    mp_dedup_input in = input_of(al, knn);
    mp_pair *pairs;
    size_t n;
    mp_why why;
    knn[0] = (mp_neighbour){.label = N + 5, .score = 1};
    knn[1] = (mp_neighbour){.label = -3, .score = 1};
    knn[2] = (mp_neighbour){.label = 1, .score = 1}; /* itself */
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pairs[i].a / COPIES, pairs[i].b / COPIES);
    free(pairs);
    in.n = 0;
    assert_ok(mp_dedup_same(&in, &pairs, &n, &why));
    assert_int_equal(n, 0);
    free(pairs);
    free(knn);
    free_album(al);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_copies_and_no_strangers),
        cmocka_unit_test(hashes_alone_find_what_is_whole),
        cmocka_unit_test(verdicts_are_kept_and_not_asked_again),
        cmocka_unit_test(a_picture_that_cannot_be_had_is_left_out),
        cmocka_unit_test(blank_pictures_group_by_what_they_are),
        cmocka_unit_test(stopping_is_heard),
        cmocka_unit_test(odd_neighbours_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
