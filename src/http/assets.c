/* assets.c - assets of any type over HTTP: how they come in, are listed, shown, changed and go.
 * Pictures among them are the items of images.c. */
#include "http/assets.h"

#include "http/body.h"
#include "http/items.h"
#include "http/links.h"
#include "http/notes.h"
#include "http/server.h"
#include "service/assets.h"

#include "base/os.h"
#include "core/ports.h"

#include <string.h>
#include <strings.h>

enum { NAME = 255, TITLE = 512, DESCRIPTION = 8192 };

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

/* ---- which one, and may they ---- */

bool mp_asset_asked(mp_request *r, bool write, mp_asset *out)
{
    mp_why why = {0};
    int64_t id;
    if (!mp_path_number(r, r->param[0], "asset", &id))
        return false;
    mp_err err = mp_meta_get_asset(meta_of(r), id, r->arena, out, &why);
    if (err && err != MP_NOT_FOUND) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    if (err || (!r->by_link && !mp_access_may(&r->access, out->project_id, false))) {
        mp_reply_problem(r, 404, "there is no such asset");
        return false;
    }
    if (write && !mp_project_reached(r, out->project_id, true))
        return false;
    if (write && out->state == MP_TRASHED) {
        mp_reply_problem(r, 409, "it is in the trash");
        return false;
    }
    return true;
}

/* The project of the path. */
static bool project_asked(mp_request *r, bool write, int64_t *id)
{
    return mp_path_number(r, r->param[0], "project", id) && mp_project_reached(r, *id, write);
}

/* ---- JSON ---- */

json_t *mp_sha256_json(const mp_sha256 *sha256)
{
    char hex[65];
    mp_hex(sha256->byte, sizeof sha256->byte, hex);
    return json_string(hex);
}

static bool is_picture(const mp_asset *a)
{
    return strcmp(a->type, "image") == 0;
}

json_t *mp_asset_json(mp_request *r, const mp_asset *a)
{
    static const char *const states[] = {"present", "missing", "trashed"};
    const mp_version *v = &a->version;
    const char *content = mp_request_text(r, "/api/assets/%lld/content", (long long)a->id);
    json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:s, s:o, s:I}", "id", (json_int_t)a->id,
                          "project_id", (json_int_t)a->project_id, "user_id",
                          (json_int_t)a->user_id, "type", a->type, "state", states[a->state],
                          "created_at", mp_time_json(a->added_ms), "bytes", (json_int_t)v->bytes);
    json_object_set_new(o, "name", mp_loose_text(a->name));
    json_object_set_new(o, "title", mp_loose_text(a->title));
    json_object_set_new(o, "description", mp_loose_text(a->description));
    json_object_set_new(o, "metadata", mp_object_json(a->metadata));
    json_object_set_new(o, "sha256", mp_sha256_json(&v->sha256));
    json_object_set_new(o, "version", json_integer(v->number));
    json_object_set_new(o, "updated_at", mp_time_json(v->created_ms));
    json_object_set_new(o, "format", json_string(v->format));
    json_object_set_new(o, "width", json_integer(v->width));
    json_object_set_new(o, "height", json_integer(v->height));
    json_object_set_new(o, "content_url", json_string(mp_link_to(r, content)));
    if (is_picture(a))
        json_object_set_new(o, "preview_url", json_string(mp_preview_url(r, a->id)));
    return o;
}

void mp_send_asset(mp_request *r, int code, int64_t id, const char *status)
{
    mp_asset a;
    mp_why why = {0};
    mp_err err = mp_meta_get_asset(meta_of(r), id, r->arena, &a, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *o = mp_asset_json(r, &a);
    if (status)
        json_object_set_new(o, "status", json_string(status));
    mp_reply_json(r, code, o);
}

/* ---- lists and one ---- */

void mp_handle_list_assets(mp_request *r)
{
    mp_asset *list;
    size_t n;
    int64_t project, after;
    long long limit;
    mp_why why = {0};
    const char *type = mp_request_query(r, "type"), *glob = mp_request_query(r, "q");
    if (!mp_request_number(r, "limit", 1, 200, 50, &limit) || !mp_query_cursor(r, &after) ||
        !project_asked(r, false, &project))
        return;
    type = type && *type ? type : NULL;
    if ((type && !mp_asset_type_fine(type)) || (glob && strlen(glob) > NAME)) {
        mp_reply_problem(r, 422, "type must be a word, and q have at most %d bytes", NAME);
        return;
    }
    mp_err err = mp_meta_list_assets(meta_of(r), project, type, glob && *glob ? glob : NULL, after,
                                     (size_t)limit + 1, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n > (size_t)limit;
    n -= more;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, mp_asset_json(r, &list[i]));
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:o}", "assets", rows, "next_cursor",
                            mp_next_cursor(r, more, n ? list[n - 1].id : 0)));
}

