/* cli.c - from argv to a command: settings, help, the exit. */
#include "app/cli.h"

#include "app/commands.h"
#include "app/print_config.h"
#include "app/stop.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const mp_option version_row = {
    .name = "version", .letter = 'V', .type = MP_OPT_FLAG, .help = "Same as magpie version."};

/* Options before and after the command's name count alike. */
static void join_args(mp_args *to, mp_args *before)
{
    mp_args all = {.n = before->n + to->n};
    all.arg = mp_xcalloc(all.n + 1, sizeof *all.arg);
    if (before->n)
        memcpy(all.arg, before->arg, before->n * sizeof *all.arg);
    if (to->n)
        memcpy(all.arg + before->n, to->arg, to->n * sizeof *all.arg);
    mp_args_free(before);
    mp_args_free(to);
    *to = all;
}

static int unknown_command(mp_app *app, const char *word)
{
    const char *near = mp_program_suggest(app->program, word);
    if (near)
        return app_usage(app, "no command '%.60s'; did you mean '%s'?", word, near);
    return app_usage(app, "no command '%.60s'; magpie help lists them", word);
}

/* What stands before the command; returns where its name is, or -1 after a failure. */
static int read_front(mp_app *app, int argc, char **argv, mp_args *front, mp_why *why)
{
    const mp_option_table tables[] = {
        {mp_setting_rows, MP_SETTINGS}, app->program->common, {&version_row, 1}};
    mp_args_rules rules = {.tables = tables, .n_tables = MP_COUNT(tables), .stop_at_operand = true};
    int at = argc;
    if (mp_args_parse(front, &rules, argc, argv, 1, &at, why) != MP_OK)
        return -1;
    return at;
}

static mp_err read_rest(mp_app *app, int argc, char **argv, int from, mp_why *why)
{
    const mp_option_table tables[] = {{app->command->options, app->command->n_options},
                                      app->program->common,
                                      {mp_setting_rows, MP_SETTINGS}};
    mp_args_rules rules = {.tables = tables,
                           .n_tables = MP_COUNT(tables),
                           .dash_operands = app->command->dash_operands};
    return mp_args_parse(&app->args, &rules, argc, argv, from, NULL, why);
}

static void take_common(mp_app *app)
{
    app->json = mp_args_flag(&app->args, "json");
    app->quiet = mp_args_flag(&app->args, "quiet");
    app->verbose = mp_args_flag(&app->args, "verbose");
}

static int show_help(const mp_app *app, bool overview)
{
    mp_buf b = {0};
    int width = app->out.tty ? app->out.width : 80;
    if (app->command)
        mp_doc_command(app->program, app->command, width, &b);
    else if (overview)
        mp_doc_overview(app->program, width, &b);
    else
        mp_doc_short(app->program, &b);
    fputs(b.p, stdout);
    mp_buf_free(&b);
    return EXIT_DONE;
}

/* Commands that must work, and tell what is wrong, when the settings cannot be read. */
static bool bears_bad_settings(const mp_app *app)
{
    return app->command == &command_doctor || app->command == &command_help ||
           app->command == &command_version;
}

static int load_settings(mp_app *app)
{
    mp_why why = {0};
    mp_settings_sources from = {
        .args = &app->args, .program = app->program, .command = app->command};
    mp_err err = mp_settings_load(&app->settings, &from, &why);
    if (err && bears_bad_settings(app))
        app->settings_why = why;
    else if (err)
        return app_fail_inner(app, err, &why);
    const char *color = mp_settings_text(&app->settings, MP_SET_COLOR);
    app->out = term_of(stdout, color ? color : "auto");
    app->err = term_of(stderr, color ? color : "auto");
    if (*app->settings.warning.text) {
        char *shown = app_escaped(app->settings.warning.text);
        app_note(app, PAINT_WARN, "%s", shown);
        free(shown);
    }
    return EXIT_DONE;
}

/* A full disk behind standard output must not look like success. */
static int finish(mp_app *app, int code)
{
    magpie_close(app->library);
    app->library = NULL;
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE) {
        fprintf(stderr, "magpie: cannot write the output: %s\n", strerror(errno ? errno : EIO));
        code = EXIT_SYSTEM;
    }
    return code;
}

static int run_command(mp_app *app, int argc, char **argv, int at, mp_args *front)
{
    mp_why why = {0};
    app->command = mp_program_find(app->program, argv[at]);
    if (!app->command)
        return unknown_command(app, argv[at]);
    mp_err err = read_rest(app, argc, argv, at + 1, &why);
    join_args(&app->args, front);
    take_common(app);
    if (err)
        return app_usage(app, "%s", why.text);
    if (mp_args_flag(&app->args, "help"))
        return show_help(app, false);
    int code = load_settings(app);
    if (code)
        return code;
    if (app->command->configured && mp_args_flag(&app->args, "print-config") &&
        mp_args_operands(&app->args) == 0)
        return finish(app, print_config(app));
    stop_install();
    return finish(app, app->command->run(app));
}

static int run_program(mp_app *app, int argc, char **argv)
{
    mp_why why = {0};
    mp_args front = {0};
    int code, at = read_front(app, argc, argv, &front, &why);
    if (at < 0) {
        code = app_usage(app, "%s", why.text);
    } else if (mp_args_flag(&front, "version")) {
        printf("magpie %s\n", MAGPIE_VERSION);
        code = EXIT_DONE;
    } else if (at >= argc) {
        code = show_help(app, mp_args_flag(&front, "help"));
    } else {
        code = run_command(app, argc, argv, at, &front);
    }
    mp_args_free(&front);
    return code;
}

int mp_cli_main(int argc, char **argv)
{
    mp_app app = {
        .program = &magpie_program, .out = term_of(stdout, "auto"), .err = term_of(stderr, "auto")};
    /* Widths of characters come from a UTF-8 locale, whatever the user's; numbers stay in C. */
    setlocale(LC_CTYPE, "C.UTF-8");
    int code = run_program(&app, argc, argv);
    mp_settings_free(&app.settings);
    mp_args_free(&app.args);
    return code;
}
