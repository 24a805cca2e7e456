/* cmd_projects.c - projects of a service. */
#include "app/commands.h"
#include "app/remote_view.h"

#include <stdlib.h>

static const mp_option rows[] = {
    {.name = "description",
     .type = MP_OPT_TEXT,
     .value = "TEXT",
     .help = "create: what the project is for."},
    {.name = "force", .type = MP_OPT_FLAG, .help = "rm: with all that it holds."},
};

static int list(remote *r, int64_t id)
{
    static const remote_column columns[] = {
        {{"id", true, false}, "id"},          {{"name", false, true}, "name"},
        {{"role", false, false}, "role"},     {{"assets", true, false}, "assets"},
        {{"status", false, false}, "status"}, {{"description", false, true}, "description"}};
    json_t *all;
    (void)id;
    int code = remote_list(r, "/api/projects?limit=200", "projects", 0, &all);
    if (!code)
        remote_show_list(r->app, "list", "projects", all, columns, MP_COUNT(columns));
    return code;
}

static int create(remote *r, int64_t id)
{
    json_t *made, *body = json_object();
    const char *description = mp_args_text(&r->app->args, "description", NULL);
    (void)id;
    json_object_set_new(body, "name", json_text(app_operand(r->app, 1)));
    if (description)
        json_object_set_new(body, "description", json_text(description));
    int code = remote_call(r, "POST", "/api/projects", body, &made);
    if (!code)
        remote_show_one(r->app, "create", "project", made);
    return code;
}

static int show(remote *r, int64_t id)
{
    json_t *project;
    char *path = remote_path("/api/projects/%lld", (long long)id);
    int code = remote_call(r, NULL, path, NULL, &project);
    if (!code)
        remote_show_one(r->app, "show", "project", project);
    free(path);
    return code;
}

static int archive(remote *r, int64_t id)
{
    char *path = remote_path("/api/projects/%lld", (long long)id);
    int code = remote_call(r, "PATCH", path, json_pack("{s:s}", "status", "archived"), NULL);
    if (!code)
        remote_show_done(r->app, "archive", id, "archived project");
    free(path);
    return code;
}

static int drop(remote *r, int64_t id)
{
    bool force = mp_args_flag(&r->app->args, "force");
    char *path = remote_path("/api/projects/%lld%s", (long long)id, force ? "?force=true" : "");
    int code = remote_call(r, "DELETE", path, NULL, NULL);
    if (!code)
        remote_show_done(r->app, "rm", id, "removed project");
    free(path);
    return code;
}

static int run(mp_app *app)
{
    static const remote_action actions[] = {{"list", list, false, 0, 0},
                                            {"create", create, false, 1, 1},
                                            {"show", show, true, 1, 1},
                                            {"archive", archive, true, 1, 1},
                                            {"rm", drop, true, 1, 1}};
    return remote_act(app, actions, MP_COUNT(actions));
}

const mp_command command_projects = {
    .name = "projects",
    .summary = "See and change the projects of a service",
    .usage = "projects [list]\nprojects create NAME [--description TEXT]\n"
             "projects show ID | archive ID | rm ID [--force]",
    .about = "Projects keep pictures and other assets of one purpose together and say who reaches "
             "them. The service and the token are those of --server and --token. An archived "
             "project can be read; rm removes one that is empty, with --force also what it holds.\n"
             "  magpie projects create Rome --server https://pictures.example.org",
    OPTIONS_OF(rows),
    .words = "list create show archive rm",
    .operand = MP_OPERAND_WORDS,
    .run = run,
};
