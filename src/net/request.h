/* request.h - one HTTP exchange, as downloads, webhooks and the client of the command line share
 * it.
 *
 * Redirects are never followed: a 3xx is an answer like any other. Compressed answers are not
 * asked for, so that the cap counts the bytes that arrive. Each call opens its own connection. */
#ifndef MP_NET_REQUEST_H
#define MP_NET_REQUEST_H

#include "net/net.h"

/* A body that is read while it is sent, from where the descriptor stands. */
typedef struct mp_net_upload {
    int fd;        /* the caller's */
    int64_t bytes; /* -1: until its end, in chunks */
} mp_net_upload;

typedef struct mp_net_ask {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value"; no control characters */
    size_t n_headers;
    mp_span body;                /* with `Content-Type` among the headers; p NULL: none */
    const mp_net_upload *upload; /* instead of a body; NULL: none */
    bool any_address;            /* off with the policy, on with proxies of the environment */
    const mp_net_allow *allow;   /* exceptions from the policy; NULL: none */
    int timeout_ms;          /* of one try, from the look-up to the last byte; 0: 30 s; -1: none */
    int connect_ms;          /* of its look-up and connection; 0: 3 s */
    int stall_s;             /* a try that moves no byte for so long has failed; 0: no limit */
    int tries;               /* 0: 1 */
    const char *want_prefix; /* of a good answer's Content-Type ("image/"); NULL: any */
    mp_net_stop stop;
} mp_net_ask;

/* Where the answer goes. With fd, what a 2xx brings is written to it, and only what other answers
 * bring goes into `text`; with fd -1, all goes into `text`. Of other answers the first 64 KiB are
 * kept; a 2xx over the cap is an error. Between two tries the file is cut back to where it stood,
 * and `text` is emptied. */
typedef struct mp_net_sink {
    int fd;            /* the caller's; -1: none */
    mp_buf *text;      /* the caller's; emptied first; NULL: none */
    int64_t max_bytes; /* of a 2xx; 0: 32 MiB */
} mp_net_sink;

typedef struct mp_net_answer {
    int status;             /* 0: none came */
    int64_t bytes;          /* kept */
    char content_type[128]; /* printable ASCII; "" when not said */
    int tries;
    int retry_after_s; /* what the last answer asked for; 0: nothing */
} mp_net_answer;

/* MP_OK for an answer of any status that came whole. Tries are repeated after a failed look-up or
 * connection, a timeout, 429 and 5xx, with full jitter on a doubling wait (at most 0.2 s, 0.4 s,
 * ... 5 s) or after what Retry-After says; when that is over 10 s, no more tries are made. `to` may
 * be NULL. On failure *out still tells the status and the tries.
 * Errors: INVALID (URL, header, address outside the policy), NOT_FOUND (no such host), IO,
 * TIMEOUT, TOO_BIG, UNSUPPORTED (Content-Type), CANCELLED, FULL. */
MP_CHECK mp_err mp_net_request(const mp_net_ask *ask, const mp_net_sink *to, mp_net_answer *out,
                               mp_why *why);

/* MP_OK for 2xx; UNSUPPORTED: a redirect (301, 302, 303, 307, 308); NOT_FOUND: 404, 410; BUSY: 429;
 * IO: any other. */
MP_CHECK mp_err mp_net_judge(int status, mp_why *why);

#endif
