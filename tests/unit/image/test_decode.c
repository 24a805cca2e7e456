/* Every format and every oddity of pixels, through the real pool and the real sandbox. */
#include "fixture.h"

#include "base/os.h"
#include "image/vips.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static mp_decoder *decoder;

static int open_pool(void **state)
{
    (void)state;
    decoder = fixture_decoder(DECODE_WORKER, 1, 20000);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    mp_decoder_close(decoder);
    return 0;
}

/* The whole picture of at most 512 pixels, which the decode must not have scaled. */
static const mp_decode_spec whole = {.fit_long_side = 512};

static mp_decoded decode(mp_bytes b)
{
    mp_decoded d;
    mp_why why;
    assert_ok(mp_decode_bytes(decoder, fixture_span(b), &whole, &d, &why));
    return d;
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        mp_format format;
        int tolerance;
    } cases[] = {
        {".png", MP_PNG, 0},
        {".png[interlace]", MP_PNG, 0},
        {".png[palette]", MP_PNG, 40},
        {".jpg[Q=95]", MP_JPEG, 40}, /* around the white mark, chroma is shared by pixels */
        {".jpg[Q=95,interlace]", MP_JPEG, 40},
        {".webp[lossless]", MP_WEBP, 0},
        {".webp[Q=95]", MP_WEBP, 60},
        {".gif", MP_GIF, 60},
        {".tiff", MP_TIFF, 0},
        {".tiff[compression=lzw]", MP_TIFF, 0},
        {".tiff[tile,compression=deflate]", MP_TIFF, 0},
        {".tiff[bigtiff]", MP_TIFF, 0},
        {".ppm", MP_PPM, 0},
        {".ppm[ascii]", MP_PPM, 0},
        {".avif[lossless,effort=0]", MP_AVIF, 16}, /* in YCbCr */
        {".avif[Q=90,effort=0]", MP_AVIF, 80},
        {".heic[Q=95,effort=0,compression=hevc]", MP_HEIC, 80},
    };
    mp_image im = fixture_image(120, 90);
    int tried = 0;
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_bytes b;
        if (!fixture_encode(&im, cases[i].suffix, &b)) {
            print_message("this libvips cannot write %s: not tested\n", cases[i].suffix);
            continue;
        }
        mp_decoded d = decode(b);
        if (d.format != cases[i].format || fixture_difference(&d.fitted, &im) > cases[i].tolerance)
            fail_msg("%s: %s, %d x %d, off by %d", cases[i].suffix, mp_format_word(d.format),
                     d.fitted.w, d.fitted.h, fixture_difference(&d.fitted, &im));
        assert_int_equal(d.width, 120);
        assert_int_equal(d.height, 90);
        assert_int_equal(d.frames, 1);
        tried++;
        mp_decoded_free(&d);
        free(b.p);
    }
    assert_true(tried >= 10);
    mp_image_free(&im);
}

static void exif_orientation_and_date(void **state)
{
    (void)state;
    mp_image im = fixture_image(80, 56); /* whole JPEG blocks: turning then loses nothing */
    for (int o = 1; o <= 8; o++) {
        mp_bytes b, plain;
        assert_true(fixture_encode_exif(&im, ".jpg[Q=100,subsample-mode=off]", o,
                                        "2021:07:09 08:07:06", &b));
        assert_true(fixture_encode(&im, ".jpg[Q=100,subsample-mode=off]", &plain));
        mp_decoded d = decode(b), p = decode(plain);
        assert_int_equal(d.width, o >= 5 ? 56 : 80);
        assert_int_equal(d.height, o >= 5 ? 80 : 56);
        assert_int_equal(d.taken_ms, 1625818026000);
        assert_int_equal(p.taken_ms, 0);
        /* where the white corner mark must come to lie, per orientation */
        static const int corner[9][2] = {{0},    {0, 0}, {1, 0}, {1, 1}, {0, 1},
                                         {0, 0}, {1, 0}, {1, 1}, {0, 1}};
        int x = corner[o][0] ? d.fitted.w - 3 : 2, y = corner[o][1] ? d.fitted.h - 3 : 2;
        const uint8_t *mark = d.fitted.px + 3 * (y * d.fitted.w + x);
        if (mark[0] < 240 || mark[1] < 240 || mark[2] < 240)
            fail_msg("orientation %d: the mark is not there", o);
        mp_decoded_free(&d);
        mp_decoded_free(&p);
        free(b.p);
        free(plain.p);
    }
    mp_image_free(&im);
}

