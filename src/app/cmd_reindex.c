/* cmd_reindex.c - computes what is missing and builds the index anew. */
#include "app/commands.h"

#include "base/os.h"

static const mp_option rows[] = {
    {.name = "all", .type = MP_OPT_FLAG, .help = "Compute every vector again."},
};

static int run(mp_app *app)
{
    magpie_why why = {0};
    char a[TEXT_SMALL];
    double began = mp_monotonic_s();
    int code = app_open(app, APP_WRITE);
    if (code)
        return code;
    progress bar = progress_start(app, "pictures");
    magpie_err err =
        magpie_reindex(app->library, mp_args_flag(&app->args, "all"), progress_tick, &bar, &why);
    progress_clear(&bar);
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "elapsed_s", json_float(mp_monotonic_s() - began));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("indexed in %s\n", text_span(a, mp_monotonic_s() - began));
    }
    return EXIT_DONE;
}

const mp_command command_reindex = {
    .name = "reindex",
    .summary = "Compute missing vectors and build the index anew",
    .usage = "reindex [--all]",
    .about = "Computes vectors of the current model and thumbnails that are missing and builds the "
             "index from the database. Ctrl-C keeps what is computed; a rerun goes on.",
    OPTIONS_OF(rows),
    .run = run,
};
