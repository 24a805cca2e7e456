/* cache.h - what was computed once and may be asked for again: bounded, forgetful, never the truth.
 *
 * Keys and values are bytes. What does not fit pushes out what was asked for longest ago. Whoever
 * puts something makes the key say what it depends on (a model's weights, a number of changes), so
 * that nothing has to be taken out when that changes. Any thread. Back end: memory; another can
 * stand behind the same calls. */
#ifndef MP_CACHE_H
#define MP_CACHE_H

#include "base/base.h"

typedef struct mp_cache mp_cache; /* opaque */

/* max_bytes: of keys and values and what holds them, at least 4096. */
mp_cache *mp_cache_new(size_t max_bytes);
void mp_cache_free(mp_cache *c); /* NULL allowed */
/* True: the value is appended to `out`. */
bool mp_cache_get(mp_cache *c, mp_span key, mp_buf *out);
/* Replaces what is under the key. A value that is larger than a quarter of the cache is not kept.
 */
void mp_cache_put(mp_cache *c, mp_span key, mp_span value);

typedef struct mp_cache_stats {
    uint64_t hits, misses, evicted;
    size_t entries, bytes;
} mp_cache_stats;
mp_cache_stats mp_cache_stats_get(mp_cache *c);

#endif
