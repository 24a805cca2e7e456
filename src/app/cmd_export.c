/* cmd_export.c - vectors for other programs. */
#include "app/commands.h"
#include "app/outfile.h"
#include "app/remote.h"
#include "app/remote_export.h"
#include "app/stop.h"

#include "base/os.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, NPY_HEADER = 128 };

static const mp_option rows[] = {
    {.name = "format",
     .letter = 'f',
     .type = MP_OPT_CHOICE,
     .value = "KIND",
     .choices = "npy|json|csv",
     .fallback = "npy",
     .help = "npy: a folder with vectors.npy (float32, one row per picture), ids.npy (int64) and "
             "manifest.json; json and csv: one file, - for standard output."},
    OPTION_WHERE,
    {.name = "output",
     .letter = 'o',
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "The same as TO."},
    OPTION_PROJECT("From a service: this project's pictures."),
    {.name = "manifest",
     .type = MP_OPT_TEXT,
     .value = "KINDS",
     .help = "From a service: lists of the pictures, of json,csv,coco."},
    {.name = "vectors", .type = MP_OPT_FLAG, .help = "From a service: also the vectors."},
};

typedef struct exporter {
    mp_app *app;
    const char *to, *format;
    magpie_stats stats;
    outfile vectors, ids; /* npy; json and csv write to `vectors` */
    json_t *manifest;     /* npy: the rows' items */
    size_t rows;
    int dims;
    mp_why why;
} exporter;

/* ---- npy: NumPy's format 1.0 ---- */

