/* Values: units, bounds, secrets; and the suggestions for mistyped words. */
#include "../test.h"

#include "config/options.h"

#include <string.h>

static const mp_option size = {.name = "max-bytes", .type = MP_OPT_SIZE, .min = 1, .max = 1e12};
static const mp_option span = {.name = "wait", .type = MP_OPT_DURATION, .min = 100, .max = 60000};
static const mp_option whole = {.name = "threads", .type = MP_OPT_INT, .min = 0, .max = 8};
static const mp_option number = {.name = "alpha", .type = MP_OPT_NUMBER, .min = 0.01, .max = 0.5};
static const mp_option flag = {.name = "copy", .type = MP_OPT_FLAG};
static const mp_option choice = {
    .name = "color", .type = MP_OPT_CHOICE, .choices = "auto|always|never"};
static const mp_option path = {.name = "library", .type = MP_OPT_PATH};
static const mp_option secret = {.name = "token", .type = MP_OPT_INT, .secret = true};

static int64_t good(const mp_option *o, const char *text)
{
    mp_why why = {0};
    mp_value v;
    assert_ok(mp_option_parse(o, text, &v, &why));
    assert_string_equal(v.text, text);
    return v.integer;
}

static void bad(const mp_option *o, const char *text, const char *words)
{
    mp_why why = {0};
    mp_value v;
    assert_int_equal(mp_option_parse(o, text, &v, &why), MP_INVALID);
    if (!strstr(why.text, words))
        fail_msg("'%s' gave '%s', which lacks '%s'", text, why.text, words);
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(good(&size, "1000"), 1000);
    assert_int_equal(good(&size, "200kb"), 204800);
    assert_int_equal(good(&size, "25MiB"), 26214400);
    assert_int_equal(good(&size, "1.5g"), 1610612736);
    assert_int_equal(good(&size, "3 M"), 3145728);
    bad(&size, "", "should look like");
    bad(&size, "12 parsecs", "should look like");
    bad(&size, "-5", "too small");
    bad(&size, "0", "too small");
    bad(&size, "2000g", "too large");
    bad(&size, "1e15g", "too large"); /* above int64_t, too */
    bad(&size, "1e400", "should look like");
    bad(&size, "nan", "should look like");
}

static void test_durations(void **state)
{
    (void)state;
    assert_int_equal(good(&span, "2"), 2000);
    assert_int_equal(good(&span, "500ms"), 500);
    assert_int_equal(good(&span, "0.5s"), 500);
    assert_int_equal(good(&span, "1min"), 60000);
    bad(&span, "99ms", "'99ms' is too small; allowed: 100ms to 1min");
    bad(&span, "61s", "too large; allowed: 100ms to 1min");
    bad(&span, "soon", "should look like 10s or 500ms; allowed: 100ms to 1min");
}

static void test_numbers(void **state)
{
    mp_value v;
    mp_why why = {0};
    (void)state;
    assert_int_equal(good(&whole, "8"), 8);
    bad(&whole, "9", "too large; allowed: 0 to 8");
    bad(&whole, "-1", "too small; allowed: 0 to 8");
    bad(&whole, "4.5", "not a whole number");
    bad(&whole, "4x", "not a whole number");
    bad(&whole, "99999999999999999999", "not a whole number");
    assert_ok(mp_option_parse(&number, "0.25", &v, &why));
    assert_true(v.number > 0.249 && v.number < 0.251);
    bad(&number, "0.6", "too large; allowed: 0.01 to 0.5");
    bad(&number, "inf", "not a number");
    bad(&number, "", "not a number");
}

static void test_flags_choices_paths(void **state)
{
    mp_value v;
    mp_why why = {0};
    (void)state;
    assert_ok(mp_option_parse(&flag, "ON", &v, &why));
    assert_true(v.flag);
    assert_ok(mp_option_parse(&flag, "no", &v, &why));
    assert_false(v.flag);
    bad(&flag, "perhaps", "neither yes nor no; allowed: yes, no");
    good(&choice, "auto");
    good(&choice, "never");
    bad(&choice, "alway", "none of these; allowed: auto, always, never");
    bad(&choice, "auto|always", "none of these");
    bad(&choice, "", "none of these");
    good(&path, "/x");
    bad(&path, "", "empty path");
}

static void test_a_secret_is_not_repeated(void **state)
{
    mp_why why = {0};
    mp_value v;
    (void)state;
    assert_int_equal(mp_option_parse(&secret, "hunter2", &v, &why), MP_INVALID);
    assert_null(strstr(why.text, "hunter2"));
}

static void test_env_names(void **state)
{
    char name[64], tiny[12];
    (void)state;
    mp_option_env(&size, name, sizeof name);
    assert_string_equal(name, "MAGPIE_MAX_BYTES");
    mp_option_env(&size, tiny, sizeof tiny);
    assert_string_equal(tiny, "MAGPIE_MAX_");
}

static const char *nth(const void *context, size_t i)
{
    return ((const char *const *)context)[i];
}

static void test_suggestions(void **state)
{
    static const char *const words[] = {"search", "dupes", "stats", "show", "reindex", NULL};
    (void)state;
    assert_string_equal(mp_suggest("serch", nth, words), "search");
    assert_string_equal(mp_suggest("saerch", nth, words), "search");
    assert_string_equal(mp_suggest("dups", nth, words), "dupes");
    assert_string_equal(mp_suggest("stat", nth, words), "stats");
    assert_string_equal(mp_suggest("rein", nth, words), "reindex");
    assert_null(mp_suggest("frobnicate", nth, words));
    assert_null(mp_suggest("x", nth, words));
    assert_null(mp_suggest("", nth, words));
    char huge[500];
    memset(huge, 's', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(mp_suggest(huge, nth, words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_flags_choices_paths),
        cmocka_unit_test(test_a_secret_is_not_repeated),
        cmocka_unit_test(test_env_names),
        cmocka_unit_test(test_suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
