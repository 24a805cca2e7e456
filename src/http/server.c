/* server.c - opening, draining and closing the service. See http.h. */
#include "http/acceptor.h"
#include "http/brief.h"
#include "http/exchange.h"
#include "http/line_log.h"
#include "http/listen.h"
#include "http/maps.h"
#include "http/recall.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/events.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Of one connection: half of it reads the head, which head.c judges; libmicrohttpd answers
     * what does not fit with 414 or 431 of its own. Taken from the system as it is touched. */
    CONNECTION_BYTES = 64 * 1024,
    CONNECTIONS = 1000,
    WAITING = 256,
    RESULT_BYTES = 32 * 1024 * 1024,
    GROUP_BYTES = 16 * 1024 * 1024,
    LOG_BYTES = 1024 * 1024,
    IDLE_S = 60
};

struct mp_http {
    struct MHD_Daemon *daemon;
    mp_service service;
    mp_acceptor *acceptor; /* NULL: nobody can connect any more */
    int port;
};

static void log_library(void *context, const char *format, va_list args)
{
    char text[400];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    mp_log(MP_LOG_DEBUG, "http: %s", text);
}

/* Ten at once, then ten a minute. */
static const double LOGINS_PER_S = 10.0 / 60, LOGINS_AT_ONCE = 10;
/* Mails to one address: three at once, then three an hour. */
static const double MAILS_PER_S = 3.0 / 3600, MAILS_AT_ONCE = 3;

/* Without an account only who reads the terminal can make one. */
static mp_err prepare_setup(mp_service *s, mp_why *why)
{
    uint8_t bytes[16];
    bool any;
    mp_err err = mp_auth_any_user(s->auth, &any, why);
    if (!err && !any) {
        mp_random_bytes(bytes, sizeof bytes);
        mp_hex(bytes, sizeof bytes, s->setup_token);
    }
    return err;
}

/* Model and index are opened now, not with the first request; what is wrong with them is told. */
static mp_err warm(mp_service *s, mp_why *why)
{
    magpie_stats stats;
    return (mp_err)magpie_get_stats(s->library, &stats, (magpie_why *)(void *)why);
}

static mp_err open_tls(mp_service *s, const mp_http_options *opt, mp_why *why)
{
    if (!opt->tls_cert && !opt->tls_key)
        return MP_OK;
    if (!opt->tls_cert || !opt->tls_key)
        return mp_fail(why, MP_INVALID, "a TLS certificate and its key are given together");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return mp_fail(why, MP_UNSUPPORTED, "the system's libmicrohttpd was built without TLS");
    s->scheme = "https";
    return mp_tls_open(&s->tls, opt->tls_cert, opt->tls_key, why);
}

static mp_err open_service(mp_service *s, const mp_http_options *opt, mp_why *why)
{
    s->library = opt->library;
    s->scheme = "http";
    snprintf(s->web_dir, sizeof s->web_dir, "%s", opt->web_dir ? opt->web_dir : "");
    snprintf(s->spool_dir, sizeof s->spool_dir, "%s/tmp", magpie_path(opt->library));
    s->worker = opt->worker;
    s->settings = opt->settings ? opt->settings : "{\"file\":null,\"settings\":[]}";
    s->embed_only = opt->embed_only;
    s->embed_token = opt->embed_token;
    s->allow = opt->allow;
    s->no_metrics = opt->no_metrics;
    s->registration = opt->registration;
    s->metrics = mp_metrics_new();
    s->streams = mp_streams_new();
    s->recall = mp_recall_new(opt->library);
    s->results = mp_cache_new(RESULT_BYTES);
    s->groups = mp_cache_new(GROUP_BYTES);
    s->dedup_at_once = opt->dedup_at_once;
    s->maps = mp_maps_new(opt->library, &s->draining);
    s->queries = mp_query_log_new(mp_core_meta(opt->library));
    s->mails = mp_limits_new(MAILS_PER_S, MAILS_AT_ONCE);
    s->rates = mp_rates_new(opt->rate_per_s, opt->rate_burst);
    s->logins = mp_limits_new(LOGINS_PER_S, LOGINS_AT_ONCE);
    /* Handlers wait as much as they work: for a lock, a decoder, a disk. */
    int workers = opt->workers > 0 ? opt->workers : MP_MAX(8, 4 * mp_cpu_count());
    s->work = mp_work_new(workers, WAITING);
    s->brief = mp_brief_new();
    s->most_downloads = MP_MAX(1, workers / 2);
    s->log = mp_line_log_new(STDERR_FILENO, LOG_BYTES);
    pthread_mutex_init(&s->setup_mutex, NULL);
    mp_auth_options accounts = {.library = opt->library,
                                .jwt_secret = opt->jwt_secret,
                                .access_s = opt->access_s,
                                .send = opt->send_mail,
                                .send_context = opt->mail_context,
                                .reset_url = opt->reset_url};
    mp_err err = open_tls(s, opt, why);
    if (!err)
        err = mp_cors_open(&s->cors, opt->cors, opt->n_cors, why);
    if (!err)
        err = mp_proxies_open(&s->proxies, opt->proxies, opt->n_proxies, why);
    if (!err && opt->otlp)
        err = mp_otlp_open(&s->otlp, opt->otlp, why);
    if (!err)
        err = mp_mkdirs(s->spool_dir, why);
    if (!err)
        err = mp_net_init(why);
    if (!err)
        err = mp_meta_tell_changes(mp_core_meta(opt->library), why);
    if (!err)
        err = warm(s, why);
    if (!err)
        err = mp_signer_open(&s->signer, opt->library, why);
    if (!err)
        err = mp_auth_open(&s->auth, &accounts, why);
    return err ? err : prepare_setup(s, why);
}