/* Written over when the number of rows is known; always of one size. */
static void npy_header(FILE *to, const char *type, size_t n, int columns)
{
    char text[NPY_HEADER + 1], shape[64];
    if (columns)
        snprintf(shape, sizeof shape, "(%zu, %d)", n, columns);
    else
        snprintf(shape, sizeof shape, "(%zu,)", n);
    int length = snprintf(text + 10, sizeof text - 10,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    memset(text + 10 + length, ' ', (size_t)(NPY_HEADER - 10 - length));
    memcpy(text, "\x93NUMPY\x01\x00", 8);
    text[8] = (char)(NPY_HEADER - 10);
    text[9] = 0;
    text[NPY_HEADER - 1] = '\n';
    fwrite(text, 1, NPY_HEADER, to);
}

static mp_err npy_begin(exporter *e)
{
    char path[PATH_MAX];
    mp_err err = mp_mkdirs(e->to, &e->why);
    snprintf(path, sizeof path, "%s/vectors.npy", e->to);
    if (!err)
        err = outfile_open(&e->vectors, path, &e->why);
    snprintf(path, sizeof path, "%s/ids.npy", e->to);
    if (!err)
        err = outfile_open(&e->ids, path, &e->why);
    if (!err) {
        npy_header(e->vectors.to, "<f4", 0, 1);
        npy_header(e->ids.to, "<i8", 0, 0);
        e->manifest = json_array();
    }
    return err;
}

static void npy_row(exporter *e, const magpie_item *item, const float *v)
{
    json_t *row = json_object();
    fwrite(v, sizeof *v, (size_t)e->dims, e->vectors.to);
    fwrite(&item->id, sizeof item->id, 1, e->ids.to);
    json_object_set_new(row, "id", json_integer(item->id));
    json_object_set_new(row, "path", json_text(item->path));
    json_object_set_new(row, "name", json_text(item->name));
    json_object_set_new(row, "sha256", json_text(item->sha256));
    json_array_append_new(e->manifest, row);
}

static mp_err npy_end(exporter *e)
{
    char path[PATH_MAX];
    json_t *o = app_json(e->app);
    json_object_set_new(o, "model", json_text(e->stats.model));
    json_object_set_new(o, "model_sha256", json_text(e->stats.model_sha256));
    json_object_set_new(o, "dims", json_integer(e->dims));
    json_object_set_new(o, "items", e->manifest);
    e->manifest = NULL;
    char *text = json_dumps(o, JSON_INDENT(1));
    json_decref(o);
    rewind(e->vectors.to);
    rewind(e->ids.to);
    npy_header(e->vectors.to, "<f4", e->rows, e->dims);
    npy_header(e->ids.to, "<i8", e->rows, 0);
    snprintf(path, sizeof path, "%s/manifest.json", e->to);
    mp_err err = text ? outfile_commit(&e->vectors, &e->why)
                      : mp_fail(&e->why, MP_NOMEM, "not enough memory for the manifest");
    if (!err)
        err = outfile_commit(&e->ids, &e->why);
    if (!err)
        err = mp_file_replace(path, text, strlen(text), &e->why);
    free(text);
    return err;
}

/* ---- json, csv ---- */

static mp_err text_begin(exporter *e)
{
    return outfile_open(&e->vectors, e->to, &e->why);
}

static void json_begin_rows(exporter *e)
{
    fprintf(e->vectors.to,
            "{\"command\":\"export\",\"format\":1,\"model\":\"%s\",\"model_sha256\":\"%s\","
            "\"dims\":%d,\"items\":[",
            e->stats.model, e->stats.model_sha256, e->dims);
}

static void json_row(exporter *e, const magpie_item *item, const float *v)
{
    FILE *to = e->vectors.to;
    json_t *row = json_object();
    json_object_set_new(row, "id", json_integer(item->id));
    json_object_set_new(row, "path", json_text(item->path));
    json_object_set_new(row, "name", json_text(item->name));
    json_object_set_new(row, "sha256", json_text(item->sha256));
    char *text = json_dumps(row, JSON_COMPACT);
    json_decref(row);
    /* Vectors go past jansson: boxing each number would take forty times its size. */
    fprintf(to, "%s\n%.*s,\"vector\":[", e->rows ? "," : "", (int)(strlen(text) - 1), text);
    for (int i = 0; i < e->dims; i++)
        fprintf(to, i ? ",%.8g" : "%.8g", (double)v[i]);
    fputs("]}", to);
    free(text);
}

static void csv_row(exporter *e, const magpie_item *item, const float *v)
{
    mp_buf b = {0};
    app_csv_label(e->app, e->vectors.to, &b, item->path, item->name);
    fprintf(e->vectors.to, "%lld,%s", (long long)item->id, b.p);
    for (int i = 0; i < e->dims; i++)
        fprintf(e->vectors.to, ",%.8g", (double)v[i]);
    fputs("\r\n", e->vectors.to);
    mp_buf_free(&b);
}

static void csv_begin_rows(exporter *e)
{
    fputs("id,path", e->vectors.to);
    for (int i = 0; i < e->dims; i++)
        fprintf(e->vectors.to, ",v%d", i);
    fputs("\r\n", e->vectors.to);
}

static void no_header(exporter *e)
{
    (void)e;
}

static mp_err json_end(exporter *e)
{
    fputs("\n]}\n", e->vectors.to);
    return outfile_commit(&e->vectors, &e->why);
}

static mp_err csv_end(exporter *e)
{
    return outfile_commit(&e->vectors, &e->why);
}

static const struct kind {
    const char *word;
    mp_err (*begin)(exporter *e);
    void (*begin_rows)(exporter *e); /* once dims is known */
    void (*row)(exporter *e, const magpie_item *item, const float *v);
    mp_err (*end)(exporter *e);
} kinds[] = {{"npy", npy_begin, no_header, npy_row, npy_end},
             {"json", text_begin, json_begin_rows, json_row, json_end},
             {"csv", text_begin, csv_begin_rows, csv_row, csv_end}};

/* ---- all pages ---- */

static magpie_err export_page(exporter *e, const struct kind *k, magpie_item **items, size_t n,
                              magpie_why *why)
{
    int64_t ids[PAGE];
    float *v = NULL;
    for (size_t i = 0; i < n; i++)
        ids[i] = items[i]->id;
    magpie_err err = magpie_vectors(e->app->library, ids, n, &v, &e->dims, why);
    if (!err && e->rows == 0)
        k->begin_rows(e);
    for (size_t i = 0; !err && i < n; i++) {
        k->row(e, items[i], v + i * (size_t)e->dims);
        e->rows++;
    }
    magpie_free(v);
    return err;
}

static int export_all(exporter *e, const struct kind *k)
{
    const char *where = mp_args_text(&e->app->args, "where", NULL);
    int64_t after = 0;
    size_t n = PAGE;
    while (n == PAGE) {
        magpie_item **items;
        magpie_why why = {0};
        magpie_err err = magpie_list(e->app->library, where, after, PAGE, &items, &n, &why);
        if (!err) {
            err = n ? export_page(e, k, items, n, &why) : MAGPIE_OK;
            after = n ? items[n - 1]->id : after;
            magpie_items_free(items, n);
        }
        if (!err && stop_asked()) {
            err = MAGPIE_CANCELLED;
            snprintf(why.text, sizeof why.text, "stopped; nothing was written");
        }
        if (err)
            return app_fail(e->app, err, &why);
    }
    if (e->rows == 0)
        k->begin_rows(e);
    return EXIT_DONE;
}

static void tell(const exporter *e)
{
    mp_app *app = e->app;
    if (strcmp(e->to, "-") == 0)
        return;
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "path", json_text(e->to));
        json_object_set_new(o, "kind", json_string(e->format));
        json_object_set_new(o, "items", json_integer((json_int_t)e->rows));
        json_object_set_new(o, "dims", json_integer(e->dims));
        json_object_set_new(o, "model", json_text(e->stats.model));
        json_object_set_new(o, "model_sha256", json_text(e->stats.model_sha256));
        app_json_print(o);
    } else if (!app->quiet) {
        char *shown = app_escaped(e->to);
        printf("wrote %zu %s of %d numbers to %s\n", e->rows,
               text_plural(e->rows, "vector", "vectors"), e->dims, shown);
        free(shown);
    }
}

