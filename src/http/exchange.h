/* exchange.h - one request on its way through the server. Inside the http room; handlers see its
 * mp_request alone.
 *
 * A request goes through the states below; a slow one is suspended while it is WORKING and comes
 * back DONE, which is the only way in which another thread touches it. */
#ifndef MP_HTTP_EXCHANGE_H
#define MP_HTTP_EXCHANGE_H

#include "http/server.h"
#include "http/spool.h"

#include <microhttpd.h>

typedef enum mp_exchange_state { MP_FRESH, MP_READING, MP_WORKING, MP_DONE } mp_exchange_state;

typedef struct mp_exchange {
    mp_request request;
    mp_exchange_state state;
    const char *method; /* as it came, where it is known: "HEAD", "OPTIONS"; "": another */
    mp_spool *spool;    /* of a body that goes to files */
    bool refused;       /* answered from its head: the body is not wanted */
    bool hang_up;       /* and what follows may be that body */
    size_t taken;       /* of the body */
    size_t wasted;      /* of a body that is over the limit */
    int status;         /* that was sent; 0: the client went away */
    size_t bytes;
} mp_exchange;

/* ---- exchange.c: what libmicrohttpd calls, with the mp_service as context ---- */
void *mp_exchange_begin(void *service, const char *uri, struct MHD_Connection *connection);
enum MHD_Result mp_exchange_go_on(void *service, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **state_of);
void mp_exchange_end(void *service, struct MHD_Connection *connection, void **state_of,
                     enum MHD_RequestTerminationCode how);

/* ---- head.c ---- */
/* The path, the query and the client's address, before the headers are read. */
void mp_head_begin(mp_exchange *x, const char *uri);
/* Answers what can be answered from the head; true when the request may go on. */
bool mp_head_accept(mp_exchange *x, const char *method);

/* ---- send.c ---- */
/* Hands the reply to libmicrohttpd; a file of it is taken over. */
enum MHD_Result mp_exchange_send(mp_exchange *x);

/* ---- log.c ---- */
/* One line of JSON to standard error. */
void mp_exchange_log(const mp_exchange *x);

#endif
