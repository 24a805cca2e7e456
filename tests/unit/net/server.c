/* server.c - see server.h. */
#include "server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *arg)
{
    server *s = arg;
    for (;;) {
        int connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0 || atomic_load(&s->ending)) {
            if (connection >= 0)
                close(connection);
            return NULL;
        }
        atomic_fetch_add(&s->accepted, 1);
        s->script(s, connection);
        shutdown(connection, SHUT_WR);
        close(connection);
    }
}

/* A socket of both families where there is IPv6, else of IPv4. */
static int listen_anywhere(void)
{
    struct sockaddr_in6 at6 = {.sin6_family = AF_INET6};
    struct sockaddr_in at4 = {.sin_family = AF_INET};
    int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
        bind(fd, (struct sockaddr *)&at6, sizeof at6) == 0 && listen(fd, 64) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at4, sizeof at4) != 0 || listen(fd, 64) != 0)
        abort();
    return fd;
}

void server_start(server *s, server_script script)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    *s = (server){.script = script, .lock = PTHREAD_MUTEX_INITIALIZER};
    setenv("no_proxy", "*", 1);
    s->listener = listen_anywhere();
    if (getsockname(s->listener, (struct sockaddr *)&at, &n) != 0)
        abort();
    s->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                             : ((struct sockaddr_in *)&at)->sin_port);
    if (pthread_create(&s->thread, NULL, serve, s) != 0)
        abort();
}

void server_stop(server *s)
{
    atomic_store(&s->ending, 1);
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    mp_buf_free(&s->heard);
}

char *server_heard(server *s)
{
    pthread_mutex_lock(&s->lock);
    char *out = mp_xstrdup(s->heard.p ? s->heard.p : "");
    mp_buf_free(&s->heard);
    pthread_mutex_unlock(&s->lock);
    return out;
}

static bool readable(server *s, int connection)
{
    struct pollfd p = {.fd = connection, .events = POLLIN};
    while (!atomic_load(&s->ending))
        if (poll(&p, 1, 50) != 0)
            return true;
    return false;
}

size_t server_read(server *s, int connection, char *out, size_t cap)
{
    ssize_t got = readable(s, connection) ? read(connection, out, cap - 1) : 0;
    if (got < 0)
        got = 0;
    out[got] = '\0';
    pthread_mutex_lock(&s->lock);
    mp_buf_add(&s->heard, out, (size_t)got);
    pthread_mutex_unlock(&s->lock);
    return (size_t)got;
}

static size_t declared(const char *head)
{
    const char *length = strcasestr(head, "\r\nContent-Length:");
    return length ? (size_t)atoi(length + strlen("\r\nContent-Length:")) : 0;
}

/* Is all there that the head declares? */
static bool whole(const char *request, size_t n)
{
    const char *end = strstr(request, "\r\n\r\n");
    if (!end)
        return false;
    if (strcasestr(request, "\r\nTransfer-Encoding: chunked"))
        return strcmp(request + n - 5, "0\r\n\r\n") == 0;
    return n >= (size_t)(end + 4 - request) + declared(request);
}

bool server_request(server *s, int connection, char *out, size_t cap)
{
    bool told = false;
    for (size_t n = 0, got; n + 1 < cap; n += got) {
        got = server_read(s, connection, out + n, cap - n);
        if (got == 0 || whole(out, n + got))
            return got > 0;
        if (!told && strstr(out, "\r\n\r\n") && strcasestr(out, "\r\nExpect: 100-continue")) {
            server_say(connection, "HTTP/1.1 100 Continue\r\n\r\n");
            told = true;
        }
    }
    return false;
}

void server_say(int connection, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (int at = 0; at < n;) {
        ssize_t put = send(connection, text + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (put <= 0)
            return;
        at += (int)put;
    }
}

void server_wait(server *s, int connection)
{
    char rest[1024];
    while (server_read(s, connection, rest, sizeof rest) > 0)
        continue;
}
