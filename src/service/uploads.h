/* uploads.h - presigned uploads: what a link allows, its bytes, and how they become a picture.
 *
 * A link is stateless: its query says what may be PUT (length, type, whose, where, until when)
 * under an HMAC. The first PUT of these bytes makes a row, so that a link is good once. Stored
 * bytes wait in the blob store under uploads/<id> until they are taken in or expire. Any thread. */
#ifndef MP_SERVICE_UPLOADS_H
#define MP_SERVICE_UPLOADS_H

#include "magpie.h"

#include "meta/uploads.h"
#include "service/sign.h"

enum { MP_PRESIGN_S = 15 * 60, MP_UPLOAD_KEEP_S = 24 * 3600, MP_UPLOAD_ID = 32 };

/* A new link's query ("name=..&type=..&size=..&user=..&project=..&exp=..&sig=..", escaped) for
 * u->name, type, bytes, user_id, project_id; id becomes its name, key "images/<user>/<id>.<ext>".
 * Both in `arena`. UNSUPPORTED: not the type of a picture that can be taken. */
typedef struct mp_presigned {
    const char *id, *key, *query;
    int64_t expires_ms;
} mp_presigned;
MP_CHECK mp_err mp_upload_presign(const mp_signer *s, const mp_upload *u, mp_arena *arena,
                                  mp_presigned *out, mp_why *why);
/* Does the signature cover this? u->expires_ms as the link says. NOT_FOUND: no, or it is over. */
MP_CHECK mp_err mp_upload_check(const mp_signer *s, const mp_upload *u, const char *signature,
                                mp_why *why);
/* Keeps what fd holds, which nobody writes to again. EXISTS: the link was used. */
MP_CHECK mp_err mp_upload_store(magpie *library, const mp_upload *u, int fd, mp_why *why);
/* The upload of a key that this user PUT. NOT_FOUND. */
MP_CHECK mp_err mp_upload_of_key(magpie *library, const char *key, int64_t user_id, mp_arena *arena,
                                 mp_upload *out, mp_why *why);
/* Takes it in; once done, doing it again gives the same picture. `put` without name and project:
 * they are the upload's. Errors: those of magpie_add_fd. */
MP_CHECK mp_err mp_upload_ingest(magpie *library, const mp_upload *u, const magpie_put *put,
                                 int64_t *id, magpie_outcome *outcome, mp_why *why);
/* Forgets what expired. */
MP_CHECK mp_err mp_upload_sweep(magpie *library, int64_t now_ms, size_t *swept, mp_why *why);

#endif
