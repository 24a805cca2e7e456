/* wait.h - waits between tries. Inside the room only. */
#ifndef MP_NET_WAIT_H
#define MP_NET_WAIT_H

#include "net/net.h"

/* How long to wait after `tries` tries (1, ...): what Retry-After asked for, and some of a doubling
 * wait. Full jitter: many that failed together do not come back together. */
int64_t mp_net_wait_ms(int tries, int retry_after_s);
/* False: asked to stop. */
bool mp_net_pause(const mp_net_stop *stop, int64_t ms);

#endif
