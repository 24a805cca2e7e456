/* url.c - see url.h and net.h. */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* Older libcurl gives an international name as it was written; that is judged when connecting. */
#ifdef CURLU_PUNYCODE
enum { HOST_FLAGS = CURLU_PUNYCODE };
#else
enum { HOST_FLAGS = 0 };
#endif

const char *const mp_net_http[2] = {"http", "https"};

mp_err mp_net_refuse(mp_why *why)
{
    return mp_fail(why, MP_INVALID,
                   "this URL does not lead to a public address; only public ones are reached");
}

/* Lower-case copy of a part; false when there is none or it does not fit. */
static bool part(CURLU *u, CURLUPart which, unsigned flags, char *out, size_t cap)
{
    char *text = NULL;
    bool fits = curl_url_get(u, which, &text, flags) == CURLUE_OK && *text && strlen(text) < cap;
    if (fits)
        for (size_t i = 0; i <= strlen(text); i++)
            out[i] = (char)tolower((unsigned char)text[i]);
    curl_free(text);
    return fits;
}

static bool has(CURLU *u, CURLUPart which)
{
    char *text = NULL;
    bool there = curl_url_get(u, which, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
}

static mp_err take_apart(mp_net_url *u, const char *url, const char *const schemes[2], mp_why *why)
{
    char port[8];
    if (strlen(url) > MP_NET_URL_MAX)
        return mp_fail(why, MP_INVALID, "a URL has at most %d bytes", MP_NET_URL_MAX);
    CURLUcode rc = curl_url_set(u->parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (rc == CURLUE_OUT_OF_MEMORY)
        return mp_fail(why, MP_NOMEM, "no memory for a URL");
    if (rc != CURLUE_OK || !part(u->parsed, CURLUPART_HOST, HOST_FLAGS, u->host, sizeof u->host))
        return mp_fail(why, MP_INVALID, "this is not a whole URL: %s://host/path", schemes[0]);
    if (!part(u->parsed, CURLUPART_SCHEME, 0, u->scheme, sizeof u->scheme) ||
        (strcmp(u->scheme, schemes[0]) != 0 && strcmp(u->scheme, schemes[1]) != 0))
        return mp_fail(why, MP_INVALID, "a URL begins with %s:// or %s://", schemes[0], schemes[1]);
    if (has(u->parsed, CURLUPART_USER) || has(u->parsed, CURLUPART_PASSWORD) ||
        has(u->parsed, CURLUPART_OPTIONS))
        return mp_fail(why, MP_INVALID, "a URL must not carry a user or a password");
    if (!part(u->parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port) || atoi(port) < 1 ||
        atoi(port) > 65535)
        return mp_fail(why, MP_INVALID, "a port is 1 to 65535");
    snprintf(u->authority, sizeof u->authority, "%s:%s", u->host, port);
    return MP_OK;
}

mp_err mp_net_url_parse(mp_net_url *out, const char *url, const char *const schemes[2], mp_why *why)
{
    *out = (mp_net_url){.parsed = curl_url()};
    mp_err err = out->parsed ? take_apart(out, url, schemes, why)
                             : mp_fail(why, MP_NOMEM, "no memory for a URL");
    if (err)
        mp_net_url_free(out);
    return err;
}

void mp_net_url_free(mp_net_url *url)
{
    curl_url_cleanup(url->parsed);
    *url = (mp_net_url){0};
}

bool mp_net_url_excepted(const mp_net_url *url, const mp_net_allow *allow)
{
    for (size_t i = 0; allow && i < allow->n; i++)
        if (strcasecmp(allow->authorities[i], url->authority) == 0)
            return true;
    return false;
}

/* ---- what needs no network ---- */

static bool refused6(const char *host)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6};
    char bare[INET6_ADDRSTRLEN];
    size_t n = strcspn(host + 1, "]%"); /* a zone changes nothing */
    if (n >= sizeof bare)
        return true;
    memcpy(bare, host + 1, n);
    bare[n] = '\0';
    return inet_pton(AF_INET6, bare, &a.sin6_addr) != 1 ||
           !mp_net_address_allowed((const struct sockaddr *)&a);
}

static bool ends_with(const char *text, const char *tail)
{
    size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcmp(text + n - m, tail) == 0;
}

/* inet_aton knows every spelling that a resolver takes for an IPv4 address. */
static bool refused_host(const char *host)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char bare[MP_NET_AUTHORITY];
    if (*host == '[')
        return refused6(host);
    snprintf(bare, sizeof bare, "%s", host);
    for (size_t n = strlen(bare); n && bare[n - 1] == '.'; n--)
        bare[n - 1] = '\0';
    if (inet_aton(bare, &a.sin_addr))
        return !mp_net_address_allowed((const struct sockaddr *)&a);
    return strcmp(bare, "localhost") == 0 || ends_with(bare, ".localhost") || *bare == '\0';
}

mp_err mp_net_check_url(const char *url, const mp_net_allow *allow, mp_why *why)
{
    mp_net_url u;
    mp_err err = mp_net_url_parse(&u, url, mp_net_http, why);
    if (err)
        return err;
    if (!mp_net_url_excepted(&u, allow) && refused_host(u.host))
        err = mp_net_refuse(why);
    mp_net_url_free(&u);
    return err;
}
