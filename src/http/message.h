/* message.h - one request and its reply, as handlers see them. Inside the http room.
 *
 * A request belongs to one thread at a time: an epoll thread, then perhaps a worker, then an epoll
 * thread again. Everything it points at lies in its arena or in libmicrohttpd's connection and
 * lives until the reply is sent. */
#ifndef MP_HTTP_MESSAGE_H
#define MP_HTTP_MESSAGE_H

#include "http/http.h"

#include "meta/accounts.h"

#include <jansson.h>

typedef enum mp_method { MP_GET, MP_POST, MP_PUT, MP_PATCH, MP_DELETE, MP_METHODS } mp_method;
/* "GET", ...; static. */
const char *mp_method_word(mp_method m);

enum { MP_PATH_PARAMS = 4, MP_REPLY_HEADERS = 8, MP_REQUEST_ID = 64 };

typedef struct mp_reply {
    int status;
    const char *type; /* static or in the request's arena */
    mp_buf body;      /* owned by the reply */
    struct {
        const char *name, *value; /* static or in the request's arena */
    } header[MP_REPLY_HEADERS];
    size_t n_headers;
} mp_reply;

typedef struct mp_service mp_service; /* what all handlers share: see server.h */
typedef struct mp_route mp_route;

typedef struct mp_request {
    mp_service *service;
    mp_method method;
    const char *path, *query; /* as they came, without the '?' */
    const mp_route *route;
    const char *param[MP_PATH_PARAMS]; /* of the route's {names}, decoded */
    void *connection;                  /* libmicrohttpd's */
    mp_arena *arena;
    mp_buf body;
    json_t *json;        /* of a JSON body, once read; freed with the request */
    const char *address; /* of the client */
    mp_user user;        /* who asks, where the route wants to know; id 0: nobody */
    const char *session; /* of the user's access token */
    char id[MP_REQUEST_ID + 1];
    double began;
    mp_reply reply;
} mp_request;

/* A header of the request, or NULL. Names are matched without case. */
const char *mp_request_header(const mp_request *r, const char *name);
/* A query parameter, decoded, or NULL when it is absent or badly escaped. The first of its name. */
const char *mp_request_query(const mp_request *r, const char *name);
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
/* Both strings must live as long as the request. More than MP_REPLY_HEADERS are dropped. */
void mp_reply_header(mp_request *r, const char *name, const char *value);
/* "Not Found", ...; static. */
const char *mp_status_title(int status);

#endif
