/* knn.c - the neighbours of many rows of a graph, each by a search of its own.
 *
 * A search begins at its own node, where the links already lead to the neighbours; and searches
 * that follow each other are of nodes that are linked, so that what one has read of the graph the
 * next finds in the caches: in any other order each of them waits for memory anew. */
#include "index/crew.h"
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- the order ---- */

typedef struct ranked {
    uint32_t rank, at;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Positions of labels, those of linked nodes beside each other; NULL where the order does not pay
 * or there is no memory for it. The caller's, by free. */
static uint32_t *linked_order(const mp_index *ix, const int64_t *labels, size_t n)
{
    enum { WORTH_IT = 4 }; /* asked for more than one of so many nodes */
    pthread_rwlock_rdlock(&mutable(ix)->shape);
    pthread_rwlock_rdlock(&mutable(ix)->labels);
    size_t n_nodes = atomic_load(&ix->n_nodes);
    bool pays = ix->graph && n > n_nodes / WORTH_IT && n <= UINT32_MAX;
    uint32_t *place = pays ? mp_graph_order(ix, n_nodes) : NULL;
    uint32_t *order = pays ? mp_try_array(n, sizeof *order) : NULL;
    ranked *all = pays ? mp_try_array(n, sizeof *all) : NULL;
    bool fine = place && order && all;
    for (size_t i = 0; fine && i < n; i++) {
        uint32_t node = mp_store_find_label(ix, labels[i]);
        bool known = node != NO_NODE && node < n_nodes;
        all[i] = (ranked){known ? place[node] : UINT32_MAX, (uint32_t)i};
    }
    pthread_rwlock_unlock(&mutable(ix)->labels);
    pthread_rwlock_unlock(&mutable(ix)->shape);
    if (fine)
        qsort(all, n, sizeof *all, by_rank);
    for (size_t i = 0; fine && i < n; i++)
        order[i] = all[i].at;
    free(place);
    free(all);
    if (!fine)
        free(order);
    return fine ? order : NULL;
}

/* ---- the searches ---- */

typedef struct knn {
    const mp_index *ix;
    const int64_t *labels;
    const uint32_t *order; /* NULL: as they come */
    size_t from, k;
    mp_neighbour *out;
} knn;

static mp_err knn_one(void *context, size_t i, mp_why *why)
{
    knn *q = context;
    size_t at = q->order ? q->order[q->from + i] : q->from + i;
    int64_t label = q->labels[at];
    mp_neighbour *to = q->out + at * q->k;
    mp_neighbour *found = mp_try_array(q->k + 1, sizeof *found);
    float room[MAX_DIMS];
    mp_search_options opt = {.k = q->k + 1};
    size_t n = 0, kept = 0;
    memset(to, 0, q->k * sizeof *to);
    if (!found)
        return mp_fail(why, MP_NOMEM, "no memory");
    pthread_rwlock_rdlock(&mutable(q->ix)->shape);
    pthread_rwlock_rdlock(&mutable(q->ix)->labels);
    uint32_t node = mp_store_find_label(q->ix, label);
    mp_err err = MP_OK;
    if (node != NO_NODE)
        err = mp_index_search_from(q->ix, mp_store_vector(q->ix, node, room), &opt, node, found, &n,
                                   why);
    pthread_rwlock_unlock(&mutable(q->ix)->labels);
    pthread_rwlock_unlock(&mutable(q->ix)->shape);
    for (size_t k = 0; k < n && kept < q->k; k++)
        if (found[k].label != label)
            to[kept++] = found[k];
    free(found);
    return err;
}

mp_err mp_index_knn(const mp_index *ix, const int64_t *labels, size_t n, size_t k,
                    mp_neighbour *out, mp_index_progress_fn progress, void *context, mp_why *why)
{
    enum { SLICE = 1024 };
    mp_err err = MP_OK;
    uint32_t *order = linked_order(ix, labels, n);
    for (size_t i = 0; !err && i < n; i += SLICE) {
        knn q = {ix, labels, order, i, k, out};
        err = mp_crew_run(knn_one, &q, MP_MIN(n - i, (size_t)SLICE), ix->opt.threads, why);
        if (!err && progress && progress(context, MP_MIN(i + SLICE, n), n))
            err = mp_fail(why, MP_CANCELLED, "stopped while looking for neighbours");
    }
    free(order);
    return err;
}
