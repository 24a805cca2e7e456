/* doc_reference.c - the manual page (man(7) macros) and docs/cli.md. */
#include "config/command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- the manual page ---- */

/* Hyphens stay hyphens when copied, and no line can be taken for a request. */
static void roff(mp_buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool starts = i == 0 || text[i - 1] == '\n';
        if (starts && (text[i] == '.' || text[i] == '\''))
            mp_buf_str(out, "\\&");
        if (text[i] == '\\')
            mp_buf_str(out, "\\e");
        else if (text[i] == '-')
            mp_buf_str(out, "\\-");
        else
            mp_buf_add(out, &text[i], 1);
    }
}

static void roff_str(mp_buf *out, const char *text)
{
    roff(out, text, strlen(text));
}

static void man_options(mp_buf *out, const mp_option *rows, size_t n, bool environment)
{
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        char name[80];
        mp_buf help = {0};
        mp_buf_str(out, ".TP\n.B ");
        if (o->letter)
            mp_buf_printf(out, "\\-%c\\fR, \\fB", o->letter);
        snprintf(name, sizeof name, "--%s", o->name);
        roff_str(out, name);
        if (o->value)
            mp_buf_printf(out, " \\fI%s\\fR", o->value);
        mp_buf_str(out, "\n");
        mp_doc_option(o, true, &help);
        roff_str(out, help.p);
        mp_buf_free(&help);
        if (environment && !o->flag_only) {
            mp_option_env(o, name, sizeof name);
            mp_buf_printf(out, " Environment: %s.", name);
        }
        mp_buf_str(out, "\n");
    }
}

/* Indented lines become examples, others paragraphs. */
static void man_about(mp_buf *out, const char *text)
{
    bool example = false;
    while (*text) {
        size_t n = strcspn(text, "\n");
        bool kept = *text == ' ';
        if (kept && !example)
            mp_buf_str(out, ".PP\n.nf\n.RS\n");
        if (!kept && example)
            mp_buf_str(out, ".RE\n.fi\n");
        if (!kept)
            mp_buf_str(out, ".PP\n");
        example = kept;
        size_t skip = kept ? strspn(text, " ") : 0;
        roff(out, text + skip, n - skip);
        mp_buf_str(out, "\n");
        text += n + (text[n] == '\n');
    }
    if (example)
        mp_buf_str(out, ".RE\n.fi\n");
}

static void man_command(mp_buf *out, const mp_command *c)
{
    mp_buf_printf(out, ".SS %s\n", c->name);
    for (const char *u = c->usage; *u;) {
        size_t n = strcspn(u, "\n");
        mp_buf_str(out, ".PD 0\n.PP\n.B magpie ");
        roff(out, u, n);
        mp_buf_str(out, "\n.PD\n");
        u += n + (u[n] == '\n');
    }
    man_about(out, c->about);
    man_options(out, c->options, c->n_options, c->configured);
}

void mp_doc_man(const mp_program *p, mp_buf *out)
{
    mp_buf_printf(out, ".TH MAGPIE 1 \"\" \"magpie %s\" \"User Commands\"\n", p->version);
    mp_buf_str(out, ".SH NAME\nmagpie \\- ");
    roff_str(out, p->tagline + strlen("Magpie "));
    mp_buf_str(out, "\n.SH SYNOPSIS\n.B magpie\n.I COMMAND\n[\\fIOPTION\\fR...] "
                    "[\\fIOPERAND\\fR...]\n.SH COMMANDS\n");
    for (size_t i = 0; i < p->n_commands; i++)
        if (!p->commands[i]->hidden)
            man_command(out, p->commands[i]);
    mp_buf_str(out, ".SH OPTIONS OF EVERY COMMAND\n");
    man_options(out, p->common.row, p->common.n, false);
    mp_buf_str(out,
               ".SH SETTINGS\nA setting's value comes from the first of: its flag, its "
               "environment variable, for\nservices (serve, worker, embed) the names that others "
               "use for it, the configuration\nfile, its default. The file is TOML: settings "
               "stand at the top, a service's options\nin the table of its name, such as "
               "[serve]; magpie help \\-\\-toml prints one to fill in.\n");
    man_options(out, mp_setting_rows, MP_SETTINGS, true);
    mp_buf_str(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < p->n_exits; i++) {
        mp_buf_printf(out, ".TP\n.B %d\n", p->exits[i].code);
        roff_str(out, p->exits[i].meaning);
        mp_buf_str(out, "\n");
    }
    mp_buf_str(out, ".SH FILES\n.TP\n.I ~/.config/magpie/magpie.toml\nSettings; "
                    "$XDG_CONFIG_HOME is heeded.\n.TP\n.I ~/.local/share/magpie/library\nThe "
                    "default library; $XDG_DATA_HOME is heeded.\n.TP\n.I "
                    "~/.local/share/magpie/models\nModels.\n");
}

