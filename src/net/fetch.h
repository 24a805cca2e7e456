/* fetch.h - a download for a user of the service, under the address policy of net.h.
 *
 * Sent: GET with Host, "User-Agent: magpie" and "Accept: * / *" (without the blanks), nothing else:
 * no cookies, no credentials, no Referer. */
#ifndef MP_NET_FETCH_H
#define MP_NET_FETCH_H

#include "net/request.h"

typedef struct mp_fetch {
    const char *url;
    int64_t max_bytes;         /* 0: 32 MiB */
    int timeout_ms;            /* of one try as a whole; 0: 5 s */
    int connect_ms;            /* 0: 3 s */
    int tries;                 /* 0: 3 */
    const char *want_prefix;   /* of the Content-Type ("image/"); NULL: any */
    const mp_net_allow *allow; /* may be reached although not public; NULL: none */
    mp_net_stop stop;
} mp_fetch;

typedef mp_net_answer mp_fetched;

/* Writes the body of a 2xx to fd, a regular file, from where it stands; after an error what lies
 * there is not to be used. *out tells the status and the tries in any case.
 * Errors: as mp_net_request and mp_net_judge. */
MP_CHECK mp_err mp_net_fetch(const mp_fetch *f, int fd, mp_fetched *out, mp_why *why);

#endif
