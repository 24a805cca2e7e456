/* helper.h - threads that help for some milliseconds and are then kept for the next time.
 *
 * A new thread takes a tenth of a millisecond to begin, and may begin on its maker's core and share
 * it for longer than the whole computation lasts before the system moves it. So those that are done
 * wait here, as long as a model is open, and wake on another core than the caller's. Any thread. */
#ifndef MP_HELPER_H
#define MP_HELPER_H

#include "base/base.h"

typedef struct mp_helper mp_helper; /* opaque */

/* Has fn(arg) done by another thread. NULL: none can be started. */
mp_helper *mp_helper_start(void (*fn)(void *arg), void *arg);
/* Returns when it is done; h is gone then. */
void mp_helper_wait(mp_helper *h);

/* Between the first hold and the last release threads are kept; that one ends them. */
void mp_helpers_hold(void);
void mp_helpers_release(void);

#endif