/* ---- docs/cli.md ---- */

/* One table cell: pipes would end it. */
static void cell(mp_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            mp_buf_str(out, "\\");
        mp_buf_add(out, text, 1);
    }
}

static void markdown_options(mp_buf *out, const mp_option *rows, size_t n, bool settings)
{
    if (n == 0)
        return;
    mp_buf_str(out, settings ? "| Setting | Environment | Default | |\n|---|---|---|---|\n"
                             : "| Option | |\n|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        char env[64];
        mp_buf help = {0};
        mp_buf_str(out, "| ");
        if (o->letter)
            mp_buf_printf(out, "`-%c`, ", o->letter);
        mp_buf_printf(out, "`--%s%s%s`", o->name, o->value ? " " : "", o->value ? o->value : "");
        if (settings) {
            mp_option_env(o, env, sizeof env);
            mp_buf_printf(out, " | `%s` | %s", env, o->fallback ? o->fallback : "");
        }
        mp_buf_str(out, " | ");
        mp_doc_option(o, !settings, &help);
        cell(out, help.p);
        mp_buf_free(&help);
        mp_buf_str(out, " |\n");
    }
    mp_buf_str(out, "\n");
}

static void markdown_about(mp_buf *out, const char *text)
{
    bool example = false;
    while (*text) {
        size_t n = strcspn(text, "\n");
        bool kept = *text == ' ';
        if (kept != example)
            mp_buf_str(out, kept ? "```sh\n" : "```\n\n");
        size_t skip = kept ? strspn(text, " ") : 0;
        mp_buf_add(out, text + skip, n - skip);
        mp_buf_str(out, kept ? "\n" : "\n\n");
        example = kept;
        text += n + (text[n] == '\n');
    }
    if (example)
        mp_buf_str(out, "```\n\n");
}

void mp_doc_markdown(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out,
               "# The command line\n\nMade by `magpie help --markdown` from the same tables as "
               "`--help`, the manual page and the completions; a test compares. The shapes of "
               "`--json` are in [json.md](json.md).\n\n| Command | |\n|---|---|\n");
    for (size_t i = 0; i < p->n_commands; i++) {
        const mp_command *c = p->commands[i];
        if (!c->hidden)
            mp_buf_printf(out, "| [`%s`](#%s) | %s |\n", c->name, c->name, c->summary);
    }
    mp_buf_str(out, "\n");
    for (size_t i = 0; i < p->n_commands; i++) {
        const mp_command *c = p->commands[i];
        if (c->hidden)
            continue;
        mp_buf_printf(out, "## %s\n\n```\n", c->name);
        for (const char *u = c->usage; *u;) {
            size_t n = strcspn(u, "\n");
            mp_buf_printf(out, "magpie %.*s\n", (int)n, u);
            u += n + (u[n] == '\n');
        }
        mp_buf_str(out, "```\n\n");
        markdown_about(out, c->about);
        markdown_options(out, c->options, c->n_options, false);
    }
    mp_buf_str(out, "## Options of every command\n\n");
    markdown_options(out, p->common.row, p->common.n, false);
    mp_buf_str(
        out, "## Settings\n\nA setting's value comes from the first of: its flag, its environment "
             "variable, for services (`serve`, `worker`, `embed`) the names that others use for "
             "it, the configuration file, its default. `magpie doctor` shows each with its "
             "source, `magpie serve --print-config` a service's options, too.\n\nThe file is "
             "`$XDG_CONFIG_HOME/magpie/magpie.toml` (`~/.config/magpie/magpie.toml`), or what "
             "`--config` names, in TOML 1.0 without dates and inline tables: settings stand at "
             "the top, a service's options in the table of its name (`[serve]`), an option that "
             "may be given often as an array. Names that are not known are errors. `magpie help "
             "--toml` prints one to fill in ([magpie.example.toml](../magpie.example.toml)).\n\n"
             "Each option of a service is also read from its variable: `--port` from "
             "`MAGPIE_PORT`; several values stand between commas.\n\n");
    markdown_options(out, mp_setting_rows, MP_SETTINGS, true);
    mp_buf_str(out, "## Exit codes\n\n| Code | |\n|---|---|\n");
    for (size_t i = 0; i < p->n_exits; i++)
        mp_buf_printf(out, "| %d | %s |\n", p->exits[i].code, p->exits[i].meaning);
}
