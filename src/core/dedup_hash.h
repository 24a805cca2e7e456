/* dedup_hash.h - all pairs of pictures whose pHashes are near under one of the eight symmetries. */
#ifndef MP_DEDUP_HASH_H
#define MP_DEDUP_HASH_H

#include "core/dedup_parallel.h"

typedef struct mp_dedup_near {
    uint32_t a, b;          /* positions, a < b */
    uint8_t distance, turn; /* a turned by `turn` (order of mp_phash8) is at `distance` from b */
} mp_dedup_near;

enum { MP_DEDUP_MAX_RADIUS = 15 };

typedef struct mp_dedup_hash_input {
    const uint64_t (*phash)[8];
    size_t n;   /* below 2^32 */
    int radius; /* 0 to MP_DEDUP_MAX_RADIUS */
    int workers;
    bool (*stop)(void *context, size_t done, size_t total);
    void *stop_context;
} mp_dedup_hash_input;

/* Sorted by (a, b), each pair once with its least distance. Complete unless a picture has more
 * than a cap of neighbours, see dedup_hash.c. *out: caller frees. Errors: INVALID, NOMEM,
 * CANCELLED. */
MP_CHECK mp_err mp_dedup_hash_pairs(const mp_dedup_hash_input *in, mp_dedup_near **out, size_t *n,
                                    mp_why *why);

#endif
