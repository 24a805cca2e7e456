/* Connections are dealt out evenly, wait where there are too many, and end with the acceptor. */
#include "../test.h"
#include "http/acceptor.h"
#include "http/listen.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 2, CLIENTS = 16, MOST = 20 };

typedef struct server {
    struct MHD_Daemon *daemon;
    mp_acceptor *acceptor;
    _Atomic unsigned ended;
    int port;
    pthread_mutex_t mutex;
    pthread_t seen[THREADS]; /* which answered, and how often */
    int n_seen, answered[THREADS];
} server;

static void note_thread(server *s)
{
    pthread_t self = pthread_self();
    int i = 0;
    pthread_mutex_lock(&s->mutex);
    while (i < s->n_seen && !pthread_equal(s->seen[i], self))
        i++;
    if (i == s->n_seen && i < THREADS)
        s->seen[s->n_seen++] = self;
    s->answered[MP_MIN(i, THREADS - 1)]++;
    pthread_mutex_unlock(&s->mutex);
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **request)
{
    static char text[] = "ok";
    (void)url, (void)method, (void)version, (void)data, (void)n;
    if (!*request) { /* the head alone: who answers now ends the connection */
        *request = text;
        return MHD_YES;
    }
    note_thread(context);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return queued;
}

static void note_end(void *context, struct MHD_Connection *c, void **place,
                     enum MHD_ConnectionNotificationCode what)
{
    server *s = context;
    (void)c, (void)place;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        atomic_fetch_add(&s->ended, 1);
}

static int start(void **state)
{
    static server s;
    mp_why why;
    int listening;
    s = (server){.mutex = PTHREAD_MUTEX_INITIALIZER};
    assert_ok(mp_listen_at("127.0.0.1", 0, &listening, &s.port, &why));
    s.daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET, 0,
                         NULL, NULL, answer, &s, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
                         MHD_OPTION_NOTIFY_CONNECTION, note_end, &s, MHD_OPTION_END);
    assert_non_null(s.daemon);
    assert_ok(mp_acceptor_open(&s.acceptor, listening, s.daemon, THREADS, MOST, &s.ended, &why));
    *state = &s;
    return 0;
}

static int stop(void **state)
{
    server *s = *state;
    mp_acceptor_close(s->acceptor);
    MHD_stop_daemon(s->daemon);
    return 0;
}

/* -1 when nobody listens. */
static int join(const server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Whether an answer came within `ms`. */
static bool hears(int fd, int ms)
{
    char got[512];
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return recv(fd, got, sizeof got, 0) > 0;
}

static bool asks(int fd, int ms)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    return write(fd, text, sizeof text - 1) == sizeof text - 1 && hears(fd, ms);
}

/* in_step: each is taken before the next one connects, so that the numbers of the descriptors, of
 * which every second one is the client's, leave the other thread without any. */
static void deal_out(server *s, bool in_step)
{
    int fd[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        assert_true((fd[i] = join(s)) >= 0);
        if (in_step)
            assert_true(asks(fd[i], 10000));
    }
    for (int i = 0; i < CLIENTS && !in_step; i++)
        assert_true(asks(fd[i], 10000));
    pthread_mutex_lock(&s->mutex); /* what the threads have noted is ours to read now */
    pthread_mutex_unlock(&s->mutex);
    assert_int_equal(s->n_seen, THREADS);
    assert_int_equal(s->answered[0], CLIENTS / THREADS);
    assert_int_equal(s->answered[1], CLIENTS / THREADS);
    for (int i = 0; i < CLIENTS; i++)
        close(fd[i]);
}

static void a_crowd_is_dealt_out(void **state)
{
    deal_out(*state, false);
}

static void those_who_come_one_by_one_are_dealt_out(void **state)
{
    deal_out(*state, true);
}

static void who_is_too_many_waits(void **state)
{
    server *s = *state;
    int fd[MOST], late;
    for (int i = 0; i < MOST; i++) {
        assert_true((fd[i] = join(s)) >= 0);
        assert_true(asks(fd[i], 10000));
    }
    assert_true((late = join(s)) >= 0); /* by the kernel alone */
    assert_false(asks(late, 200));
    close(fd[0]);
    assert_true(hears(late, 10000)); /* the answer to what it asked before */
    close(late);
    for (int i = 1; i < MOST; i++)
        close(fd[i]);
}

static void who_has_connected_stays_when_it_ends(void **state)
{
    server *s = *state;
    int fd = join(s);
    assert_true(asks(fd, 10000));
    mp_acceptor_close(s->acceptor);
    s->acceptor = NULL;
    assert_int_equal(join(s), -1);
    assert_true(asks(fd, 10000));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crowd_is_dealt_out, start, stop),
        cmocka_unit_test_setup_teardown(those_who_come_one_by_one_are_dealt_out, start, stop),
        cmocka_unit_test_setup_teardown(who_is_too_many_waits, start, stop),
        cmocka_unit_test_setup_teardown(who_has_connected_stays_when_it_ends, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
