/* index.c - the index's calls but adding (add.c) and snapshots. See index.h and store.h. */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_M = 16, DEFAULT_EF_CONSTRUCTION = 100, DEFAULT_EF_SEARCH = 128, MAX_M = 64 };
enum { LEAST_CODED = 64, SKETCH_FROM = 16384 };

/* With a filter of p labels among n, a graph search sees about n/p times as many nodes as without;
 * below p^2 = GRAPH_COST * n looking at the p vectors themselves is cheaper, and exact. */
static const double GRAPH_COST = 4000;

static void set_options(mp_index *ix, const mp_index_options *opt)
{
    ix->opt = *opt;
    ix->opt.m = opt->m ? opt->m : DEFAULT_M;
    ix->opt.ef_construction =
        opt->ef_construction > 0 ? opt->ef_construction : DEFAULT_EF_CONSTRUCTION;
    ix->opt.ef_search = opt->ef_search > 0 ? opt->ef_search : DEFAULT_EF_SEARCH;
    ix->opt.threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    ix->sketch_from = SKETCH_FROM;
    ix->kernels = mp_distance_for(mp_simd_isa());
    if (opt->dims >= LEAST_CODED)
        ix->code_bytes = ((size_t)opt->dims + MP_CODE_GROUP - 1) / MP_CODE_GROUP * MP_CODE_GROUP;
    ix->half = ix->code_bytes && opt->storage == MP_INDEX_F16;
    ix->row_bytes = (size_t)opt->dims * (ix->half ? sizeof(uint16_t) : sizeof(float));
    ix->folder = opt->folder ? mp_xstrdup(opt->folder) : NULL;
    ix->opt.folder = ix->folder;
}

static void init_locks(mp_index *ix)
{
    /* Searches without a pause must not keep a writer waiting for ever, as the default kind would.
     */
    pthread_rwlockattr_t writers_first;
    pthread_rwlockattr_init(&writers_first);
    pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&ix->change, &writers_first);
    pthread_rwlock_init(&ix->shape, &writers_first);
    pthread_rwlock_init(&ix->labels, &writers_first);
    pthread_rwlockattr_destroy(&writers_first);
    pthread_mutex_init(&ix->grow, NULL);
    pthread_mutex_init(&ix->top, NULL);
    pthread_mutex_init(&ix->pool, NULL);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&ix->stripe[i], NULL);
}

mp_err mp_index_open(mp_index **out, const char *kind, const mp_index_options *opt, mp_why *why)
{
    bool graph = strcmp(kind, "hnsw") == 0;
    *out = NULL;
    if (!graph && strcmp(kind, "exact") != 0)
        return mp_fail(why, MP_INVALID, "no index is called '%s'", kind);
    if (opt->dims < 1 || opt->dims > MAX_DIMS || opt->m < 0 || opt->m > MAX_M || opt->m == 1)
        return mp_fail(why, MP_INVALID, "an index has 1 to %d dimensions and m from 2 to %d",
                       MAX_DIMS, MAX_M);
    mp_index *ix = mp_xcalloc(1, sizeof *ix);
    ix->graph = graph;
    set_options(ix, opt);
    if (!mp_store_reserve(ix)) {
        free(ix->folder);
        free(ix);
        return mp_fail(why, MP_NOMEM, "no memory for an index");
    }
    init_locks(ix);
    atomic_store(&ix->entry, NO_NODE);
    atomic_store(&ix->top_level, -1);
    *out = ix;
    return MP_OK;
}

static void free_visited(mp_index *ix)
{
    while (ix->free_visited) {
        visited *next = ix->free_visited->next;
        mp_heap_free(&ix->free_visited->open);
        free(ix->free_visited->mark);
        free(ix->free_visited);
        ix->free_visited = next;
    }
}

void mp_index_close(mp_index *ix)
{
    if (!ix)
        return;
    mp_store_clear(ix);
    mp_store_release(ix);
    free_visited(ix);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&ix->stripe[i]);
    pthread_mutex_destroy(&ix->pool);
    pthread_mutex_destroy(&ix->top);
    pthread_mutex_destroy(&ix->grow);
    pthread_rwlock_destroy(&ix->labels);
    pthread_rwlock_destroy(&ix->shape);
    pthread_rwlock_destroy(&ix->change);
    free(ix->folder);
    free(ix);
}

const char *mp_index_kind(const mp_index *ix)
{
    return ix->graph ? "hnsw" : "exact";
}

