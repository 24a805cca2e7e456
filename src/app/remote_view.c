/* remote_view.c - see remote_view.h. */
#include "app/remote_view.h"

#include <stdlib.h>
#include <string.h>

static const json_t *member_of(const json_t *o, const char *name)
{
    char first[64];
    const char *dot = strchr(name, '.');
    if (!dot)
        return json_object_get(o, name);
    snprintf(first, sizeof first, "%.*s", (int)(dot - name), name);
    return json_object_get(json_object_get(o, first), dot + 1);
}

/* The caller frees. */
static char *words_of(const json_t *value)
{
    if (!value || json_is_null(value))
        return mp_xstrdup("");
    if (json_is_string(value))
        return mp_xstrdup(json_string_value(value));
    if (json_is_boolean(value))
        return mp_xstrdup(json_is_true(value) ? "yes" : "no");
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    return text ? text : mp_xstrdup("");
}

static void print_named(mp_app *app, const char *action, const char *name, json_t *value)
{
    json_t *o = app_json(app);
    json_object_set_new(o, "action", json_string(action));
    json_object_set_new(o, name, value);
    app_json_print(o);
}

void remote_show_list(mp_app *app, const char *action, const char *name, json_t *list,
                      const remote_column *columns, size_t n)
{
    column shapes[REMOTE_COLUMNS];
    const json_t *row;
    size_t i;
    if (app->json) {
        print_named(app, action, name, list);
        return;
    }
    for (i = 0; i < n; i++)
        shapes[i] = columns[i].shape;
    table *t = table_new(shapes, n);
    json_array_foreach(list, i, row)
    {
        for (size_t c = 0; c < n; c++) {
            char *text = words_of(member_of(row, columns[c].member));
            table_cell(t, PAINT_NONE, text);
            free(text);
        }
    }
    if (json_array_size(list))
        table_print(t, &app->out, 0);
    else
        app_note(app, PAINT_DIM, "no %s", name);
    table_free(t);
    json_decref(list);
}

static bool says_nothing(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_object(value) && !json_object_size(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

void remote_show_one(mp_app *app, const char *action, const char *name, json_t *object)
{
    static const column columns[] = {{"", false, false}, {"", false, false}};
    const char *member;
    json_t *value;
    if (app->json) {
        print_named(app, action, name, object);
        return;
    }
    table *t = table_new(columns, MP_COUNT(columns));
    json_object_foreach(object, member, value)
    {
        if (says_nothing(value))
            continue;
        char *text = words_of(value);
        table_cell(t, PAINT_DIM, member);
        table_cell(t, PAINT_NONE, text);
        free(text);
    }
    table_print(t, &app->out, 0);
    table_free(t);
    json_decref(object);
}

void remote_show_done(mp_app *app, const char *action, int64_t id, const char *words)
{
    if (app->json)
        print_named(app, action, "id", json_integer(id));
    else if (!app->quiet)
        printf("%s #%lld\n", words, (long long)id);
}

/* ---- actions ---- */

static int run(mp_app *app, const remote_action *a, size_t n)
{
    remote r;
    int64_t id = 0;
    if (n < a->least || n > a->most)
        return app_usage(app,
                         n < a->least ? "%s %s: something is missing behind it"
                                      : "%s %s: there is too much behind it",
                         app->command->name, a->word);
    if (a->wants_id && !app_parse_id(app_operand(app, 1), &id))
        return app_usage(app, "'%.100s' is not an id (a number such as 12)", app_operand(app, 1));
    int code = remote_open(&r, app);
    if (!code)
        code = a->run(&r, id);
    remote_close(&r);
    return code;
}

int remote_act(mp_app *app, const remote_action *actions, size_t n)
{
    const char *word = app_operand(app, 0);
    size_t operands = mp_args_operands(&app->args);
    if (!word)
        return run(app, &actions[0], 0);
    for (size_t i = 0; i < n; i++)
        if (strcmp(actions[i].word, word) == 0)
            return run(app, &actions[i], operands - 1);
    return app_usage(app, "%s does not know '%.60s'", app->command->name, word);
}
