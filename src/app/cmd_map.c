/* cmd_map.c - a layout in which alike pictures lie near each other. */
#include "app/commands.h"
#include "app/map_page.h"

#include <stdlib.h>

static const mp_option rows[] = {
    {.name = "dims",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "2",
     .min = 2,
     .max = 3,
     .help = "Dimensions."},
    {.name = "pca", .type = MP_OPT_FLAG, .help = "The quick way instead of UMAP."},
    {.name = "neighbours",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "15",
     .min = 2,
     .max = 200,
     .help = "UMAP: how many neighbours count; more show the large picture, fewer the small."},
    {.name = "min-distance",
     .type = MP_OPT_NUMBER,
     .value = "X",
     .fallback = "0.1",
     .min = 0.001,
     .max = 1,
     .help = "UMAP: how near two may lie."},
    {.name = "seed",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 9e15,
     .help = "The same seed gives the same map."},
    OPTION_WHERE,
    {.name = "csv",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "Write CSV to a file (without --html and --json it goes to standard output)."},
    {.name = "html",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "Write a page with the dots and, under the pointer, the pictures."},
    {.name = "thumbnails",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "600",
     .min = 0,
     .max = 20000,
     .help = "At most this many pictures in the page (about 10 KB each)."},
};

typedef struct map {
    mp_app *app;
    map_row *rows;
    size_t n;
    int dims;
} map;

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const map_row *)a)->at.id, y = ((const map_row *)b)->at.id;
    return x < y ? -1 : x > y;
}

/* Names come page by page, in the order of ids; so do the rows. */
static int add_names(map *m)
{
    enum { PAGE = 500 };
    int64_t after = 0;
    size_t got = PAGE, at = 0;
    const char *where = mp_args_text(&m->app->args, "where", NULL);
    while (got == PAGE && at < m->n) {
        magpie_item **items;
        magpie_why why = {0};
        magpie_err err = magpie_list(m->app->library, where, after, PAGE, &items, &got, &why);
        if (err)
            return app_fail(m->app, err, &why);
        for (size_t i = 0; i < got; i++) {
            after = items[i]->id;
            while (at < m->n && m->rows[at].at.id < after)
                at++;
            if (at == m->n || m->rows[at].at.id != after)
                continue;
            m->rows[at].path = mp_xstrdup(items[i]->path);
            m->rows[at].name = mp_xstrdup(items[i]->name);
        }
        magpie_items_free(items, got);
    }
    for (size_t i = 0; i < m->n; i++) { /* removed meanwhile */
        m->rows[i].path = m->rows[i].path ? m->rows[i].path : mp_xstrdup("");
        m->rows[i].name = m->rows[i].name ? m->rows[i].name : mp_xstrdup("");
    }
    return EXIT_DONE;
}

static int lay_out(map *m)
{
    const mp_args *args = &m->app->args;
    magpie_why why = {0};
    magpie_point *points;
    progress bar = progress_start(m->app, "pictures");
    magpie_map_options o = {.dims = m->dims,
                            .pca = mp_args_flag(args, "pca"),
                            .neighbours = (int)mp_args_int(args, "neighbours", 15),
                            .min_distance = (float)mp_args_number(args, "min-distance", 0.1),
                            .seed = (uint64_t)mp_args_int(args, "seed", 0),
                            .where = mp_args_text(args, "where", NULL),
                            .on_progress = progress_tick,
                            .context = &bar};
    magpie_err err = magpie_map(m->app->library, &o, &points, &m->n, &why);
    progress_clear(&bar);
    if (err)
        return app_fail(m->app, err, &why);
    m->rows = mp_xcalloc(m->n + 1, sizeof *m->rows);
    for (size_t i = 0; i < m->n; i++)
        m->rows[i].at = points[i];
    magpie_free(points);
    qsort(m->rows, m->n, sizeof *m->rows, by_id);
    return add_names(m);
}

static int write_csv(const map *m, const char *path)
{
    outfile f;
    mp_why why = {0};
    mp_err err = outfile_open(&f, path, &why);
    if (err)
        return app_fail_inner(m->app, err, &why);
    fputs(m->dims == 3 ? "id,x,y,z,path\r\n" : "id,x,y,path\r\n", f.to);
    for (size_t i = 0; i < m->n; i++) {
        const map_row *r = &m->rows[i];
        mp_buf b = {0};
        app_csv_label(m->app, f.to, &b, r->path, r->name);
        fprintf(f.to, "%lld,%.6f,%.6f", (long long)r->at.id, (double)r->at.x, (double)r->at.y);
        if (m->dims == 3)
            fprintf(f.to, ",%.6f", (double)r->at.z);
        fprintf(f.to, ",%s\r\n", b.p);
        mp_buf_free(&b);
    }
    err = outfile_commit(&f, &why);
    return err ? app_fail_inner(m->app, err, &why) : EXIT_DONE;
}

static void print_json(const map *m)
{
    json_t *o = app_json(m->app), *points = json_array();
    for (size_t i = 0; i < m->n; i++) {
        const map_row *r = &m->rows[i];
        json_t *p = json_object();
        json_object_set_new(p, "id", json_integer(r->at.id));
        json_object_set_new(p, "x", json_float(r->at.x));
        json_object_set_new(p, "y", json_float(r->at.y));
        if (m->dims == 3)
            json_object_set_new(p, "z", json_float(r->at.z));
        json_object_set_new(p, "path", json_text(r->path));
        json_object_set_new(p, "name", json_text(r->name));
        json_array_append_new(points, p);
    }
    json_object_set_new(o, "dims", json_integer(m->dims));
    json_object_set_new(o, "method",
                        json_string(mp_args_flag(&m->app->args, "pca") ? "pca" : "umap"));
    json_object_set_new(o, "seed", json_integer(mp_args_int(&m->app->args, "seed", 0)));
    json_object_set_new(o, "points", points);
    app_json_print(o);
}

static int write_all(const map *m)
{
    const char *csv = mp_args_text(&m->app->args, "csv", NULL);
    const char *page = mp_args_text(&m->app->args, "html", NULL);
    int code = EXIT_DONE;
    if (!csv && !page && !m->app->json)
        csv = "-";
    if (csv)
        code = write_csv(m, csv);
    if (!code && page)
        code = map_page(m->app, page, m->rows, m->n, m->dims,
                        (size_t)mp_args_int(&m->app->args, "thumbnails", 600));
    if (!code && m->app->json)
        print_json(m);
    return code;
}

static int run(mp_app *app)
{
    map m = {.app = app, .dims = (int)mp_args_int(&app->args, "dims", 2)};
    int code = mp_args_operands(&app->args) ? app_usage(app, "map takes options only") : EXIT_DONE;
    if (!code)
        code = app_open(app, APP_READ);
    if (!code)
        code = lay_out(&m);
    if (!code)
        code = write_all(&m);
    for (size_t i = 0; i < m.n && m.rows; i++) {
        free(m.rows[i].path);
        free(m.rows[i].name);
    }
    free(m.rows);
    return code;
}

const mp_command command_map = {
    .name = "map",
    .summary = "Lay the pictures out so that alike ones lie near",
    .usage = "map [--html FILE] [--csv FILE] [OPTION...]",
    .about = "Computes a layout of the pictures' vectors in two or three dimensions (UMAP, or PCA, "
             "which is quicker and coarser). Coordinates lie in -1 to 1.\n"
             "  magpie map --html map.html\n"
             "  magpie map --pca --dims 3 --csv map.csv",
    OPTIONS_OF(rows),
    .run = run,
};
