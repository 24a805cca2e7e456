/* hop.c - see hop.h. */
#include "net/hop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOPS = 5, CONNECT_MS = 10000, STALL_S = 30, SLOW = 1000, HEAD = 256 * 1024 };

/* ---- the head ---- */

/* The value of a header line, blanks around it left out; n 0 where the line is of another name. */
static mp_str value_of(const char *line, size_t n, const char *name)
{
    size_t k = strlen(name);
    mp_str v = {0};
    if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
        return v;
    v = (mp_str){line + k + 1, n - k - 1};
    for (; v.n && strchr(" \t", *v.p); v.p++)
        v.n--;
    while (v.n && strchr(" \t\r\n", v.p[v.n - 1]))
        v.n--;
    return v;
}

/* Printable text that fits, else nothing. */
static void note(char *out, size_t cap, mp_str v)
{
    if (v.n == 0 || v.n >= cap)
        return;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] == 0x7F)
            return;
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
}

static void note_hash(char out[65], mp_str v)
{
    char text[67] = "";
    if (v.n && *v.p == '"') {
        v.p++;
        v.n -= v.n > 1 ? 2 : 1;
    }
    note(text, sizeof text, v);
    if (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64)
        memcpy(out, text, 65);
}

static void note_size(int64_t *out, mp_str v)
{
    char text[20] = "";
    note(text, sizeof text, v);
    if (*text && text[strspn(text, "0123456789")] == '\0')
        *out = strtoll(text, NULL, 10);
}

/* If-Range takes no weak version; a date stands in where there is no other. */
static void note_version(mp_hop *h, const char *line, size_t n)
{
    mp_str tag = value_of(line, n, "ETag"), date = value_of(line, n, "Last-Modified");
    if (tag.n && *tag.p == '"')
        note(h->version, sizeof h->version, tag);
    else if (date.n && !*h->version)
        note(h->version, sizeof h->version, date);
}

/* libcurl gives every line, those of interim answers too; a status line begins anew. */
static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    mp_hop *h = arg;
    (void)one;
    h->head_bytes += (int64_t)n;
    if (h->head_bytes > HEAD) {
        h->err = mp_fail(h->why, MP_TOO_BIG, "its headers have more than %d bytes", HEAD);
        return 0;
    }
    if (n > 5 && strncasecmp(line, "HTTP/", 5) == 0)
        h->range[0] = h->version[0] = '\0';
    mp_str range = value_of(line, n, "Content-Range");
    if (range.n)
        note(h->range, sizeof h->range, range);
    note_version(h, line, n);
    note_size(&h->linked_bytes, value_of(line, n, "X-Linked-Size"));
    note_hash(h->linked_sha256, value_of(line, n, "X-Linked-ETag"));
    return n;
}

/* ---- the body ---- */

static void note_answer(mp_hop *h)
{
    long status = 0;
    curl_off_t length = -1, wait = 0;
    curl_easy_getinfo(h->easy.curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h->easy.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(h->easy.curl, CURLINFO_RETRY_AFTER, &wait);
    h->status = (int)status;
    h->length = length;
    h->retry_after_s = (int)MP_MIN(wait, (curl_off_t)INT32_MAX);
}

static void begin(mp_hop *h)
{
    note_answer(h);
    h->begun = true;
    if (h->status / 100 == 2 && h->on_begin)
        h->err = h->on_begin(h->arg, h);
}

/* Of what is no 2xx the body is of no use: it is not waited for. */
static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    mp_hop *h = arg;
    (void)one;
    if (!h->begun)
        begin(h);
    if (!h->err && h->status / 100 == 2 && h->on_data)
        h->err = h->on_data(h->arg, data, n);
    return h->err || h->status / 100 != 2 ? 0 : n;
}

/* ---- one request ---- */

