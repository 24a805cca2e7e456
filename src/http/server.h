/* server.h - what all requests share. Inside the http room. */
#ifndef MP_HTTP_SERVER_H
#define MP_HTTP_SERVER_H

#include "cache/cache.h"
#include "http/cors.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/otlp.h"
#include "http/proxies.h"
#include "http/query_log.h"
#include "http/rates.h"
#include "http/route.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/watch.h"
#include "http/work.h"
#include "service/auth.h"
#include "service/sign.h"
#include "service/worker.h"

#include <pthread.h>
#include <stdatomic.h>

struct mp_service {
    magpie *library;
    mp_metrics *metrics;
    mp_work *work;
    struct mp_brief *brief;
    mp_streams *streams;
    struct mp_recall *recall;
    mp_cache *results;      /* answers to searches */
    mp_cache *groups;       /* of duplicates: see dedup.h */
    uint64_t dedup_at_once; /* pictures */
    struct mp_maps *maps;   /* positions: see maps.h */
    bool embed_only;        /* see mp_http_options */
    bool no_metrics;        /* the same */
    const char *embed_token;
    mp_query_log *queries;
    mp_worker *worker;         /* runs jobs in this process; NULL: another does */
    const mp_net_allow *allow; /* may be reached although private; NULL: none */
    _Atomic int downloads;     /* under way for requests: see from_url.h */
    int most_downloads;
    mp_auth *auth;
    mp_signer signer;
    const char *settings; /* JSON, the caller's */
    const char *scheme;   /* "http" or "https" */
    char web_dir[4096];   /* where pages lie; "": nowhere */
    char spool_dir[4096]; /* where uploads lie until they are taken in */
    mp_limits *logins;    /* by address and name */
    mp_limits *mails;     /* by the address that they go to */
    mp_registration registration;
    char setup_token[33]; /* makes the first account; "" once there is one */
    pthread_mutex_t setup_mutex;
    _Atomic int active;      /* requests begun and not yet answered */
    _Atomic bool draining;   /* readiness says no */
    struct mp_line_log *log; /* of requests, to standard error */

    mp_watch *watch;        /* of slow connections */
    _Atomic unsigned ended; /* connections, ever */
    mp_tls *tls;            /* NULL: plain HTTP */
    mp_cors *cors;
    mp_proxies *proxies; /* that are trusted */
    mp_rates *rates;     /* NULL: no limits */
    mp_otlp *otlp;       /* NULL: traces go nowhere */
};

/* A magpie_progress_fn whose context is the service: long work stops when it drains. */
bool mp_service_draining(void *service, const magpie_progress *p);

#endif
