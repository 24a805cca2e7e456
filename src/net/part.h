/* part.h - the part of a file that has come so far: FILE.part, and beside it FILE.part.of, which
 * says in three lines what it is a part of: the URL, what the server called that version (for
 * If-Range; may be empty), the SHA-256 that the whole must have (may be empty). Inside the room
 * only.
 *
 * The note is durable before the first byte it speaks for, so whenever the process dies, what lies
 * there is a beginning of what the note says, or else (a crash of the machine) is found out by the
 * SHA-256 of the whole. */
#ifndef MP_NET_PART_H
#define MP_NET_PART_H

#include "net/net.h"

#include "base/sha256.h"

#include <limits.h>

enum { MP_PART_VERSION = 256 };

typedef struct mp_part {
    char path[PATH_MAX], note[PATH_MAX];
    char version[MP_PART_VERSION]; /* of what the URL gives; "": not known */
    int fd;
    int64_t bytes; /* that are there; all of them are in `hash` */
    bool kept;     /* under the file's own name */
    mp_sha256 hash;
    const mp_net_stop *stop;
} mp_part;

/* Goes on with a part of the same whole, else begins an empty one. `sha256`: of the whole, "" where
 * not known; without it and without a version nothing can be gone on with. Released by
 * mp_part_close in either case. Errors: TOO_BIG (path), IO, FULL, CANCELLED, NOT_FOUND (folder). */
MP_CHECK mp_err mp_part_open(mp_part *p, const char *file, const char *url, const char *sha256,
                             const mp_net_stop *stop, mp_why *why);
/* From the beginning, as a part of this. */
MP_CHECK mp_err mp_part_begin(mp_part *p, const char *url, const char *version, const char *sha256,
                              mp_why *why);
/* Errors: FULL, IO; what came before stays. */
MP_CHECK mp_err mp_part_add(mp_part *p, const void *data, size_t n, mp_why *why);
/* It is whole: durable, and under the file's own name. */
MP_CHECK mp_err mp_part_keep(mp_part *p, const char *file, mp_why *why);
void mp_part_drop(mp_part *p);  /* and what it was a part of */
void mp_part_close(mp_part *p); /* what came stays there, if anything did */

#endif
