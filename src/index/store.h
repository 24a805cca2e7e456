/* store.h - the inside of an index: vectors, labels and links. Shared by this room's files alone.
 *
 * Beside each vector lies its 8-bit code (simd/distance.h): a quarter of the bytes, and memory is
 * what a search waits for. The graph is built and walked by codes; what comes out is scored again
 * by the vectors themselves. A scan leaves out only what the code's error bound rules out, so it
 * stays exact. Short vectors have no codes. The vectors themselves, read for a few results only,
 * may lie in a file without a name (region.h): its pages are the kernel's to drop.
 *
 * A *node* holds one distinct vector; labels with bit-equal vectors share it. What belongs to a
 * node lies in regions that grow and never move, each an array by node number, so a search may read
 * one node while others are added. A node is never freed while the index lives: without labels it
 * is a tombstone, which searches pass through but never return, and which comes back to life when
 * its vector is added again. When tombstones outnumber the living, the next add rebuilds.
 *
 * Locks, in the order in which they are taken:
 *   change   rwlock: read by all that adds or removes, written by load and save
 *   shape    rwlock: read by every search, insert and save, written by rebuild and load
 *   labels   rwlock: label table, vector table, labels of the nodes
 *   grow     mutex: count of nodes, sizes of the regions
 *   top      mutex: entry point and highest level (held through the insert of a higher node)
 *   stripe   mutexes: the links of the nodes with that number modulo STRIPES
 * Links are atomics: a search reads them without a lock and may see a list half old and half new,
 * every entry of which is a finished node. An entry is released after what it leads to. */
#ifndef MP_STORE_H
#define MP_STORE_H

#include "index/index.h"

#include "base/os.h"
#include "index/region.h"
#include "index/table.h"
#include "simd/distance.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STRIPES = 1024, MAX_LEVEL = 15, MAX_NODES = 1 << 26, MAX_LINKS = 128 };

/* A list of links has room for 2m (level 0) or m: node + 1 each, 0 behind the last one, so that
 * fresh memory is an empty list and a list of 2m = 32 fills two cache lines. */
typedef _Atomic uint32_t link_t;

typedef struct label_list { /* labels of a node, sorted; most have one */
    const int64_t *at;
    uint32_t n;
} label_list;

typedef struct coding { /* vector = scale * (code - 128) + something of length `error` */
    float scale, error;
    int32_t shift; /* 128 times the sum of the codes: what the offset of a row adds to a sum */
} coding;

typedef struct sketching { /* how rows are sketched: sketch.c */
    float *direction;      /* n x dims */
    size_t n;
    size_t bytes;    /* of a sketch; 0: there are none */
    float scale;     /* of all codes */
    float share;     /* a squared distance is at least so many times that along the directions */
    uint32_t fitted; /* nodes when that was found out; 0: it was not yet */
} sketching;

typedef struct near_node {
    float score;
    uint32_t node;
} near_node;
typedef struct heap { /* a binary heap of near_node; see graph_search.c for its two orders */
    near_node *at;
    size_t n, cap;
} heap;

typedef struct visited { /* what a search works with, kept between searches */
    uint8_t *mark;       /* per node: the epoch that saw it last */
    size_t cap;
    uint8_t epoch;
    heap open;
    struct visited *next;
} visited;

struct mp_index {
    mp_index_options opt;
    char *folder; /* of the file with the vectors; NULL: memory */
    bool graph;
    const mp_distance_kernels *kernels;
    size_t code_bytes; /* 0: too short to be coded */
    size_t row_bytes;  /* of a stored vector */
    bool half;         /* vectors are stored as f16 */
    uint32_t max_nodes;
    pthread_rwlock_t change, shape, labels;
    pthread_mutex_t grow, top, pool;
    pthread_mutex_t stripe[STRIPES];
    mp_region vectors, codes, codings, links;
    mp_region sketches;    /* sketch.bytes a node */
    sketching sketch;      /* changed with `shape` held for writing */
    uint32_t sketch_from;  /* nodes: fewer lie in the caches anyway */
    mp_region node_labels; /* int64: a label, 0 for none, or minus the address of a list */
    mp_region uppers;      /* uint32 per node: where its words begin in upper_links, 0: level 0 */
    mp_region upper_links; /* link_t: the level, then m links for each level from 1 */
    uint32_t n_upper;      /* words used of it; guarded by grow */
    _Atomic uint32_t n_nodes;
    _Atomic uint32_t n_dead; /* tombstones */
    mp_table by_label, by_vector;
    size_t n_labels;
    size_t list_bytes;      /* of lists of labels; guarded by labels */
    _Atomic uint32_t entry; /* NO_NODE: empty graph */
    _Atomic int top_level;
    visited *free_visited; /* guarded by pool */
};

/* ---- store.c ---- */