mp_err mp_index_remove(mp_index *ix, int64_t label, mp_why *why)
{
    mp_err err = MP_OK;
    pthread_rwlock_rdlock(&ix->change);
    pthread_rwlock_rdlock(&ix->shape);
    pthread_rwlock_wrlock(&ix->labels);
    uint32_t node = mp_store_find_label(ix, label);
    if (node == NO_NODE)
        err = mp_fail(why, MP_NOT_FOUND, "#%lld is not in the index", (long long)label);
    else
        mp_store_detach(ix, label, node);
    pthread_rwlock_unlock(&ix->labels);
    pthread_rwlock_unlock(&ix->shape);
    pthread_rwlock_unlock(&ix->change);
    return err;
}

/* ---- looking up ---- */

static uint32_t find_node(const mp_index *ix, int64_t label)
{
    pthread_rwlock_rdlock(&mutable(ix)->labels);
    uint32_t node = mp_store_find_label(ix, label);
    pthread_rwlock_unlock(&mutable(ix)->labels);
    return node;
}

bool mp_index_has(const mp_index *ix, int64_t label)
{
    pthread_rwlock_rdlock(&mutable(ix)->shape);
    uint32_t node = find_node(ix, label);
    pthread_rwlock_unlock(&mutable(ix)->shape);
    return node != NO_NODE;
}

size_t mp_index_count(const mp_index *ix)
{
    pthread_rwlock_rdlock(&mutable(ix)->labels);
    size_t n = ix->n_labels;
    pthread_rwlock_unlock(&mutable(ix)->labels);
    return n;
}

size_t mp_index_count_distinct(const mp_index *ix)
{
    return atomic_load(&ix->n_nodes) - atomic_load(&ix->n_dead);
}

mp_err mp_index_get(const mp_index *ix, int64_t label, float *out, mp_why *why)
{
    mp_err err = MP_OK;
    pthread_rwlock_rdlock(&mutable(ix)->shape);
    uint32_t node = find_node(ix, label);
    if (node == NO_NODE)
        err = mp_fail(why, MP_NOT_FOUND, "#%lld is not in the index", (long long)label);
    else if (ix->half)
        (void)mp_store_vector(ix, node, out);
    else
        memcpy(out, vector_of(ix, node), ix->row_bytes);
    pthread_rwlock_unlock(&mutable(ix)->shape);
    return err;
}

/* ---- memory ---- */

mp_index_bytes mp_index_memory(const mp_index *ix)
{
    mp_index_bytes b = {0};
    pthread_rwlock_rdlock(&mutable(ix)->shape);
    pthread_rwlock_rdlock(&mutable(ix)->labels);
    mp_store_measure(ix, &b);
    pthread_rwlock_unlock(&mutable(ix)->labels);
    pthread_mutex_lock(&mutable(ix)->pool);
    for (const visited *v = ix->free_visited; v; v = v->next)
        b.heap += sizeof *v + v->cap * sizeof *v->mark + v->open.cap * sizeof *v->open.at;
    pthread_mutex_unlock(&mutable(ix)->pool);
    pthread_rwlock_unlock(&mutable(ix)->shape);
    return b;
}

/* ---- searching: `shape` and `labels` are held for reading ---- */

static bool scan_is_cheaper(const mp_index *ix, const mp_label_set *allow)
{
    double n = (double)ix->n_labels, p = (double)allow->n;
    return p * p <= GRAPH_COST * n;
}

/* Scores by the vectors themselves those results that may be among the k best, from the best code
 * on, so that the k-th best soon rules out the others. */
static void score_again(const mp_index *ix, const probe *query, heap *found, best *b)
{
    for (size_t i = 0; i < found->n; i++) {
        near_node x = found->at[i];
        if (b->n < b->k || x.score + mp_probe_spread(ix, query, x.node) > b->at[0].score)
            mp_best_add(b, (near_node){mp_probe_exact(ix, query, x.node), x.node});
    }
}

