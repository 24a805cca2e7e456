/* cmd_watch.c - adds what changes in folders, until Ctrl-C. */
#include "app/commands.h"
#include "app/ingest.h"
#include "app/stop.h"
#include "app/watcher.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const mp_option rows[] = {
    {.name = "copy", .type = MP_OPT_FLAG, .help = "Bring the pictures into the library."},
    {.name = "tag",
     .letter = 't',
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "TAG",
     .help = "Put this tag on every picture that is added."},
    {.name = "no-recurse", .type = MP_OPT_FLAG, .help = "Do not go into folders in folders."},
    {.name = "hidden", .type = MP_OPT_FLAG, .help = "Also names that begin with a dot."},
    {.name = "quiet-time",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "500ms",
     .min = 10,
     .max = 60000,
     .help = "A burst of changes is over after this long without another."},
    {.name = "rescan",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "60s",
     .min = 1000,
     .max = 86400000,
     .help = "Where the system cannot tell of changes, look at everything this often."},
};

typedef struct watch {
    mp_app *app;
    char **roots; /* absolute */
    size_t n_roots;
    const char **tags;
    size_t n_tags;
    watcher *watcher;
} watch;

static int resolve_roots(watch *w)
{
    const char **paths;
    size_t n = mp_args_list(&w->app->args, NULL, &paths);
    int code = n ? EXIT_DONE : app_usage(w->app, "watch what? Name folders");
    w->roots = mp_xcalloc(n + 1, sizeof *w->roots);
    for (size_t i = 0; !code && i < n; i++) {
        mp_why why = {0};
        char *path = realpath(paths[i], NULL);
        if (path)
            w->roots[w->n_roots++] = path;
        else
            code = app_fail_inner(w->app, mp_fail_errno(&why, errno, "cannot watch %s", paths[i]),
                                  &why);
    }
    free(paths);
    return code;
}

/* Files that come and go between the event and the look are no failure. */
static int add(watch *w, const char *const *paths, size_t n, bool first)
{
    magpie_why why = {0};
    magpie_add_report report = {0};
    ingest_view v = ingest_view_of(w->app, NULL, 0);
    const mp_args *args = &w->app->args;
    magpie_add_options o = {.copy = mp_args_flag(args, "copy"),
                            .no_recurse = mp_args_flag(args, "no-recurse"),
                            .hidden = mp_args_flag(args, "hidden"),
                            .tags = w->tags,
                            .n_tags = w->n_tags,
                            .on_progress = progress_tick,
                            .on_file = ingest_file,
                            .context = &v};
    magpie_err err;
    while ((err = magpie_add(w->app->library, paths, n, &o, &report, &why)) == MAGPIE_BUSY &&
           !stop_asked())
        app_note(w->app, PAINT_WARN, "%s", why.text); /* each try waits for the lock */
    progress_clear(&v.bar);
    if (err == MAGPIE_CANCELLED || err == MAGPIE_NOT_FOUND)
        err = MAGPIE_OK;
    bool news = report.outcomes[MAGPIE_ADDED] || report.outcomes[MAGPIE_MOVED] ||
                report.outcomes[MAGPIE_CHANGED] || report.outcomes[MAGPIE_VANISHED] ||
                report.outcomes[MAGPIE_REFUSED] || report.outcomes[MAGPIE_KNOWN];
    if (w->app->json && (first || news))
        app_json_print(ingest_json(w->app, &report));
    else if (!w->app->json && !w->app->quiet && (first || news))
        ingest_summary(&report);
    fflush(stdout);
    return err ? app_fail(w->app, err, &why) : EXIT_DONE;
}

static int follow(watch *w)
{
    watcher_news news;
    const char *const *roots = (const char *const *)w->roots;
    int code = add(w, roots, w->n_roots, true);
    if (!code && !stop_asked())
        app_note(w->app, PAINT_DIM, "watching %zu %s; Ctrl-C ends", watcher_folders(w->watcher),
                 text_plural(watcher_folders(w->watcher), "folder", "folders"));
    if (!code && watcher_is_partial(w->watcher))
        app_note(w->app, PAINT_WARN, "some of it cannot be watched; it is looked at every %llds",
                 (long long)mp_args_int(&w->app->args, "rescan", 60000) / 1000);
    while (!code && watcher_wait(w->watcher, stop_asked, &news))
        code =
            news.everything ? add(w, roots, w->n_roots, false) : add(w, news.path, news.n, false);
    return code ? code : EXIT_INTERRUPTED;
}

static int run(mp_app *app)
{
    watch w = {.app = app};
    mp_why why = {0};
    w.n_tags = mp_args_list(&app->args, "tag", &w.tags);
    int code = resolve_roots(&w);
    if (!code)
        code = app_open(app, APP_CREATE);
    watcher_options o = {.no_recurse = mp_args_flag(&app->args, "no-recurse"),
                         .hidden = mp_args_flag(&app->args, "hidden"),
                         .skip = app->library ? magpie_path(app->library) : NULL,
                         .quiet_ms = (int)mp_args_int(&app->args, "quiet-time", 500),
                         .rescan_s = (int)(mp_args_int(&app->args, "rescan", 60000) / 1000)};
    /* Watching begins before the first look, so that no change falls between the two. */
    if (!code) {
        mp_err err = watcher_open(&w.watcher, (const char *const *)w.roots, w.n_roots, &o, &why);
        code = err ? app_fail_inner(app, err, &why) : follow(&w);
    }
    watcher_close(w.watcher);
    for (size_t i = 0; i < w.n_roots; i++)
        free(w.roots[i]);
    free(w.roots);
    free(w.tags);
    return code;
}

const mp_command command_watch = {
    .name = "watch",
    .summary = "Keep adding what changes in folders",
    .usage = "watch [OPTION...] PATH...",
    .about =
        "Adds the folders as add does, then waits for changes and takes them in: new, changed, "
        "moved and vanished files, in new folders too. Ends with Ctrl-C (exit code 130).\n"
        "  magpie watch --tag inbox ~/Downloads",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_FILES,
    .run = run,
};