/* A VipsImage of one colour: `bands` of `format`, as an encoded file. */
static mp_bytes one_colour(const double *ink, int bands, VipsBandFormat format,
                           VipsInterpretation kind, const char *suffix, const char *icc)
{
    VipsImage *black = NULL, *cast = NULL, *filled = NULL, *named = NULL;
    mp_bytes b = {0};
    mp_why why;
    double one[5] = {1, 1, 1, 1, 1};
    void *data = NULL;
    assert_ok(mp_vips_start(&why));
    assert_int_equal(vips_black(&black, 32, 24, "bands", bands, NULL), 0);
    assert_int_equal(vips_linear(black, &filled, one, (double *)(uintptr_t)ink, bands, NULL), 0);
    assert_int_equal(vips_cast(filled, &cast, format, NULL), 0);
    assert_int_equal(vips_copy(cast, &named, "interpretation", kind, NULL), 0);
    if (icc) {
        VipsBlob *blob;
        size_t n;
        assert_int_equal(vips_profile_load(icc, &blob, NULL), 0);
        const void *p = vips_blob_get(blob, &n);
        vips_image_set_blob_copy(named, VIPS_META_ICC_NAME, p, n);
        vips_area_unref(VIPS_AREA(blob));
    }
    if (vips_image_write_to_buffer(named, suffix, &data, &b.n, NULL) != 0)
        fail_msg("%s: %s", suffix, vips_error_buffer());
    b.p = malloc(b.n);
    memcpy(b.p, data, b.n);
    g_free(data);
    g_object_unref(black);
    g_object_unref(filled);
    g_object_unref(cast);
    g_object_unref(named);
    return b;
}

static void colours(void **state)
{
    (void)state;
    static const struct {
        const char *what, *suffix, *icc;
        double ink[5];
        int bands;
        VipsBandFormat format;
        VipsInterpretation kind;
        int want[3], tolerance;
    } cases[] = {
        {"grey",
         ".png",
         NULL,
         {77},
         1,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_B_W,
         {77, 77, 77},
         0},
        {"grey JPEG",
         ".jpg",
         NULL,
         {77},
         1,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_B_W,
         {77, 77, 77},
         1},
        {"grey PGM",
         ".pgm",
         NULL,
         {77},
         1,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_B_W,
         {77, 77, 77},
         0},
        {"grey, half transparent",
         ".png",
         NULL,
         {0, 128},
         2,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_B_W,
         {127, 127, 127},
         1},
        {"16 bit",
         ".png",
         NULL,
         {25700, 51400, 65535},
         3,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_RGB16,
         {100, 200, 255},
         1},
        {"16 bit TIFF",
         ".tiff",
         NULL,
         {25700, 51400, 65535},
         3,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_RGB16,
         {100, 200, 255},
         1},
        {"16 bit PPM",
         ".ppm",
         NULL,
         {25700, 51400, 65535},
         3,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_RGB16,
         {100, 200, 255},
         1},
        {"grey of 16 bit",
         ".png",
         NULL,
         {25700},
         1,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_GREY16,
         {100, 100, 100},
         1},
        {"16 bit, half transparent",
         ".png",
         NULL,
         {0, 0, 0, 32768},
         4,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_RGB16,
         {127, 127, 127},
         1},
        {"transparent",
         ".png",
         NULL,
         {10, 20, 30, 0},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_sRGB,
         {255, 255, 255},
         0},
        {"half transparent WebP",
         ".webp[lossless]",
         NULL,
         {255, 0, 0, 128},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_sRGB,
         {255, 127, 127},
         1},
        {"sRGB profile",
         ".png",
         "srgb",
         {10, 120, 230},
         3,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_sRGB,
         {10, 120, 230},
         0},
        {"Display P3 profile",
         ".png",
         "p3",
         {200, 100, 50},
         3,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_sRGB,
         {215, 93, 31},
         2},
        {"P3, half transparent",
         ".png",
         "p3",
         {200, 100, 50, 128},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_sRGB,
         {235, 174, 143},
         2},
        {"P3 of 16 bit, half transparent",
         ".png",
         "p3",
         {51400, 25700, 12850, 32896},
         4,
         VIPS_FORMAT_USHORT,
         VIPS_INTERPRETATION_RGB16,
         {235, 174, 143},
         2},
        {"CMYK paper",
         ".jpg[Q=100]",
         NULL,
         {0, 0, 0, 0},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_CMYK,
         {255, 255, 255},
         4},
        {"CMYK red",
         ".jpg[Q=100]",
         NULL,
         {0, 255, 255, 0},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_CMYK,
         {230, 30, 35},
         30},
        {"CMYK TIFF",
         ".tiff",
         "cmyk",
         {255, 0, 0, 0},
         4,
         VIPS_FORMAT_UCHAR,
         VIPS_INTERPRETATION_CMYK,
         {0, 160, 225},
         30},
        {"Lab TIFF",
         ".tiff",
         NULL,
         {100, 0, 0},
         3,
         VIPS_FORMAT_FLOAT,
         VIPS_INTERPRETATION_LAB,
         {255, 255, 255},
         2},
        {"grey of floats",
         ".tiff",
         NULL,
         {99},
         1,
         VIPS_FORMAT_FLOAT,
         VIPS_INTERPRETATION_B_W,
         {99, 99, 99},
         1},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_bytes b = one_colour(cases[i].ink, cases[i].bands, cases[i].format, cases[i].kind,
                                cases[i].suffix, cases[i].icc);
        mp_decoded d = decode(b);
        for (int c = 0; c < 3; c++)
            if (abs(d.fitted.px[c + 3 * 100] - cases[i].want[c]) > cases[i].tolerance)
                fail_msg("%s: got %d %d %d", cases[i].what, d.fitted.px[300], d.fitted.px[301],
                         d.fitted.px[302]);
        mp_decoded_free(&d);
        free(b.p);
    }
}

