/* graph_search.c - searching the graph: algorithm 2 of the HNSW paper, with result filters.
 *
 * Two heaps: `open` has the most promising node on top, `found` the worst of the results, so that
 * it can be dropped when a better one comes. Nodes that do not count as results are passed through.
 */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- heaps: `sign` +1 keeps the smallest score on top (found), -1 the largest (open) ---- */

static bool heap_push(heap *h, near_node x, int sign)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 256;
        near_node *more = realloc(h->at, cap * sizeof *more);
        if (!more)
            return false;
        h->at = more;
        h->cap = cap;
    }
    size_t i = h->n++;
    float key = x.score * (float)sign;
    while (i > 0) {
        size_t up = (i - 1) / 2;
        if (h->at[up].score * (float)sign <= key)
            break;
        h->at[i] = h->at[up];
        i = up;
    }
    h->at[i] = x;
    return true;
}

static near_node heap_pop(heap *h, int sign)
{
    near_node top = h->at[0], last = h->at[--h->n];
    float key = last.score * (float)sign;
    size_t i = 0;
    for (;;) {
        size_t down = 2 * i + 1;
        if (down >= h->n)
            break;
        if (down + 1 < h->n &&
            h->at[down + 1].score * (float)sign < h->at[down].score * (float)sign)
            down++;
        if (h->at[down].score * (float)sign >= key)
            break;
        h->at[i] = h->at[down];
        i = down;
    }
    h->at[i] = last;
    return top;
}

near_node mp_heap_pop_worst(heap *h)
{
    return heap_pop(h, 1);
}

void mp_heap_free(heap *h)
{
    free(h->at);
    *h = (heap){0};
}

/* ---- visited marks ---- */

visited *mp_visited_take(mp_index *ix)
{
    pthread_mutex_lock(&ix->pool);
    visited *v = ix->free_visited;
    if (v)
        ix->free_visited = v->next;
    pthread_mutex_unlock(&ix->pool);
    if (!v)
        v = mp_xcalloc(1, sizeof *v);
    size_t n = atomic_load(&ix->n_nodes);
    if (v->cap < n) {
        free(v->mark);
        v->cap = n + n / 4 + 1024;
        v->mark = calloc(v->cap, sizeof *v->mark);
        v->epoch = 0;
        if (!v->mark)
            v->cap = 0;
    }
    if (++v->epoch == 0) { /* wrapped round: old marks would count */
        memset(v->mark, 0, v->cap * sizeof *v->mark);
        v->epoch = 1;
    }
    return v;
}

void mp_visited_give(mp_index *ix, visited *v)
{
    pthread_mutex_lock(&ix->pool);
    v->next = ix->free_visited;
    ix->free_visited = v;
    pthread_mutex_unlock(&ix->pool);
}

/* False for nodes seen before, and for those that came after the search began. */
static bool first_visit(visited *v, uint32_t node)
{
    if (node >= v->cap || v->mark[node] == v->epoch)
        return false;
    v->mark[node] = v->epoch;
    return true;
}

/* ---- search ---- */

static uint32_t read_links(const link_t *links, uint32_t max, uint32_t *out)
{
    uint32_t n = atomic_load_explicit(&links[0], memory_order_acquire);
    n = MP_MIN(n, max);
    for (uint32_t i = 0; i < n; i++)
        out[i] = atomic_load_explicit(&links[1 + i], memory_order_relaxed);
    return n;
}

uint32_t mp_graph_descend(const mp_index *ix, const float *query, int level)
{
    uint32_t at = atomic_load_explicit(&ix->entry, memory_order_acquire), near[64];
    int top = atomic_load_explicit(&ix->top_level, memory_order_acquire);
    size_t dims = (size_t)ix->opt.dims;
    if (at == NO_NODE)
        return NO_NODE;
    float best = ix->dot(query, vector_of(ix, at), dims);
    for (int l = MP_MIN(top, level_of(ix, at)); l > level; l--) {
        for (bool moved = true; moved;) {
            moved = false;
            uint32_t n = read_links(links_of(ix, at, l), (uint32_t)MP_MIN(ix->opt.m, 64), near);
            for (uint32_t i = 0; i < n; i++) {
                float score = ix->dot(query, vector_of(ix, near[i]), dims);
                if (score > best) {
                    best = score;
                    at = near[i];
                    moved = true;
                }
            }
        }
    }
    return at;
}

static bool counts(const node_filter *f, uint32_t node)
{
    const label_list *l = labels_of(f->ix, node);
    if (f->any)
        return true;
    if (!f->allow)
        return l->n > 0;
    const int64_t *labels = l->n > 1 ? l->many : &l->one;
    for (uint32_t i = 0; i < l->n; i++) {
        size_t low = 0, high = f->allow->n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (f->allow->label[middle] < labels[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (low < f->allow->n && f->allow->label[low] == labels[i])
            return true;
    }
    return false;
}

static void prefetch_vector(const float *v, size_t dims)
{
    /* Two lines start the stream; the hardware prefetcher sees the rest coming. */
    __builtin_prefetch(v);
    __builtin_prefetch(v + MP_MIN(dims, (size_t)16));
}

bool mp_graph_beam(const mp_index *ix, const float *query, uint32_t entry, int level, size_t ef,
                   const node_filter *filter, size_t budget, visited *seen, heap *found)
{
    heap open = {0};
    uint32_t near[256], max = (uint32_t)(level == 0 ? 2 * ix->opt.m : ix->opt.m);
    size_t dims = (size_t)ix->opt.dims, distances = 1;
    bool whole = true;
    near_node start = {ix->dot(query, vector_of(ix, entry), dims), entry};
    found->n = 0;
    (void)first_visit(seen, entry);
    if (!heap_push(&open, start, -1))
        return false;
    if (counts(filter, entry))
        whole = heap_push(found, start, 1);
    while (open.n && whole) {
        near_node at = heap_pop(&open, -1);
        if (found->n >= ef && at.score < found->at[0].score)
            break;
        uint32_t n = read_links(links_of(ix, at.node, level), MP_MIN(max, 256u), near), fresh = 0;
        for (uint32_t i = 0; i < n; i++)
            if (first_visit(seen, near[i]))
                near[fresh++] = near[i];
        for (uint32_t i = 0; i < MP_MIN(fresh, 4u); i++)
            prefetch_vector(vector_of(ix, near[i]), dims);
        for (uint32_t i = 0; i < fresh && whole; i++) {
            if (i + 4 < fresh)
                prefetch_vector(vector_of(ix, near[i + 4]), dims);
            near_node next = {ix->dot(query, vector_of(ix, near[i]), dims), near[i]};
            if (found->n >= ef && next.score <= found->at[0].score)
                continue;
            whole = heap_push(&open, next, -1);
            if (whole && counts(filter, next.node)) {
                whole = heap_push(found, next, 1);
                if (found->n > ef)
                    (void)heap_pop(found, 1);
            }
        }
        distances += fresh;
        if (budget && distances > budget)
            whole = false;
    }
    mp_heap_free(&open);
    return whole;
}
