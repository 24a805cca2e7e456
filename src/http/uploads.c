/* uploads.c - how pictures come in over HTTP: presigned links and forms. What was PUT, or lies
 * elsewhere, is taken in by ingest.c. */
#include "http/body.h"
#include "http/ingest.h"
#include "http/items.h"
#include "http/links.h"
#include "http/search.h"
#include "http/server.h"
#include "service/uploads.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME = 255 };

/* The last part of a path, as browsers and other systems send it; "image" when nothing is left. */
static const char *plain_name(mp_request *r, const char *name)
{
    const char *at = name;
    for (const char *c = name; *c; c++)
        if (*c == '/' || *c == '\\')
            at = c + 1;
    size_t n = strlen(at);
    if (n > NAME)
        at += n - NAME; /* the end holds the extension */
    return *at ? mp_arena_strdup(r->arena, mp_str_of(at)) : "image";
}

/* ---- presigned links ---- */

static void send_link(mp_request *r, const mp_upload *u)
{
    mp_presigned link;
    mp_why why = {0};
    mp_err err = mp_upload_presign(&r->service->signer, u, r->arena, &link, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_buf url = {0};
    mp_buf_printf(&url, "%s/api/uploads/%s?%s", mp_link_base(r), link.id, link.query);
    mp_reply_json(r, 200,
                  json_pack("{s:s, s:s, s:s, s:{s:s}, s:i, s:o}", "upload_url", url.p, "key",
                            link.key, "method", "PUT", "headers", "Content-Type", u->type,
                            "expires_in", MP_PRESIGN_S, "expires_at",
                            mp_time_json(link.expires_ms)));
    mp_buf_free(&url);
}

static bool read_presign(mp_request *r, const char **name, const char **type, int64_t *size,
                         int64_t *project)
{
    static const mp_member members[] = {{"file_name", JSON_STRING, true, 1, NAME},
                                        {"file_type", JSON_STRING, true, 1, 100},
                                        {"file_size", JSON_INTEGER, true, 1, 1e15},
                                        {"project_id", JSON_INTEGER, false, 1, 9e15}};
    long long bytes;
    if (r->method == MP_GET) { /* as the sequence diagrams have it */
        *name = mp_request_query(r, "file_name");
        *type = mp_request_query(r, "file_type");
        if (!*name || !**name || strlen(*name) > NAME || !*type) {
            mp_reply_problem(r, 422, "file_name, file_type and file_size are needed");
            return false;
        }
        if (!mp_request_number(r, "file_size", 1, INT64_MAX, 0, &bytes) ||
            !mp_query_project(r, project))
            return false;
        *size = bytes;
        return true;
    }
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return false;
    *name = mp_body_text(r, "file_name");
    *type = mp_body_text(r, "file_type");
    *size = json_integer_value(json_object_get(r->json, "file_size"));
    *project = json_integer_value(json_object_get(r->json, "project_id"));
    return true;
}

void mp_handle_presign(mp_request *r)
{
    const char *name, *type;
    int64_t size, project = 0;
    if (!read_presign(r, &name, &type, &size, &project))
        return;
    int64_t most = mp_core_max_bytes(r->service->library);
    if (size < 1 || size > most) {
        mp_reply_problem(r, size < 1 ? 422 : 413, "file_size must be from 1 to %lld bytes",
                         (long long)most);
        return;
    }
    mp_upload u = {.user_id = r->user.id, .name = plain_name(r, name), .type = type, .bytes = size};
    if (mp_project_to_write(r, project, &u.project_id))
        send_link(r, &u);
}

static bool query_integer(mp_request *r, const char *name, int64_t *out)
{
    const char *text = mp_request_query(r, name);
    char *end = NULL;
    *out = text && *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : 0;
    return end && !*end;
}

/* What the link in the request allows. */
static bool read_link(mp_request *r, mp_upload *u)
{
    int64_t expires;
    const char *name = mp_request_query(r, "name"), *type = mp_request_query(r, "type");
    if (!name || !type || !query_integer(r, "size", &u->bytes) ||
        !query_integer(r, "user", &u->user_id) || !query_integer(r, "project", &u->project_id) ||
        !query_integer(r, "exp", &expires))
        return false;
    u->id = r->param[0];
    u->name = name;
    u->type = type;
    u->expires_ms = expires < INT64_MAX / 1000 ? expires * 1000 : 0;
    return true;
}

/* By the head alone: a link lets in what it names, no more. */
bool mp_admit_upload(mp_request *r)
{
    mp_upload u = {0};
    mp_why why = {0};
    const char *signature = mp_request_query(r, "sig");
    const char *length = mp_request_header(r, "Content-Length");
    const char *type = mp_request_header(r, "Content-Type");
    if (!read_link(r, &u) || !signature) {
        mp_reply_problem(r, 403, "this upload link is not valid");
        return false;
    }
    mp_err err = mp_upload_check(&r->service->signer, &u, signature, &why);
    if (err)
        mp_reply_problem(r, 403, "%s", why.text);
    else if (!length)
        mp_reply_problem(r, 411, "the length of the file must be said");
    else if (strtoll(length, NULL, 10) != u.bytes)
        mp_reply_problem(r, strtoll(length, NULL, 10) > u.bytes ? 413 : 422,
                         "this link is for %lld bytes", (long long)u.bytes);
    else if (!type || strcasecmp(type, u.type) != 0)
        mp_reply_problem(r, 415, "this link is for %s", u.type);
    else
        return true;
    return false;
}

void mp_handle_put_upload(mp_request *r)
{
    mp_upload u = {0};
    mp_why why = {0};
    const mp_part *file = &r->parts[0];
    if (!read_link(r, &u) || file->bytes != (uint64_t)u.bytes) {
        mp_reply_problem(r, 422, "this link is for %lld bytes", (long long)u.bytes);
        return;
    }
    mp_err err = mp_upload_store(r->service->library, &u, file->fd, &why);
    if (err == MP_EXISTS)
        mp_reply_problem(r, 403, "%s", why.text);
    else if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_json(
            r, 200, json_pack("{s:s, s:I}", "status", "stored", "bytes", (json_int_t)file->bytes));
}

/* ---- forms ---- */

typedef struct taken {
    const mp_part *part;
    const char *name;
    int64_t id;
    magpie_outcome outcome;
    magpie_copy copy; /* that it was refused for */
    magpie_err err;
    magpie_why why;
} taken;

/* The files of one request, by whoever has time: the request's own thread and idle workers. */
typedef struct batch {
    magpie *library;
    magpie_put put;
    bool gated; /* copies are refused */
    taken *list;
    size_t n;
    _Atomic size_t next;
    pthread_mutex_t mutex; /* guards the two below */
    pthread_cond_t left;
    int inside; /* threads that hold the batch, the request's own among them */
    int users;  /* that may still look at it: the last one frees it */
} batch;

static void take_files(batch *b)
{
    for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->n;) {
        taken *t = &b->list[i];
        magpie_put put = b->put;
        put.name = t->name;
        put.refuse_copies = b->gated ? &t->copy : NULL;
        t->err = magpie_add_fd(b->library, t->part->fd, &put, &t->id, &t->outcome, &t->why);
    }
}

