/* server.h - a little server in a thread: takes one connection after the other on this machine, all
 * loopback addresses and both families, counts them, and hands each to a script. */
#ifndef MP_TEST_NET_SERVER_H
#define MP_TEST_NET_SERVER_H

#include "base/base.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct server server;
/* Talks on the connection; returning closes it. */
typedef void (*server_script)(server *s, int connection);

struct server {
    int listener, port;
    pthread_t thread;
    server_script script;
    _Atomic int accepted, ending;
    _Atomic int asked; /* for scripts that answer differently the second time */
    pthread_mutex_t lock;
    mp_buf heard; /* all that was read by server_read; under lock */
};

/* Also keeps proxies of the environment out of the way. */
void server_start(server *s, server_script script);
void server_stop(server *s);
/* A copy of what was heard so far, and forgets it; the caller frees it. */
char *server_heard(server *s);

/* For scripts. Bytes of one read, NUL-terminated, also added to `heard`; 0: closed or ending. */
size_t server_read(server *s, int connection, char *out, size_t cap);
/* The head of a request and the body that it declares, asked for where the client waits for that;
 * false: closed before. */
bool server_request(server *s, int connection, char *out, size_t cap);
void server_say(int connection, const char *format, ...) MP_PRINTF(2, 3);
/* Says nothing until the other side closes. */
void server_wait(server *s, int connection);

#endif
