/* transfer.c - one try: options, the body up and down, what its end means. See transfer.h. */
#include "net/transfer.h"

#include "base/os.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, CONNECT_MS = 3000, OTHER_TEXT = 64 * 1024, HEAD = 256 * 1024 };
static const int64_t MAX_BYTES = 32 << 20;

/* ---- down ---- */

static int status_of(const mp_transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy.curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static void note_type(mp_transfer *t)
{
    char *type = NULL, *out = t->out->content_type;
    curl_easy_getinfo(t->easy.curl, CURLINFO_CONTENT_TYPE, &type);
    for (size_t i = 0; type && type[i] && i + 1 < sizeof t->out->content_type; i++)
        *out++ = (char)(type[i] >= ' ' && type[i] < 0x7F ? type[i] : '?');
    *out = '\0';
}

/* The head is whole: is the body wanted? */
static mp_err begin(mp_transfer *t)
{
    const char *want = t->ask->want_prefix;
    curl_off_t declared = -1;
    t->begun = true;
    t->out->status = status_of(t);
    t->good = t->out->status / 100 == 2;
    note_type(t);
    if (!t->good)
        return MP_OK;
    if (want && strncasecmp(t->out->content_type, want, strlen(want)) != 0)
        return mp_fail(t->why, MP_UNSUPPORTED, "its type is %s, not %s",
                       *t->out->content_type ? t->out->content_type : "not said", want);
    curl_easy_getinfo(t->easy.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &declared);
    if ((t->to.fd >= 0 || t->to.text) && declared > t->to.max_bytes)
        return mp_fail(t->why, MP_TOO_BIG, "it has %lld bytes, over the limit of %lld",
                       (long long)declared, (long long)t->to.max_bytes);
    return MP_OK;
}

/* libcurl keeps every header line that comes, interim answers and trailers among them. */
static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
    mp_transfer *t = arg;
    (void)data, (void)one;
    t->head += (int64_t)n;
    if (t->head <= HEAD)
        return n;
    t->err = mp_fail(t->why, MP_TOO_BIG, "its headers have more bytes than the limit of %d", HEAD);
    return 0;
}

/* Of what is only shown, or dropped, the beginning will do. */
static void keep_some(mp_transfer *t, const char *data, size_t n)
{
    size_t room = (size_t)(OTHER_TEXT - t->out->bytes), kept = MP_MIN(n, room);
    if (t->to.text)
        mp_buf_add(t->to.text, data, kept);
    t->out->bytes += (int64_t)kept;
    t->enough = n > room;
}

static mp_err keep_all(mp_transfer *t, const char *data, size_t n)
{
    mp_err err = MP_OK;
    if ((int64_t)n > t->to.max_bytes - t->out->bytes)
        return mp_fail(t->why, MP_TOO_BIG, "it has more bytes than the limit of %lld",
                       (long long)t->to.max_bytes);
    if (t->to.fd >= 0)
        err = mp_write_all(t->to.fd, data, n, "the download", t->why);
    else
        mp_buf_add(t->to.text, data, n);
    if (!err)
        t->out->bytes += (int64_t)n;
    return err;
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    mp_transfer *t = arg;
    (void)one;
    if (!t->begun)
        t->err = begin(t);
    if (!t->err && t->good && (t->to.fd >= 0 || t->to.text))
        t->err = keep_all(t, data, n);
    else if (!t->err)
        keep_some(t, data, n);
    return t->err || t->enough ? 0 : n;
}

/* ---- up ---- */

static size_t on_upload(char *to, size_t one, size_t n, void *arg)
{
    mp_transfer *t = arg;
    const mp_net_upload *up = t->ask->upload;
    ssize_t got = 0;
    n *= one;
    if (up->bytes >= 0)
        n = (size_t)MP_MIN((int64_t)n, up->bytes - t->sent);
    do
        got = read(up->fd, to, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        t->err = mp_fail_errno(t->why, errno, "cannot read what is to be sent");
    else if (got == 0 && n > 0 && up->bytes >= 0)
        t->err = mp_fail(t->why, MP_IO, "the file became shorter while it was sent");
    if (t->err)
        return CURL_READFUNC_ABORT;
    t->sent += got;
    return (size_t)got;
}

/* libcurl goes back to the start when a server wants the body once more. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    mp_transfer *t = arg;
    if (t->upload_at < 0 || origin != SEEK_SET ||
        lseek(t->ask->upload->fd, t->upload_at + (off_t)offset, SEEK_SET) < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    t->sent = offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- options ---- */

static bool visible(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return false;
    return true;
}

static mp_err add_header(mp_transfer *t, const char *header)
{
    struct curl_slist *longer = curl_slist_append(t->headers, header);
    if (!longer)
        return mp_fail(t->why, MP_NOMEM, "no memory for the headers");
    t->headers = longer;
    return MP_OK;
}

static mp_err collect_headers(mp_transfer *t)
{
    /* Waiting for the server's consent pays for a stream, not for a body at hand. */
    mp_err err = t->ask->upload ? MP_OK : add_header(t, "Expect:");
    for (size_t i = 0; i < t->ask->n_headers && !err; i++) {
        const char *header = t->ask->headers[i], *colon = strchr(header, ':');
        if (!colon || colon == header || !visible(header))
            err = mp_fail(t->why, MP_INVALID, "header %zu is not a line \"Name: value\"", i + 1);
        else
            err = add_header(t, header);
    }
    return err;
}

static CURLcode set_method(mp_transfer *t)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *method = t->ask->method ? t->ask->method : "GET";
    mp_easy *e = &t->easy;
    CURLcode code = CURLE_OK;
    if (!*method || method[strspn(method, letters)])
        return CURLE_BAD_FUNCTION_ARGUMENT;
    if (t->ask->upload) {
        MP_EASY_SET(e, CURLOPT_UPLOAD, 1L);
        MP_EASY_SET(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->ask->upload->bytes);
        MP_EASY_SET(e, CURLOPT_READFUNCTION, on_upload);
        MP_EASY_SET(e, CURLOPT_READDATA, t);
        MP_EASY_SET(e, CURLOPT_SEEKFUNCTION, on_seek);
        MP_EASY_SET(e, CURLOPT_SEEKDATA, t);
    } else if (t->ask->body.p) {
        MP_EASY_SET(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->ask->body.n);
        MP_EASY_SET(e, CURLOPT_POSTFIELDS, t->ask->body.p);
    } else if (strcmp(method, "HEAD") == 0)
        MP_EASY_SET(e, CURLOPT_NOBODY, 1L);
    MP_EASY_SET(e, CURLOPT_CUSTOMREQUEST, method);
    return code;
}

