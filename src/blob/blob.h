/* blob.h - whole named objects: copied originals, thumbnails, trash.
 *
 * Keys are 1 to 200 bytes of [a-z0-9._-] in parts joined by '/', no part empty, "." or "..".
 * Safe from any thread and from several processes. A put is atomic: readers get the old bytes, the
 * new bytes or MP_NOT_FOUND, never a mixture. Port: `fs` (temp file, fsync, rename, fsync of the
 * folder). An S3 back end fits behind the same calls. */
#ifndef MP_BLOB_H
#define MP_BLOB_H

#include "base/base.h"

typedef struct mp_blob mp_blob; /* opaque */

/* Opens the store that `url` names ("fs:/absolute/folder"); caller closes. */
MP_CHECK mp_err mp_blob_open(mp_blob **out, const char *url, mp_why *why);
void mp_blob_close(mp_blob *b); /* NULL allowed */

typedef enum mp_durability {
    MP_DURABLE,  /* on disk, file and folder, before the call returns */
    MP_DERIVABLE /* atomic but not synced: for what can be made again */
} mp_durability;
MP_CHECK mp_err mp_blob_put(mp_blob *b, const char *key, mp_span data, mp_durability d,
                            mp_why *why);
/* Puts the content of fd, read from offset 0 (streamed: never whole in memory). *bytes may be NULL.
 */
MP_CHECK mp_err mp_blob_put_fd(mp_blob *b, const char *key, int fd, uint64_t *bytes, mp_why *why);
/* The same for a file without a name that nobody will write to again: where that can be, the file
 * itself becomes the object and nothing is copied. fd stays open. */
MP_CHECK mp_err mp_blob_give_fd(mp_blob *b, const char *key, int fd, uint64_t *bytes, mp_why *why);
/* Caller frees *out. MP_TOO_BIG above cap (0: no cap). */
MP_CHECK mp_err mp_blob_get(mp_blob *b, const char *key, size_t cap, uint8_t **out, size_t *n,
                            mp_why *why);
/* A read-only descriptor positioned at 0 (regular file or memfd); caller closes it. */
MP_CHECK mp_err mp_blob_open_fd(mp_blob *b, const char *key, int *fd, mp_why *why);
/* Durable; MP_NOT_FOUND when absent. */
MP_CHECK mp_err mp_blob_delete(mp_blob *b, const char *key, mp_why *why);
MP_CHECK mp_err mp_blob_stat(mp_blob *b, const char *key, uint64_t *bytes, mp_why *why);
/* Calls fn for every key that begins with prefix, in byte order; true stops. */
typedef bool (*mp_blob_fn)(void *context, const char *key, uint64_t bytes);
MP_CHECK mp_err mp_blob_list(mp_blob *b, const char *prefix, mp_blob_fn fn, void *context,
                             mp_why *why);
/* Removes temporary files that a crash left and that are older than an hour. */
MP_CHECK mp_err mp_blob_sweep(mp_blob *b, mp_why *why);

#endif
