/* cmd_worker.c - runs the jobs of a library that another process serves. */
#include "app/commands.h"
#include "app/stop.h"
#include "app/work_options.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static const mp_option rows[] = {
    WORK_OPTION_ROWS,
    {.name = "drain",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0,
     .max = 600000,
     .help =
         "How long jobs under way may take after a signal to stop; what is not finished then is "
         "taken up by another worker."},
    OPTION_PRINT_CONFIG,
};

static int run(mp_app *app)
{
    mp_worker *w;
    work_setup setup;
    mp_why why = {0};
    if (mp_args_operands(&app->args))
        return app_usage(app, "worker takes no operand");
    int code = app_open(app, APP_CREATE);
    if (code)
        return code;
    work_setup_read(app, &setup);
    mp_err err = mp_worker_open(&w, &setup.options, &why);
    if (err) {
        work_setup_free(&setup);
        return app_fail_inner(app, err, &why);
    }
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "event", json_string("ready"));
        app_json_print(o);
    } else {
        app_note(app, PAINT_DIM, "working for %s; Ctrl-C stops it", magpie_path(app->library));
    }
    fflush(stdout);
    while (!stop_asked())
        (void)poll(NULL, 0, 1000); /* a signal ends it */
    err = mp_worker_drain(w, (int)mp_args_int(&app->args, "drain", 30000), &why);
    if (err) { /* a handler hangs: its lease runs out, and waiting for it would be for ever */
        app_note(app, PAINT_WARN, "some jobs were not finished in time; others will take them");
        fflush(NULL);
        _exit(EXIT_DONE);
    }
    mp_worker_close(w);
    work_setup_free(&setup);
    return EXIT_DONE;
}

const mp_command command_worker = {
    .name = "worker",
    .summary = "Run the jobs of a served library",
    .usage = "worker",
    .about =
        "Takes jobs (processing, exports, notifications, clean-ups, indexing of products) that "
        "`magpie serve` was asked for, beside it or in place of its own threads "
        "(serve --no-worker). Any number of workers may run; a job whose worker dies is taken "
        "by another.\n"
        "  magpie serve --no-worker &\n"
        "  magpie worker --job-threads 4",
    OPTIONS_OF(rows),
    .configured = true,
    .run = run,
};