static void leave(batch *b)
{
    pthread_mutex_lock(&b->mutex);
    bool last = --b->users == 0;
    pthread_mutex_unlock(&b->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&b->left);
    pthread_mutex_destroy(&b->mutex);
    free(b);
}

/* A worker that comes too late finds nothing to do; the request does not wait for those who have
 * not begun. */
static void help(void *item)
{
    batch *b = item;
    pthread_mutex_lock(&b->mutex);
    bool open = b->inside > 0;
    b->inside += open;
    pthread_mutex_unlock(&b->mutex);
    if (open) {
        take_files(b);
        pthread_mutex_lock(&b->mutex);
        b->inside--;
        pthread_cond_signal(&b->left);
        pthread_mutex_unlock(&b->mutex);
    }
    leave(b);
}

static void take_all(mp_request *r, const magpie_put *put, bool gated, taken *list, size_t n)
{
    batch *b = mp_xcalloc(1, sizeof *b);
    *b = (batch){.library = r->service->library,
                 .put = *put,
                 .gated = gated,
                 .list = list,
                 .n = n,
                 .inside = 1,
                 .users = 1};
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->left, NULL);
    size_t helpers = MP_MIN(n, (size_t)mp_cpu_count() + 1) - 1;
    for (size_t i = 0; i < helpers; i++) {
        pthread_mutex_lock(&b->mutex);
        b->users++;
        pthread_mutex_unlock(&b->mutex);
        if (!mp_work_put(r->service->work, help, b))
            leave(b);
    }
    take_files(b);
    pthread_mutex_lock(&b->mutex);
    b->inside--;
    while (b->inside > 0)
        pthread_cond_wait(&b->left, &b->mutex);
    pthread_mutex_unlock(&b->mutex);
    leave(b);
}

static const char *field_of(const mp_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_parts; i++)
        if (!r->parts[i].file_name && strcmp(r->parts[i].field, name) == 0)
            return r->parts[i].text;
    return NULL;
}

