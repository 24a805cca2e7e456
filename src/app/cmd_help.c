/* cmd_help.c - help, and the documents that the build makes from the tables. */
#include "app/commands.h"

#include <string.h>

static const mp_option rows[] = {
    {.name = "man", .type = MP_OPT_FLAG, .help = "Print the manual page."},
    {.name = "markdown", .type = MP_OPT_FLAG, .help = "Print docs/cli.md."},
    {.name = "env", .type = MP_OPT_FLAG, .help = "Print .env.example."},
    {.name = "toml",
     .type = MP_OPT_FLAG,
     .help = "Print magpie.example.toml: a configuration file to fill in."},
    {.name = "completion",
     .type = MP_OPT_CHOICE,
     .value = "SHELL",
     .choices = "bash|zsh|fish",
     .help = "Print the completion of a shell."},
};

static void complete(const mp_app *app, const char *shell, mp_buf *out)
{
    if (strcmp(shell, "bash") == 0)
        mp_doc_bash(app->program, out);
    else if (strcmp(shell, "zsh") == 0)
        mp_doc_zsh(app->program, out);
    else
        mp_doc_fish(app->program, out);
}

static int run(mp_app *app)
{
    mp_buf b = {0};
    int width = app->out.tty ? app->out.width : 80;
    const char *topic = app_operand(app, 0), *shell = mp_args_text(&app->args, "completion", NULL);
    const mp_command *c = topic ? mp_program_find(app->program, topic) : NULL;
    if (topic && !c) {
        const char *near = mp_program_suggest(app->program, topic);
        return near ? app_usage(app, "no command '%.60s'; did you mean '%s'?", topic, near)
                    : app_usage(app, "no command '%.60s'", topic);
    }
    if (mp_args_flag(&app->args, "man"))
        mp_doc_man(app->program, &b);
    else if (mp_args_flag(&app->args, "markdown"))
        mp_doc_markdown(app->program, &b);
    else if (mp_args_flag(&app->args, "env"))
        mp_doc_env(app->program, &b);
    else if (mp_args_flag(&app->args, "toml"))
        mp_doc_toml(app->program, &b);
    else if (shell)
        complete(app, shell, &b);
    else if (c)
        mp_doc_command(app->program, c, width, &b);
    else
        mp_doc_overview(app->program, width, &b);
    fputs(b.p, stdout);
    mp_buf_free(&b);
    return EXIT_DONE;
}

const mp_command command_help = {
    .name = "help",
    .summary = "Explain magpie or one command",
    .usage = "help [COMMAND]\nhelp --completion bash|zsh|fish",
    .about = "Says what a command does and which options it takes; without one, lists all "
             "commands, settings and exit codes.",
    OPTIONS_OF(rows),
    .run = run,
};
