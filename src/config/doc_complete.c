/* doc_complete.c - completions for bash, zsh and fish. */
#include "config/command.h"

#include <stdio.h>
#include <string.h>

static bool is_path(const mp_option *o)
{
    return o->type == MP_OPT_PATH;
}

/* The words that a value may be, "a|b"; NULL: there is no such list. */
static const char *words(const mp_option *o)
{
    return o->type == MP_OPT_SWITCH ? "yes|no" : o->choices;
}

static void words_of(mp_buf *out, const char *choices)
{
    for (; *choices; choices++)
        mp_buf_add(out, *choices == '|' ? " " : choices, 1);
}

/* ---- bash ---- */

static void bash_names(mp_buf *out, const mp_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mp_buf_printf(out, " --%s", rows[i].name);
        if (rows[i].letter)
            mp_buf_printf(out, " -%c", rows[i].letter);
    }
}

/* A case row for an option whose value completes: files, or one of its choices. Names may mean
 * different things to different commands, so the command is part of the pattern. */
static void bash_values(mp_buf *out, const char *command, const mp_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        if (!mp_option_takes_value(o))
            continue;
        mp_buf_printf(out, "    %s:--%s", command, o->name);
        if (o->letter)
            mp_buf_printf(out, "|%s:-%c", command, o->letter);
        mp_buf_str(out, ")\n        ");
        if (is_path(o)) {
            mp_buf_str(out, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
        } else if (words(o)) {
            mp_buf_str(out, "COMPREPLY=($(compgen -W '");
            words_of(out, words(o));
            mp_buf_str(out, "' -- \"$cur\"))");
        } else {
            mp_buf_str(out, "COMPREPLY=()");
        }
        mp_buf_str(out, "\n        return ;;\n");
    }
}

static void bash_command(mp_buf *out, const mp_command *c)
{
    mp_buf_printf(out, "    %s)\n        options='", c->name);
    bash_names(out, c->options, c->n_options);
    mp_buf_printf(out, "'\n        words='%s'\n        files=%s ;;\n", c->words ? c->words : "",
                  c->operand == MP_OPERAND_FILES ? "yes" : "no");
}

void mp_doc_bash(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out, "# bash completion for magpie; made by `magpie help --completion bash`\n"
                    "_magpie()\n{\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "    local command='' options='' words='' files=no i\n"
                    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "        case ${COMP_WORDS[i]} in\n        ");
    for (size_t i = 0; i < p->n_commands; i++)
        mp_buf_printf(out, "%s%s", i ? "|" : "", p->commands[i]->name);
    mp_buf_str(out, ") command=${COMP_WORDS[i]}; break ;;\n        esac\n    done\n"
                    "    case $command:$prev in\n");
    for (size_t i = 0; i < p->n_commands; i++)
        bash_values(out, p->commands[i]->name, p->commands[i]->options, p->commands[i]->n_options);
    bash_values(out, "*", mp_setting_rows, MP_SETTINGS);
    bash_values(out, "*", p->common.row, p->common.n);
    mp_buf_str(out, "    esac\n    case $command in\n    '')\n        words='");
    for (size_t i = 0; i < p->n_commands; i++)
        if (!p->commands[i]->hidden)
            mp_buf_printf(out, "%s%s", i ? " " : "", p->commands[i]->name);
    mp_buf_str(out, "' ;;\n");
    for (size_t i = 0; i < p->n_commands; i++)
        bash_command(out, p->commands[i]);
    mp_buf_str(out, "    esac\n    if [[ $cur == -* ]]; then\n        options+='");
    bash_names(out, p->common.row, p->common.n);
    bash_names(out, mp_setting_rows, MP_SETTINGS);
    mp_buf_str(out, "'\n        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                    "        return\n    fi\n"
                    "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                    "    if [[ $files == yes ]]; then\n        compopt -o filenames\n"
                    "        COMPREPLY+=($(compgen -f -- \"$cur\"))\n    fi\n}\n"
                    "complete -F _magpie magpie\n");
}

/* ---- zsh ---- */

/* Inside single quotes and an _arguments spec. */
static void zsh_text(mp_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            mp_buf_str(out, "'\\''");
        else if (strchr("[]:\\", *text))
            mp_buf_printf(out, "\\%c", *text);
        else
            mp_buf_add(out, text, 1);
    }
}

static void zsh_value(mp_buf *out, const mp_option *o)
{
    if (!mp_option_takes_value(o))
        return;
    mp_buf_printf(out, ":%s:", o->value ? o->value : "value");
    if (is_path(o))
        mp_buf_str(out, "_files");
    else if (words(o)) {
        mp_buf_str(out, "(");
        words_of(out, words(o));
        mp_buf_str(out, ")");
    }
}

