/* index.h - nearest neighbours by cosine over labelled vectors.
 *
 * A label is the item's id (int64, positive); a label has at most one vector. Equal vectors (bit
 * for bit after normalisation) are stored once and share a node. Always rebuildable from the
 * database, so a snapshot is a cache: magic, version, parameters, checksum; anything off gives
 * MP_CORRUPT and the caller rebuilds. Port: back ends `hnsw` (Malkov & Yashunin, arXiv 1603.09320)
 * and `exact`.
 *
 * Threads: any number of searches run beside each other and beside one another's inserts; add,
 * remove and save may be called from any thread. */
#ifndef MP_INDEX_H
#define MP_INDEX_H

#include "base/base.h"

typedef struct mp_index mp_index; /* opaque */

/* How the vectors themselves are kept. As f16 they are rounded (2^-11 of a coordinate) on their way
 * in: those are then the index's vectors, by which it scores and which it gives back. Vectors of
 * less than 64 dimensions stay f32. */
typedef enum mp_index_storage { MP_INDEX_F32, MP_INDEX_F16 } mp_index_storage;

typedef struct mp_index_options {
    int dims;
    int m;               /* 0: 16; edges per node on upper layers, 2m on layer 0 */
    int ef_construction; /* 0: 100 */
    int ef_search;       /* 0: the default that holds the recall floor */
    int threads;         /* for mp_index_add_many; 0: all */
    uint64_t seed;
    uint64_t tag; /* written into snapshots and compared on load: model and space identity */
    mp_index_storage storage;
    /* A folder for a file without a name that keeps the vectors, so that they need not fill memory;
     * it goes with the index or the process. NULL, or one that may not be written: memory. When the
     * disk is full, what adds vectors gives MP_FULL, and what was there stays. Copied. */
    const char *folder;
} mp_index_options;

typedef struct mp_neighbour {
    int64_t label;
    float score; /* cosine */
} mp_neighbour;
/* For qsort, the order of all answers: by falling score, ties by rising label. */
int mp_by_score_then_label(const void *a, const void *b);

/* Which labels may be returned: a sorted array of distinct labels. */
typedef struct mp_label_set {
    const int64_t *label;
    size_t n;
} mp_label_set;

typedef struct mp_search_options {
    size_t k;
    int ef;                    /* 0: default; raised to k when smaller */
    const mp_label_set *allow; /* NULL: all. Below a threshold of |allow| the scan is exact */
    bool exact;
} mp_search_options;

/* kind: "hnsw" or "exact". Caller closes. */
MP_CHECK mp_err mp_index_open(mp_index **out, const char *kind, const mp_index_options *opt,
                              mp_why *why);
void mp_index_close(mp_index *ix); /* NULL allowed; no call may be under way */

/* Adds or replaces n vectors (n x dims floats; normalised inside; a zero or non-finite vector is
 * MP_INVALID and nothing of the call is added). Built in parallel when n is large. progress (may
 * be NULL) returns true to stop: MP_CANCELLED, what was added stays. */
typedef bool (*mp_index_progress_fn)(void *context, size_t done, size_t total);
MP_CHECK mp_err mp_index_add_many(mp_index *ix, const int64_t *labels, const float *vectors,
                                  size_t n, mp_index_progress_fn progress, void *context,
                                  mp_why *why);
/* MP_NOT_FOUND when the label has no vector. */
MP_CHECK mp_err mp_index_remove(mp_index *ix, int64_t label, mp_why *why);
bool mp_index_has(const mp_index *ix, int64_t label);
const char *mp_index_kind(const mp_index *ix);      /* "hnsw" or "exact"; static */
size_t mp_index_count(const mp_index *ix);          /* labels */
size_t mp_index_count_distinct(const mp_index *ix); /* stored vectors in use */

typedef struct mp_index_bytes {
    size_t heap;   /* memory of the process: codes, links, labels, tables, marks */
    size_t mapped; /* vectors in the file, whose pages the kernel may drop */
} mp_index_bytes;
mp_index_bytes mp_index_memory(const mp_index *ix);

/* Up to opt->k neighbours of `query` (dims floats, any length > 0) into out (room for k, or for all
 * labels where those are fewer), by falling score, ties by rising label. *n: how many. INVALID: the
 * query is zero or not finite. */
MP_CHECK mp_err mp_index_search(const mp_index *ix, const float *query,
                                const mp_search_options *opt, mp_neighbour *out, size_t *n,
                                mp_why *why);
/* k neighbours of each label given (itself left out): out has n x k entries, unused ones have label
 * 0. In parallel. For duplicate graphs, odd ones and layouts. */
MP_CHECK mp_err mp_index_knn(const mp_index *ix, const int64_t *labels, size_t n, size_t k,
                             mp_neighbour *out, mp_index_progress_fn progress, void *context,
                             mp_why *why);
/* Copies a label's normalised vector (dims floats). MP_NOT_FOUND. */
MP_CHECK mp_err mp_index_get(const mp_index *ix, int64_t label, float *out, mp_why *why);

/* Atomic and durable file write; consistent cut of the index. stamp: the caller's generation,
 * given back by load. */
MP_CHECK mp_err mp_index_save(const mp_index *ix, const char *path, uint64_t stamp, mp_why *why);
/* Replaces the content by a snapshot. MP_NOT_FOUND, MP_CORRUPT (damaged, other version, other
 * parameters or tag): the index is then empty. Sizes are validated before allocating. */
MP_CHECK mp_err mp_index_load(mp_index *ix, const char *path, uint64_t *stamp, mp_why *why);

#endif
