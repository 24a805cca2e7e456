/* cors.c - see cors.h. */
#include "http/cors.h"

#include "http/http.h"
#include "http/route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ORIGIN = 300 };

struct mp_cors {
    char **origin;
    size_t n;
    bool any;
};

/* ---- the list ---- */

static bool is_host(const char *p, size_t n)
{
    if (n == 0)
        return false;
    if (*p == '[') /* IPv6 */
        return n > 3 && p[n - 1] == ']' && strspn(p + 1, "0123456789abcdef:.") == n - 2;
    return strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

/* Lower case, without a default port; NULL: not an origin. Caller frees. */
static char *normal_origin(const char *text)
{
    char *out = mp_xstrdup(text);
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    bool tls = strncmp(out, "https://", 8) == 0;
    if (strlen(out) >= ORIGIN || (!tls && strncmp(out, "http://", 7) != 0))
        goto bad;
    char *host = out + (tls ? 8 : 7), *colon = strrchr(host, ':');
    if (colon && !strchr(colon, ']')) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (!isdigit((unsigned char)colon[1]) || *end || port < 1 || port > 65535 ||
            colon[1] == '0')
            goto bad;
        if (port == (tls ? 443 : 80))
            *colon = '\0';
    } else {
        colon = host + strlen(host);
    }
    if (is_host(host, (size_t)(colon - host)))
        return out;
bad:
    free(out);
    return NULL;
}

mp_err mp_cors_open(mp_cors **out, const char *const *origins, size_t n, mp_why *why)
{
    mp_cors *c = mp_xcalloc(1, sizeof *c);
    mp_err err = MP_OK;
    *out = NULL;
    c->origin = mp_xcalloc(n + 1, sizeof *c->origin);
    for (size_t i = 0; !err && i < n; i++) {
        if (strcmp(origins[i], "*") == 0)
            c->any = true;
        else if (!(c->origin[c->n++] = normal_origin(origins[i])))
            err = mp_fail(why, MP_INVALID,
                          "'%.200s' is not an origin; one looks like https://example.org or "
                          "http://localhost:3000",
                          origins[i]);
    }
    if (!err && c->any && n > 1)
        err = mp_fail(why, MP_INVALID, "the origin * stands for all, so it stands alone");
    if (err)
        mp_cors_close(c);
    else
        *out = c;
    return err;
}

mp_err mp_http_check_origin(const char *text, mp_why *why)
{
    mp_cors *c;
    mp_err err = mp_cors_open(&c, &text, 1, why);
    mp_cors_close(c);
    return err;
}

void mp_cors_close(mp_cors *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        free(c->origin[i]);
    free(c->origin);
    free(c);
}

const char *mp_cors_allowed(const mp_cors *c, const mp_request *r)
{
    const char *origin = mp_request_header(r, "Origin");
    if (!origin)
        return NULL;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->origin[i], origin) == 0)
            return c->origin[i];
    return c->any ? "*" : NULL;
}

bool mp_cors_varies(const mp_cors *c)
{
    return c->n > 0;
}

bool mp_cors_credentials(const mp_cors *c)
{
    return !c->any;
}

/* ---- OPTIONS ---- */

static const char all_methods[] = "GET, HEAD, POST, PUT, PATCH, DELETE";

/* The methods of the request's path, or NULL with the reply made. */
static const char *methods_of(mp_request *r)
{
    const char *allow = NULL;
    if (strcmp(r->path, "*") == 0)
        return all_methods;
    switch (mp_route_find(r, &allow)) { /* of no method that is in the table */
    case 405:
        return strstr(allow, "GET") ? mp_request_text(r, "%s, HEAD", allow) : allow;
    case 400:
        mp_reply_problem(r, 400, "the path holds a bad escape");
        return NULL;
    default:
        mp_reply_problem(r, 404, "there is nothing at this path");
        return NULL;
    }
}

void mp_cors_options(const mp_cors *c, mp_request *r)
{
    const char *methods = methods_of(r);
    if (!methods)
        return;
    methods = mp_request_text(r, "%s, OPTIONS", methods);
    mp_reply_text(r, 204, NULL, (mp_str){0});
    mp_reply_header(r, "Allow", methods);
    if (!mp_cors_allowed(c, r) || !mp_request_header(r, "Access-Control-Request-Method"))
        return;
    mp_reply_header(r, "Access-Control-Allow-Methods", methods);
    mp_reply_header(r, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, X-Request-Id, Idempotency-Key, traceparent, "
                    "X-API-Key");
    mp_reply_header(r, "Access-Control-Max-Age", "43200");
}
