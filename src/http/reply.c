/* reply.c - see message.h. */
#include "http/message.h"

#include "base/os.h"
#include "http/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *mp_status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {{200, "OK"},
                  {201, "Created"},
                  {202, "Accepted"},
                  {204, "No Content"},
                  {206, "Partial Content"},
                  {304, "Not Modified"},
                  {400, "Bad Request"},
                  {401, "Unauthorized"},
                  {403, "Forbidden"},
                  {404, "Not Found"},
                  {405, "Method Not Allowed"},
                  {409, "Conflict"},
                  {410, "Gone"},
                  {411, "Length Required"},
                  {413, "Content Too Large"},
                  {414, "URI Too Long"},
                  {415, "Unsupported Media Type"},
                  {416, "Range Not Satisfiable"},
                  {422, "Unprocessable Content"},
                  {429, "Too Many Requests"},
                  {431, "Request Header Fields Too Large"},
                  {500, "Internal Server Error"},
                  {503, "Service Unavailable"},
                  {507, "Insufficient Storage"}};
    for (size_t i = 0; i < MP_COUNT(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "";
}

void mp_reply_text(mp_request *r, int status, const char *type, mp_str text)
{
    mp_reply *to = &r->reply;
    to->status = status;
    to->type = type;
    to->body.n = 0;
    mp_buf_add(&to->body, text.p, text.n);
}

static void take_json(mp_request *r, int status, const char *type, json_t *body)
{
    mp_reply_text(r, body ? status : 500, type, mp_str_of(body ? "" : "{}"));
    if (body)
        mp_json_write(body, &r->reply.body);
    json_decref(body);
}

void mp_reply_json(mp_request *r, int status, json_t *body)
{
    take_json(r, status, "application/json", body);
}

void mp_reply_problem(mp_request *r, int status, const char *format, ...)
{
    char detail[600];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    /* json_pack refuses what is not UTF-8; a detail may quote what a client sent. */
    json_t *words = json_string(detail);
    if (!words)
        words = json_string(mp_status_title(status));
    json_t *body = json_pack("{s:s, s:s, s:i, s:O, s:s, s:O}", "type", "about:blank", "title",
                             mp_status_title(status), "status", status, "detail", words,
                             "request_id", r->id, "error", words);
    json_decref(words);
    take_json(r, status, "application/problem+json", body);
}

static int status_of(magpie_err err)
{
    static const int table[] = {
        [MAGPIE_OK] = 200,      [MAGPIE_INVALID] = 422,     [MAGPIE_NOT_FOUND] = 404,
        [MAGPIE_EXISTS] = 409,  [MAGPIE_UNSUPPORTED] = 415, [MAGPIE_TOO_BIG] = 413,
        [MAGPIE_CORRUPT] = 422, [MAGPIE_IO] = 503,          [MAGPIE_FULL] = 507,
        [MAGPIE_BUSY] = 503,    [MAGPIE_TIMEOUT] = 422,     [MAGPIE_CANCELLED] = 503,
        [MAGPIE_NOMEM] = 503,   [MAGPIE_INTERNAL] = 500,
    };
    return (unsigned)err < MP_COUNT(table) ? table[err] : 500;
}

void mp_reply_error(mp_request *r, magpie_err err, const magpie_why *why)
{
    int status = status_of(err);
    if (status < 500 || status == 507) {
        mp_reply_problem(r, status, "%s", why->text);
        return;
    }
    /* Paths and the system's words are for the operator, not for the client. */
    mp_log(MP_LOG_ERROR, "request %s: %s", r->id, why->text);
    mp_reply_problem(r, status, "%s",
                     status == 503 ? "the service is busy; try again" : "a bug of ours");
    if (status == 503)
        mp_reply_header(r, "Retry-After", "5");
}

void mp_reply_failure(mp_request *r, mp_err err, const mp_why *why)
{
    mp_reply_error(r, (magpie_err)err, (const magpie_why *)(const void *)why);
}

void mp_reply_header(mp_request *r, const char *name, const char *value)
{
    mp_reply *to = &r->reply;
    if (to->n_headers == MP_REPLY_HEADERS || !value)
        return;
    to->header[to->n_headers].name = name;
    to->header[to->n_headers++].value = value;
}

void mp_reply_add(mp_request *r, const char *name, json_t *value)
{
    json_t *whole = json_loadb(r->reply.body.p, r->reply.body.n, 0, NULL);
    json_object_set_new(whole, name, value);
    r->reply.body.n = 0;
    mp_json_write(whole, &r->reply.body);
    json_decref(whole);
}

/* ---- bytes with a tag ---- */

/* RFC 9110, 13.1.2: any of the listed tags, weak or strong, or a star. */
static bool tag_listed(const char *list, const char *etag)
{
    size_t n = strlen(etag);
    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = strstr(list, etag); at; at = strstr(at + 1, etag)) {
        char next = at[n];
        if (!next || strchr(", \t", next))
            return true;
    }
    return false;
}

