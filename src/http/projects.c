/* projects.c - projects over HTTP: whose they are, what they are called, who shares in them.
 *
 * An owner manages a project, and so do administrators and operators; editors write to it, viewers
 * and guests read it. To everybody else it is not there. An archived project can be read, put back
 * into use, and removed. */
#include "http/body.h"
#include "http/ingest.h"
#include "http/items.h"
#include "http/notes.h"
#include "http/server.h"
#include "service/assets.h"
#include "service/retention.h"
#include "service/secrets.h"

#include "base/os.h"
#include "core/ports.h"

#include <string.h>

enum { NAME = 255, DESCRIPTION = 8192 };

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

/* ---- which one, and may they ---- */

static bool owns(const mp_request *r, const mp_project *p)
{
    return strcmp(p->role, "owner") == 0 || strcmp(r->user.role, "admin") == 0;
}

/* The project of the path. manage: as its owner. */
static bool project_asked(mp_request *r, bool manage, mp_project *out)
{
    mp_why why = {0};
    int64_t id;
    if (!mp_path_number(r, r->param[0], "project", &id))
        return false;
    if (!mp_access_may(&r->access, id, false)) {
        mp_reply_problem(r, 404, "there is no such project");
        return false;
    }
    mp_err err = mp_meta_get_project(meta_of(r), id, r->user.id, r->arena, out, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    if (!manage || r->access.all || owns(r, out))
        return true;
    mp_reply_problem(r, 403, "only its owner may do this");
    return false;
}

static bool refuse_archived(mp_request *r, const mp_project *p)
{
    bool archived = strcmp(p->status, "active") != 0;
    if (archived)
        mp_reply_problem(r, 409, "this project is archived");
    return archived;
}

/* What is secret in it is for the worker alone, whoever reads. */
static json_t *config_json(const char *text)
{
    json_t *config = mp_object_json(text);
    mp_secrets_hide(config);
    return config;
}

static json_t *project_json(const mp_project *p)
{
    return json_pack(
        "{s:I, s:o, s:s, s:s, s:o, s:s, s:b, s:s, s:I, s:o, s:o}", "id", (json_int_t)p->id,
        "owner_id", p->owner_id ? json_integer(p->owner_id) : json_null(), "name", p->name,
        "description", p->description, "config", config_json(p->config), "status", p->status,
        "is_default", (int)p->is_default, "role", p->role, "assets", (json_int_t)p->assets,
        "created_at", mp_time_json(p->created_ms), "updated_at", mp_time_json(p->updated_ms));
}

static void send_project(mp_request *r, int status, int64_t id)
{
    mp_project p;
    mp_why why = {0};
    mp_err err = mp_meta_get_project(meta_of(r), id, r->user.id, r->arena, &p, &why);
    if (!err)
        err = mp_meta_count_assets(meta_of(r), id, &p.assets, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_json(r, status, project_json(&p));
}

/* The body's config as it is to be stored: secrets that are written as they are shown stay those of
 * `stored`. NULL when there is none. 422. */
static bool read_config(mp_request *r, const char *stored, const char **out)
{
    mp_why why = {0};
    json_t *config = json_object_get(r->json, "config");
    json_t *old = config ? mp_object_json(stored) : NULL;
    mp_err err = config ? mp_secrets_keep(config, old, &why) : MP_OK;
    json_decref(old);
    if (!err)
        err = mp_retention_check(config, &why);
    if (!err)
        err = mp_gate_check(config, &why);
    if (err)
        mp_reply_problem(r, 422, "config: %s", why.text);
    return !err && mp_body_object(r, "config", out);
}

/* ---- the list, one, a new one ---- */

void mp_handle_list_projects(mp_request *r)
{
    static const char *const statuses[] = {NULL, "active", "archived"};
    mp_project *list;
    size_t n;
    int status;
    int64_t after;
    long long limit;
    mp_why why = {0};
    if (!mp_request_number(r, "limit", 1, 200, 50, &limit) || !mp_query_cursor(r, &after) ||
        !mp_request_choice(r, "status", "all|active|archived", &status))
        return;
    mp_err err = mp_meta_list_projects(meta_of(r), r->user.id, r->access.all, statuses[status],
                                       after, (size_t)limit + 1, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n > (size_t)limit;
    n -= more;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, project_json(&list[i]));
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:o}", "projects", rows, "next_cursor",
                            mp_next_cursor(r, more, n ? list[n - 1].id : 0)));
}

void mp_handle_get_project(mp_request *r)
{
    mp_project p;
    if (project_asked(r, false, &p))
        send_project(r, 200, p.id);
}

void mp_handle_add_project(mp_request *r)
{
    static const mp_member members[] = {{"name", JSON_STRING, true, 1, NAME},
                                        {"description", JSON_STRING, false, 0, DESCRIPTION},
                                        {"config", JSON_OBJECT, false, 0, 0}};
    mp_why why = {0};
    int64_t id;
    const char *config;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_name_fine(r, mp_body_text(r, "name")) ||
        !read_config(r, "{}", &config))
        return;
    mp_project p = {.owner_id = r->user.id,
                    .name = mp_body_text(r, "name"),
                    .description = mp_body_text(r, "description"),
                    .config = config ? config : "{}",
                    .status = "active",
                    .created_ms = mp_now_ms()};
    mp_err err = mp_meta_add_project(meta_of(r), &p, &id, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "project.create", "#%lld %s", (long long)id, p.name);
    send_project(r, 201, id);
}

