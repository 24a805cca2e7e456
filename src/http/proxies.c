/* proxies.c - see proxies.h. All addresses are 16 bytes here, IPv4 as ::ffff:a.b.c.d. */
#include "http/proxies.h"

#include "http/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

typedef struct address {
    uint8_t byte[16];
} address;

typedef struct network {
    address at;
    int bits;
} network;

struct mp_proxies {
    network *list;
    size_t n;
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool is_v4(const address *a)
{
    return memcmp(a->byte, mapped, sizeof mapped) == 0;
}

static bool read_address(const char *text, address *out)
{
    memcpy(out->byte, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, out->byte + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, text, out->byte) == 1;
}

static const char *write_address(const address *a, mp_arena *arena)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (is_v4(a))
        inet_ntop(AF_INET, a->byte + sizeof mapped, text, sizeof text);
    else
        inet_ntop(AF_INET6, a->byte, text, sizeof text);
    return mp_arena_strdup(arena, mp_str_of(text));
}

const char *mp_address_text(const struct sockaddr *at, mp_arena *arena)
{
    address a;
    memcpy(a.byte, mapped, sizeof mapped);
    if (at && at->sa_family == AF_INET)
        memcpy(a.byte + sizeof mapped, &((const struct sockaddr_in *)(const void *)at)->sin_addr,
               4);
    else if (at && at->sa_family == AF_INET6)
        memcpy(a.byte, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, 16);
    else
        return "";
    return write_address(&a, arena);
}

/* ---- the list ---- */

static bool read_network(const char *text, network *out)
{
    char copy[INET6_ADDRSTRLEN + 8], *end = NULL;
    if (strlen(text) >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%s", text);
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (!read_address(copy, &out->at))
        return false;
    int most = is_v4(&out->at) && !strchr(copy, ':') ? 32 : 128;
    long bits = most;
    if (slash)
        bits = isdigit((unsigned char)slash[1]) ? strtol(slash + 1, &end, 10) : -1;
    if (bits < 0 || bits > most || (end && *end))
        return false;
    out->bits = (int)bits + 128 - most;
    return true;
}

mp_err mp_proxies_open(mp_proxies **out, const char *const *list, size_t n, mp_why *why)
{
    mp_proxies *p = mp_xcalloc(1, sizeof *p);
    *out = NULL;
    p->list = mp_xcalloc(n + 1, sizeof *p->list);
    for (p->n = 0; p->n < n; p->n++)
        if (!read_network(list[p->n], &p->list[p->n])) {
            mp_err err = mp_fail(why, MP_INVALID,
                                 "'%.100s' is no address and no network; one looks like 10.0.0.1 "
                                 "or 10.0.0.0/8",
                                 list[p->n]);
            mp_proxies_close(p);
            return err;
        }
    *out = p;
    return MP_OK;
}

mp_err mp_http_check_proxy(const char *text, mp_why *why)
{
    mp_proxies *p;
    mp_err err = mp_proxies_open(&p, &text, 1, why);
    mp_proxies_close(p);
    return err;
}

void mp_proxies_close(mp_proxies *p)
{
    if (!p)
        return;
    free(p->list);
    free(p);
}

static bool is_within(const network *n, const address *a)
{
    int whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->at.byte, a->byte, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((n->at.byte[whole] ^ a->byte[whole]) >> (8 - rest)) == 0;
}

static bool is_trusted(const mp_proxies *p, const address *a)
{
    for (size_t i = 0; i < p->n; i++)
        if (is_within(&p->list[i], a))
            return true;
    return false;
}

/* ---- the walk ---- */

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", with blanks around. */
static bool read_hop(const char *p, const char *end, address *out)
{
    char text[INET6_ADDRSTRLEN + 8];
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if ((size_t)(end - p) >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)(end - p), p);
    char *inner = text, *colon = strchr(text, ':'), *close = strchr(text, ']');
    if (*text == '[' && close) {
        *close = '\0';
        inner = text + 1;
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    return read_address(inner, out);
}

void mp_proxies_resolve(const mp_proxies *p, mp_request *r)
{
    address now, hop;
    if (p->n == 0 || !read_address(r->address, &now) || !is_trusted(p, &now))
        return;
    const char *scheme = mp_request_header(r, "X-Forwarded-Proto");
    if (scheme && strcasecmp(scheme, "https") == 0)
        r->scheme = "https";
    const char *list = mp_request_headers(r, "X-Forwarded-For");
    const char *end = list ? list + strlen(list) : NULL;
    while (end && is_trusted(p, &now)) {
        const char *from = end;
        while (from > list && from[-1] != ',')
            from--;
        if (!read_hop(from, end, &hop))
            break;
        now = hop;
        end = from > list ? from - 1 : NULL;
    }
    r->address = write_address(&now, r->arena);
}

void mp_address_key(const char *text, char out[MP_ADDRESS_KEY])
{
    address a;
    if (!read_address(text, &a) || is_v4(&a)) {
        snprintf(out, MP_ADDRESS_KEY, "%s", text);
        return;
    }
    memset(a.byte + 8, 0, 8);
    char prefix[INET6_ADDRSTRLEN] = "";
    inet_ntop(AF_INET6, a.byte, prefix, sizeof prefix);
    snprintf(out, MP_ADDRESS_KEY, "%s/64", prefix);
}
