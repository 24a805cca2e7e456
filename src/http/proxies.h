/* proxies.h - who asks, behind proxies that are known. Inside the http room. Immutable once open;
 * any thread. */
#ifndef MP_HTTP_PROXIES_H
#define MP_HTTP_PROXIES_H

#include "http/message.h"

struct sockaddr;

typedef struct mp_proxies mp_proxies; /* opaque */

/* Addresses ("10.0.0.1", "::1") and networks ("10.0.0.0/8"). INVALID, with the one that is none. */
MP_CHECK mp_err mp_proxies_open(mp_proxies **out, const char *const *list, size_t n, mp_why *why);
void mp_proxies_close(mp_proxies *p); /* NULL allowed */

/* The address as text; IPv4 in IPv6 as IPv4. "" for other families. In the arena. */
const char *mp_address_text(const struct sockaddr *at, mp_arena *arena);
/* Makes r->address, which is the peer's, the client's: when the peer is trusted, the right-most
 * address in X-Forwarded-For that is not; what stands left of it anybody may have written. A hop
 * that is no address ends the walk. r->scheme becomes https where a trusted peer says so
 * (X-Forwarded-Proto). */
void mp_proxies_resolve(const mp_proxies *p, mp_request *r);

/* Whose tries an address's are: itself, or of IPv6 its /64, which one customer has as a whole. */
enum { MP_ADDRESS_KEY = 64 };
void mp_address_key(const char *address, char out[MP_ADDRESS_KEY]);

#endif
