/* model_files.c - magpie model pull, verify, remove. */
#include "app/model_files.h"

#include "app/commands.h"
#include "app/fetch.h"
#include "app/model_measure.h"
#include "app/model_try.h"
#include "app/pull.h"

#include "base/os.h"
#include "base/sha256.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- progress ---- */

typedef struct watch {
    progress bar;
    double began;
    int64_t done, total;
} watch;

static watch watch_start(mp_app *app)
{
    return (watch){.bar = progress_start(app, PROGRESS_BYTES), .began = mp_monotonic_s()};
}

static bool watch_tick(watch *w, const char *stage)
{
    magpie_progress now = {.stage = stage,
                           .done = (uint64_t)w->done,
                           .total = (uint64_t)w->total,
                           .elapsed_s = mp_monotonic_s() - w->began};
    return progress_tick(&w->bar, &now);
}

/* ---- pull ---- */

static int pulled(mp_app *app, const char *id)
{
    mp_buf line = {0};
    mp_why why = {0};
    mp_err err = model_measure_new(app, id, &line, &why);
    char *safe = app_escaped(line.p);
    if (!err)
        app_note(app, PAINT_NONE, "%s", safe);
    free(safe);
    mp_buf_free(&line);
    return err ? app_fail_inner(app, err, &why) : model_list(app, "pull");
}

static int pull_lite(mp_app *app)
{
    char script[PATH_MAX], dir[PATH_MAX];
    mp_why why = {0};
    static const char *const others[] = {"hub", "sha256", "manifest"};
    for (size_t i = 0; i < MP_COUNT(others); i++)
        if (mp_args_said(&app->args, others[i]))
            return app_usage(app, "lite is no model of a hub: --%s does not concern it", others[i]);
    mp_err err = fetch_models_dir(app, dir, sizeof dir, &why);
    if (!err)
        err = fetch_script(app, script, sizeof script, &why);
    if (!err)
        err = fetch_run(script, dir, mp_args_text(&app->args, "from", NULL), &why);
    return err ? app_fail_inner(app, err, &why) : pulled(app, "lite");
}

static void on_line(void *arg, const char *line)
{
    watch *w = arg;
    char *safe = app_escaped(line);
    progress_clear(&w->bar);
    app_note(w->bar.app, PAINT_NONE, "%s", safe);
    free(safe);
}

static bool on_bytes(void *arg, int64_t done, int64_t total)
{
    watch *w = arg;
    w->done = done;
    w->total = total;
    return watch_tick(w, "fetch");
}

static int pull_files(mp_app *app, const mp_manifest *m)
{
    char dir[PATH_MAX], sha256[65] = "";
    mp_why why = {0};
    watch w = watch_start(app);
    const char *pinned = mp_args_text(&app->args, "sha256", NULL);
    for (size_t i = 0; pinned && i < 64; i++)
        sha256[i] = (char)tolower((unsigned char)pinned[i]);
    pull p = {
        .manifest = m,
        .models_dir = dir,
        .hub = mp_args_text(&app->args, "hub", mp_settings_text(&app->settings, MP_SET_MODELS_HUB)),
        .from = mp_args_text(&app->args, "from", NULL),
        .sha256 = pinned ? sha256 : NULL,
        .stall_s = (int)mp_args_int(&app->args, "stall", 30),
        .say = on_line,
        .on_bytes = on_bytes,
        .arg = &w};
    mp_err err = fetch_models_dir(app, dir, sizeof dir, &why);
    if (!err)
        err = pull_run(&p, &why);
    progress_clear(&w.bar);
    return err ? app_fail_inner(app, err, &why) : pulled(app, m->id);
}

int model_pull(mp_app *app)
{
    mp_why why = {0};
    const char *id = app_operand(app, 1), *file = mp_args_text(&app->args, "manifest", NULL);
    if (app_operand(app, 2))
        return app_usage(app, "one model at a time");
    if (!file && (!id || strcmp(id, "lite") == 0))
        return pull_lite(app);
    if (!file && strcmp(id, "builtin") == 0)
        return app_usage(app, "builtin is part of magpie; there is nothing to fetch");
    mp_manifest *m = mp_xmalloc(sizeof *m);
    mp_err err = file ? pull_read(file, m, &why) : pull_find(id, m, &why);
    int code = EXIT_DONE;
    if (err)
        code = app_fail_inner(app, err, &why);
    else if (id && strcmp(id, m->id) != 0)
        code = app_usage(app, "the manifest is of %s, not of '%.60s'", m->id, id);
    else
        code = pull_files(app, m);
    free(m);
    return code;
}

/* ---- verify ---- */

static bool on_read(void *arg, size_t bytes)
{
    watch *w = arg;
    w->done += (int64_t)bytes;
    return watch_tick(w, "verify");
}

typedef struct verdict {
    const char *word; /* "ok", "missing", "differs" */
    char sha256[65];
    int64_t bytes;
} verdict;

