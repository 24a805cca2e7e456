/* What CLIP's tokenizer does to a text before the merges: HTML's references, form C, words. */
#include "../test.h"
#include "base/os.h"
#include "model/bpe_text.h"
#include "model/entities.h"
#include "model/nfc.h"

#include <glib.h>
#include <string.h>

static void html_is_unescaped_as_python_does(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"a & b &", "a & b &"},
        {"&amp;&lt;&gt;&quot;&#39;", "&<>\"'"},
        {"&ampx &AMP &Amp;", "&x & &Amp;"},
        {"&notit; &notin; &noti", "\u00ACit; \u2209 \u00ACi"},
        {"&eacute &eacute; &Eacute;", "\u00E9 \u00E9 \u00C9"},
        {"&alpha; &alpha", "\u03B1 &alpha"},
        {"&fjlig;&NotEqualTilde;", "fj\u2242\u0338"},
        {"&CounterClockwiseContourIntegral;", "\u2233"},
        {"&CounterClockwiseContourIntegralx;", "&CounterClockwiseContourIntegralx;"},
        {"&copy2024", "\u00A92024"},
        {"&a;&g;&gt", "&a;&g;>"},
        {"&#233;&#xe9;&#XE9&#233x", "\u00E9\u00E9\u00E9\u00E9x"},
        {"&#;&#x;&#xg;&# 1;", "&#;&#x;&#xg;&# 1;"},
        {"&#0;&#xD800;&#xDFFF;&#x110000;", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"&#99999999999999999999999999;", "\uFFFD"},
        {"&#x80;&#150;&#x9F;", "\u20AC\u2013\u0178"},
        {"x&#1;&#x7f;&#xfffe;&#xFDD0;&#x1ffff;y", "xy"},
        {"&#13;&#9;&#x81;", "\r\t\xC2\x81"},
        {"&#x10FFFD;", "\U0010FFFD"},
        {"&&amp;&", "&&&"},
        {"&amp;lt;", "&lt;"},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_buf out = {0};
        mp_buf_str(&out, "");
        mp_unescape(&out, mp_str_of(rows[i][0]));
        assert_string_equal(out.p, rows[i][1]);
        mp_buf_free(&out);
    }
    for (size_t i = 1; i < mp_entities_n; i++)
        assert_true(strcmp(mp_entities[i - 1].name, mp_entities[i].name) < 0);
    assert_int_equal(mp_entities_n, 2125); /* 2,231 with those without a semicolon */
}

/* Mostly of the few that do something together; `marks`: of marks alone. */
static gunichar random_point(mp_rng *r, bool marks)
{
    static const gunichar some[] = {
        0x300,  0x301,  0x323,  0x327,  0x345,  0x334,  0x5B0,  0x5BC,  0x64B,  0x93C,  0x3099,
        0x344,  'a',    'e',    'q',    ' ',    0xE9,   0x1EA5, 0x9C7,  0x9BE,  0x1100, 0x1161,
        0x11A8, 0xAC00, 0xAC01, 0x304B, 0x2126, 0x212B, 0x958,  0xFB2C, 0xF900, 0x1D15E};
    if (marks || mp_rng_u64(r) % 4)
        return some[mp_rng_u64(r) % (marks ? 12 : MP_COUNT(some))];
    gunichar c = 1 + (gunichar)(mp_rng_u64(r) % 0x2FFFF);
    return c >= 0xD800 && c <= 0xDFFF ? 'x' : c;
}

/* glib's own function knows the same tables; it is quadratic and ends at a NUL. */
static void form_c_is_glibs(void **state)
{
    (void)state;
    mp_rng r = {7};
    for (int round = 0; round < 20000; round++) {
        mp_buf text = {0}, out = {0};
        bool marks = round % 50 == 0;
        for (uint64_t n = 1 + mp_rng_u64(&r) % (marks ? 200 : 8); n; n--) {
            char utf8[6];
            mp_buf_add(&text, utf8, (size_t)g_unichar_to_utf8(random_point(&r, marks), utf8));
        }
        mp_nfc(&out, (mp_str){text.p, text.n});
        char *want = g_utf8_normalize(text.p, (gssize)text.n, G_NORMALIZE_NFC);
        assert_string_equal(out.p, want);
        g_free(want);
        mp_buf_free(&text);
        mp_buf_free(&out);
    }
    mp_buf out = {0};
    mp_nfc(&out, (mp_str){"e\0e\u0301", 5});
    assert_int_equal(out.n, 4);
    assert_memory_equal(out.p, "e\0\u00E9", 4);
    mp_buf_free(&out);
}

static void texts_become_words(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {" \t\r\n\u00A0\u3000\u2028 ", ""},
        {"A  Photo\n of", "a photo of"},
        {"don't they're I'm we'll he'd I've", "don 't they 're i 'm we 'll he 'd i 've"},
        {"'st 'rex ''s 'S", "'s t 're x '' s 's"},
        {"x1234y", "x 1 2 3 4 y"},
        {"\u0663\u2167\u00BD", "\u0663 \u2177 \u00BD"},
        {"a.b@c!? (d)", "a . b @ c !? ( d )"},
        {"\u0130I \u24B6 \u1E9E", "i \u0307 i \u24D0 \u00DF"},
        {"e\u0301\u0323 q\u0323", "\u1EB9 \u0301 q \u0323"},
        {"\u1112\u1161\u11AB", "\uD55C"},
        {"&amp;amp; &amp;amp;lt; &lt;b&gt;", "& & lt ; < b >"},
        {"&Eacute;T&EACUTE;", "\u00E9t & eacute ;"},
        {"a<|EndOfText|>b", "a <| endoftext |> b"},
        {"\u200Ba\u200D\x01", "\u200B a \u200D\x01"},
        {"&nbsp;x&#160;", "x"},
        {"&#1;", ""},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_buf clean = {0}, got = {0};
        mp_str word;
        mp_bpe_clean(&clean, mp_str_of(rows[i][0]));
        mp_str rest = {clean.p, clean.n};
        mp_buf_str(&got, "");
        while (mp_bpe_word(&rest, &word)) {
            mp_buf_str(&got, got.n ? " " : "");
            mp_buf_add(&got, word.p, word.n);
        }
        assert_string_equal(got.p, rows[i][1]);
        mp_buf_free(&clean);
        mp_buf_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_is_unescaped_as_python_does),
        cmocka_unit_test(form_c_is_glibs),
        cmocka_unit_test(texts_become_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
