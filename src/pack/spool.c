/* spool.c - see spool.h. */
#include "pack/spool.h"

#include "pack/files.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    HELD = 64 * 1024,  /* collected before a write */
    CHUNK = 256 * 1024 /* of mp_pack_spool_send */
};

struct mp_pack_spool {
    int fd;
    mp_buf held;
    uint64_t bytes; /* added, with those held */
};

mp_err mp_pack_spool_open(mp_pack_spool **out, const char *dir, mp_why *why)
{
    int fd;
    *out = NULL;
    mp_err err = mp_pack_temporary(dir, &fd, why);
    if (err)
        return err;
    *out = mp_xcalloc(1, sizeof **out);
    (*out)->fd = fd;
    return MP_OK;
}

void mp_pack_spool_close(mp_pack_spool *s)
{
    if (!s)
        return;
    close(s->fd);
    mp_buf_free(&s->held);
    free(s);
}

static mp_err flush(mp_pack_spool *s, mp_why *why)
{
    mp_err err = mp_pack_write(s->fd, s->held.p, s->held.n, "a temporary file", why);
    s->held.n = 0;
    return err;
}

mp_err mp_pack_spool_add(mp_pack_spool *s, const void *data, size_t n, mp_why *why)
{
    mp_buf_add(&s->held, data, n);
    s->bytes += n;
    return s->held.n >= HELD ? flush(s, why) : MP_OK;
}

uint64_t mp_pack_spool_bytes(const mp_pack_spool *s)
{
    return s ? s->bytes : 0;
}

mp_err mp_pack_spool_read(mp_pack_spool *s, uint64_t at, void *out, size_t n, mp_why *why)
{
    mp_err err = s->held.n ? flush(s, why) : MP_OK;
    for (size_t done = 0; !err && done < n;) {
        ssize_t got = pread(s->fd, (char *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = mp_fail_errno(why, errno, "cannot read a temporary file");
        else if (got == 0)
            err = mp_fail(why, MP_IO, "a temporary file became shorter");
        else
            done += (size_t)got;
    }
    return err;
}

mp_err mp_pack_spool_send(mp_pack_spool *s, mp_zip_writer *z, mp_pack_tick *tick, mp_why *why)
{
    mp_err err = MP_OK;
    char *chunk = mp_xmalloc(CHUNK);
    for (uint64_t at = 0; !err && at < s->bytes; at += CHUNK) {
        size_t n = (size_t)MP_MIN(s->bytes - at, CHUNK);
        err = mp_pack_spool_read(s, at, chunk, n, why);
        if (!err)
            err = mp_zip_data(z, chunk, n, why);
        if (!err)
            err = mp_pack_tell(tick, why);
    }
    free(chunk);
    return err;
}