/* libmicrohttpd's connection is the session's pointer; whose it is, the watch knows. */
static int pick_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                            gnutls_pcert_st **chain, unsigned *n, gnutls_ocsp_data_st **ocsp,
                            unsigned *n_ocsp, gnutls_privkey_t *key, unsigned *flags)
{
    const mp_service *s = mp_watch_owner(gnutls_session_get_ptr(session));
    (void)info;
    if (!s)
        return -1;
    mp_tls_pair(s->tls, chain, n, key);
    *ocsp = NULL;
    *n_ocsp = 0;
    *flags = 0; /* the pair stays ours */
    return 0;
}

static void note_connection(void *service, struct MHD_Connection *connection, void **place,
                            enum MHD_ConnectionNotificationCode what)
{
    mp_service *s = service;
    mp_watch_notify(s->watch, connection, place, what);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        atomic_fetch_add(&s->ended, 1);
}

static unsigned threads_of(const mp_http_options *opt)
{
    return opt->threads > 0 ? (unsigned)opt->threads : 2;
}

static mp_err start_daemon(mp_http *h, const mp_http_options *opt, mp_why *why)
{
    int idle_s = opt->idle_s > 0 ? opt->idle_s : IDLE_S;
    mp_service *s = &h->service;
    mp_err err = mp_watch_open(&s->watch, idle_s, s, why);
    if (err)
        return err;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
                     (s->tls ? (unsigned)MHD_USE_TLS : 0);
    unsigned threads = threads_of(opt);
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)mp_tls_priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)pick_certificate},
        {MHD_OPTION_END, 0, NULL}};
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, mp_exchange_go_on, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT,
        (CONNECTIONS + 64) * threads, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_URI_LOG_CALLBACK, mp_exchange_begin, s, MHD_OPTION_NOTIFY_COMPLETED,
        mp_exchange_end, s, MHD_OPTION_NOTIFY_CONNECTION, note_connection, s,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MP_MAX(opt->per_address, 0), MHD_OPTION_ARRAY,
        s->tls ? tls : tls + 2, MHD_OPTION_END);
    return h->daemon ? MP_OK : mp_fail(why, MP_INTERNAL, "the HTTP server does not start");
}

mp_err mp_http_open(mp_http **out, const mp_http_options *opt, mp_why *why)
{
    mp_http *h = mp_xcalloc(1, sizeof *h);
    *out = NULL;
    int listening;
    mp_err err = mp_listen_at(opt->address, opt->port, &listening, &h->port, why);
    if (err) {
        free(h);
        return err;
    }
    err = open_service(&h->service, opt, why);
    if (!err)
        err = start_daemon(h, opt, why);
    if (err)
        close(listening);
    else
        err = mp_acceptor_open(&h->acceptor, listening, h->daemon, threads_of(opt), CONNECTIONS,
                               &h->service.ended, why);
    if (err) {
        mp_http_close(h);
        return err;
    }
    *out = h;
    return MP_OK;
}

const char *mp_http_setup_token(const mp_http *h)
{
    return h->service.setup_token;
}

mp_err mp_http_reload(mp_http *h, mp_why *why)
{
    return h->service.tls ? mp_tls_reload(h->service.tls, why) : MP_OK;
}

void mp_http_note_job(mp_http *h, const char *type, bool failed, double seconds)
{
    mp_metrics_observe(h->service.metrics, MP_JOB_TIME, type, seconds);
    if (failed)
        mp_metrics_count(h->service.metrics, MP_JOB_FAILURES, type, 1);
}

int mp_http_port(const mp_http *h)
{
    return h->port;
}

bool mp_service_draining(void *service, const magpie_progress *p)
{
    (void)p;
    return atomic_load(&((mp_service *)service)->draining);
}

bool mp_http_drain(mp_http *h, int wait_ms)
{
    double until = mp_monotonic_s() + wait_ms / 1000.0;
    atomic_store(&h->service.draining, true);
    mp_streams_end(h->service.streams);
    mp_acceptor_close(h->acceptor);
    h->acceptor = NULL;
    while (atomic_load(&h->service.active) > 0 && mp_monotonic_s() < until)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    return atomic_load(&h->service.active) == 0;
}

void mp_http_close(mp_http *h)
{
    if (!h)
        return;
    mp_acceptor_close(h->acceptor);
    /* Then the workers: libmicrohttpd must not be stopped while a connection is suspended. */
    mp_work_free(h->service.work);
    if (h->service.streams)
        mp_streams_end(h->service.streams);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    mp_brief_free(h->service.brief);
    mp_streams_free(h->service.streams);
    mp_recall_free(h->service.recall);
    mp_maps_free(h->service.maps);
    mp_cache_free(h->service.results);
    mp_cache_free(h->service.groups);
    mp_query_log_free(h->service.queries);
    mp_watch_close(h->service.watch);
    mp_tls_close(h->service.tls);
    mp_otlp_close(h->service.otlp); /* after the last request */
    mp_cors_close(h->service.cors);
    mp_proxies_close(h->service.proxies);
    mp_rates_free(h->service.rates);
    mp_metrics_free(h->service.metrics);
    mp_limits_free(h->service.logins);
    mp_limits_free(h->service.mails);
    mp_auth_close(h->service.auth);
    pthread_mutex_destroy(&h->service.setup_mutex);
    mp_line_log_free(h->service.log);
    free(h);
}
