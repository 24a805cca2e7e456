/* acceptor.h - a thread that takes connections and deals them out to libmicrohttpd's threads.
 *
 * Left to itself, the first of its threads to wake takes all that wait, and a client with many
 * connections is served by one processor. Dealt out in turn, each thread gets its share. Inside the
 * http room. */
#ifndef MP_HTTP_ACCEPTOR_H
#define MP_HTTP_ACCEPTOR_H

#include "base/base.h"

#include <microhttpd.h>

typedef struct mp_acceptor mp_acceptor; /* opaque */

/* Begins to take connections at `listening`, whose owner it becomes also when it fails, for a
 * daemon with a pool of so many threads; at most `most` at a time, others wait in the kernel's
 * queue. *ended is the number of connections that have ended, which the caller counts in
 * MHD_OPTION_NOTIFY_CONNECTION: libmicrohttpd's own number lags behind, and a thread of 0.9.75
 * whose limit is reached by connections from here never ends, so that the daemon's limit must be
 * out of reach: `most` for each of its threads. Daemon and number outlive it. Errors: INTERNAL. */
MP_CHECK mp_err mp_acceptor_open(mp_acceptor **out, int listening, struct MHD_Daemon *daemon,
                                 unsigned threads, unsigned most, const _Atomic unsigned *ended,
                                 mp_why *why);
/* Nobody can connect any more when this returns; who has connected stays. NULL allowed. */
void mp_acceptor_close(mp_acceptor *a);

#endif
