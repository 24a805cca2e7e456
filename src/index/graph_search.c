/* graph_search.c - searching the graph: algorithm 2 of the HNSW paper, with result filters.
 *
 * Where every node counts as a result, one sorted list holds the best nodes so far, those that have
 * been expanded marked. Otherwise there are two heaps: `open` has the most promising node on top,
 * `found` the worst of the results, so that it can be dropped when a better one comes; nodes that
 * do not count are passed through. */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- heaps: `sign` +1 keeps the smallest score on top (found), -1 the largest (open) ---- */

static bool heap_room(heap *h, size_t n)
{
    if (n <= h->cap)
        return true;
    size_t cap = MP_MAX(MP_MAX(h->cap * 2, n), (size_t)256);
    near_node *more = realloc(h->at, cap * sizeof *more);
    if (!more)
        return false;
    h->at = more;
    h->cap = cap;
    return true;
}

static bool heap_push(heap *h, near_node x, int sign)
{
    if (!heap_room(h, h->n + 1))
        return false;
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

uint32_t mp_graph_descend(const mp_index *ix, const probe *query, int level)
{
    uint32_t at = atomic_load_explicit(&ix->entry, memory_order_acquire), near[64];
    int top = atomic_load_explicit(&ix->top_level, memory_order_acquire);
    float nearest, score[64];
    if (at == NO_NODE)
        return NO_NODE;
    mp_probe_score(ix, query, &at, 1, &nearest);
    for (int l = MP_MIN(top, level_of(ix, at)); l > level; l--) {
        for (bool moved = true; moved;) {
            moved = false;
            size_t n = links_read(ix, at, l, near);
            mp_probe_score(ix, query, near, n, score);
            for (size_t i = 0; i < n; i++)
                if (score[i] > nearest) {
                    nearest = score[i];
                    at = near[i];
                    moved = true;
                }
        }
    }
    return at;
}

static bool counts(const node_filter *f, uint32_t node)
{
    if (f->any)
        return true;
    if (!f->allow)
        return is_living(f->ix, node);
    label_list l = labels_of(f->ix, node);
    for (uint32_t i = 0; i < l.n; i++)
        if (mp_label_set_has(f->allow, l.at[i]))
            return true;
    return false;
}

/* The list that will most likely be read next, while what was just scored is sorted in. */
static void prefetch_links(const mp_index *ix, uint32_t node, int level)
{
    enum { PER_LINE = 16 };
    const link_t *links = links_of(ix, node, level);
    for (size_t i = 0; i < links_at(ix, level); i += PER_LINE)
        __builtin_prefetch((const void *)(links + i));
}

typedef struct walk {
    const node_filter *filter;
    size_t ef;
    heap *open, *found;
} walk;

/* Takes in a node that has been scored: into the results when it counts, and into the open ones. */
static bool meet(walk *w, near_node x)
{
    if (w->found->n >= w->ef && x.score <= w->found->at[0].score)
        return true;
    if (!heap_push(w->open, x, -1))
        return false;
    if (!counts(w->filter, x.node))
        return true;
    if (!heap_push(w->found, x, 1))
        return false;
    if (w->found->n > w->ef)
        (void)heap_pop(w->found, 1);
    return true;
}

/* The links of a node that have not been seen. */
static size_t read_fresh(const mp_index *ix, uint32_t node, int level, visited *seen,
                         uint32_t *near)
{
    size_t n = links_read(ix, node, level, near), fresh = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(seen->mark + near[i]);
    for (size_t i = 0; i < n; i++)
        if (first_visit(seen, near[i]))
            near[fresh++] = near[i];
    return fresh;
}

/* Scores nodes; those that are too far away to have a score above `least` may be left out. Returns
 * how many there are. */
static size_t score_some(const mp_index *ix, const probe *query, float least, uint32_t *nodes,
                         size_t n, float *score)
{
    if (query->sketch && least > -1)
        n = mp_sketch_sift(ix, query, nodes, n, least);
    mp_probe_score(ix, query, nodes, n, score);
    return n;
}

/* ---- every node counts: one list ---- */

#define EXPANDED (1u << 31) /* in the node's number, which has no use for that bit */
enum { AT_ONCE = 4 };       /* nodes whose links are read together */

typedef struct list {
    near_node *at; /* by falling score; room for ef */
    size_t n, ef;
    size_t next; /* all before it are expanded */
} list;

static void list_add(list *l, near_node x)
{
    if (l->n == l->ef && x.score <= l->at[l->n - 1].score)
        return;
    size_t from = 0, to = l->n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (l->at[middle].score >= x.score)
            from = middle + 1;
        else
            to = middle;
    }
    l->n += l->n < l->ef;
    memmove(l->at + from + 1, l->at + from, (l->n - 1 - from) * sizeof *l->at);
    l->at[from] = x;
    l->next = MP_MIN(l->next, from);
}

