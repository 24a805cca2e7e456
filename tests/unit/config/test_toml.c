/* TOML: values of each kind, tables and their rules, and what is refused, where and in which words.
 */
#include "../test.h"

#include "config/toml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mp_arena *arena;

static int fresh(void **state)
{
    (void)state;
    arena = mp_arena_new(1 << 22);
    return 0;
}

static int gone(void **state)
{
    (void)state;
    mp_arena_free(arena);
    return 0;
}

static const mp_toml *parse(const char *text)
{
    mp_toml *root;
    mp_why why = {0};
    int line;
    mp_err err = mp_toml_parse(&root, mp_str_of(text), arena, &line, &why);
    if (err)
        fail_msg("'%s': line %d: %s", text, line, why.text);
    return root;
}

/* The value of `v` in a document, as text. */
static const char *value(const char *text, mp_toml_type type)
{
    const mp_toml *v = mp_toml_get(parse(text), "v");
    assert_non_null(v);
    assert_int_equal(v->type, type);
    return v->text;
}

static void string(const char *text, const char *expected)
{
    assert_string_equal(value(text, MP_TOML_STRING), expected);
}

static void test_strings(void **state)
{
    (void)state;
    string("v = \"a # b\" # c", "a # b");
    string("v = ''", "");
    string("v = \"\"", "");
    string("v = 'C:\\new'", "C:\\new");
    string("v = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "\b\t\n\f\r\"\\");
    string("v = \"\\u00e9\\u20AC\\U0001F600\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    string("v = \"tab\there\"", "tab\there");
    string("v = \"\"\"\nfirst\nsecond\"\"\"", "first\nsecond");
    string("v = \"\"\"a\r\nb\"\"\"", "a\nb");
    string("v = \"\"\"a \\  \n\n   b\"\"\"", "a b");
    string("v = \"\"\"\"quoted\"\"\"\"", "\"quoted\"");
    string("v = \"\"\"two\"\"\"\"\"", "two\"\"");
    string("v = \"\"\"in \"\" it\"\"\"", "in \"\" it");
    string("v = '''\n'one' \\n'''", "'one' \\n");
    string("v = \"\"\"\"\"\"", "");
}

static void test_numbers(void **state)
{
    (void)state;
    assert_string_equal(value("v = 1_000", MP_TOML_INTEGER), "1000");
    assert_string_equal(value("v = +99", MP_TOML_INTEGER), "99");
    assert_string_equal(value("v = -17", MP_TOML_INTEGER), "-17");
    assert_string_equal(value("v = 0xDead_beef", MP_TOML_INTEGER), "3735928559");
    assert_string_equal(value("v = 0o755", MP_TOML_INTEGER), "493");
    assert_string_equal(value("v = 0b1101", MP_TOML_INTEGER), "13");
    assert_string_equal(value("v = -9223372036854775808", MP_TOML_INTEGER), "-9223372036854775808");
    assert_string_equal(value("v = 6.02_2e+2_3", MP_TOML_FLOAT), "6.022e+23");
    assert_string_equal(value("v = 1e0_6", MP_TOML_FLOAT), "1e06");
    assert_string_equal(value("v = -0.01", MP_TOML_FLOAT), "-0.01");
    assert_string_equal(value("v = +inf", MP_TOML_FLOAT), "inf");
    assert_string_equal(value("v = -nan", MP_TOML_FLOAT), "-nan");
    assert_string_equal(value("v = true", MP_TOML_BOOLEAN), "true");
}

static void test_arrays(void **state)
{
    (void)state;
    const mp_toml *v = mp_toml_get(parse("v = [ 'a', # one\n\n [1, 2,], true ,\r\n]\nw = []"), "v");
    assert_int_equal(v->type, MP_TOML_ARRAY);
    assert_string_equal(v->first->text, "a");
    assert_int_equal(v->first->next->type, MP_TOML_ARRAY);
    assert_int_equal(v->first->next->line, 3);
    assert_string_equal(v->first->next->first->next->text, "2");
    assert_string_equal(v->last->text, "true");
    assert_int_equal(v->next->line, 5);
    assert_null(v->next->first);
}

static void test_tables(void **state)
{
    (void)state;
    const mp_toml *root = parse("a.b.c = 1\na.\"b\".d = 2\n\n[x . y]\n'k k' = 3\n[x]\nz.w = 4\n"
                                "[x.y.q]\n[a.b.e]\n1234 = 5\n\"\" = 6\n");
    const mp_toml *b = mp_toml_get(mp_toml_get(root, "a"), "b");
    assert_string_equal(mp_toml_get(b, "d")->text, "2");
    const mp_toml *e = mp_toml_get(b, "e");
    assert_string_equal(mp_toml_get(e, "1234")->text, "5");
    assert_string_equal(mp_toml_get(e, "")->text, "6");
    const mp_toml *x = mp_toml_get(root, "x");
    assert_string_equal(mp_toml_get(mp_toml_get(x, "y"), "k k")->text, "3");
    assert_string_equal(mp_toml_get(mp_toml_get(x, "z"), "w")->text, "4");
    assert_null(mp_toml_get(root, "z"));
    assert_null(parse("")->first);
    assert_null(parse(" # alone")->first);
}

static void bad_bytes(const char *text, size_t n, mp_err expected, int at, const char *words)
{
    mp_toml *root;
    mp_why why = {0};
    int line;
    assert_int_equal(mp_toml_parse(&root, (mp_str){text, n}, arena, &line, &why), expected);
    assert_null(root);
    if (line != at || !strstr(why.text, words))
        fail_msg("'%s': line %d: %s", text, line, why.text);
}

