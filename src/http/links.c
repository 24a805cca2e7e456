/* links.c - see links.h. */
#include "http/links.h"

#include "base/os.h"
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const long long HOUR_S = 3600;

/* What is signed. Joined by hand: an answer has a link for each of its pictures. */
static void put_signed(mp_buf *text, const char *path, const char *expires)
{
    mp_buf_str(text, "link GET ");
    mp_buf_str(text, path);
    mp_buf_str(text, " ");
    mp_buf_str(text, expires);
}

const char *mp_link_to(mp_request *r, const char *path)
{
    char signature[MP_SIGNATURE + 1], expires[24];
    mp_buf text = {0};
    snprintf(expires, sizeof expires, "%lld", (mp_now_ms() / 1000 / HOUR_S + 2) * HOUR_S);
    put_signed(&text, path, expires);
    mp_signer_sign(&r->service->signer, text.p, signature);
    text.n = 0;
    mp_buf_str(&text, path);
    mp_buf_str(&text, "?exp=");
    mp_buf_str(&text, expires);
    mp_buf_str(&text, "&sig=");
    mp_buf_str(&text, signature);
    const char *kept = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return kept;
}

static bool is_signed(mp_request *r, long long expires, const char *signature)
{
    char number[24];
    mp_buf text = {0};
    snprintf(number, sizeof number, "%lld", expires);
    put_signed(&text, r->path, number);
    bool right = mp_signer_check(&r->service->signer, text.p, signature);
    mp_buf_free(&text);
    return right;
}

bool mp_link_admits(mp_request *r)
{
    const char *exp = mp_request_query(r, "exp"), *sig = mp_request_query(r, "sig");
    char *end = NULL;
    errno = 0;
    long long expires = exp && *exp >= '0' && *exp <= '9' ? strtoll(exp, &end, 10) : 0;
    bool good = end && !*end && !errno && r->method == MP_GET && is_signed(r, expires, sig);
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