void mp_handle_get_asset(mp_request *r)
{
    mp_asset a;
    if (mp_asset_asked(r, false, &a))
        mp_reply_json(r, 200, mp_asset_json(r, &a));
}

/* ---- coming in ---- */

/* Refused before the body is read. */
bool mp_admit_assets(mp_request *r)
{
    int64_t project;
    return project_asked(r, true, &project);
}

/* A field of the form, or of the query; "" when it is in neither. */
static const char *field_of(const mp_request *r, const char *name)
{
    const char *text = NULL;
    for (size_t i = 0; i < r->n_parts; i++)
        if (!r->parts[i].file_name && strcmp(r->parts[i].field, name) == 0)
            text = r->parts[i].text;
    if (!text)
        text = mp_request_query(r, name);
    return text ? text : "";
}

static bool fields_known(mp_request *r)
{
    static const char *const names[] = {"type", "title", "description", "metadata"};
    for (size_t i = 0; i < r->n_parts; i++) {
        bool known = r->parts[i].file_name != NULL;
        for (size_t k = 0; k < MP_COUNT(names); k++)
            known = known || strcmp(r->parts[i].field, names[k]) == 0;
        if (!known) {
            mp_reply_problem(r, 422, "%.60s is not known here", r->parts[i].field);
            return false;
        }
    }
    return true;
}

static bool is_text(const char *text, size_t most)
{
    json_t *s = json_string(text);
    bool fine = s && strlen(text) <= most;
    json_decref(s);
    return fine;
}

static bool read_put(mp_request *r, mp_asset_put *put)
{
    const char *metadata = field_of(r, "metadata");
    *put = (mp_asset_put){.user_id = r->user.id,
                          .type = field_of(r, "type"),
                          .title = field_of(r, "title"),
                          .description = field_of(r, "description")};
    if (!fields_known(r) || !project_asked(r, true, &put->project_id))
        return false;
    if (*put->type && !mp_asset_type_fine(put->type)) {
        mp_reply_problem(r, 422, "type has 1 to %d of a-z, 0-9, _ and -, a letter first",
                         MP_TYPE_MAX);
        return false;
    }
    if (!is_text(put->title, TITLE) || !is_text(put->description, DESCRIPTION)) {
        mp_reply_problem(r, 422, "title has at most %d bytes of UTF-8, description %d", TITLE,
                         DESCRIPTION);
        return false;
    }
    return mp_text_object(r, "metadata", *metadata ? metadata : "{}", &put->metadata);
}

typedef struct tally {
    json_t *rows;
    size_t added, known, refused;
} tally;

static void take_file(mp_request *r, const mp_part *part, mp_asset_put *put, tally *t)
{
    mp_asset a;
    mp_why why = {0};
    int64_t id;
    bool known;
    json_t *row;
    const char *given = *part->file_name ? part->file_name : field_of(r, "name");
    put->name = mp_file_name(r, given, "file");
    mp_err err = mp_asset_add(r->service->library, part->fd, put, &id, &known, &why);
    if (!err)
        err = mp_meta_get_asset(meta_of(r), id, r->arena, &a, &why);
    if (err) {
        mp_reply_failure(r, err, &why); /* the status and words that it would have alone */
        json_t *words = json_string(why.text);
        row = json_pack("{s:s, s:i, s:o}", "status", "refused", "code", r->reply.status, "error",
                        r->reply.status < 500 && words ? json_incref(words)
                                                       : json_string("try again"));
        json_decref(words);
    } else {
        row = mp_asset_json(r, &a);
        json_object_set_new(row, "status", json_string(known ? "known" : "added"));
    }
    json_object_set_new(row, "file_name", mp_loose_text(put->name));
    json_array_append_new(t->rows, row);
    *(err ? &t->refused : known ? &t->known : &t->added) += 1;
}

