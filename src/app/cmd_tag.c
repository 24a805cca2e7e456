/* cmd_tag.c - tags, titles and descriptions. */
#include "app/commands.h"

#include <stdlib.h>

static const mp_option rows[] = {
    OPTION_WHERE,
    {.name = "title",
     .type = MP_OPT_TEXT,
     .value = "TEXT",
     .help = "Set the title ('' removes it); text search reads it."},
    {.name = "description", .type = MP_OPT_TEXT, .value = "TEXT", .help = "Set the description."},
};

typedef struct change {
    int64_t *ids;
    const char **add, **remove;
    size_t n, n_add, n_remove;
} change;

static int sort_operands(mp_app *app, change *c)
{
    size_t operands = mp_args_operands(&app->args);
    c->ids = mp_xcalloc(operands + 1, sizeof *c->ids);
    c->add = mp_xcalloc(operands + 1, sizeof *c->add);
    c->remove = mp_xcalloc(operands + 1, sizeof *c->remove);
    for (size_t i = 0; i < operands; i++) {
        const char *word = app_operand(app, i);
        if (*word == '+')
            c->add[c->n_add++] = word + 1;
        else if (*word == '-')
            c->remove[c->n_remove++] = word + 1;
        else if (app_parse_id(word, &c->ids[c->n]))
            c->n++;
        else
            return app_usage(app, "'%.100s' is neither an id nor +TAG nor -TAG", word);
    }
    return EXIT_DONE;
}

static int check(mp_app *app, const change *c)
{
    const char *where = mp_args_text(&app->args, "where", NULL);
    bool words = mp_args_get(&app->args, "title") || mp_args_get(&app->args, "description");
    if (where ? c->n > 0 : c->n == 0)
        return app_usage(app, where ? "give ids or --where, not both"
                                    : "tag which? Give ids or --where FILTER");
    if (!c->n_add && !c->n_remove && !words)
        return app_usage(app, "change what? Give +TAG, -TAG, --title or --description");
    return EXIT_DONE;
}

static json_t *texts(const char **list, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_text(list[i]));
    return a;
}

static int apply(mp_app *app, const change *c)
{
    magpie_why why = {0};
    magpie_err err = MAGPIE_OK;
    const char *title = mp_args_text(&app->args, "title", NULL);
    const char *description = mp_args_text(&app->args, "description", NULL);
    if (c->n && (c->n_add || c->n_remove))
        err =
            magpie_tag(app->library, c->ids, c->n, c->add, c->n_add, c->remove, c->n_remove, &why);
    for (size_t i = 0; !err && (title || description) && i < c->n; i++)
        err = magpie_describe(app->library, c->ids[i], title, description, &why);
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "items", json_integer((json_int_t)c->n));
        json_object_set_new(o, "added", texts(c->add, c->n_add));
        json_object_set_new(o, "removed", texts(c->remove, c->n_remove));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("changed %zu %s\n", c->n, text_plural(c->n, "picture", "pictures"));
    }
    return EXIT_DONE;
}

static int run(mp_app *app)
{
    change c = {0};
    const char *where = mp_args_text(&app->args, "where", NULL);
    int code = sort_operands(app, &c);
    if (!code)
        code = check(app, &c);
    if (!code)
        code = app_open(app, APP_WRITE);
    if (!code && where) {
        free(c.ids);
        c.ids = NULL;
        code = app_ids_where(app, where, &c.ids, &c.n);
    }
    if (!code)
        code = apply(app, &c);
    free(c.ids);
    free(c.add);
    free(c.remove);
    return code;
}

const mp_command command_tag = {
    .name = "tag",
    .summary = "Add and remove tags, set titles and descriptions",
    .usage =
        "tag ID... [+TAG...] [-TAG...] [--title TEXT] [--description TEXT]\ntag --where FILTER "
        "+TAG... [-TAG...]",
    .about = "Adds +TAG and removes -TAG; short options stand before the first id. All items are "
             "changed or none.\n"
             "  magpie tag 12 13 +holiday -draft\n"
             "  magpie tag --where 'folder:rome' +italy\n"
             "  magpie tag 12 --title 'The old bridge'",
    OPTIONS_OF(rows),
    .dash_operands = true,
    .run = run,
};
