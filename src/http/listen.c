/* listen.c - see listen.h. */
#include "http/listen.h"

#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whatever getaddrinfo takes as numeric: a zone such as %eth0 is part of some. */
static bool find_address(const char *address, const char *service, struct addrinfo **out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    return getaddrinfo(address, service, &hints, out) == 0;
}

mp_err mp_http_check_address(const char *text, mp_why *why)
{
    struct addrinfo *at;
    if (!*text || !find_address(text, "0", &at))
        return mp_fail(why, MP_INVALID,
                       "'%.80s' is not a numeric address; one looks like 127.0.0.1, or 0.0.0.0 and "
                       ":: for all of this machine",
                       text);
    freeaddrinfo(at);
    return MP_OK;
}

mp_err mp_listen_at(const char *address, int port, int *out, int *bound_port, mp_why *why)
{
    struct addrinfo *at;
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char service[16];
    *out = -1;
    *bound_port = 0;
    snprintf(service, sizeof service, "%d", port);
    if (!find_address(address, service, &at))
        return mp_fail(why, MP_INVALID, "'%s' is not a numeric address", address);
    int one = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mp_err err = MP_OK;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &n) != 0)
        err = mp_fail_errno(why, errno, "cannot listen at %s port %d", address, port);
    freeaddrinfo(at);
    if (err) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    *bound_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                    : ((struct sockaddr_in *)&bound)->sin_port);
    *out = fd;
    return MP_OK;
}
