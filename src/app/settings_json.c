/* settings_json.c - see print_config.h. */
#include "app/print_config.h"

#include <stdlib.h>

static const char HIDDEN[] = "***";

static json_t *row(const mp_option *o, json_t *value, bool secret, mp_value_source from,
                   const char *source)
{
    static const char *const origins[] = {[MP_FROM_DEFAULT] = "default",
                                          [MP_FROM_FILE] = "file",
                                          [MP_FROM_ALIAS] = "environment",
                                          [MP_FROM_ENV] = "environment",
                                          [MP_FROM_FLAG] = "option"};
    char env[128];
    mp_option_env(o, env, sizeof env);
    return json_pack("{s:s, s:o, s:b, s:s, s:o, s:s, s:o, s:s}", "name", o->name, "value", value,
                     "secret", (int)secret, "origin", origins[from.origin], "source",
                     json_text(source), "environment", env, "default",
                     o->fallback ? json_text(o->fallback) : json_null(), "help", o->help);
}

static json_t *shown(const mp_option *o, const char *text)
{
    return json_text(mp_option_may_show(o, text) ? text : HIDDEN);
}

static json_t *setting_row(const mp_settings *s, mp_setting which)
{
    const mp_option *o = &mp_setting_rows[which];
    const char *text = s->value[which].text;
    char source[128];
    mp_settings_origin(s, which, source, sizeof source);
    return row(o, text ? shown(o, text) : json_null(), o->secret, s->source[which], source);
}

/* The option's text, or the texts of one that takes many. */
static json_t *option_row(const mp_app *app, const mp_option *o)
{
    json_t *value = o->many                  ? json_array()
                    : o->type == MP_OPT_FLAG ? json_string("no")
                                             : json_null();
    mp_value_source from = {.origin = MP_FROM_DEFAULT};
    char source[128] = "default";
    for (size_t i = 0; i < app->args.n; i++) {
        const mp_arg *a = &app->args.arg[i];
        if (a->option != o)
            continue;
        from = a->source;
        mp_settings_source(&app->settings, o, from, source, sizeof source);
        const char *text = a->value.text ? a->value.text : a->value.flag ? "yes" : "no";
        if (o->many) {
            json_array_append_new(value, shown(o, text));
        } else {
            json_decref(value);
            value = shown(o, text);
        }
    }
    return row(o, value, o->secret, from, source);
}

char *settings_json(const mp_app *app)
{
    const mp_command *c = app->command;
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_options; i++)
        if (!c->options[i].flag_only)
            json_array_append_new(list, option_row(app, &c->options[i]));
    for (int i = 0; i < MP_SETTINGS; i++)
        json_array_append_new(list, setting_row(&app->settings, (mp_setting)i));
    json_t *o = json_pack("{s:o, s:o}", "file",
                          app->settings.file_read ? json_text(app->settings.file) : json_null(),
                          "settings", list);
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}
