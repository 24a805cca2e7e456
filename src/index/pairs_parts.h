/* pairs_parts.h - the inside of pairs.h, shared by the files pairs*.c alone.
 *
 * "Distinct number": position among the distinct rows in the caller's order. "Place": position in
 * the working order. All arrays of a run are by place unless they say otherwise.
 *
 * Threads: between phases one thread; within mp_pairs_each a task writes what belongs to its
 * blocks, and the neighbours of a block under the block's lock. */
#ifndef MP_PAIRS_PARTS_H
#define MP_PAIRS_PARTS_H

#include "index/basis.h"
#include "index/pairs.h"

#include "base/os.h"
#include "simd/distance.h"
#include "simd/pairs8.h"

#include <pthread.h>

/* Two blocks of codes along 64 to 128 directions lie in the second-level cache together, and the
 * pairs of two blocks are work for 20 to 150 microseconds. */
enum { PAIRS_BLOCK = 256, PAIRS_CHUNK = 64, PAIRS_MOST_LEADING = 192, PAIRS_MOST_CENTRES = 1024 };
enum { PAIRS_MOST_THREADS = 64 };

typedef struct near_row { /* a heap of these has the worst on top */
    float score;
    uint32_t at; /* distinct number: ties go to the lower */
} near_row;

typedef struct fine_code {
    float scale, error;
    int32_t shift;
} fine_code;

typedef struct pairs_scratch { /* of one thread */
    uint32_t *found, *by_row;  /* PAIRS_BLOCK^2 + MP_PAIRS8_SPARE */
    int32_t row_least[PAIRS_BLOCK], column_least[PAIRS_BLOCK];
    int8_t *query; /* fine_bytes */
    float *rows;   /* PAIRS_CHUNK x dims */
    float *images; /* PAIRS_CHUNK x PAIRS_MOST_LEADING */
    float *scores; /* PAIRS_CHUNK x PAIRS_MOST_CENTRES */
    int8_t *code;  /* one row's coarse codes */
    mp_neighbour *members;
} pairs_scratch;

typedef struct pairs_run {
    const mp_pairs_input *in;
    size_t n, dims, k; /* n: distinct rows; k: at most n - 1 */
    const float **row;
    uint32_t *at; /* the distinct number of a place */
    int threads;
    size_t work_done, work_total; /* tasks, for progress */
    pairs_scratch *scratch;       /* one per thread */
    const mp_distance_kernels *distance;
    const mp_dense_kernels *dense;
    const mp_pairs8_kernels *pairs8;

    float *sign;   /* dims: -1 or 1 */
    bool uneven;   /* some coordinates are much larger than others: they are turned */
    uint8_t *fine; /* n x fine_bytes: codes + 128 */
    fine_code *fine_how;
    size_t fine_bytes;

    uint8_t *coarse_row;     /* n x depth */
    int8_t *coarse_column;   /* panels */
    int32_t *slack, *sum;    /* n, padded to whole panels */
    size_t depth;            /* bytes */
    size_t leading;          /* directions; 0: all coordinates are coded */
    float scale;             /* of all coarse codes */
    const float *directions; /* leading x dims, packed for mp_dense */

    near_row *best; /* n x k */
    uint32_t *n_best;
    float *worst;          /* what another row must reach to be of use; -2 before there are k */
    int32_t *least;        /* the same in the units of coarse sums */
    pthread_mutex_t *lock; /* one per block: best to least */
} pairs_run;

static inline size_t pairs_blocks(const pairs_run *p)
{
    return (p->n + PAIRS_BLOCK - 1) / PAIRS_BLOCK;
}
static inline size_t pairs_block_rows(const pairs_run *p, size_t block)
{
    return MP_MIN(p->n - block * PAIRS_BLOCK, (size_t)PAIRS_BLOCK);
}
/* ---- pairs_work.c: tasks 0..n-1 on all threads; CANCELLED when progress says so ---- */
typedef void (*pairs_task_fn)(pairs_run *p, size_t task, pairs_scratch *s, void *context);
MP_CHECK mp_err mp_pairs_each(pairs_run *p, size_t n, pairs_task_fn fn, void *context, mp_why *why);

/* ---- pairs_same.c ---- */
typedef struct pairs_same {
    uint32_t *number; /* of each of the caller's rows: its distinct number */
    uint32_t *first;  /* n_distinct + 1: where the members of a distinct row begin in `member` */
    uint32_t *member; /* the caller's rows by distinct number, rising */
    size_t n_distinct;
} pairs_same;
/* INVALID: a row is not of length 1. */
MP_CHECK mp_err mp_pairs_find_same(pairs_run *p, pairs_same *out, mp_why *why);
void mp_pairs_free_same(pairs_same *s);
/* From neighbours of distinct rows (sorted, best first; by distinct number) to those of one row. */
size_t mp_pairs_expand(const mp_pairs_input *in, const pairs_same *s, size_t row,
                       const near_row *best, size_t n_best, float self, mp_neighbour *room,
                       mp_neighbour *out);

/* ---- pairs_order.c: fills at and row ---- */
MP_CHECK mp_err mp_pairs_order(pairs_run *p, const mp_basis *b, mp_why *why);

/* ---- pairs_code.c ---- */
MP_CHECK mp_err mp_pairs_code_fine(pairs_run *p, mp_why *why);
/* Along p->leading directions, or all coordinates. */
MP_CHECK mp_err mp_pairs_code_coarse(pairs_run *p, mp_why *why);

/* ---- pairs_depth.c: the cheapest number of leading directions; 0: all coordinates ---- */
MP_CHECK mp_err mp_pairs_choose_depth(const pairs_run *p, const mp_basis *b, size_t *leading,
                                      mp_why *why);

/* ---- pairs_tile.c ---- */
MP_CHECK mp_err mp_pairs_within_blocks(pairs_run *p, mp_why *why);
/* Tasks from..to (to not included) of blocks * (blocks - 1) / 2, close blocks first. */
MP_CHECK mp_err mp_pairs_between_blocks(pairs_run *p, size_t from, size_t to, mp_why *why);
/* Best first. */
void mp_pairs_sort(near_row *best, size_t n);

#endif
