/* settings.c - which source wins. See settings.h. */
#include "config/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *process_env(const char *name)
{
    return getenv(name);
}

/* ---- taking values ---- */

static bool is_setting(const mp_option *o)
{
    return o >= mp_setting_rows && o < mp_setting_rows + MP_SETTINGS;
}

bool mp_loader_has(const mp_loader *l, const mp_option *o)
{
    if (is_setting(o))
        return l->s->value[o - mp_setting_rows].text != NULL;
    return mp_args_get(l->from->args, o->name) != NULL;
}

mp_err mp_loader_take(mp_loader *l, const mp_option *o, const char *const *texts, size_t n,
                      mp_value_source source, bool wanted, mp_why *why)
{
    wanted = wanted && !mp_loader_has(l, o);
    for (size_t i = 0; i < n; i++) {
        mp_value value;
        mp_err err = mp_option_parse(o, texts[i], &value, why);
        if (err)
            return err;
        if (wanted && is_setting(o)) {
            l->s->value[o - mp_setting_rows] = value;
            l->s->source[o - mp_setting_rows] = source;
        } else if (wanted) {
            mp_args_add(l->from->args, o, value, source);
        }
    }
    return MP_OK;
}

mp_option_table mp_loader_options(const mp_loader *l)
{
    const mp_command *c = l->from->command;
    return c && c->configured && l->from->args ? (mp_option_table){c->options, c->n_options}
                                               : (mp_option_table){0};
}

static void take_flags(mp_loader *l)
{
    const mp_args *args = l->from->args;
    for (size_t i = 0; args && i < args->n; i++) {
        const mp_arg *arg = &args->arg[i];
        if (!arg->option || !is_setting(arg->option))
            continue;
        l->s->value[arg->option - mp_setting_rows] = arg->value; /* checked when it was parsed */
        l->s->source[arg->option - mp_setting_rows] = arg->source;
    }
}

static mp_err take_defaults(mp_loader *l, mp_option_table t, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < t.n; i++)
        if (t.row[i].fallback)
            err = mp_loader_take(l, &t.row[i], &t.row[i].fallback, 1, (mp_value_source){0}, true,
                                 why);
    return err;
}

mp_err mp_settings_load(mp_settings *out, const mp_settings_sources *from, mp_why *why)
{
    mp_loader l = {.s = out, .from = from, .env = from->env ? from->env : process_env, .why = why};
    *out = (mp_settings){.arena = mp_arena_new(4 * MP_CONFIG_BYTES)};
    take_flags(&l);
    mp_err err = mp_loader_env(&l);
    if (!err)
        err = mp_loader_file(&l);
    /* After a failure, too: doctor goes on. */
    mp_err bad = take_defaults(&l, (mp_option_table){mp_setting_rows, MP_SETTINGS}, why);
    if (!bad)
        bad = take_defaults(&l, mp_loader_options(&l), why);
    return err ? err : bad;
}

void mp_settings_free(mp_settings *s)
{
    mp_arena_free(s->arena);
    *s = (mp_settings){0};
}

/* ---- what they are ---- */

const char *mp_settings_text(const mp_settings *s, mp_setting which)
{
    return s->value[which].text;
}

int64_t mp_settings_int(const mp_settings *s, mp_setting which)
{
    return s->value[which].integer;
}

void mp_settings_source(const mp_settings *s, const mp_option *o, mp_value_source from, char *out,
                        size_t cap)
{
    const char *slash = strrchr(s->file, '/');
    switch (from.origin) {
    case MP_FROM_FLAG:
        snprintf(out, cap, "flag");
        break;
    case MP_FROM_ENV:
        mp_option_env(o, out, cap);
        break;
    case MP_FROM_ALIAS:
        snprintf(out, cap, "%s", from.alias);
        break;
    case MP_FROM_FILE:
        snprintf(out, cap, "%s:%d", slash ? slash + 1 : s->file, from.line);
        for (char *p = out; *p; p++) /* the name of a file can have anything in it */
            *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
        break;
    case MP_FROM_DEFAULT:
        snprintf(out, cap, "default");
        break;
    }
}

void mp_settings_origin(const mp_settings *s, mp_setting which, char *out, size_t cap)
{
    mp_settings_source(s, &mp_setting_rows[which], s->source[which], out, cap);
}

const char *mp_settings_shown(const mp_settings *s, mp_setting which)
{
    const char *text = s->value[which].text;
    if (!text)
        return "";
    return mp_option_may_show(&mp_setting_rows[which], text) ? text : "(hidden)";
}
