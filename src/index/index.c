/* index.c - the index's calls: adding, removing, searching. See index.h and store.h. */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_M = 16, DEFAULT_EF_CONSTRUCTION = 100, DEFAULT_EF_SEARCH = 128, MAX_M = 64 };
enum { ADD_BATCH = 4096, MAX_DIMS = MAX_CODE_BYTES, LEAST_CODED = 64, REBUILD_FROM = 1024 };

/* With a filter of p labels among n, a graph search sees about n/p times as many nodes as without;
 * below p^2 = GRAPH_COST * n looking at the p vectors themselves is cheaper, and exact. */
static const double GRAPH_COST = 4000;

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
    ix->opt = *opt;
    ix->graph = graph;
    ix->opt.m = opt->m ? opt->m : DEFAULT_M;
    ix->opt.ef_construction =
        opt->ef_construction > 0 ? opt->ef_construction : DEFAULT_EF_CONSTRUCTION;
    ix->opt.ef_search = opt->ef_search > 0 ? opt->ef_search : DEFAULT_EF_SEARCH;
    ix->opt.threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    ix->kernels = mp_distance_for(mp_simd_isa());
    if (opt->dims >= LEAST_CODED)
        ix->code_bytes = ((size_t)opt->dims + MP_CODE_GROUP - 1) / MP_CODE_GROUP * MP_CODE_GROUP;
    ix->chunks = mp_try_array(MAX_CHUNKS, sizeof *ix->chunks);
    if (!ix->chunks) {
        free(ix);
        return mp_fail(why, MP_NOMEM, "no memory for an index");
    }
    /* Searches without a pause must not keep a writer waiting for ever, as the default kind would.
     */
    pthread_rwlockattr_t writers_first;
    pthread_rwlockattr_init(&writers_first);
    pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&ix->shape, &writers_first);
    pthread_rwlock_init(&ix->labels, &writers_first);
    pthread_rwlockattr_destroy(&writers_first);
    pthread_mutex_init(&ix->grow, NULL);
    pthread_mutex_init(&ix->top, NULL);
    pthread_mutex_init(&ix->pool, NULL);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&ix->stripe[i], NULL);
    atomic_store(&ix->entry, NO_NODE);
    atomic_store(&ix->top_level, -1);
    *out = ix;
    return MP_OK;
}

void mp_index_close(mp_index *ix)
{
    if (!ix)
        return;
    mp_store_clear(ix);
    while (ix->free_visited) {
        visited *next = ix->free_visited->next;
        free(ix->free_visited->mark);
        free(ix->free_visited);
        ix->free_visited = next;
    }
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&ix->stripe[i]);
    pthread_mutex_destroy(&ix->pool);
    pthread_mutex_destroy(&ix->top);
    pthread_mutex_destroy(&ix->grow);
    pthread_rwlock_destroy(&ix->labels);
    pthread_rwlock_destroy(&ix->shape);
    free((void *)ix->chunks);
    free(ix);
}

const char *mp_index_kind(const mp_index *ix)
{
    return ix->graph ? "hnsw" : "exact";
}

/* Locks are not part of what const promises. */
static mp_index *mutable(const mp_index *ix)
{
    return (mp_index *)(uintptr_t)ix;
}

/* ---- work in parallel ---- */

typedef struct crew {
    mp_err (*work)(void *context, size_t i, mp_why *why);
    void *context;
    size_t n;
    _Atomic size_t next, done;
    _Atomic int err;
    mp_why why;
    pthread_mutex_t mutex; /* guards why */
} crew;

static void *crew_run(void *context)
{
    crew *c = context;
    for (;;) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->n || atomic_load(&c->err))
            return NULL;
        mp_why why = {0};
        mp_err err = c->work(c->context, i, &why);
        if (err) {
            pthread_mutex_lock(&c->mutex);
            if (!atomic_load(&c->err))
                c->why = why;
            atomic_store(&c->err, (int)err);
            pthread_mutex_unlock(&c->mutex);
        }
        atomic_fetch_add(&c->done, 1);
    }
}

