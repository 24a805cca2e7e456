/* line_log.c - see line_log.h: two buffers under one mutex, one filling while the other goes out.
 */
#include "http/line_log.h"

#include "base/os.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { GATHER_MS = 10, ASK_MS = 100, LAST_MS = 1000 };

struct mp_line_log {
    int fd;
    size_t most;
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t news;
    mp_buf filling;
    uint64_t left_out;
    bool idle, ending;
};

static bool is_ending(mp_line_log *l)
{
    pthread_mutex_lock(&l->mutex);
    bool ending = l->ending;
    pthread_mutex_unlock(&l->mutex);
    return ending;
}

/* False: nobody reads, and there is no more time. A pipe that poll calls writable takes PIPE_BUF
 * bytes without waiting (POSIX); more might wait for ever. */
static bool write_out(mp_line_log *l, const char *p, size_t n)
{
    int waited = 0;
    while (n) {
        struct pollfd ask = {.fd = l->fd, .events = POLLOUT};
        int ready = poll(&ask, 1, ASK_MS);
        if (ready == 0 && is_ending(l) && (waited += ASK_MS) >= LAST_MS)
            return false;
        if (ready <= 0)
            continue;
        ssize_t put = write(l->fd, p, MP_MIN(n, (size_t)PIPE_BUF));
        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return true; /* the disk is full, the reader gone: these lines are lost */
        p += MP_MAX(put, 0);
        n -= (size_t)MP_MAX(put, 0);
    }
    return true;
}

static void say_what_is_missing(mp_buf *out, uint64_t left_out)
{
    if (left_out)
        mp_buf_printf(
            out,
            "{\"ts\":%lld,\"level\":\"warning\",\"msg\":\"the log was not read: lines were "
            "left out\",\"count\":%llu}\n",
            (long long)mp_now_ms(), (unsigned long long)left_out);
}

static void *run(void *context)
{
    mp_line_log *l = context;
    mp_buf out = {0};
    bool going_on = true;
    while (going_on) {
        pthread_mutex_lock(&l->mutex);
        while (!l->filling.n && !l->ending) {
            l->idle = true;
            pthread_cond_wait(&l->news, &l->mutex);
        }
        l->idle = false;
        going_on = l->filling.n > 0;
        mp_buf full = l->filling;
        l->filling = out;
        uint64_t left_out = l->left_out;
        l->left_out = 0;
        bool ending = l->ending;
        pthread_mutex_unlock(&l->mutex);
        out = full;
        say_what_is_missing(&out, left_out);
        going_on = going_on && write_out(l, out.p, out.n);
        out.n = 0;
        if (!ending && going_on)
            usleep(GATHER_MS * 1000);
    }
    mp_buf_free(&out);
    return NULL;
}

mp_line_log *mp_line_log_new(int fd, size_t most)
{
    mp_line_log *l = mp_xcalloc(1, sizeof *l);
    l->fd = fd;
    l->most = most;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->news, NULL);
    l->running = pthread_create(&l->thread, NULL, run, l) == 0;
    return l;
}

void mp_line_log_put(mp_line_log *l, mp_str line)
{
    pthread_mutex_lock(&l->mutex);
    bool room = l->running && l->filling.n + line.n <= l->most;
    if (room)
        mp_buf_add(&l->filling, line.p, line.n);
    else
        l->left_out++;
    bool wake = l->idle;
    l->idle = false;
    pthread_mutex_unlock(&l->mutex);
    if (wake)
        pthread_cond_signal(&l->news);
}

void mp_line_log_free(mp_line_log *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->mutex);
    l->ending = true;
    pthread_mutex_unlock(&l->mutex);
    pthread_cond_signal(&l->news);
    if (l->running)
        pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->news);
    pthread_mutex_destroy(&l->mutex);
    mp_buf_free(&l->filling);
    free(l);
}
