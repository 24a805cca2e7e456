/* cmd_init.c - makes a library. */
#include "app/commands.h"

#include <limits.h>
#include <stdlib.h>

static const mp_option rows[] = {
    {.name = "here",
     .type = MP_OPT_FLAG,
     .help = "Make it in .magpie below this folder; commands run from here or below then use it."},
};

static int tell(mp_app *app, bool created)
{
    magpie_stats stats;
    magpie_why why = {0};
    magpie_err err = magpie_get_stats(app->library, &stats, &why);
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "library", json_text(magpie_path(app->library)));
        json_object_set_new(o, "created", json_boolean(created));
        json_object_set_new(o, "model", json_text(stats.model));
        app_json_print(o);
        return EXIT_DONE;
    }
    char *path = app_escaped(magpie_path(app->library));
    printf("%s %s (model %s)\n", created ? "made a library in" : "there is a library in", path,
           stats.model);
    free(path);
    return EXIT_DONE;
}

static int run(mp_app *app)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    magpie_options o = app_options(app, self, sizeof self);
    bool here = mp_args_flag(&app->args, "here"), created = false;
    if (mp_args_operands(&app->args) > 1 || (here && app_operand(app, 0)))
        return app_usage(app, "init makes one library");
    if (app_operand(app, 0))
        o.library = app_operand(app, 0);
    else if (here)
        o.library = ".magpie";
    magpie_err err = magpie_open(&app->library, &o, &why);
    if (err == MAGPIE_NOT_FOUND) {
        o.create = created = true;
        err = magpie_open(&app->library, &o, &why);
    }
    return err ? app_fail(app, err, &why) : tell(app, created);
}

const mp_command command_init = {
    .name = "init",
    .summary = "Make a library",
    .usage = "init [DIR] [--model ID]\ninit --here",
    .about =
        "Makes a library: the folder where magpie keeps what it knows of pictures. Without DIR "
        "it is the one that --library, MAGPIE_LIBRARY or the default names. One that is there "
        "already is left as it is. add makes the default library by itself.",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_FILES,
    .run = run,
};
