/* items.c - see items.h. */
#include "http/items.h"

#include "base/os.h"
#include "core/ports.h"
#include "http/links.h"
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The answer to a picture that could not be read; false. */
static bool no_picture(mp_request *r, magpie_err err, const magpie_why *why)
{
    if (err == MAGPIE_NOT_FOUND)
        mp_reply_problem(r, 404, "there is no such picture");
    else
        mp_reply_error(r, err, why);
    return false;
}

bool mp_item_asked(mp_request *r, const char *text, bool write, magpie_item **out)
{
    magpie_why why = {0};
    int64_t id;
    *out = NULL;
    if (!read_id(text, &id))
        return no_picture(r, MAGPIE_NOT_FOUND, &why);
    magpie_err err = magpie_get(r->service->library, id, out, &why);
    if (err)
        return no_picture(r, err, &why);
    if (reached(r, (*out)->project, write, "picture") &&
        (!write || mp_project_reached(r, (*out)->project, true)))
        return true;
    magpie_item_free(*out);
    *out = NULL;
    return false;
}

bool mp_item_id(mp_request *r, const json_t *value, const char *what, bool write, int64_t *out)
{
    mp_why why = {0};
    int64_t id, project_id;
    *out = 0;
    const char *text = json_is_string(value) ? json_string_value(value)
                       : json_is_integer(value)
                           ? mp_request_text(r, "%lld", (long long)json_integer_value(value))
                           : NULL;
    if (!text) {
        mp_reply_problem(r, 422, "%s must be the number of a picture", what);
        return false;
    }
    mp_err err = MP_NOT_FOUND;
    if (read_id(text, &id))
        err = mp_meta_get_item_project(mp_core_meta(r->service->library), id, &project_id, &why);
    if (err)
        return no_picture(r, (magpie_err)err, (const magpie_why *)(const void *)&why);
    if (!reached(r, project_id, write, "picture"))
        return false;
    *out = id;
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

/* NULL for a time that is not known. */
static const char *time_text(int64_t ms, char out[32])
{
    return ms && mp_utc_text(ms, out) ? out : NULL;
}

json_t *mp_time_json(int64_t ms)
{
    char text[32];
    return time_text(ms, text) ? json_string(text) : json_null();
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

static void phash_text(uint64_t phash, char out[24])
{
    uint8_t bytes[sizeof phash];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(phash >> (56 - 8 * i));
    memcpy(out, "p:", 2);
    mp_hex(bytes, sizeof bytes, out + 2);
}

static void describe_look(mp_sink *s, const magpie_item *item)
{
    mp_sink_array(s, "issues");
    for (uint32_t bit = 1; bit <= MAGPIE_LOW_CONTRAST; bit <<= 1)
        if (item->issues & bit)
            mp_sink_text(s, NULL, magpie_issue_word(bit));
    mp_sink_end(s);
    mp_sink_object(s, "quality");
    mp_sink_real(s, "sharpness", (double)item->sharpness);
    mp_sink_real(s, "brightness", (double)item->brightness);
    mp_sink_real(s, "contrast", (double)item->contrast);
    mp_sink_real(s, "entropy", (double)item->entropy);
    mp_sink_end(s);
}

static void describe_words(mp_sink *s, const magpie_item *item)
{
    mp_sink_text(s, "name", item->name);
    mp_sink_text(s, "title", item->title);
    mp_sink_text(s, "description", item->description);
    mp_sink_array(s, "tags");
    for (size_t i = 0; i < item->n_tags; i++)
        mp_sink_text(s, NULL, item->tags[i]);
    mp_sink_end(s);
}

void mp_item_describe(mp_sink *s, const char *key, const mp_service *service,
                      const magpie_item *item)
{
    static const char *const states[] = {"present", "missing", "trashed"};
    char id[MP_DECIMAL], user[MP_DECIMAL], phash[24], path[80], time[32], model[64], version[65];
    mp_core_model_name(service->library, model, version);
    mp_decimal(item->id, id);
    mp_decimal(item->user, user);
    phash_text(item->phash, phash);
    snprintf(path, sizeof path, "images/%s/%s.%s", user, id, item->format);
    mp_sink_object(s, key);
    mp_sink_text(s, "image_id", id);
    mp_sink_text(s, "user_id", user);
    mp_sink_integer(s, "project_id", item->project);
    mp_sink_text(s, "sha256", item->sha256);
    mp_sink_text(s, "phash", phash);
    mp_sink_integer(s, "width", item->width);
    mp_sink_integer(s, "height", item->height);
    mp_sink_text(s, "format", item->format);
    mp_sink_text(s, "key", path);
    mp_sink_text(s, "created_at", time_text(item->added_ms, time));
    mp_sink_text(s, "model_name", model);
    mp_sink_text(s, "model_version", version);
    describe_words(s, item);
    mp_sink_integer(s, "bytes", item->bytes);
    mp_sink_text(s, "taken_at", time_text(item->taken_ms, time));
    mp_sink_text(s, "state", states[item->state]);
    describe_look(s, item);
    mp_sink_end(s);
}

json_t *mp_item_payload(mp_request *r, const magpie_item *item)
{
    mp_sink s = mp_sink_to_tree();
    mp_item_describe(&s, NULL, r->service, item);
    return mp_sink_tree(&s);
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
