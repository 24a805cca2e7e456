/* versions.c - versions of an asset over HTTP: new bytes, the list, the bytes of one, the way back,
 * and what differs. Nothing here takes a version away: they go with their asset. */
#include "http/assets.h"
#include "http/body.h"
#include "http/items.h"
#include "http/links.h"
#include "http/notes.h"
#include "http/server.h"
#include "service/assets.h"

#include "core/ports.h"

#include <string.h>
#include <unistd.h>

enum { KEEP_S = 3600 };

static mp_meta *meta_of(const mp_request *r)
{
    return mp_core_meta(r->service->library);
}

static json_t *version_json(mp_request *r, const mp_version *v)
{
    const char *content = mp_request_text(r, "/api/assets/%lld/versions/%lld/content",
                                          (long long)v->asset_id, (long long)v->number);
    json_t *o =
        json_pack("{s:I, s:b, s:o, s:I, s:s, s:i, s:i, s:I, s:o}", "number", (json_int_t)v->number,
                  "current", (int)v->current, "sha256", mp_sha256_json(&v->sha256), "bytes",
                  (json_int_t)v->bytes, "format", v->format, "width", v->width, "height", v->height,
                  "user_id", (json_int_t)v->user_id, "created_at", mp_time_json(v->created_ms));
    json_object_set_new(o, "name", mp_loose_text(v->name));
    json_object_set_new(o, "metadata", mp_object_json(v->metadata));
    json_object_set_new(o, "content_url", json_string(mp_link_to(r, content)));
    return o;
}

/* The version of this number; 404. */
static bool version_of(mp_request *r, const mp_asset *a, int64_t number, mp_version *out)
{
    mp_why why = {0};
    mp_err err = mp_meta_get_version(meta_of(r), a->id, number, r->arena, out, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

/* The asset and the version of the path. */
static bool version_asked(mp_request *r, bool write, mp_asset *a, mp_version *out)
{
    int64_t number;
    return mp_asset_asked(r, write, a) && mp_path_number(r, r->param[1], "version", &number) &&
           version_of(r, a, number, out);
}

void mp_handle_list_versions(mp_request *r)
{
    mp_asset a;
    mp_version *list;
    size_t n;
    int64_t after;
    long long limit;
    mp_why why = {0};
    if (!mp_request_number(r, "limit", 1, 200, 50, &limit) || !mp_query_cursor(r, &after) ||
        !mp_asset_asked(r, false, &a))
        return;
    mp_err err = mp_meta_list_versions(meta_of(r), a.id, after, (size_t)limit + 1, r->arena, &list,
                                       &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n > (size_t)limit;
    n -= more;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, version_json(r, &list[i]));
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:o}", "versions", rows, "next_cursor",
                            mp_next_cursor(r, more, n ? list[n - 1].number : 0)));
}

void mp_handle_version_content(mp_request *r)
{
    mp_asset a;
    mp_version v;
    if (version_asked(r, false, &a, &v))
        mp_send_version(r, &v, KEEP_S);
}

/* ---- new ones ---- */

/* Refused before the body is read. */
bool mp_admit_version(mp_request *r)
{
    mp_asset a;
    return mp_asset_asked(r, true, &a);
}

static const mp_part *only_file(mp_request *r)
{
    if (r->n_parts == 1 && r->parts[0].file_name)
        return &r->parts[0];
    mp_reply_problem(r, 422, "one file is needed, and nothing else");
    return NULL;
}

static void replace(mp_request *r, const mp_asset *a, int fd, const char *action)
{
    mp_why why = {0};
    bool unchanged;
    mp_err err = mp_asset_replace(r->service->library, a, fd, r->user.id, &unchanged, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    if (!unchanged)
        mp_note_change(r, action, "#%lld %s", (long long)a->id, a->name);
    mp_send_asset(r, unchanged ? 200 : 201, a->id, unchanged ? "unchanged" : "added");
}

void mp_handle_add_version(mp_request *r)
{
    mp_asset a;
    const mp_part *file = only_file(r);
    if (file && mp_asset_asked(r, true, &a))
        replace(r, &a, file->fd, "asset.version");
}

void mp_handle_restore_version(mp_request *r)
{
    mp_asset a;
    mp_version v;
    mp_why why = {0};
    int fd;
    if (!version_asked(r, true, &a, &v))
        return;
    mp_err err = mp_asset_open(r->service->library, &v, &fd, &why);
    if (err == MP_NOT_FOUND) {
        mp_reply_problem(r, 410, "%s", why.text);
    } else if (err) {
        mp_reply_failure(r, err, &why);
    } else {
        replace(r, &a, fd, "asset.restore");
        close(fd);
    }
}

/* ---- what differs ---- */

/* Takes both references; equal values are left out, an absent one is null. */
static void add_change(json_t *list, const char *field, json_t *from, json_t *to)
{
    if (json_equal(from, to)) {
        json_decref(from);
        json_decref(to);
        return;
    }
    json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "field", field, "from",
                                          from ? from : json_null(), "to", to ? to : json_null()));
}

static void add_metadata_changes(mp_request *r, json_t *list, const mp_version *a,
                                 const mp_version *b)
{
    json_t *from = mp_object_json(a->metadata), *to = mp_object_json(b->metadata), *value;
    const char *key;
    json_object_foreach(from, key, value)
    {
        add_change(list, mp_joined_text(r, "metadata.", key), json_incref(value),
                   json_incref(json_object_get(to, key)));
    }
    json_object_foreach(to, key, value)
    {
        if (!json_object_get(from, key))
            add_change(list, mp_joined_text(r, "metadata.", key), NULL, json_incref(value));
    }
    json_decref(from);
    json_decref(to);
}

/* from and to: by default the last two. */
static bool pair_asked(mp_request *r, mp_version *from, mp_version *to)
{
    mp_asset a;
    long long first, second;
    if (!mp_asset_asked(r, false, &a))
        return false;
    int64_t newest = a.version.number;
    return mp_request_number(r, "to", 1, INT64_MAX, newest, &second) &&
           mp_request_number(r, "from", 1, INT64_MAX, MP_MAX(second - 1, 1), &first) &&
           version_of(r, &a, first, from) && version_of(r, &a, second, to);
}

void mp_handle_diff(mp_request *r)
{
    mp_version a, b;
    if (!pair_asked(r, &a, &b))
        return;
    json_t *list = json_array();
    add_change(list, "sha256", mp_sha256_json(&a.sha256), mp_sha256_json(&b.sha256));
    add_change(list, "bytes", json_integer(a.bytes), json_integer(b.bytes));
    add_change(list, "format", json_string(a.format), json_string(b.format));
    add_change(list, "width", json_integer(a.width), json_integer(b.width));
    add_change(list, "height", json_integer(a.height), json_integer(b.height));
    add_change(list, "name", mp_loose_text(a.name), mp_loose_text(b.name));
    add_metadata_changes(r, list, &a, &b);
    mp_reply_json(r, 200,
                  json_pack("{s:I, s:I, s:I, s:o}", "asset_id", (json_int_t)a.asset_id, "from",
                            (json_int_t)a.number, "to", (json_int_t)b.number, "changes", list));
}
