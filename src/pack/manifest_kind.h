/* manifest_kind.h - what a kind of manifest supplies; for manifest*.c alone.
 *
 * A manifest is text[0], list[0], text[1], list[1], text[2]: the lists grow with each picture, the
 * texts around them are made at the end. */
#ifndef MP_PACK_MANIFEST_KIND_H
#define MP_PACK_MANIFEST_KIND_H

#include "pack/manifest.h"
#include "pack/spool.h"

#include <jansson.h>

enum { MP_MANIFEST_LISTS = 2, MP_MANIFEST_TEXTS = MP_MANIFEST_LISTS + 1 };

typedef struct mp_manifest_kind {
    const char *entry; /* in the ZIP file */
    /* Appends to out[i] what goes into list i. */
    mp_err (*row)(mp_manifest *m, const mp_manifest_row *row, mp_buf *out, mp_why *why);
    void (*skip)(mp_manifest *m, int64_t id, const char *reason, mp_buf *out); /* or NULL */
    mp_err (*frame)(mp_manifest *m, mp_buf *text, mp_why *why);
    void (*free)(mp_manifest *m); /* what is in `own`; or NULL */
} mp_manifest_kind;

struct mp_manifest {
    const mp_manifest_kind *kind;
    const mp_manifest_head *head;
    mp_pack_spool *list[MP_MANIFEST_LISTS];
    uint64_t listed[MP_MANIFEST_LISTS]; /* counted by mp_manifest_put */
    mp_buf buf[MP_MANIFEST_LISTS];      /* a row's, kept for the next one */
    void *own;
};

extern const mp_manifest_kind mp_manifest_json, mp_manifest_csv, mp_manifest_coco;

/* Appends an object as one element of a JSON list, with a comma where it is not the first; takes
 * the reference. */
void mp_manifest_put(mp_manifest *m, size_t list, json_t *object, mp_buf *out);
/* Appends an object without its closing brace, so that more can follow; takes the reference. */
void mp_manifest_open_object(json_t *object, mp_buf *out);
/* A JSON string of any bytes; null for NULL. */
json_t *mp_manifest_text(const char *s);

#endif
