/* hook.h - telling another service that something happened: one signed POST.
 *
 * Sent, under the address policy of net.h and never to a redirect:
 *
 *   POST <path of the URL> HTTP/1.1 (2 where both sides speak it)
 *   Content-Type: application/json
 *   User-Agent: magpie
 *   X-Magpie-Event: <event>
 *   X-Magpie-Delivery: <delivery>       the same in every try of one delivery
 *   X-Magpie-Timestamp: <seconds since 1970, decimal>
 *   X-Magpie-Signature: sha256=<64 lower-case hexadecimal digits>
 *
 * and the body as given. The signature is HMAC-SHA256, keyed with the hook's secret, over the
 * timestamp's digits, a dot and the bytes of the body. A receiver computes it over the bytes that
 * arrived, compares in constant time, refuses old timestamps and remembers deliveries. */
#ifndef MP_NET_HOOK_H
#define MP_NET_HOOK_H

#include "net/request.h"

typedef struct mp_hook {
    const char *url;
    mp_span secret;               /* any length but 0 */
    const char *event, *delivery; /* visible ASCII, not empty */
    mp_span body;                 /* JSON */
    int64_t timestamp_s;          /* 0: now */
    int timeout_ms;               /* 0: 5 s */
    int tries;                    /* 0: 1, for callers that keep a queue */
    const mp_net_allow *allow;    /* NULL: none */
    mp_net_stop stop;
} mp_hook;

/* MP_OK: a 2xx came; the answer's body is dropped. *out tells the status, the tries and what
 * Retry-After asks for in any case. Errors: as mp_net_request and mp_net_judge. */
MP_CHECK mp_err mp_net_post(const mp_hook *hook, mp_net_answer *out, mp_why *why);

#endif