/* Runs work(0..n-1) on up to `threads` threads, the caller's among them. */
static mp_err crew_all(crew *c, int threads, mp_why *why)
{
    enum { MAX_THREADS = 64 };
    pthread_t ids[MAX_THREADS];
    int started = 0;
    pthread_mutex_init(&c->mutex, NULL);
    threads = MP_MIN(MP_MIN(threads, MAX_THREADS), (int)MP_MIN(c->n / 16 + 1, (size_t)MAX_THREADS));
    while (started < threads - 1 && pthread_create(&ids[started], NULL, crew_run, c) == 0)
        started++;
    crew_run(c);
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&c->mutex);
    mp_err err = (mp_err)atomic_load(&c->err);
    return err ? mp_fail(why, err, "%s", c->why.text) : MP_OK;
}

/* ---- adding ---- */

typedef struct adding {
    mp_index *ix;
    uint32_t fresh[ADD_BATCH]; /* nodes to be linked */
    size_t n;
} adding;

static mp_err insert_one(void *context, size_t i, mp_why *why)
{
    adding *a = context;
    return mp_graph_insert(a->ix, a->fresh[i], why);
}

/* Finds or makes the node of a vector and gives it the label. `labels` is held for writing. */
static mp_err place_one(adding *a, int64_t label, const float *vector, mp_why *why)
{
    mp_index *ix = a->ix;
    uint32_t old = mp_store_find_label(ix, label), node = mp_store_find_vector(ix, vector);
    if (old != NO_NODE && old == node)
        return MP_OK;
    if (node == NO_NODE) {
        node = mp_store_new_node(ix, vector, -1);
        if (node == NO_NODE || !mp_store_note_vector(ix, node))
            return mp_fail(why, MP_NOMEM, "no memory for another vector");
        a->fresh[a->n++] = node;
    }
    if (old != NO_NODE)
        mp_store_detach(ix, label, old);
    return mp_store_attach(ix, label, node) ? MP_OK
                                            : mp_fail(why, MP_NOMEM, "no memory for a label");
}

static mp_err add_batch(mp_index *ix, const int64_t *labels, float *vectors, size_t n, mp_why *why)
{
    adding *a = mp_xcalloc(1, sizeof *a);
    a->ix = ix;
    mp_err err = MP_OK;
    pthread_rwlock_wrlock(&ix->labels);
    for (size_t i = 0; !err && i < n; i++)
        err = place_one(a, labels[i], vectors + i * (size_t)ix->opt.dims, why);
    pthread_rwlock_unlock(&ix->labels);
    if (!err && ix->graph && a->n) {
        crew c = {.work = insert_one, .context = a, .n = a->n};
        err = crew_all(&c, ix->opt.threads, why);
    }
    free(a);
    return err;
}

static mp_err check_input(const mp_index *ix, const int64_t *labels, const float *vectors, size_t n,
                          mp_why *why)
{
    float *copy = mp_try_array((size_t)ix->opt.dims, sizeof *copy);
    mp_err err = copy ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    for (size_t i = 0; !err && i < n; i++) {
        memcpy(copy, vectors + i * (size_t)ix->opt.dims, (size_t)ix->opt.dims * sizeof *copy);
        if (labels[i] <= 0)
            err = mp_fail(why, MP_INVALID, "a label is positive, not %lld", (long long)labels[i]);
        else if (!mp_normalise(copy, (size_t)ix->opt.dims))
            err = mp_fail(why, MP_INVALID, "the vector of #%lld has no direction",
                          (long long)labels[i]);
    }
    free(copy);
    return err;
}

/* Everything that lives, added to an index without tombstones. `shape` is held for writing. */
static mp_err rebuild(mp_index *ix, mp_why *why)
{
    size_t n = ix->n_labels, at = 0, dims = (size_t)ix->opt.dims;
    int64_t *labels = mp_try_array(n, sizeof *labels);
    float *vectors = mp_try_array(n * dims, sizeof *vectors);
    mp_err err = labels && vectors ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to rebuild");
    for (uint32_t node = 0; !err && node < atomic_load(&ix->n_nodes); node++) {
        const label_list *l = labels_of(ix, node);
        for (uint32_t i = 0; i < l->n; i++, at++) {
            labels[at] = l->n > 1 ? l->many[i] : l->one;
            memcpy(vectors + at * dims, vector_of(ix, node), dims * sizeof *vectors);
        }
    }
    if (!err)
        mp_store_clear(ix);
    for (size_t i = 0; !err && i < n; i += ADD_BATCH)
        err = add_batch(ix, labels + i, vectors + i * dims, MP_MIN(n - i, (size_t)ADD_BATCH), why);
    free(labels);
    free(vectors);
    return err;
}

