/* server.c - from libmicrohttpd's connections to requests, and back.
 *
 * libmicrohttpd calls `begin` with the request line, then `on_request` when the head is read, for
 * each piece of the body, and when it is complete. A request goes through the states below; a slow
 * one is suspended while it is WORKING and comes back DONE, which is the only way in which another
 * thread touches it. What is wrong with the head is answered before the body is read. */
#include "http/links.h"
#include "http/server.h"
#include "http/spool.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/events.h"
#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 32 * 1024, /* request line and headers */
    CONNECTIONS = 1000,
    WAITING = 256,
    ARENA_BYTES = 32 * 1024 * 1024, /* of one request; grows as it is used */
    IDLE_S = 60,
    URL_BYTES = 8 * 1024
};

struct mp_http {
    struct MHD_Daemon *daemon;
    mp_service service;
    int port;
    bool quiet; /* the listening socket is closed */
};

typedef enum state { FRESH, READING, WORKING, DONE } state;

/* request first: handlers see only that. */
typedef struct exchange {
    mp_request request;
    state state;
    mp_spool *spool; /* of a body that goes to files */
    bool refused;    /* answered from its head: the body is not wanted */
    bool hang_up;    /* and what follows may be that body */
    size_t taken;    /* of the body */
    size_t wasted;   /* of a body that is over the limit */
    int status;      /* that was sent; 0: the client went away */
    size_t bytes;
} exchange;

/* ---- identity ---- */

/* A client's own id is taken over when it is harmless in a log and a header. */
static bool is_plain(const char *id)
{
    size_t n = id ? strlen(id) : 0;
    for (size_t i = 0; i < n; i++) {
        char c = id[i];
        bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '_' || c == '.';
        if (!fine)
            return false;
    }
    return n > 0 && n <= MP_REQUEST_ID;
}

static void take_id(mp_request *r)
{
    const char *given = mp_request_header(r, "X-Request-Id");
    uint8_t bytes[16];
    if (is_plain(given)) {
        snprintf(r->id, sizeof r->id, "%s", given);
        return;
    }
    mp_random_bytes(bytes, sizeof bytes);
    mp_hex(bytes, sizeof bytes, r->id);
}

const char *mp_request_header(const mp_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* ---- sending ---- */

/* They do no harm to an API, and pages come from the same place. */
static const char *const security_headers[][2] = {
    {"Cache-Control", "no-store"}, /* first: see kept below */
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
};

static enum MHD_Result send_reply(exchange *x)
{
    mp_request *r = &x->request;
    mp_reply *reply = &r->reply;
    bool kept = false; /* the reply's own Cache-Control stands for ours */
    struct MHD_Response *response =
        reply->stream ? mp_stream_response(reply->stream)
        : reply->has_fd
            ? MHD_create_response_from_fd_at_offset64(reply->bytes, reply->fd, reply->from)
            : MHD_create_response_from_buffer(reply->body.n, reply->body.p, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    reply->has_fd = false; /* the response closes it */
    reply->stream = NULL;
    if (reply->type)
        (void)MHD_add_response_header(response, "Content-Type", reply->type);
    for (size_t i = 0; i < reply->n_headers; i++)
        kept |= strcmp(reply->header[i].name, "Cache-Control") == 0;
    for (size_t i = kept; i < MP_COUNT(security_headers); i++)
        (void)MHD_add_response_header(response, security_headers[i][0], security_headers[i][1]);
    (void)MHD_add_response_header(response, "X-Request-Id", r->id);
    for (size_t i = 0; i < reply->n_headers; i++)
        (void)MHD_add_response_header(response, reply->header[i].name, reply->header[i].value);
    if (x->refused && x->hang_up)
        (void)MHD_add_response_header(response, "Connection", "close");
    x->status = reply->status;
    x->bytes = reply->bytes ? (size_t)reply->bytes : reply->body.n;
    enum MHD_Result sent = MHD_queue_response(r->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return sent;
}

/* ---- receiving ---- */

static bool read_method(const char *word, mp_method *out)
{
    if (strcmp(word, "HEAD") == 0)
        word = "GET"; /* libmicrohttpd leaves the body out */
    for (int m = 0; m < MP_METHODS; m++)
        if (strcmp(word, mp_method_word((mp_method)m)) == 0) {
            *out = (mp_method)m;
            return true;
        }
    return false;
}

/* RFC 9110, 5.6.2. */
static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    if (!name || !*name)
        return false;
    for (; *name; name++) {
        char c = *name;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              strchr(marks, c)))
            return false;
    }
    return true;
}

typedef struct framing {
    int hosts, lengths, codings;
    bool bad;
} framing;

