/* watch.c - see watch.h. libmicrohttpd says that a connection is closed before it closes the socket
 * (MHD_CONNECTION_NOTIFY_CLOSED), so that what is in the list is open while its mutex is held. */
#include "http/watch.h"

#include "base/os.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

typedef struct place {
    mp_watch *watch;
    struct place *before, *after; /* guarded by the list's mutex */
    int fd;
    _Atomic int phase;
    _Atomic int64_t since_ms;
    _Atomic uint64_t bytes; /* of bodies, since since_ms */
} place;

struct mp_watch {
    pthread_mutex_t mutex; /* guards the list and ending */
    pthread_cond_t news;
    pthread_t thread;
    place *first;
    int idle_s;
    bool ending;
    void *owner;
};

static int64_t now_ms(void)
{
    return (int64_t)(mp_monotonic_s() * 1000);
}

static place *place_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static bool is_slow(place *p, int64_t now)
{
    int64_t idle_ms = (int64_t)p->watch->idle_s * 1000;
    int phase = atomic_load(&p->phase);
    if (phase == MP_WATCH_BUSY || now - atomic_load(&p->since_ms) <= idle_ms)
        return false;
    if (phase == MP_WATCH_HEAD)
        return true;
    uint64_t bytes = atomic_exchange(&p->bytes, 0);
    atomic_store(&p->since_ms, now);
    return bytes < (uint64_t)p->watch->idle_s * MP_WATCH_RATE;
}

static void *sweep(void *context)
{
    mp_watch *w = context;
    pthread_mutex_lock(&w->mutex);
    while (!w->ending) {
        (void)mp_cond_wait_until(&w->news, &w->mutex, mp_monotonic_s() + 1);
        int64_t now = now_ms();
        for (place *p = w->first; p; p = p->after)
            if (is_slow(p, now))
                (void)shutdown(p->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

mp_err mp_watch_open(mp_watch **out, int idle_s, void *owner, mp_why *why)
{
    mp_watch *w = mp_xcalloc(1, sizeof *w);
    w->idle_s = idle_s;
    w->owner = owner;
    pthread_mutex_init(&w->mutex, NULL);
    mp_cond_open(&w->news);
    *out = w;
    if (pthread_create(&w->thread, NULL, sweep, w) == 0)
        return MP_OK;
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->mutex);
    free(w);
    *out = NULL;
    return mp_fail(why, MP_INTERNAL, "no thread for the connections' watch");
}

void mp_watch_close(mp_watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->ending = true;
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

static void enter_list(mp_watch *w, place *p)
{
    pthread_mutex_lock(&w->mutex);
    p->after = w->first;
    if (w->first)
        w->first->before = p;
    w->first = p;
    pthread_mutex_unlock(&w->mutex);
}

static void leave_list(mp_watch *w, place *p)
{
    pthread_mutex_lock(&w->mutex);
    if (p->before)
        p->before->after = p->after;
    else
        w->first = p->after;
    if (p->after)
        p->after->before = p->before;
    pthread_mutex_unlock(&w->mutex);
}

void mp_watch_notify(void *watch, struct MHD_Connection *connection, void **socket_context,
                     enum MHD_ConnectionNotificationCode what)
{
    mp_watch *w = watch;
    place *p = *socket_context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        p = mp_xcalloc(1, sizeof *p);
        p->watch = w;
        p->fd = info->connect_fd;
        atomic_store(&p->since_ms, now_ms());
        *socket_context = p;
        enter_list(w, p);
    } else if (p) {
        leave_list(w, p);
        free(p);
        *socket_context = NULL;
    }
}

void mp_watch_enter(struct MHD_Connection *connection, mp_watch_phase phase)
{
    place *p = place_of(connection);
    if (!p)
        return;
    atomic_store(&p->bytes, 0);
    atomic_store(&p->since_ms, now_ms());
    atomic_store(&p->phase, (int)phase);
}

void mp_watch_body(struct MHD_Connection *connection, size_t n)
{
    place *p = place_of(connection);
    if (p)
        atomic_fetch_add(&p->bytes, n);
}

void *mp_watch_owner(struct MHD_Connection *connection)
{
    const place *p = place_of(connection);
    return p ? p->watch->owner : NULL;
}
