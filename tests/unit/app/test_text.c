/* Escaping for terminals, JSON, HTML and CSV; widths; numbers and dates. */
#include "../test.h"

#include "app/app.h"
#include "pack/text.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef void (*escape)(mp_buf *out, const char *s);

static void expect(escape f, const char *in, const char *out)
{
    mp_buf b = {0};
    f(&b, in);
    assert_non_null(b.p);
    assert_string_equal(b.p, out);
    mp_buf_free(&b);
}

static void test_terminal(void **state)
{
    (void)state;
    expect(text_for_terminal, "", "");
    expect(text_for_terminal, "plain.jpg", "plain.jpg");
    expect(text_for_terminal, "\xE7\x8C\xAB.png", "\xE7\x8C\xAB.png");
    expect(text_for_terminal, "a\x1b[31mb\x07", "a\\x1b[31mb\\x07");
    expect(text_for_terminal, "two\nlines\ttab\r", "two\\nlines\\ttab\\r");
    expect(text_for_terminal, "\x7f", "\\x7f");
    expect(text_for_terminal,
           "gpj.\xE2\x80\xAE"
           "exe",
           "gpj.\\u{202e}exe"); /* right-to-left */
    expect(text_for_terminal,
           "\xC2\x9B"
           "31m",
           "\\u{9b}31m"); /* CSI as one character */
    expect(text_for_terminal, "\xEF\xBB\xBFx", "\\u{feff}x");
    expect(text_for_terminal,
           "\xff\xfe"
           "a",
           "\\xff\\xfea");
}

static void test_stray_bytes(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* a tail alone */
        "\xC3",             /* cut off */
        "\xC0\xAF",         /* too long a form of '/' */
        "\xE0\x80\xAF",     /* the same in three */
        "\xED\xA0\x80",     /* a surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF8\x88\x80\x80", /* no such lead */
    };
    (void)state;
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        uint32_t code;
        assert_int_equal(mp_pack_utf8(bad[i], &code), 0);
        json_t *s = json_text(bad[i]);
        assert_non_null(s);
        assert_non_null(strstr(json_string_value(s), "\xEF\xBF\xBD"));
        json_decref(s);
    }
    expect(mp_pack_clean, "a\xffz", "a\xEF\xBF\xBDz");
    expect(mp_pack_clean, "\xF0\x9F\x90\xA6", "\xF0\x9F\x90\xA6");
}

static void test_html(void **state)
{
    (void)state;
    expect(text_for_html, "<img src=x onerror='a&b'>\"",
           "&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;&quot;");
    expect(text_for_html, "a\x01\xff\xE2\x80\xAE", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect(text_for_html, "", "");
}

static void test_csv(void **state)
{
    (void)state;
    expect(mp_pack_csv, "a,\"b\"", "\"a,\"\"b\"\"\"");
    expect(mp_pack_csv, "=HYPERLINK(1)", "\"'=HYPERLINK(1)\"");
    expect(mp_pack_csv, "", "\"\"");
}

static void test_base64(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
                {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xff\xfe", "///+"}};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_buf b = {0};
        text_base64(&b, (const uint8_t *)rows[i].in, strlen(rows[i].in));
        assert_string_equal(b.p, rows[i].out);
        mp_buf_free(&b);
    }
}

static void expect_clip(const char *in, int columns, const char *out)
{
    mp_buf b = {0};
    text_clip(&b, in, columns, "..");
    const char *got = b.p ? b.p : "";
    assert_string_equal(got, out);
    assert_true(text_width(got) <= columns);
    mp_buf_free(&b);
}

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("\xE7\x8C\xAB"), 2); /* a wide character */
    assert_int_equal(text_width("e\xCC\x81"), 1);    /* with a combining accent */
    assert_int_equal(text_width("\xff"), 1);
    expect_clip("short", 5, "short");
    expect_clip("0123456789abcdef", 11, "012..abcdef");
    expect_clip("\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB\xE7\x8C\xAB", 7,
                "..\xE7\x8C\xAB\xE7\x8C\xAB");
    expect_clip("abcdef", 2, "ef");
    expect_clip("abcdef", 0, "");
}

static void test_sizes(void **state)
{
    static const struct {
        double bytes;
        const char *text;
    } rows[] = {{0, "0 B"},        {999, "999 B"},      {1000, "1.0 KB"},
                {10240, "10 KB"},  {1048576, "1.0 MB"}, {1047552, "1.0 MB"},
                {1.5e9, "1.4 GB"}, {-2048, "-2.0 KB"},  {5e18, "4441 PB"}};
    char a[TEXT_SMALL];
    (void)state;
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        assert_string_equal(text_size(a, rows[i].bytes), rows[i].text);
}

static void test_numbers(void **state)
{
    char a[TEXT_SMALL];
    (void)state;
    assert_string_equal(text_count(a, 0), "0");
    assert_string_equal(text_count(a, 999), "999");
    assert_string_equal(text_count(a, 1000), "1,000");
    assert_string_equal(text_count(a, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(text_score(a, 0.12345), "0.123");
    assert_string_equal(text_score(a, -0.0004), "0.000");
    assert_string_equal(text_score(a, -0.0006), "-0.001");
    assert_string_equal(text_score(a, NAN), "-");
    assert_string_equal(text_score(a, INFINITY), "-");
}

static void test_times(void **state)
{
    char a[TEXT_SMALL];
    (void)state;
    assert_string_equal(text_span(a, 0.04), "0.0 s");
    assert_string_equal(text_span(a, 9.96), "10 s");
    assert_string_equal(text_span(a, 59.6), "1:00");
    assert_string_equal(text_span(a, 3599.9), "1:00:00");
    assert_string_equal(text_span(a, 3723), "1:02:03");
    assert_string_equal(text_span(a, NAN), "?");
    assert_string_equal(text_span(a, -1), "?");
    assert_string_equal(text_day(a, 0), "-");
    assert_string_equal(text_day(a, 1717158600000), "2024-05-31");
    assert_string_equal(text_instant(a, 1717158600999), "2024-05-31T12:30:00Z");
    assert_string_equal(text_instant(a, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(text_day(a, INT64_MAX), "292278994-08-17");
}

static void test_ids(void **state)
{
    int64_t id;
    (void)state;
    assert_true(app_parse_id("12", &id));
    assert_int_equal(id, 12);
    assert_true(app_parse_id("#7", &id));
    assert_int_equal(id, 7);
    assert_false(app_parse_id("", &id));
    assert_false(app_parse_id("0", &id));
    assert_false(app_parse_id("-3", &id));
    assert_false(app_parse_id("12x", &id));
    assert_false(app_parse_id("99999999999999999999", &id));
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* as cli.c does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminal), cmocka_unit_test(test_stray_bytes),
        cmocka_unit_test(test_html),     cmocka_unit_test(test_csv),
        cmocka_unit_test(test_base64),   cmocka_unit_test(test_widths),
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
