/* items.c - see items.h. */
#include "http/items.h"

#include "base/os.h"
#include "core/ports.h"
#include "http/links.h"
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- which one, and may they ---- */

static bool read_id(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = *text >= '1' && *text <= '9' ? strtoll(text, &end, 10) : 0;
    return *out > 0 && !*end && !errno;
}

static bool reached(mp_request *r, int64_t project_id, bool write, const char *what)
{
    if (r->by_link || mp_access_may(&r->access, project_id, write))
        return true;
    if (mp_access_may(&r->access, project_id, false))
        mp_reply_problem(r, 403, "you may look at this, not change it");
    else
        mp_reply_problem(r, 404, "there is no such %s", what);
    return false;
}

bool mp_item_asked(mp_request *r, const char *text, bool write, magpie_item **out)
{
    magpie_why why = {0};
    int64_t id;
    *out = NULL;
    if (!read_id(text, &id)) {
        mp_reply_problem(r, 404, "there is no such picture");
        return false;
    }
    magpie_err err = magpie_get(r->service->library, id, out, &why);
    if (err == MAGPIE_NOT_FOUND)
        mp_reply_problem(r, 404, "there is no such picture");
    else if (err)
        mp_reply_error(r, err, &why);
    if (err)
        return false;
    if (reached(r, (*out)->project, write, "picture") &&
        (!write || mp_project_reached(r, (*out)->project, true)))
        return true;
    magpie_item_free(*out);
    *out = NULL;
    return false;
}

bool mp_item_id(mp_request *r, const json_t *value, const char *what, bool write, int64_t *out)
{
    magpie_item *item;
    *out = 0;
    const char *text = json_is_string(value) ? json_string_value(value)
                       : json_is_integer(value)
                           ? mp_request_text(r, "%lld", (long long)json_integer_value(value))
                           : NULL;
    if (!text) {
        mp_reply_problem(r, 422, "%s must be the number of a picture", what);
        return false;
    }
    if (!mp_item_asked(r, text, write, &item))
        return false;
    *out = item->id;
    magpie_item_free(item);
    return true;
}

bool mp_project_reached(mp_request *r, int64_t project_id, bool write)
{
    mp_project project;
    mp_why why = {0};
    if (!reached(r, project_id, write, "project"))
        return false;
    /* Who reaches all reaches only what is there. */
    mp_err err = mp_meta_get_project(mp_core_meta(r->service->library), project_id, r->user.id,
                                     r->arena, &project, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else if (write && strcmp(project.status, "active") != 0)
        mp_reply_problem(r, 409, "this project is archived");
    else
        return true;
    return false;
}

bool mp_project_to_write(mp_request *r, int64_t project_id, int64_t *out)
{
    mp_why why = {0};
    *out = project_id;
    if (project_id)
        return mp_project_reached(r, project_id, true);
    mp_err err = mp_meta_default_project(mp_core_meta(r->service->library), r->user.id, mp_now_ms(),
                                         out, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

bool mp_scope_of(mp_request *r, int64_t project_id, const char *where, const char **out)
{
    mp_why why = {0};
    *out = NULL;
    if (project_id && !mp_project_reached(r, project_id, false))
        return false;
    mp_err err = mp_access_where(&r->access, project_id, where, r->arena, out, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

bool mp_query_project(mp_request *r, int64_t *out)
{
    long long id;
    bool fine = mp_request_number(r, "project_id", 1, INT64_MAX, 0, &id);
    *out = id;
    return fine;
}

/* ---- JSON ---- */

json_t *mp_time_json(int64_t ms)
{
    char text[32];
    struct tm t;
    time_t s = (time_t)(ms / 1000);
    if (!ms || !gmtime_r(&s, &t) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t))
        return json_null();
    return json_string(text);
}

const char *mp_media_type(const char *format)
{
    static const char *const types[][2] = {
        {"jpeg", "image/jpeg"}, {"png", "image/png"},
        {"webp", "image/webp"}, {"gif", "image/gif"},
        {"tiff", "image/tiff"}, {"avif", "image/avif"},
        {"heic", "image/heic"}, {"ppm", "image/x-portable-pixmap"},
    };
    for (size_t i = 0; i < MP_COUNT(types); i++)
        if (strcmp(types[i][0], format) == 0)
            return types[i][1];
    return "application/octet-stream";
}

const char *mp_preview_url(mp_request *r, int64_t id)
{
    return mp_link_to(r, mp_request_text(r, "/api/images/%lld/thumbnail", (long long)id));
}

/* Names come from files: what is not UTF-8 in them is replaced. */
static json_t *loose_text(const char *text)
{
    json_t *s = json_string(text);
    if (s)
        return s;
    mp_buf clean = {0};
    for (; *text; text++)
        mp_buf_str(&clean, (unsigned char)*text < 128 ? (char[]){*text, 0} : "\xEF\xBF\xBD");
    s = json_string(clean.p ? clean.p : "");
    mp_buf_free(&clean);
    return s;
}

static json_t *issues_json(uint32_t issues)
{
    json_t *list = json_array();
    for (uint32_t bit = 1; bit <= MAGPIE_LOW_CONTRAST; bit <<= 1)
        if (issues & bit)
            json_array_append_new(list, json_string(magpie_issue_word(bit)));
    return list;
}

static json_t *tags_json(const magpie_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->n_tags; i++)
        json_array_append_new(list, loose_text(item->tags[i]));
    return list;
}

json_t *mp_item_payload(mp_request *r, const magpie_item *item)
{
    static const char *const states[] = {"present", "missing", "trashed"};
    const mp_service *s = r->service;
    json_t *o = json_pack("{s:s, s:s, s:I, s:s, s:s, s:i, s:i, s:s, s:s, s:o, s:s, s:s}",
                          "image_id", mp_request_text(r, "%lld", (long long)item->id), "user_id",
                          mp_request_text(r, "%lld", (long long)item->user), "project_id",
                          (json_int_t)item->project, "sha256", item->sha256, "phash",
                          mp_request_text(r, "p:%016llx", (unsigned long long)item->phash), "width",
                          item->width, "height", item->height, "format", item->format, "key",
                          mp_request_text(r, "images/%lld/%lld.%s", (long long)item->user,
                                          (long long)item->id, item->format),
                          "created_at", mp_time_json(item->added_ms), "model_name", s->model_name,
                          "model_version", s->model_version);
    json_object_set_new(o, "name", loose_text(item->name));
    json_object_set_new(o, "title", loose_text(item->title));
    json_object_set_new(o, "description", loose_text(item->description));
    json_object_set_new(o, "tags", tags_json(item));
    json_object_set_new(o, "bytes", json_integer(item->bytes));
    json_object_set_new(o, "taken_at", mp_time_json(item->taken_ms));
    json_object_set_new(o, "state", json_string(states[item->state]));
    json_object_set_new(o, "issues", issues_json(item->issues));
    json_object_set_new(o, "quality",
                        json_pack("{s:f, s:f, s:f, s:f}", "sharpness", (double)item->sharpness,
                                  "brightness", (double)item->brightness, "contrast",
                                  (double)item->contrast, "entropy", (double)item->entropy));
    return o;
}

json_t *mp_item_json(mp_request *r, const magpie_item *item)
{
    json_t *o = mp_item_payload(r, item);
    const char *content = mp_request_text(r, "/api/images/%lld/content", (long long)item->id);
    json_object_set_new(o, "id", json_integer(item->id));
    json_object_set_new(o, "preview_url", json_string(mp_preview_url(r, item->id)));
    json_object_set_new(o, "content_url", json_string(mp_link_to(r, content)));
    return o;
}
