/* remote_download.c - see remote_download.h. */
#include "app/remote_download.h"

#include "app/outfile.h"
#include "app/progress.h"
#include "app/stop.h"
#include "base/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 5 };

typedef struct download {
    const remote *r;
    const char *path;
    int fd;
    bool regular; /* it can be cut back and taken up */
    int64_t bytes, at;
    progress bar;
    double began;
} download;

/* Asked about once a second while the bytes come. */
static bool tick(void *arg)
{
    download *d = arg;
    off_t at = d->regular ? lseek(d->fd, 0, SEEK_CUR) : 0;
    uint64_t done = (uint64_t)(at > 0 ? at : 0) / 1024;
    magpie_progress p = {.stage = "downloading",
                         .done = done,
                         .total = d->bytes > 0 ? MP_MAX((uint64_t)d->bytes / 1024, done) : 0,
                         .elapsed_s = mp_monotonic_s() - d->began};
    return progress_tick(&d->bar, &p);
}

/* One try from d->at on. */
static mp_err fetch(download *d, int *status, mp_why *why)
{
    remote_answer answer;
    mp_net_stop stop = {.asked = tick, .arg = d};
    mp_net_sink to = {.fd = d->fd, .max_bytes = INT64_MAX};
    char *range = d->at ? remote_path("Range: bytes=%lld-", (long long)d->at) : NULL;
    remote_ask ask = {.path = d->path, .range = range, .to = &to, .stop = &stop, .once = true};
    mp_err err = remote_exchange(d->r, &ask, &answer, why);
    *status = answer.status;
    free(range);
    /* All of it although a part was wanted: what lies there now is two beginnings. */
    bool anew = d->at && answer.status == 200;
    if (d->regular && anew && (ftruncate(d->fd, 0) != 0 || lseek(d->fd, 0, SEEK_SET) < 0))
        return mp_fail_errno(why, errno, "cannot write the download");
    if (anew && !err)
        err = mp_fail(why, MP_IO, "the server begins anew");
    return err;
}

static mp_err fetch_all(download *d, mp_why *why)
{
    mp_err err = MP_OK;
    for (int i = 0; i < TRIES; i++) {
        int status;
        err = fetch(d, &status, why);
        if (!err || !d->regular || err == MP_CANCELLED || err == MP_FULL)
            return err;
        d->at = lseek(d->fd, 0, SEEK_CUR);
        if (status && status / 100 != 2) /* refused: the same a moment later */
            return err;
        if (d->bytes >= 0 && d->at == d->bytes)
            return MP_OK;
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    }
    return err;
}

static mp_err check(const download *d, int64_t got, mp_why *why)
{
    if (!d->regular || d->bytes < 0 || got == d->bytes)
        return MP_OK;
    return mp_fail(why, MP_CORRUPT, "the download has %lld bytes instead of %lld", (long long)got,
                   (long long)d->bytes);
}

int remote_download(const remote *r, const char *path, const char *to, int64_t bytes, int64_t *got)
{
    outfile file;
    mp_why why = {0};
    *got = 0;
    mp_err err = outfile_open(&file, to, &why);
    if (err)
        return remote_failed(r, err, &why);
    download d = {.r = r,
                  .path = path,
                  .fd = fileno(file.to),
                  .regular = *file.temporary != '\0',
                  .bytes = bytes,
                  .bar = progress_start(r->app, "KiB"),
                  .began = mp_monotonic_s()};
    fflush(file.to);
    err = fetch_all(&d, &why);
    progress_clear(&d.bar);
    *got = d.regular ? lseek(d.fd, 0, SEEK_CUR) : bytes;
    if (!err)
        err = check(&d, *got, &why);
    if (!err)
        err = outfile_commit(&file, &why);
    outfile_abandon(&file);
    return err ? remote_failed(r, err, &why) : EXIT_DONE;
}
