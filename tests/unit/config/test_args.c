/* The command line: forms of options, their order, and what is wrong with them. */
#include "../test.h"

#include "config/args.h"

#include <stdlib.h>
#include <string.h>

static const mp_option rows[] = {
    {.name = "image", .letter = 'i', .type = MP_OPT_PATH, .many = true, .value = "FILE"},
    {.name = "count", .letter = 'k', .type = MP_OPT_INT, .value = "N", .min = 1, .max = 100},
    {.name = "quiet", .letter = 'q', .type = MP_OPT_FLAG},
    {.name = "verbose", .letter = 'v', .type = MP_OPT_FLAG},
};
static const mp_option more[] = {{.name = "library", .letter = 'L', .type = MP_OPT_PATH}};
static const mp_option_table tables[] = {{rows, MP_COUNT(rows)}, {more, MP_COUNT(more)}};
static const mp_args_rules plain = {.tables = tables, .n_tables = 2};
static const mp_args_rules dashes = {.tables = tables, .n_tables = 2, .dash_operands = true};
static const mp_args_rules front = {.tables = tables, .n_tables = 2, .stop_at_operand = true};

enum { MAX_WORDS = 16 };

/* Parses the words up to a NULL. */
static mp_err parse(mp_args *a, const mp_args_rules *rules, int *stopped, mp_why *why,
                    const char *const *words)
{
    char *argv[MAX_WORDS];
    static char copies[MAX_WORDS][64];
    int argc = 0;
    for (; words[argc]; argc++) {
        strcpy(copies[argc], words[argc]);
        argv[argc] = copies[argc];
    }
    return mp_args_parse(a, rules, argc, argv, 0, stopped, why);
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void test_every_form(void **state)
{
    mp_args a;
    mp_why why = {0};
    const char **list;
    (void)state;
    assert_ok(parse(&a, &plain, NULL, &why,
                    WORDS("red", "--image", "a.jpg", "--count=7", "shoes", "-qi", "b.jpg", "-k3",
                          "-L", "/lib", "--", "--not-an-option", "-x")));
    assert_int_equal(mp_args_int(&a, "count", 0), 3); /* the last one counts */
    assert_true(mp_args_flag(&a, "quiet"));
    assert_false(mp_args_flag(&a, "verbose"));
    assert_string_equal(mp_args_text(&a, "library", ""), "/lib");
    assert_int_equal(mp_args_list(&a, "image", &list), 2);
    assert_string_equal(list[0], "a.jpg");
    assert_string_equal(list[1], "b.jpg");
    assert_null(list[2]);
    free(list);
    assert_int_equal(mp_args_list(&a, NULL, &list), 4);
    assert_string_equal(list[1], "shoes");
    assert_string_equal(list[2], "--not-an-option");
    assert_string_equal(list[3], "-x");
    free(list);
    /* Options and operands keep their order: weights depend on it. */
    assert_null(a.arg[0].option);
    assert_string_equal(a.arg[1].option->name, "image");
    mp_args_free(&a);
}

static void test_defaults(void **state)
{
    mp_args a;
    mp_why why = {0};
    const char **list;
    (void)state;
    assert_ok(parse(&a, &plain, NULL, &why, WORDS("-")));
    assert_int_equal(mp_args_int(&a, "count", 20), 20);
    assert_null(mp_args_get(&a, "count"));
    assert_int_equal(mp_args_list(&a, "image", &list), 0);
    free(list);
    assert_int_equal(mp_args_operands(&a), 1); /* a lone dash is an operand */
    mp_args_free(&a);
}

static void expect(const mp_args_rules *rules, const char *words, const char *const *argv)
{
    mp_args a;
    mp_why why = {0};
    assert_int_equal(parse(&a, rules, NULL, &why, argv), MP_INVALID);
    if (!strstr(why.text, words))
        fail_msg("'%s' lacks '%s'", why.text, words);
    mp_args_free(&a);
}

static void test_errors(void **state)
{
    (void)state;
    expect(&plain, "did you mean --image", WORDS("--imgae", "a"));
    expect(&plain, "did you mean --library", WORDS("--libary=x"));
    expect(&plain, "no option --frobnicate", WORDS("--frobnicate"));
    expect(&plain, "no option '-z'", WORDS("-z"));
    expect(&plain, "two dashes", WORDS("-zimage"));
    expect(&plain, "--count needs a value (N)", WORDS("--count"));
    expect(&plain, "-k needs a value", WORDS("-qk"));
    expect(&plain, "--count: 'many' is not a whole number", WORDS("--count", "many"));
    expect(&plain, "-k: '101' is too large; allowed: 1 to 100", WORDS("-k101"));
    expect(&plain, "--quiet takes no value", WORDS("--quiet=yes"));
}

static void test_dash_operands(void **state)
{
    mp_args a;
    mp_why why = {0};
    (void)state;
    assert_ok(parse(&a, &dashes, NULL, &why,
                    WORDS("-q", "12", "+red", "-verbose", "-i", "--count", "2")));
    assert_int_equal(mp_args_operands(&a), 4);
    assert_true(mp_args_flag(&a, "quiet"));
    assert_false(mp_args_flag(&a, "verbose"));
    assert_int_equal(mp_args_int(&a, "count", 0), 2);
    mp_args_free(&a);
    expect(&dashes, "no option '-red'", WORDS("-red", "12"));
}

static void test_front(void **state)
{
    mp_args a;
    mp_why why = {0};
    int at = -1;
    (void)state;
    assert_ok(parse(&a, &front, &at, &why, WORDS("-L", "/lib", "search", "--unknown")));
    assert_int_equal(at, 2);
    assert_int_equal(a.n, 1);
    mp_args_free(&a);
    assert_ok(parse(&a, &front, &at, &why, WORDS("--quiet")));
    assert_int_equal(at, 1);
    mp_args_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_dash_operands),
        cmocka_unit_test(test_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