static void zsh_options(mp_buf *out, const mp_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        for (int letter = 0; letter < (o->letter ? 2 : 1); letter++) {
            mp_buf_str(out, "        '*");
            if (letter)
                mp_buf_printf(out, "-%c", o->letter);
            else
                mp_buf_printf(out, "--%s", o->name);
            mp_buf_str(out, "[");
            zsh_text(out, o->help);
            mp_buf_str(out, "]");
            zsh_value(out, o);
            mp_buf_str(out, "' \\\n");
        }
    }
}

static void zsh_command(mp_buf *out, const mp_command *c)
{
    mp_buf_printf(out, "    %s)\n        _arguments \\\n", c->name);
    zsh_options(out, c->options, c->n_options);
    if (c->words)
        mp_buf_printf(out, "        '1:what:(%s)' \\\n", c->words);
    mp_buf_printf(out, "        '*:operand:%s' \\\n",
                  c->operand == MP_OPERAND_FILES ? "_files" : "");
    mp_buf_str(out, "        $every ;;\n");
}

void mp_doc_zsh(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out, "#compdef magpie\n# made by `magpie help --completion zsh`\n"
                    "_magpie() {\n    local -a commands every\n    commands=(\n");
    for (size_t i = 0; i < p->n_commands; i++) {
        if (p->commands[i]->hidden)
            continue;
        mp_buf_printf(out, "        '%s:", p->commands[i]->name);
        zsh_text(out, p->commands[i]->summary);
        mp_buf_str(out, "'\n");
    }
    mp_buf_str(out, "    )\n    every=(\n");
    mp_buf every = {0};
    zsh_options(&every, p->common.row, p->common.n);
    zsh_options(&every, mp_setting_rows, MP_SETTINGS);
    for (size_t i = 0; i < every.n; i++) /* an array needs no line continuations */
        if (!(every.p[i] == '\\' && i + 1 < every.n && every.p[i + 1] == '\n'))
            mp_buf_add(out, &every.p[i], 1);
    mp_buf_free(&every);
    mp_buf_str(out, "    )\n    if (( CURRENT == 2 )); then\n"
                    "        _describe command commands\n        return\n    fi\n"
                    "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
                    "    case $command in\n");
    for (size_t i = 0; i < p->n_commands; i++)
        if (!p->commands[i]->hidden)
            zsh_command(out, p->commands[i]);
    mp_buf_str(out, "    esac\n}\n"
                    "if [[ $funcstack[1] == _magpie ]]; then _magpie \"$@\"; else compdef _magpie "
                    "magpie; fi\n");
}

/* ---- fish ---- */

static void fish_text(mp_buf *out, const char *text)
{
    mp_buf_str(out, "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            mp_buf_str(out, "\\");
        mp_buf_add(out, text, 1);
    }
    mp_buf_str(out, "'");
}

static void fish_options(mp_buf *out, const char *condition, const mp_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const mp_option *o = &rows[i];
        mp_buf_printf(out, "complete -c magpie%s -l %s", condition, o->name);
        if (o->letter)
            mp_buf_printf(out, " -s %c", o->letter);
        if (mp_option_takes_value(o))
            mp_buf_str(out, is_path(o) ? " -r -F" : " -x");
        if (words(o)) {
            mp_buf_str(out, " -a '");
            words_of(out, words(o));
            mp_buf_str(out, "'");
        }
        mp_buf_str(out, " -d ");
        fish_text(out, o->help);
        mp_buf_str(out, "\n");
    }
}

static void fish_command(mp_buf *out, const mp_command *c)
{
    char condition[96];
    mp_buf_printf(out, "complete -c magpie -n __fish_use_subcommand -a %s -d ", c->name);
    fish_text(out, c->summary);
    mp_buf_str(out, "\n");
    snprintf(condition, sizeof condition, " -n '__fish_seen_subcommand_from %s'", c->name);
    fish_options(out, condition, c->options, c->n_options);
    if (c->words)
        mp_buf_printf(out, "complete -c magpie%s -a '%s'\n", condition, c->words);
    if (c->operand == MP_OPERAND_FILES)
        mp_buf_printf(out, "complete -c magpie%s -F\n", condition);
}

void mp_doc_fish(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out, "# fish completion for magpie; made by `magpie help --completion fish`\n"
                    "complete -c magpie -f\n");
    fish_options(out, "", p->common.row, p->common.n);
    fish_options(out, "", mp_setting_rows, MP_SETTINGS);
    for (size_t i = 0; i < p->n_commands; i++)
        if (!p->commands[i]->hidden)
            fish_command(out, p->commands[i]);
}
