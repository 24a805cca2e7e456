/* cors.h - pages of which other origins may read answers (Fetch standard, "HTTP-CORS protocol").
 * Inside the http room. Immutable once open; any thread. */
#ifndef MP_HTTP_CORS_H
#define MP_HTTP_CORS_H

#include "http/message.h"

typedef struct mp_cors mp_cors; /* opaque */

/* Origins are scheme://host[:port] with http or https and nothing behind; letters and default ports
 * are brought into the form that browsers send. "*", alone, is any origin, then without
 * credentials. n 0: nobody. INVALID, with the origin that is none. */
MP_CHECK mp_err mp_cors_open(mp_cors **out, const char *const *origins, size_t n, mp_why *why);
void mp_cors_close(mp_cors *c); /* NULL allowed */

/* The value of Access-Control-Allow-Origin for the request; NULL: nothing is said of CORS. */
const char *mp_cors_allowed(const mp_cors *c, const mp_request *r);
/* Do answers differ by origin? Then caches must know (Vary). */
bool mp_cors_varies(const mp_cors *c);
bool mp_cors_credentials(const mp_cors *c);

/* Answers OPTIONS from the route table: a preflight, or what the path takes. 204, 400, 404. */
void mp_cors_options(const mp_cors *c, mp_request *r);

#endif
