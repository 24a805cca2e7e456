/* cmd_assets.c - assets of a service, pictures and others, with their versions. */
#include "app/commands.h"
#include "app/remote_download.h"
#include "app/remote_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const mp_option rows[] = {
    OPTION_PROJECT("list, upload: the project."),
    {.name = "type",
     .type = MP_OPT_TEXT,
     .value = "WORD",
     .help = "list: only of this type; upload: its type (default: told from the file)."},
    {.name = "output",
     .letter = 'o',
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "download: where to; - for standard output (default: its name, here)."},
    {.name = "version",
     .type = MP_OPT_INT,
     .value = "N",
     .min = 1,
     .max = 9e15,
     .help = "download: this version instead of the newest."},
    {.name = "replace",
     .type = MP_OPT_INT,
     .value = "ID",
     .min = 1,
     .max = 9e15,
     .help = "upload: as a new version of this asset."},
};

static int project_of(const remote *r, int64_t *out)
{
    *out = mp_args_int(&r->app->args, "project", 0);
    return *out ? EXIT_DONE : app_usage(r->app, "which project? --project ID (magpie projects)");
}

static int list(remote *r, int64_t id)
{
    static const remote_column columns[] = {
        {{"id", true, false}, "id"},        {{"type", false, false}, "type"},
        {{"bytes", true, false}, "bytes"},  {{"version", true, false}, "version"},
        {{"state", false, false}, "state"}, {{"name", false, true}, "name"}};
    const char *type = mp_args_text(&r->app->args, "type", NULL);
    json_t *all;
    mp_buf path = {0};
    int code = project_of(r, &id);
    if (code)
        return code;
    mp_buf_printf(&path, "/api/projects/%lld/assets?limit=200", (long long)id);
    if (type) {
        mp_buf_str(&path, "&type=");
        remote_escape(&path, type);
    }
    code = remote_list(r, path.p, "assets", 0, &all);
    if (!code)
        remote_show_list(r->app, "list", "assets", all, columns, MP_COUNT(columns));
    mp_buf_free(&path);
    return code;
}

static int get(const remote *r, int64_t id, json_t **out)
{
    char *path = remote_path("/api/assets/%lld", (long long)id);
    int code = remote_call(r, NULL, path, NULL, out);
    free(path);
    return code;
}

static int show(remote *r, int64_t id)
{
    json_t *asset;
    int code = get(r, id, &asset);
    if (!code)
        remote_show_one(r->app, "show", "asset", asset);
    return code;
}

static int list_versions(const remote *r, int64_t id, json_t **out)
{
    char *path = remote_path("/api/assets/%lld/versions?limit=200", (long long)id);
    int code = remote_list(r, path, "versions", 0, out);
    free(path);
    return code;
}

static int versions(remote *r, int64_t id)
{
    static const remote_column columns[] = {
        {{"version", true, false}, "number"},   {{"bytes", true, false}, "bytes"},
        {{"current", false, false}, "current"}, {{"created", false, false}, "created_at"},
        {{"sha256", false, true}, "sha256"},    {{"name", false, true}, "name"}};
    json_t *all;
    int code = list_versions(r, id, &all);
    if (!code)
        remote_show_list(r->app, "versions", "versions", all, columns, MP_COUNT(columns));
    return code;
}

/* ---- down ---- */

/* What is to be downloaded: its bytes, and its name for a file here. */
static int find_version(const remote *r, int64_t id, int64_t number, json_t **out)
{
    json_t *all, *row;
    size_t i;
    mp_why why = {0};
    if (!number)
        return get(r, id, out);
    int code = list_versions(r, id, &all);
    if (code)
        return code;
    *out = NULL;
    json_array_foreach(all, i, row)
    {
        if (remote_number(row, "number") == number)
            *out = json_incref(row);
    }
    json_decref(all);
    if (*out)
        return EXIT_DONE;
    return remote_failed(r,
                         mp_fail(&why, MP_NOT_FOUND, "asset #%lld has no version %lld",
                                 (long long)id, (long long)number),
                         &why);
}

/* A name that a server gave is no path. */
static bool is_plain(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/');
}

static int tell_file(mp_app *app, int64_t id, const char *to, int64_t bytes)
{
    char a[TEXT_SMALL], *shown = app_escaped(to);
    if (app->json && strcmp(to, "-") != 0) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("download"));
        json_object_set_new(o, "id", json_integer(id));
        json_object_set_new(o, "path", json_text(to));
        json_object_set_new(o, "bytes", json_integer(bytes));
        app_json_print(o);
    } else if (!app->quiet && strcmp(to, "-") != 0) {
        printf("wrote %s to %s\n", text_size(a, (double)bytes), shown);
    }
    free(shown);
    return EXIT_DONE;
}