static void beam(const mp_index *ix, const probe *query, const mp_search_options *opt,
                 uint32_t entry, best *b)
{
    size_t ef = (size_t)(opt->ef > 0 ? opt->ef : ix->opt.ef_search);
    /* Without filter and tombstones every node counts: their labels need not be looked at. */
    node_filter filter = {
        .ix = ix, .allow = opt->allow, .any = !opt->allow && !atomic_load(&ix->n_dead)};
    heap found = {0};
    ef = MP_MAX(ef, opt->k);
    if (entry == NO_NODE)
        entry = mp_graph_descend(ix, query, 0);
    if (entry == NO_NODE)
        return;
    visited *seen = mp_visited_take(mutable(ix));
    /* A filter whose labels lie far from the query makes the beam wander: once it has looked at as
     * many vectors as the filter has labels, the scan is the better way. */
    size_t budget = opt->allow ? opt->allow->n : 0;
    bool whole = mp_graph_beam(ix, query, entry, 0, ef, &filter, budget, seen, &found);
    mp_visited_give(mutable(ix), seen);
    size_t want = MP_MIN(opt->k, opt->allow ? opt->allow->n : ix->n_labels);
    bool short_of = found.n < MP_MIN(want, mp_index_count_distinct(ix));
    if (whole && !(short_of && opt->allow))
        score_again(ix, query, &found, b);
    else
        mp_scan(ix, query, opt->allow, b);
    mp_heap_free(&found);
}

int mp_by_score_then_label(const void *a, const void *b)
{
    const mp_neighbour *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

/* Nodes to labels. A node gives at most k of them. */
static mp_err expand(const mp_index *ix, const best *b, const mp_search_options *opt,
                     mp_neighbour *out, size_t *n, mp_why *why)
{
    size_t total = 0, cap = 0;
    for (size_t i = 0; i < b->n; i++)
        cap += MP_MIN((size_t)labels_of(ix, b->at[i].node).n, opt->k);
    mp_neighbour *all = mp_try_array(cap, sizeof *all);
    if (!all)
        return mp_fail(why, MP_NOMEM, "no memory for the results");
    for (size_t i = 0; i < b->n; i++) {
        label_list l = labels_of(ix, b->at[i].node);
        size_t taken = 0;
        for (uint32_t k = 0; k < l.n && taken < opt->k; k++) {
            int64_t label = l.at[k];
            if (!mp_label_set_has(opt->allow, label))
                continue;
            all[total++] = (mp_neighbour){label, b->at[i].score};
            taken++;
        }
    }
    qsort(all, total, sizeof *all, mp_by_score_then_label);
    *n = MP_MIN(total, opt->k);
    memcpy(out, all, *n * sizeof *out);
    free(all);
    return MP_OK;
}

mp_err mp_index_search_from(const mp_index *ix, const float *unit, const mp_search_options *opt,
                            uint32_t entry, mp_neighbour *out, size_t *n, mp_why *why)
{
    int8_t code[MAX_CODE_BYTES], sketch[MP_SKETCH_MOST];
    best b = {.at = mp_try_array(opt->k, sizeof *b.at), .k = opt->k};
    bool exact = !ix->graph || opt->exact || (opt->allow && scan_is_cheaper(ix, opt->allow));
    if (!b.at)
        return mp_fail(why, MP_NOMEM, "no memory for %zu results", opt->k);
    probe query = mp_probe_of_vector(ix, unit, code);
    if (exact) {
        mp_scan(ix, &query, opt->allow, &b);
    } else {
        mp_sketch_ask_vector(ix, &query, sketch);
        beam(ix, &query, opt, entry, &b);
    }
    mp_err err = expand(ix, &b, opt, out, n, why);
    free(b.at);
    return err;
}

mp_err mp_index_search(const mp_index *ix, const float *query, const mp_search_options *opt,
                       mp_neighbour *out, size_t *n, mp_why *why)
{
    size_t dims = (size_t)ix->opt.dims;
    *n = 0;
    if (opt->k == 0)
        return MP_OK;
    float *unit = mp_try_array(dims, sizeof *unit);
    if (!unit)
        return mp_fail(why, MP_NOMEM, "no memory");
    memcpy(unit, query, dims * sizeof *unit);
    mp_err err = mp_normalise(unit, dims)
                     ? MP_OK
                     : mp_fail(why, MP_INVALID, "the query vector has no direction");
    if (!err) {
        mp_search_options there = *opt;
        pthread_rwlock_rdlock(&mutable(ix)->shape);
        pthread_rwlock_rdlock(&mutable(ix)->labels);
        there.k = MP_MIN(there.k, ix->n_labels);
        if (there.k)
            err = mp_index_search_from(ix, unit, &there, NO_NODE, out, n, why);
        pthread_rwlock_unlock(&mutable(ix)->labels);
        pthread_rwlock_unlock(&mutable(ix)->shape);
    }
    free(unit);
    return err;
}
