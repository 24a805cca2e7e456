/* os.c - clock, random, log, small file helpers. See os.h for the contract. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t mp_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

double mp_monotonic_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void mp_cond_open(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool mp_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *held, double at)
{
    struct timespec t = {.tv_sec = (time_t)at};
    t.tv_nsec = (long)((at - (double)t.tv_sec) * 1e9);
    return pthread_cond_timedwait(c, held, &t) == 0;
}

int mp_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return MP_MAX(CPU_COUNT(&set), 1);
}

void mp_random_bytes(void *out, size_t n)
{
    uint8_t *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort(); /* Linux 3.17 and newer always have it */
        }
        p += got;
        n -= (size_t)got;
    }
}

void mp_random_id(void *out, size_t n)
{
    static _Thread_local uint8_t store[512];
    static _Thread_local size_t left;
    if (n > sizeof store) {
        mp_random_bytes(out, n);
        return;
    }
    if (left < n) {
        mp_random_bytes(store, sizeof store);
        left = sizeof store;
    }
    left -= n;
    memcpy(out, store + left, n);
}

uint64_t mp_rng_u64(mp_rng *r)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double mp_rng_unit(mp_rng *r)
{
    return (double)(mp_rng_u64(r) >> 11) * 0x1p-53;
}

double mp_rng_gauss(mp_rng *r)
{
    double u = 1.0 - mp_rng_unit(r), v = mp_rng_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

uint64_t mp_checksum64(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ 0xCBF29CE484222325u;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * 0x9FB21C651E98DF25u;
        h ^= h >> 32;
    }
    for (; n; n--, p++)
        h = (h ^ *p) * 0x100000001B3u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return h ^ (h >> 32);
}

void mp_hex(const uint8_t *in, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
}

/* ---- log ---- */

static const char *const level_words[] = {"error", "warn", "info", "debug"};

static int log_threshold(void)
{
    static _Atomic int cached = -1;
    int level = atomic_load_explicit(&cached, memory_order_relaxed);
    if (level >= 0)
        return level;
    level = MP_LOG_WARN;
    const char *env = getenv("MP_LOG");
    for (size_t i = 0; env && i < MP_COUNT(level_words); i++)
        if (strcmp(env, level_words[i]) == 0)
            level = (int)i;
    atomic_store_explicit(&cached, level, memory_order_relaxed);
    return level;
}

void mp_log(mp_log_level level, const char *format, ...)
{
    if ((int)level > log_threshold())
        return;
    char line[1024];
    int head = snprintf(line, sizeof line, "magpie: %s: ", level_words[level]);
    va_list args;
    va_start(args, format);
    vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
    va_end(args);
    strcat(line, "\n");
    /* One call, so that lines of several threads do not mix. */
    fputs(line, stderr);
}

/* ---- files ---- */

static mp_err read_fd(int fd, const char *path, size_t n, uint8_t *to, size_t *got_n, mp_why *why)
{
    size_t at = 0;
    while (at < n) {
        ssize_t got = read(fd, to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mp_fail_errno(why, errno, "cannot read %s", path);
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *got_n = at;
    return MP_OK;
}

mp_err mp_file_read(const char *path, size_t cap, uint8_t **out, size_t *n, mp_why *why)
{
    *out = NULL;
    *n = 0;
    mp_err err = MP_OK;
    uint8_t *data = NULL;
    /* O_NONBLOCK: a fifo must not hold us; it has no effect on regular files. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open %s", path);
    struct stat st;
    if (fstat(fd, &st) != 0) {
        err = mp_fail_errno(why, errno, "cannot stat %s", path);
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        err = mp_fail(why, MP_UNSUPPORTED, "%s is not a regular file", path);
        goto done;
    }
    if ((uint64_t)st.st_size > cap) {
        err = mp_fail(why, MP_TOO_BIG, "%s has %lld bytes, over the limit of %zu", path,
                      (long long)st.st_size, cap);
        goto done;
    }
    data = mp_try_array((size_t)st.st_size + 1, 1);
    if (!data) {
        err = mp_fail(why, MP_NOMEM, "no memory for %s", path);
        goto done;
    }
    err = read_fd(fd, path, (size_t)st.st_size, data, n, why);
    if (!err) {
        *out = data;
        data = NULL;
    }
done:
    free(data);
    close(fd);
    return err;
}

mp_err mp_write_all(int fd, const void *data, size_t n, const char *what, mp_why *why)
{
    const uint8_t *p = data;
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return mp_fail_errno(why, errno, "cannot write %s", what);
        p += put;
        n -= (size_t)put;
    }
    return MP_OK;
}

mp_err mp_dir_sync(const char *dir, mp_why *why)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open folder %s", dir);
    mp_err err = MP_OK;
    if (fsync(fd) != 0 && errno != EINVAL)
        err = mp_fail_errno(why, errno, "cannot sync folder %s", dir);
    close(fd);
    return err;
}

static void parent_of(const char *path, char *out, size_t cap)
{
    snprintf(out, cap, "%s", path);
    char *slash = strrchr(out, '/');
    if (!slash)
        snprintf(out, cap, ".");
    else if (slash == out)
        out[1] = '\0';
    else
        *slash = '\0';
}

static mp_err write_temp(const char *temp, const void *data, size_t n, mp_why *why)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot create %s", temp);
    mp_err err = mp_write_all(fd, data, n, temp, why);
    if (!err && fsync(fd) != 0)
        err = mp_fail_errno(why, errno, "cannot sync %s", temp);
    if (close(fd) != 0 && !err)
        err = mp_fail_errno(why, errno, "cannot close %s", temp);
    return err;
}

mp_err mp_file_replace(const char *path, const void *data, size_t n, mp_why *why)
{
    char temp[PATH_MAX], dir[PATH_MAX];
    uint64_t tail;
    mp_random_bytes(&tail, sizeof tail);
    if (snprintf(temp, sizeof temp, "%s.%016llx.tmp", path, (unsigned long long)tail) >=
        (int)sizeof temp)
        return mp_fail(why, MP_INVALID, "path too long: %.200s", path);
    parent_of(path, dir, sizeof dir);
    mp_err err = write_temp(temp, data, n, why);
    if (!err && rename(temp, path) != 0)
        err = mp_fail_errno(why, errno, "cannot rename to %s", path);
    if (err) {
        unlink(temp);
        return err;
    }
    return mp_dir_sync(dir, why);
}

mp_err mp_mkdirs(const char *path, mp_why *why)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return mp_fail(why, MP_INVALID, "path too long: %.200s", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char held = *p;
        *p = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return mp_fail_errno(why, errno, "cannot make folder %s", part);
        *p = held;
        if (!held)
            return MP_OK;
    }
}

mp_err mp_temp_file(const char *dir, int *fd, mp_why *why)
{
    *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644); /* it may be given a name later */
    if (*fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        mp_buf path = {0}; /* a file system without nameless files */
        mp_buf_printf(&path, "%s/spool-XXXXXX", dir);
        *fd = mkostemp(path.p, O_CLOEXEC);
        if (*fd >= 0)
            unlink(path.p);
        mp_buf_free(&path);
    }
    return *fd >= 0 ? MP_OK : mp_fail_errno(why, errno, "cannot make a temporary file in %s", dir);
}