static void bad(const char *text, int at, const char *words)
{
    bad_bytes(text, strlen(text), MP_INVALID, at, words);
}

static void test_bad_values(void **state)
{
    static const char *const none[] = {"01", "+0x1", "0x",   "0xg", "1_",   "_1",   "1__0",
                                       "1.", ".5",   "1.e3", "1e",  "1._5", "True", "abc",
                                       "-",  "--1",  "0b2",  "0o8", "00.5", "",     "1 000\n2"};
    char text[64];
    (void)state;
    for (size_t i = 0; i < MP_COUNT(none); i++) {
        snprintf(text, sizeof text, "\nv = %s", none[i]);
        bad(text, 2, strchr(none[i], ' ') ? "only a comment" : "a value is");
    }
    bad("v = 9223372036854775808", 1, "64 bits");
    bad("v = 1979-05-27", 1, "dates and times");
    bad("v = 07:32:00", 1, "dates and times");
    bad("v = {a = 1}", 1, "inline tables");
    bad("v = [1\n\n2]", 3, "comma");
    bad("v = [1,\n\n", 1, "not closed");
    bad("v = [,]", 1, "a value is");
    bad("v = \"\\e\"", 1, "backslash");
    bad("v = \"\\ud800\"", 1, "no character");
    bad("v = \"\\U00110000\"", 1, "no character");
    bad("v = \"\\u0000\"", 1, "U+0000");
    bad("v = \"\\u12", 1, "4 hexadecimal");
    bad("v = \"open\nw = 1", 1, "not closed");
    bad("\nv = \"\"\"\nopen\n", 2, "not closed");
    bad("v = '''open''", 1, "not closed");
    bad("v = 'it's'", 1, "only a comment");
    bad("v = \"\"\"a\"\"\"\"\"\"", 1, "only a comment");
}

static void test_bad_tables(void **state)
{
    (void)state;
    bad("a = 1\n'a' = 2", 2, "'a' is there already, in line 1");
    bad("[a]\n[b]\n[a]", 3, "'a' is there already, in line 1");
    bad("a.b = 1\n[a]", 2, "'a' is there already");
    bad("[a.b]\n[a]\nb.c = 1", 3, "'b' is there already");
    bad("a = 1\n[a.b]", 2, "'a' is a value, in line 1");
    bad("a = 1\na.b = 1", 2, "'a' is a value");
    bad("a = 1\n[a]", 2, "'a' is a value");
    bad("[[a]]", 1, "arrays of tables");
    bad("[a", 1, "bracket");
    bad("[]", 1, "a name is expected");
    bad("[a] b = 1", 1, "only a comment");
    bad("= 1", 1, "a name is expected");
    bad("a", 1, "name = value");
    bad("a b = 1", 1, "name = value");
    bad("a. = 1", 1, "a name is expected");
    bad("\"\"\"a\"\"\" = 1", 1, "name = value");
    bad("\"a\\nb\" = 1\n\"a\\nb\" = 1", 2, "'a?b' is there already");
}

static void test_bad_bytes(void **state)
{
    (void)state;
    bad("a = 1\n# \xff", 2, "not UTF-8");
    bad("a = '\xed\xa0\x80'", 1, "not UTF-8");
    bad("a = '\xc0\xaf'", 1, "not UTF-8");
    bad("# \x01", 1, "0x01");
    bad("a = '\x7f'", 1, "0x7f");
    bad("a = 1\rb = 2", 1, "carriage return");
    bad("a = 1\r", 1, "carriage return");
    bad_bytes("a = '\0'", 7, MP_INVALID, 1, "0x00");
}

static void test_what_is_too_much(void **state)
{
    mp_buf b = {0};
    (void)state;
    mp_buf_str(&b, "v = ");
    for (int i = 0; i < 100000; i++)
        mp_buf_str(&b, "[");
    bad_bytes(b.p, b.n, MP_TOO_BIG, 1, "deep");
    mp_buf_free(&b);
    for (int i = 0; i < 100000; i++)
        mp_buf_str(&b, "a.");
    mp_buf_str(&b, "a = 1");
    bad_bytes(b.p, b.n, MP_TOO_BIG, 1, "names and values");
    mp_buf_free(&b);
    for (int i = 0; i <= MP_TOML_NODES; i++)
        mp_buf_printf(&b, "k%d = 1\n", i);
    bad_bytes(b.p, b.n, MP_TOO_BIG, MP_TOML_NODES + 1, "names and values");
    mp_buf_free(&b);
}

/* What is written is read as what it was. */
static void test_quoting(void **state)
{
    static const char *const texts[] = {"", "plain", "\"\\\n\t\x01\x7f",
                                        "\xc3\xa9 \xf0\x9f\x98\x80"};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(texts); i++) {
        mp_buf b = {0};
        mp_buf_str(&b, "v = ");
        assert_true(mp_toml_quote(&b, texts[i]));
        string(b.p, texts[i]);
        mp_buf_free(&b);
    }
    mp_buf b = {0};
    assert_false(mp_toml_quote(&b, "stray \xff"));
    assert_int_equal(b.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_strings),   TEST(test_numbers),          TEST(test_arrays),
        TEST(test_tables),    TEST(test_bad_values),       TEST(test_bad_tables),
        TEST(test_bad_bytes), TEST(test_what_is_too_much), TEST(test_quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
