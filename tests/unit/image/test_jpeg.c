/* test_jpeg.c - JPEG pixels by libjpeg-turbo alone are the very bytes that libvips makes of the
 * same file; what is broken is refused in words. */
#include "fixture.h"
#include "base/os.h"
#include "image/jpeg.h"
#include "image/load.h"

#include <vips/vips.h>

static mp_bytes encode(int w, int h, const char *suffix)
{
    mp_image im = fixture_image(w, h);
    mp_bytes b;
    mp_rng rng = {7};
    for (int i = 0; i < w * h * 3; i++)
        im.px[i] = (uint8_t)(im.px[i] ^ (mp_rng_u64(&rng) & 15));
    assert_true(fixture_encode(&im, suffix, &b));
    mp_image_free(&im);
    return b;
}

static uint8_t *by_vips(mp_span bytes, int shrink, int *w, int *h)
{
    VipsImage *im = NULL, *rgb = NULL;
    size_t n;
    assert_int_equal(
        vips_jpegload_buffer((void *)(uintptr_t)bytes.p, bytes.n, &im, "shrink", shrink, NULL), 0);
    assert_int_equal(vips_colourspace(im, &rgb, VIPS_INTERPRETATION_sRGB, NULL), 0);
    *w = vips_image_get_width(rgb);
    *h = vips_image_get_height(rgb);
    assert_int_equal(vips_image_get_bands(rgb), 3);
    uint8_t *px = vips_image_write_to_memory(rgb, &n);
    g_object_unref(rgb);
    g_object_unref(im);
    return px;
}

static void the_same_bytes_as_libvips(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".jpg[Q=90]", ".jpg[Q=95,subsample_mode=off]",
                                           ".jpg[Q=75,interlace]", ".jpg[Q=60,optimize_coding]",
                                           ".jpg[Q=80,restart_interval=3]"};
    static const int sides[][2] = {{8, 8}, {17, 9}, {300, 201}, {641, 480}};
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(suffixes) * MP_COUNT(sides); i++)
        for (int shrink = 1; shrink <= 8; shrink *= 2) {
            const int *side = sides[i % MP_COUNT(sides)];
            const char *suffix = suffixes[i / MP_COUNT(sides)];
            mp_bytes b = encode(side[0], side[1], suffix);
            mp_image im;
            int w, h;
            assert_ok(mp_jpeg_pixels(fixture_span(b), shrink, &im, &why));
            uint8_t *px = by_vips(fixture_span(b), shrink, &w, &h);
            assert_int_equal(im.w, w);
            assert_int_equal(im.h, h);
            if (memcmp(im.px, px, (size_t)w * (size_t)h * 3) != 0)
                fail_msg("%s of %d x %d, one of %d", suffix, side[0], side[1], shrink);
            g_free(px);
            mp_image_free(&im);
            free(b.p);
        }
}

/* libvips has no answer here. */
static void a_side_is_at_least_one(void **state)
{
    (void)state;
    mp_bytes b = encode(1, 40, ".jpg[Q=90]");
    mp_image im;
    mp_why why;
    assert_ok(mp_jpeg_pixels(fixture_span(b), 8, &im, &why));
    assert_true(im.w == 1 && im.h == 5);
    mp_image_free(&im);
    free(b.p);
}

static void grey_is_three_times_the_same(void **state)
{
    (void)state;
    VipsImage *grey = NULL;
    uint8_t px[40 * 30];
    mp_why why;
    mp_image im;
    void *bytes;
    size_t n;
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 5);
    grey = vips_image_new_from_memory(px, sizeof px, 40, 30, 1, VIPS_FORMAT_UCHAR);
    assert_int_equal(vips_jpegsave_buffer(grey, &bytes, &n, "Q", 90, NULL), 0);
    assert_ok(mp_jpeg_pixels((mp_span){bytes, n}, 1, &im, &why));
    int w, h;
    uint8_t *same = by_vips((mp_span){bytes, n}, 1, &w, &h);
    assert_memory_equal(im.px, same, sizeof px * 3);
    g_free(same);
    g_free(bytes);
    g_object_unref(grey);
    mp_image_free(&im);
}

static void what_is_broken_is_refused(void **state)
{
    (void)state;
    mp_bytes b = encode(200, 100, ".jpg[Q=90]");
    mp_image im;
    for (size_t n = 0; n < b.n; n += 1 + b.n / 97) {
        mp_why why = {""};
        mp_err err = mp_jpeg_pixels((mp_span){b.p, n}, 1, &im, &why);
        if (n > b.n - 8)
            break; /* the last code may be whole */
        assert_int_equal(err, MP_CORRUPT);
        assert_null(im.px);
        assert_non_null(strstr(why.text, "broken picture: "));
    }
    free(b.p);
}

static void cmyk_is_not_its_business(void **state)
{
    (void)state;
    VipsImage *black = NULL, *cmyk = NULL;
    void *bytes;
    size_t n;
    mp_image im;
    mp_why why;
    assert_int_equal(vips_black(&black, 16, 16, "bands", 4, NULL), 0);
    assert_int_equal(vips_copy(black, &cmyk, "interpretation", VIPS_INTERPRETATION_CMYK, NULL), 0);
    assert_int_equal(vips_jpegsave_buffer(cmyk, &bytes, &n, NULL), 0);
    assert_int_equal(mp_jpeg_pixels((mp_span){bytes, n}, 1, &im, &why), MP_UNSUPPORTED);
    mp_load_limits limits = {1000, 100};
    mp_loaded loaded;
    assert_ok(mp_load((mp_span){bytes, n}, &limits, 0, 0, &loaded, &why)); /* libvips does it */
    mp_image_free(&loaded.image);
    g_free(bytes);
    g_object_unref(cmyk);
    g_object_unref(black);
}

/* A progressive file may repeat its scans for ever: a pass over all blocks for 20 bytes each. */
static void too_many_scans_are_refused(void **state)
{
    (void)state;
    mp_bytes b = encode(64, 64, ".jpg[Q=90,interlace]");
    size_t scan = 0, end;
    for (size_t i = 2; i + 1 < b.n; i++) /* the last scan of the file */
        if (b.p[i] == 0xFF && b.p[i + 1] == 0xDA)
            scan = i;
    end = b.n - 2;
    assert_true(scan > 0 && b.p[end] == 0xFF && b.p[end + 1] == 0xD9);
    mp_buf all = {0};
    mp_buf_add(&all, b.p, end);
    for (int i = 0; i < 200; i++)
        mp_buf_add(&all, b.p + scan, end - scan);
    mp_buf_add(&all, b.p + end, 2);
    mp_image im;
    mp_why why = {""};
    assert_int_equal(mp_jpeg_pixels((mp_span){(uint8_t *)all.p, all.n}, 1, &im, &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "more than 100 scans"));
    mp_buf_free(&all);
    free(b.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_as_libvips),
        cmocka_unit_test(a_side_is_at_least_one),
        cmocka_unit_test(grey_is_three_times_the_same),
        cmocka_unit_test(what_is_broken_is_refused),
        cmocka_unit_test(cmyk_is_not_its_business),
        cmocka_unit_test(too_many_scans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