static int export_there(mp_app *app, const char *to)
{
    if (mp_args_get(&app->args, "format"))
        return app_usage(app, "--format is for a library here; a service makes a ZIP file");
    remote_export e = {.to = to,
                       .where = mp_args_text(&app->args, "where", NULL),
                       .manifests = mp_args_text(&app->args, "manifest", NULL),
                       .project = mp_args_int(&app->args, "project", 0),
                       .vectors = mp_args_flag(&app->args, "vectors")};
    return remote_export_run(app, &e);
}

static int export_here(mp_app *app, const char *to)
{
    static const char *const theirs[] = {"project", "manifest", "vectors"};
    exporter e = {.app = app, .to = to, .format = mp_args_text(&app->args, "format", "npy")};
    const struct kind *k = kinds;
    magpie_why why = {0};
    for (size_t i = 0; i < MP_COUNT(theirs); i++)
        if (mp_args_get(&app->args, theirs[i]))
            return app_usage(app, "--%s is of a service: say --server URL", theirs[i]);
    while (strcmp(k->word, e.format) != 0)
        k++;
    if (k == kinds && strcmp(e.to, "-") == 0)
        return app_usage(app, "npy makes a folder; for standard output: --format csv or json");
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err = magpie_get_stats(app->library, &e.stats, &why);
    if (err)
        return app_fail(app, err, &why);
    mp_err inner = k->begin(&e);
    if (!inner)
        code = export_all(&e, k);
    if (!inner && !code)
        inner = k->end(&e);
    if (inner)
        code = app_fail_inner(app, inner, &e.why);
    else if (!code)
        tell(&e);
    outfile_abandon(&e.vectors);
    outfile_abandon(&e.ids);
    json_decref(e.manifest);
    return code;
}

static int run(mp_app *app)
{
    const char *to = mp_args_text(&app->args, "output", app_operand(app, 0));
    bool option = mp_args_get(&app->args, "output") != NULL;
    if (mp_args_operands(&app->args) != (option ? 0 : 1))
        return app_usage(app, "usage: magpie export TO [--format npy|json|csv]");
    return remote_wanted(app) ? export_there(app, to) : export_here(app, to);
}

const mp_command command_export = {
    .name = "export",
    .summary = "Write the vectors to files",
    .usage = "export TO [--format npy|json|csv] [--where FILTER]\n"
             "export --server URL -o FILE.zip [--where FILTER] [--project ID] [--manifest KINDS] "
             "[--vectors]",
    .about = "Writes the pictures' vectors of the current model, L2-normalised, in the order of "
             "ids; items without one have zeros.\n"
             "From a service (--server, MAGPIE_SERVER) comes a ZIP file with the pictures, and the "
             "lists and vectors that are asked for. A download that breaks off goes on where it "
             "broke, and the file appears only when it is whole.\n"
             "  magpie export vectors/ && python3 -c 'import numpy; "
             "print(numpy.load(\"vectors/vectors.npy\").shape)'\n"
             "  magpie export - --format csv --where tag:rome | head -1",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_FILES,
    .run = run,
};
