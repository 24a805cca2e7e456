/* remote.h - the commands as a client of a service: one exchange with what surrounds it.
 *
 * A remote is read-only once it is open, so its exchanges may run on several threads; what reports
 * (everything that takes an mp_app) stays on the main thread. GET is tried again by itself; 429 and
 * 503 with a Retry-After are waited out, 30 s in all. The policy on addresses does not hold here:
 * whoever runs the command names the server. Certificates are verified, and redirects are not
 * followed, so that the token goes to nobody else. */
#ifndef MP_APP_REMOTE_H
#define MP_APP_REMOTE_H

#include "app/app.h"

#include "net/request.h"

typedef struct remote {
    mp_app *app;
    char *base;          /* "https://host:port", without a slash at its end */
    char *authorization; /* the header's line; NULL: no token */
    bool on;             /* the room of the network is open */
} remote;

/* Does a command that also works on a library here go to the server? Yes when one is set, unless
 * --library stands on the command line and --server does not. */
bool remote_wanted(const mp_app *app);
/* From the settings; *out: remote_close, also after a failure. EXIT_DONE or the code of a failure
 * that has been reported. */
int remote_open(remote *out, mp_app *app);
void remote_close(remote *r);
/* Tells the user that `what` is sent over plain http to another machine, if it is. remote_open does
 * so for the token. */
void remote_warn_plain(const remote *r, const char *what);

typedef struct remote_ask {
    const char *method;          /* NULL: GET */
    const char *path;            /* with its query, from the slash on */
    const json_t *json;          /* the body; NULL: none */
    mp_span bytes;               /* instead of json */
    const mp_net_upload *upload; /* instead of both: a file, sent from its start */
    const char *type;            /* of bytes and upload; NULL: application/octet-stream */
    const char *accept;          /* NULL: anything */
    const char *range;           /* "Range: bytes=5-"; NULL: all */
    const mp_net_sink *to;       /* where a 2xx goes, raw; NULL: it is JSON */
    const mp_net_stop *stop;     /* NULL: Ctrl-C alone */
    bool once;                   /* a GET that the caller tries again himself */
} remote_ask;

typedef struct remote_answer {
    int status;   /* 0: none came */
    json_t *json; /* the caller's; NULL: none (204, or `to` was given) */
} remote_answer;

/* One exchange, on any thread. Anything but a 2xx is an error: the problem's words, with --verbose
 * the request's id. Errors: INVALID (401, 403, 422 and other refusals), NOT_FOUND (404, 410),
 * EXISTS (409), TOO_BIG, UNSUPPORTED (415), BUSY (429, 503), FULL (507), IO (no connection, other
 * statuses, an answer that is no JSON), CANCELLED. */
MP_CHECK mp_err remote_exchange(const remote *r, const remote_ask *ask, remote_answer *out,
                                mp_why *why);

/* The same with a failure reported. Takes the reference of `body` (NULL: none); *out (NULL: not
 * wanted) is the caller's. */
int remote_call(const remote *r, const char *method, const char *path, json_t *body, json_t **out);
/* GET of all pages of a list: the arrays `member` of each, joined. `path` has a query or none.
 * most 0: all. */
int remote_list(const remote *r, const char *path, const char *member, size_t most, json_t **out);
int remote_failed(const remote *r, mp_err err, const mp_why *why);

/* Appends text as a part of a query or path. */
void remote_escape(mp_buf *out, const char *text);
/* Formats a path; the caller frees. */
char *remote_path(const char *format, ...) MP_PRINTF(1, 2);
/* Members of answers; "" and 0 when they are not there. The text lives as long as the answer. */
const char *remote_text(const json_t *o, const char *member);
int64_t remote_number(const json_t *o, const char *member);

#endif
