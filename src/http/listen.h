/* listen.h - the socket that the service listens at. Inside the http room. */
#ifndef MP_HTTP_LISTEN_H
#define MP_HTTP_LISTEN_H

#include "base/base.h"

/* A listening socket at a numeric address, the caller's, and the port it got (0 takes a free one).
 * Errors: INVALID (not an address), IO (port in use, no rights). */
MP_CHECK mp_err mp_listen_at(const char *address, int port, int *out, int *bound_port, mp_why *why);

#endif
