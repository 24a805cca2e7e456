/* head.c - what can be told from a request's head, before any of its body is read: framing that two
 * parties could read in two ways, unknown methods and paths, bodies over the cap, and who asks
 * where a large body follows. See exchange.h. */
#include "http/app_page.h"
#include "http/exchange.h"

#include "base/os.h"
#include "core/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_BYTES = 8 * 1024, HEAD_BYTES = 32 * 1024 };

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
    mp_random_id(bytes, sizeof bytes);
    mp_hex(bytes, sizeof bytes, r->id);
}

/* ---- what it asks for ---- */

/* OPTIONS is in no route: see cors.h. */
static bool read_method(mp_exchange *x, const char *word)
{
    mp_method *out = &x->request.method;
    *out = MP_METHODS;
    if (strcmp(word, "OPTIONS") == 0) {
        x->method = "OPTIONS";
        return true;
    }
    if (strcmp(word, "HEAD") == 0) {
        x->method = "HEAD";
        *out = MP_GET; /* libmicrohttpd leaves the body out */
        return true;
    }
    for (int m = 0; m < MP_METHODS; m++)
        if (strcmp(word, mp_method_word((mp_method)m)) == 0) {
            *out = (mp_method)m;
            x->method = mp_method_word(*out);
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
static bool open_spool(mp_exchange *x)
{
    mp_request *r = &x->request;
    const mp_service *s = r->service;
    if (r->route->signed_in && !mp_rates_authorize(s->rates, r))
        return false;
    if (r->route->admit && !r->route->admit(r))
        return false;
    uint64_t most =
        r->route->max_file ? r->route->max_file : (uint64_t)mp_core_max_bytes(s->library);
    x->spool = mp_spool_new(r, s->spool_dir, most);
    return x->spool != NULL;
}

/* Of the headers without the request line's target. */
static bool sizes_are_fine(mp_request *r)
{
    size_t url = strlen(r->path) + strlen(r->query);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (url > URL_BYTES) {
        mp_reply_problem(r, 414, "the URL is over the limit of %d bytes", URL_BYTES);
        return false;
    }
    if (info && info->header_size > url + HEAD_BYTES) {
        mp_reply_problem(r, 431, "the headers are over the limit of %d bytes", HEAD_BYTES);
        return false;
    }
    return true;
}

/* A process that embeds has no more to offer. */
static bool is_offered(const mp_request *r)
{
    static const char *const open[] = {"/embed/", "/health", "/metrics"};
    bool offered = !r->service->embed_only;
    for (size_t i = 0; i < MP_COUNT(open); i++)
        offered = offered || strncmp(r->route->path, open[i], strlen(open[i])) == 0;
    return offered;
}

static bool find_route(mp_request *r)
{
    const char *allow;
    int status = mp_route_find(r, &allow);
    if (status == 200 && !is_offered(r))
        status = 404;
    if (status == 404 && (r->route = mp_app_route(r)))
        return true;
    switch (status) {
    case 200:
        return true;
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
}

/* Answers what can be answered from the head; true when the request may go on. */
bool mp_head_accept(mp_exchange *x, const char *method)
{
    mp_request *r = &x->request;
    long long length;
    take_id(r);
    mp_trace_begin(r, r->service->otlp != NULL);
    mp_proxies_resolve(r->service->proxies, r);
    x->hang_up = true;
    if (!sizes_are_fine(r))
        return false;
    if (!read_method(x, method)) {
        mp_reply_problem(r, 405, "the method %.20s is not known here", method);
        mp_reply_header(r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return false;
    }
    if (!framing_is_clear(r) || !announced_length(r, &length)) {
        mp_reply_problem(r, 400, "the headers are malformed, or the body's length is not clear");
        return false;
    }
    x->hang_up = length != 0;
    if (r->method == MP_METHODS) {
        mp_cors_options(r->service->cors, r);
        (void)mp_rates_admit(r->service->rates, r);
        return false;
    }
    bool found = find_route(r);
    if (!mp_rates_admit(r->service->rates, r) || !found)
        return false;
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

/* ---- before the headers ---- */

/* The path and the query as they came: escapes are ours to judge. */
static void take_target(mp_request *r, const char *uri)
{
    size_t n = strcspn(uri, "?");
    r->path = mp_arena_strdup(r->arena, (mp_str){uri, n});
    r->query = mp_arena_strdup(r->arena, mp_str_of(uri[n] ? uri + n + 1 : ""));
}

void mp_head_begin(mp_exchange *x, const char *uri)
{
    mp_request *r = &x->request;
    take_target(r, uri);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    r->address = mp_address_text(info ? info->client_addr : NULL, r->arena);
    r->scheme = r->service->scheme;
}