/* The first of several, and how many there are. */
static void first_frame(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".gif", ".webp[lossless]"};
    for (size_t i = 0; i < MP_COUNT(suffixes); i++) {
        VipsImage *a = NULL, *b = NULL, *both = NULL;
        void *data = NULL;
        mp_bytes bytes = {0};
        mp_why why;
        double white[3] = {255, 255, 255}, one[3] = {1, 1, 1};
        assert_ok(mp_vips_start(&why));
        assert_int_equal(vips_black(&a, 20, 10, "bands", 3, NULL), 0);
        assert_int_equal(vips_linear(a, &b, one, white, 3, "uchar", TRUE, NULL), 0);
        VipsImage *list[3] = {a, b, a}, *named = NULL;
        assert_int_equal(vips_arrayjoin(list, &both, 3, "across", 1, NULL), 0);
        assert_int_equal(vips_copy(both, &named, "interpretation", VIPS_INTERPRETATION_sRGB, NULL),
                         0);
        vips_image_set_int(named, VIPS_META_PAGE_HEIGHT, 10);
        assert_int_equal(vips_image_write_to_buffer(named, suffixes[i], &data, &bytes.n, NULL), 0);
        bytes.p = data;
        mp_decoded d = decode(bytes);
        assert_int_equal(d.frames, 3);
        assert_int_equal(d.height, 10);
        assert_int_equal(d.fitted.h, 10);
        assert_true(d.fitted.px[0] < 5);
        mp_decoded_free(&d);
        g_free(data);
        g_object_unref(a);
        g_object_unref(b);
        g_object_unref(both);
        g_object_unref(named);
    }
}

static void everything_that_can_be_asked_for(void **state)
{
    (void)state;
    mp_why why;
    mp_image im = fixture_image(400, 530), want;
    mp_bytes b;
    assert_true(fixture_encode(&im, ".png", &b));
    mp_decode_spec spec = {.view = {{224, 224, MP_FIT_CROP, 224, MP_BICUBIC},
                                    {224, 224, MP_FIT_SQUASH, 0, MP_BILINEAR},
                                    {260, 240, MP_FIT_CROP, 300, MP_BICUBIC},
                                    {1, 1000, MP_FIT_SQUASH, 0, MP_BICUBIC}},
                           .n_views = 4,
                           .analysis = true,
                           .thumbnail = 256,
                           .fit_long_side = 64};
    mp_decoded d;
    assert_ok(mp_decode_bytes(decoder, fixture_span(b), &spec, &d, &why));
    for (int i = 0; i < 4; i++) {
        assert_ok(mp_view_make(&im, &spec.view[i], &want, &why));
        assert_int_equal(fixture_difference(&d.view[i], &want), 0);
        mp_image_free(&want);
    }
    assert_int_equal(d.fitted.w, 48);
    assert_int_equal(d.fitted.h, 64);
    assert_true(d.phash[0] == mp_phash(&im));
    mp_quality q;
    mp_quality_measure(&im, &q);
    assert_memory_equal(&q, &d.quality, sizeof q);
    assert_int_equal(mp_sniff((mp_span){d.thumbnail, d.thumbnail_n}), MP_WEBP);
    mp_decoded thumb = decode((mp_bytes){d.thumbnail, d.thumbnail_n});
    assert_int_equal(thumb.height, 256);
    assert_int_equal(thumb.width, 193);
    mp_decoded_free(&thumb);
    mp_decoded_free(&d);
    free(b.p);
    mp_image_free(&im);
}

