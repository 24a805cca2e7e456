/* remote_export.c - see remote_export.h. */
#include "app/remote_export.h"

#include "app/progress.h"
#include "app/remote_download.h"
#include "app/stop.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 300 };

static json_t *body_of(const remote_export *e)
{
    json_t *o = json_object();
    if (e->where)
        json_object_set_new(o, "where", json_text(e->where));
    if (e->project)
        json_object_set_new(o, "project_id", json_integer(e->project));
    if (e->vectors)
        json_object_set_new(o, "vectors", json_true());
    json_t *list = json_array();
    for (const char *at = e->manifests ? e->manifests : ""; *(at += strspn(at, ", "));) {
        size_t n = strcspn(at, ", ");
        json_array_append_new(list, json_stringn(at, n));
        at += n;
    }
    if (json_array_size(list))
        json_object_set(o, "manifests", list);
    json_decref(list);
    return o;
}

static bool is_over(const json_t *job)
{
    const char *status = remote_text(job, "status");
    return strcmp(status, "queued") != 0 && strcmp(status, "processing") != 0;
}

/* The state of the job until it is over, or Ctrl-C. *job is replaced. */
static int wait_for(const remote *r, json_t **job)
{
    progress bar = progress_start(r->app, "pictures");
    double began = mp_monotonic_s();
    char *path = remote_path("/api/jobs/%lld", (long long)remote_number(*job, "id"));
    int code = EXIT_DONE;
    while (!code && !is_over(*job) && !stop_asked()) {
        const json_t *at = json_object_get(*job, "progress");
        magpie_progress p = {.stage = "exporting",
                             .done = (uint64_t)remote_number(at, "done"),
                             .total = (uint64_t)remote_number(at, "total"),
                             .elapsed_s = mp_monotonic_s() - began};
        (void)progress_tick(&bar, &p);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        json_decref(*job);
        code = remote_call(r, NULL, path, NULL, job);
    }
    progress_clear(&bar);
    free(path);
    return code;
}

/* Nobody waits for it any more; that it cannot be told so changes nothing here. */
static int cancel(const remote *r, int64_t id)
{
    char *path = remote_path("/api/jobs/%lld/cancel", (long long)id);
    remote_answer answer;
    mp_why why = {0};
    json_t *body = json_object();
    remote_ask ask = {
        .method = "POST", .path = path, .json = body, .stop = &(mp_net_stop){.asked = NULL}};
    if (remote_exchange(r, &ask, &answer, &why) == MP_OK)
        app_note(r->app, PAINT_WARN, "stopped; the export was cancelled");
    json_decref(answer.json);
    json_decref(body);
    free(path);
    return EXIT_INTERRUPTED;
}

static int bring(const remote *r, const json_t *job, const char *to)
{
    const json_t *result = json_object_get(job, "result");
    int64_t id = remote_number(job, "id"), bytes = remote_number(result, "bytes"), got;
    mp_app *app = r->app;
    mp_why why = {0};
    char a[TEXT_SMALL], *path = remote_path("/api/exports/%lld/content", (long long)id);
    if (strcmp(remote_text(job, "status"), "completed") != 0) {
        free(path);
        return remote_failed(r,
                             mp_fail(&why, MP_IO, "the export is %.40s: %.300s",
                                     remote_text(job, "status"), remote_text(job, "error")),
                             &why);
    }
    int code = remote_download(r, path, to, bytes, &got);
    free(path);
    if (code || strcmp(to, "-") == 0)
        return code;
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "path", json_text(to));
        json_object_set_new(o, "kind", json_string("zip"));
        json_object_set_new(o, "items", json_integer(remote_number(result, "images")));
        json_object_set_new(o, "bytes", json_integer(got));
        json_object_set_new(o, "job", json_integer(id));
        app_json_print(o);
    } else if (!app->quiet) {
        char *shown = app_escaped(to);
        printf("wrote %lld pictures, %s to %s\n", (long long)remote_number(result, "images"),
               text_size(a, (double)got), shown);
        free(shown);
    }
    return EXIT_DONE;
}

int remote_export_run(mp_app *app, const remote_export *e)
{
    remote r;
    json_t *job = NULL;
    int code = remote_open(&r, app);
    if (!code)
        code = remote_call(&r, "POST", "/api/exports", body_of(e), &job);
    int64_t id = remote_number(job, "id");
    if (!code)
        code = wait_for(&r, &job);
    if (stop_asked() && id && !(job && is_over(job)))
        code = cancel(&r, id);
    else if (!code)
        code = bring(&r, job, e->to);
    json_decref(job);
    remote_close(&r);
    return code;
}