static CURLcode set_up(mp_hop *h, struct curl_slist *headers)
{
    const mp_download *d = h->d;
    mp_easy *e = &h->easy;
    CURLcode code = CURLE_OK;
    if (h->head)
        MP_EASY_SET(e, CURLOPT_NOBODY, 1L);
    if (h->ask_range)
        MP_EASY_SET(e, CURLOPT_RANGE, h->ask_range);
    MP_EASY_SET(e, CURLOPT_HTTPHEADER, headers);
    MP_EASY_SET(e, CURLOPT_USERAGENT, "magpie");
    MP_EASY_SET(e, CURLOPT_CONNECTTIMEOUT_MS, d->connect_ms ? (long)d->connect_ms : CONNECT_MS);
    MP_EASY_SET(e, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW);
    MP_EASY_SET(e, CURLOPT_LOW_SPEED_TIME, d->stall_s ? (long)d->stall_s : STALL_S);
    MP_EASY_SET(e, CURLOPT_HEADERFUNCTION, on_header);
    MP_EASY_SET(e, CURLOPT_HEADERDATA, h);
    MP_EASY_SET(e, CURLOPT_WRITEFUNCTION, on_body);
    MP_EASY_SET(e, CURLOPT_WRITEDATA, h);
    return code;
}

static bool may_pass(CURLcode code)
{
    static const CURLcode list[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
        CURLE_OPERATION_TIMEDOUT,   CURLE_PARTIAL_FILE,          CURLE_RECV_ERROR,
        CURLE_SEND_ERROR,           CURLE_GOT_NOTHING,           CURLE_HTTP2,
        CURLE_HTTP2_STREAM};
    for (size_t i = 0; i < MP_COUNT(list); i++)
        if (list[i] == code)
            return true;
    return false;
}

/* What the exchange came to; *to: where it leads on (owned by the caller), NULL: nowhere. */
static mp_err judge(mp_hop *h, CURLcode code, const char *authority, char **to)
{
    char *next = NULL;
    if (!h->begun && code == CURLE_OK) /* there was no body */
        begin(h);
    note_answer(h);
    h->again = !h->err && (h->status == 429 || h->status == 408 || h->status / 100 == 5);
    if (h->err)
        return h->err;
    bool cut = h->begun && h->status / 100 != 2; /* by us */
    if (code != CURLE_OK && !cut) {
        h->again = may_pass(code) && mp_easy_refused_by_proxy(&h->easy) / 100 != 4;
        return mp_easy_fail(&h->easy, code, authority, h->why);
    }
    if (h->status / 100 == 3 && !(h->head && (h->linked_bytes || *h->linked_sha256)))
        curl_easy_getinfo(h->easy.curl, CURLINFO_REDIRECT_URL, &next);
    *to = next ? mp_xstrdup(next) : NULL;
    return MP_OK;
}

static mp_err exchange(mp_hop *h, const mp_net_url *url, char **to)
{
    char if_range[300];
    struct curl_slist *headers = NULL;
    h->easy = (mp_easy){.any_address = true, .proxies = true, .stop = h->d->stop};
    h->begun = false;
    h->status = 0;
    mp_err err = mp_easy_open(&h->easy, url, h->why);
    if (!err && h->ask_range && *h->ask_version) {
        snprintf(if_range, sizeof if_range, "If-Range: %s", h->ask_version);
        headers = curl_slist_append(NULL, if_range);
    }
    if (!err && set_up(h, headers) != CURLE_OK)
        err = mp_fail(h->why, MP_NOMEM, "no memory for a transfer");
    if (!err)
        err = judge(h, mp_easy_perform(&h->easy), url->authority, to);
    mp_easy_close(&h->easy);
    curl_slist_free_all(headers);
    return err;
}

/* ---- redirects ---- */

static mp_err go(mp_hop *h, char **url)
{
    mp_net_url now;
    char *to = NULL;
    mp_err err = mp_net_url_parse(&now, *url, mp_net_http, h->why);
    if (err)
        return err;
    err = exchange(h, &now, &to);
    if (!err && to && strcmp(now.scheme, "https") == 0 && strncasecmp(to, "https:", 6) != 0)
        err = mp_fail(h->why, MP_UNSUPPORTED,
                      "%s leads from https to a place without it, which is not followed",
                      now.authority);
    mp_net_url_free(&now);
    free(*url);
    *url = to;
    return err;
}

mp_err mp_hop_run(mp_hop *h)
{
    char *url = mp_xstrdup(h->d->url);
    mp_err err = go(h, &url);
    for (int hops = 0; !err && url && hops < HOPS; hops++)
        err = go(h, &url);
    if (!err && url)
        err = mp_fail(h->why, MP_UNSUPPORTED, "it leads on more than %d times", HOPS);
    free(url);
    return err;
}