/* A vector as floats in place: f32 storage alone. mp_store_vector serves both. */
static inline const float *vector_of(const mp_index *ix, uint32_t node)
{
    return (const float *)(const void *)(ix->vectors.at + (size_t)node * ix->row_bytes);
}
static inline const uint16_t *half_vector_of(const mp_index *ix, uint32_t node)
{
    return (const uint16_t *)(const void *)(ix->vectors.at + (size_t)node * ix->row_bytes);
}
static inline const uint8_t *code_of(const mp_index *ix, uint32_t node)
{
    return ix->codes.at + (size_t)node * ix->code_bytes;
}
static inline coding coding_of(const mp_index *ix, uint32_t node)
{
    return ((const coding *)(const void *)ix->codings.at)[node];
}
static inline const uint8_t *sketch_of(const mp_index *ix, uint32_t node)
{
    return ix->sketches.at + (size_t)node * ix->sketch.bytes;
}
static inline link_t *upper_of(const mp_index *ix, uint32_t node) /* NULL: on level 0 alone */
{
    uint32_t at = ((const uint32_t *)(const void *)ix->uppers.at)[node];
    return at ? (link_t *)(void *)ix->upper_links.at + at : NULL;
}
static inline int level_of(const mp_index *ix, uint32_t node)
{
    link_t *words = upper_of(ix, node);
    return words ? (int)atomic_load_explicit(words, memory_order_relaxed) : 0;
}
static inline size_t links_at(const mp_index *ix, int level) /* how many a list has room for */
{
    return (size_t)(level == 0 ? 2 * ix->opt.m : ix->opt.m);
}
static inline link_t *links_of(const mp_index *ix, uint32_t node, int level)
{
    size_t m = (size_t)ix->opt.m;
    return level == 0 ? (link_t *)(void *)ix->links.at + (size_t)node * 2 * m
                      : upper_of(ix, node) + 1 + (size_t)(level - 1) * m;
}
/* The nodes of a list; out has room for links_at(). */
static inline size_t links_read(const mp_index *ix, uint32_t node, int level, uint32_t *out)
{
    const link_t *links = links_of(ix, node, level);
    size_t n = 0;
    for (size_t max = links_at(ix, level); n < max; n++) {
        uint32_t link = atomic_load_explicit(&links[n], memory_order_acquire);
        if (!link)
            break;
        out[n] = link - 1;
    }
    return n;
}

/* A vector as it will be stored. */
typedef struct row {
    const void *vector; /* row_bytes */
    const uint8_t *code;
    const uint8_t *sketch;
    coding how;
    uint32_t hash;
} row;
/* Bytes of the room that mp_store_make_row works in; the row points into it. */
size_t mp_store_row_room(const mp_index *ix);
row mp_store_make_row(const mp_index *ix, const float *unit, uint8_t *room);
/* A node's vector as floats: in place or in `room` (dims floats). */
const float *mp_store_vector(const mp_index *ix, uint32_t node, float *room);

/* What the offset of stored codes adds to a sum with these. */
static inline int32_t shift_of(const int8_t *code, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += code[i];
    return 128 * sum;
}
/* code + 128 as an unsigned byte becomes the code as a signed one. */
static inline void flip_code(const uint8_t *restrict from, size_t n, int8_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (int8_t)(from[i] ^ 0x80);
}
static inline void prefetch_lines(const void *at, size_t bytes)
{
    enum { LINE_BYTES = 64 };
    for (size_t i = 0; i < bytes; i += LINE_BYTES)
        __builtin_prefetch((const uint8_t *)at + i);
}

/* The code of a unit vector; code has room for ix->code_bytes. */
coding mp_code_vector(const mp_index *ix, const float *unit, int8_t *code);
/* A new node with this row and level; MP_NOMEM, MP_FULL. */
MP_CHECK mp_err mp_store_new_node(mp_index *ix, const row *r, int level, uint32_t *node,
                                  mp_why *why);
int mp_store_random_level(const mp_index *ix, uint32_t node);
MP_CHECK bool mp_store_reserve(mp_index *ix); /* once, before all else */
/* Frees all nodes and labels; `shape` must be held for writing. */
void mp_store_clear(mp_index *ix);
void mp_store_release(mp_index *ix);
/* Adds up the regions, tables and lists; `labels` is held for reading. */
void mp_store_measure(const mp_index *ix, mp_index_bytes *b);
/* Exchanges the nodes and labels of two indexes with the same options. */
void mp_store_swap(mp_index *a, mp_index *b);

/* ---- labels.c: all need `labels` held: reading for the first three, writing for the others ----
 */
label_list labels_of(const mp_index *ix, uint32_t node);
static inline bool is_living(const mp_index *ix, uint32_t node)
{
    return ((const int64_t *)(const void *)ix->node_labels.at)[node] != 0;
}
uint32_t mp_store_find_label(const mp_index *ix, int64_t label);
uint32_t mp_store_find_vector(const mp_index *ix, const row *r);
MP_CHECK bool mp_store_note_vector(mp_index *ix, const row *r, uint32_t node);
MP_CHECK bool mp_store_attach(mp_index *ix, int64_t label, uint32_t node);
void mp_store_detach(mp_index *ix, int64_t label, uint32_t node);
void mp_store_free_labels(mp_index *ix);

