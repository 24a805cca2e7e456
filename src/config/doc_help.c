/* doc_help.c - what --help says. */
#include "config/command.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMN = 26, MIN_WIDTH = 60, MAX_WIDTH = 100 };

static const char *nth_command(const void *program, size_t i)
{
    const mp_program *p = program;
    return i < p->n_commands ? p->commands[i]->name : NULL;
}

const mp_command *mp_program_find(const mp_program *p, const char *name)
{
    for (size_t i = 0; i < p->n_commands; i++)
        if (strcmp(p->commands[i]->name, name) == 0)
            return p->commands[i];
    return NULL;
}

const char *mp_program_suggest(const mp_program *p, const char *word)
{
    return mp_suggest(word, nth_command, p);
}

void mp_doc_wrap(mp_buf *out, const char *text, int indent, int width)
{
    int column = indent;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > indent && column + 1 + (int)n > width) {
            mp_buf_printf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            mp_buf_str(out, " ");
            column++;
        }
        mp_buf_add(out, text, n);
        column += (int)n;
        text += n + strspn(text + n, " ");
    }
    mp_buf_str(out, "\n");
}

static void paragraphs(mp_buf *out, const char *text, int width)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[2048];
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        if (*line == ' ')
            mp_buf_printf(out, "%s\n", line);
        else
            mp_doc_wrap(out, line, 0, width);
        text += n + (text[n] == '\n');
    }
}

void mp_doc_option(const mp_option *o, bool fallback, mp_buf *out)
{
    char range[160];
    mp_option_range(o, range, sizeof range);
    mp_buf_str(out, o->help);
    if (o->choices)
        mp_buf_printf(out, " One of %s.", o->choices);
    else if (*range && mp_option_takes_value(o) && (o->type != MP_OPT_INT || o->max < 1e12))
        mp_buf_printf(out, " Allowed: %s.", range);
    if (fallback && o->fallback && !strstr(o->help, "default"))
        mp_buf_printf(out, " Default: %s.", o->fallback);
    for (size_t i = 0; i < MP_ALIASES && o->alias[i].name; i++)
        mp_buf_printf(out, "%s%s%s%s", i ? ", " : " Services also read ", o->alias[i].name,
                      o->alias[i].path ? " with the path " : "",
                      o->alias[i].path ? o->alias[i].path : "");
    if (o->alias[0].name)
        mp_buf_str(out, ".");
}

static void option_rows(mp_buf *out, const mp_option *rows, size_t n, int width)
{
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        char left[80];
        mp_buf help = {0};
        char letter[5] = "    ";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        mp_doc_option(o, true, &help);
        mp_buf_printf(out, "%-*s", OPTION_COLUMN, left);
        if (strlen(left) >= OPTION_COLUMN)
            mp_buf_printf(out, "\n%*s", OPTION_COLUMN, "");
        mp_doc_wrap(out, help.p, OPTION_COLUMN, width);
        mp_buf_free(&help);
    }
}

static void usage_lines(mp_buf *out, const char *usage)
{
    const char *lead = "Usage: ";
    while (*usage) {
        size_t n = strcspn(usage, "\n");
        mp_buf_printf(out, "%smagpie %.*s\n", lead, (int)n, usage);
        lead = "       ";
        usage += n + (usage[n] == '\n');
    }
}

static int sane(int width)
{
    return MP_MIN(MP_MAX(width, MIN_WIDTH), MAX_WIDTH);
}

void mp_doc_short(const mp_program *p, mp_buf *out)
{
    mp_buf_printf(out, "%s\n\n", p->tagline);
    mp_buf_printf(out, "%s\n", p->tour);
    mp_buf_str(out, "More: magpie help            all commands\n"
                    "      magpie help search     one command\n");
}

void mp_doc_overview(const mp_program *p, int width, mp_buf *out)
{
    width = sane(width);
    mp_buf_printf(out, "Usage: magpie COMMAND [OPTION...] [OPERAND...]\n\n%s\n\nCommands:\n",
                  p->tagline);
    for (size_t i = 0; i < p->n_commands; i++) {
        if (p->commands[i]->hidden)
            continue;
        mp_buf_printf(out, "  %-10s ", p->commands[i]->name);
        mp_doc_wrap(out, p->commands[i]->summary, 13, width);
    }
    mp_buf_str(out, "\nEvery command takes:\n");
    option_rows(out, p->common.row, p->common.n, width);
    mp_buf_str(out, "\n");
    mp_doc_wrap(
        out,
        "Settings (each also as MAGPIE_NAME in the environment and as a line `name = value` "
        "in ~/.config/magpie/magpie.toml; `magpie doctor` shows them all):",
        0, width);
    option_rows(out, mp_setting_rows, MP_SETTINGS, width);
    mp_buf_str(out, "\nExit codes:\n");
    for (size_t i = 0; i < p->n_exits; i++) {
        mp_buf_printf(out, "  %3d  ", p->exits[i].code);
        mp_doc_wrap(out, p->exits[i].meaning, 7, width);
    }
}

void mp_doc_command(const mp_program *p, const mp_command *c, int width, mp_buf *out)
{
    width = sane(width);
    usage_lines(out, c->usage);
    mp_buf_str(out, "\n");
    paragraphs(out, c->about, width);
    if (c->n_options) {
        mp_buf_str(out, "\nOptions:\n");
        option_rows(out, c->options, c->n_options, width);
    }
    if (c->configured) {
        char text[300];
        snprintf(
            text, sizeof text,
            "Each of these can also be given as MAGPIE_NAME in the environment (several values "
            "between commas), and in the table [%s] of ~/.config/magpie/magpie.toml; `magpie "
            "help --toml` prints one to fill in.",
            c->name);
        mp_buf_str(out, "\n");
        mp_doc_wrap(out, text, 0, width);
    }
    mp_buf_str(out, "\nEvery command takes:\n");
    option_rows(out, p->common.row, p->common.n, width);
    mp_buf_str(out, "Settings such as --library DIR and --threads N: see magpie help.\n");
}
