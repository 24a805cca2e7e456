/* dedup.h - which pictures are copies of each other: the algorithm, apart from storage.
 *
 * Same picture: candidates from (a) a multi-index hash table over the eight pHashes (Norouzi et
 * al., 2012, arXiv 1307.2982) and (b) the kNN graph of COPY vectors, each verified by registering
 * the two pictures at low resolution. Similar: the kNN graph of LOOK vectors alone. Groups are
 * average-linkage over the sparse graph of accepted pairs, cannot-links respected, so that
 * unrelated pictures never chain. Pure computation; progress is polled. */
#ifndef MP_DEDUP_H
#define MP_DEDUP_H

#include "image/image.h"
#include "index/index.h"

typedef enum mp_relation_kind {
    MP_SAME_EXACT,   /* same pixels within coding noise */
    MP_SAME_RECODED, /* re-encoded, resized, colours, blur, noise */
    MP_SAME_TURNED,  /* one of the eight symmetries */
    MP_SAME_CROPPED, /* one shows a part of the other */
    MP_SAME_FRAMED,  /* caption, border or watermark added */
    MP_SAME_TILTED,  /* turned by a few degrees */
    MP_ALIKE         /* by vector only */
} mp_relation_kind;

const char *mp_relation_word(mp_relation_kind kind); /* "recoded"; of MP_ALIKE "" */

typedef struct mp_pair {
    size_t a, b; /* positions in the input, a < b */
    float score; /* 0..1; at least the threshold */
    mp_relation_kind kind;
    float added; /* MP_SAME_FRAMED: the share of b's area (> 0) or, negated, of a's (< 0) that is a
                    frame or bar the other lacks; 0: none, or not known */
} mp_pair;

/* Small picture of position i for the verification: aspect kept, long side 256 at most.
 * Called from several threads at once; the caller frees *out. An error leaves that pair out. */
typedef mp_err (*mp_small_fn)(void *context, size_t i, mp_image *out);

typedef struct mp_dedup_input {
    size_t n;
    const uint64_t (*phash)[8];
    const mp_neighbour *copy_knn; /* n x copy_k, labels are positions + 1, 0 unused; NULL: none */
    size_t copy_k;
    mp_small_fn small;
    void *small_context;
    const mp_pair *same, *different; /* verdicts; score and kind unused */
    size_t n_same, n_different;
    float threshold; /* 0: default */
    int threads;
    bool (*stop)(void *context, size_t done, size_t total); /* NULL allowed */
    void *stop_context;
} mp_dedup_input;

/* Accepted pairs of "same picture". *out: caller frees. */
MP_CHECK mp_err mp_dedup_same(const mp_dedup_input *in, mp_pair **out, size_t *n, mp_why *why);

/* How two small pictures relate: the verification alone. Returns the score 0..1 (NCC-like after
 * registration), kind in *kind. */
float mp_dedup_compare(const mp_image *a, const mp_image *b, mp_relation_kind *kind);

/* Average-linkage clusters of the sparse graph `pairs` over n positions: pairs absent count as
 * score 0 within a merge, cannot-links forbid one, must-links force one. group[i] becomes the
 * group's number (0..), or SIZE_MAX for singles; weakest[g] the least link kept (see .c). */
typedef struct mp_grouping {
    size_t *group; /* n */
    size_t n_groups;
    mp_pair *weakest; /* n_groups */
} mp_grouping;
MP_CHECK mp_err mp_dedup_group(const mp_pair *pairs, size_t n_pairs, size_t n, const mp_pair *must,
                               size_t n_must, const mp_pair *cannot, size_t n_cannot,
                               float threshold, mp_grouping *out, mp_why *why);
void mp_grouping_free(mp_grouping *g);

/* Default of mp_dedup_input.threshold and of the grouping of "same picture". */
extern const float mp_dedup_threshold;

/* Which member of a group to keep: present before missing, then pixels (of the picture itself,
 * without what was added), then the one nothing was added to, then colour, then format (lossless
 * first), then bytes, then quality, then the oldest. */
typedef struct mp_keep_candidate {
    int64_t id;
    int32_t width, height;
    int64_t bytes;
    const char *format;
    float sharpness;
    uint32_t issues;
    int64_t taken_ms, mtime_ms;
    float added; /* share of its area that is a frame or bar which another member lacks */
    bool dull;   /* lost the colours that another member has */
    bool missing;
} mp_keep_candidate;
/* Position of the one to keep (n >= 1); the deciding reason in words goes to `reason`. */
size_t mp_dedup_keep(const mp_keep_candidate *c, size_t n, char *reason, size_t cap);

#endif
