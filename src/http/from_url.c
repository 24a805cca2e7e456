/* from_url.c - see from_url.h. */
#include "http/from_url.h"

#include "http/notes.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"
#include "net/fetch.h"

#include <string.h>
#include <unistd.h>

enum { TRY_MS = 10 * 1000, IN_ALL_S = 20 };

typedef struct wait_for {
    const mp_service *service;
    double until;
} wait_for;

static bool over(void *context)
{
    const wait_for *w = context;
    return atomic_load(&w->service->draining) || mp_monotonic_s() > w->until;
}

static mp_err download(mp_request *r, const char *url, int fd, mp_why *why)
{
    mp_fetched answered;
    wait_for w = {r->service, mp_monotonic_s() + IN_ALL_S};
    mp_fetch fetch = {.url = url,
                      .max_bytes = mp_core_max_bytes(r->service->library),
                      .timeout_ms = TRY_MS,
                      .want_prefix = "image/",
                      .allow = r->service->allow,
                      .stop = {over, &w}};
    mp_err err = mp_net_fetch(&fetch, fd, &answered, why);
    if (err == MP_CANCELLED && !atomic_load(&r->service->draining))
        err = mp_fail(why, MP_TIMEOUT, "it did not come within %d s", IN_ALL_S);
    if (err == MP_UNSUPPORTED && answered.status / 100 == 3) /* a redirect has no type */
        err = MP_INVALID;
    return err;
}

/* Whatever the other server did is no failure of this one. */
static void refuse(mp_request *r, const char *what, mp_err err, const mp_why *why)
{
    static const struct {
        mp_err err;
        int status;
    } rows[] = {{MP_TOO_BIG, 413}, {MP_UNSUPPORTED, 415}, {MP_CANCELLED, 503}, {MP_NOMEM, 503}};
    int status = 422;
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        if (rows[i].err == err)
            status = rows[i].status;
    if (err == MP_FULL)
        mp_reply_failure(r, err, why);
    else
        mp_reply_problem(r, status, "%s: %s", what, why->text);
    if (status == 503)
        mp_reply_header(r, "Retry-After", "1");
}

bool mp_picture_from_url(mp_request *r, const char *what, const char *url, int *fd)
{
    mp_why why = {0};
    mp_service *s = r->service;
    bool got = false;
    mp_err err = mp_net_check_url(url, s->allow, &why);
    if (err) {
        refuse(r, what, err, &why);
        return false;
    }
    if (atomic_fetch_add(&s->downloads, 1) >= s->most_downloads) {
        mp_reply_problem(r, 503, "too many pictures are being downloaded: try again");
        mp_reply_header(r, "Retry-After", "1");
    } else if ((err = mp_temp_file(s->spool_dir, fd, &why))) {
        mp_reply_failure(r, err, &why);
    } else {
        r->kept_fd = *fd;
        err = download(r, url, *fd, &why);
        if (err)
            refuse(r, what, err, &why);
        got = !err;
    }
    atomic_fetch_sub(&s->downloads, 1);
    return got;
}

const char *mp_name_from_url(mp_request *r, const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    if (!path)
        return "image";
    const char *name = mp_request_decode(r, path, strcspn(path, "?#"), false);
    return mp_file_name(r, name ? name : "", "image");
}
