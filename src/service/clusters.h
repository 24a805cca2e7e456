/* clusters.h - groups of duplicates that are kept: as bytes from which any group can be read
 * without the others, in memory between two pages of an answer or in a file that a job made.
 *
 *   head     magic, groups, bytes saved, kind, threshold, seconds, length, checksum of head and
 * table table    where each group's record begins, and where the last one ends records  how many
 * members, the weakest link, bytes saved, checksum; the members
 *
 * Integers are those of this machine, which alone reads them. What has another shape or another
 * checksum is CORRUPT. A list is read only: any thread. */
#ifndef MP_SERVICE_CLUSTERS_H
#define MP_SERVICE_CLUSTERS_H

#include "magpie.h"

#include "base/base.h"

typedef struct mp_cluster_list {
    mp_span bytes; /* whose they are, the call that made the list says */
    size_t n;
    int64_t bytes_saved;
    magpie_dupe_kind kind;
    float threshold;
    double seconds;        /* that finding them took */
    uint64_t not_compared; /* pictures that could not be read */
} mp_cluster_list;

/* Appends the bytes of these groups. */
void mp_clusters_pack(const magpie_groups *groups, double seconds, mp_buf *out);
/* A list over bytes that stay the caller's. */
MP_CHECK mp_err mp_clusters_view(mp_span bytes, mp_cluster_list *out, mp_why *why);
/* Group i, in `arena`; paths and names of members are "". */
MP_CHECK mp_err mp_clusters_get(const mp_cluster_list *list, size_t i, mp_arena *arena,
                                magpie_group *out, mp_why *why);

/* Keeps the bytes as what a job found: <library>/clusters/<job>.groups, whole or absent. */
MP_CHECK mp_err mp_clusters_keep(magpie *library, int64_t job_id, mp_span bytes, mp_why *why);
/* NOT_FOUND: not there, not yet or not any more. Close it with mp_clusters_close. */
MP_CHECK mp_err mp_clusters_open(magpie *library, int64_t job_id, mp_cluster_list *out,
                                 mp_why *why);
void mp_clusters_close(mp_cluster_list *list); /* of mp_clusters_open; an empty one is fine */

#endif