static CURLcode set_limits(mp_transfer *t)
{
    const mp_net_ask *ask = t->ask;
    mp_easy *e = &t->easy;
    CURLcode code = CURLE_OK;
    long timeout = ask->timeout_ms ? ask->timeout_ms : TIMEOUT_MS;
    MP_EASY_SET(e, CURLOPT_TIMEOUT_MS, MP_MAX(timeout, 0L));
    MP_EASY_SET(e, CURLOPT_CONNECTTIMEOUT_MS, ask->connect_ms ? (long)ask->connect_ms : CONNECT_MS);
    if (ask->stall_s > 0) {
        MP_EASY_SET(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
        MP_EASY_SET(e, CURLOPT_LOW_SPEED_TIME, (long)ask->stall_s);
    }
    return code;
}

mp_err mp_transfer_open(mp_transfer *t, const mp_net_url *url)
{
    const mp_net_ask *ask = t->ask;
    mp_easy *e = &t->easy;
    e->any_address = ask->any_address || mp_net_url_excepted(url, ask->allow);
    e->proxies = ask->any_address; /* one would resolve and connect on its own, past the policy */
    e->stop = ask->stop;
    if (t->to.max_bytes <= 0)
        t->to.max_bytes = MAX_BYTES;
    t->upload_at = ask->upload ? lseek(ask->upload->fd, 0, SEEK_CUR) : -1;
    t->sink_at = t->to.fd >= 0 ? lseek(t->to.fd, 0, SEEK_CUR) : -1;
    mp_err err = mp_easy_open(e, url, t->why);
    if (!err)
        err = collect_headers(t);
    if (err)
        return err;
    CURLcode code = set_method(t);
    if (code == CURLE_OK)
        code = set_limits(t);
    MP_EASY_SET(e, CURLOPT_HTTPHEADER, t->headers);
    MP_EASY_SET(e, CURLOPT_USERAGENT, "magpie");
    MP_EASY_SET(e, CURLOPT_HEADERFUNCTION, on_header);
    MP_EASY_SET(e, CURLOPT_HEADERDATA, t);
    MP_EASY_SET(e, CURLOPT_WRITEFUNCTION, on_body);
    MP_EASY_SET(e, CURLOPT_WRITEDATA, t);
    if (code == CURLE_BAD_FUNCTION_ARGUMENT)
        return mp_fail(t->why, MP_INVALID, "this is no HTTP method");
    return code == CURLE_OK ? MP_OK : mp_fail(t->why, MP_NOMEM, "no memory for a transfer");
}

void mp_transfer_close(mp_transfer *t)
{
    mp_easy_close(&t->easy);
    curl_slist_free_all(t->headers);
    t->headers = NULL;
}

/* ---- a try ---- */

/* Back to where the try before began. */
static mp_err start_over(mp_transfer *t)
{
    t->again = false;
    if (t->to.text && t->to.text->n)
        t->to.text->p[t->to.text->n = 0] = '\0';
    if (t->ask->upload && t->sent > 0 && on_seek(t, 0, SEEK_SET) != CURL_SEEKFUNC_OK)
        return mp_fail(t->why, MP_IO, "what is to be sent cannot be read again");
    if (t->to.fd >= 0 && t->out->bytes > 0 && t->good &&
        (t->sink_at < 0 || ftruncate(t->to.fd, t->sink_at) != 0 ||
         lseek(t->to.fd, t->sink_at, SEEK_SET) < 0))
        return mp_fail(t->why, MP_IO, "the download cannot be begun again");
    *t->out = (mp_net_answer){.tries = t->out->tries};
    t->sent = t->head = 0;
    t->err = MP_OK;
    t->begun = t->good = t->enough = false;
    return MP_OK;
}

mp_err mp_transfer_try(mp_transfer *t, const mp_net_url *url)
{
    curl_off_t wait = 0;
    mp_err err = start_over(t);
    if (err)
        return err;
    t->out->tries++;
    CURLcode code = mp_easy_perform(&t->easy);
    if (code == CURLE_OK && !t->begun) /* there was no body */
        t->err = begin(t);
    t->out->status = status_of(t);
    curl_easy_getinfo(t->easy.curl, CURLINFO_RETRY_AFTER, &wait);
    t->out->retry_after_s = (int)MP_MIN(wait, (curl_off_t)INT32_MAX);
    if (t->err)
        return t->err;
    if (code == CURLE_OK || t->enough) {
        t->again = t->out->status == 429 || t->out->status / 100 == 5;
        return MP_OK;
    }
    t->again = !t->easy.refused &&
               (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
                code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT);
    return mp_easy_fail(&t->easy, code, url->authority, t->why);
}
