/* spool.h - lists that grow longer than memory should: unlinked temporary files.
 *
 * Nothing is left behind, however the process ends. A spool belongs to one thread at a time. */
#ifndef MP_PACK_SPOOL_H
#define MP_PACK_SPOOL_H

#include "base/base.h"
#include "pack/tick.h"
#include "pack/zip_write.h"

typedef struct mp_pack_spool mp_pack_spool; /* opaque */

/* *out: mp_pack_spool_close. */
MP_CHECK mp_err mp_pack_spool_open(mp_pack_spool **out, const char *dir, mp_why *why);
void mp_pack_spool_close(mp_pack_spool *s); /* NULL allowed */
/* Errors: FULL, IO. */
MP_CHECK mp_err mp_pack_spool_add(mp_pack_spool *s, const void *data, size_t n, mp_why *why);
uint64_t mp_pack_spool_bytes(const mp_pack_spool *s); /* added so far; 0 for NULL */
/* Reads n bytes from `at` on; all of them must have been added. */
MP_CHECK mp_err mp_pack_spool_read(mp_pack_spool *s, uint64_t at, void *out, size_t n, mp_why *why);
/* Writes all of it into the entry that was begun. Errors: of the writer, CANCELLED. */
MP_CHECK mp_err mp_pack_spool_send(mp_pack_spool *s, mp_zip_writer *z, mp_pack_tick *tick,
                                   mp_why *why);

#endif
