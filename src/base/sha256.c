/* sha256.c - see sha256.h. */
#include "base/sha256.h"

#include "base/os.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { AT_ONCE = 1 << 20 };

void mp_sha256_start(mp_sha256 *h)
{
    crypto_hash_sha256_init(&h->state);
}

void mp_sha256_add(mp_sha256 *h, const void *data, size_t n)
{
    crypto_hash_sha256_update(&h->state, data, n);
}

void mp_sha256_end(mp_sha256 *h, char hex[65])
{
    uint8_t out[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&h->state, out);
    mp_hex(out, sizeof out, hex);
}

mp_err mp_sha256_read(mp_sha256 *h, int fd, const char *what, bool (*step)(void *arg, size_t bytes),
                      void *arg, int64_t *n, mp_why *why)
{
    uint8_t *room = mp_xmalloc(AT_ONCE);
    mp_err err = MP_OK;
    ssize_t got = 1;
    *n = 0;
    while (!err && got != 0) {
        got = read(fd, room, AT_ONCE);
        if (got < 0 && errno != EINTR)
            err = mp_fail_errno(why, errno, "cannot read %.300s", what);
        if (got <= 0)
            continue;
        mp_sha256_add(h, room, (size_t)got);
        *n += got;
        if (step && step(arg, (size_t)got))
            err = mp_fail(why, MP_CANCELLED, "stopped");
    }
    free(room);
    return err;
}
