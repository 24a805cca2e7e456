/* Settings: which source wins, what the file may hold, and where mistakes are said to be. */
#include "../test.h"

#include "config/command.h"
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small environment of our own. */
static const char *names[16], *values[16];
static size_t n_env;
static char folder[] = "/tmp/magpie-settings-XXXXXX";
static char file[128];

static const char *env(const char *name)
{
    for (size_t i = 0; i < n_env; i++)
        if (strcmp(names[i], name) == 0)
            return values[i];
    return NULL;
}

static void set(const char *name, const char *value)
{
    names[n_env] = name;
    values[n_env++] = value;
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int fresh(void **state)
{
    char dir[128];
    (void)state;
    n_env = 0;
    set("HOME", "/home/nobody");
    set("XDG_CONFIG_HOME", folder);
    snprintf(dir, sizeof dir, "%s/magpie", folder);
    mkdir(dir, 0755);
    snprintf(file, sizeof file, "%s/magpie/magpie.conf", folder);
    unlink(file);
    return 0;
}

static mp_err load(mp_settings *s, const mp_args *args, mp_why *why)
{
    mp_settings_sources from = {.args = args, .env = env};
    return mp_settings_load(s, &from, why);
}

static void expect_origin(const mp_settings *s, mp_setting which, const char *text)
{
    char origin[128];
    mp_settings_origin(s, which, origin, sizeof origin);
    assert_string_equal(origin, text);
}

static void test_defaults(void **state)
{
    mp_settings s;
    mp_why why = {0};
    (void)state;
    assert_ok(load(&s, NULL, &why));
    assert_false(s.file_read);
    assert_int_equal(mp_settings_int(&s, MP_SET_DECODE_TIMEOUT), 10000);
    assert_int_equal(mp_settings_int(&s, MP_SET_MAX_BYTES), 26214400);
    assert_null(mp_settings_text(&s, MP_SET_LIBRARY));
    assert_string_equal(mp_settings_shown(&s, MP_SET_LIBRARY), "");
    expect_origin(&s, MP_SET_THREADS, "default");
    mp_settings_free(&s);
}

static void test_precedence(void **state)
{
    static const char conf[] = "# mine\n\nthreads = 2\n library = \"/from file # 1\" # why\n"
                               "color=never\nmodels = ~/m # here\nmax-side=100";
    mp_settings s;
    mp_why why = {0};
    mp_arg flag = {.option = &mp_setting_rows[MP_SET_THREADS],
                   .value = {.text = "4", .integer = 4}};
    mp_args args = {.arg = &flag, .n = 1};
    (void)state;
    write_file(conf, sizeof conf - 1);
    set("MAGPIE_THREADS", "3");
    set("MAGPIE_COLOR", "always");
    set("MAGPIE_MAX_SIDE", ""); /* empty is not set */
    assert_ok(load(&s, &args, &why));
    assert_true(s.file_read);
    assert_int_equal(mp_settings_int(&s, MP_SET_THREADS), 4);
    expect_origin(&s, MP_SET_THREADS, "flag");
    assert_string_equal(mp_settings_text(&s, MP_SET_COLOR), "always");
    expect_origin(&s, MP_SET_COLOR, "MAGPIE_COLOR");
    assert_string_equal(mp_settings_text(&s, MP_SET_LIBRARY), "/from file # 1");
    expect_origin(&s, MP_SET_LIBRARY, "magpie.conf:4");
    assert_string_equal(mp_settings_text(&s, MP_SET_MODELS), "/home/nobody/m");
    assert_int_equal(mp_settings_int(&s, MP_SET_MAX_SIDE), 100);
    mp_settings_free(&s);
    assert_ok(load(&s, NULL, &why));
    assert_int_equal(mp_settings_int(&s, MP_SET_THREADS), 3);
    expect_origin(&s, MP_SET_THREADS, "MAGPIE_THREADS");
    mp_settings_free(&s);
}

static void expect_error(const char *conf, size_t n, const char *words)
{
    mp_settings s;
    mp_why why = {0};
    write_file(conf, n);
    assert_int_equal(load(&s, NULL, &why), MP_INVALID);
    if (!strstr(why.text, words))
        fail_msg("'%s' lacks '%s'", why.text, words);
    mp_settings_free(&s);
}

static void test_bad_files(void **state)
{
    (void)state;
    expect_error("threads = 2\nthread = 3\n", 24, "magpie.conf:2: no setting is called 'thread'");
    expect_error("thread = 3\n", 11, "did you mean 'threads'?");
    expect_error("threads = lots\n", 15, "magpie.conf:1: 'lots' is not a whole number");
    expect_error("threads\n", 8, "key = value");
    expect_error("library = \"open\n", 16, "quotes are not closed");
    expect_error("library = \"a\" b\n", 16, "quotes are not closed");
    expect_error("library = a\0b\n", 14, "key = value");
    expect_error("threads = 5000\n", 15, "above the most allowed");
}

static void test_bad_environment(void **state)
{
    mp_settings s;
    mp_why why = {0};
    (void)state;
    set("MAGPIE_MAX_BYTES", "huge");
    assert_int_equal(load(&s, NULL, &why), MP_INVALID);
    assert_non_null(strstr(why.text, "MAGPIE_MAX_BYTES: 'huge'"));
    mp_settings_free(&s);
}

static void test_named_file(void **state)
{
    mp_settings s;
    mp_why why = {0};
    (void)state;
    set("MAGPIE_CONFIG", "/nowhere/at/all.conf");
    assert_int_equal(load(&s, NULL, &why), MP_NOT_FOUND);
    mp_settings_free(&s);
    n_env--;
    char other[160];
    snprintf(other, sizeof other, "%s/other.conf", folder);
    memcpy(file, other, strlen(other) + 1);
    write_file("decoders = 3", 12);
    set("MAGPIE_CONFIG", other);
    assert_ok(load(&s, NULL, &why));
    expect_origin(&s, MP_SET_DECODERS, "other.conf:1");
    mp_settings_free(&s);
    unlink(other);
}

static void test_a_huge_file_is_refused(void **state)
{
    mp_settings s;
    mp_why why = {0};
    size_t n = (1 << 20) + 1;
    char *text = malloc(n);
    (void)state;
    assert_non_null(text);
    memset(text, '#', n);
    write_file(text, n);
    free(text);
    assert_int_equal(load(&s, NULL, &why), MP_TOO_BIG);
    mp_settings_free(&s);
}

static void test_no_home(void **state)
{
    mp_settings s;
    mp_why why = {0};
    (void)state;
    n_env = 0;
    assert_ok(load(&s, NULL, &why));
    assert_string_equal(s.file, "");
    mp_settings_free(&s);
}

/* Every row is usable: named, explained, with a default that its own rules accept. */
static void test_the_table_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < MP_SETTINGS; i++) {
        const mp_option *o = &mp_setting_rows[i];
        mp_value v;
        mp_why why = {0};
        assert_non_null(o->name);
        assert_non_null(o->help);
        if (o->fallback)
            assert_ok(mp_option_parse(o, o->fallback, &v, &why));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(o->name, mp_setting_rows[j].name);
            assert_true(!o->letter || o->letter != mp_setting_rows[j].letter);
        }
    }
}

static void test_env_example_names_every_setting(void **state)
{
    mp_buf b = {0};
    (void)state;
    mp_doc_env(&b);
    for (int i = 0; i < MP_SETTINGS; i++) {
        char line[80], name[64];
        mp_option_env(&mp_setting_rows[i], name, sizeof name);
        snprintf(line, sizeof line, "\n#%s=", name);
        assert_non_null(strstr(b.p, line));
    }
    mp_buf_free(&b);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, fresh),
        cmocka_unit_test_setup(test_precedence, fresh),
        cmocka_unit_test_setup(test_bad_files, fresh),
        cmocka_unit_test_setup(test_bad_environment, fresh),
        cmocka_unit_test_setup(test_named_file, fresh),
        cmocka_unit_test_setup(test_a_huge_file_is_refused, fresh),
        cmocka_unit_test_setup(test_no_home, fresh),
        cmocka_unit_test(test_the_table_is_sound),
        cmocka_unit_test(test_env_example_names_every_setting),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[160];
    snprintf(path, sizeof path, "%s/magpie/magpie.conf", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/magpie", folder);
    rmdir(path);
    rmdir(folder);
    return failed;
}
