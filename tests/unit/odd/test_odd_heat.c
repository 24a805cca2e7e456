/* Heat maps: the patch that differs is the hot one, colours rise in lightness, cold pixels stay. */
#include "../test.h"

#include "base/os.h"
#include "core/odd.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, COLS = 7, DIMS = 20 };

static mp_patches grid(uint64_t seed)
{
    mp_rng r = {seed};
    mp_patches p = {mp_xcalloc(ROWS * COLS * DIMS, sizeof(float)), ROWS, COLS, DIMS};
    for (int i = 0; i < ROWS * COLS; i++) {
        for (int d = 0; d < DIMS; d++)
            p.v[i * DIMS + d] = (float)mp_rng_gauss(&r);
        (void)mp_normalise(p.v + i * DIMS, DIMS);
    }
    return p;
}

static void what_differs_is_hot(void **state)
{
    (void)state;
    mp_patches a = grid(1), test = grid(1), b = grid(2), normals[2] = {a, b};
    float heat[ROWS * COLS], *strange = test.v + (2 * COLS + 3) * DIMS;
    mp_rng r = {77};
    for (int d = 0; d < DIMS; d++)
        strange[d] = (float)mp_rng_gauss(&r);
    (void)mp_normalise(strange, DIMS);
    mp_odd_patches(&test, normals, 2, heat);
    for (int i = 0; i < ROWS * COLS; i++)
        if (i == 2 * COLS + 3)
            assert_true(heat[i] > 0.2f);
        else
            assert_true(heat[i] >= 0 && heat[i] < 1e-5f);
    free(a.v);
    free(b.v);
    free(test.v);
}

static void another_place_costs_a_little(void **state)
{
    (void)state;
    mp_patches a = grid(3), test = grid(3);
    float heat[ROWS * COLS];
    /* to the far corner, and to a place within reach */
    memcpy(test.v, a.v + (ROWS * COLS - 1) * DIMS, DIMS * sizeof(float));
    memcpy(test.v + 3 * DIMS, a.v + 5 * DIMS, DIMS * sizeof(float));
    mp_odd_patches(&test, &a, 1, heat);
    assert_float_equal(heat[0], 0.05, 1e-5);
    assert_float_equal(heat[3], 0, 1e-5);
    free(a.v);
    free(test.v);
}

static void grids_that_do_not_fit_are_left_out(void **state)
{
    (void)state;
    mp_patches test = grid(4), other = grid(4), small = grid(4);
    float heat[ROWS * COLS];
    other.dims = DIMS - 1;
    mp_odd_patches(&test, &other, 1, heat);
    assert_true(heat[0] == 0 && heat[ROWS * COLS - 1] == 0);
    mp_odd_patches(&test, NULL, 0, heat);
    assert_true(heat[0] == 0);
    small.rows = 3;
    mp_odd_patches(&test, &small, 1, heat);
    assert_true(heat[0] < 1e-5f && heat[ROWS * COLS - 1] > 0.1f);
    free(test.v);
    free(other.v);
    free(small.v);
}

static mp_image flat(int w, int h, int channels, uint8_t level)
{
    mp_why why;
    mp_image im;
    assert_ok(mp_image_new(&im, w, h, channels, &why));
    memset(im.px, level, (size_t)w * (size_t)h * (size_t)channels);
    return im;
}

static void cold_pixels_stay_and_hot_ones_change(void **state)
{
    (void)state;
    mp_why why;
    for (int channels = 1; channels <= 3; channels += 2) {
        mp_image im = flat(64, 48, channels, 100), out;
        float heat[4] = {0.1f, 0.2f, 0.1f, 0.9f};
        assert_ok(mp_odd_overlay(&im, heat, 2, 2, 0.2f, 0.8f, &out, &why));
        assert_true(out.w == 64 && out.h == 48 && out.channels == 3);
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 16; x++) /* the left column's cells are cold */
                for (int c = 0; c < 3; c++)
                    assert_int_equal(out.px[(y * 64 + x) * 3 + c], 100);
        const uint8_t *hot = out.px + (47 * 64 + 63) * 3;
        assert_true(hot[0] > 180 && hot[2] < 130); /* the pale yellow end */
        mp_image_free(&out);
        mp_image_free(&im);
    }
}

/* On black, more heat is lighter, all along the scale. */
static void lightness_rises_with_heat(void **state)
{
    (void)state;
    mp_why why;
    mp_image im = flat(256, 1, 3, 0), out;
    float heat[2] = {0, 1};
    assert_ok(mp_odd_overlay(&im, heat, 1, 2, 0, 1, &out, &why));
    double before = -1;
    for (int x = 0; x < 256; x++) {
        const uint8_t *px = out.px + x * 3;
        double luma = 0;
        static const double weight[] = {0.2126, 0.7152, 0.0722};
        for (int c = 0; c < 3; c++)
            luma += weight[c] * pow(px[c] / 255.0, 2.2);
        assert_true(luma >= before - 2e-3);
        before = luma;
    }
    assert_true(before > 0.3);
    mp_image_free(&out);
    mp_image_free(&im);
}

static void odd_values_are_harmless(void **state)
{
    (void)state;
    mp_why why;
    mp_image im = flat(9, 5, 3, 30), out, none = {0};
    float heat[2] = {NAN, INFINITY};
    assert_ok(mp_odd_overlay(&im, heat, 1, 2, 0, 1, &out, &why));
    mp_image_free(&out);
    assert_int_equal(mp_odd_overlay(&im, heat, 0, 2, 0, 1, &out, &why), MP_INVALID);
    assert_int_equal(mp_odd_overlay(&im, heat, 1, 2, 1, 1, &out, &why), MP_INVALID);
    assert_int_equal(mp_odd_overlay(&none, heat, 1, 2, 0, 1, &out, &why), MP_INVALID);
    assert_null(out.px);
    mp_image_free(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_is_hot),
        cmocka_unit_test(another_place_costs_a_little),
        cmocka_unit_test(grids_that_do_not_fit_are_left_out),
        cmocka_unit_test(cold_pixels_stay_and_hot_ones_change),
        cmocka_unit_test(lightness_rises_with_heat),
        cmocka_unit_test(odd_values_are_harmless),
    };
    return cmocka_run_group_tests_name("odd heat", tests, NULL, NULL);
}