/* ---- probe.c: a vector that others are compared with ---- */
typedef struct probe {
    const float *unit; /* dims floats; NULL for a node whose vector is stored as f16 */
    int8_t *code;      /* code_bytes; NULL without codes */
    coding how;
    const int8_t *sketch; /* sketch.bytes; NULL: not asked for, or there are none */
    int32_t sketch_shift; /* as coding.shift */
    float rest;           /* squared length outside the sketch's directions */
} probe;
/* code: room for ix->code_bytes. The unit vector is borrowed. */
probe mp_probe_of_vector(const mp_index *ix, const float *unit, int8_t *code);
probe mp_probe_of_node(const mp_index *ix, uint32_t node, int8_t *code);
/* Cosines by code, within mp_probe_bound of the true ones; exact without codes. */
void mp_probe_score(const mp_index *ix, const probe *p, const uint32_t *nodes, size_t n,
                    float *out);
float mp_probe_exact(const mp_index *ix, const probe *p, uint32_t node);
/* How far mp_probe_score can be off for this node; 0 without codes. */
float mp_probe_bound(const mp_index *ix, const probe *p, uint32_t node);
/* How far it hardly ever is: errors of coordinates are independent. */
float mp_probe_spread(const mp_index *ix, const probe *p, uint32_t node);
enum { MAX_CODE_BYTES = 8192, MAX_DIMS = MAX_CODE_BYTES };

/* ---- sketch.c ---- */
enum { MP_SKETCH_MOST = 128 }; /* bytes */
/* The sketch of a row to be stored, sketch.bytes. */
void mp_sketch_row(const mp_index *ix, const float *unit, uint8_t *to);
/* Give a probe its sketch, where there are any; code: room for MP_SKETCH_MOST. */
void mp_sketch_ask_vector(const mp_index *ix, probe *p, int8_t *code);
void mp_sketch_ask_node(const mp_index *ix, uint32_t node, probe *p, int8_t *code);
/* Keeps those nodes that may have a cosine of `least` or more with the probe, which has a sketch;
 * returns how many. One in a thousand that does is missed. */
size_t mp_sketch_sift(const mp_index *ix, const probe *p, uint32_t *nodes, size_t n, float least);
/* Whether there are so many more rows than last time that it is worth finding out anew how to
 * sketch them; `shape` is held. */
bool mp_sketch_is_due(const mp_index *ix);
/* Finds that out, and sketches all rows; `shape` is held for writing. Without the memory for it, or
 * where it does not pay, there are none. */
void mp_sketch_fit(mp_index *ix);
void mp_sketch_drop(mp_index *ix);

/* ---- graph_build.c: inserts a node that exists already ---- */
MP_CHECK mp_err mp_graph_insert(mp_index *ix, uint32_t node, mp_why *why);

/* ---- graph_order.c ---- */
/* The place of each of the first n nodes in an order in which linked ones lie near each other
 * (without links: its number); the caller's, by free. NULL: no memory. `shape` is held. */
uint32_t *mp_graph_order(const mp_index *ix, size_t n);

/* ---- graph_search.c ---- */
/* Which nodes count as results: all living ones, or those with a label in `allow`. */
typedef struct node_filter {
    const mp_index *ix;
    const mp_label_set *allow; /* NULL: all */
    bool any;                  /* tombstones too: for building */
} node_filter;
visited *mp_visited_take(mp_index *ix);
void mp_visited_give(mp_index *ix, visited *v);
/* The best entry for `query` at `level`, by greedy descent from the top. */
uint32_t mp_graph_descend(const mp_index *ix, const probe *query, int level);
/* Beam search on one level from `entry`; the up to `ef` best results in *found, by falling score.
 * budget: with a filter, give up (false) after so many distances, 0: never. */
bool mp_graph_beam(const mp_index *ix, const probe *query, uint32_t entry, int level, size_t ef,
                   const node_filter *filter, size_t budget, visited *seen, heap *found);
void mp_heap_free(heap *h);

/* Locks are not part of what const promises. */
static inline mp_index *mutable(const mp_index *ix)
{
    return (mp_index *)(uintptr_t)ix;
}
/* As mp_index_search, of a vector of unit length and with room for k in any case, both locks held
 * for reading; in a graph from `entry` on (NO_NODE: from its top). */
MP_CHECK mp_err mp_index_search_from(const mp_index *ix, const float *unit,
                                     const mp_search_options *opt, uint32_t entry,
                                     mp_neighbour *out, size_t *n, mp_why *why);

/* ---- scan.c ---- */
/* The k best nodes so far: a heap with the worst on top. */
typedef struct best {
    near_node *at; /* k */
    size_t n, k;
} best;
void mp_best_add(best *b, near_node x);
/* Exact: every living node, or every node with a label in `allow`. `labels` is held for reading. */
void mp_scan(const mp_index *ix, const probe *query, const mp_label_set *allow, best *b);
bool mp_label_set_has(const mp_label_set *set, int64_t label); /* NULL: every label */

#endif