/* The links of the best nodes that are not expanded yet: of several at once, for each round waits
 * for memory in turn, for links, for sketches and for codes. The few that one by one would have
 * been left out cost less. */
static size_t expand_best(const mp_index *ix, list *l, int level, visited *seen, uint32_t *near)
{
    size_t fresh = 0;
    for (int taken = 0; taken < AT_ONCE && l->next < l->n; l->next++) {
        near_node *at = &l->at[l->next];
        if (at->node & EXPANDED)
            continue;
        fresh += read_fresh(ix, at->node, level, seen, near + fresh);
        at->node |= EXPANDED;
        taken++;
    }
    return fresh;
}

static void prefetch_best(const mp_index *ix, const list *l, int level)
{
    int taken = 0;
    for (size_t i = l->next; i < l->n && taken < AT_ONCE; i++)
        if (!(l->at[i].node & EXPANDED)) {
            prefetch_links(ix, l->at[i].node, level);
            taken++;
        }
}

static bool beam_of_all(const mp_index *ix, const probe *query, near_node entry, int level,
                        size_t ef, visited *seen, heap *found)
{
    uint32_t near[AT_ONCE * MAX_LINKS];
    float score[AT_ONCE * MAX_LINKS];
    if (!heap_room(found, ef))
        return false;
    list l = {.at = found->at, .ef = ef};
    list_add(&l, entry);
    while (l.next < l.n) {
        size_t fresh = expand_best(ix, &l, level, seen, near);
        float least = l.n == ef ? l.at[ef - 1].score : -1;
        fresh = score_some(ix, query, least, near, fresh, score);
        for (size_t i = 0; i < fresh; i++)
            list_add(&l, (near_node){score[i], near[i]});
        prefetch_best(ix, &l, level);
    }
    for (size_t i = 0; i < l.n; i++)
        l.at[i].node &= ~EXPANDED;
    found->n = l.n;
    return true;
}

/* ---- some count: two heaps ---- */

static bool beam_of_some(const mp_index *ix, const probe *query, near_node entry, int level, walk w,
                         size_t budget, visited *seen)
{
    uint32_t near[MAX_LINKS];
    float score[MAX_LINKS];
    size_t distances = 1;
    heap *found = w.found;
    bool whole = meet(&w, entry);
    while (w.open->n && whole) {
        near_node at = heap_pop(w.open, -1);
        if (found->n >= w.ef && at.score < found->at[0].score)
            break;
        float least = found->n >= w.ef ? found->at[0].score : -1;
        size_t fresh = read_fresh(ix, at.node, level, seen, near);
        distances += fresh;
        fresh = score_some(ix, query, least, near, fresh, score);
        for (size_t i = 0; i < fresh && whole; i++)
            whole = meet(&w, (near_node){score[i], near[i]});
        if (w.open->n)
            prefetch_links(ix, w.open->at[0].node, level);
        if (budget && distances > budget)
            whole = false;
    }
    size_t n = found->n;
    while (found->n) { /* the place that a heap gives up is where its worst belongs */
        near_node worst = heap_pop(found, 1);
        found->at[found->n] = worst;
    }
    found->n = n;
    return whole;
}

bool mp_graph_beam(const mp_index *ix, const probe *query, uint32_t entry, int level, size_t ef,
                   const node_filter *filter, size_t budget, visited *seen, heap *found)
{
    walk w = {.filter = filter, .ef = ef, .open = &seen->open, .found = found};
    near_node first = {.node = entry};
    found->n = w.open->n = 0;
    (void)first_visit(seen, entry);
    mp_probe_score(ix, query, &entry, 1, &first.score);
    /* In a long list, keeping the order costs more than a heap does. */
    enum { LONGEST_LIST = 512 };
    bool short_list = filter->any && ef <= LONGEST_LIST;
    return short_list ? beam_of_all(ix, query, first, level, ef, seen, found)
                      : beam_of_some(ix, query, first, level, w, budget, seen);
}