/* Shrinking while decoding must not be visible in what is computed from the picture. */
static void shrink_on_load_changes_next_to_nothing(void **state)
{
    (void)state;
    mp_why why;
    mp_image im = fixture_image(2400, 1800);
    mp_bytes jpeg;
    assert_true(fixture_encode(&im, ".jpg[Q=92]", &jpeg));
    mp_decode_spec small = {
        .view = {{224, 224, MP_FIT_CROP, 224, MP_BICUBIC}}, .n_views = 1, .analysis = true};
    mp_decode_spec full = small; /* a view of 1,000 pixels forbids shrinking */
    full.view[1] = (mp_view_spec){1000, 1000, MP_FIT_CROP, 1000, MP_BICUBIC};
    full.n_views = 2;
    mp_decoded a, b;
    assert_ok(mp_decode_bytes(decoder, fixture_span(jpeg), &small, &a, &why));
    assert_ok(mp_decode_bytes(decoder, fixture_span(jpeg), &full, &b, &why));
    int most = fixture_difference(&a.view[0], &b.view[0]);
    print_message("views differ by at most %d, hashes by %d bits\n", most,
                  mp_hamming64(a.phash[0], b.phash[0]));
    assert_int_equal(a.width, 2400);
    assert_true(most <= 24); /* at the white mark's edge */
    assert_true(mp_hamming64(a.phash[0], b.phash[0]) <= 2);
    mp_decoded_free(&a);
    mp_decoded_free(&b);
    free(jpeg.p);
    mp_image_free(&im);
}

static void extreme_shapes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 2000}, {2000, 1}, {3, 1500}, {16384, 2}};
    mp_why why;
    mp_decode_spec spec = {.view = {{224, 224, MP_FIT_CROP, 256, MP_BICUBIC},
                                    {224, 224, MP_FIT_SQUASH, 0, MP_BICUBIC}},
                           .n_views = 2,
                           .analysis = true,
                           .thumbnail = 256,
                           .fit_long_side = 128};
    for (size_t i = 0; i < MP_COUNT(sizes); i++) {
        mp_image im = fixture_image(sizes[i][0], sizes[i][1]);
        mp_bytes b;
        mp_decoded d;
        assert_true(fixture_encode(&im, ".png", &b));
        assert_ok(mp_decode_bytes(decoder, fixture_span(b), &spec, &d, &why));
        assert_true(d.fitted.w >= 1 && d.fitted.h >= 1 && d.thumbnail_n > 0);
        mp_decoded_free(&d);
        free(b.p);
        mp_image_free(&im);
    }
}

static void nothing_but_defaults(void **state)
{
    (void)state;
    mp_why why;
    mp_image im = fixture_image(40, 30);
    mp_bytes b;
    mp_decoded d;
    mp_decode_spec nothing = {0};
    assert_true(fixture_encode(&im, ".png", &b));
    assert_ok(mp_decode_bytes(decoder, fixture_span(b), &nothing, &d, &why));
    assert_int_equal(d.width, 40);
    assert_null(d.fitted.px);
    assert_null(d.thumbnail);
    mp_decoded_free(&d);
    mp_decode_spec wrong[] = {{.n_views = 5},
                              {.n_views = -1},
                              {.thumbnail = 4096},
                              {.fit_long_side = -3},
                              {.n_views = 1},
                              {.n_views = 1, .view = {{300, 300, MP_FIT_CROP, 256, MP_BICUBIC}}},
                              {.n_views = 1, .view = {{224, 224, MP_FIT_CROP, 9999, MP_BICUBIC}}},
                              {.n_views = 1, .view = {{224, 224, (mp_fit)7, 256, MP_BICUBIC}}},
                              {.n_views = 1, .view = {{9, 9, MP_FIT_SQUASH, 0, (mp_kernel)9}}}};
    for (size_t i = 0; i < MP_COUNT(wrong); i++)
        assert_int_equal(mp_decode_bytes(decoder, fixture_span(b), &wrong[i], &d, &why),
                         MP_INVALID);
    free(b.p);
    mp_image_free(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(exif_orientation_and_date),
        cmocka_unit_test(colours),
        cmocka_unit_test(first_frame),
        cmocka_unit_test(everything_that_can_be_asked_for),
        cmocka_unit_test(shrink_on_load_changes_next_to_nothing),
        cmocka_unit_test(extreme_shapes),
        cmocka_unit_test(nothing_but_defaults),
    };
    return cmocka_run_group_tests(tests, open_pool, close_pool);
}
