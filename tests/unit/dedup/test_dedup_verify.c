/* Registration and comparison on made-up pictures whose truth is known. */
#include "../test.h"

#include "core/dedup_search.h"
#include "core/dedup_verify.h"
#include "scene.h"

#include <math.h>
#include <string.h>

enum { SEEDS = 8 };

static float score_of(const mp_image *a, const mp_image *b, mp_relation_kind *kind)
{
    mp_relation_kind other;
    float score = mp_dedup_compare(a, b, kind);
    float back = mp_dedup_compare(b, a, &other);
    assert_true(score == back); /* bit for bit, whichever comes first */
    assert_int_equal(*kind, other);
    assert_true(score >= 0 && score <= 1);
    return score;
}

static void expect_same(const mp_image *a, mp_image copy, mp_relation_kind kind, const char *what)
{
    mp_relation_kind found;
    float score = score_of(a, &copy, &found);
    if (score < mp_dedup_threshold)
        fail_msg("%s: score %.3f", what, (double)score);
    if (found != kind)
        fail_msg("%s: kind %d instead of %d", what, (int)found, (int)kind);
    mp_image_free(&copy);
}

static void copies_are_found_and_named(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mp_image a = scene_new(seed, 256, 192);
        expect_same(&a, scene_crop(&a, 0, 0, 0, 0), MP_SAME_EXACT, "itself");
        expect_same(&a, scene_resize(&a, 90, 68), MP_SAME_EXACT, "smaller");
        expect_same(&a, scene_resize(&a, 256, 160), MP_SAME_EXACT, "squeezed");
        expect_same(&a, scene_tone(&a, 0.6, 20, 3, seed), MP_SAME_RECODED, "paler");
        expect_same(&a, scene_tone(&a, 1, 0, 25, seed), MP_SAME_RECODED, "noisy");
        expect_same(&a, scene_crop(&a, 0.1, 0.05, 0, 0.05), MP_SAME_CROPPED, "crop of a tenth");
        expect_same(&a, scene_crop(&a, 0.05, 0.2, 0.15, 0), MP_SAME_CROPPED, "crop of a fifth");
        expect_same(&a, scene_crop(&a, 0.35, 0.1, 0.05, 0.3), MP_SAME_CROPPED,
                    "crop of two fifths");
        expect_same(&a, scene_border(&a, 16, 255), MP_SAME_FRAMED, "border");
        expect_same(&a, scene_caption(&a, 30), MP_SAME_FRAMED, "caption");
        expect_same(&a, scene_mark(&a), MP_SAME_FRAMED, "mark");
        for (int turn = 1; turn < 8; turn++)
            expect_same(&a, scene_turn(&a, turn % 4, turn > 3), MP_SAME_TURNED, "turned");
        mp_image_free(&a);
    }
}

/* Which of the two has the frame, and how much of it that is. */
static void what_was_added_is_known(void **state)
{
    (void)state;
    mp_image im = scene_new(3, 256, 192), framed = scene_caption(&im, 30);
    mp_dedup_picture a, b;
    mp_why why;
    assert_ok(mp_dedup_picture_make(&im, &a, &why));
    assert_ok(mp_dedup_picture_make(&framed, &b, &why));
    float added = mp_dedup_verify(&a, &b, NULL, true).added;
    assert_true(fabsf(added - 30.0f / (192 + 30)) < 0.03f);
    assert_true(mp_dedup_verify(&b, &a, NULL, true).added == -added);
    mp_dedup_picture_free(&a);
    mp_dedup_picture_free(&b);
    mp_image_free(&im);
    mp_image_free(&framed);
}

static void strangers_are_refused(void **state)
{
    (void)state;
    mp_relation_kind kind;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        mp_image a = scene_new(seed, 256, 192), b = scene_new(seed + 1000, 256, 192);
        assert_true(score_of(&a, &b, &kind) < 0.3f);
        mp_image_free(&b);
        b = scene_new(seed + 2000, 150, 256);
        assert_true(score_of(&a, &b, &kind) < 0.3f);
        mp_image_free(&b);
        b = scene_tone(&a, -1, 255, 0, 1); /* a negative is another picture */
        assert_true(score_of(&a, &b, &kind) < 0.3f);
        mp_image_free(&b);
        mp_image_free(&a);
    }
}

