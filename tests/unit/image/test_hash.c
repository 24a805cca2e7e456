/* pHash: its eight symmetries, its stability, its independence of the machine; encoders. */
#include "../test.h"
#include "base/os.h"
#include "image/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Smooth random shapes: what photographs look like at 32 x 32. */
static mp_image shapes(int w, int h, uint64_t seed)
{
    mp_image im;
    mp_why why;
    mp_rng rng = {seed};
    double cx[6], cy[6], s[6], v[6];
    for (int k = 0; k < 6; k++) {
        cx[k] = mp_rng_unit(&rng);
        cy[k] = mp_rng_unit(&rng);
        s[k] = 0.05 + 0.2 * mp_rng_unit(&rng);
        v[k] = 400 * (mp_rng_unit(&rng) - 0.5);
    }
    assert_ok(mp_image_new(&im, w, h, 3, &why));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 128;
            for (int k = 0; k < 6; k++) {
                double dx = (x + 0.5) / w - cx[k], dy = (y + 0.5) / h - cy[k];
                sum += v[k] * exp(-(dx * dx + dy * dy) / (2 * s[k] * s[k]));
            }
            uint8_t g = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
            memset(im.px + 3 * ((size_t)y * (size_t)w + (size_t)x), g, 3);
        }
    return im;
}

static mp_image copy_of(const mp_image *im)
{
    mp_image out;
    mp_why why;
    assert_ok(mp_image_new(&out, im->w, im->h, im->channels, &why));
    memcpy(out.px, im->px, (size_t)im->w * (size_t)im->h * (size_t)im->channels);
    return out;
}

/* Turn k * 90 degrees clockwise, then, for 4..7, what was mirrored first. */
static void eight_symmetries_are_those_of_the_turned_picture(void **state)
{
    (void)state;
    static const int turn[4] = {1, 6, 3, 8}; /* as EXIF orientations */
    mp_why why;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        mp_image im = shapes(160, 120, seed);
        uint64_t all[8];
        mp_phash8(&im, all);
        assert_true(all[0] == mp_phash(&im));
        for (int i = 0; i < 8; i++) {
            mp_image t = copy_of(&im);
            if (i >= 4)
                assert_ok(mp_image_orient(&t, 2, &why));
            assert_ok(mp_image_orient(&t, turn[i & 3], &why));
            int off = mp_hamming64(all[i], mp_phash(&t));
            if (off > 2) /* 8-bit rounding between the passes of the resize */
                fail_msg("seed %d, symmetry %d: %d bits off", (int)seed, i, off);
            mp_image_free(&t);
        }
        mp_image_free(&im);
    }
}

static void scale_and_brightness_hardly_matter_and_content_does(void **state)
{
    (void)state;
    mp_why why;
    int worst = 0, nearest = 64;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        mp_image im = shapes(300, 200, seed), small, dark = {0};
        uint64_t h = mp_phash(&im);
        assert_ok(mp_resize(&im, 75, 50, MP_BICUBIC, &small, &why));
        dark = copy_of(&im);
        for (int i = 0; i < im.w * im.h * 3; i++)
            dark.px[i] = (uint8_t)(dark.px[i] * 3 / 4);
        worst = MP_MAX(worst, mp_hamming64(h, mp_phash(&small)));
        worst = MP_MAX(worst, mp_hamming64(h, mp_phash(&dark)));
        if (seed > 1)
            nearest = MP_MIN(nearest, mp_hamming64(h, last));
        last = h;
        mp_image_free(&dark);
        mp_image_free(&small);
        mp_image_free(&im);
    }
    print_message("copies at most %d bits apart, others at least %d\n", worst, nearest);
    assert_true(worst <= 4);
    assert_true(nearest >= 10);
}

/* Nothing but DC: the hash of every blank picture is the same. */
static void blank_pictures_hash_alike(void **state)
{
    (void)state;
    mp_why why;
    for (int v = 1; v < 256; v += 50) {
        mp_image im;
        assert_ok(mp_image_new(&im, 50, 40, 3, &why));
        memset(im.px, v, 50 * 40 * 3);
        assert_true(mp_phash(&im) == UINT64_C(1) << 63);
        mp_image_free(&im);
    }
}

/* Stored hashes must mean the same after an upgrade: these were computed when the layout was set.
 */
static void hashes_never_change(void **state)
{
    (void)state;
    mp_image im;
    mp_why why;
    assert_ok(mp_image_new(&im, 64, 48, 3, &why));
    for (int i = 0; i < 64 * 48; i++) {
        int x = i % 64, y = i / 64;
        im.px[3 * i] = (uint8_t)(x * y);
        im.px[3 * i + 1] = (uint8_t)(x * 4);
        im.px[3 * i + 2] = (uint8_t)(y < 24 ? 200 : x * x / 16);
    }
    uint64_t all[8];
    mp_phash8(&im, all);
    print_message("%016llx %016llx\n", (unsigned long long)all[0], (unsigned long long)all[5]);
    assert_true(all[0] == UINT64_C(0x80c31f3f3c787871) && all[5] == UINT64_C(0x95ec4a95699225db));
    mp_image_free(&im);
}

static void hamming(void **state)
{
    (void)state;
    assert_int_equal(mp_hamming64(0, UINT64_MAX), 64);
    assert_int_equal(mp_hamming64(5, 6), 2);
}

/* What comes out can be read again, and PNG is exact. */
static void encoders(void **state)
{
    (void)state;
    static const mp_load_limits limits = {1000000, 1000};
    mp_why why;
    for (int channels = 1; channels <= 3; channels += 2) {
        mp_image rgb = shapes(101, 67, 3), im = {0};
        if (channels == 1)
            assert_ok(mp_to_grey(&rgb, &im, &why));
        else
            im = copy_of(&rgb);
        uint8_t *data;
        size_t n;
        mp_loaded back;
        assert_ok(mp_encode_png(&im, &data, &n, &why));
        assert_ok(mp_load((mp_span){data, n}, &limits, 0, 0, &back, &why));
        assert_int_equal(back.format, MP_PNG);
        assert_memory_equal(back.image.px, rgb.px, 101 * 67 * 3);
        mp_image_free(&back.image);
        free(data);
        assert_ok(mp_encode_webp(&im, 80, &data, &n, &why));
        assert_true(n < 101 * 67);
        assert_ok(mp_load((mp_span){data, n}, &limits, 0, 0, &back, &why));
        assert_int_equal(back.format, MP_WEBP);
        assert_int_equal(back.width, 101);
        mp_image_free(&back.image);
        free(data);
        mp_image_free(&im);
        mp_image_free(&rgb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_symmetries_are_those_of_the_turned_picture),
        cmocka_unit_test(scale_and_brightness_hardly_matter_and_content_does),
        cmocka_unit_test(blank_pictures_hash_alike),
        cmocka_unit_test(hashes_never_change),
        cmocka_unit_test(hamming),
        cmocka_unit_test(encoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
