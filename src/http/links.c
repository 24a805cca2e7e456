/* links.c - see links.h. */
#include "http/links.h"

#include "base/os.h"
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const long long HOUR_S = 3600;

static const char *signed_text(mp_request *r, const char *path, long long expires)
{
    return mp_request_text(r, "link GET %s %lld", path, expires);
}

const char *mp_link_to(mp_request *r, const char *path)
{
    char signature[MP_SIGNATURE + 1];
    long long expires = (mp_now_ms() / 1000 / HOUR_S + 2) * HOUR_S;
    mp_signer_sign(&r->service->signer, signed_text(r, path, expires), signature);
    return mp_request_text(r, "%s?exp=%lld&sig=%s", path, expires, signature);
}

bool mp_link_admits(mp_request *r)
{
    const char *exp = mp_request_query(r, "exp"), *sig = mp_request_query(r, "sig");
    char *end = NULL;
    errno = 0;
    long long expires = exp && *exp >= '0' && *exp <= '9' ? strtoll(exp, &end, 10) : 0;
    bool good = end && !*end && !errno && r->method == MP_GET &&
                mp_signer_check(&r->service->signer, signed_text(r, r->path, expires), sig);
    if (good && expires > mp_now_ms() / 1000) {
        r->by_link = true;
        return true;
    }
    mp_reply_problem(r, 403, "%s", good ? "this link has expired" : "this link is not valid");
    return false;
}

const char *mp_link_base(mp_request *r)
{
    static const char fine[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    const char *host = mp_request_header(r, "Host");
    if (!host || !*host || strlen(host) > 255 || host[strspn(host, fine)])
        return "";
    return mp_request_text(r, "%s://%s", r->scheme, host);
}
