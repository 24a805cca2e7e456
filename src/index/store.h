/* store.h - the inside of an index: vectors, labels and links. Shared by this room's files alone.
 *
 * Beside each vector lies its 8-bit code (simd/distance.h): a quarter of the bytes, and memory is
 * what a search waits for. The graph is built and walked by codes; what comes out is scored again
 * by the vectors themselves. A scan leaves out only what the code's error bound rules out, so it
 * stays exact. Short vectors have no codes.
 *
 * A *node* holds one distinct vector; labels with bit-equal vectors share it. Nodes lie in chunks
 * that never move, so a search may read one while others are added. A node is never freed while the
 * index lives: without labels it is a tombstone, which searches pass through but never return, and
 * which comes back to life when its vector is added again. When tombstones outnumber the living,
 * the next add rebuilds.
 *
 * Locks, in the order in which they are taken:
 *   shape    rwlock: read by every search and insert, written by rebuild, load and save
 *   labels   rwlock: label table, vector table, label lists of the nodes
 *   grow     mutex: count of nodes, chunks
 *   top      mutex: entry point and highest level (held through the insert of a higher node)
 *   stripe   mutexes: the links of the nodes with that number modulo STRIPES
 * Links are relaxed atomics: a search reads them without a lock and may see a list half old and
 * half new, every entry of which is a finished node. Counts are released after the entries. */
#ifndef MP_STORE_H
#define MP_STORE_H

#include "index/index.h"

#include "base/os.h"
#include "simd/distance.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CHUNK = 1024, MAX_CHUNKS = 1 << 16, STRIPES = 1024, MAX_LEVEL = 15 };
#define NO_NODE UINT32_MAX

typedef _Atomic uint32_t link_t; /* internal: a list is its count, then the entries */

typedef struct label_list { /* labels of a node; most have one */
    int64_t one;
    int64_t *many; /* n > 1 */
    uint32_t n;
} label_list;

typedef struct coding { /* vector = scale * (code - 128) + something of length `error` */
    float scale, error;
    int32_t shift; /* 128 times the sum of the codes: what the offset of a row adds to a sum */
} coding;

typedef struct chunk {
    float *vectors;       /* CHUNK x dims, 64-byte aligned */
    uint8_t *codes;       /* CHUNK x code_bytes, 64-byte aligned; NULL without codes */
    coding *coding;       /* CHUNK; NULL without codes */
    link_t *links;        /* CHUNK x (1 + 2m), level 0; NULL without a graph */
    link_t *upper[CHUNK]; /* levels 1..level of a node, (1 + m) each */
    uint8_t level[CHUNK];
    label_list labels[CHUNK];
} chunk;

typedef struct slot { /* open addressing; node NO_NODE: empty, NO_NODE - 1: removed */
    uint64_t key;
    uint32_t node;
} slot;

typedef struct table {
    slot *slots;
    size_t cap, used; /* used counts removed ones too */
} table;

typedef struct visited { /* which nodes a search has seen; kept between searches */
    uint32_t *mark;
    size_t cap;
    uint32_t epoch;
    struct visited *next;
} visited;

struct mp_index {
    mp_index_options opt;
    bool graph;
    const mp_distance_kernels *kernels;
    size_t code_bytes; /* 0: too short to be coded */
    pthread_rwlock_t shape, labels;
    pthread_mutex_t grow, top, pool;
    pthread_mutex_t stripe[STRIPES];
    chunk *_Atomic *chunks; /* MAX_CHUNKS */
    _Atomic uint32_t n_nodes;
    _Atomic uint32_t n_dead; /* tombstones */
    table by_label, by_vector;
    size_t n_labels;
    _Atomic uint32_t entry; /* NO_NODE: empty graph */
    _Atomic int top_level;
    visited *free_visited; /* guarded by pool */
};

/* ---- store.c ---- */
static inline chunk *chunk_of(const mp_index *ix, uint32_t node)
{
    return atomic_load_explicit(&ix->chunks[node / CHUNK], memory_order_acquire);
}
static inline const float *vector_of(const mp_index *ix, uint32_t node)
{
    return chunk_of(ix, node)->vectors + (size_t)(node % CHUNK) * (size_t)ix->opt.dims;
}
static inline const uint8_t *code_of(const mp_index *ix, uint32_t node)
{
    return chunk_of(ix, node)->codes + (size_t)(node % CHUNK) * ix->code_bytes;
}
static inline coding coding_of(const mp_index *ix, uint32_t node)
{
    return chunk_of(ix, node)->coding[node % CHUNK];
}
static inline link_t *links_of(const mp_index *ix, uint32_t node, int level)
{
    chunk *c = chunk_of(ix, node);
    size_t m = (size_t)ix->opt.m;
    return level == 0 ? c->links + (size_t)(node % CHUNK) * (1 + 2 * m)
                      : c->upper[node % CHUNK] + (size_t)(level - 1) * (1 + m);
}
static inline label_list *labels_of(const mp_index *ix, uint32_t node)
{
    return &chunk_of(ix, node)->labels[node % CHUNK];
}
static inline int level_of(const mp_index *ix, uint32_t node)
{
    return chunk_of(ix, node)->level[node % CHUNK];
}

/* The code of a unit vector; code has room for ix->code_bytes. */
coding mp_code_vector(const mp_index *ix, const float *unit, int8_t *code);
/* A new node with this (normalised) vector and level; NO_NODE when memory or numbers run out. */
uint32_t mp_store_new_node(mp_index *ix, const float *vector, int level);
int mp_store_random_level(const mp_index *ix, uint32_t node);
/* All below need `labels` held: reading for find, writing for the others. */
uint32_t mp_store_find_label(const mp_index *ix, int64_t label);
uint32_t mp_store_find_vector(const mp_index *ix, const float *vector);
MP_CHECK bool mp_store_note_vector(mp_index *ix, uint32_t node);
MP_CHECK bool mp_store_attach(mp_index *ix, int64_t label, uint32_t node);
void mp_store_detach(mp_index *ix, int64_t label, uint32_t node);
/* Frees all nodes and labels; `shape` must be held for writing. */
void mp_store_clear(mp_index *ix);

/* ---- probe.c: a vector that others are compared with ---- */
typedef struct probe {
    const float *unit; /* dims floats */
    int8_t *code;      /* code_bytes; NULL without codes */
    coding how;
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
enum { MAX_CODE_BYTES = 8192 };

/* ---- graph_build.c: inserts a node that exists already ---- */
MP_CHECK mp_err mp_graph_insert(mp_index *ix, uint32_t node, mp_why *why);

/* ---- graph_search.c ---- */
typedef struct near_node {
    float score;
    uint32_t node;
} near_node;
typedef struct heap { /* a binary heap of near_node; see graph_search.c for its two orders */
    near_node *at;
    size_t n, cap;
} heap;
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
/* Beam search on one level from `entry`; the up to `ef` best results in *found, a heap with the
 * worst on top. budget: give up (false) after so many distances, 0: never. */
bool mp_graph_beam(const mp_index *ix, const probe *query, uint32_t entry, int level, size_t ef,
                   const node_filter *filter, size_t budget, visited *seen, heap *found);
void mp_heap_free(heap *h);
near_node mp_heap_pop_worst(heap *h);

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
