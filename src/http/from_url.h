/* from_url.h - a picture that a request names by its URL. Inside the http room.
 *
 * The user chooses the URL and the service makes the connection, so every address goes through the
 * policy of net.h. The request's worker waits for the other server: a download has a limit in all,
 * however slowly it comes and however often it is tried, and not all workers download at once. */
#ifndef MP_HTTP_FROM_URL_H
#define MP_HTTP_FROM_URL_H

#include "http/message.h"

/* Downloads it into a file without a name in the spool's folder, which is closed with the request.
 * `what` is the member that held the URL, for the words. False with the reply made: 422 (an address
 * that may not be reached; the other server has no such picture, or does not bring it in time), 413
 * and 415 (too large; not a picture by its type), 503 (too many downloads, or the service is
 * closing), 507. */
bool mp_picture_from_url(mp_request *r, const char *what, const char *url, int *fd);
/* The last part of the URL's path without escapes, as a file's name; "image" when it has none. */
const char *mp_name_from_url(mp_request *r, const char *url);

#endif
