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
    snprintf(file, sizeof file, "%s/magpie/magpie.toml", folder);
    unlink(file);
    return 0;
}

static mp_err load(mp_settings *s, mp_args *args, mp_why *why)
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
                               "color='never'\nmodels = '~/m' # here\nmax-side=100";
    mp_settings s;
    mp_why why = {0};
    mp_arg flag = {.option = &mp_setting_rows[MP_SET_THREADS],
                   .value = {.text = "4", .integer = 4},
                   .source = {.origin = MP_FROM_FLAG}};
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
    expect_origin(&s, MP_SET_LIBRARY, "magpie.toml:4");
    assert_string_equal(mp_settings_text(&s, MP_SET_MODELS), "/home/nobody/m");
    assert_int_equal(mp_settings_int(&s, MP_SET_MAX_SIDE), 100);
    mp_settings_free(&s);
    assert_ok(load(&s, NULL, &why));
    assert_int_equal(mp_settings_int(&s, MP_SET_THREADS), 3);
    expect_origin(&s, MP_SET_THREADS, "MAGPIE_THREADS");
    mp_settings_free(&s);
}

static void expect_error(const char *conf, const char *words)
{
    mp_settings s;
    mp_why why = {0};
    write_file(conf, strlen(conf));
    assert_int_equal(load(&s, NULL, &why), MP_INVALID);
    if (!strstr(why.text, words))
        fail_msg("'%s' lacks '%s'", why.text, words);
    assert_string_equal(mp_settings_text(&s, MP_SET_COLOR), "auto"); /* defaults hold */
    mp_settings_free(&s);
}

static void test_bad_files(void **state)
{
    (void)state;
    expect_error("threads = 2\nthread = 3\n", "magpie.toml:2: no setting is called 'thread'");
    expect_error("thread = 3\n", "did you mean 'threads'?");
    expect_error("threads = 'lots'\n", "magpie.toml:1: threads: 'lots' is not a whole number");
    expect_error("threads = 4.5\n", "magpie.toml:1: threads: '4.5' is not a whole number");
    expect_error("threads = lots\n", "magpie.toml:1: a value is a string in quotes");
    expect_error("threads\n", "name = value");
    expect_error("library = \"open\n", "quotes are not closed");
    expect_error("library = \"a\" b\n", "only a comment");
    expect_error("threads = 5000\n", "too large; allowed: 0 to 1024");
    expect_error("threads = true\n", "threads: its value is a number");
    expect_error("threads = [2]\n", "no array");
    expect_error("library = 5\n", "library: its value is a string");
    expect_error("lock-wait = true\n", "a number of seconds");
    expect_error("[serve]\nport = 5\n", "magpie.toml:1: no table is called 'serve'");
}

/* What is wrong with a secret is told without it. */
static void test_a_bad_secret_is_not_repeated(void **state)
{
    static const char *const files[] = {"jwt-secret = 'hunter2'\n",
                                        "jwt-secret = hunter2\n",
                                        "jwt-secret = \"hunter2\n",
                                        "jwt-secret = 'a' 'hunter2'",
                                        "jwt-secret = ['hunter2']",
                                        "token = {hunter2 = 1}",
                                        "smtp-url = 'http://me:hunter2@mail'",
                                        "database-url = 'password=hunter2'"};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(files); i++) {
        mp_settings s;
        mp_why why = {0};
        write_file(files[i], strlen(files[i]));
        assert_int_equal(load(&s, NULL, &why), MP_INVALID);
        assert_non_null(strstr(why.text, "magpie.toml:1: "));
        assert_null(strstr(why.text, "hunter2"));
        mp_settings_free(&s);
    }
}

