/* message.h - one request and its reply, as handlers see them. Inside the http room.
 *
 * A request belongs to one thread at a time: an epoll thread, then perhaps a worker, then an epoll
 * thread again. Everything it points at lies in its arena or in libmicrohttpd's connection and
 * lives until the reply is sent. */
#ifndef MP_HTTP_MESSAGE_H
#define MP_HTTP_MESSAGE_H

#include "http/http.h"
#include "http/trace.h"

#include "meta/accounts.h"
#include "service/access.h"

#include <jansson.h>

typedef enum mp_method { MP_GET, MP_POST, MP_PUT, MP_PATCH, MP_DELETE, MP_METHODS } mp_method;
/* "GET", ...; static. */
const char *mp_method_word(mp_method m);

enum { MP_PATH_PARAMS = 4, MP_REPLY_HEADERS = 16, MP_REQUEST_ID = 64 };

typedef struct mp_reply {
    int status;
    const char *type; /* static or in the request's arena */
    mp_buf body;      /* owned by the reply */
    int fd;           /* sent in place of body when has_fd; owned by the reply */
    bool has_fd;
    uint64_t from, bytes;     /* of fd */
    struct mp_stream *stream; /* in place of both: see stream.h; owned by the reply */
    bool varies;              /* with what codings the client takes: see encode.h */
    struct {
        const char *name, *value; /* static or in the request's arena */
    } header[MP_REPLY_HEADERS];
    size_t n_headers;
} mp_reply;

/* A file or a field of a body that is taken in as it arrives: see spool.h. */
typedef struct mp_part {
    const char *field;            /* "": the body as a whole */
    const char *file_name, *type; /* file_name NULL: a field */
    const char *text;             /* of a field */
    int fd;                       /* of a file; closed with the request */
    uint64_t bytes;
} mp_part;

typedef struct mp_service mp_service; /* what all handlers share: see server.h */
typedef struct mp_route mp_route;

struct mp_request {
    mp_service *service;
    mp_method method;
    const char *path, *query; /* as they came, without the '?' */
    const mp_route *route;
    const char *param[MP_PATH_PARAMS]; /* of the route's {names}, decoded */
    void *connection;                  /* libmicrohttpd's */
    mp_arena *arena;
    mp_buf body;
    json_t *json;         /* of a JSON body, once read; freed with the request */
    bool json_form;       /* the body's JSON was a field of a form: its type is not asked for */
    const char *address;  /* of the client; what proxies say is judged in proxies.h */
    const char *scheme;   /* by which the client reached us: "http", "https" */
    const mp_part *parts; /* of a spooled body */
    size_t n_parts;
    mp_user user;        /* who asks, where the route wants to know; id 0: nobody */
    const char *session; /* of the user's access token; "" with an API key */
    const char *scopes;  /* of the API key, between blanks; NULL: a person's session */
    mp_access access;    /* what the user reaches */
    int kept_fd;         /* a file that must stay open until the reply is sent; 0: none */
    int64_t made_id;     /* of the account that this request made */
    int64_t key_id;      /* of the API key that asks; 0: none */
    bool by_link;        /* a signed link asks, for what it names alone */
    char id[MP_REQUEST_ID + 1];
    double began;
    mp_trace trace;
    mp_reply reply;
};

/* A header of the request, or NULL. Names are matched without case. */
const char *mp_request_header(const mp_request *r, const char *name);
/* All headers of the name, joined by commas in the request's arena (RFC 9110, 5.3); NULL: none. */
const char *mp_request_headers(const mp_request *r, const char *name);
/* A query parameter, decoded, or NULL when it is absent or badly escaped. The first of its name. */
const char *mp_request_query(const mp_request *r, const char *name);
/* A whole number of the query within its range; `otherwise` when it is absent. False with the reply
 * made: 422. */
bool mp_request_number(mp_request *r, const char *name, long long least, long long most,
                       long long otherwise, long long *out);
/* One of the words of the query, separated by |; *out is its position, 0 when it is absent. 422. */
bool mp_request_choice(mp_request *r, const char *name, const char *words, int *out);
/* Text without its %XX escapes (and + as a space where `form`), in the request's arena; NULL for a
 * bad escape or a control character. */
const char *mp_request_decode(const mp_request *r, const char *p, size_t n, bool form);

/* ---- reply.c ---- */
/* 200, or another status, with a JSON body; takes the reference. */
void mp_reply_json(mp_request *r, int status, json_t *body);
void mp_reply_text(mp_request *r, int status, const char *type, mp_str text);
/* An RFC 9457 problem: title from the status, `detail` for people. */
void mp_reply_problem(mp_request *r, int status, const char *format, ...) MP_PRINTF(3, 4);
/* The status of a library error, with its words; a bug's words stay in the log. */
void mp_reply_error(mp_request *r, magpie_err err, const magpie_why *why);
/* The same for the codes of the inner rooms. */
/* Adds a member to the JSON object that the reply is so far; takes the value over. */
void mp_reply_add(mp_request *r, const char *name, json_t *value);
void mp_reply_failure(mp_request *r, mp_err err, const mp_why *why);
/* Bytes with a strong ETag; the conditions of the request are held against it: 304, and of a file
 * 206 or 416 for a range (RFC 9110, 13 and 14). Private copies may be kept for max_age_s. */
void mp_reply_bytes(mp_request *r, const char *type, mp_span bytes, const char *etag,
                    int max_age_s);
/* The same from a file, which is taken over. */
void mp_reply_file(mp_request *r, const char *type, int fd, uint64_t bytes, const char *etag,
                   int max_age_s);
/* Both strings must live as long as the request. More than MP_REPLY_HEADERS are dropped. */
void mp_reply_header(mp_request *r, const char *name, const char *value);
/* Formats into the request's arena. */
const char *mp_request_text(mp_request *r, const char *format, ...) MP_PRINTF(2, 3);
/* "Not Found", ...; static. */
const char *mp_status_title(int status);

#endif