void mp_handle_add_assets(mp_request *r)
{
    mp_asset_put put;
    tally t = {0};
    if (!read_put(r, &put))
        return;
    t.rows = json_array();
    for (size_t i = 0; i < r->n_parts; i++)
        if (r->parts[i].file_name)
            take_file(r, &r->parts[i], &put, &t);
    size_t n = json_array_size(t.rows);
    if (!n)
        mp_reply_problem(r, 422, "there is no file in the body");
    if (!n || (n == 1 && t.refused)) { /* one that is refused alone is a problem of its own */
        json_decref(t.rows);
        return;
    }
    r->reply.n_headers = 0; /* of a refusal */
    mp_reply_json(r,
                  t.added   ? 201
                  : t.known ? 200
                            : 422,
                  json_pack("{s:s, s:o, s:I, s:I, s:I}", "status",
                            t.added + t.known ? "ok" : "refused", "assets", t.rows, "added",
                            (json_int_t)t.added, "known", (json_int_t)t.known, "refused",
                            (json_int_t)t.refused));
}

/* ---- changes ---- */

void mp_handle_change_asset(mp_request *r)
{
    static const mp_member members[] = {{"name", JSON_STRING, false, 1, NAME},
                                        {"title", JSON_STRING, false, 0, TITLE},
                                        {"description", JSON_STRING, false, 0, DESCRIPTION},
                                        {"metadata", JSON_OBJECT, false, 0, 0}};
    mp_asset a;
    mp_why why = {0};
    const char *metadata;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_asset_asked(r, true, &a))
        return;
    const char *name = json_string_value(json_object_get(r->json, "name"));
    const char *title = json_string_value(json_object_get(r->json, "title"));
    const char *description = json_string_value(json_object_get(r->json, "description"));
    if ((name && !mp_name_fine(r, name)) || !mp_body_object(r, "metadata", &metadata))
        return;
    if (name && strchr(name, '/')) {
        mp_reply_problem(r, 422, "a name has no slashes");
        return;
    }
    mp_err err = mp_asset_change(r->service->library, &a, name, title, description, metadata, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "asset.change", "#%lld%s%s%s%s%s", (long long)a.id, name ? " name " : "",
                   name ? name : "", title ? " title" : "", description ? " description" : "",
                   metadata ? " metadata" : "");
    mp_send_asset(r, 200, a.id, NULL);
}

void mp_handle_delete_asset(mp_request *r)
{
    mp_asset a;
    size_t removed;
    mp_why why = {0};
    if (!mp_asset_asked(r, true, &a))
        return;
    mp_err err = mp_core_remove(r->service->library, &a.id, 1, &removed, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_note_change(r, "asset.delete", "#%lld %s", (long long)a.id, a.name);
    mp_reply_text(r, 204, NULL, (mp_str){0});
}

/* ---- bytes ---- */

/* Only what no browser runs: everything else is octets, whatever its name says. */
static const char *media_type(const mp_version *v)
{
    static const char *const types[][2] = {
        {"txt", "text/plain; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"json", "application/json"},
        {"pdf", "application/pdf"},
        {"zip", "application/zip"},
        {"mp4", "video/mp4"},
        {"webm", "video/webm"},
        {"mp3", "audio/mpeg"},
    };
    const char *dot = strrchr(v->name, '.');
    if (*v->format)
        return mp_media_type(v->format);
    for (size_t i = 0; dot && i < MP_COUNT(types); i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* RFC 6266; what is not plain ASCII goes escaped. */
static const char *disposition(mp_request *r, const mp_version *v)
{
    mp_buf text = {0};
    mp_buf_printf(&text, "%s; filename*=UTF-8''", *v->format ? "inline" : "attachment");
    for (const char *c = v->name; *c && text.n < 800; c++)
        mp_buf_printf(
            &text, *c <= ' ' || *c == 127 || strchr("\"'\\;%*(),/:<=>?@[]{}", *c) ? "%%%02X" : "%c",
            (unsigned char)*c);
    const char *out = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return out;
}

void mp_send_version(mp_request *r, const mp_version *v, int max_age_s)
{
    char hex[65];
    mp_why why = {0};
    int fd;
    mp_err err = mp_asset_open(r->service->library, v, &fd, &why);
    if (err == MP_NOT_FOUND) {
        mp_reply_problem(r, 410, "%s", why.text);
        return;
    }
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_hex(v->sha256.byte, sizeof v->sha256.byte, hex);
    mp_reply_header(r, "Content-Disposition", disposition(r, v));
    mp_reply_file(r, media_type(v), fd, (uint64_t)v->bytes, mp_request_text(r, "\"%s\"", hex),
                  max_age_s);
}

void mp_handle_asset_content(mp_request *r)
{
    mp_asset a;
    if (mp_asset_asked(r, false, &a))
        mp_send_version(r, &a.version, 0); /* the next version has another tag */
}
