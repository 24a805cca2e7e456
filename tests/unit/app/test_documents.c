/* The tables of commands and what is made from them: help, manual page, completions, docs/cli.md.
 */
#include "../test.h"

#include "app/commands.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_options(const mp_command *c)
{
    for (size_t i = 0; i < c->n_options; i++) {
        const mp_option *o = &c->options[i];
        mp_value v;
        mp_why why = {0};
        assert_non_null(o->help);
        assert_true(!mp_option_takes_value(o) || o->value);
        assert_true((o->type == MP_OPT_CHOICE) == (o->choices != NULL));
        if (o->fallback)
            assert_ok(mp_option_parse(o, o->fallback, &v, &why));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(o->name, c->options[j].name);
            assert_true(!o->letter || o->letter != c->options[j].letter);
        }
        for (size_t j = 0; j < magpie_program.common.n; j++) {
            const mp_option *other = &magpie_program.common.row[j];
            assert_string_not_equal(o->name, other->name);
            assert_true(!o->letter || o->letter != other->letter);
        }
        for (size_t j = 0; j < MP_SETTINGS; j++) {
            assert_string_not_equal(o->name, mp_setting_rows[j].name);
            assert_true(!o->letter || o->letter != mp_setting_rows[j].letter);
        }
    }
}

static void test_rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < magpie_program.n_commands; i++) {
        const mp_command *c = magpie_program.commands[i];
        assert_ptr_equal(mp_program_find(&magpie_program, c->name), c);
        assert_non_null(c->run);
        assert_non_null(c->about);
        assert_true(strncmp(c->usage, c->name, strlen(c->name)) == 0);
        check_options(c);
    }
    assert_null(mp_program_find(&magpie_program, "decode-worker"));
    assert_string_equal(mp_program_suggest(&magpie_program, "serch"), "search");
}

static void must_have(const mp_buf *b, const char *text)
{
    if (!strstr(b->p, text))
        fail_msg("'%s' is missing", text);
}

/* Every command and each of its options occurs, written as `pattern` says. */
static void check_all_named(const mp_buf *b, const char *pattern)
{
    for (size_t i = 0; i < magpie_program.n_commands; i++) {
        const mp_command *c = magpie_program.commands[i];
        must_have(b, c->name);
        for (size_t j = 0; j < c->n_options; j++) {
            char text[80];
            snprintf(text, sizeof text, pattern, c->options[j].name);
            must_have(b, text);
        }
    }
}

static void test_help(void **state)
{
    mp_buf b = {0};
    (void)state;
    mp_doc_overview(&magpie_program, 80, &b);
    for (const char *p = b.p; *p;) { /* no line is too wide */
        size_t n = strcspn(p, "\n");
        assert_true(n <= 80);
        p += n + (p[n] == '\n');
    }
    mp_buf_free(&b);
    for (size_t i = 0; i < magpie_program.n_commands; i++)
        mp_doc_command(&magpie_program, magpie_program.commands[i], 80, &b);
    check_all_named(&b, "--%s");
    mp_buf_free(&b);
}

static void test_man(void **state)
{
    mp_buf b = {0};
    (void)state;
    mp_doc_man(&magpie_program, &b);
    assert_int_equal(strncmp(b.p, ".TH MAGPIE 1", 12), 0);
    must_have(&b, "\\-\\-min\\-score");
    must_have(&b, "MAGPIE_MAX_PIXELS");
    must_have(&b, ".SH EXIT STATUS");
    mp_buf_free(&b);
}

static void test_completions(void **state)
{
    char path[] = "/tmp/magpie-bash-XXXXXX", command[96];
    mp_why why = {0};
    mp_buf b = {0};
    (void)state;
    mp_doc_bash(&magpie_program, &b);
    check_all_named(&b, "--%s");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_ok(mp_write_all(fd, b.p, b.n, path, &why));
    close(fd);
    snprintf(command, sizeof command, "bash -n %s", path);
    assert_int_equal(system(command), 0);
    unlink(path);
    mp_buf_free(&b);
    mp_doc_zsh(&magpie_program, &b);
    check_all_named(&b, "--%s[");
    mp_buf_free(&b);
    mp_doc_fish(&magpie_program, &b);
    check_all_named(&b, " -l %s");
    mp_buf_free(&b);
}

static void compare(const char *path, const mp_buf *b, const char *how)
{
    uint8_t *data;
    size_t n;
    mp_why why = {0};
    assert_ok(mp_file_read(path, 1 << 22, &data, &n, &why));
    if (n != b->n || memcmp(data, b->p, n) != 0)
        fail_msg("%s is stale; remake it with: %s", path, how);
    free(data);
}

