/* lock.c - one long write at a time, in this process and among all. */
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static void name_holder(int fd, char *out, size_t cap)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        snprintf(out, cap, "process %ld", pid);
    else
        snprintf(out, cap, "another process");
}

static mp_err wait_for_lock(int fd, int wait_ms, mp_why *why)
{
    double until = mp_monotonic_s() + wait_ms / 1000.0;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return mp_fail_errno(why, errno, "cannot lock the library");
        if (mp_monotonic_s() >= until) {
            char holder[48];
            name_holder(fd, holder, sizeof holder);
            return mp_fail(why, MP_BUSY, "%s is writing to this library; try again when it is done",
                           holder);
        }
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
    return MP_OK;
}

mp_err mp_core_begin_write(magpie *m, mp_why *why)
{
    if (m->read_only)
        return mp_fail(why, MP_IO, "the library %s is open read-only", m->path);
    char path[PATH_MAX], text[32];
    snprintf(path, sizeof path, "%s/lock", m->path);
    pthread_mutex_lock(&m->writing);
    mp_err err = MP_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        err = mp_fail_errno(why, errno, "cannot open %s", path);
        goto done;
    }
    err = wait_for_lock(fd, m->wait_ms, why);
    if (err)
        goto done;
    /* For the message of whoever waits; a failed write changes nothing that matters. */
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        mp_log(MP_LOG_DEBUG, "cannot note the pid in %s", path);
    m->lock_fd = fd;
    mp_core_follow_locked(m);
    return MP_OK;
done:
    if (fd >= 0)
        close(fd);
    pthread_mutex_unlock(&m->writing);
    return err;
}

void mp_core_end_write(magpie *m)
{
    close(m->lock_fd); /* gives the flock back */
    m->lock_fd = -1;
    pthread_mutex_unlock(&m->writing);
}
