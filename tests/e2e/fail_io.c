/* fail_io.c - preloaded into magpie: makes its Nth call that writes to a disk fail.
 *
 *   FAIL_AT=N      the Nth such call fails; 0: none, they are only counted
 *   FAIL_ERRNO=E   with this error (default EIO)
 *   FAIL_ON=1      all after it fail as well
 *   FAIL_COUNT=F   at the end the number of calls is written to the file F
 *
 * Standard streams and the decode workers are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long calls;
static long fail_at;
static int fail_errno = EIO;
static bool on_and_on, idle = true;

__attribute__((constructor)) static void begin(void)
{
    char line[4096] = "";
    FILE *f = fopen("/proc/self/cmdline", "re");
    size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
    if (f)
        fclose(f);
    const char *at = getenv("FAIL_AT"), *number = getenv("FAIL_ERRNO");
    idle = !at || memmem(line, n, "decode-worker", 13) != NULL;
    fail_at = at ? atol(at) : 0;
    fail_errno = number ? atoi(number) : EIO;
    on_and_on = getenv("FAIL_ON") != NULL;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAIL_COUNT");
    FILE *f = idle || !path ? NULL : fopen(path, "we");
    if (!f)
        return;
    fprintf(f, "%ld\n", atomic_load(&calls));
    fclose(f);
}

static bool fails(void)
{
    if (idle)
        return false;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (!fail_at || (on_and_on ? number < fail_at : number != fail_at))
        return false;
    errno = fail_errno;
    return true;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *p, size_t n)
{
    return fd > 2 && fails() ? -1 : REAL(ssize_t(*)(int, const void *, size_t), "write")(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return fails() ? -1
                   : REAL(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return fails() ? -1
                   : REAL(ssize_t(*)(int, const void *, size_t, off_t), "pwrite64")(fd, p, n, at);
}

int fsync(int fd)
{
    return fails() ? -1 : REAL(int (*)(int), "fsync")(fd);
}

int fdatasync(int fd)
{
    return fails() ? -1 : REAL(int (*)(int), "fdatasync")(fd);
}

int ftruncate(int fd, off_t n)
{
    return fails() ? -1 : REAL(int (*)(int, off_t), "ftruncate")(fd, n);
}

int ftruncate64(int fd, off_t n)
{
    return fails() ? -1 : REAL(int (*)(int, off_t), "ftruncate64")(fd, n);
}

int rename(const char *from, const char *to)
{
    return fails() ? -1 : REAL(int (*)(const char *, const char *), "rename")(from, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return fails() ? -1
                   : REAL(int (*)(int, const char *, int, const char *, unsigned),
                          "renameat2")(a, from, b, to, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : REAL(int (*)(const char *, mode_t), "mkdir")(path, mode);
}
