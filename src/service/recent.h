/* recent.h - tokens that were verified a moment ago. Inside the service room.
 *
 * Whether a token was signed with a key and what it claims does not change; a key that was replaced
 * is believed for an hour or more, and whether a token is over is judged by whole seconds. So what
 * was found out holds for the rest of the clock's second, and is forgotten after it. What may
 * change at any moment is not kept: the session and the user are asked for each time. A few tokens,
 * each by a keyed hash alone; one that is in another's place replaces it. Any thread. */
#ifndef MP_SERVICE_RECENT_H
#define MP_SERVICE_RECENT_H

#include "base/base.h"

typedef struct mp_recent mp_recent; /* opaque */

/* What a token says. */
typedef struct mp_claim {
    char session[65];
    int64_t user;
} mp_claim;

mp_recent *mp_recent_new(void);
void mp_recent_free(mp_recent *r); /* NULL allowed */
/* True with the claim of a token that was kept in this same second. */
bool mp_recent_find(mp_recent *r, const char *token, int64_t now_s, mp_claim *out);
void mp_recent_keep(mp_recent *r, const char *token, int64_t now_s, const mp_claim *claim);

#endif
