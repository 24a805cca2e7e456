/* acceptor.c - see acceptor.h. */
#include "http/acceptor.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FULL_MS = 20, STARVED_MS = 200 };

struct mp_acceptor {
    int listening, end; /* end: readable when it is over */
    struct MHD_Daemon *daemon;
    unsigned threads, most, taken;
    const _Atomic unsigned *ended;
    pthread_t thread;
};

static bool is_full(const mp_acceptor *a)
{
    return a->taken - atomic_load(a->ended) >= a->most;
}

/* libmicrohttpd gives a connection to the thread that its descriptor's number falls to, and numbers
 * need not come in turn: beside clients of the same process each second one is theirs. Another
 * number for it then; the old one where there is none. */
static int in_turn(const mp_acceptor *a, int fd)
{
    unsigned turn = a->taken % a->threads;
    for (int tries = 0; tries < 8 && (unsigned)fd % a->threads != turn; tries++) {
        unsigned ahead = (turn + a->threads - (unsigned)fd % a->threads) % a->threads;
        int next = fcntl(fd, F_DUPFD_CLOEXEC, fd + (int)ahead);
        if (next < 0)
            break;
        close(fd);
        fd = next;
    }
    return fd;
}

/* Takes those that wait. Milliseconds to stay away from the socket then: 0 where there is no need.
 */
static int take_all(mp_acceptor *a)
{
    for (;;) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        if (is_full(a))
            return FULL_MS;
        int fd = accept4(a->listening, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            fd = in_turn(a, fd);
            /* Which closes what it refuses: too many of one address. */
            a->taken += MHD_add_connection(a->daemon, fd, (struct sockaddr *)&from, n) == MHD_YES;
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        if (errno != EINTR && errno != ECONNABORTED) { /* no descriptors, no memory: not for ever */
            mp_log(MP_LOG_WARN, "no connection can be taken: %s", strerror(errno));
            return STARVED_MS;
        }
    }
}

static void *run(void *context)
{
    mp_acceptor *a = context;
    int away = 0;
    for (;;) {
        struct pollfd at[] = {{.fd = a->end, .events = POLLIN},
                              {.fd = away ? -1 : a->listening, .events = POLLIN}};
        if (poll(at, MP_COUNT(at), away ? away : -1) < 0)
            continue; /* a signal */
        if (at[0].revents)
            return NULL;
        away = take_all(a);
    }
}

static void release(mp_acceptor *a)
{
    close(a->listening);
    if (a->end >= 0)
        close(a->end);
    free(a);
}

mp_err mp_acceptor_open(mp_acceptor **out, int listening, struct MHD_Daemon *daemon,
                        unsigned threads, unsigned most, const _Atomic unsigned *ended, mp_why *why)
{
    mp_acceptor *a = mp_xcalloc(1, sizeof *a);
    *a = (mp_acceptor){.listening = listening,
                       .end = eventfd(0, EFD_CLOEXEC),
                       .daemon = daemon,
                       .threads = threads,
                       .most = most,
                       .taken = atomic_load(ended),
                       .ended = ended};
    *out = a;
    if (a->end >= 0 && pthread_create(&a->thread, NULL, run, a) == 0)
        return MP_OK;
    release(a);
    *out = NULL;
    return mp_fail(why, MP_INTERNAL, "no thread that takes connections");
}

void mp_acceptor_close(mp_acceptor *a)
{
    if (!a)
        return;
    while (eventfd_write(a->end, 1) != 0 && errno == EINTR)
        ;
    pthread_join(a->thread, NULL);
    release(a);
}