static mp_err rebuild_if_hollow(mp_index *ix, mp_why *why)
{
    uint32_t dead = atomic_load(&ix->n_dead), all = atomic_load(&ix->n_nodes);
    mp_err err = MP_OK;
    if (dead < REBUILD_FROM || dead < all / 2)
        return MP_OK;
    pthread_rwlock_wrlock(&ix->shape);
    if (atomic_load(&ix->n_dead) >= atomic_load(&ix->n_nodes) / 2)
        err = rebuild(ix, why);
    pthread_rwlock_unlock(&ix->shape);
    return err;
}

mp_err mp_index_add_many(mp_index *ix, const int64_t *labels, const float *vectors, size_t n,
                         mp_index_progress_fn progress, void *context, mp_why *why)
{
    size_t dims = (size_t)ix->opt.dims;
    mp_err err = check_input(ix, labels, vectors, n, why);
    if (!err)
        err = rebuild_if_hollow(ix, why);
    float *unit = err ? NULL : mp_try_array(MP_MIN(n, (size_t)ADD_BATCH) * dims, sizeof *unit);
    if (!err && !unit)
        err = mp_fail(why, MP_NOMEM, "no memory to add vectors");
    pthread_rwlock_rdlock(&ix->shape);
    for (size_t i = 0; !err && i < n; i += ADD_BATCH) {
        size_t count = MP_MIN(n - i, (size_t)ADD_BATCH);
        memcpy(unit, vectors + i * dims, count * dims * sizeof *unit);
        for (size_t k = 0; k < count; k++)
            (void)mp_normalise(unit + k * dims, dims);
        err = add_batch(ix, labels + i, unit, count, why);
        if (!err && progress && progress(context, i + count, n))
            err = mp_fail(why, MP_CANCELLED, "stopped while indexing");
    }
    pthread_rwlock_unlock(&ix->shape);
    free(unit);
    return err;
}

mp_err mp_index_remove(mp_index *ix, int64_t label, mp_why *why)
{
    mp_err err = MP_OK;
    pthread_rwlock_rdlock(&ix->shape);
    pthread_rwlock_wrlock(&ix->labels);
    uint32_t node = mp_store_find_label(ix, label);
    if (node == NO_NODE)
        err = mp_fail(why, MP_NOT_FOUND, "#%lld is not in the index", (long long)label);
    else
        mp_store_detach(ix, label, node);
    pthread_rwlock_unlock(&ix->labels);
    pthread_rwlock_unlock(&ix->shape);
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
    else
        memcpy(out, vector_of(ix, node), (size_t)ix->opt.dims * sizeof *out);
    pthread_rwlock_unlock(&mutable(ix)->shape);
    return err;
}

/* ---- searching: `shape` and `labels` are held for reading ---- */

static bool scan_is_cheaper(const mp_index *ix, const mp_label_set *allow)
{
    double n = (double)ix->n_labels, p = (double)allow->n;
    return p * p <= GRAPH_COST * n;
}

/* Scores by the vectors themselves those results that may be among the k best. */
static void score_again(const mp_index *ix, const probe *query, heap *found, best *b)
{
    best by_code = {.at = mp_xcalloc(b->k, sizeof *by_code.at), .k = b->k};
    for (size_t i = 0; i < found->n; i++)
        mp_best_add(&by_code, found->at[i]);
    float least = by_code.n == by_code.k ? by_code.at[0].score : -2;
    free(by_code.at);
    for (size_t i = 0; i < found->n; i++) {
        near_node x = found->at[i];
        if (x.score + 2 * mp_probe_spread(ix, query, x.node) >= least)
            mp_best_add(b, (near_node){mp_probe_exact(ix, query, x.node), x.node});
    }
}

