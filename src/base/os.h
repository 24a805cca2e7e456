/* os.h - clock, random, log, threads' number, small file helpers.
 * All functions are safe from any thread. */
#ifndef MP_OS_H
#define MP_OS_H

#include "base/base.h"

#include <pthread.h>

int64_t mp_now_ms(void);     /* wall clock, Unix epoch */
double mp_monotonic_s(void); /* for durations */
/* A condition whose timed waits count monotonic time, which no setting of the clock makes longer.
 */
void mp_cond_open(pthread_cond_t *c);
/* Waits for news until mp_monotonic_s() is `at`; false when that time has come. May wake early. */
bool mp_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *held, double at);
int mp_cpu_count(void); /* processors this process may run on, at least 1 */

/* Cryptographic random bytes (getrandom). */
void mp_random_bytes(void *out, size_t n);
/* The same, several at a time from a store of this thread's: for what must differ from all others
 * and need not be secret. A child of fork must not go on with it. */
void mp_random_id(void *out, size_t n);
/* A small deterministic generator (splitmix64) for seeds, levels, layouts: never for secrets. */
typedef struct mp_rng {
    uint64_t state;
} mp_rng;
uint64_t mp_rng_u64(mp_rng *r);
double mp_rng_unit(mp_rng *r);  /* [0, 1) */
double mp_rng_gauss(mp_rng *r); /* standard normal (Box-Muller) */

/* XXH64-style 64-bit checksum (FNV-1a folded over words): torn and bit-flipped files, not
 * attackers. Start with seed 0 and chain by passing the last result. */
uint64_t mp_checksum64(const void *data, size_t n, uint64_t seed);
/* Lower-case hex of n bytes; out holds 2n + 1. */
void mp_hex(const uint8_t *in, size_t n, char *out);

/* One line to standard error with a level word, unless below the threshold set
 * (MP_LOG=error|warn|info|debug; default warn). */
typedef enum mp_log_level { MP_LOG_ERROR, MP_LOG_WARN, MP_LOG_INFO, MP_LOG_DEBUG } mp_log_level;
void mp_log(mp_log_level level, const char *format, ...) MP_PRINTF(2, 3);

/* Reads a whole regular file of at most cap bytes. Caller frees *out. */
MP_CHECK mp_err mp_file_read(const char *path, size_t cap, uint8_t **out, size_t *n, mp_why *why);
/* Replaces `path` atomically and durably: temporary file beside it, write, fsync, rename, fsync of
 * the folder. After an error the old content stands. */
MP_CHECK mp_err mp_file_replace(const char *path, const void *data, size_t n, mp_why *why);
/* fsync of a folder, so that a rename or unlink in it lasts. */
MP_CHECK mp_err mp_dir_sync(const char *dir, mp_why *why);
/* mkdir -p with mode 0755. */
MP_CHECK mp_err mp_mkdirs(const char *path, mp_why *why);
/* A file in `dir` that no name leads to: it goes when it is closed, also by a crash. */
MP_CHECK mp_err mp_temp_file(const char *dir, int *fd, mp_why *why);
/* write(2) until all is written. */
MP_CHECK mp_err mp_write_all(int fd, const void *data, size_t n, const char *what, mp_why *why);

#endif
