/* dedup_hash.h - pairs of near pHashes without looking at all pairs. Inside the dedup files. */
#ifndef MP_DEDUP_HASH_H
#define MP_DEDUP_HASH_H

#include "core/dedup.h"

typedef struct mp_pair_list {
    mp_pair *pair;
    size_t n, cap;
} mp_pair_list;
/* False when memory is short. */
MP_CHECK bool mp_pair_add(mp_pair_list *list, size_t a, size_t b, float score);
/* Sorted, each pair once with its best score. */
void mp_pair_unique(mp_pair_list *list);

/* Adds every pair (i, j) for which the identity hash of i and any symmetry of j are within `radius`
 * bits. Multi-index hashing: the 64 bits are cut into 8 parts; within radius r < 16 at least one part
 * differs in at most one bit. A part's bucket with more than BUCKET_MAX entries (blank pictures) is
 * looked at for its first BUCKET_MAX only. */
MP_CHECK mp_err mp_hash_pairs(const uint64_t (*phash)[8], size_t n, int radius, mp_pair_list *out,
                              mp_why *why);

#endif
