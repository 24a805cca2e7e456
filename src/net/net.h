/* net.h - the way out to other machines: what may be reached, and the room's start and end.
 *
 * URLs come from users, and the service stands where users do not: next to databases and metadata
 * endpoints. So no request that a user causes reaches an address that is not public. There is one
 * place where that is enforced: where a socket is about to be opened, on the very address that it
 * would be connected to. How the URL spells the address, what a name resolves to and whether that
 * changes between two look-ups makes no difference.
 *
 *   address.c   the policy: which addresses are public
 *   url.c       taking a URL apart; what can be told without the network
 *   easy.c      what every transfer has in common: sockets, signals, stopping
 *   request.c   one HTTP exchange with its repeated tries (request.h)
 *   transfer.c  one try of it: body, caps, errors
 *   wait.c      the waits between tries
 *   fetch.c     a download for a user (fetch.h)
 *   download.c  a large file for the operator, resumed and checked (download.h), kept by part.c
 *   hook.c      a signed webhook (hook.h)
 *   mail.c      a mail over SMTP (mail.h), composed by mail_text.c
 *
 * All functions are safe from any thread between mp_net_init and mp_net_exit. Each call blocks its
 * thread until the exchange is over; none leaves a connection or a thread behind. A name is looked
 * up by the system's resolver, whose own limits alone can outlast a time limit given here. */
#ifndef MP_NET_H
#define MP_NET_H

#include "base/base.h"

struct sockaddr;

/* Before any other call of this room; counted, so that each user of the room may call it. */
MP_CHECK mp_err mp_net_init(mp_why *why);
void mp_net_exit(void); /* once per successful mp_net_init */

/* "host:port" strings (host as in a URL, IPv6 in brackets; the port always said) that may be
 * reached although their address is not public, whatever it is. Borrowed. */
typedef struct mp_net_allow {
    const char *const *authorities;
    size_t n;
} mp_net_allow;

/* Should the transfer end now? Asked about once a second and between tries. */
typedef struct mp_net_stop {
    bool (*asked)(void *arg); /* NULL: never */
    void *arg;
} mp_net_stop;

/* Is this a public unicast address? False for loopback, private, link-local, shared (CGNAT),
 * benchmark, documentation, multicast, reserved and unspecified ones, for IPv6 that carries an IPv4
 * address in any way (mapped, compatible, NAT64, 6to4, Teredo), and for any other family. */
bool mp_net_address_allowed(const struct sockaddr *address);

/* What can be said of a URL without the network, for an answer at the time when it is given: http
 * or https, a host, a port of 1 to 65535, no credentials, and a host that is not an address outside
 * the policy, in any spelling (decimal, octal, hexadecimal, short, IPv4 in IPv6), nor "localhost".
 * `allow` may be NULL. MP_OK is no promise: names are judged when they are resolved. INVALID. */
MP_CHECK mp_err mp_net_check_url(const char *url, const mp_net_allow *allow, mp_why *why);

#endif
