/* encode.c - see encode.h.
 *
 * No secret of ours shares an answer with what an attacker's page could put there (BREACH): nothing
 * is told to a request without its token, and no cookie sends that along. */
#include "http/encode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    LEVEL = 5,            /* of JSON: within 3 % of level 9's size in a third of its time */
    GZIP_WINDOW = 15 + 16 /* zlib's word for a gzip frame */
};

const char *mp_coding_word(mp_coding c)
{
    static const char *const words[] = {"identity", "gzip", "br"};
    return words[c];
}

/* ---- what the client takes ---- */

/* A weight in thousandths: 0 or 1 with at most three decimals; -1: malformed. */
static int read_weight(const char *p, const char *end)
{
    int weight = 0, scale = 1000;
    if (p == end || (*p != '0' && *p != '1'))
        return -1;
    weight = (*p++ - '0') * scale;
    if (p < end && *p++ != '.')
        return -1;
    for (; p < end; p++) {
        scale /= 10;
        if (!isdigit((unsigned char)*p) || scale == 0)
            return -1;
        weight += (*p - '0') * scale;
    }
    return weight <= 1000 ? weight : -1;
}

static void trim(const char **p, const char **end)
{
    while (*p < *end && (**p == ' ' || **p == '\t'))
        ++*p;
    while (*end > *p && ((*end)[-1] == ' ' || (*end)[-1] == '\t'))
        --*end;
}

/* The weight behind the coding's name; a malformed one takes the entry out (-1). */
static int entry_weight(const char *p, const char *end)
{
    trim(&p, &end);
    if (p == end)
        return 1000;
    if (*p++ != ';')
        return -1;
    trim(&p, &end);
    if (end - p < 2 || (*p != 'q' && *p != 'Q') || p[1] != '=')
        return -1;
    return read_weight(p + 2, end);
}

static bool is_word(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

typedef struct weights {
    int of[MP_BROTLI + 1], star; /* -1: not named */
} weights;

static void take_entry(weights *w, const char *p, const char *end)
{
    trim(&p, &end);
    size_t n = strcspn(p, "; \t,");
    n = MP_MIN(n, (size_t)(end - p));
    int weight = entry_weight(p + n, end);
    if (n == 0 || weight < 0)
        return;
    if (is_word(p, n, "gzip") || is_word(p, n, "x-gzip")) /* the same (RFC 9110, 8.4.1.3) */
        w->of[MP_GZIP] = MP_MAX(w->of[MP_GZIP], weight);
    else if (is_word(p, n, "br"))
        w->of[MP_BROTLI] = weight;
    else if (is_word(p, n, "identity"))
        w->of[MP_IDENTITY] = weight;
    else if (is_word(p, n, "*"))
        w->star = weight;
}

static weights read_weights(const char *accept)
{
    weights w = {.of = {-1, -1, -1}, .star = -1};
    while (accept && *accept) {
        size_t n = strcspn(accept, ",");
        take_entry(&w, accept, accept + n);
        accept += n + (accept[n] == ',');
    }
    return w;
}

mp_coding mp_coding_choose(const char *accept, unsigned offered)
{
    weights w = read_weights(accept);
    mp_coding best = MP_IDENTITY;
    /* Identity that nobody names is fine, and the last choice. */
    int most = MP_MAX(w.of[MP_IDENTITY], 0);
    for (mp_coding c = MP_GZIP; c <= MP_BROTLI; c++) {
        int weight = w.of[c] >= 0 ? w.of[c] : w.star;
        if ((offered & 1U << c) && weight > 0 && weight >= most) {
            most = weight;
            best = c;
        }
    }
    return best;
}

bool mp_coding_identity_refused(const char *accept)
{
    weights w = read_weights(accept);
    return w.of[MP_IDENTITY] == 0 || (w.of[MP_IDENTITY] < 0 && w.star == 0);
}

/* ---- gzip ---- */

static bool is_text(const char *type)
{
    static const char *const starts[] = {"text/", "application/json", "application/problem+json",
                                         "application/x-ndjson", "image/svg+xml"};
    for (size_t i = 0; type && i < MP_COUNT(starts); i++)
        if (strncmp(type, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* False: memory was short; `out` is to be freed in any case. */
static bool deflate_all(const mp_buf *in, mp_buf *out)
{
    z_stream z = {0};
    if (in->n > UINT32_MAX / 2 ||
        deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    out->cap = deflateBound(&z, (uLong)in->n) + 1; /* a NUL behind it, as in every mp_buf */
    out->p = mp_try_array(out->cap, 1);
    z.next_in = (Bytef *)in->p;
    z.avail_in = (uInt)in->n;
    z.next_out = (Bytef *)out->p;
    z.avail_out = out->p ? (uInt)out->cap - 1 : 0;
    bool whole = out->p && deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->n = z.total_out;
    (void)deflateEnd(&z);
    if (whole)
        out->p[out->n] = '\0';
    return whole;
}

/* RFC 9110, 8.8.3: other bytes must not have the same strong tag. */
static void weaken_tag(mp_request *r)
{
    mp_reply *reply = &r->reply;
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->header[i].name, "ETag") == 0 && reply->header[i].value[0] == '"')
            reply->header[i].value = mp_request_text(r, "W/%s", reply->header[i].value);
}

/* A 304 repeats the tag of the copy that the client holds. */
static void repeat_tag(mp_request *r)
{
    const char *known = mp_request_header(r, "If-None-Match");
    for (size_t i = 0; known && i < r->reply.n_headers; i++) {
        const char *tag = r->reply.header[i].value;
        if (strcmp(r->reply.header[i].name, "ETag") == 0 &&
            strstr(known, mp_request_text(r, "W/%s", tag)))
            weaken_tag(r);
    }
}

static bool has_coding(const mp_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->header[i].name, "Content-Encoding") == 0)
            return true;
    return false;
}

/* Bytes of a whole text, written by a handler. */
static bool is_candidate(const mp_reply *reply)
{
    return !reply->has_fd && reply->body.n && reply->status != 204 && reply->status != 206 &&
           reply->status != 304 && is_text(reply->type) && !has_coding(reply);
}

void mp_encode_reply(mp_request *r)
{
    mp_reply *reply = &r->reply;
    const char *accept = mp_request_header(r, "Accept-Encoding");
    mp_buf packed = {0};
    if (reply->status == 304)
        repeat_tag(r);
    bool must = mp_coding_identity_refused(accept);
    if (!is_candidate(reply) || (reply->body.n < MP_ENCODE_LEAST && !must))
        return;
    reply->varies = true;
    if (mp_coding_choose(accept, 1U << MP_GZIP) == MP_GZIP && deflate_all(&reply->body, &packed) &&
        (must || packed.n < reply->body.n)) {
        mp_buf_free(&reply->body);
        reply->body = packed;
        mp_reply_header(r, "Content-Encoding", "gzip");
        weaken_tag(r);
    } else {
        mp_buf_free(&packed);
    }
}
