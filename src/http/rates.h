/* rates.h - how often somebody may ask. Inside the http room. Any thread.
 *
 * By address before a login, by user or API key after it; signed links by address with ten times as
 * much, since a page shows many thumbnails. Each is a token bucket (limits.h). What a route says of
 * itself is in route.h. */
#ifndef MP_HTTP_RATES_H
#define MP_HTTP_RATES_H

#include "http/message.h"

typedef struct mp_rates mp_rates; /* opaque */

/* NULL for per_s 0: nothing is limited, and all below say yes. */
mp_rates *mp_rates_new(double per_s, double burst);
void mp_rates_free(mp_rates *rates); /* NULL allowed */

/* By the address, once the route is known or known not to be there. False with a 429 made. */
bool mp_rates_admit(mp_rates *rates, mp_request *r);
/* Who asks (mp_request_authorize), and may they ask again already? Guesses at tokens count for the
 * address. False with the reply made. */
bool mp_rates_authorize(mp_rates *rates, mp_request *r);

#endif
