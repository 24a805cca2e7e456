/* Names and texts that come from anywhere, on their way into files for other programs. */
#include "../test.h"
#include "pack/names.h"
#include "pack/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void names_become_harmless(void **state)
{
    static const struct {
        const char *in, *format, *out;
    } rows[] = {
        {"photo.jpg", "jpeg", "photo.jpg"},
        {"Ünï ☃.JPEG", "jpeg", "Ünï ☃.JPEG"},
        {"../../x", "jpeg", "x.jpg"},
        {"/etc/passwd", "png", "passwd.png"},
        {"C:\\Windows\\win.png", "png", "win.png"},
        {"..", "png", "picture.png"},
        {"", "png", "picture.png"},
        {"folder/", "gif", "picture.gif"},
        {"   ", "gif", "picture.gif"},
        {".htaccess", "jpeg", "_htaccess.jpg"},
        {"a\nb\x1b[2J.png", "png", "a_b_[2J.png"},
        {"a<b>:\"|?*.png", "png", "a_b______.png"},
        {"x.png. . ", "png", "x.png"},
        {"CON", "jpeg", "_CON.jpg"},
        {"con.png", "png", "_con.png"},
        {"Aux .tar.png", "png", "_Aux .tar.png"},
        {"lpt9.gif", "gif", "_lpt9.gif"},
        {"COM¹.gif", "gif", "_COM¹.gif"},
        {"CONSOLE.gif", "gif", "CONSOLE.gif"},
        {"COM10.gif", "gif", "COM10.gif"},
        {"invoice.jpg.exe", "jpeg", "invoice.jpg.exe.jpg"},
        {"page.html", "webp", "page.html.webp"},
        {"photo\xE2\x80\xAEgpj.exe", "jpeg", "photo_gpj.exe.jpg"}, /* right-to-left override */
        {"bad\xFF\xC0\xAFutf8.png", "png", "bad___utf8.png"},
        {"cut\xE2\x82", "png", "cut__.png"},
        {"v1.2 of it", "tiff", "v1.2 of it.tif"},
        {"as it is.xyz", NULL, "as it is.xyz"},
        {"new.format", "jxl", "new.format"},
    };
    char out[MP_PACK_NAME];
    (void)state;
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_pack_safe_name(out, rows[i].in, rows[i].format);
        assert_string_equal(out, rows[i].out);
    }
}

static void long_names_are_cut_between_characters(void **state)
{
    char in[2048], out[MP_PACK_NAME];
    uint32_t c;
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        mp_buf b = {0};
        mp_buf_add(&b, "abc", shift);
        while (b.n < 300)
            mp_buf_str(&b, "☃");
        snprintf(in, sizeof in, "%s.jpeg", b.p);
        mp_buf_free(&b);
        mp_pack_safe_name(out, in, "jpeg");
        assert_in_range(strlen(out), MP_PACK_NAME_LONGEST - 3, MP_PACK_NAME_LONGEST);
        assert_string_equal(out + strlen(out) - 5, ".jpeg");
        for (const char *p = out; *p;) {
            int n = mp_pack_utf8(p, &c);
            assert_true(n > 0);
            p += n;
        }
    }
    memset(in, 'x', 1000);
    snprintf(in + 1000, 900, ".%0800d", 1); /* what looks like an extension is long, too */
    mp_pack_safe_name(out, in, NULL);
    assert_int_equal(strlen(out), MP_PACK_NAME_LONGEST);
}

/* Every byte, alone and in threes: never a folder, a control character or broken UTF-8. */
static void no_bytes_make_a_bad_name(void **state)
{
    char in[4], out[MP_PACK_NAME];
    (void)state;
    for (int i = 1; i < 256; i++)
        for (int k = 1; k < 256; k += 3) {
            in[0] = (char)i;
            in[1] = (char)k;
            in[2] = (char)(i ^ k);
            in[3] = '\0';
            mp_pack_safe_name(out, in, "png");
            assert_true(*out && *out != '.' && *out != ' ');
            for (const char *p = out; *p;) {
                uint32_t c;
                int n = mp_pack_utf8(p, &c);
                assert_true(n > 0 && !mp_pack_is_hidden(c));
                assert_true(c >= 0x80 || !strchr("/\\<>:\"|?*", (int)c));
                p += n;
            }
        }
}

static void take(mp_pack_names *s, const char *name, int64_t id, const char *expected)
{
    char out[MP_PACK_NAME];
    mp_why why;
    assert_ok(mp_pack_names_take(s, name, "jpeg", id, out, &why));
    assert_string_equal(out, expected);
}

static void no_two_names_are_alike(void **state)
{
    (void)state;
    mp_pack_names *s = mp_pack_names_new();
    take(s, "x.jpg", 1, "x.jpg");
    take(s, "x.jpg", 2, "x (2).jpg");
    take(s, "X.JPG", 3, "X (3).JPG"); /* one file where letters' case does not count */
    take(s, "x (2).jpg", 4, "x (2) (2).jpg");
    take(s, "Été.jpg", 5, "Été.jpg");
    take(s, "ÉTÉ.jpg", 6, "ÉTÉ (2).jpg");
    for (int i = 4; i <= 9; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "x (%d).jpg", i);
        take(s, "x.jpg", i, expected);
    }
    take(s, "x-77.jpg", 20, "x-77.jpg");
    take(s, "x.jpg", 76, "x-76.jpg");
    take(s, "x.jpg", 77, "x-77-2.jpg");
    mp_pack_names_free(s);
    mp_pack_names_free(NULL);
}

static void a_hundred_thousand_of_one_name(void **state)
{
    enum { N = 100000 };
    mp_why why;
    (void)state;
    mp_pack_names *s = mp_pack_names_new();
    for (int64_t id = 1; id <= N; id++) {
        char out[MP_PACK_NAME], expected[64];
        assert_ok(mp_pack_names_take(s, "image.jpg", "jpeg", id, out, &why));
        snprintf(expected, sizeof expected, "image-%lld.jpg", (long long)id);
        if (id > 9)
            assert_string_equal(out, expected);
    }
    mp_pack_names_free(s);
}

static void csv_fields_are_no_formulas(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {NULL, "\"\""},
        {"a \"b\", c", "\"a \"\"b\"\", c\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\t=1", "\"'\t=1\""},
        {"\r=1", "\"'\r=1\""},
        {"1=1", "\"1=1\""},
        {"two\r\nlines", "\"two\r\nlines\""},
        {"bad \xFF", "\"bad \xEF\xBF\xBD\""},
    };
    (void)state;
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_buf b = {0};
        mp_pack_csv(&b, rows[i].in);
        assert_string_equal(b.p, rows[i].out);
        mp_buf_free(&b);
    }
}

static void instants_are_rfc_3339(void **state)
{
    char out[MP_PACK_INSTANT];
    (void)state;
    assert_string_equal(mp_pack_instant(out, 0), "");
    assert_string_equal(mp_pack_instant(out, 1717158600999), "2024-05-31T12:30:00Z");
    assert_string_equal(mp_pack_instant(out, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(mp_pack_instant_coco(out, 1717158600000), "2024-05-31 12:30:00");
    assert_true(strlen(mp_pack_instant(out, INT64_MAX)) < MP_PACK_INSTANT);
    assert_true(strlen(mp_pack_instant(out, INT64_MIN)) < MP_PACK_INSTANT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_harmless),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(no_bytes_make_a_bad_name),
        cmocka_unit_test(no_two_names_are_alike),
        cmocka_unit_test(a_hundred_thousand_of_one_name),
        cmocka_unit_test(csv_fields_are_no_formulas),
        cmocka_unit_test(instants_are_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
