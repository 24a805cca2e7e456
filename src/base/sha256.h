/* sha256.h - SHA-256 of bytes as they come, and of files. One state belongs to one thread. */
#ifndef MP_SHA256_H
#define MP_SHA256_H

#include "base/base.h"

#include <sodium.h>

typedef struct mp_sha256 {
    crypto_hash_sha256_state state;
} mp_sha256;

void mp_sha256_start(mp_sha256 *h);
void mp_sha256_add(mp_sha256 *h, const void *data, size_t n);
/* Lower-case hexadecimal digits; then `h` is to be started again. */
void mp_sha256_end(mp_sha256 *h, char hex[65]);

/* Adds what `fd` holds from where it stands to its end; *n counts the bytes. `step` (NULL allowed)
 * hears how many came and may stop it: CANCELLED. Errors: IO; `what` names the file. */
MP_CHECK mp_err mp_sha256_read(mp_sha256 *h, int fd, const char *what,
                               bool (*step)(void *arg, size_t bytes), void *arg, int64_t *n,
                               mp_why *why);

#endif
