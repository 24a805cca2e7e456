/* dedup_group.c - average-linkage clusters of a sparse graph (Sokal & Michener, 1958).
 *
 * Clusters merge in the order of their average link, taken over all pairs between them, absent ones
 * counting as 0: so A~B and B~C do not pull A and C together unless their pair is strong as well, and
 * unrelated pictures never chain. A heap holds the links; an entry whose clusters have changed since
 * is stale and is dropped. Cannot-links forbid a merge, must-links come first. */
#include "core/dedup.h"

#include <stdlib.h>
#include <string.h>

/* Within a group of copies some pairs are never candidates (a crop and a mirrored crop): their zeros
 * lower the average, so a merge needs only this part of the threshold. */
static const float MERGE_SHARE = 0.45f;

typedef struct edge { /* of a cluster, to another */
    size_t to;
    double sum; /* of the links between the two */
    bool never;
} edge;

typedef struct cluster {
    edge *edges;
    size_t n, cap, members;
    unsigned version; /* grows with every change */
    bool gone;
} cluster;

typedef struct entry {
    double average;
    size_t a, b;
    unsigned va, vb;
} entry;

typedef struct grouping {
    cluster *clusters;
    size_t *parent; /* of a cluster that was merged */
    entry *heap;
    size_t n_heap, cap_heap;
    size_t n;
    bool whole; /* memory sufficed so far */
} grouping;

static size_t root_of(grouping *g, size_t i)
{
    while (g->parent[i] != i)
        i = g->parent[i] = g->parent[g->parent[i]];
    return i;
}

static edge *edge_to(cluster *c, size_t to)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->edges[i].to == to)
            return &c->edges[i];
    return NULL;
}

static void add_edge(grouping *g, size_t from, size_t to, double sum, bool never)
{
    cluster *c = &g->clusters[from];
    edge *e = edge_to(c, to);
    if (e) {
        e->sum += sum;
        e->never = e->never || never;
        return;
    }
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 4;
        edge *more = realloc(c->edges, cap * sizeof *more);
        if (!more) {
            g->whole = false;
            return;
        }
        c->edges = more;
        c->cap = cap;
    }
    c->edges[c->n++] = (edge){to, sum, never};
}

/* ---- heap: strongest average first, ties by the lower positions, so that order does not matter ---- */