static int download(remote *r, int64_t id)
{
    const mp_args *args = &r->app->args;
    const char *to = mp_args_text(args, "output", NULL);
    int64_t number = mp_args_int(args, "version", 0), got;
    json_t *what;
    int code = find_version(r, id, number, &what);
    if (code)
        return code;
    const char *name = remote_text(what, "name");
    char *path = number ? remote_path("/api/assets/%lld/versions/%lld/content", (long long)id,
                                      (long long)number)
                        : remote_path("/api/assets/%lld/content", (long long)id);
    if (!to && !is_plain(name))
        code = app_usage(r->app, "it has no name for a file here: say -o FILE");
    else if (!to && access(name, F_OK) == 0)
        code = app_usage(r->app, "there is a file of its name here: say -o FILE");
    to = to ? to : name;
    if (!code)
        code = remote_download(r, path, to, remote_number(what, "bytes"), &got);
    if (!code)
        code = tell_file(r->app, id, to, got);
    json_decref(what);
    free(path);
    return code;
}

/* ---- up ---- */

static char *upload_path(const remote *r, const char *file)
{
    const char *slash = strrchr(file, '/'), *type = mp_args_text(&r->app->args, "type", NULL);
    mp_buf path = {0};
    mp_buf_printf(&path, "/api/projects/%lld/assets?name=",
                  (long long)mp_args_int(&r->app->args, "project", 0));
    remote_escape(&path, slash ? slash + 1 : file);
    if (type) {
        mp_buf_str(&path, "&type=");
        remote_escape(&path, type);
    }
    return path.p;
}

static mp_err send_file(const remote *r, const char *file, const char *path, remote_answer *out,
                        mp_why *why)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    *out = (remote_answer){0};
    if (fd < 0 || fstat(fd, &st) != 0) {
        mp_err err = mp_fail_errno(why, errno, "cannot read %.300s", file);
        if (fd >= 0)
            close(fd);
        return err;
    }
    mp_net_upload body = {.fd = fd, .bytes = (int64_t)st.st_size};
    remote_ask ask = {.method = "POST", .path = path, .upload = &body};
    mp_err err = S_ISREG(st.st_mode) ? remote_exchange(r, &ask, out, why)
                                     : mp_fail(why, MP_INVALID, "%.300s is no file", file);
    close(fd);
    return err;
}

static int upload(remote *r, int64_t id)
{
    const char *file = app_operand(r->app, 1);
    int64_t replaced = mp_args_int(&r->app->args, "replace", 0);
    remote_answer answer;
    mp_why why = {0};
    int code = replaced ? EXIT_DONE : project_of(r, &id);
    if (code)
        return code;
    char *path = replaced ? remote_path("/api/assets/%lld/versions", (long long)replaced)
                          : upload_path(r, file);
    mp_err err = send_file(r, file, path, &answer, &why);
    json_t *asset =
        replaced ? answer.json : json_array_get(json_object_get(answer.json, "assets"), 0);
    if (err)
        code = remote_failed(r, err, &why);
    else
        remote_show_one(r->app, "upload", "asset", asset ? json_incref(asset) : json_object());
    json_decref(answer.json);
    free(path);
    return code;
}

/* ---- changes ---- */

static int restore(remote *r, int64_t id)
{
    int64_t number;
    json_t *asset;
    if (!app_parse_id(app_operand(r->app, 2), &number))
        return app_usage(r->app, "the version is a number (magpie assets versions %lld)",
                         (long long)id);
    char *path =
        remote_path("/api/assets/%lld/versions/%lld/restore", (long long)id, (long long)number);
    int code = remote_call(r, "POST", path, json_object(), &asset);
    if (!code)
        remote_show_one(r->app, "restore", "asset", asset);
    free(path);
    return code;
}

static int drop(remote *r, int64_t id)
{
    char *path = remote_path("/api/assets/%lld", (long long)id);
    int code = remote_call(r, "DELETE", path, NULL, NULL);
    if (!code)
        remote_show_done(r->app, "rm", id, "removed asset");
    free(path);
    return code;
}

static int run(mp_app *app)
{
    static const remote_action actions[] = {{"list", list, false, 0, 0},
                                            {"show", show, true, 1, 1},
                                            {"download", download, true, 1, 1},
                                            {"upload", upload, false, 1, 1},
                                            {"versions", versions, true, 1, 1},
                                            {"restore", restore, true, 2, 2},
                                            {"rm", drop, true, 1, 1}};
    return remote_act(app, actions, MP_COUNT(actions));
}

const mp_command command_assets = {
    .name = "assets",
    .summary = "See, fetch and change the assets of a service's projects",
    .usage = "assets [list] --project ID [--type WORD]\nassets show ID | versions ID | rm ID\n"
             "assets download ID [-o FILE] [--version N]\n"
             "assets upload FILE --project ID [--type WORD]\nassets upload FILE --replace ID\n"
             "assets restore ID N",
    .about = "Assets are files of any type in a project; pictures among them can be searched for. "
             "New bytes are a new version, and each version can be fetched and made the current "
             "one again. A download appears under its name only when it is whole.\n"
             "  magpie assets upload plan.pdf --project 2\n"
             "  magpie assets download 12 -o plan.pdf",
    OPTIONS_OF(rows),
    .words = "list show download upload versions restore rm",
    .operand = MP_OPERAND_FILES,
    .run = run,
};