/* tags: comma-separated, as a field that may come several times. */
static size_t read_tags(mp_request *r, const char **tags, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_parts; i++) {
        const mp_part *p = &r->parts[i];
        if (p->file_name || strcmp(p->field, "tags") != 0)
            continue;
        for (const char *at = p->text; *at;) {
            size_t blank = strspn(at, " ,");
            at += blank;
            size_t length = strcspn(at, ",");
            while (length && at[length - 1] == ' ')
                length--;
            if (length && n < most)
                tags[n++] = mp_arena_strdup(r->arena, (mp_str){at, length});
            at += strcspn(at, ",");
        }
    }
    return n;
}

static bool known_fields(mp_request *r)
{
    static const char *const names[] = {"project_id", "title",  "description",
                                        "tags",       "folder", "near_duplicates"};
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

static bool read_put(mp_request *r, magpie_put *put, const char **tags, size_t most)
{
    const char *project = field_of(r, "project_id");
    char *end = NULL;
    int64_t id;
    if (!known_fields(r) || !mp_query_project(r, &id))
        return false;
    if (project) { /* the form's stands for the query's */
        id = strtoll(project, &end, 10);
        if (*project < '1' || *project > '9' || *end) {
            mp_reply_problem(r, 422, "project_id must be a number");
            return false;
        }
    }
    *put = (magpie_put){.title = field_of(r, "title"),
                        .description = field_of(r, "description"),
                        .folder = field_of(r, "folder"),
                        .tags = tags,
                        .n_tags = read_tags(r, tags, most),
                        .user = r->user.id,
                        .given = true};
    return mp_project_to_write(r, id, &put->project);
}

static json_t *refused_json(mp_request *r, const taken *t)
{
    mp_search_fail(r, t->err, &t->why); /* the status and words that it would have alone */
    json_t *words = json_string(t->why.text);
    json_t *row =
        json_pack("{s:s, s:i, s:o}", "status", "refused", "code", r->reply.status, "error",
                  r->reply.status < 500 && words ? words : json_string("try again"));
    if (t->err == MAGPIE_EXISTS && t->copy.id) {
        mp_reply_add(r, "match", mp_match_json(r, &t->copy));
        json_object_set_new(row, "match", mp_match_json(r, &t->copy));
    }
    return row;
}

/* One that was refused alone is a problem of its own; among others it is told in its row. */
static void send_taken(mp_request *r, taken *list, size_t n)
{
    size_t added = 0, known = 0;
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        taken *t = &list[i];
        json_t *row = t->err ? refused_json(r, t) : mp_taken_json(r, t->id, t->outcome);
        added += !t->err && t->outcome == MAGPIE_ADDED;
        known += !t->err && t->outcome != MAGPIE_ADDED;
        json_t *name = json_string(t->name);
        json_object_set_new(row, "file_name", name ? name : json_string("image"));
        json_array_append_new(rows, row);
    }
    if (!added && !known && n == 1) {
        json_decref(rows);
        return; /* refused_json has made the reply */
    }
    r->reply.n_headers = 0;
    int status = added ? 201 : known ? 200 : 422;
    mp_reply_json(r, status,
                  json_pack("{s:s, s:o, s:I, s:I, s:I}", "status",
                            added || known ? "ok" : "refused", "images", rows, "added",
                            (json_int_t)added, "known", (json_int_t)known, "refused",
                            (json_int_t)(n - added - known)));
}

void mp_handle_add_images(mp_request *r)
{
    const char *tags[64];
    magpie_put put;
    size_t n = 0;
    bool gated;
    const char *said = field_of(r, "near_duplicates");
    if (!read_put(r, &put, tags, MP_COUNT(tags)) ||
        !mp_gate_wanted(r, said ? said : mp_request_query(r, "near_duplicates"), put.project,
                        &gated))
        return;
    taken *list = mp_arena_alloc(r->arena, (r->n_parts + 1) * sizeof *list);
    for (size_t i = 0; list && i < r->n_parts; i++)
        if (r->parts[i].file_name) {
            const char *name = r->parts[i].file_name, *given = mp_request_query(r, "name");
            list[n++] = (taken){.part = &r->parts[i],
                                .name = plain_name(r, *name || !given ? name : given)};
        }
    if (!n || (n == 1 && list[0].part->bytes == 0)) {
        mp_reply_problem(r, 422, "there is no file in the body");
        return;
    }
    take_all(r, &put, gated, list, n);
    send_taken(r, list, n);
}