static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    framing *f = context;
    (void)kind, (void)value;
    f->bad |= !is_token(name);
    if (!f->bad) {
        f->hosts += strcasecmp(name, "Host") == 0;
        f->lengths += strcasecmp(name, "Content-Length") == 0;
        f->codings += strcasecmp(name, "Transfer-Encoding") == 0;
    }
    return f->bad ? MHD_NO : MHD_YES;
}

/* What a proxy in front might read in another way than we (RFC 9112, 5 and 6.3). */
static bool framing_is_clear(const mp_request *r)
{
    framing f = {0};
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, look_at_header, &f);
    return !f.bad && f.hosts <= 1 && f.lengths + f.codings <= 1;
}

/* What the head says of the body: -1 for chunks, whose length nobody knows. */
static bool announced_length(const mp_request *r, long long *out)
{
    const char *length = mp_request_header(r, "Content-Length");
    const char *coding = mp_request_header(r, "Transfer-Encoding");
    char *end;
    *out = coding ? -1 : 0;
    if (!length)
        return true;
    errno = 0;
    *out = strtoll(length, &end, 10);
    return !coding && *length >= '0' && *length <= '9' && !*end && errno == 0;
}

/* Who asks is known before a large body is let in. */
static bool open_spool(exchange *x)
{
    mp_request *r = &x->request;
    const mp_service *s = r->service;
    if (r->route->signed_in && !mp_request_authorize(r))
        return false;
    if (r->route->admit && !r->route->admit(r))
        return false;
    uint64_t most =
        r->route->max_file ? r->route->max_file : (uint64_t)mp_core_max_bytes(s->library);
    x->spool = mp_spool_new(r, s->spool_dir, most);
    return x->spool != NULL;
}

/* Answers what can be answered from the head; true when the request may go on. */
static bool accept_head(exchange *x, const char *method)
{
    mp_request *r = &x->request;
    const char *allow;
    long long length;
    x->hang_up = true;
    if (!read_method(method, &r->method)) {
        r->method = MP_METHODS;
        mp_reply_problem(r, 405, "the method %.20s is not known here", method);
        mp_reply_header(r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE");
        return false;
    }
    if (!framing_is_clear(r) || !announced_length(r, &length)) {
        mp_reply_problem(r, 400, "the headers are malformed, or the body's length is not clear");
        return false;
    }
    x->hang_up = length != 0;
    switch (mp_route_find(r, &allow)) {
    case 200:
        break;
    case 400:
        mp_reply_problem(r, 400, "the path holds a bad escape");
        return false;
    case 405:
        mp_reply_problem(r, 405, "%s does not take %s", r->path, mp_method_word(r->method));
        mp_reply_header(r, "Allow", allow);
        return false;
    default:
        mp_reply_problem(r, 404, "there is nothing at this path");
        return false;
    }
    if (!mp_request_decode(r, r->query, strlen(r->query), true)) {
        mp_reply_problem(r, 400, "the query holds a bad escape");
        return false;
    }
    if (length > 0 && (unsigned long long)length > r->route->max_body) {
        mp_reply_problem(r, 413, "the body is over the limit of %zu bytes", r->route->max_body);
        return false;
    }
    return !r->route->spool || open_spool(x);
}

/* The path and the query as they came: escapes are ours to judge. */
static void take_target(mp_request *r, const char *uri)
{
    size_t n = strcspn(uri, "?");
    r->path = mp_arena_strdup(r->arena, (mp_str){uri, n});
    r->query = mp_arena_strdup(r->arena, mp_str_of(uri[n] ? uri + n + 1 : ""));
}

static void take_address(mp_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    const struct sockaddr *at = info ? info->client_addr : NULL;
    if (at && at->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)at)->sin_addr, text,
                  sizeof text);
    else if (at && at->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, text,
                  sizeof text);
    r->address = mp_arena_strdup(r->arena, mp_str_of(text));
}

static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    mp_http *h = context;
    exchange *x = mp_xcalloc(1, sizeof *x);
    mp_request *r = &x->request;
    r->service = &h->service;
    r->connection = connection;
    r->arena = mp_arena_new(ARENA_BYTES);
    r->began = mp_monotonic_s();
    take_target(r, uri);
    take_address(r);
    atomic_fetch_add(&h->service.active, 1);
    return x;
}

/* False: the connection is to be dropped. A body of unknown length is read to its end, so that the
 * client can hear why it was refused, but not for ever. */