static mp_err look_at(const char *folder, const mp_manifest_file *f, watch *w, verdict *v,
                      mp_why *why)
{
    char path[PATH_MAX + 400];
    mp_sha256 hash;
    *v = (verdict){.word = "missing"};
    snprintf(path, sizeof path, "%s/%s", folder, f->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return MP_OK;
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot read %.300s", path);
    mp_sha256_start(&hash);
    mp_err err = mp_sha256_read(&hash, fd, path, on_read, w, &v->bytes, why);
    mp_sha256_end(&hash, v->sha256);
    close(fd);
    v->word = strcmp(v->sha256, f->sha256) == 0 ? "ok" : "differs";
    return err;
}

static void tell(mp_app *app, const mp_manifest_file *f, const verdict *v, json_t *files)
{
    bool ok = strcmp(v->word, "ok") == 0;
    json_array_append_new(files, json_pack("{ss ss sI ss ss}", "name", f->name, "state", v->word,
                                           "bytes", (json_int_t)v->bytes, "sha256", v->sha256,
                                           "expected", f->sha256));
    if (app->json)
        return;
    term_printf(&app->out, ok ? PAINT_GOOD : PAINT_BAD, "%-8s", v->word);
    if (strcmp(v->word, "differs") == 0)
        printf(" %s: %lld of %lld bytes, SHA-256 %s, and the manifest says %s\n", f->name,
               (long long)v->bytes, (long long)f->bytes, v->sha256, f->sha256);
    else
        printf(" %s\n", f->name);
}

static mp_err verify_files(mp_app *app, const char *folder, const mp_manifest *m, size_t *bad,
                           json_t *files, mp_why *why)
{
    mp_err err = MP_OK;
    watch w = watch_start(app);
    for (size_t i = 0; i < m->n_files; i++)
        w.total += m->files[i].bytes;
    for (size_t i = 0; !err && i < m->n_files; i++) {
        verdict v;
        err = look_at(folder, &m->files[i], &w, &v, why);
        progress_clear(&w.bar);
        if (err)
            break;
        tell(app, &m->files[i], &v, files);
        *bad += strcmp(v.word, "ok") != 0;
    }
    return err;
}

/* The folder of the model that the command names; EXIT_DONE, or the code of what was said. */
static int named_folder(mp_app *app, const char *action, char dir[PATH_MAX],
                        char folder[PATH_MAX + 300])
{
    mp_why why = {0};
    const char *id = app_operand(app, 1);
    if (!id || app_operand(app, 2))
        return app_usage(app, "usage: magpie model %s NAME", action);
    if (strcmp(id, "builtin") == 0)
        return app_usage(app, "builtin is part of magpie; it has no files");
    if (!*id || strchr(id, '/') || *id == '.' || strlen(id) >= MP_MANIFEST_NAME)
        return app_usage(app, "'%.60s' is no name of a model", id);
    mp_err err = fetch_models_dir(app, dir, PATH_MAX, &why);
    snprintf(folder, PATH_MAX + 300, "%s/%s", dir, id);
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}

/* Files that are as they were installed need not be a model that works. */
static mp_err judge_files(mp_app *app, const mp_manifest *m, size_t bad, json_t *files, mp_why *why)
{
    mp_err err = bad ? MP_CORRUPT : model_try(app, app_operand(app, 1), why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("verify"));
        json_object_set_new(o, "id", json_string(m->id));
        json_object_set_new(o, "problems", json_integer((json_int_t)bad));
        json_object_set_new(o, "usable", bad ? json_null() : json_boolean(!err));
        json_object_set(o, "files", files);
        app_json_print(o);
    }
    if (!bad)
        return err;
    return mp_fail(why, MP_CORRUPT,
                   "%zu of %zu files are not as they were installed; to fetch them again: magpie "
                   "model pull %s",
                   bad, m->n_files, m->id);
}

int model_verify(mp_app *app)
{
    char dir[PATH_MAX], folder[PATH_MAX + 300];
    mp_why why = {0};
    size_t bad = 0;
    int code = named_folder(app, "verify", dir, folder);
    if (code)
        return code;
    mp_manifest *m = mp_xmalloc(sizeof *m);
    json_t *files = json_array();
    mp_err err = mp_manifest_load(m, folder, &why);
    if (err == MP_NOT_FOUND)
        mp_fail(&why, err, "%s is not installed in %.300s", app_operand(app, 1), dir);
    if (err == MP_CORRUPT) {
        mp_why inner = why;
        mp_fail(&why, err, "%.400s; to fetch it again: magpie model pull %s", inner.text,
                app_operand(app, 1));
    }
    if (!err)
        err = verify_files(app, folder, m, &bad, files, &why);
    if (!err)
        err = judge_files(app, m, bad, files, &why);
    json_decref(files);
    free(m);
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}

/* ---- remove ---- */

/* Is it the model of the library that this command would work with? */
static int refuse_in_use(mp_app *app, const char *id)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    magpie_model_info *infos;
    size_t n;
    bool used = false;
    magpie_options o = app_options(app, self, sizeof self);
    magpie_err err = magpie_open(&app->library, &o, &why);
    if (err == MAGPIE_NOT_FOUND)
        return EXIT_DONE;
    if (!err)
        err = magpie_models(app->library, &infos, &n, &why);
    if (err)
        return app_fail(app, err, &why);
    for (size_t i = 0; i < n; i++)
        used = used || (infos[i].current && strcmp(infos[i].id, id) == 0);
    magpie_free(infos);
    if (!used)
        return EXIT_DONE;
    char *path = app_escaped(magpie_path(app->library));
    mp_why text = {0};
    mp_err refused = mp_fail(&text, MP_BUSY,
                             "the library in %.300s uses %s; switch it first: magpie model use "
                             "builtin",
                             path, id);
    free(path);
    return app_fail_inner(app, refused, &text);
}

int model_remove(mp_app *app)
{
    char dir[PATH_MAX], folder[PATH_MAX + 300];
    mp_why why = {0};
    int code = named_folder(app, "remove", dir, folder);
    if (!code)
        code = refuse_in_use(app, app_operand(app, 1));
    if (code)
        return code;
    mp_err err = pull_remove(dir, app_operand(app, 1), &why);
    return err ? app_fail_inner(app, err, &why) : model_list(app, "remove");
}
