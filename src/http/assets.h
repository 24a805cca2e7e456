/* assets.h - assets in requests and answers: which one is meant, may they, its JSON, its bytes.
 * Inside the http room. */
#ifndef MP_HTTP_ASSETS_H
#define MP_HTTP_ASSETS_H

#include "http/message.h"
#include "meta/assets.h"

/* The asset that the path's first parameter names, when who asks may read it, or write to it (then
 * its project is active and it is not in the trash): else false with a 404, 403 or 409 made. */
bool mp_asset_asked(mp_request *r, bool write, mp_asset *out);
/* The asset as a resource. */
json_t *mp_asset_json(mp_request *r, const mp_asset *a);
/* The asset as it is now, with `status` beside its members unless that is NULL. */
void mp_send_asset(mp_request *r, int code, int64_t id, const char *status);
json_t *mp_sha256_json(const mp_sha256 *sha256);
/* The bytes of a version: a picture to be shown, anything else to be kept as a file. 410. */
void mp_send_version(mp_request *r, const mp_version *v, int max_age_s);

#endif
