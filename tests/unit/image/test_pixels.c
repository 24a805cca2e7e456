/* Resize kernels against their scalar reference, bit for bit; windows, views, orientation, luma.
 * The reference itself is compared with Pillow in tests/golden/pillow. */
#include "../test.h"
#include "base/os.h"
#include "image/load.h"
#include "image/resize.h"

#include <stdlib.h>
#include <string.h>

static mp_image noise(int w, int h, int channels, uint64_t seed, bool extreme)
{
    mp_image im;
    mp_why why;
    mp_rng rng = {seed};
    assert_ok(mp_image_new(&im, w, h, channels, &why));
    for (int i = 0; i < w * h * channels; i++) {
        uint8_t v = (uint8_t)mp_rng_u64(&rng);
        im.px[i] = extreme ? (v & 1 ? 255 : 0) : v; /* 0 and 255 make cubic over- and undershoot */
    }
    return im;
}

static bool same(const mp_image *a, const mp_image *b)
{
    return a->w == b->w && a->h == b->h && a->channels == b->channels &&
           memcmp(a->px, b->px, (size_t)a->w * (size_t)a->h * (size_t)a->channels) == 0;
}

static const int sizes[][4] = {
    {1, 1, 1, 1},     {1, 1, 7, 5},      {2, 3, 1, 1},         {3, 2, 64, 64},   {5, 5, 4, 4},
    {7, 9, 9, 7},     {17, 13, 5, 31},   {31, 33, 32, 32},     {64, 64, 32, 32}, {100, 3, 3, 100},
    {255, 257, 8, 8}, {333, 77, 41, 70}, {400, 530, 224, 7},   {40, 2, 39, 1},   {2, 400, 2, 17},
    {513, 9, 1, 1},   {9, 700, 3, 2},    {130, 130, 129, 131},
};

static void kernels_agree_bit_for_bit(void **state)
{
    (void)state;
    mp_why why;
    int compared = 0;
    for (size_t s = 0; s < MP_COUNT(sizes); s++)
        for (int variant = 0; variant < 8; variant++) {
            mp_image in = noise(sizes[s][0], sizes[s][1], variant & 1 ? 1 : 3, s + 9, variant & 2);
            mp_resize_job job = {.w = sizes[s][2],
                                 .h = sizes[s][3],
                                 .out_w = sizes[s][2],
                                 .out_h = sizes[s][3],
                                 .filter = variant & 4 ? MP_BILINEAR : MP_BICUBIC,
                                 .kernels = mp_pixel_for(MP_ISA_SCALAR)};
            mp_image want, have;
            assert_ok(mp_resize_window(&in, &job, &want, &why));
            for (int isa = MP_ISA_NEON; isa <= (int)mp_simd_isa(); isa++, compared++) {
                job.kernels = mp_pixel_for((mp_isa)isa);
                assert_ok(mp_resize_window(&in, &job, &have, &why));
                if (!same(&want, &have))
                    fail_msg("%s differs: %d x %d -> %d x %d, variant %d", mp_isa_word((mp_isa)isa),
                             in.w, in.h, job.w, job.h, variant);
                mp_image_free(&have);
            }
            mp_image_free(&want);
            mp_image_free(&in);
        }
    print_message("%d comparisons up to %s\n", compared, mp_isa_word(mp_simd_isa()));
}

static void a_window_is_a_part_of_the_whole(void **state)
{
    (void)state;
    mp_why why;
    mp_image in = noise(97, 61, 3, 1, false), whole, part;
    assert_ok(mp_resize(&in, 50, 40, MP_BICUBIC, &whole, &why));
    mp_resize_job job = {50, 40, 7, 3, 21, 30, MP_BICUBIC, NULL};
    assert_ok(mp_resize_window(&in, &job, &part, &why));
    for (int y = 0; y < 30; y++)
        assert_memory_equal(part.px + (size_t)y * 21 * 3, whole.px + ((size_t)(y + 3) * 50 + 7) * 3,
                            21 * 3);
    mp_image_free(&part);
    mp_image_free(&whole);
    mp_image_free(&in);
}

static void a_flat_picture_stays_flat(void **state)
{
    (void)state;
    mp_why why;
    mp_image in, out;
    assert_ok(mp_image_new(&in, 37, 29, 3, &why));
    memset(in.px, 201, 37 * 29 * 3);
    for (int filter = MP_BILINEAR; filter <= MP_BICUBIC; filter++)
        for (int w = 1; w < 90; w += 11) {
            assert_ok(mp_resize(&in, w, 90 - w, (mp_kernel)filter, &out, &why));
            for (int i = 0; i < out.w * out.h * 3; i++)
                assert_int_equal(out.px[i], 201);
            mp_image_free(&out);
        }
    mp_image_free(&in);
}

