/* watch.h - connections that keep a place without using it. Inside the http room.
 *
 * libmicrohttpd closes a connection that is silent for the idle time, but one byte now and then is
 * no silence to it. So every head must be whole within the idle time after the connection was
 * opened or the last answer sent, and a body must bring at least MP_WATCH_RATE bytes per second,
 * taken over the idle time. What does not is shut down, and libmicrohttpd sees it end.
 *
 * The list has a mutex; what is said of one connection is atomic. */
#ifndef MP_HTTP_WATCH_H
#define MP_HTTP_WATCH_H

#include "base/base.h"

#include <microhttpd.h>

typedef struct mp_watch mp_watch; /* opaque; one thread of its own */
typedef enum mp_watch_phase {
    MP_WATCH_HEAD, /* the client is to send a head */
    MP_WATCH_BODY, /* a body */
    MP_WATCH_BUSY  /* it is our turn */
} mp_watch_phase;

enum { MP_WATCH_RATE = 256 };

/* `owner` is what mp_watch_owner gives back. INTERNAL: no thread. */
MP_CHECK mp_err mp_watch_open(mp_watch **out, int idle_s, void *owner, mp_why *why);
/* After the daemon has stopped. NULL allowed. */
void mp_watch_close(mp_watch *w);

/* For MHD_OPTION_NOTIFY_CONNECTION, with the mp_watch as context. */
void mp_watch_notify(void *watch, struct MHD_Connection *connection, void **place,
                     enum MHD_ConnectionNotificationCode what);
/* The connection enters a phase. */
void mp_watch_enter(struct MHD_Connection *connection, mp_watch_phase phase);
/* Bytes of a body have come. */
void mp_watch_body(struct MHD_Connection *connection, size_t n);
void *mp_watch_owner(struct MHD_Connection *connection);

#endif