static void beam(const mp_index *ix, const probe *query, const mp_search_options *opt, best *b)
{
    size_t ef = (size_t)(opt->ef > 0 ? opt->ef : ix->opt.ef_search);
    node_filter filter = {.ix = ix, .allow = opt->allow};
    heap found = {0};
    ef = MP_MAX(ef, opt->k);
    uint32_t entry = mp_graph_descend(ix, query, 0);
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

static int by_score_then_label(const void *a, const void *b)
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
        cap += MP_MIN((size_t)labels_of(ix, b->at[i].node)->n, opt->k);
    mp_neighbour *all = mp_try_array(cap, sizeof *all);
    if (!all)
        return mp_fail(why, MP_NOMEM, "no memory for the results");
    for (size_t i = 0; i < b->n; i++) {
        const label_list *l = labels_of(ix, b->at[i].node);
        size_t taken = 0;
        for (uint32_t k = 0; k < l->n && taken < opt->k; k++) {
            int64_t label = l->n > 1 ? l->many[k] : l->one;
            if (!mp_label_set_has(opt->allow, label))
                continue;
            all[total++] = (mp_neighbour){label, b->at[i].score};
            taken++;
        }
    }
    qsort(all, total, sizeof *all, by_score_then_label);
    *n = MP_MIN(total, opt->k);
    memcpy(out, all, *n * sizeof *out);
    free(all);
    return MP_OK;
}

static mp_err search_unit(const mp_index *ix, const float *unit, const mp_search_options *opt,
                          mp_neighbour *out, size_t *n, mp_why *why)
{
    int8_t code[MAX_CODE_BYTES];
    best b = {.at = mp_try_array(opt->k, sizeof *b.at), .k = opt->k};
    bool exact = !ix->graph || opt->exact || (opt->allow && scan_is_cheaper(ix, opt->allow));
    if (!b.at)
        return mp_fail(why, MP_NOMEM, "no memory for %zu results", opt->k);
    probe query = mp_probe_of_vector(ix, unit, code);
    if (exact)
        mp_scan(ix, &query, opt->allow, &b);
    else
        beam(ix, &query, opt, &b);
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
        pthread_rwlock_rdlock(&mutable(ix)->shape);
        pthread_rwlock_rdlock(&mutable(ix)->labels);
        err = search_unit(ix, unit, opt, out, n, why);
        pthread_rwlock_unlock(&mutable(ix)->labels);
        pthread_rwlock_unlock(&mutable(ix)->shape);
    }
    free(unit);
    return err;
}

/* ---- neighbours of many ---- */

typedef struct knn {
    const mp_index *ix;
    const int64_t *labels;
    size_t k, done_before, total;
    mp_neighbour *out;
} knn;

static mp_err knn_one(void *context, size_t i, mp_why *why)
{
    knn *q = context;
    mp_neighbour *to = q->out + i * q->k;
    mp_neighbour *found = mp_try_array(q->k + 1, sizeof *found);
    mp_search_options opt = {.k = q->k + 1};
    size_t n = 0, kept = 0;
    memset(to, 0, q->k * sizeof *to);
    if (!found)
        return mp_fail(why, MP_NOMEM, "no memory");
    pthread_rwlock_rdlock(&mutable(q->ix)->shape);
    pthread_rwlock_rdlock(&mutable(q->ix)->labels);
    uint32_t node = mp_store_find_label(q->ix, q->labels[i]);
    mp_err err =
        node == NO_NODE ? MP_OK : search_unit(q->ix, vector_of(q->ix, node), &opt, found, &n, why);
    pthread_rwlock_unlock(&mutable(q->ix)->labels);
    pthread_rwlock_unlock(&mutable(q->ix)->shape);
    for (size_t k = 0; k < n && kept < q->k; k++)
        if (found[k].label != q->labels[i])
            to[kept++] = found[k];
    free(found);
    return err;
}

mp_err mp_index_knn(const mp_index *ix, const int64_t *labels, size_t n, size_t k,
                    mp_neighbour *out, mp_index_progress_fn progress, void *context, mp_why *why)
{
    enum { SLICE = 1024 };
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i += SLICE) {
        knn q = {.ix = ix, .labels = labels + i, .k = k, .out = out + i * k};
        crew c = {.work = knn_one, .context = &q, .n = MP_MIN(n - i, (size_t)SLICE)};
        err = crew_all(&c, ix->opt.threads, why);
        if (!err && progress && progress(context, MP_MIN(i + SLICE, n), n))
            err = mp_fail(why, MP_CANCELLED, "stopped while looking for neighbours");
    }
    return err;
}
