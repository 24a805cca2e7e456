#include "asking.h"

#include "../test.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct asking {
    struct MHD_Daemon *daemon;
    int port;
    asking_fn see;
    const void *context;
};

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state_of)
{
    asking *a = context;
    (void)version, (void)data, (void)n, (void)state_of, (void)method;
    mp_request r = {.connection = connection, .arena = mp_arena_new(0), .path = url, .query = ""};
    a->see(&r, a->context);
    mp_buf_free(&r.reply.body);
    if (r.reply.has_fd)
        close(r.reply.fd);
    mp_arena_free(r.arena);
    struct MHD_Response *none = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result sent = MHD_queue_response(connection, 204, none);
    MHD_destroy_response(none);
    return sent;
}

asking *asking_start(void)
{
    asking *a = mp_xcalloc(1, sizeof *a);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, a,
                                 MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)65536, MHD_OPTION_END);
    assert_non_null(a->daemon);
    a->port = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return a;
}

void asking_do(asking *a, const char *headers, asking_fn see, const void *context)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)a->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    mp_buf text = {0};
    char answer[512];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->see = see;
    a->context = context;
    mp_buf_printf(&text, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", headers);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, text.p, text.n), text.n);
    assert_true(recv(fd, answer, sizeof answer, MSG_WAITALL) > 12);
    assert_memory_equal(answer, "HTTP/1.1 204", 12);
    close(fd);
    mp_buf_free(&text);
}

void asking_stop(asking *a)
{
    MHD_stop_daemon(a->daemon);
    free(a);
}