/* True when the client's copy is still good: 304 is made. */
static bool not_modified(mp_request *r, const char *etag, int max_age_s)
{
    const char *known = mp_request_header(r, "If-None-Match");
    mp_reply_header(r, "ETag", etag);
    mp_reply_header(r, "Cache-Control", mp_request_text(r, "private, max-age=%d", max_age_s));
    if (!known || !tag_listed(known, etag))
        return false;
    mp_reply_text(r, 304, NULL, (mp_str){0});
    return true;
}

void mp_reply_bytes(mp_request *r, const char *type, mp_span bytes, const char *etag, int max_age_s)
{
    if (!not_modified(r, etag, max_age_s))
        mp_reply_text(r, 200, type, (mp_str){(const char *)bytes.p, bytes.n});
}

typedef enum range { NO_RANGE, RANGE, BAD_RANGE } range;

static bool read_digits(const char **at, uint64_t *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

/* One range of bytes: "bytes=a-b", "a-" or "-n". More than one, or another unit, is as none. */
static range read_range(const mp_request *r, const char *etag, uint64_t size, uint64_t *first,
                        uint64_t *last)
{
    const char *at = mp_request_header(r, "Range"), *only = mp_request_header(r, "If-Range");
    if (!at || strncmp(at, "bytes=", 6) != 0 || strchr(at, ',') || (only && strcmp(only, etag)))
        return NO_RANGE;
    at += 6;
    bool from = read_digits(&at, first);
    if (*at++ != '-')
        return NO_RANGE;
    bool to = read_digits(&at, last);
    if (*at || (!from && !to))
        return NO_RANGE;
    if (!from) { /* the last so many */
        if (*last == 0 || size == 0)
            return BAD_RANGE;
        *first = *last < size ? size - *last : 0;
        *last = size - 1;
    } else if (!to || *last >= size) {
        *last = size ? size - 1 : 0;
    }
    return *first < size && *first <= *last ? RANGE : BAD_RANGE;
}

void mp_reply_file(mp_request *r, const char *type, int fd, uint64_t bytes, const char *etag,
                   int max_age_s)
{
    uint64_t first = 0, last = 0;
    mp_reply *to = &r->reply;
    range part = read_range(r, etag, bytes, &first, &last);
    mp_reply_header(r, "Accept-Ranges", "bytes");
    if (not_modified(r, etag, max_age_s) || part == BAD_RANGE) {
        close(fd);
        if (part == BAD_RANGE && to->status != 304) {
            mp_reply_problem(r, 416, "the file has %llu bytes", (unsigned long long)bytes);
            mp_reply_header(r, "Content-Range",
                            mp_request_text(r, "bytes */%llu", (unsigned long long)bytes));
        }
        return;
    }
    to->status = part == RANGE ? 206 : 200;
    to->type = type;
    to->fd = fd;
    to->has_fd = true;
    to->from = first;
    to->bytes = part == RANGE ? last - first + 1 : bytes;
    if (part == RANGE)
        mp_reply_header(r, "Content-Range",
                        mp_request_text(r, "bytes %llu-%llu/%llu", (unsigned long long)first,
                                        (unsigned long long)last, (unsigned long long)bytes));
}
