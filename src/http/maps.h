/* maps.h - maps of pictures that are being made and that were made: each is made once, however many
 * ask for it, and kept until it is not wanted for long. Inside the http room.
 *
 * A map goes by a key that says all it depends on. Any thread. */
#ifndef MP_HTTP_MAPS_H
#define MP_HTTP_MAPS_H

#include "http/work.h"
#include "magpie.h"

#include <stdatomic.h>

typedef struct mp_maps mp_maps; /* opaque */

/* Counted: mp_map_release. */
typedef struct mp_map {
    magpie_point *points; /* by rising id */
    size_t n;
} mp_map;

typedef struct mp_map_news {
    char stage[16]; /* "": it has not begun */
    uint64_t done, total;
    double elapsed_s;
} mp_map_news;

/* `stop` becomes true when the service ends: maps that are being made are given up then. */
mp_maps *mp_maps_new(magpie *library, const _Atomic bool *stop);
void mp_maps_free(mp_maps *m); /* after the workers have ended. NULL allowed */

/* The map, made in this thread when nobody has yet, or waited for. opt's progress counts for
 * nothing. *out: mp_map_release. Errors: those of magpie_map. */
MP_CHECK magpie_err mp_maps_get(mp_maps *m, const char *key, const magpie_map_options *opt,
                                const mp_map **out, magpie_why *why);
/* The map when it is there; else (MAGPIE_OK, *out NULL) it is being made on a worker, and *news
 * tells how far it is. An error is told once; then it is tried again. BUSY: too much work waits. */
MP_CHECK magpie_err mp_maps_ask(mp_maps *m, mp_work *work, const char *key,
                                const magpie_map_options *opt, const mp_map **out,
                                mp_map_news *news, magpie_why *why);
void mp_map_release(mp_maps *m, const mp_map *map); /* NULL allowed */

#endif