static void blank_pictures_are_the_same_only_when_equal(void **state)
{
    (void)state;
    mp_relation_kind kind;
    mp_image grey = scene_blank(256, 192, 120), scene = scene_new(3, 256, 192);
    mp_image other[] = {scene_blank(256, 192, 120),    scene_blank(128, 96, 121),
                        scene_tone(&grey, 1, 0, 1, 5), scene_blank(256, 192, 140),
                        scene_blank(256, 192, 0),      scene_blank(192, 256, 120),
                        scene_border(&grey, 16, 250)};
    bool same[] = {true, true, true, false, false, false, false};
    for (size_t i = 0; i < MP_COUNT(other); i++) {
        if ((score_of(&grey, &other[i], &kind) >= mp_dedup_threshold) != same[i])
            fail_msg("blank %zu", i);
        assert_true(score_of(&scene, &other[i], &kind) == 0);
        mp_image_free(&other[i]);
    }
    mp_image_free(&grey);
    mp_image_free(&scene);
}

static void blank_pictures_of_other_colours_differ(void **state)
{
    (void)state;
    /* Red and green of one luma. */
    static const uint8_t colour[2][3] = {{200, 0, 0}, {0, 102, 0}};
    mp_image im[2];
    mp_relation_kind kind;
    mp_why why;
    for (int k = 0; k < 2; k++) {
        assert_ok(mp_image_new(&im[k], 64, 64, 3, &why));
        for (int i = 0; i < 64 * 64 * 3; i++)
            im[k].px[i] = colour[k][i % 3];
    }
    assert_true(score_of(&im[0], &im[0], &kind) > 0.9f);
    assert_true(score_of(&im[0], &im[1], &kind) == 0);
    mp_image_free(&im[0]);
    mp_image_free(&im[1]);
}

static void soft_shades_are_compared_by_what_is_left(void **state)
{
    (void)state;
    mp_relation_kind kind;
    mp_image a = scene_blank(256, 192, 0), b = scene_blank(256, 192, 0);
    for (int i = 0; i < 256 * 192; i++) {
        a.px[i] = (uint8_t)(100 + i % 256 / 8);
        b.px[i] = (uint8_t)(100 + i / 256 / 6);
    }
    mp_image noisy = scene_tone(&a, 1, 1, 1, 3);
    assert_true(score_of(&a, &noisy, &kind) >= mp_dedup_threshold);
    assert_true(score_of(&a, &b, &kind) < mp_dedup_threshold);
    mp_image_free(&a);
    mp_image_free(&b);
    mp_image_free(&noisy);
}

static void tiny_and_thin_pictures_do_no_harm(void **state)
{
    (void)state;
    static const int side[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 2}, {5, 3}, {1024, 7}, {33, 64}};
    mp_relation_kind kind;
    mp_image scene = scene_new(1, 256, 192);
    for (size_t i = 0; i < MP_COUNT(side); i++) {
        mp_image a = scene_resize(&scene, side[i][0], side[i][1]);
        score_of(&a, &scene, &kind);
        for (size_t k = 0; k < i; k++) {
            mp_image b = scene_resize(&scene, side[k][0], side[k][1]);
            score_of(&a, &b, &kind);
            mp_image_free(&b);
        }
        mp_image_free(&a);
    }
    assert_true(score_of(&scene, &(mp_image){0}, &kind) == 0);
    mp_image_free(&scene);
}

static mp_dedup_picture prepared(mp_image im)
{
    mp_dedup_picture p;
    mp_why why;
    assert_ok(mp_dedup_picture_make(&im, &p, &why));
    mp_image_free(&im);
    return p;
}

static void registration_is_exact_to_a_fraction_of_a_pixel(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mp_image scene = scene_new(seed, 256, 192);
        mp_image cut = scene_crop(&scene, 0.125, 0.125, 0.125, 0.125);
        mp_dedup_picture a = prepared(scene), b = prepared(cut);
        mp_dedup_verdict v = mp_dedup_verify(&a, &b, NULL, true);
        /* Three quarters of the frame fill it: the scale is 4/3, the shift 0. */
        static const float truth[6] = {4.0f / 3, 0, 0, 0, 4.0f / 3, 0};
        for (int i = 0; i < 6; i++)
            if (fabsf(v.warp.m[i] - truth[i]) > 0.01f)
                fail_msg("seed %d: m[%d] = %.4f", (int)seed, i, (double)v.warp.m[i]);
        mp_dedup_picture_free(&a);
        mp_dedup_picture_free(&b);
    }
}

