/* zip_write.h - one ZIP file, streamed into a descriptor.
 *
 * Bytes are only ever appended, so a pipe does as well as a file. Names are UTF-8 and flagged so;
 * ZIP64 is used where a size or a number needs it. Held in memory: one block, and some 80 bytes
 * for each entry, which the ZIP format puts at the end. A writer belongs to one thread at a time.
 */
#ifndef MP_PACK_ZIP_WRITE_H
#define MP_PACK_ZIP_WRITE_H

#include "base/base.h"

typedef struct mp_zip_writer mp_zip_writer; /* opaque */

typedef struct mp_zip_entry {
    const char *name; /* valid UTF-8, with / between folders */
    uint64_t bytes;   /* exactly so many follow */
    int64_t mtime_ms;
    bool deflate; /* else stored as it is */
} mp_zip_entry;

/* fd stays the caller's. *out: mp_zip_free. */
MP_CHECK mp_err mp_zip_open(mp_zip_writer **out, int fd, mp_why *why);
/* Begins an entry; the one before it must be complete. Errors of these three: FULL (also a limit on
 * the file's size), IO. After one of them the file is no ZIP file. */
MP_CHECK mp_err mp_zip_begin(mp_zip_writer *z, const mp_zip_entry *entry, mp_why *why);
MP_CHECK mp_err mp_zip_data(mp_zip_writer *z, const void *data, size_t n, mp_why *why);
/* Writes the directory and makes all of it durable (fsync, where fd can be synced). */
MP_CHECK mp_err mp_zip_finish(mp_zip_writer *z, mp_why *why);
uint64_t mp_zip_bytes(const mp_zip_writer *z); /* written to fd so far */
/* Without mp_zip_finish nothing more is written. NULL allowed. */
void mp_zip_free(mp_zip_writer *z);

#endif
