/* cmd_jobs.c - jobs of a service: started, looked at, followed, stopped. */
#include "app/commands.h"
#include "app/remote_follow.h"
#include "app/remote_view.h"

#include <stdlib.h>
#include <string.h>

static const mp_option rows[] = {
    {.name = "params",
     .type = MP_OPT_TEXT,
     .value = "JSON",
     .help = "start: what the job is to do, e.g. '{\"operation\": \"reindex\"}'."},
    OPTION_PROJECT("start, list: the project that the job is for."),
    {.name = "status",
     .type = MP_OPT_CHOICE,
     .value = "WORD",
     .choices = "queued|processing|completed|failed|cancelled|dead",
     .help = "list: only jobs in this state."},
    {.name = "count",
     .letter = 'k',
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "50",
     .min = 1,
     .max = 100000,
     .help = "list: at most this many, the newest first."},
    {.name = "follow",
     .letter = 'f',
     .type = MP_OPT_FLAG,
     .help = "logs, start: go on until the job ends, or Ctrl-C."},
};

static int list(remote *r, int64_t id)
{
    static const remote_column columns[] = {{{"id", true, false}, "id"},
                                            {{"type", false, false}, "type"},
                                            {{"status", false, false}, "status"},
                                            {{"done", true, false}, "progress.done"},
                                            {{"of", true, false}, "progress.total"},
                                            {{"created", false, false}, "created_at"},
                                            {{"error", false, true}, "error"}};
    const mp_args *args = &r->app->args;
    const char *status = mp_args_text(args, "status", NULL);
    int64_t project = mp_args_int(args, "project", 0);
    json_t *all;
    mp_buf path = {0};
    (void)id;
    mp_buf_printf(&path, "/api/jobs?limit=%lld",
                  (long long)MP_MIN(mp_args_int(args, "count", 50), (int64_t)100));
    if (status)
        mp_buf_printf(&path, "&status=%s", status);
    if (project)
        mp_buf_printf(&path, "&project_id=%lld", (long long)project);
    int code = remote_list(r, path.p, "jobs", (size_t)mp_args_int(args, "count", 50), &all);
    if (!code)
        remote_show_list(r->app, "list", "jobs", all, columns, MP_COUNT(columns));
    mp_buf_free(&path);
    return code;
}

static int on_one(remote *r, const char *method, const char *action, int64_t id)
{
    json_t *job;
    bool show = strcmp(action, "show") == 0;
    char *path =
        remote_path("/api/jobs/%lld%s%s", (long long)id, show ? "" : "/", show ? "" : action);
    int code = remote_call(r, method, path, show ? NULL : json_object(), &job);
    if (!code)
        remote_show_one(r->app, action, "job", job);
    free(path);
    return code;
}

static int show(remote *r, int64_t id)
{
    return on_one(r, NULL, "show", id);
}

static int cancel(remote *r, int64_t id)
{
    return on_one(r, "POST", "cancel", id);
}

static int retry(remote *r, int64_t id)
{
    return on_one(r, "POST", "retry", id);
}

static int logs(remote *r, int64_t id)
{
    static const remote_column columns[] = {
        {{"", false, false}, "at"}, {{"", false, false}, "level"}, {{"", false, true}, "text"}};
    json_t *page = NULL;
    if (mp_args_flag(&r->app->args, "follow"))
        return remote_follow(r, id);
    char *path = remote_path("/api/jobs/%lld/logs?limit=1000", (long long)id);
    int code = remote_call(r, NULL, path, NULL, &page);
    json_t *lines = json_object_get(page, "logs");
    if (!code)
        remote_show_list(r->app, "logs", "logs", lines ? json_incref(lines) : json_array(), columns,
                         MP_COUNT(columns));
    json_decref(page);
    free(path);
    return code;
}

static int start(remote *r, int64_t id)
{
    mp_app *app = r->app;
    int64_t project = mp_args_int(&app->args, "project", 0);
    const char *text = mp_args_text(&app->args, "params", "{}");
    json_t *job, *params = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    (void)id;
    if (!json_is_object(params)) {
        json_decref(params);
        return app_usage(app,
                         "--params must be a JSON object, such as '{\"operation\": \"reindex\"}'");
    }
    json_t *body =
        json_pack("{s:o, s:o}", "type", json_text(app_operand(app, 1)), "params", params);
    if (project)
        json_object_set_new(body, "project_id", json_integer(project));
    int code = remote_call(r, "POST", "/api/jobs", body, &job);
    if (code)
        return code;
    id = remote_number(job, "id");
    remote_show_one(app, "start", "job", job);
    return mp_args_flag(&app->args, "follow") ? remote_follow(r, id) : EXIT_DONE;
}

static int run(mp_app *app)
{
    static const remote_action actions[] = {
        {"list", list, false, 0, 0},  {"show", show, true, 1, 1}, {"cancel", cancel, true, 1, 1},
        {"retry", retry, true, 1, 1}, {"logs", logs, true, 1, 1}, {"start", start, false, 1, 1}};
    return remote_act(app, actions, MP_COUNT(actions));
}

const mp_command command_jobs = {
    .name = "jobs",
    .summary = "Start, see, follow and stop the jobs of a service",
    .usage = "jobs [list] [--status WORD] [--project ID]\njobs show ID | cancel ID | retry ID\n"
             "jobs logs ID [--follow]\njobs start TYPE --params JSON [--follow]",
    .about =
        "Jobs are the slow work of a service. logs --follow prints the job's lines as they come "
        "and ends with the job, with status 1 when that failed or was cancelled; Ctrl-C ends the "
        "following, not the job.\n"
        "  magpie jobs start processing --params '{\"operation\": \"reindex\"}' --follow",
    OPTIONS_OF(rows),
    .words = "list show cancel retry logs start",
    .operand = MP_OPERAND_WORDS,
    .run = run,
};