static bool before(const entry *x, const entry *y)
{
    if (x->average != y->average)
        return x->average > y->average;
    return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void heap_push(grouping *g, entry e)
{
    if (g->n_heap == g->cap_heap) {
        size_t cap = g->cap_heap ? g->cap_heap * 2 : 256;
        entry *more = realloc(g->heap, cap * sizeof *more);
        if (!more) {
            g->whole = false;
            return;
        }
        g->heap = more;
        g->cap_heap = cap;
    }
    size_t i = g->n_heap++;
    for (; i > 0 && before(&e, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = e;
}

static entry heap_pop(grouping *g)
{
    entry top = g->heap[0], last = g->heap[--g->n_heap];
    size_t i = 0;
    for (;;) {
        size_t down = 2 * i + 1;
        if (down >= g->n_heap)
            break;
        if (down + 1 < g->n_heap && before(&g->heap[down + 1], &g->heap[down]))
            down++;
        if (!before(&g->heap[down], &last))
            break;
        g->heap[i] = g->heap[down];
        i = down;
    }
    g->heap[i] = last;
    return top;
}

static void push_link(grouping *g, size_t a, const edge *e)
{
    const cluster *x = &g->clusters[a], *y = &g->clusters[e->to];
    if (e->never)
        return;
    heap_push(g, (entry){.average = e->sum / ((double)x->members * (double)y->members),
                         .a = MP_MIN(a, e->to),
                         .b = MP_MAX(a, e->to),
                         .va = g->clusters[MP_MIN(a, e->to)].version,
                         .vb = g->clusters[MP_MAX(a, e->to)].version});
}

/* b goes into a; the edges of b become edges of a, on both ends. */
static void merge(grouping *g, size_t a, size_t b)
{
    cluster *into = &g->clusters[a], *from = &g->clusters[b];
    for (size_t i = 0; i < from->n; i++) {
        edge e = from->edges[i];
        if (e.to == a)
            continue;
        cluster *other = &g->clusters[e.to];
        edge *back = edge_to(other, b);
        if (back)
            *back = other->edges[--other->n];
        add_edge(g, a, e.to, e.sum, e.never);
        add_edge(g, e.to, a, e.sum, e.never);
    }
    edge *own = edge_to(into, b);
    if (own)
        *own = into->edges[--into->n];
    into->members += from->members;
    into->version++;
    from->gone = true;
    free(from->edges);
    from->edges = NULL;
    from->n = from->cap = 0;
    g->parent[b] = a;
    for (size_t i = 0; i < into->n; i++)
        push_link(g, a, &into->edges[i]);
}

static void link_all(grouping *g, const mp_pair *pairs, size_t n, double weight, bool never)
{
    for (size_t i = 0; i < n; i++) {
        double sum = never ? 0 : weight > 0 ? weight : (double)pairs[i].score;
        if (pairs[i].a == pairs[i].b || pairs[i].a >= g->n || pairs[i].b >= g->n)
            continue;
        edge *known = edge_to(&g->clusters[pairs[i].a], pairs[i].b);
        if (known && !never) { /* listed twice, or judged by a person too: the stronger counts */
            sum = MP_MAX(sum, known->sum) - known->sum;
        }
        add_edge(g, pairs[i].a, pairs[i].b, sum, never);
        add_edge(g, pairs[i].b, pairs[i].a, sum, never);
    }
}

static void run(grouping *g, const mp_pair *must, size_t n_must, float threshold)
{
    for (size_t i = 0; i < n_must; i++) {
        size_t a = root_of(g, must[i].a), b = root_of(g, must[i].b);
        const edge *e = a != b ? edge_to(&g->clusters[a], b) : NULL;
        if (a != b && !(e && e->never))
            merge(g, MP_MIN(a, b), MP_MAX(a, b));
    }
    for (size_t i = 0; i < g->n; i++)
        for (size_t k = 0; !g->clusters[i].gone && k < g->clusters[i].n; k++)
            if (g->clusters[i].edges[k].to > i)
                push_link(g, i, &g->clusters[i].edges[k]);
    while (g->n_heap && g->whole) {
        entry e = heap_pop(g);
        const cluster *a = &g->clusters[e.a], *b = &g->clusters[e.b];
        bool stale = a->gone || b->gone || a->version != e.va || b->version != e.vb;
        double need = a->members == 1 && b->members == 1 ? (double)threshold
                                                         : (double)(threshold * MERGE_SHARE);
        if (!stale && e.average >= need)
            merge(g, e.a, e.b);
    }
}

/* ---- results ---- */

static void number_groups(grouping *g, mp_grouping *out)
{
    size_t *number = mp_xmalloc(g->n * sizeof *number);
    for (size_t i = 0; i < g->n; i++)
        number[i] = SIZE_MAX;
    for (size_t i = 0; i < g->n; i++) {
        size_t r = root_of(g, i);
        out->group[i] = SIZE_MAX;
        if (g->clusters[r].members < 2)
            continue;
        if (number[r] == SIZE_MAX)
            number[r] = out->n_groups++;
        out->group[i] = number[r];
    }
    free(number);
}

/* The weakest link that a group needs: the lowest edge of its maximum spanning tree. */
static int by_strength(const void *a, const void *b)
{
    const mp_pair *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static void find_weakest(const mp_pair *pairs, size_t n_pairs, const mp_pair *must, size_t n_must,
                         size_t n, mp_grouping *out)
{
    grouping tree = {.parent = mp_xmalloc(n * sizeof(size_t))};
    mp_pair *sorted = mp_xmalloc((n_pairs + n_must) * sizeof *sorted);
    if (n_pairs)
        memcpy(sorted, pairs, n_pairs * sizeof *sorted);
    for (size_t i = 0; i < n_must; i++) {
        sorted[n_pairs + i] = must[i];
        sorted[n_pairs + i].score = 1;
    }
    qsort(sorted, n_pairs + n_must, sizeof *sorted, by_strength);
    for (size_t i = 0; i < n; i++)
        tree.parent[i] = i;
    for (size_t i = 0; i < n_pairs + n_must; i++) {
        size_t group = out->group[sorted[i].a];
        size_t a = root_of(&tree, sorted[i].a), b = root_of(&tree, sorted[i].b);
        if (group == SIZE_MAX || group != out->group[sorted[i].b] || a == b)
            continue;
        tree.parent[b] = a;
        out->weakest[group] = sorted[i]; /* they come by falling strength: the last one stays */
    }
    free(sorted);
    free(tree.parent);
}

mp_err mp_dedup_group(const mp_pair *pairs, size_t n_pairs, size_t n, const mp_pair *must,
                      size_t n_must, const mp_pair *cannot, size_t n_cannot, float threshold,
                      mp_grouping *out, mp_why *why)
{
    grouping g = {.n = n, .whole = true};
    *out = (mp_grouping){.group = mp_try_array(n, sizeof(size_t))};
    g.clusters = mp_try_array(n, sizeof *g.clusters);
    g.parent = mp_try_array(n, sizeof *g.parent);
    mp_err err = out->group && g.clusters && g.parent ? MP_OK : MP_NOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        g.clusters[i].members = 1;
        g.parent[i] = i;
    }
    if (!err) {
        link_all(&g, pairs, n_pairs, 0, false);
        link_all(&g, must, n_must, 1, false);
        link_all(&g, cannot, n_cannot, 0, true);
        run(&g, must, n_must, threshold);
        number_groups(&g, out);
        out->weakest = mp_try_array(out->n_groups, sizeof *out->weakest);
    }
    if (err || !g.whole || !out->weakest)
        err = mp_fail(why, MP_NOMEM, "no memory to group %zu pictures", n);
    else
        find_weakest(pairs, n_pairs, must, n_must, n, out);
    for (size_t i = 0; g.clusters && i < n; i++)
        free(g.clusters[i].edges);
    free(g.clusters);
    free(g.parent);
    free(g.heap);
    if (err)
        mp_grouping_free(out);
    return err;
}

void mp_grouping_free(mp_grouping *g)
{
    free(g->group);
    free(g->weakest);
    *g = (mp_grouping){0};
}
