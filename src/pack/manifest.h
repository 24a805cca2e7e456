/* manifest.h - the list of the pictures in an export, as JSON, CSV or COCO.
 *
 * Rows are spooled to temporary files as the pictures go by and become one entry of the ZIP file at
 * the end, when it is known how many there are: a million of them take no more memory than one.
 * A manifest belongs to one thread at a time. */
#ifndef MP_PACK_MANIFEST_H
#define MP_PACK_MANIFEST_H

#include "magpie.h"

#include "base/base.h"
#include "pack/tick.h"
#include "pack/zip_write.h"

typedef struct mp_manifest mp_manifest; /* opaque; manifest_kind.h */

/* The kinds, as bits. */
enum { MP_MANIFEST_JSON = 1, MP_MANIFEST_CSV = 2, MP_MANIFEST_COCO = 4, MP_MANIFEST_ALL = 7 };

typedef struct mp_manifest_head {
    const char *title, *model; /* not copied */
    const char *scratch;       /* folder for temporary files */
    int64_t at_ms;
} mp_manifest_head;

typedef struct mp_manifest_row {
    const magpie_item *item;
    const char *file;      /* path in the ZIP file; NULL: the picture is not in it */
    const char *safe_name; /* its name made safe and unlike all others */
    const char *thumbnail; /* path in the ZIP file, or NULL */
} mp_manifest_row;

/* One manifest of one kind. head must outlive it. *out: mp_manifest_free. Errors: of a spool. */
MP_CHECK mp_err mp_manifest_open(mp_manifest **out, unsigned kind, const mp_manifest_head *head,
                                 mp_why *why);
MP_CHECK mp_err mp_manifest_add(mp_manifest *m, const mp_manifest_row *row, mp_why *why);
/* Notes that a picture is left out, and why (words for a person). */
MP_CHECK mp_err mp_manifest_skip(mp_manifest *m, int64_t id, const char *reason, mp_why *why);
/* Appends it to the ZIP file. Errors: of the writer, CANCELLED. */
MP_CHECK mp_err mp_manifest_write(mp_manifest *m, mp_zip_writer *z, mp_pack_tick *tick,
                                  mp_why *why);
void mp_manifest_free(mp_manifest *m); /* NULL allowed */

#endif