static bool take_piece(exchange *x, const char *data, size_t n)
{
    mp_request *r = &x->request;
    size_t most = r->route ? r->route->max_body : 0;
    if (x->refused) {
        x->wasted += n;
        return x->wasted <= most;
    }
    x->taken += n;
    if (x->taken > most) {
        x->refused = x->hang_up = true;
        mp_reply_problem(r, 413, "the body is over the limit of %zu bytes", most);
        return true;
    }
    if (!x->spool)
        mp_buf_add(&r->body, data, n);
    else if (!mp_spool_add(x->spool, data, n))
        x->refused = x->hang_up = true;
    return true;
}

static void do_work(void *item)
{
    exchange *x = item;
    mp_request *r = &x->request;
    if (r->route->spool || !r->route->signed_in || mp_request_authorize(r))
        r->route->handle(r);
    x->state = DONE;
    MHD_resume_connection(x->request.connection);
}

/* The request is complete. */
static enum MHD_Result dispatch(exchange *x)
{
    mp_request *r = &x->request;
    if (!r->route->slow) {
        r->route->handle(r);
        x->state = DONE;
        return send_reply(x);
    }
    x->state = WORKING;
    MHD_suspend_connection(r->connection);
    if (mp_work_put(r->service->work, do_work, x))
        return MHD_YES;
    mp_reply_problem(r, 503, "too many requests wait already; try again");
    mp_reply_header(r, "Retry-After", "1");
    x->state = DONE;
    MHD_resume_connection(r->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state_of)
{
    exchange *x = *state_of;
    (void)context, (void)connection, (void)url, (void)version;
    if (x->state == FRESH) {
        x->state = READING;
        take_id(&x->request);
        x->refused = !accept_head(x, method);
        return x->refused ? send_reply(x) : MHD_YES;
    }
    if (*n) {
        bool go_on = take_piece(x, data, *n);
        *n = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (x->spool && x->state == READING && !x->refused && !mp_spool_end(x->spool))
        x->refused = true;
    if (x->state == DONE || x->refused)
        return send_reply(x);
    return dispatch(x);
}

/* ---- after ---- */

static void write_log(const exchange *x)
{
    const mp_request *r = &x->request;
    mp_service *s = r->service;
    json_t *line = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:f, s:s, s:I}", "ts", (json_int_t)mp_now_ms(),
        "level", x->status >= 500 ? "error" : "info", "msg", "request", "request_id", r->id,
        "method", mp_method_word(r->method), "endpoint", r->route ? r->route->path : "", "status",
        x->status, "bytes", (json_int_t)x->bytes, "ms", (mp_monotonic_s() - r->began) * 1000,
        "remote", r->address, "user_id", (json_int_t)r->user.id);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    pthread_mutex_lock(&s->log_mutex);
    fprintf(stderr, "%s\n", text ? text : "{}");
    pthread_mutex_unlock(&s->log_mutex);
    free(text);
    json_decref(line);
}

static void completed(void *context, struct MHD_Connection *connection, void **state_of,
                      enum MHD_RequestTerminationCode how)
{
    exchange *x = *state_of;
    mp_http *h = context;
    (void)connection;
    (void)how;
    if (!x)
        return;
    mp_request *r = &x->request;
    mp_metrics_request(h->service.metrics, mp_method_word(r->method),
                       r->route ? r->route->path : "", x->status, mp_monotonic_s() - r->began);
    write_log(x);
    json_decref(r->json);
    if (r->body.p) /* it may have held a password */
        sodium_memzero(r->body.p, r->body.n);
    mp_buf_free(&r->body);
    mp_buf_free(&r->reply.body);
    if (r->reply.has_fd)
        close(r->reply.fd);
    mp_stream_drop(r->reply.stream);
    if (r->kept_fd > 0)
        close(r->kept_fd);
    mp_spool_free(x->spool);
    mp_arena_free(r->arena);
    free(x);
    *state_of = NULL;
    atomic_fetch_sub(&h->service.active, 1);
}

static void log_library(void *context, const char *format, va_list args)
{
    char text[400];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    mp_log(MP_LOG_DEBUG, "http: %s", text);
}

/* ---- opening and closing ---- */

/* Ten at once, then ten a minute. */
static const double LOGINS_PER_S = 10.0 / 60, LOGINS_AT_ONCE = 10;
/* To one mailbox, whoever asks: five at once, then five an hour. */
static const double MAILS_PER_S = 5.0 / 3600, MAILS_AT_ONCE = 5;

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

/* Which model the vectors are of, for answers that name it. */
static mp_err name_model(mp_service *s, mp_why *why)
{
    magpie_stats stats;
    mp_err err = (mp_err)magpie_get_stats(s->library, &stats, (magpie_why *)(void *)why);
    if (!err) {
        snprintf(s->model_name, sizeof s->model_name, "%s", stats.model);
        snprintf(s->model_version, sizeof s->model_version, "%s", stats.model_sha256);
    }
    return err;
}

