/* doc_files.c - files to fill in, .env.example and magpie.example.toml, and what holds for a
 * service as such a file. */
#include "config/command.h"
#include "config/toml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMENT_WIDTH = 98 };

/* A text of comments in lines. */
static void comment(mp_buf *out, const char *text)
{
    while (*text) {
        size_t n = strlen(text);
        if (n > COMMENT_WIDTH) {
            for (n = COMMENT_WIDTH; n > 0 && text[n] != ' ';)
                n--;
            n = n ? n : strcspn(text, " ");
        }
        mp_buf_printf(out, "# %.*s\n", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

static void explain(const mp_option *o, mp_buf *out)
{
    mp_buf text = {0};
    mp_doc_option(o, false, &text);
    comment(out, text.p);
    mp_buf_free(&text);
}

/* ---- .env.example ---- */

/* The services that have an option of this name, as "serve, worker". */
static void services_of(const mp_program *p, const char *name, mp_buf *out)
{
    for (size_t i = 0; i < p->n_commands; i++) {
        const mp_command *c = p->commands[i];
        for (size_t j = 0; c->configured && j < c->n_options; j++)
            if (strcmp(c->options[j].name, name) == 0)
                mp_buf_printf(out, "%s%s", out->n ? ", " : "", c->name);
    }
}

static bool is_first(const mp_program *p, const mp_command *of, const char *name)
{
    for (size_t i = 0; p->commands[i] != of; i++)
        for (size_t j = 0; p->commands[i]->configured && j < p->commands[i]->n_options; j++)
            if (strcmp(p->commands[i]->options[j].name, name) == 0)
                return false;
    return true;
}

static void env_row(const mp_option *o, const char *services, mp_buf *out)
{
    char env[64];
    mp_option_env(o, env, sizeof env);
    mp_buf_str(out, "\n");
    if (services)
        mp_buf_printf(out, "# %s:\n", services);
    explain(o, out);
    mp_buf_printf(out, "#%s=%s\n", env, o->fallback && !o->secret ? o->fallback : "");
}

void mp_doc_env(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out, "# Settings of magpie in the environment, and below them the options of its "
                    "services.\n# A flag goes before, a line in magpie.toml after. Made by `magpie "
                    "help --env`.\n");
    for (size_t i = 0; i < MP_SETTINGS; i++)
        env_row(&mp_setting_rows[i], NULL, out);
    for (size_t i = 0; i < p->n_commands; i++) {
        const mp_command *c = p->commands[i];
        for (size_t j = 0; c->configured && j < c->n_options; j++) {
            mp_buf services = {0};
            if (c->options[j].flag_only || !is_first(p, c, c->options[j].name))
                continue;
            services_of(p, c->options[j].name, &services);
            env_row(&c->options[j], services.p, out);
            mp_buf_free(&services);
        }
    }
}

/* ---- TOML ---- */

/* A value as TOML has it; false: it cannot be said there. */
static bool toml_value(const mp_option *o, const mp_value *v, mp_buf *out)
{
    if (mp_option_is_switch(o)) {
        mp_buf_str(out, v->flag ? "true" : "false");
    } else if (o->type == MP_OPT_INT) {
        mp_buf_printf(out, "%lld", (long long)v->integer);
    } else if (o->type == MP_OPT_NUMBER && v->number == floor(v->number) &&
               fabs(v->number) < 1e15) {
        mp_buf_printf(out, "%.0f", v->number);
    } else if (o->type == MP_OPT_NUMBER) {
        char text[40];
        snprintf(text, sizeof text, "%.15g", v->number);
        if (strtod(text, NULL) != v->number)
            snprintf(text, sizeof text, "%.17g", v->number);
        mp_buf_str(out, text);
    } else {
        return mp_toml_quote(out, v->text);
    }
    return true;
}

static void example_row(const mp_option *o, mp_buf *out)
{
    mp_value v = {.text = ""};
    mp_buf_str(out, "\n");
    explain(o, out);
    mp_buf_printf(out, "#%s = ", o->name);
    if (o->fallback)
        (void)!mp_option_parse(o, o->fallback, &v, NULL);
    if (o->many)
        mp_buf_str(out, "[]");
    else
        (void)toml_value(o, &v, out);
    mp_buf_str(out, "\n");
}

void mp_doc_toml(const mp_program *p, mp_buf *out)
{
    mp_buf_str(out,
               "# magpie.toml: settings of magpie, and the options of its services in tables of "
               "their own.\n# It lies in ~/.config/magpie ($XDG_CONFIG_HOME/magpie), or where "
               "--config says. Variables of the\n# environment and flags go before. Here all "
               "that can be set stands with its default; made by\n# `magpie help --toml`.\n");
    for (size_t i = 0; i < MP_SETTINGS; i++)
        example_row(&mp_setting_rows[i], out);
    for (size_t i = 0; i < p->n_commands; i++) {
        const mp_command *c = p->commands[i];
        if (!c->configured)
            continue;
        mp_buf_printf(out, "\n[%s]\n", c->name);
        for (size_t j = 0; j < c->n_options; j++)
            if (!c->options[j].flag_only)
                example_row(&c->options[j], out);
    }
}

/* ---- what holds ---- */

/* One line: the value and where it comes from; in place of one that is not to be shown, or cannot
 * be, that it is there. */
static void effective(const mp_option *o, const mp_buf *value, bool shown, const char *from,
                      mp_buf *out)
{
    if (shown)
        mp_buf_printf(out, "%s = %s  # %s\n", o->name, value->p, from);
    else
        mp_buf_printf(out, "# %s is set (hidden), from %s\n", o->name, from);
}

/* The last occurrence of an option, or all as an array. */
static void effective_option(const mp_settings *s, const mp_args *args, const mp_option *o,
                             mp_buf *out)
{
    char from[128] = "default";
    mp_buf value = {0};
    bool any = o->many || mp_option_is_switch(o), shown = true;
    mp_buf_str(&value, o->many ? "[" : "");
    for (size_t i = 0; i < args->n; i++) {
        const mp_arg *a = &args->arg[i];
        if (a->option != o || (!o->many && &a->value != mp_args_get(args, o->name)))
            continue;
        mp_buf_str(&value, value.n > 1 ? ", " : "");
        shown = shown && mp_option_may_show(o, a->value.text) && toml_value(o, &a->value, &value);
        mp_settings_source(s, o, a->source, from, sizeof from);
        any = true;
    }
    if (value.n == 0)
        mp_buf_str(&value, "false"); /* a flag that was not given */
    mp_buf_str(&value, o->many ? "]" : "");
    if (any)
        effective(o, &value, shown, from, out);
    else
        mp_buf_printf(out, "# %s is not set\n", o->name);
    mp_buf_free(&value);
}

static void effective_setting(const mp_settings *s, mp_setting which, mp_buf *out)
{
    const mp_option *o = &mp_setting_rows[which];
    const mp_value *v = &s->value[which];
    char from[128];
    mp_buf value = {0};
    mp_settings_origin(s, which, from, sizeof from);
    if (v->text)
        effective(o, &value, mp_option_may_show(o, v->text) && toml_value(o, v, &value), from, out);
    else
        mp_buf_printf(out, "# %s is not set\n", o->name);
    mp_buf_free(&value);
}

void mp_doc_effective(const mp_settings *s, const mp_args *args, const mp_command *c, mp_buf *out)
{
    mp_buf_printf(out, "# What holds for magpie %s, and where it comes from.\n", c->name);
    for (int i = 0; i < MP_SETTINGS; i++)
        effective_setting(s, (mp_setting)i, out);
    mp_buf_printf(out, "\n[%s]\n", c->name);
    for (size_t i = 0; i < c->n_options; i++)
        if (!c->options[i].flag_only)
            effective_option(s, args, &c->options[i], out);
}
