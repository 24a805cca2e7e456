/* EXIF times, sRGB profiles: parsers of input, also of damaged input. */
#include "fixture.h"

#include "base/os.h"
#include "image/load.h"
#include "image/vips.h"

#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static void exif_times(void **state)
{
    (void)state;
    assert_int_equal(mp_exif_time_ms("2024:05:01 12:30:15"), 1714566615000);
    assert_int_equal(mp_exif_time_ms("2024:05:01 12:30:15 (2024:05:01 12:30:15, ASCII, 20)"),
                     1714566615000);
    assert_int_equal(mp_exif_time_ms("1969:12:31 23:59:59"), -1000);
    static const char *const senseless[] = {
        "",
        "2024",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024-05-01 12:30:15",
        "2024:13:01 12:30:15",
        "2024:05:00 12:30:15",
        "2024:05:01 24:30:15",
        "2024:05:01 12:60:15",
        "2024:05:01 12:30",
        "99999999999:05:01 12:30",
        "2024:05:01 12:30:1x",
        "1800:05:01 12:30:15",
    };
    for (size_t i = 0; i < MP_COUNT(senseless); i++)
        assert_int_equal(mp_exif_time_ms(senseless[i]), 0);
}

static mp_bytes profile(const char *name)
{
    mp_bytes out = {0};
    VipsBlob *blob;
    size_t n;
    mp_why why;
    assert_ok(mp_vips_start(&why));
    assert_int_equal(vips_profile_load(name, &blob, NULL), 0);
    const void *p = vips_blob_get(blob, &n);
    out.p = malloc(n);
    memcpy(out.p, p, n);
    out.n = n;
    vips_area_unref(VIPS_AREA(blob));
    return out;
}

static void profiles_that_are_srgb(void **state)
{
    (void)state;
    mp_bytes srgb = profile("srgb"), cmyk = profile("cmyk"), p3 = profile("p3");
    assert_true(mp_icc_is_srgb(fixture_span(srgb)));
    assert_false(mp_icc_is_srgb(fixture_span(cmyk)));
    assert_false(mp_icc_is_srgb(fixture_span(p3)));
    free(srgb.p);
    free(cmyk.p);
    free(p3.p);
}

/* Any bytes: cut short, or with bytes changed. ASan and UBSan look on. */
static void damaged_profiles(void **state)
{
    (void)state;
    mp_bytes srgb = profile("srgb");
    mp_rng rng = {11};
    for (size_t n = 0; n < srgb.n; n += 1 + n / 50) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, srgb.p, n);
        mp_icc_is_srgb((mp_span){cut, n});
        free(cut);
    }
    for (int i = 0; i < 3000; i++) {
        uint8_t *bad = malloc(srgb.n);
        memcpy(bad, srgb.p, srgb.n);
        for (int k = 0; k < 4; k++) /* most of what matters lies in the first 400 bytes */
            bad[mp_rng_u64(&rng) % MP_MIN(srgb.n, (size_t)400)] = (uint8_t)mp_rng_u64(&rng);
        mp_icc_is_srgb((mp_span){bad, srgb.n});
        free(bad);
    }
    free(srgb.p);
}

static bool is_clean(const char *text, size_t cap)
{
    size_t n = strnlen(text, cap);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return n < cap;
}

/* What is left of any EXIF has ends and no control characters. */
static void damaged_exif(void **state)
{
    (void)state;
    static const mp_load_limits limits = {1000000, 1000};
    mp_image im = fixture_image(80, 56);
    mp_bytes b;
    mp_rng rng = {7};
    mp_loaded loaded;
    mp_exif exif;
    mp_why why;
    assert_true(fixture_encode_exif(&im, ".jpg", 6, "2021:07:09 08:07:06", &b));
    assert_ok(mp_load_header(fixture_span(b), &limits, &loaded, &exif, &why));
    assert_string_equal(exif.taken, "2021:07:09 08:07:06");
    assert_int_equal(loaded.width, 56);
    assert_null(loaded.image.px);
    int read = 0;
    for (int i = 0; i < 2000; i++) {
        uint8_t *bad = malloc(b.n);
        memcpy(bad, b.p, b.n);
        for (int k = 0; k < 3; k++) /* the EXIF lies at the start */
            bad[2 + mp_rng_u64(&rng) % MP_MIN(b.n - 2, (size_t)300)] = (uint8_t)mp_rng_u64(&rng);
        if (mp_load_header((mp_span){bad, b.n}, &limits, &loaded, &exif, &why) == MP_OK) {
            mp_exif_clean(&exif);
            assert_true(is_clean(exif.make, sizeof exif.make));
            assert_true(is_clean(exif.taken, sizeof exif.taken));
            assert_true(is_clean(exif.software, sizeof exif.software));
            read++;
        }
        free(bad);
    }
    assert_true(read > 500);
    free(b.p);
    mp_image_free(&im);
}

static void netpbm_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t w, h;
    } cases[] = {
        {"P6 3 4 255 ", 3, 4},
        {"P5\n# one\n#two 7\r\n12\t# three\n34\n", 12, 34},
        {"P1#c\n5\n6", 5, 6},
        {"P6 99999999999999999999999 2 ", INT32_MAX, 2},
        {"P6 4294967297 2 ", INT32_MAX, 2},
    };
    static const char *const none[] = {"P6",     "P6 ",     "P6 3",    "P6 3 ", "P6 0 3 ",
                                       "P6 3 0", "P6 -1 3", "P6 #3 4", "P6 x 4"};
    int64_t w, h;
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_span s = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        assert_true(mp_netpbm_size(s, &w, &h) && w == cases[i].w && h == cases[i].h);
    }
    for (size_t i = 0; i < MP_COUNT(none); i++) {
        size_t n = strlen(none[i]);
        uint8_t *exact = malloc(n);
        memcpy(exact, none[i], n);
        assert_false(mp_netpbm_size((mp_span){exact, n}, &w, &h));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exif_times),       cmocka_unit_test(damaged_exif),
        cmocka_unit_test(netpbm_sizes),     cmocka_unit_test(profiles_that_are_srgb),
        cmocka_unit_test(damaged_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
