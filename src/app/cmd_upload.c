/* cmd_upload.c - pictures from disk to a service. */
#include "app/commands.h"
#include "app/ingest.h"
#include "app/remote_send.h"
#include "app/stop.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const mp_option rows[] = {
    OPTION_PROJECT("The project that they go to (default: your own)."),
    {.name = "tag",
     .letter = 't',
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "TAG",
     .help = "Put this tag on every picture, also on those that were there; may be given several "
             "times."},
    {.name = "no-recurse", .type = MP_OPT_FLAG, .help = "Do not go into folders in folders."},
    {.name = "hidden", .type = MP_OPT_FLAG, .help = "Also names that begin with a dot."},
};

typedef struct files {
    char **path;
    size_t n, cap;
    bool no_recurse, hidden;
    mp_err err; /* of a path that was named; the others are still done */
    mp_why why;
} files;

/* ---- which files ---- */

static void keep(files *f, const char *path)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 256;
        f->path = mp_xrealloc(f->path, f->cap * sizeof *f->path);
    }
    f->path[f->n++] = mp_xstrdup(path);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Links to files are followed, those to folders are not; a path that was named is what it leads to.
 */
static void visit(files *f, FTS *tree, FTSENT *e)
{
    struct stat st;
    bool named = e->fts_level == FTS_ROOTLEVEL, folder = e->fts_info == FTS_D;
    if (!named && e->fts_name[0] == '.' && !f->hidden) {
        if (folder)
            fts_set(tree, e, FTS_SKIP);
    } else if (folder && !named && f->no_recurse) {
        fts_set(tree, e, FTS_SKIP);
    } else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS) {
        f->err = mp_fail_errno(&f->why, e->fts_errno, "%.300s", e->fts_path);
    } else if (e->fts_info == FTS_F ||
               (e->fts_info == FTS_SL && stat(e->fts_accpath, &st) == 0 && S_ISREG(st.st_mode))) {
        keep(f, e->fts_path);
    }
}

static int gather(mp_app *app, files *f, const char **paths)
{
    /* fts changes nothing in the list; its type is older than const. */
    FTS *tree = fts_open((char *const *)(uintptr_t)paths,
                         FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!tree)
        return app_fail_inner(app, mp_fail_errno(&f->why, errno, "cannot look for files"), &f->why);
    for (FTSENT *e; !stop_asked() && (e = fts_read(tree));)
        visit(f, tree, e);
    fts_close(tree);
    return EXIT_DONE;
}

/* ---- the report ---- */

static void tell(mp_app *app, ingest_view *v, const magpie_add_report *report)
{
    progress_clear(&v->bar);
    if (!app->json) {
        if (v->untold_skips)
            app_note(app, PAINT_DIM, "... and %llu more that are not pictures (-v lists them)",
                     (unsigned long long)v->untold_skips);
        if (!app->quiet)
            ingest_summary(report);
        return;
    }
    static const magpie_outcome told[] = {MAGPIE_ADDED, MAGPIE_KNOWN, MAGPIE_SKIPPED,
                                          MAGPIE_REFUSED};
    json_t *o = app_json(app);
    json_object_set_new(o, "event", json_string("summary"));
    for (size_t i = 0; i < MP_COUNT(told); i++)
        json_object_set_new(o, magpie_outcome_word(told[i]),
                            json_integer((json_int_t)report->outcomes[told[i]]));
    json_object_set_new(o, "bytes", json_integer((json_int_t)report->bytes));
    json_object_set_new(o, "elapsed_s", json_float(report->elapsed_s));
    json_object_set_new(o, "server", json_text(mp_settings_text(&app->settings, MP_SET_SERVER)));
    app_json_print(o);
}

static json_t *tags_of(const mp_app *app)
{
    const char **tags;
    json_t *list = json_array();
    size_t n = mp_args_list(&app->args, "tag", &tags);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_text(tags[i]));
    free(tags);
    return list;
}

static int send_all(mp_app *app, const remote *r, files *f, const char *const *named,
                    size_t n_named)
{
    mp_why why = {0};
    magpie_add_report report = {0};
    ingest_view v = ingest_view_of(app, named, n_named);
    json_t *tags = tags_of(app);
    remote_batch b = {.remote = r,
                      .path = f->path,
                      .n = f->n,
                      .project = mp_args_int(&app->args, "project", 0),
                      .tags = json_array_size(tags) ? tags : NULL,
                      .max_bytes = mp_settings_int(&app->settings, MP_SET_MAX_BYTES),
                      .on_file = ingest_file,
                      .on_progress = progress_tick,
                      .context = &v};
    mp_err err = remote_send(&b, &report, &why);
    tell(app, &v, &report);
    json_decref(tags);
    if (stop_asked()) {
        app_note(app, PAINT_WARN, "stopped; what was reported is kept. Rerun to go on");
        return EXIT_INTERRUPTED;
    }
    if (!err) {
        err = f->err;
        why = f->why;
    }
    if (err)
        return app_fail_inner(app, err, &why);
    return report.outcomes[MAGPIE_REFUSED] ? EXIT_PARTLY : EXIT_DONE;
}

static int run(mp_app *app)
{
    const char **paths;
    remote r = {0};
    files f = {.no_recurse = mp_args_flag(&app->args, "no-recurse"),
               .hidden = mp_args_flag(&app->args, "hidden")};
    size_t n = mp_args_list(&app->args, NULL, &paths);
    int code = n ? remote_open(&r, app) : app_usage(app, "upload what? Name files or folders");
    if (!code)
        code = gather(app, &f, paths);
    if (!code)
        code = send_all(app, &r, &f, paths, n);
    for (size_t i = 0; i < f.n; i++)
        free(f.path[i]);
    free(f.path);
    free(paths);
    remote_close(&r);
    return code;
}

const mp_command command_upload = {
    .name = "upload",
    .summary = "Send files and folders of pictures to a service",
    .usage = "upload --server URL [OPTION...] PATH...",
    .about =
        "Walks folders as add does and sends every file to the service, four at a time, without "
        "reading one whole into memory. The service takes pictures by their content; what it has "
        "already is reported as known, so after an interruption the same command goes on.\n"
        "Broken files are named with the reason and counted; the rest goes on (exit code 4). When "
        "the service is gone or does not accept the token, it ends there.\n"
        "  magpie upload --server https://pictures.example.org ~/Pictures",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_FILES,
    .run = run,
};
