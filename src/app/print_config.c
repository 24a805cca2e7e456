/* print_config.c - see print_config.h. */
#include "app/print_config.h"

static json_t *row(const char *name, json_t *value, const char *source, bool hidden)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(name));
    json_object_set_new(o, "value", value);
    json_object_set_new(o, "source", json_text(source));
    json_object_set_new(o, "hidden", json_boolean(hidden));
    return o;
}

static json_t *settings(const mp_settings *s)
{
    json_t *list = json_array();
    char source[128];
    for (int i = 0; i < MP_SETTINGS; i++) {
        const char *text = s->value[i].text;
        bool hidden = text && !mp_option_may_show(&mp_setting_rows[i], text);
        mp_settings_origin(s, (mp_setting)i, source, sizeof source);
        json_array_append_new(list,
                              row(mp_setting_rows[i].name,
                                  text && !hidden ? json_text(text) : json_null(), source, hidden));
    }
    return list;
}

/* The text of an option, or the texts of one that takes many. */
static json_t *option(const mp_app *app, const mp_option *o)
{
    json_t *value = o->many ? json_array() : json_null();
    char source[128] = "default";
    bool hidden = false;
    for (size_t i = 0; i < app->args.n; i++) {
        const mp_arg *a = &app->args.arg[i];
        if (a->option != o)
            continue;
        mp_settings_source(&app->settings, o, a->source, source, sizeof source);
        bool shown = mp_option_may_show(o, a->value.text);
        hidden = hidden || !shown;
        if (shown && o->many) {
            json_array_append_new(value, json_text(a->value.text));
        } else if (!o->many) {
            json_decref(value);
            value = shown ? json_text(a->value.text) : json_null();
        }
    }
    return row(o->name, value, source, hidden);
}

static void print_json(const mp_app *app)
{
    const mp_command *c = app->command;
    json_t *o = app_json(app), *options = json_array();
    for (size_t i = 0; i < c->n_options; i++)
        if (!c->options[i].flag_only)
            json_array_append_new(options, option(app, &c->options[i]));
    json_object_set_new(o, "file",
                        app->settings.file_read ? json_text(app->settings.file) : json_null());
    json_object_set_new(o, "settings", settings(&app->settings));
    json_object_set_new(o, "options", options);
    app_json_print(o);
}

int print_config(mp_app *app)
{
    mp_buf b = {0};
    if (app->json) {
        print_json(app);
        return EXIT_DONE;
    }
    mp_doc_effective(&app->settings, &app->args, app->command, &b);
    fputs(b.p, stdout);
    mp_buf_free(&b);
    return EXIT_DONE;
}
