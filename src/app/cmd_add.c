/* cmd_add.c - takes pictures into the library. */
#include "app/commands.h"
#include "app/ingest.h"
#include "app/stop.h"

#include <stdlib.h>

static const mp_option rows[] = {
    {.name = "copy",
     .type = MP_OPT_FLAG,
     .help = "Bring the pictures into the library instead of remembering where they are."},
    {.name = "tag",
     .letter = 't',
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "TAG",
     .help = "Put this tag on every picture that is added; may be given several times."},
    {.name = "no-recurse", .type = MP_OPT_FLAG, .help = "Do not go into folders in folders."},
    {.name = "hidden", .type = MP_OPT_FLAG, .help = "Also names that begin with a dot."},
    {.name = "rehash",
     .type = MP_OPT_FLAG,
     .help = "Read every file again, even when size and time are unchanged."},
};

static void finish(mp_app *app, ingest_view *v, const magpie_add_report *report)
{
    progress_clear(&v->bar);
    if (app->json) {
        app_json_print(ingest_json(app, report));
        return;
    }
    if (v->untold_skips)
        app_note(app, PAINT_DIM, "... and %llu more that are not pictures (-v lists them)",
                 (unsigned long long)v->untold_skips);
    if (!app->quiet)
        ingest_summary(report);
}

static int run(mp_app *app)
{
    const char **paths, **tags;
    magpie_why why = {0};
    magpie_add_report report = {0};
    size_t n = mp_args_list(&app->args, NULL, &paths);
    size_t n_tags = mp_args_list(&app->args, "tag", &tags);
    int code = n ? app_open(app, APP_CREATE) : app_usage(app, "add what? Name files or folders");
    if (code)
        goto done;
    ingest_view v = ingest_view_of(app, paths, n);
    magpie_add_options o = {.copy = mp_args_flag(&app->args, "copy"),
                            .no_recurse = mp_args_flag(&app->args, "no-recurse"),
                            .hidden = mp_args_flag(&app->args, "hidden"),
                            .rehash = mp_args_flag(&app->args, "rehash"),
                            .tags = tags,
                            .n_tags = n_tags,
                            .on_progress = progress_tick,
                            .on_file = ingest_file,
                            .context = &v};
    magpie_err err = magpie_add(app->library, paths, n, &o, &report, &why);
    finish(app, &v, &report);
    if (err == MAGPIE_CANCELLED && stop_asked()) {
        app_note(app, PAINT_WARN, "stopped; what was reported is kept. Rerun to go on");
        code = EXIT_INTERRUPTED;
    } else if (err) {
        code = app_fail(app, err, &why);
    } else if (report.outcomes[MAGPIE_REFUSED]) {
        code = EXIT_PARTLY;
    }
done:
    free(paths);
    free(tags);
    return code;
}

const mp_command command_add = {
    .name = "add",
    .summary = "Look at files and folders of pictures",
    .usage = "add [OPTION...] PATH...",
    .about =
        "Walks folders and takes every picture by its content, whatever its name. Pictures stay "
        "where they are; magpie remembers their path, size, time and SHA-256. Given a folder "
        "again, "
        "it notices moved, changed and vanished files and reads only what is new.\n"
        "Broken and unreadable files are named with the reason and counted; the rest goes on (exit "
        "code 4). Ctrl-C stops after the picture at hand; a rerun goes on where it stopped. Where "
        "there is no library yet, the default one is made.\n"
        "  magpie add ~/Pictures\n"
        "  magpie add --tag holiday --copy /media/camera",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_FILES,
    .run = run,
};
