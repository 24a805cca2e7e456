/* uploads.h - files that were PUT to presigned links and wait to be taken in; and feedback. The
 * part of the metadata port for the service. As durable as all of it; any thread. */
#ifndef MP_UPLOADS_H
#define MP_UPLOADS_H

#include "meta/meta.h"

typedef struct mp_upload {
    const char *id; /* of the link */
    int64_t user_id, project_id;
    const char *name, *type; /* as the link allowed them */
    int64_t bytes, expires_ms;
    int64_t item_id; /* what it became; 0: not taken in yet */
} mp_upload;

/* Notes that the bytes are stored. EXISTS: the link was used before. */
MP_CHECK mp_err mp_meta_add_upload(mp_meta *m, const mp_upload *u, mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_upload(mp_meta *m, const char *id, mp_arena *arena, mp_upload *out,
                                   mp_why *why);
MP_CHECK mp_err mp_meta_take_upload(mp_meta *m, const char *id, int64_t item_id, mp_why *why);
/* Ids of uploads that expired before now_ms, at most `limit`; in `arena`. */
MP_CHECK mp_err mp_meta_old_uploads(mp_meta *m, int64_t now_ms, size_t limit, mp_arena *arena,
                                    const char ***out, size_t *n, mp_why *why);
MP_CHECK mp_err mp_meta_drop_upload(mp_meta *m, const char *id, mp_why *why);

typedef struct mp_feedback {
    int64_t id, item_id, user_id, at_ms;
    const char *action, *note;
} mp_feedback;
/* NOT_FOUND: the item. */
MP_CHECK mp_err mp_meta_add_feedback(mp_meta *m, const mp_feedback *f, int64_t *id, mp_why *why);
/* Of one item, the oldest first. */
MP_CHECK mp_err mp_meta_list_feedback(mp_meta *m, int64_t item_id, mp_arena *arena,
                                      mp_feedback **out, size_t *n, mp_why *why);

#endif
