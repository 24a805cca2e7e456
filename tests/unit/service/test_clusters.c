/* test_clusters.c - groups that are kept are read as they were, and damage is told. */
#include "../test.h"

#include "service/clusters.h"

#include <stdlib.h>
#include <string.h>

static magpie_member members[] = {
    {.id = 1,
     .width = 320,
     .height = 240,
     .bytes = 48213,
     .keep = true,
     .score = 1,
     .reason = "largest"},
    {.id = 2, .width = 160, .height = 120, .bytes = 9121, .score = 0.98F, .reason = "re-encoded"},
    {.id = 3, .width = 80, .height = 60, .bytes = 1021, .score = 0.5F, .reason = ""},
    {.id = INT64_MAX, .bytes = 7, .keep = true, .score = 1, .reason = "one"},
};
static const magpie_group sample[] = {
    {.member = members,
     .n = 3,
     .weakest = 0.5F,
     .weakest_a = 1,
     .weakest_b = 3,
     .bytes_saved = 10142},
    {.member = members + 3, .n = 1, .weakest = 1, .bytes_saved = 0},
};

static mp_span packed(const magpie_group *group, size_t n, mp_buf *out)
{
    magpie_groups groups = {
        .group = group, .n = n, .kind = MAGPIE_SIMILAR, .threshold = 0.25F, .not_compared = 4};
    mp_clusters_pack(&groups, 1.5, out);
    return (mp_span){(const uint8_t *)out->p, out->n};
}

static void same_group(const magpie_group *a, const magpie_group *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->bytes_saved, b->bytes_saved);
    assert_int_equal(a->weakest_a, b->weakest_a);
    assert_int_equal(a->weakest_b, b->weakest_b);
    assert_true(a->weakest == b->weakest);
    for (size_t i = 0; i < a->n; i++) {
        const magpie_member *x = &a->member[i], *y = &b->member[i];
        assert_int_equal(x->id, y->id);
        assert_int_equal(x->bytes, y->bytes);
        assert_int_equal(x->width, y->width);
        assert_int_equal(x->height, y->height);
        assert_true(x->score == y->score && x->keep == y->keep);
        assert_string_equal(x->reason, y->reason);
    }
}

static void test_groups_come_back(void **state)
{
    mp_buf bytes = {0};
    mp_cluster_list list;
    magpie_group group;
    mp_why why = {0};
    mp_arena *arena = mp_arena_new(0);
    (void)state;
    assert_int_equal(mp_clusters_view(packed(sample, 2, &bytes), &list, &why), MP_OK);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.bytes_saved, 10142);
    assert_int_equal(list.kind, MAGPIE_SIMILAR);
    assert_int_equal(list.not_compared, 4);
    assert_true(list.threshold == 0.25F && list.seconds == 1.5);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mp_clusters_get(&list, i, arena, &group, &why), MP_OK);
        same_group(&group, &sample[i]);
    }
    assert_int_equal(mp_clusters_get(&list, 2, arena, &group, &why), MP_NOT_FOUND);
    bytes.n = 0;
    assert_int_equal(mp_clusters_view(packed(NULL, 0, &bytes), &list, &why), MP_OK);
    assert_int_equal(list.n, 0);
    mp_arena_free(arena);
    mp_buf_free(&bytes);
}

/* Whatever byte is wrong, and wherever it ends: nothing is read that was not written. */
static void test_damage_is_told(void **state)
{
    mp_buf bytes = {0};
    mp_why why = {0};
    (void)state;
    mp_span whole = packed(sample, 2, &bytes);
    for (size_t at = 0; at < whole.n; at++) {
        uint8_t *copy = malloc(whole.n); /* of its own, so that a sanitizer sees an overrun */
        mp_cluster_list list;
        magpie_group group;
        mp_arena *arena = mp_arena_new(0);
        memcpy(copy, whole.p, whole.n);
        copy[at] ^= (uint8_t)(1u << (at % 8));
        mp_err err = mp_clusters_view((mp_span){copy, whole.n}, &list, &why);
        for (size_t i = 0; !err && i < 2; i++)
            err = mp_clusters_get(&list, i, arena, &group, &why);
        assert_int_equal(err, MP_CORRUPT);
        uint8_t *cut = malloc(at ? at : 1);
        memcpy(cut, whole.p, at);
        assert_int_equal(mp_clusters_view((mp_span){cut, at}, &list, &why), MP_CORRUPT);
        mp_arena_free(arena);
        free(cut);
        free(copy);
    }
    mp_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups_come_back),
                                       cmocka_unit_test(test_damage_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
