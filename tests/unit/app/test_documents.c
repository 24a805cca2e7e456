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
    mp_doc_env(&b);
    compare(MAGPIE_SOURCE_DIR "/.env.example", &b, "magpie help --env > .env.example");
    mp_buf_free(&b);
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
        cmocka_unit_test(test_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