static void test_others_can_read_a_secret(void **state)
{
    static const char conf[] = "token = 'hunter2'\n";
    mp_settings s;
    mp_why why = {0};
    (void)state;
    write_file(conf, sizeof conf - 1);
    assert_int_equal(chmod(file, 0640), 0);
    assert_ok(load(&s, NULL, &why));
    assert_non_null(strstr(s.warning.text, "magpie.toml holds a secret"));
    assert_null(strstr(s.warning.text, "hunter2"));
    assert_string_equal(mp_settings_shown(&s, MP_SET_TOKEN), "(hidden)");
    mp_settings_free(&s);
    assert_int_equal(chmod(file, 0600), 0);
    assert_ok(load(&s, NULL, &why));
    assert_string_equal(s.warning.text, "");
    mp_settings_free(&s);
}

/* ---- the options of a service ---- */

static const mp_option service_rows[] = {
    {.name = "port", .type = MP_OPT_INT, .value = "N", .fallback = "80", .min = 1, .max = 99},
    {.name = "origin", .type = MP_OPT_TEXT, .many = true, .value = "O"},
    {.name = "still", .type = MP_OPT_FLAG},
    {.name = "shown",
     .type = MP_OPT_SWITCH,
     .value = "YES",
     .fallback = "yes",
     .alias = {{.name = "OTHERS_SHOWN"}}},
    {.name = "to",
     .type = MP_OPT_URL,
     .schemes = "http://",
     .value = "URL",
     .alias = {{.name = "WHOLE"}, {"BASE", "v1"}}},
    {.name = "once", .type = MP_OPT_FLAG, .flag_only = true},
};
static const mp_command service = {.name = "service",
                                   .options = service_rows,
                                   .n_options = MP_COUNT(service_rows),
                                   .configured = true};
static const mp_command plain = {
    .name = "plain", .options = service_rows, .n_options = MP_COUNT(service_rows)};
static const mp_command *const commands[] = {&plain, &service};
static const mp_program program = {.commands = commands, .n_commands = 2};

static mp_err load_service(mp_settings *s, mp_args *args, const mp_command *c, mp_why *why)
{
    mp_settings_sources from = {.args = args, .program = &program, .command = c, .env = env};
    return mp_settings_load(s, &from, why);
}

static void expect_source(const mp_settings *s, const mp_args *args, const char *name,
                          const char *text)
{
    char origin[128];
    for (size_t i = args->n; i-- > 0;) {
        const mp_arg *a = &args->arg[i];
        if (strcmp(a->option->name, name) != 0)
            continue;
        mp_settings_source(s, a->option, a->source, origin, sizeof origin);
        assert_string_equal(origin, text);
        return;
    }
    fail_msg("no %s", name);
}

static void test_a_service_s_options(void **state)
{
    static const char conf[] = "threads = 3\n[service]\nport = 7\nstill = true\nshown = false\n"
                               "origin = ['a', 'b']\nto = 'http://file'\n";
    mp_settings s;
    mp_args args = {0};
    mp_why why = {0};
    const char **list;
    (void)state;
    write_file(conf, sizeof conf - 1);
    assert_ok(load_service(&s, &args, &service, &why));
    assert_int_equal(mp_args_int(&args, "port", 0), 7);
    expect_source(&s, &args, "port", "magpie.toml:3");
    assert_true(mp_args_flag(&args, "still"));
    assert_false(mp_args_flag(&args, "shown"));
    assert_int_equal(mp_args_list(&args, "origin", &list), 2);
    assert_string_equal(list[1], "b");
    free(list);
    mp_args_free(&args);
    mp_settings_free(&s);
    set("MAGPIE_PORT", "8");
    set("MAGPIE_ORIGIN", " c ,, d,e ");
    set("OTHERS_SHOWN", "true");
    set("BASE", "http://base");
    set("MAGPIE_ONCE", "yes");
    assert_ok(load_service(&s, &args, &service, &why));
    assert_int_equal(mp_args_int(&args, "port", 0), 8);
    expect_source(&s, &args, "port", "MAGPIE_PORT");
    assert_int_equal(mp_args_list(&args, "origin", &list), 3);
    assert_string_equal(list[0], "c");
    assert_string_equal(list[1], "d");
    free(list);
    assert_true(mp_args_flag(&args, "shown"));
    expect_source(&s, &args, "shown", "OTHERS_SHOWN");
    assert_string_equal(mp_args_text(&args, "to", ""), "http://base/v1");
    assert_null(mp_args_get(&args, "once"));
    mp_args_free(&args);
    mp_settings_free(&s);
    set("WHOLE", "http://whole");
    mp_args_add(&args, &service_rows[0], (mp_value){.text = "9", .integer = 9},
                (mp_value_source){.origin = MP_FROM_FLAG});
    assert_ok(load_service(&s, &args, &service, &why));
    assert_int_equal(mp_args_int(&args, "port", 0), 9);
    assert_string_equal(mp_args_text(&args, "to", ""), "http://whole");
    mp_args_free(&args);
    mp_settings_free(&s);
}

