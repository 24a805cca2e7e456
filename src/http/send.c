/* send.c - from a reply to libmicrohttpd's response. See exchange.h. */
#include "http/exchange.h"

#include <string.h>

/* They do no harm to an API, and pages come from the same place. A reply's own header of the same
 * name stands for ours. */
static const struct {
    const char *name, *value;
} defaults[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"X-XSS-Protection", "1; mode=block"}, /* for browsers before the policy below */
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), "
                           "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
                           "usb=()"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static void add(struct MHD_Response *to, const char *name, const char *value)
{
    (void)MHD_add_response_header(to, name, value);
}

static bool has_header(const mp_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->header[i].name, name) == 0)
            return true;
    return false;
}

/* A page of an allowed origin may also show our pictures. */
static void allow_origin(struct MHD_Response *to, mp_request *r)
{
    const mp_cors *cors = r->service->cors;
    const char *origin = mp_cors_allowed(cors, r), *type = r->reply.type;
    if (!origin)
        return;
    add(to, "Access-Control-Allow-Origin", origin);
    if (mp_cors_credentials(cors))
        add(to, "Access-Control-Allow-Credentials", "true");
    if (!has_header(&r->reply, "Access-Control-Allow-Methods"))
        add(to, "Access-Control-Expose-Headers", "X-Request-Id, ETag, Content-Length, Location");
    if (type && strncmp(type, "image/", 6) == 0)
        mp_reply_header(r, "Cross-Origin-Resource-Policy", "cross-origin");
}

static void add_headers(struct MHD_Response *to, mp_exchange *x)
{
    mp_request *r = &x->request;
    mp_reply *reply = &r->reply;
    if (reply->type)
        add(to, "Content-Type", reply->type);
    allow_origin(to, r);
    for (size_t i = 0; i < MP_COUNT(defaults); i++)
        if (!has_header(reply, defaults[i].name))
            add(to, defaults[i].name, defaults[i].value);
    bool by_origin = mp_cors_varies(r->service->cors);
    if (by_origin || reply->varies)
        add(to, "Vary",
            !reply->varies ? "Origin"
            : by_origin    ? "Origin, Accept-Encoding"
                           : "Accept-Encoding");
    add(to, "X-Request-Id", r->id);
    add(to, "traceparent", mp_trace_parent(r));
    if (r->trace.state)
        add(to, "tracestate", r->trace.state);
    if (r->service->tls) /* RFC 6797, 7.2: not over plain HTTP */
        add(to, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    for (size_t i = 0; i < reply->n_headers; i++)
        add(to, reply->header[i].name, reply->header[i].value);
    if (x->refused && x->hang_up)
        add(to, "Connection", "close");
}

enum MHD_Result mp_exchange_send(mp_exchange *x)
{
    mp_request *r = &x->request;
    mp_reply *reply = &r->reply;
    struct MHD_Response *response =
        reply->stream ? mp_stream_response(reply->stream)
        : reply->has_fd
            ? MHD_create_response_from_fd_at_offset64(reply->bytes, reply->fd, reply->from)
            : MHD_create_response_from_buffer(reply->body.n, reply->body.p, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    reply->has_fd = false; /* the response closes it */
    reply->stream = NULL;
    add_headers(response, x);
    x->status = reply->status;
    x->bytes = reply->bytes ? (size_t)reply->bytes : reply->body.n;
    enum MHD_Result sent = MHD_queue_response(r->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return sent;
}
