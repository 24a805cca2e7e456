/* images.c - pictures as resources: lists, one, its bytes, its changes, its end. */
#include "http/body.h"
#include "http/items.h"
#include "http/links.h"
#include "http/server.h"

#include "core/ports.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- pages ---- */

static const char ORDERS[] = "id|added|date|size|name";

/* A cursor says where the last page ended and in which order it was: base64url of
 * "order direction number id name". It names nothing that its reader has not seen. */
const char *mp_page_cursor(mp_request *r, const mp_page *page, const mp_page_mark *mark)
{
    mp_buf text = {0};
    mp_buf_printf(&text, "%d %d %lld %lld ", (int)page->order, page->descending,
                  (long long)mark->number, (long long)mark->id);
    if (page->order == MP_BY_NAME)
        mp_buf_str(&text, mark->text);
    size_t cap = sodium_base64_encoded_len(text.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *out = mp_arena_alloc(r->arena, cap);
    if (out)
        sodium_bin2base64(out, cap, (const uint8_t *)text.p, text.n,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    mp_buf_free(&text);
    return out;
}

static bool read_cursor(mp_request *r, const char *cursor, mp_page *page, mp_page_mark *mark)
{
    size_t cap = strlen(cursor) + 1, n = 0;
    char *text = mp_arena_alloc(r->arena, cap);
    int order, descending, at = 0;
    long long number, id;
    bool fine = text && sodium_base642bin((uint8_t *)text, cap - 1, cursor, cap - 1, NULL, &n, NULL,
                                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
    if (fine)
        text[n] = '\0';
    fine = fine && strlen(text) == n &&
           sscanf(text, "%d %d %lld %lld%n", &order, &descending, &number, &id, &at) == 4 && at &&
           text[at] == ' ' && order == (int)page->order && descending == (int)page->descending;
    if (!fine) {
        mp_reply_problem(r, 422, "the cursor is not one of this list");
        return false;
    }
    *mark = (mp_page_mark){.id = id, .number = number, .text = text + at + 1};
    page->after = mark;
    return true;
}

/* The user's own filter: `where`, and the parameters that stand for its commonest conditions. */
static const char *query_where(mp_request *r)
{
    static const char *const fields[] = {"tag",   "format", "name",  "state",
                                         "issue", "date",   "folder"};
    mp_buf text = {0};
    const char *where = mp_request_query(r, "where");
    if (where && *where)
        mp_buf_printf(&text, "(%s)", where);
    for (size_t i = 0; i < MP_COUNT(fields); i++) {
        const char *value = mp_request_query(r, fields[i]);
        if (!value || !*value)
            continue;
        mp_buf_printf(&text, " %s:\"", fields[i]);
        for (; *value; value++)
            mp_buf_printf(&text, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
        mp_buf_str(&text, "\"");
    }
    const char *out = text.n ? mp_arena_strdup(r->arena, (mp_str){text.p, text.n}) : NULL;
    mp_buf_free(&text);
    return out;
}

bool mp_page_asked(mp_request *r, mp_page *page, mp_page_mark *mark, const char **scope)
{
    int order, direction;
    int64_t project;
    const mp_filter *unused;
    mp_why why = {0};
    if (!mp_request_choice(r, "sort", ORDERS, &order) ||
        !mp_request_choice(r, "order", "asc|desc", &direction) || !mp_query_project(r, &project))
        return false;
    *page = (mp_page){.order = (mp_page_order)order, .descending = direction == 1};
    const char *cursor = mp_request_query(r, "cursor"), *where = mp_request_query(r, "where");
    if (cursor && *cursor && !read_cursor(r, cursor, page, mark))
        return false;
    /* On its own, before parentheses are put around it. */
    mp_err err = mp_filter_parse(where, r->arena, &unused, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    return mp_scope_of(r, project, query_where(r), scope);
}

void mp_handle_list_images(mp_request *r)
{
    mp_page page;
    mp_page_mark mark;
    const char *scope;
    const mp_filter *filter;
    mp_item *items = NULL;
    size_t n = 0;
    uint64_t total = 0;
    long long limit;
    mp_why why = {0};
    mp_meta *meta = mp_core_meta(r->service->library);
    if (!mp_request_number(r, "limit", 1, 1000, 50, &limit) ||
        !mp_page_asked(r, &page, &mark, &scope))
        return;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, &why);
    if (!err) /* one more than asked for tells whether there is a next page */
        err = mp_meta_page(meta, filter, &page, (size_t)limit + 1, r->arena, &items, &n, &why);
    if (!err)
        err = mp_meta_count(meta, filter, &total, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n > (size_t)limit;
    n -= more;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        magpie_item *item = mp_core_publish(&items[i]);
        json_array_append_new(rows, mp_item_json(r, item));
        magpie_item_free(item);
    }
    mp_page_mark last = n ? mp_meta_mark(&items[n - 1], page.order) : (mp_page_mark){0};
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:I, s:s?}", "images", rows, "total", (json_int_t)total,
                            "next_cursor", more ? mp_page_cursor(r, &page, &last) : NULL));
}

/* ---- one ---- */

void mp_handle_get_image(mp_request *r)
{
    magpie_item *item;
    if (!mp_item_asked(r, r->param[0], false, &item))
        return;
    mp_reply_json(r, 200, mp_item_json(r, item));
    magpie_item_free(item);
}

static size_t text_list(const json_t *list, const char **out, size_t most)
{
    size_t n = 0, i;
    const json_t *value;
    json_array_foreach(list, i, value)
    {
        if (json_is_string(value) && n < most)
            out[n++] = json_string_value(value);
    }
    return n == json_array_size(list) ? n : SIZE_MAX;
}

void mp_handle_change_image(mp_request *r)
{
    enum { TAGS = 64 };
    static const mp_member members[] = {{"title", JSON_STRING, false, 0, 512},
                                        {"description", JSON_STRING, false, 0, 8192},
                                        {"add_tags", JSON_ARRAY, false, 0, 0},
                                        {"remove_tags", JSON_ARRAY, false, 0, 0}};
    const char *add[TAGS], *drop[TAGS];
    magpie_item *item;
    magpie_why why = {0};
    magpie *m = r->service->library;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_item_asked(r, r->param[0], true, &item))
        return;
    int64_t id = item->id;
    magpie_item_free(item);
    const json_t *title = json_object_get(r->json, "title");
    const json_t *description = json_object_get(r->json, "description");
    size_t n_add = text_list(json_object_get(r->json, "add_tags"), add, TAGS);
    size_t n_drop = text_list(json_object_get(r->json, "remove_tags"), drop, TAGS);
    if (n_add == SIZE_MAX || n_drop == SIZE_MAX) {
        mp_reply_problem(r, 422, "tags are at most %d strings", TAGS);
        return;
    }
    magpie_err err = MAGPIE_OK;
    if (n_add || n_drop)
        err = magpie_tag(m, &id, 1, add, n_add, drop, n_drop, &why);
    if (!err && (title || description))
        err =
            magpie_describe(m, id, json_string_value(title), json_string_value(description), &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_handle_get_image(r);
}

void mp_handle_delete_image(mp_request *r)
{
    magpie_item *item;
    magpie_why why = {0};
    if (!mp_item_asked(r, r->param[0], true, &item))
        return;
    magpie_err err = magpie_remove(r->service->library, &item->id, 1, NULL, &why);
    magpie_item_free(item);
    if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

/* ---- bytes ---- */

/* A picture's bytes can be replaced: a copy is asked after each time, which costs a 304. */
enum { KEEP_S = 0 };

/* RFC 6266; what is not plain ASCII goes escaped. */
static const char *disposition(mp_request *r, const char *name)
{
    mp_buf text = {0};
    mp_buf_str(&text, "inline; filename*=UTF-8''");
    for (; *name && text.n < 800; name++)
        mp_buf_printf(&text, strchr("\"'\\;%*", *name) || *name <= ' ' ? "%%%02X" : "%c",
                      (unsigned char)*name);
    const char *out = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return out;
}

void mp_handle_content(mp_request *r)
{
    magpie_item *item;
    magpie_why why = {0};
    int fd;
    if (!mp_item_asked(r, r->param[0], false, &item))
        return;
    magpie_err err = magpie_content_fd(r->service->library, item->id, &fd, &why);
    if (err) {
        mp_reply_problem(r, err == MAGPIE_NOT_FOUND ? 410 : 503,
                         "the file of this picture is not there");
    } else {
        mp_reply_header(r, "Content-Disposition", disposition(r, item->name));
        mp_reply_file(r, mp_media_type(item->format), fd, (uint64_t)item->bytes,
                      mp_request_text(r, "\"%s\"", item->sha256), KEEP_S);
    }
    magpie_item_free(item);
}

void mp_handle_thumbnail(mp_request *r)
{
    magpie_item *item;
    magpie_why why = {0};
    uint8_t *data;
    size_t n;
    int size;
    if (!mp_request_choice(r, "size", "256|1024", &size) ||
        !mp_item_asked(r, r->param[0], false, &item))
        return;
    magpie_err err =
        magpie_thumbnail(r->service->library, item->id, size ? 1024 : 256, &data, &n, &why);
    if (err == MAGPIE_NOT_FOUND)
        mp_reply_problem(r, 410, "the file of this picture is not there");
    else if (err)
        mp_reply_error(r, err, &why);
    else
        mp_reply_bytes(r, "image/webp", (mp_span){data, n},
                       mp_request_text(r, "\"%s-%d\"", item->sha256, size ? 1024 : 256), KEEP_S);
    magpie_free(data);
    magpie_item_free(item);
}

static void redo(mp_request *r, magpie_err (*what)(magpie *m, int64_t id, magpie_why *why),
                 const char *status)
{
    magpie_item *item;
    magpie_why why = {0};
    if (!mp_item_asked(r, r->param[0], true, &item))
        return;
    magpie_err err = what(r->service->library, item->id, &why);
    if (err == MAGPIE_NOT_FOUND) {
        mp_reply_problem(r, 410, "the file of this picture is not there");
    } else if (err) {
        mp_reply_error(r, err, &why);
    } else {
        json_t *o = mp_item_json(r, item);
        json_object_set_new(o, "status", json_string(status));
        mp_reply_json(r, 200, o);
    }
    magpie_item_free(item);
}

void mp_handle_make_thumbnail(mp_request *r)
{
    redo(r, magpie_make_thumbnails, "thumbnails made");
}

static magpie_err reindex_one(magpie *m, int64_t id, magpie_why *why)
{
    return magpie_reindex_items(m, &id, 1, why);
}

void mp_handle_reindex_image(mp_request *r)
{
    redo(r, reindex_one, "reindexed");
}

/* ---- why ---- */

static void send_png(mp_request *r, uint8_t *png, size_t n)
{
    mp_reply_text(r, 200, "image/png", (mp_str){(const char *)png, n});
    magpie_free(png);
}

static void explain_pair(mp_request *r, int64_t a, int64_t b, bool as_png)
{
    magpie_comparison c;
    magpie_why why = {0};
    uint8_t *png = NULL;
    size_t n = 0;
    magpie_err err = magpie_compare(r->service->library, a, b, &c, as_png ? &png : NULL,
                                    as_png ? &n : NULL, &why);
    if (err) {
        mp_reply_error(r, err, &why);
        return;
    }
    if (as_png) {
        send_png(r, png, n);
        return;
    }
    const char *map = mp_request_text(r, "/api/images/%lld/explain?with=%lld&format=png",
                                      (long long)a, (long long)b);
    mp_reply_json(
        r, 200,
        json_pack("{s:I, s:I, s:f, s:f, s:b, s:s, s:o, s:i, s:b, s:s}", "id", (json_int_t)a, "with",
                  (json_int_t)b, "same", (double)c.same, "threshold", (double)c.threshold,
                  "same_picture", (int)(c.same >= c.threshold), "relation", c.relation, "cosine",
                  isnan(c.cosine) ? json_null() : json_real((double)c.cosine), "phash_distance",
                  c.phash_distance, "same_bytes", (int)c.same_bytes, "difference_url", map));
}

/* ?with=: how two relate, as JSON or the picture of their difference. Without it: where this one is
 * odd among the normals. */
void mp_handle_explain(mp_request *r)
{
    magpie_item *item, *other;
    magpie_why why = {0};
    const char *with = mp_request_query(r, "with"), *normals;
    int format;
    uint8_t *png;
    size_t n;
    if (!mp_request_choice(r, "format", "json|png", &format) ||
        !mp_item_asked(r, r->param[0], false, &item))
        return;
    int64_t id = item->id, project = item->project;
    magpie_item_free(item);
    if (with) {
        if (!mp_item_asked(r, with, false, &other))
            return;
        int64_t other_id = other->id;
        magpie_item_free(other);
        explain_pair(r, id, other_id, format == 1);
        return;
    }
    if (!mp_scope_of(r, project, mp_request_query(r, "normals"), &normals))
        return;
    magpie_err err = magpie_heatmap(r->service->library, id, normals, &png, &n, &why);
    if (err)
        mp_reply_error(r, err, &why);
    else
        send_png(r, png, n);
}
