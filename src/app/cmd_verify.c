/* cmd_verify.c - is everything as it should be? */
#include "app/commands.h"

#include <stdlib.h>

static const mp_option rows[] = {
    {.name = "deep",
     .type = MP_OPT_FLAG,
     .help = "Also read every referenced file and compare its SHA-256."},
};

/* The library's one context serves both callbacks: the bar comes first. */
typedef struct view {
    progress bar;
    mp_app *app;
    json_t *found;
} view;

static void on_problem(void *context, int64_t id, const char *what)
{
    view *v = context;
    if (v->app->json) {
        json_t *row = json_object();
        json_object_set_new(row, "id", id ? json_integer(id) : json_null());
        json_object_set_new(row, "what", json_text(what));
        json_array_append_new(v->found, row);
        return;
    }
    char *shown = app_escaped(what);
    progress_clear(&v->bar);
    term_print(&v->app->out, PAINT_BAD, "problem: ");
    if (id)
        printf("#%lld: ", (long long)id);
    printf("%s\n", shown);
    free(shown);
}

static int run(mp_app *app)
{
    magpie_why why = {0};
    magpie_verify_report report = {0};
    char a[TEXT_SMALL];
    bool deep = mp_args_flag(&app->args, "deep");
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    view v = {progress_start(app, "pictures"), app, json_array()};
    magpie_err err =
        magpie_verify(app->library, deep, on_problem, progress_tick, &v, &report, &why);
    progress_clear(&v.bar);
    if (err) {
        code = app_fail(app, err, &why);
    } else if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "deep", json_boolean(deep));
        json_object_set_new(o, "items", json_integer((json_int_t)report.items));
        json_object_set_new(o, "problems", json_integer((json_int_t)report.problems));
        json_object_set(o, "found", v.found);
        app_json_print(o);
    } else {
        printf("checked %s %s: ", text_count(a, report.items),
               text_plural(report.items, "picture", "pictures"));
        term_print(&app->out, report.problems ? PAINT_BAD : PAINT_GOOD,
                   report.problems ? "" : "all is well");
        if (report.problems)
            printf("%s %s", text_count(a, report.problems),
                   text_plural(report.problems, "problem", "problems"));
        printf("\n");
    }
    json_decref(v.found);
    return code ? code : report.problems ? EXIT_NOTHING : EXIT_DONE;
}

const mp_command command_verify = {
    .name = "verify",
    .summary = "Check that the library is sound",
    .usage = "verify [--deep]",
    .about = "Checks the database, the bytes of every picture kept in the library, every vector, "
             "thumbnail and index. Repairs nothing (reindex makes vectors, thumbnails and indexes "
             "anew); ends with exit code 1 when there are problems.",
    OPTIONS_OF(rows),
    .run = run,
};