static mp_err open_service(mp_service *s, const mp_http_options *opt, mp_why *why)
{
    s->library = opt->library;
    s->worker = opt->worker;
    s->allow = opt->allow;
    s->scheme = "http";
    snprintf(s->spool_dir, sizeof s->spool_dir, "%s/tmp", magpie_path(opt->library));
    s->registration = opt->registration;
    s->metrics = mp_metrics_new();
    s->streams = mp_streams_new();
    s->queries = mp_query_log_new(mp_core_meta(opt->library));
    s->logins = mp_limits_new(LOGINS_PER_S, LOGINS_AT_ONCE);
    s->mails = mp_limits_new(MAILS_PER_S, MAILS_AT_ONCE);
    /* Handlers wait as much as they work: for a lock, a decoder, a disk. */
    s->work = mp_work_new(opt->workers ? opt->workers : MP_MAX(8, 4 * mp_cpu_count()), WAITING);
    pthread_mutex_init(&s->log_mutex, NULL);
    pthread_mutex_init(&s->setup_mutex, NULL);
    mp_auth_options accounts = {.library = opt->library,
                                .jwt_secret = opt->jwt_secret,
                                .send = opt->send_mail,
                                .send_context = opt->mail_context,
                                .reset_url = opt->reset_url};
    mp_err err = mp_mkdirs(s->spool_dir, why);
    if (!err)
        err = mp_net_init(why);
    if (!err)
        err = mp_meta_tell_changes(mp_core_meta(opt->library), why);
    if (!err)
        err = name_model(s, why);
    if (!err)
        err = mp_signer_open(&s->signer, opt->library, why);
    if (!err)
        err = mp_auth_open(&s->auth, &accounts, why);
    return err ? err : prepare_setup(s, why);
}

static mp_err listen_at(const mp_http_options *opt, int *out, int *port, mp_why *why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *at;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char service[16];
    snprintf(service, sizeof service, "%d", opt->port);
    if (getaddrinfo(opt->address, service, &hints, &at) != 0)
        return mp_fail(why, MP_INVALID, "'%s' is not a numeric address", opt->address);
    int one = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mp_err err = MP_OK;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &n) != 0)
        err = mp_fail_errno(why, errno, "cannot listen at %s port %d", opt->address, opt->port);
    freeaddrinfo(at);
    if (err) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    *port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                              : ((struct sockaddr_in *)&bound)->sin_port);
    *out = fd;
    return MP_OK;
}

mp_err mp_http_open(mp_http **out, const mp_http_options *opt, mp_why *why)
{
    mp_http *h = mp_xcalloc(1, sizeof *h);
    int fd = -1;
    *out = NULL;
    mp_err err = listen_at(opt, &fd, &h->port, why);
    if (err) {
        free(h);
        return err;
    }
    err = open_service(&h->service, opt, why);
    if (err) {
        close(fd);
        mp_http_close(h);
        return err;
    }
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)(opt->threads > 0 ? opt->threads : 2), MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(opt->idle_s > 0 ? opt->idle_s : IDLE_S), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_BYTES + URL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, begin, h, MHD_OPTION_NOTIFY_COMPLETED, completed, h,
        MHD_OPTION_END);
    if (!h->daemon) {
        close(fd);
        mp_http_close(h);
        return mp_fail(why, MP_INTERNAL, "the HTTP server does not start");
    }
    *out = h;
    return MP_OK;
}

const char *mp_http_setup_token(const mp_http *h)
{
    return h->service.setup_token;
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

bool mp_http_drain(mp_http *h, int wait_ms)
{
    double until = mp_monotonic_s() + wait_ms / 1000.0;
    atomic_store(&h->service.draining, true);
    mp_streams_end(h->service.streams);
    MHD_socket fd = h->quiet ? MHD_INVALID_SOCKET : MHD_quiesce_daemon(h->daemon);
    h->quiet = true;
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    while (atomic_load(&h->service.active) > 0 && mp_monotonic_s() < until)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    return atomic_load(&h->service.active) == 0;
}

void mp_http_close(mp_http *h)
{
    if (!h)
        return;
    /* First the workers: libmicrohttpd must not be stopped while a connection is suspended. */
    mp_work_free(h->service.work);
    if (h->service.streams)
        mp_streams_end(h->service.streams);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    mp_streams_free(h->service.streams);
    mp_query_log_free(h->service.queries);
    mp_metrics_free(h->service.metrics);
    mp_limits_free(h->service.logins);
    mp_limits_free(h->service.mails);
    mp_auth_close(h->service.auth);
    pthread_mutex_destroy(&h->service.setup_mutex);
    pthread_mutex_destroy(&h->service.log_mutex);
    free(h);
}
