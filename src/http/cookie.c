/* cookie.c - see cookie.h. */
#include "http/cookie.h"

#include <string.h>
#include <strings.h>

enum { DAYS = 30, MOST = 128 }; /* as long as a session lasts unused */

/* "magpie_refresh", or with the port of the address that the browser used: "magpie_refresh_8080".
 */
static const char *cookie_name(mp_request *r)
{
    const char *host = mp_request_header(r, "Host");
    const char *port = host ? strrchr(host, ':') : NULL;
    size_t digits = port ? strspn(port + 1, "0123456789") : 0;
    if (!digits || digits > 5 || port[1 + digits])
        return "magpie_refresh";
    return mp_request_text(r, "magpie_refresh_%s", port + 1);
}

void mp_cookie_set(mp_request *r, const char *refresh)
{
    int age = *refresh ? DAYS * 24 * 3600 : 0;
    bool secure = strcmp(r->scheme, "https") == 0;
    mp_reply_header(
        r, "Set-Cookie",
        mp_request_text(r, "%s=%s; Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age=%d%s",
                        cookie_name(r), refresh, age, secure ? "; Secure" : ""));
}

/* RFC 6265, 4.2.1: pairs, with "; " between them. */
const char *mp_cookie_read(mp_request *r)
{
    const char *at = mp_request_headers(r, "Cookie"), *name = cookie_name(r);
    size_t n = strlen(name);
    while (at && *at) {
        at += strspn(at, "; ,");
        size_t length = strcspn(at, ";,");
        if (length > n && strncmp(at, name, n) == 0 && at[n] == '=' && length - n - 1 <= MOST)
            return mp_arena_strdup(r->arena, (mp_str){at + n + 1, length - n - 1});
        at += length;
    }
    return NULL;
}

/* "https://host:port" against our own Host. Which scheme is left open: a proxy may speak TLS for
 * us. */
static bool is_own(const mp_request *r, const char *origin)
{
    const char *host = mp_request_header(r, "Host"), *mark = strstr(origin, "://");
    return host && mark && strcasecmp(mark + 3, host) == 0;
}

bool mp_cookie_guard(mp_request *r)
{
    const char *origin = mp_request_header(r, "Origin");
    const char *with = mp_request_header(r, "X-Requested-With");
    const char *type = mp_request_header(r, "Content-Type");
    bool named = with && strcmp(with, "magpie") == 0;
    bool json = type && strncasecmp(type, "application/json", 16) == 0;
    if (origin ? is_own(r, origin) && (named || json) : named)
        return true;
    mp_reply_problem(r, 403,
                     "the cookie counts for pages of this host alone; they send "
                     "X-Requested-With: magpie");
    return false;
}