/* Other commands know the tables, and take nothing from them nor from the others' names. */
static void test_other_commands(void **state)
{
    static const char conf[] = "[service]\nport = 7\n";
    mp_settings s;
    mp_args args = {0};
    mp_why why = {0};
    (void)state;
    set("MAGPIE_PORT", "none");
    set("DATABASE_URL", "postgresql://a:hunter2@b/c");
    write_file(conf, sizeof conf - 1);
    assert_ok(load_service(&s, &args, &plain, &why));
    assert_int_equal(args.n, 0);
    mp_settings_free(&s);
    assert_int_equal(load_service(&s, &args, &service, &why), MP_INVALID);
    assert_non_null(strstr(why.text, "DATABASE_URL: 'postgresql://...' is not a back end"));
    assert_null(strstr(why.text, "hunter2"));
    mp_settings_free(&s);
    set("MAGPIE_DATABASE_URL", "sqlite:");
    mp_args_free(&args);
    assert_int_equal(load_service(&s, &args, &service, &why), MP_INVALID);
    assert_non_null(strstr(why.text, "MAGPIE_PORT: 'none' is not a whole number; allowed: 1 to"));
    mp_settings_free(&s);
    mp_args_free(&args);
}

static void expect_misplaced(const char *conf, const char *words)
{
    mp_settings s;
    mp_args args = {0};
    mp_why why = {0};
    write_file(conf, strlen(conf));
    assert_int_equal(load_service(&s, &args, &plain, &why), MP_INVALID);
    if (!strstr(why.text, words))
        fail_msg("'%s' lacks '%s'", why.text, words);
    mp_args_free(&args);
    mp_settings_free(&s);
}

static void test_misplaced(void **state)
{
    (void)state;
    expect_misplaced("port = 7\n", "'port' stands in the table of a service: [service]");
    expect_misplaced("[service]\nthreads = 7\n", "above the first [table]");
    expect_misplaced("[service]\nprot = 7\n",
                     "magpie.toml:2: no option of service is called 'prot'; did you mean 'port'");
    expect_misplaced("[servce]\n", "no table is called 'servce'; did you mean 'service'?");
    expect_misplaced("service = 1\n", "this is a table");
    expect_misplaced("[service]\nonce = true\n", "no option of service is called 'once'");
    expect_misplaced("[service]\nport = 100\n", "port: '100' is too large; allowed: 1 to 99");
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

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, fresh),
        cmocka_unit_test_setup(test_precedence, fresh),
        cmocka_unit_test_setup(test_bad_files, fresh),
        cmocka_unit_test_setup(test_a_bad_secret_is_not_repeated, fresh),
        cmocka_unit_test_setup(test_others_can_read_a_secret, fresh),
        cmocka_unit_test_setup(test_a_service_s_options, fresh),
        cmocka_unit_test_setup(test_other_commands, fresh),
        cmocka_unit_test_setup(test_misplaced, fresh),
        cmocka_unit_test_setup(test_bad_environment, fresh),
        cmocka_unit_test_setup(test_named_file, fresh),
        cmocka_unit_test_setup(test_a_huge_file_is_refused, fresh),
        cmocka_unit_test_setup(test_no_home, fresh),
        cmocka_unit_test(test_the_table_is_sound),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[160];
    snprintf(path, sizeof path, "%s/magpie/magpie.toml", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/magpie", folder);
    rmdir(path);
    rmdir(folder);
    return failed;
}
