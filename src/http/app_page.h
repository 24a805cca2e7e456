/* app_page.h - the web app: its files under /, its page under every path that is nobody else's.
 * Inside the http room. Any thread. */
#ifndef MP_HTTP_APP_PAGE_H
#define MP_HTTP_APP_PAGE_H

#include "http/route.h"

/* What answers a GET that is in no route, or NULL: the path belongs to the interface, whose 404 is
 * a problem in JSON. Not in mp_routes: it is no part of the interface. */
const mp_route *mp_app_route(const mp_request *r);

#endif