static void same_size_is_a_copy(void **state)
{
    (void)state;
    mp_why why;
    mp_image in = noise(33, 21, 3, 8, false), out;
    assert_ok(mp_resize(&in, 33, 21, MP_BICUBIC, &out, &why));
    assert_true(same(&in, &out));
    mp_image_free(&out);
    mp_image_free(&in);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    mp_why why;
    mp_image in = noise(8, 8, 3, 1, false), out, none = {0};
    assert_int_equal(mp_resize(&in, 0, 5, MP_BICUBIC, &out, &why), MP_INVALID);
    assert_null(out.px);
    assert_int_equal(mp_resize(&in, 5, -1, MP_BICUBIC, &out, &why), MP_INVALID);
    assert_int_equal(mp_resize(&none, 5, 5, MP_BICUBIC, &out, &why), MP_INVALID);
    mp_resize_job outside = {10, 10, 5, 0, 6, 10, MP_BICUBIC, NULL};
    assert_int_equal(mp_resize_window(&in, &outside, &out, &why), MP_INVALID);
    mp_resize_job overflow = {INT32_MAX, 10, INT32_MAX, 0, 6, 10, MP_BICUBIC, NULL};
    assert_int_equal(mp_resize_window(&in, &overflow, &out, &why), MP_INVALID);
    assert_int_equal(mp_image_new(&out, 2, 2, 2, &why), MP_INVALID);
    assert_int_equal(mp_image_new(&out, INT32_MAX, INT32_MAX, 3, &why), MP_TOO_BIG);
    assert_null(out.px);
    mp_image_free(&in);
    mp_image_free(NULL);
}

/* Sizes and offsets as torchvision has them; the pixels are compared with Pillow elsewhere. */
static void crop_views(void **state)
{
    (void)state;
    static const struct {
        int w, h, side, crop, whole_w, whole_h, x, y;
    } cases[] = {
        {400, 530, 256, 224, 256, 339, 16, 58}, /* (339 - 224) / 2 = 57.5: to the even 58 */
        {530, 400, 256, 224, 339, 256, 58, 16}, {101, 100, 10, 7, 10, 10, 2, 2}, /* 1.5 -> 2 */
        {100, 100, 12, 7, 12, 12, 2, 2},                                         /* 2.5 -> 2 */
        {3, 900, 8, 8, 8, 2400, 0, 1196},
    };
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_image in = noise(cases[i].w, cases[i].h, 3, i, false), whole, view;
        mp_view_spec spec = {cases[i].crop, cases[i].crop, MP_FIT_CROP, cases[i].side, MP_BICUBIC};
        assert_ok(mp_view_make(&in, &spec, &view, &why));
        assert_ok(mp_resize(&in, cases[i].whole_w, cases[i].whole_h, MP_BICUBIC, &whole, &why));
        for (int y = 0; y < view.h; y++)
            assert_memory_equal(
                view.px + (size_t)y * (size_t)view.w * 3,
                whole.px + ((size_t)(y + cases[i].y) * (size_t)whole.w + (size_t)cases[i].x) * 3,
                (size_t)view.w * 3);
        mp_image_free(&view);
        mp_image_free(&whole);
        mp_image_free(&in);
    }
    mp_image in = noise(20, 20, 3, 1, false), out;
    mp_view_spec larger = {30, 30, MP_FIT_CROP, 20, MP_BICUBIC};
    assert_int_equal(mp_view_make(&in, &larger, &out, &why), MP_INVALID);
    mp_image_free(&in);
}

static void orientation(void **state)
{
    (void)state;
    /* The letters of a 2 x 3 picture, as each orientation must be read. */
    static const char *const upright[9] = {
        [1] = "abcdef", [2] = "badcfe", [3] = "fedcba", [4] = "efcdab",
        [5] = "acebdf", [6] = "ecafdb", [7] = "fdbeca", [8] = "bdface"};
    mp_why why;
    for (int o = 0; o <= 9; o++)
        for (int channels = 1; channels <= 3; channels += 2) {
            mp_image im;
            assert_ok(mp_image_new(&im, 2, 3, channels, &why));
            for (int i = 0; i < 6 * channels; i++)
                im.px[i] = (uint8_t)("abcdef"[i / channels] + i % channels);
            assert_ok(mp_image_orient(&im, o, &why));
            const char *want = upright[o >= 1 && o <= 8 ? o : 1];
            assert_int_equal(im.w, o >= 5 && o <= 8 ? 3 : 2);
            for (int i = 0; i < 6 * channels; i++)
                assert_int_equal(im.px[i], want[i / channels] + i % channels);
            mp_image_free(&im);
        }
}

static void luma(void **state)
{
    (void)state;
    mp_why why;
    mp_image in, out;
    assert_ok(mp_image_new(&in, 4, 1, 3, &why));
    static const uint8_t px[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    memcpy(in.px, px, sizeof px);
    assert_ok(mp_to_grey(&in, &out, &why));
    assert_int_equal(out.px[0], 76);
    assert_int_equal(out.px[1], 150);
    assert_int_equal(out.px[2], 29);
    assert_int_equal(out.px[3], 255);
    mp_image_free(&in);
    mp_image_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_bit_for_bit),
        cmocka_unit_test(a_window_is_a_part_of_the_whole),
        cmocka_unit_test(a_flat_picture_stays_flat),
        cmocka_unit_test(same_size_is_a_copy),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(crop_views),
        cmocka_unit_test(orientation),
        cmocka_unit_test(luma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
