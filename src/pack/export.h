/* export.h - pictures of a library, with what is known of them, as one ZIP file.
 *
 *   manifest.json  manifest.csv  coco.json   those that were asked for
 *   images/<name>                            originals, as they were added
 *   thumbnails/<id>.webp
 *   vectors.npy  vectors_ids.npy             float32 (n, dims), int64 (n,)
 *
 * The file is streamed: in memory are one picture and the rows of a thousand, lists lie in unlinked
 * temporary files. What grows with the library is some 100 bytes for each file in the ZIP file: its
 * directory and the names taken. Any number of exports may run beside each other and beside
 * writers. Each picture is as it is when its turn comes. */
#ifndef MP_PACK_EXPORT_H
#define MP_PACK_EXPORT_H

#include "magpie.h"

#include "base/base.h"

/* Manifests, as bits. */
enum { MP_EXPORT_JSON = 1, MP_EXPORT_CSV = 2, MP_EXPORT_COCO = 4 };

typedef struct mp_export_options {
    const char *where;  /* a filter as in magpie_list; NULL: all */
    const int64_t *ids; /* instead of `where`: these pictures; NULL: not so */
    size_t n_ids;
    bool originals, thumbnails, vectors;
    unsigned manifests;             /* MP_EXPORT_JSON | ... */
    const char *title;              /* stands in the manifests; NULL: "" */
    const char *scratch;            /* folder for temporary files; NULL: /tmp */
    magpie_progress_fn on_progress; /* stage "export", after each picture; total 0: unknown */
    void *context;
} mp_export_options;

typedef struct mp_export_report {
    uint64_t images;  /* in the manifests */
    uint64_t skipped; /* their file is gone or changed, or there is no such id */
    uint64_t originals, thumbnails, vectors;
    uint64_t bytes; /* of the ZIP file */
    double elapsed_s;
} mp_export_report;

/* Writes from the descriptor's position on, and syncs it at the end; fd stays the caller's. A
 * picture whose file is gone or changed is listed in the manifest's `skipped` and fails nothing;
 * one that cannot be decoded has no thumbnail. report may be NULL; it also tells how far a failed
 * export came. After a failure what fd holds is no ZIP file. Errors: INVALID (nothing to export;
 * `where` and `ids` at once; filter), CANCELLED (by the callback), FULL, IO, BUSY (the library's
 * model was switched), NOMEM, NOT_FOUND (scratch). */
MP_CHECK mp_err mp_export_write(magpie *library, const mp_export_options *opt, int fd,
                                mp_export_report *report, mp_why *why);

#endif