/* ---- changes ---- */

/* Of an archived one the status alone can be changed, or all of it when that makes it active. */
static bool may_change(mp_request *r, const mp_project *p, const char *status)
{
    bool alone = status && json_object_size(r->json) == 1;
    return alone || (status && strcmp(status, "active") == 0) || !refuse_archived(r, p);
}

void mp_handle_change_project(mp_request *r)
{
    static const mp_member members[] = {{"name", JSON_STRING, false, 1, NAME},
                                        {"description", JSON_STRING, false, 0, DESCRIPTION},
                                        {"config", JSON_OBJECT, false, 0, 0},
                                        {"status", JSON_STRING, false, 1, 16}};
    mp_project p;
    mp_why why = {0};
    const char *config;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !project_asked(r, true, &p))
        return;
    const char *name = json_string_value(json_object_get(r->json, "name"));
    const char *description = json_string_value(json_object_get(r->json, "description"));
    const char *status = json_string_value(json_object_get(r->json, "status"));
    if ((name && !mp_name_fine(r, name)) || !read_config(r, p.config, &config))
        return;
    if (status && strcmp(status, "active") != 0 && strcmp(status, "archived") != 0) {
        mp_reply_problem(r, 422, "status must be active or archived");
        return;
    }
    if (!may_change(r, &p, status))
        return;
    mp_err err = mp_meta_change_project(meta_of(r), p.id, name, description, config, status,
                                        mp_now_ms(), &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "project.change", "#%lld%s%s%s%s%s%s", (long long)p.id, name ? " name " : "",
                   name ? name : "", description ? " description" : "", config ? " config" : "",
                   status ? " " : "", status ? status : "");
    send_project(r, 200, p.id);
}

void mp_handle_delete_project(mp_request *r)
{
    mp_project p;
    mp_why why = {0};
    int force;
    if (!mp_request_choice(r, "force", "false|true", &force) || !project_asked(r, true, &p))
        return;
    if (force && !owns(r, &p)) {
        mp_reply_problem(r, 403, "only its owner or an administrator may remove what it holds");
        return;
    }
    size_t removed = 0;
    mp_err err = mp_project_remove(r->service->library, p.id, force, &removed, &why);
    if (removed || !err)
        mp_note_change(r, "project.delete", "#%lld %s%s, with %zu assets", (long long)p.id, p.name,
                       err ? " (not finished)" : "", removed);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

/* ---- members ---- */

static json_t *member_json(int64_t user_id, const char *username, const char *role)
{
    return json_pack("{s:I, s:s, s:s}", "user_id", (json_int_t)user_id, "username", username,
                     "role", role);
}

void mp_handle_list_members(mp_request *r)
{
    mp_project p;
    mp_project_member *list;
    size_t n;
    mp_why why = {0};
    if (!project_asked(r, false, &p))
        return;
    mp_err err = mp_meta_list_members(meta_of(r), p.id, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, member_json(list[i].user_id, list[i].username, list[i].role));
    mp_reply_json(r, 200, json_pack("{s:o}", "members", rows));
}

/* The user that the body names by number or by name. */
static bool user_meant(mp_request *r, mp_user *out)
{
    mp_why why = {0};
    const json_t *id = json_object_get(r->json, "user_id");
    const char *name = mp_body_text(r, "username");
    if (!id == !*name) {
        mp_reply_problem(r, 422, "one of user_id and username is needed");
        return false;
    }
    mp_err err = id ? mp_meta_get_user(meta_of(r), json_integer_value(id), r->arena, out, &why)
                    : mp_meta_find_user(meta_of(r), name, r->arena, out, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

void mp_handle_put_member(mp_request *r)
{
    static const mp_member members[] = {{"user_id", JSON_INTEGER, false, 1, 9e15},
                                        {"username", JSON_STRING, false, 1, 254},
                                        {"role", JSON_STRING, true, 1, 16}};
    mp_project p;
    mp_user user;
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !project_asked(r, true, &p) ||
        refuse_archived(r, &p))
        return;
    const char *role = mp_body_text(r, "role");
    if (strcmp(role, "viewer") != 0 && strcmp(role, "editor") != 0) {
        mp_reply_problem(r, 422, "role must be viewer or editor");
        return;
    }
    if (!user_meant(r, &user))
        return;
    if (user.id == p.owner_id) {
        mp_reply_problem(r, 422, "%s owns this project", user.username);
        return;
    }
    mp_err err = mp_meta_set_member(meta_of(r), p.id, user.id, role, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "project.member", "#%lld %s is %s", (long long)p.id, user.username, role);
    mp_reply_json(r, 200, member_json(user.id, user.username, role));
}

void mp_handle_drop_member(mp_request *r)
{
    mp_project p;
    mp_why why = {0};
    int64_t user_id;
    if (!project_asked(r, true, &p) || !mp_path_number(r, r->param[1], "member", &user_id) ||
        refuse_archived(r, &p))
        return;
    mp_err err = mp_meta_set_member(meta_of(r), p.id, user_id, "", &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "project.member", "#%lld user %lld is no member", (long long)p.id,
                   (long long)user_id);
    mp_reply_text(r, 204, NULL, (mp_str){0});
}
