/* tls.h - the service's certificate and key. Inside the http room.
 *
 * libmicrohttpd asks for the pair at each handshake, so that it can be renewed while the service
 * runs: connections that are open keep what they began with. Any thread. */
#ifndef MP_HTTP_TLS_H
#define MP_HTTP_TLS_H

#include "base/base.h"

#include <gnutls/abstract.h>

typedef struct mp_tls mp_tls; /* opaque */

/* For MHD_OPTION_HTTPS_PRIORITIES. */
extern const char mp_tls_priorities[];

/* Reads a PEM certificate, its chain behind it, and its key; the paths are copied. Errors: INVALID
 * (no certificate, no key, or of another key; one that needs a passphrase), NOT_FOUND, IO. */
MP_CHECK mp_err mp_tls_open(mp_tls **out, const char *cert_file, const char *key_file, mp_why *why);
/* Reads the same files anew; after an error the old pair stays. */
MP_CHECK mp_err mp_tls_reload(mp_tls *t, mp_why *why);
void mp_tls_close(mp_tls *t); /* NULL allowed; once no handshake can happen */

/* The pair of now, which lives until mp_tls_close. */
void mp_tls_pair(mp_tls *t, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key);

#endif
