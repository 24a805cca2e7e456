/* spool.h - bodies that are taken in as they arrive: files go to nameless files in the library's
 * folder, so that memory stays small and a crash leaves nothing. Inside the http room.
 *
 * multipart/form-data (RFC 7578) gives a part per file and field; any other type is one file with
 * the field name "". Runs on the epoll thread: it writes to the page cache and does not sync. */
#ifndef MP_HTTP_SPOOL_H
#define MP_HTTP_SPOOL_H

#include "http/message.h"

typedef struct mp_spool mp_spool; /* opaque */

enum { MP_SPOOL_FILES = 200, MP_SPOOL_FIELDS = 64, MP_SPOOL_FIELD_BYTES = 64 * 1024 };

/* Takes the parts of r's body. NULL with the reply made: no disk (507, 503), a malformed type
 * (400). max_file: the bytes that one file may have. */
mp_spool *mp_spool_new(mp_request *r, const char *dir, uint64_t max_file);
/* False with the reply made: 413, 400, 507. */
bool mp_spool_add(mp_spool *s, const char *data, size_t n);
/* The body is complete: fills r->parts. False with the reply made. */
bool mp_spool_end(mp_spool *s);
/* Closes all files. NULL allowed. */
void mp_spool_free(mp_spool *s);

#endif
