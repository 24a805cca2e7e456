/* exchange.c - a request from its first line to its end, as libmicrohttpd reports it: `begin` with
 * the request line, `go_on` when the head is read, for each piece of the body and when it is
 * complete, `end` when the answer is out or the client is gone. See exchange.h. */
#include "http/brief.h"
#include "http/encode.h"
#include "http/exchange.h"

#include "base/os.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_BYTES = 32 * 1024 * 1024 /* of one request; grows as it is used */ };

const char *mp_request_header(const mp_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

typedef struct gathering {
    const char *name;
    mp_buf text;
} gathering;

static enum MHD_Result gather(void *context, enum MHD_ValueKind kind, const char *name,
                              const char *value)
{
    gathering *g = context;
    (void)kind;
    if (value && strcasecmp(name, g->name) == 0)
        mp_buf_printf(&g->text, "%s%s", g->text.p ? ", " : "", value);
    return MHD_YES;
}

const char *mp_request_headers(const mp_request *r, const char *name)
{
    gathering g = {.name = name};
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, gather, &g);
    const char *kept = g.text.p ? mp_arena_strdup(r->arena, (mp_str){g.text.p, g.text.n}) : NULL;
    mp_buf_free(&g.text);
    return kept;
}

void *mp_exchange_begin(void *service, const char *uri, struct MHD_Connection *connection)
{
    mp_service *s = service;
    mp_exchange *x = mp_xcalloc(1, sizeof *x);
    mp_request *r = &x->request;
    r->service = s;
    r->connection = connection;
    r->arena = mp_arena_new(ARENA_BYTES);
    x->method = "";
    r->began = mp_monotonic_s();
    mp_head_begin(x, uri);
    atomic_fetch_add(&s->active, 1);
    return x;
}

/* False: the connection is to be dropped. A body of unknown length is read to its end, so that the
 * client can hear why it was refused, but not for ever. */
static bool take_piece(mp_exchange *x, const char *data, size_t n)
{
    mp_request *r = &x->request;
    size_t most = r->route ? r->route->max_body : 0;
    if (x->refused) {
        x->wasted += n;
        return x->wasted <= most;
    }
    x->taken += n;
    mp_watch_body(r->connection, n);
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

static void answer(mp_exchange *x)
{
    mp_request *r = &x->request;
    double began = mp_monotonic_s();
    if (!r->route->slow || r->route->spool || !r->route->signed_in ||
        mp_rates_authorize(r->service->rates, r))
        r->route->handle(r);
    mp_encode_reply(r);
    mp_brief_took(r->service->brief, r->route, mp_monotonic_s() - began);
    x->state = MP_DONE;
}

static void do_work(void *item)
{
    mp_exchange *x = item;
    answer(x);
    MHD_resume_connection(x->request.connection);
}

/* The request is complete. */
static enum MHD_Result dispatch(mp_exchange *x)
{
    mp_request *r = &x->request;
    if (!r->route->slow || mp_brief_is(r->service->brief, r->route)) {
        answer(x);
        return mp_exchange_send(x);
    }
    x->state = MP_WORKING;
    MHD_suspend_connection(r->connection);
    if (mp_work_put(r->service->work, do_work, x))
        return MHD_YES;
    mp_reply_problem(r, 503, "too many requests wait already; try again");
    mp_reply_header(r, "Retry-After", "1");
    x->state = MP_DONE;
    MHD_resume_connection(r->connection);
    return MHD_YES;
}

enum MHD_Result mp_exchange_go_on(void *service, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state_of)
{
    mp_exchange *x = *state_of;
    (void)service, (void)url, (void)version;
    if (x->state == MP_FRESH) {
        x->state = MP_READING;
        x->refused = !mp_head_accept(x, method);
        mp_watch_enter(connection, x->refused ? MP_WATCH_BUSY : MP_WATCH_BODY);
        /* An answer at this point makes libmicrohttpd close the connection after it: only where a
         * body follows that nobody wants. */
        return x->refused && x->hang_up ? mp_exchange_send(x) : MHD_YES;
    }
    if (*n) {
        bool go_on = take_piece(x, data, *n);
        *n = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    mp_watch_enter(connection, MP_WATCH_BUSY);
    if (x->spool && x->state == MP_READING && !x->refused && !mp_spool_end(x->spool))
        x->refused = true;
    if (x->state == MP_DONE || x->refused)
        return mp_exchange_send(x);
    return dispatch(x);
}

/* The span as a collector wants it: by the wall clock, with the duration of the other one. */
static void export_span(const mp_exchange *x, double seconds)
{
    const mp_request *r = &x->request;
    const mp_trace *t = &r->trace;
    struct timespec now;
    if (!r->service->otlp || !t->sampled)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    mp_span_of_request span = {.method = x->method,
                               .route = r->route ? r->route->path : "",
                               .status = x->status,
                               .ended_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec};
    span.began_ns = span.ended_ns - (int64_t)(seconds * 1e9);
    memcpy(span.trace_id, t->trace_id, sizeof span.trace_id);
    memcpy(span.span_id, t->span_id, sizeof span.span_id);
    memcpy(span.parent_id, t->parent_id, sizeof span.parent_id);
    mp_otlp_add(r->service->otlp, &span);
}

void mp_exchange_end(void *service, struct MHD_Connection *connection, void **state_of,
                     enum MHD_RequestTerminationCode how)
{
    mp_exchange *x = *state_of;
    mp_service *s = service;
    (void)how;
    if (!x)
        return;
    mp_watch_enter(connection, MP_WATCH_HEAD);
    mp_request *r = &x->request;
    double seconds = mp_monotonic_s() - r->began;
    mp_metrics_request(s->metrics, x->method, r->route ? r->route->path : "", x->status, seconds);
    mp_exchange_log(x);
    export_span(x, seconds);
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
    atomic_fetch_sub(&s->active, 1);
}