static void test_docs_are_current(void **state)
{
    mp_buf b = {0};
    (void)state;
    mp_doc_markdown(&magpie_program, &b);
    compare(MAGPIE_SOURCE_DIR "/docs/cli.md", &b, "magpie help --markdown > docs/cli.md");
    mp_buf_free(&b);
    mp_doc_env(&magpie_program, &b);
    compare(MAGPIE_SOURCE_DIR "/.env.example", &b, "magpie help --env > .env.example");
    mp_buf_free(&b);
    mp_doc_toml(&magpie_program, &b);
    compare(MAGPIE_SOURCE_DIR "/magpie.example.toml", &b,
            "magpie help --toml > magpie.example.toml");
    mp_buf_free(&b);
}

static void must_have_row(const mp_buf *b, const char *pattern, const char *name)
{
    char text[80];
    snprintf(text, sizeof text, pattern, name);
    must_have(b, text);
}

/* Whatever can be set without a flag stands in both files to fill in. */
static void test_files_to_fill_in(void **state)
{
    mp_buf env = {0}, toml = {0};
    char name[64];
    (void)state;
    mp_doc_env(&magpie_program, &env);
    mp_doc_toml(&magpie_program, &toml);
    for (size_t i = 0; i < MP_SETTINGS; i++) {
        mp_option_env(&mp_setting_rows[i], name, sizeof name);
        must_have_row(&env, "\n#%s=", name);
        must_have_row(&toml, "\n#%s = ", mp_setting_rows[i].name);
        for (size_t j = 0; j < MP_ALIASES && mp_setting_rows[i].alias[j].name; j++)
            must_have(&env, mp_setting_rows[i].alias[j].name);
    }
    for (size_t i = 0; i < magpie_program.n_commands; i++) {
        const mp_command *c = magpie_program.commands[i];
        if (!c->configured)
            continue;
        must_have_row(&toml, "\n[%s]\n", c->name);
        for (size_t j = 0; j < c->n_options; j++) {
            mp_option_env(&c->options[j], name, sizeof name);
            if (c->options[j].flag_only)
                continue;
            must_have_row(&env, "\n#%s=", name);
            must_have_row(&toml, "\n#%s = ", c->options[j].name);
        }
    }
    mp_buf_free(&env);
    mp_buf_free(&toml);
}

typedef struct names {
    const mp_option *row[400];
    const mp_command *of[400];
    size_t n;
} names;

static void add_names(names *all, const mp_command *of, const mp_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].flag_only)
            continue;
        assert_true(all->n < MP_COUNT(all->row));
        all->of[all->n] = of;
        all->row[all->n++] = &rows[i];
    }
}

/* Two rows share a name only where two services have the same option: one variable sets both. */
static void check_pair(const names *all, size_t i, size_t j)
{
    const mp_option *a = all->row[i], *b = all->row[j];
    if (strcmp(a->name, b->name) == 0) {
        assert_true(all->of[i] && all->of[j] && all->of[i] != all->of[j]);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->many, b->many);
        assert_true(a->min == b->min && a->max == b->max);
        return;
    }
    for (size_t k = 0; k < MP_ALIASES && a->alias[k].name; k++)
        for (size_t l = 0; l < MP_ALIASES && b->alias[l].name; l++)
            assert_string_not_equal(a->alias[k].name, b->alias[l].name);
}

static void test_names_do_not_collide(void **state)
{
    static names all;
    (void)state;
    add_names(&all, NULL, mp_setting_rows, MP_SETTINGS);
    for (size_t i = 0; i < magpie_program.n_commands; i++) {
        const mp_command *c = magpie_program.commands[i];
        if (c->configured)
            add_names(&all, c, c->options, c->n_options);
    }
    for (size_t i = 0; i < all.n; i++) {
        assert_string_not_equal(all.row[i]->name, "config");   /* MAGPIE_CONFIG names the file */
        assert_string_not_equal(all.row[i]->name, "password"); /* MAGPIE_PASSWORD: see login */
        for (size_t k = 0; k < MP_ALIASES && all.row[i]->alias[k].name; k++)
            assert_true(strncmp(all.row[i]->alias[k].name, "MAGPIE_", 7) != 0);
        for (size_t j = 0; j < magpie_program.n_commands; j++) /* a table and a setting */
            if (!all.of[i] && magpie_program.commands[j]->configured)
                assert_string_not_equal(all.row[i]->name, magpie_program.commands[j]->name);
        for (size_t j = 0; j < i; j++)
            check_pair(&all, j, i);
    }
}

static void test_exit_codes(void **state)
{
    (void)state;
    for (int err = MAGPIE_OK; err <= MAGPIE_INTERNAL; err++) {
        int code = exit_of((magpie_err)err), found = 0;
        for (size_t i = 0; i < EXIT_ROWS; i++)
            found += exit_rows[i].code == code;
        assert_int_equal(found, 1);
        assert_true((code == 0) == (err == MAGPIE_OK));
    }
    assert_int_equal(exit_of((magpie_err)99), EXIT_BUG);
    assert_int_equal(exit_of(MAGPIE_CANCELLED), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_man),
        cmocka_unit_test(test_completions),
        cmocka_unit_test(test_docs_are_current),
        cmocka_unit_test(test_files_to_fill_in),
        cmocka_unit_test(test_names_do_not_collide),
        cmocka_unit_test(test_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
