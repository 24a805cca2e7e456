/* remote.c - see remote.h. */
#include "app/remote.h"

#include "app/stop.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { GET_TRIES = 3, STALL_S = 120, CONNECT_MS = 10000, WAIT_S = 30, HEADERS = 5 };
/* Lists and search results; files go elsewhere. */
static const int64_t MAX_JSON = 256 << 20;

/* ---- open and closed ---- */

bool remote_wanted(const mp_app *app)
{
    const mp_settings *s = &app->settings;
    const char *server = mp_settings_text(s, MP_SET_SERVER);
    bool here = s->source[MP_SET_LIBRARY].origin == MP_FROM_FLAG;
    return server && *server && (!here || s->source[MP_SET_SERVER].origin == MP_FROM_FLAG);
}

/* A token is one word of visible characters; a line end in it would be another header. */
static bool is_word(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text == 0x7F)
            return false;
    return true;
}

/* Is this a URL of the machine that we run on? Names are taken by their meaning, not looked up. */
static bool is_here(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t n = strcspn(host, "/:");
    if (*host == '[')
        return strncmp(host, "[::1]", 5) == 0;
    static const char name[] = "localhost";
    size_t k = sizeof name - 1;
    bool named =
        n >= k && strncasecmp(host + n - k, name, k) == 0 && (n == k || host[n - k - 1] == '.');
    return named || (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

void remote_warn_plain(const remote *r, const char *what)
{
    if (strncmp(r->base, "http://", 7) == 0 && !is_here(r->base))
        app_note(r->app, PAINT_WARN,
                 "warning: %s goes to %.200s unencrypted, for everybody on the way to read; use "
                 "https://",
                 what, r->base);
}

int remote_open(remote *out, mp_app *app)
{
    const char *server = mp_settings_text(&app->settings, MP_SET_SERVER);
    const char *token = mp_settings_text(&app->settings, MP_SET_TOKEN);
    mp_why why = {0};
    *out = (remote){.app = app};
    if (!server || !*server)
        return app_usage(app, "which server? Say --server URL, or set MAGPIE_SERVER");
    if (strncmp(server, "http://", 7) != 0 && strncmp(server, "https://", 8) != 0)
        return app_usage(app, "--server is a URL such as https://pictures.example.org");
    if (strpbrk(server, "?#"))
        return app_usage(app, "--server is the service's address, without ? and #");
    if (token && !is_word(token))
        return app_usage(app, "the token is not one of a service: it has blanks or line ends");
    mp_err err = mp_net_init(&why);
    if (err)
        return app_fail_inner(app, err, &why);
    out->on = true;
    out->base = mp_xstrdup(server);
    for (size_t n = strlen(out->base); n && out->base[n - 1] == '/'; n--)
        out->base[n - 1] = '\0';
    if (token && *token)
        out->authorization = remote_path("Authorization: Bearer %s", token);
    if (out->authorization)
        remote_warn_plain(out, "the token");
    return EXIT_DONE;
}

void remote_close(remote *r)
{
    if (r->on)
        mp_net_exit();
    free(r->base);
    if (r->authorization)
        explicit_bzero(r->authorization, strlen(r->authorization));
    free(r->authorization);
    *r = (remote){0};
}

/* ---- what answers mean ---- */

static mp_err error_of(int status)
{
    static const struct {
        int status;
        mp_err err;
    } meanings[] = {{404, MP_NOT_FOUND},   {409, MP_EXISTS}, {410, MP_NOT_FOUND}, {413, MP_TOO_BIG},
                    {415, MP_UNSUPPORTED}, {429, MP_BUSY},   {503, MP_BUSY},      {507, MP_FULL}};
    for (size_t i = 0; i < MP_COUNT(meanings); i++)
        if (meanings[i].status == status)
            return meanings[i].err;
    return status / 100 == 4 ? MP_INVALID : MP_IO;
}

/* The words of a problem (RFC 9457), or the status when there are none: something else than a
 * service of ours may answer, a proxy for instance. */
static mp_err refused(const remote *r, int status, const mp_buf *text, mp_why *why)
{
    mp_why plain = {0};
    json_t *problem = text->n ? json_loadb(text->p, text->n, 0, NULL) : NULL;
    const char *detail = remote_text(problem, "detail"), *id = remote_text(problem, "request_id");
    bool told = r->app->verbose && *id;
    if (!*detail && mp_net_judge(status, &plain) != MP_OK)
        detail = plain.text;
    const char *hint = status != 401      ? ""
                       : r->authorization ? " (is the token right, and not too old?)"
                                          : " (give --token, or set MAGPIE_TOKEN: magpie login)";
    mp_fail(why, MP_IO, "%.300s%s%s%.80s%s", detail, hint, told ? " (request " : "", told ? id : "",
            told ? ")" : "");
    json_decref(problem);
    return error_of(status);
}

/* That a server cannot be found or takes too long says nothing about an item or a picture. */
static mp_err unreachable(mp_err err)
{
    return err == MP_NOT_FOUND || err == MP_TIMEOUT ? MP_IO : err;
}

static mp_err read_json(const mp_buf *text, json_t **out, mp_why *why)
{
    if (!text->n)
        return MP_OK;
    *out = json_loadb(text->p, text->n, 0, NULL);
    return *out ? MP_OK : mp_fail(why, MP_IO, "the server's answer is no JSON: is it a magpie?");
}

/* ---- one exchange ---- */

static bool stop_for_all(void *arg)
{
    (void)arg;
    return stop_asked();
}

/* False: asked to stop. */
static bool wait_s(const mp_net_stop *stop, int seconds)
{
    double until = mp_monotonic_s() + seconds;
    while (mp_monotonic_s() < until) {
        if (stop->asked(stop->arg))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return true;
}

typedef struct parcel { /* what one ask becomes */
    mp_net_ask ask;
    const char *header[HEADERS];
    char *url, *body, *type, *accept;
} parcel;

static void pack(parcel *p, const remote *r, const remote_ask *ask, const mp_net_stop *stop)
{
    bool get = !ask->method || strcmp(ask->method, "GET") == 0;
    const char *type = ask->json   ? "application/json"
                       : ask->type ? ask->type
                                   : "application/octet-stream";
    p->url = remote_path("%s%s", r->base, ask->path);
    p->ask = (mp_net_ask){.method = ask->method,
                          .url = p->url,
                          .headers = p->header,
                          .body = ask->bytes,
                          .upload = ask->upload,
                          .any_address = true,
                          .timeout_ms = -1,
                          .connect_ms = CONNECT_MS,
                          .stall_s = STALL_S,
                          .tries = get && !ask->once ? GET_TRIES : 1,
                          .stop = *stop};
    if (ask->json) {
        p->body = json_dumps(ask->json, JSON_COMPACT | JSON_REAL_PRECISION(9));
        p->ask.body =
            (mp_span){(const uint8_t *)(p->body ? p->body : ""), p->body ? strlen(p->body) : 0};
    }
    if (p->ask.body.p || ask->upload)
        p->header[p->ask.n_headers++] = p->type = remote_path("Content-Type: %s", type);
    if (ask->accept)
        p->header[p->ask.n_headers++] = p->accept = remote_path("Accept: %s", ask->accept);
    if (ask->range)
        p->header[p->ask.n_headers++] = ask->range;
    if (r->authorization)
        p->header[p->ask.n_headers++] = r->authorization;
}

static void unpack(parcel *p)
{
    if (p->body) /* passwords among them */
        explicit_bzero(p->body, strlen(p->body));
    free(p->body);
    free(p->url);
    free(p->type);
    free(p->accept);
}

/* Until it is not told to come back later. */
static mp_err run(const parcel *p, const mp_net_sink *to, mp_net_answer *answer, mp_why *why)
{
    for (int left = WAIT_S;;) {
        if (p->ask.upload && lseek(p->ask.upload->fd, 0, SEEK_SET) < 0)
            return mp_fail(why, MP_IO, "what is to be sent cannot be read again");
        mp_err err = mp_net_request(&p->ask, to, answer, why);
        if (err)
            return unreachable(err);
        int pause = answer->retry_after_s;
        bool later = answer->status == 429 || answer->status == 503;
        if (!later || pause <= 0 || pause > left)
            return MP_OK;
        left -= pause;
        if (!wait_s(&p->ask.stop, pause))
            return mp_fail(why, MP_CANCELLED, "stopped");
    }
}

mp_err remote_exchange(const remote *r, const remote_ask *ask, remote_answer *out, mp_why *why)
{
    parcel p = {0};
    mp_buf text = {0};
    mp_net_answer answer = {0};
    mp_net_stop stop = ask->stop ? *ask->stop : (mp_net_stop){.asked = stop_for_all};
    mp_net_sink to = ask->to ? *ask->to : (mp_net_sink){.fd = -1, .max_bytes = MAX_JSON};
    *out = (remote_answer){0};
    to.text = &text;
    pack(&p, r, ask, &stop);
    mp_err err = run(&p, &to, &answer, why);
    out->status = answer.status;
    if (!err && answer.status / 100 != 2)
        err = refused(r, answer.status, &text, why);
    else if (!err && !ask->to)
        err = read_json(&text, &out->json, why);
    unpack(&p);
    mp_buf_free(&text);
    return err;
}

/* ---- for commands ---- */

int remote_failed(const remote *r, mp_err err, const mp_why *why)
{
    return app_fail_inner(r->app, err, why);
}

int remote_call(const remote *r, const char *method, const char *path, json_t *body, json_t **out)
{
    remote_answer answer;
    mp_why why = {0};
    remote_ask ask = {.method = method, .path = path, .json = body};
    mp_err err = remote_exchange(r, &ask, &answer, &why);
    json_decref(body);
    if (out)
        *out = answer.json;
    else
        json_decref(answer.json);
    return err ? remote_failed(r, err, &why) : EXIT_DONE;
}

int remote_list(const remote *r, const char *path, const char *member, size_t most, json_t **out)
{
    json_t *all = json_array(), *page = NULL;
    char *next = mp_xstrdup(path);
    int code = EXIT_DONE;
    *out = NULL;
    while (next && !code && (!most || json_array_size(all) < most)) {
        code = remote_call(r, NULL, next, NULL, &page);
        free(next);
        next = NULL;
        if (!code)
            json_array_extend(all, json_object_get(page, member));
        const char *cursor = remote_text(page, "next_cursor");
        if (*cursor) {
            mp_buf b = {0};
            mp_buf_printf(&b, "%s%ccursor=", path, strchr(path, '?') ? '&' : '?');
            remote_escape(&b, cursor);
            next = b.p;
        }
        json_decref(page);
        page = NULL;
    }
    free(next);
    while (most && json_array_size(all) > most)
        json_array_remove(all, json_array_size(all) - 1);
    if (code)
        json_decref(all);
    else
        *out = all;
    return code;
}

/* ---- small things ---- */

void remote_escape(mp_buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            mp_buf_add(out, text, 1);
        else
            mp_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

char *remote_path(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? mp_xstrdup("") : text;
}

const char *remote_text(const json_t *o, const char *member)
{
    const char *text = json_string_value(json_object_get(o, member));
    return text ? text : "";
}

int64_t remote_number(const json_t *o, const char *member)
{
    return json_integer_value(json_object_get(o, member));
}
