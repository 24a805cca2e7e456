/* cookie.h - the refresh token as a cookie, for pages: a script that slips into one cannot read it.
 * Inside the http room. Any thread.
 *
 * The cookie is HttpOnly, SameSite=Strict and of /api/auth alone; over TLS Secure. Its name ends
 * with the port in the address, because cookies do not know ports: two services on one host must
 * not end each other's sessions. Only POST /api/auth/refresh reads it, and only for a page of this
 * very host (mp_cookie_guard). */
#ifndef MP_HTTP_COOKIE_H
#define MP_HTTP_COOKIE_H

#include "http/message.h"

/* Has the reply set it; "" takes it away. */
void mp_cookie_set(mp_request *r, const char *refresh);
/* What the request's cookie holds, in its arena; NULL: none. */
const char *mp_cookie_read(mp_request *r);
/* Does a page of this host ask? False with a 403 made: another origin does, or what says so is
 * missing, so that a form on another page could have sent it. */
bool mp_cookie_guard(mp_request *r);

#endif