static void a_hint_spares_the_search(void **state)
{
    (void)state;
    mp_image scene = scene_new(5, 256, 192);
    mp_image cut = scene_crop(&scene, 0.3, 0, 0, 0.35);
    mp_image turned = scene_turn(&cut, 1, true);
    mp_image_free(&cut);
    mp_dedup_picture a = prepared(scene), b = prepared(turned);
    /* u in the cut: (u - 0.15 of the width...) in frame units of the long sides; see scene_crop. */
    float width = (float)(256 - 76), height = (float)(int)(192 * 0.65), unit = fmaxf(width, height);
    float k = 256 / unit, cx = 38.0f / 256, cy = -(192 - height) / 2 / 256;
    mp_dedup_warp to_cut = {{k, 0, -k * cx, 0, k, -k * cy}};
    mp_dedup_warp turn = {{0, -1, 0, -1, 0, 0}}; /* mirror, then a quarter clockwise */
    mp_dedup_warp hint = mp_dedup_warp_then(to_cut, turn);
    mp_dedup_verdict v = mp_dedup_verify(&a, &b, &hint, false);
    assert_true(v.score > 0.85f);
    assert_int_equal(v.kind, MP_SAME_TURNED);
    mp_dedup_picture_free(&a);
    mp_dedup_picture_free(&b);
}

static void warps_compose_and_invert(void **state)
{
    (void)state;
    mp_dedup_warp w = {{1.2f, 0.3f, -0.1f, -0.2f, 0.9f, 0.25f}}, back;
    assert_true(mp_dedup_warp_invert(w, &back));
    mp_dedup_warp one = mp_dedup_warp_then(w, back);
    static const float identity[6] = {1, 0, 0, 0, 1, 0};
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(one.m[i] - identity[i]) < 1e-5f);
    assert_false(mp_dedup_warp_invert((mp_dedup_warp){{1, 1, 0, 1, 1, 0}}, &back));
    assert_false(mp_dedup_warp_invert((mp_dedup_warp){{NAN, 0, 0, 0, 1, 0}}, &back));
}

static void the_search_finds_the_place(void **state)
{
    (void)state;
    mp_image scene = scene_new(11, 256, 192);
    mp_image cut = scene_crop(&scene, 0.4, 0.4, 0.1, 0.1);
    mp_dedup_picture a = prepared(scene), b = prepared(cut);
    mp_dedup_place place[6];
    size_t n = mp_dedup_search(&a, &b, place, MP_COUNT(place));
    bool near = false;
    assert_true(n > 0 && n <= MP_COUNT(place));
    for (size_t i = 0; i < n; i++) /* scale 2, the cut's middle at (0.15, 0.1125) */
        near |= fabsf(place[i].warp.m[0] - 2) < 0.15f && fabsf(place[i].warp.m[2] + 0.3f) < 0.1f &&
                fabsf(place[i].warp.m[5] + 0.225f) < 0.1f;
    assert_true(near);
    n = mp_dedup_search(&b, &a, place, MP_COUNT(place));
    near = false;
    for (size_t i = 0; i < n; i++)
        near |=
            fabsf(place[i].warp.m[0] - 0.5f) < 0.05f && fabsf(place[i].warp.m[2] - 0.15f) < 0.05f;
    assert_true(near);
    mp_dedup_picture_free(&a);
    mp_dedup_picture_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_found_and_named),
        cmocka_unit_test(what_was_added_is_known),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(blank_pictures_are_the_same_only_when_equal),
        cmocka_unit_test(blank_pictures_of_other_colours_differ),
        cmocka_unit_test(soft_shades_are_compared_by_what_is_left),
        cmocka_unit_test(tiny_and_thin_pictures_do_no_harm),
        cmocka_unit_test(registration_is_exact_to_a_fraction_of_a_pixel),
        cmocka_unit_test(a_hint_spares_the_search),
        cmocka_unit_test(warps_compose_and_invert),
        cmocka_unit_test(the_search_finds_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
