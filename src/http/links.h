/* links.h - URLs that carry their own permission, so that a page can show a picture by its address
 * and a client can send one without a token. Inside the http room. */
#ifndef MP_HTTP_LINKS_H
#define MP_HTTP_LINKS_H

#include "http/message.h"

/* "/api/images/12/thumbnail?exp=...&sig=...": good for GET of this path alone, for one to two
 * hours; the same within an hour, so that it can be kept by a cache. In the request's arena. */
const char *mp_link_to(mp_request *r, const char *path);
/* Is the request's own link good? Sets by_link; false with a 403 made. */
bool mp_link_admits(mp_request *r);
/* "http://host:port" as the client knows us. */
const char *mp_link_base(mp_request *r);

#endif
