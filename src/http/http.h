/* http.h - the service: HTTP/1.1 over a library. The room's face for `magpie serve`.
 *
 * Threads: libmicrohttpd's epoll threads read and write; handlers that take long run on a pool of
 * their own while their connection is suspended, so that a slow upload or encoding holds nobody up.
 *
 *   server.c   opening, draining, closing; listen.c the socket
 *   exchange.c one request from its first line to its end (exchange.h)
 *   head.c     what is told from the head alone; send.c the way back; log.c its line
 *   request.c  escapes and queries
 *   route.c    finding the route of a path
 *   routes.c   the table: every path, its handler and what it takes
 *   tls.c      certificate and key
 *   encode.c   gzip for text; static.c files of a folder, compressed ones beside them
 *   app_page.c the web app, under every path that is no route
 *   trace.c    whose trace a request belongs to; otlp.c its span to a collector
 *   rates.c    how often somebody may ask; proxies.c who that is behind proxies
 *   cors.c     other origins, and OPTIONS
 *   watch.c    slow connections are shut down
 *   reply.c    answers: JSON, problem+json (RFC 9457), bytes
 *   work.c     the pool of the slow handlers
 *   metrics.c  counters and histograms in Prometheus' text format
 *   health.c ...  handlers, one file per resource */
#ifndef MP_HTTP_H
#define MP_HTTP_H

#include "magpie.h"

#include "base/base.h"

typedef struct mp_http mp_http; /* opaque */

/* Who can make an account for themselves. */
typedef enum mp_registration {
    MP_REGISTRATION_OPEN,
    MP_REGISTRATION_INVITE, /* whoever has an invitation */
    MP_REGISTRATION_CLOSED
} mp_registration;

typedef struct mp_http_options {
    const char *address;            /* numeric; "127.0.0.1", "::" */
    int port;                       /* 0: any free one */
    int threads;                    /* that read and write; 0: 2 */
    int workers;                    /* for slow handlers; 0: four per processor, at least 8 */
    int per_address;                /* connections of one address at once; 0: no limit */
    int idle_s;                     /* a silent connection is closed after it; 0: 60 */
    const char *tls_cert, *tls_key; /* files in PEM; both or neither */
    const char *const *cors;        /* origins whose pages may read answers; see cors.h */
    size_t n_cors;
    const char *const *proxies; /* addresses and networks that are believed in X-Forwarded-For */
    size_t n_proxies;
    double rate_per_s, rate_burst;    /* of one address or user; 0: no limit */
    const char *otlp;                 /* URL of a collector of traces; NULL: none */
    struct mp_worker *worker;         /* runs jobs in this process; NULL: another one does */
    const struct mp_net_allow *allow; /* may be reached although private; NULL: none */
    const char *web_dir;              /* where pages lie: the app, docs/; NULL: nowhere */
    uint64_t dedup_at_once;           /* duplicates of more pictures are a job's work */
    /* Only /embed, health and metrics are answered, to whoever shows embed_token (NULL: to all). */
    bool embed_only;
    const char *embed_token;
    magpie *library; /* stays the caller's; must outlive the server */
    mp_registration registration;
    const char *jwt_secret; /* see mp_auth_options; NULL or "": none */
    int access_s;           /* the same */
    bool no_metrics;        /* /metrics is not found */
    /* Sends a mail from a thread of the service's own, one at a time; NULL: no mail server. */
    mp_err (*send_mail)(void *context, const char *to, const char *subject, const char *text,
                        mp_why *why);
    void *mail_context;
    const char *reset_url; /* what stands before the token in a mail for a new password */
    const char *settings;  /* what GET /api/settings answers, as JSON; NULL: nothing is told */
} mp_http_options;

/* Listens and serves until closed. Errors: INVALID (not an address, an origin, a proxy or a
 * collector's URL; a secret that is too short; a certificate or key that is none, or not each
 * other's), NOT_FOUND (no such file), IO (port in use, no rights). */
MP_CHECK mp_err mp_http_open(mp_http **out, const mp_http_options *opt, mp_why *why);
/* Is this an address to listen at, an origin for `cors`, a proxy for `proxies`? Else INVALID, and
 * why. */
MP_CHECK mp_err mp_http_check_address(const char *text, mp_why *why);
MP_CHECK mp_err mp_http_check_origin(const char *text, mp_why *why);
MP_CHECK mp_err mp_http_check_proxy(const char *text, mp_why *why);
/* Counts a run of a job in this process; any thread. */
void mp_http_note_job(mp_http *h, const char *type, bool failed, double seconds);
int mp_http_port(const mp_http *h);
/* Reads the certificate and its key anew, for the connections to come; after an error the old ones
 * stay. Nothing to do without TLS. */
MP_CHECK mp_err mp_http_reload(mp_http *h, mp_why *why);
/* What makes the first account at POST /api/auth/setup; "" when there is one already. */
const char *mp_http_setup_token(const mp_http *h);
/* No new connection is taken; returns when all requests are answered, at most after wait_ms: false
 * when some were not. */
bool mp_http_drain(mp_http *h, int wait_ms);
void mp_http_close(mp_http *h); /* NULL allowed; any thread but the server's own */

#endif
