/* pairs.h - the nearest neighbours of all rows among each other, exactly: what duplicates, odd ones
 * and the map start from.
 *
 * Every pair of rows is looked at once, and its score serves both. Nearly all are ruled out cheaply
 * and surely; what is left is scored in f32, so that the answer is that of the plain double loop:
 * each step keeps a pair unless an upper bound of its cosine lies below what both rows already
 * have.
 *
 *   1. Rows that are bit for bit the same count as one.
 *   2. Rows are put in an order in which neighbours are close: by the nearest of some centres, in
 *      the space of the leading directions of a sample.
 *   3. Blocks of rows are compared within themselves; from then on each row has k neighbours, most
 *      of them good, and the worst of them is the least that another must reach.
 *   4. Each row is coded to 8 bits along `d` leading directions; what it has besides counts by its
 *      length (Cauchy and Schwarz), and is one more coordinate of the code. Blocks are multiplied
 * by simd/pairs8.h. `d` is what a sample says is cheapest; where the leading directions rule out
 *      too little, as in noise, all coordinates are coded.
 *   5. What passes is scored by finer codes with the bound of their error, then by the rows.
 *
 * Memory: two bytes per coordinate and row at most, k neighbours per row, tiles per thread. The
 * rows are read where they lie, and may be mapped. The answer does not depend on the number of
 * threads.
 */
#ifndef MP_PAIRS_H
#define MP_PAIRS_H

#include "index/index.h"

enum { MP_PAIRS_MOST_DIMS = 8192 };

typedef struct mp_pairs_input {
    const float *const *row; /* n rows of `dims` floats, each of length 1 (within 0.001) */
    const int64_t *label;    /* n, rising, positive; NULL: position + 1 */
    size_t n, dims, k;
    int threads;                   /* 0: all */
    mp_index_progress_fn progress; /* may be NULL; called from the calling thread */
    void *context;
} mp_pairs_input;

/* The k nearest of each row, itself left out, by falling score, ties by rising label: out has n x k
 * entries, unused ones have label 0. Errors: INVALID (a row that is not of length 1, or not
 * finite), NOMEM, CANCELLED. */
MP_CHECK mp_err mp_pairs_nearest(const mp_pairs_input *in, mp_neighbour *out, mp_why *why);

/* Exact pairs cost n^2, a graph's searches a little more than n. With 100,000 rows of 512 numbers
 * and 10 neighbours (bench_pairs; two cores with VNNI, busy with other work) pairs took 6.5 s
 * (clusters) and 15.6 s (falling), the graph's searches 30 and 21 s: they meet somewhere above, and
 * what grows with n^2 ends here. */
enum { MP_PAIRS_MOST = 100000 };
/* Where the graph has to be built first. `bench_odd --steps`: the pairs of 249,000 clustered rows
 * take 9.9 s, 251,000 rows by a graph 30 s; rows spread over more directions take pairs several
 * times as long (bench_pairs), a graph hardly longer, and pairs grow with n^2. */
enum { MP_PAIRS_MOST_ALONE = 250000 };
/* The same up to `exact_up_to` rows (0: MP_PAIRS_MOST_ALONE); above, by a graph of the rows that is
 * built for it: of the nearest nearly all are found (0.99 and more), at exact scores. Errors: also
 * those of an index. */
MP_CHECK mp_err mp_pairs_nearly(const mp_pairs_input *in, size_t exact_up_to, mp_neighbour *out,
                                mp_why *why);

/* Whether mp_index_all_pairs is cheaper for n of an index's labels than mp_index_knn, and the
 * memory for a copy of their vectors is within bounds. */
bool mp_pairs_pays(const mp_index *ix, size_t n);
/* The k nearest of each label among the labels given (rising), as mp_pairs_nearest has them. A
 * label without a vector has no neighbours and is none. Works on a copy: the index may change
 * meanwhile. Errors: INVALID (labels that do not rise), NOMEM, CANCELLED. */
MP_CHECK mp_err mp_index_all_pairs(const mp_index *ix, const int64_t *labels, size_t n, size_t k,
                                   mp_neighbour *out, mp_index_progress_fn progress, void *context,
                                   mp_why *why);

#endif
