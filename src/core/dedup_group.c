/* dedup_group.c - clusters of copies by average linkage over a sparse graph.
 *
 * Every picture starts alone. The two clusters with the highest average link are joined, again and
 * again, where the average counts pairs that are not in the graph as 0; it stops below
 * SHARE of the threshold. So two clusters join only when enough of their pairs agree (at the
 * default thresholds one of two for copies, two of three for look-alikes), and a false link between
 * two groups is outvoted: unrelated pictures never chain.
 *
 * Before that, *certain* copies are folded around one of them: those whose link to it is of a whole
 * picture and at least CERTAIN. They then count as at most WEIGHT pictures. A thousand copies of
 * one picture, of which only a part were ever compared, thus stay together, and still no single
 * link can tie two such heaps. Folding goes one step around a centre and never further.
 *
 * Must-links join first and regardless; cannot-links forbid any join that would put the two into
 * one cluster. A must-link that contradicts a cannot-link loses to it. Everything is decided by
 * scores, then by positions: the order of the pairs does not matter. */
#include "core/dedup.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHT = 3 };
static const float CERTAIN = 0.96f;
static const float SHARE = 0.6f; /* of the threshold that the average must reach */

/* One side of a link between two clusters; each link is in both their lists. */
typedef struct edge {
    uint32_t to;
    float sum; /* of the links' scores, at most the product of the weights */
} edge;

typedef struct cluster {
    edge *edge; /* by rising `to` */
    size_t n_edges;
    uint32_t *banned; /* positions that no member may meet, sorted */
    size_t n_banned;
    uint32_t weight;
    uint32_t version; /* grows with each join, so that old heap entries are known */
    bool alive;
} cluster;

typedef struct candidate {
    float average;
    uint32_t a, b; /* a < b */
    uint32_t version_a, version_b;
} candidate;

typedef struct heap {
    candidate *c;
    size_t n, cap;
} heap;

typedef struct grouping {
    size_t n;
    uint32_t *root; /* union-find over positions; a cluster has its root's number */
    cluster *cluster;
    heap heap;
    mp_pair *pairs; /* sorted by (a, b), each once */
    size_t n_pairs;
    float least; /* average at which a join is still made */
} grouping;

/* ---- union-find and bans ---- */

static uint32_t root_of(uint32_t *root, uint32_t i)
{
    while (root[i] != i)
        i = root[i] = root[root[i]];
    return i;
}

static bool banned(grouping *g, uint32_t a, uint32_t b)
{
    if (g->cluster[a].n_banned > g->cluster[b].n_banned)
        return banned(g, b, a);
    for (size_t i = 0; i < g->cluster[a].n_banned; i++)
        if (root_of(g->root, g->cluster[a].banned[i]) == b)
            return true;
    return false;
}

static void add_ban(cluster *c, uint32_t position)
{
    c->banned = mp_xrealloc(c->banned, (c->n_banned + 1) * sizeof *c->banned);
    c->banned[c->n_banned++] = position;
}

/* b's bans and number go to a, which lives on. Edges are the caller's matter. */
static void unite(grouping *g, uint32_t a, uint32_t b, uint32_t weight)
{
    cluster *to = &g->cluster[a], *from = &g->cluster[b];
    g->root[b] = a;
    to->weight = weight;
    for (size_t i = 0; i < from->n_banned; i++)
        add_ban(to, from->banned[i]);
    free(from->banned);
    from->banned = NULL;
    from->n_banned = 0;
    from->alive = false;
}

/* ---- preparation ---- */

static int by_positions(const void *x, const void *y)
{
    const mp_pair *a = x, *b = y;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    if (a->b != b->b)
        return a->b < b->b ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

/* A sorted copy with a < b, without repeats (the highest score stays) and loops. */
static mp_err copy_pairs(const mp_pair *pairs, size_t n_pairs, size_t n, mp_pair **out,
                         size_t *n_out, mp_why *why)
{
    size_t kept = 0, once = 0;
    mp_pair *copy = mp_try_array(n_pairs, sizeof *copy);
    *n_out = 0;
    *out = copy;
    if (!copy)
        return mp_fail(why, MP_NOMEM, "no memory to group %zu pairs", n_pairs);
    for (size_t i = 0; i < n_pairs; i++) {
        mp_pair p = pairs[i];
        if (p.a >= n || p.b >= n)
            return mp_fail(why, MP_INVALID, "a pair names position %zu of %zu", MP_MAX(p.a, p.b),
                           n);
        if (p.a > p.b) {
            p.a = pairs[i].b;
            p.b = pairs[i].a;
        }
        if (p.a != p.b)
            copy[kept++] = p;
    }
    qsort(copy, kept, sizeof *copy, by_positions);
    for (size_t i = 0; i < kept; i++)
        if (once == 0 || copy[once - 1].a != copy[i].a || copy[once - 1].b != copy[i].b)
            copy[once++] = copy[i];
    *n_out = once;
    return MP_OK;
}

static void join_musts(grouping *g, const mp_pair *must, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t a = root_of(g->root, (uint32_t)must[i].a);
        uint32_t b = root_of(g->root, (uint32_t)must[i].b);
        if (a != b && !banned(g, a, b))
            unite(g, MP_MIN(a, b), MP_MAX(a, b), g->cluster[a].weight + g->cluster[b].weight);
    }
}

static bool certain(const mp_pair *p)
{
    return (p->kind == MP_SAME_EXACT || p->kind == MP_SAME_RECODED) && p->score >= CERTAIN;
}

/* Certain neighbours of each position, as lists in one array: start has n + 1 entries. */
static mp_err certain_neighbours(const grouping *g, uint32_t **start, uint32_t **list, mp_why *why)
{
    *start = mp_try_array(g->n + 2, sizeof **start);
    *list = mp_try_array(g->n_pairs * 2, sizeof **list);
    if (!*start || !*list)
        return mp_fail(why, MP_NOMEM, "no memory to group %zu pairs", g->n_pairs);
    for (size_t i = 0; i < g->n_pairs; i++)
        if (certain(&g->pairs[i])) {
            (*start)[g->pairs[i].a + 2]++;
            (*start)[g->pairs[i].b + 2]++;
        }
    for (size_t i = 2; i < g->n + 2; i++)
        (*start)[i] += (*start)[i - 1];
    for (size_t i = 0; i < g->n_pairs; i++)
        if (certain(&g->pairs[i])) {
            (*list)[(*start)[g->pairs[i].a + 1]++] = (uint32_t)g->pairs[i].b;
            (*list)[(*start)[g->pairs[i].b + 1]++] = (uint32_t)g->pairs[i].a;
        }
    return MP_OK;
}

typedef struct centre {
    uint32_t position, degree;
} centre;

static int by_degree(const void *x, const void *y)
{
    const centre *a = x, *b = y;
    if (a->degree != b->degree)
        return a->degree > b->degree ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static void fold_around(grouping *g, uint32_t position, const uint32_t *list, size_t n,
                        bool *folded)
{
    folded[position] = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t a = root_of(g->root, position), b = root_of(g->root, list[i]);
        if (folded[list[i]] || (a != b && banned(g, a, b)))
            continue;
        folded[list[i]] = true;
        if (a == b)
            continue;
        uint32_t wa = g->cluster[a].weight, wb = g->cluster[b].weight;
        uint32_t most = MP_MAX(MP_MAX(wa, wb), (uint32_t)WEIGHT);
        unite(g, MP_MIN(a, b), MP_MAX(a, b), MP_MIN(wa + wb, most));
    }
}

static mp_err fold(grouping *g, mp_why *why)
{
    uint32_t *start = NULL, *list = NULL;
    bool *folded = mp_try_array(g->n, sizeof *folded);
    centre *order = mp_try_array(g->n, sizeof *order);
    mp_err err = certain_neighbours(g, &start, &list, why);
    if (!err && (!folded || !order))
        err = mp_fail(why, MP_NOMEM, "no memory to group %zu pictures", g->n);
    for (size_t i = 0; !err && i < g->n; i++)
        order[i] = (centre){.position = (uint32_t)i, .degree = start[i + 1] - start[i]};
    if (!err)
        qsort(order, g->n, sizeof *order, by_degree);
    for (size_t i = 0; !err && i < g->n && order[i].degree; i++) {
        uint32_t p = order[i].position;
        if (!folded[p])
            fold_around(g, p, list + start[p], order[i].degree, folded);
    }
    free(order);
    free(folded);
    free(list);
    free(start);
    return err;
}

/* ---- links between clusters ---- */

typedef struct link {
    uint32_t from, to;
    float score;
} link;

static int by_ends(const void *x, const void *y)
{
    const link *a = x, *b = y;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return (a->score > b->score) - (a->score < b->score);
}

static void take_edges(grouping *g, const link *links, size_t n)
{
    cluster *c = &g->cluster[links[0].from];
    c->edge = mp_xcalloc(n, sizeof *c->edge);
    for (size_t i = 0; i < n; i++) {
        if (c->n_edges == 0 || c->edge[c->n_edges - 1].to != links[i].to)
            c->edge[c->n_edges++].to = links[i].to;
        c->edge[c->n_edges - 1].sum += links[i].score;
    }
    for (size_t i = 0; i < c->n_edges; i++) {
        float most = (float)c->weight * (float)g->cluster[c->edge[i].to].weight;
        c->edge[i].sum = MP_MIN(c->edge[i].sum, most);
    }
}

static mp_err link_clusters(grouping *g, mp_why *why)
{
    size_t n = 0;
    link *links = mp_try_array(g->n_pairs * 2, sizeof *links);
    if (!links)
        return mp_fail(why, MP_NOMEM, "no memory to group %zu pairs", g->n_pairs);
    for (size_t i = 0; i < g->n_pairs; i++) {
        uint32_t a = root_of(g->root, (uint32_t)g->pairs[i].a);
        uint32_t b = root_of(g->root, (uint32_t)g->pairs[i].b);
        float score = MP_MIN(g->pairs[i].score, 1);
        if (a == b || !(score > 0))
            continue;
        links[n++] = (link){a, b, score};
        links[n++] = (link){b, a, score};
    }
    qsort(links, n, sizeof *links, by_ends);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && links[to].from == links[from].from; to++)
            continue;
        take_edges(g, links + from, to - from);
    }
    free(links);
    return MP_OK;
}

/* ---- the heap of joins: highest average first, then lowest positions ---- */

static bool before(const candidate *x, const candidate *y)
{
    if (x->average != y->average)
        return x->average > y->average;
    return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void push(heap *h, candidate c)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 1024;
        h->c = mp_xrealloc(h->c, h->cap * sizeof *h->c);
    }
    size_t at = h->n++;
    for (; at > 0 && before(&c, &h->c[(at - 1) / 2]); at = (at - 1) / 2)
        h->c[at] = h->c[(at - 1) / 2];
    h->c[at] = c;
}

static candidate pop(heap *h)
{
    candidate top = h->c[0], last = h->c[--h->n];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && before(&h->c[child + 1], &h->c[child]))
            child++;
        if (!before(&h->c[child], &last))
            break;
        h->c[at] = h->c[child];
    }
    h->c[at] = last;
    return top;
}

static void offer(grouping *g, uint32_t x, const edge *e)
{
    uint32_t a = MP_MIN(x, e->to), b = MP_MAX(x, e->to);
    const cluster *ca = &g->cluster[a], *cb = &g->cluster[b];
    float average = e->sum / ((float)ca->weight * (float)cb->weight);
    if (average >= g->least)
        push(&g->heap, (candidate){average, a, b, ca->version, cb->version});
}

/* ---- joining ---- */

static size_t find_edge(const cluster *c, uint32_t to)
{
    size_t low = 0, high = c->n_edges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->edge[middle].to < to)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* In c's list, what went to `gone` now goes to `stays`. */
static void redirect(cluster *c, uint32_t gone, uint32_t stays)
{
    size_t from = find_edge(c, gone);
    edge moved = {.to = stays, .sum = c->edge[from].sum};
    size_t to = find_edge(c, stays);
    if (to < c->n_edges && c->edge[to].to == stays) {
        c->edge[to].sum += moved.sum;
        memmove(c->edge + from, c->edge + from + 1, (c->n_edges - from - 1) * sizeof *c->edge);
        c->n_edges--;
    } else { /* `stays` < `gone`: the place opened lies before the one that closes */
        memmove(c->edge + to + 1, c->edge + to, (from - to) * sizeof *c->edge);
        c->edge[to] = moved;
    }
}

/* The edges of both, without those between them. */
static void merge_edges(cluster *a, const cluster *b, uint32_t ra, uint32_t rb)
{
    edge *all = mp_xcalloc(a->n_edges + b->n_edges, sizeof *all);
    size_t n = 0, i = 0, k = 0;
    while (i < a->n_edges || k < b->n_edges) {
        bool from_a = k == b->n_edges || (i < a->n_edges && a->edge[i].to <= b->edge[k].to);
        edge e = from_a ? a->edge[i++] : b->edge[k++];
        if (from_a && k < b->n_edges && b->edge[k].to == e.to)
            e.sum += b->edge[k++].sum;
        if (e.to != ra && e.to != rb)
            all[n++] = e;
    }
    free(a->edge);
    a->edge = all;
    a->n_edges = n;
}

static void join_clusters(grouping *g, uint32_t ra, uint32_t rb)
{
    cluster *a = &g->cluster[ra], *b = &g->cluster[rb];
    for (size_t i = 0; i < b->n_edges; i++)
        if (b->edge[i].to != ra)
            redirect(&g->cluster[b->edge[i].to], rb, ra);
    merge_edges(a, b, ra, rb);
    free(b->edge);
    b->edge = NULL;
    b->n_edges = 0;
    unite(g, ra, rb, a->weight + b->weight);
    a->version++;
    for (size_t i = 0; i < a->n_edges; i++)
        offer(g, ra, &a->edge[i]);
}

static void join_by_average(grouping *g)
{
    for (uint32_t i = 0; i < g->n; i++)
        for (size_t k = 0; k < g->cluster[i].n_edges; k++)
            if (g->cluster[i].edge[k].to > i)
                offer(g, i, &g->cluster[i].edge[k]);
    while (g->heap.n) {
        candidate c = pop(&g->heap);
        const cluster *a = &g->cluster[c.a], *b = &g->cluster[c.b];
        if (a->alive && b->alive && a->version == c.version_a && b->version == c.version_b &&
            !banned(g, c.a, c.b))
            join_clusters(g, c.a, c.b);
    }
}

/* ---- the answer ---- */

static int by_falling_score(const void *x, const void *y)
{
    const mp_pair *a = x, *b = y;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return by_positions(x, y);
}

/* The weakest link of a group is the last that its strongest spanning tree needs. */
static void find_weakest(const mp_pair *must, size_t n_must, mp_pair *pairs, size_t n_pairs,
                         uint32_t *tree, mp_grouping *out)
{
    qsort(pairs, n_pairs, sizeof *pairs, by_falling_score);
    for (size_t i = 0; i < n_must + n_pairs; i++) {
        mp_pair p = i < n_must ? must[i] : pairs[i - n_must];
        if (i < n_must)
            p.score = 1;
        uint32_t a = root_of(tree, (uint32_t)p.a), b = root_of(tree, (uint32_t)p.b);
        if (a == b || out->group[p.a] == SIZE_MAX || out->group[p.a] != out->group[p.b])
            continue;
        tree[b] = a;
        out->weakest[out->group[p.a]] = p;
    }
}

static mp_err number_groups(grouping *g, mp_grouping *out, mp_why *why)
{
    size_t *number = mp_try_array(g->n, sizeof *number);
    uint32_t *size = mp_try_array(g->n, sizeof *size);
    if (!number || !size) {
        free(number);
        free(size);
        return mp_fail(why, MP_NOMEM, "no memory to group %zu pictures", g->n);
    }
    for (uint32_t i = 0; i < g->n; i++)
        size[root_of(g->root, i)]++;
    memset(number, 0xff, g->n * sizeof *number);
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t root = root_of(g->root, i);
        if (size[root] > 1 && number[root] == SIZE_MAX)
            number[root] = out->n_groups++;
        out->group[i] = number[root];
    }
    free(number);
    free(size);
    return MP_OK;
}

static mp_err prepare(grouping *g, mp_grouping *out, mp_why *why)
{
    g->root = mp_try_array(g->n, sizeof *g->root);
    g->cluster = mp_try_array(g->n, sizeof *g->cluster);
    out->group = mp_try_array(g->n, sizeof *out->group);
    if (!g->root || !g->cluster || !out->group)
        return mp_fail(why, MP_NOMEM, "no memory to group %zu pictures", g->n);
    for (size_t i = 0; i < g->n; i++) {
        g->root[i] = (uint32_t)i;
        g->cluster[i].weight = 1;
        g->cluster[i].alive = true;
    }
    return MP_OK;
}

static void forget(grouping *g)
{
    for (size_t i = 0; g->cluster && i < g->n; i++) {
        free(g->cluster[i].edge);
        free(g->cluster[i].banned);
    }
    free(g->cluster);
    free(g->root);
    free(g->heap.c);
    free(g->pairs);
}

mp_err mp_dedup_group(const mp_pair *pairs, size_t n_pairs, size_t n, const mp_pair *must,
                      size_t n_must, const mp_pair *cannot, size_t n_cannot, float threshold,
                      mp_grouping *out, mp_why *why)
{
    grouping g = {.n = n, .least = threshold * SHARE};
    mp_pair *musts = NULL, *cannots = NULL;
    size_t n_musts = 0, n_cannots = 0;
    *out = (mp_grouping){0};
    mp_err err = n < UINT32_MAX ? prepare(&g, out, why)
                                : mp_fail(why, MP_TOO_BIG, "too many pictures to group: %zu", n);
    if (!err)
        err = copy_pairs(pairs, n_pairs, n, &g.pairs, &g.n_pairs, why);
    if (!err)
        err = copy_pairs(must, n_must, n, &musts, &n_musts, why);
    if (!err)
        err = copy_pairs(cannot, n_cannot, n, &cannots, &n_cannots, why);
    for (size_t i = 0; !err && i < n_cannots; i++) {
        add_ban(&g.cluster[cannots[i].a], (uint32_t)cannots[i].b);
        add_ban(&g.cluster[cannots[i].b], (uint32_t)cannots[i].a);
    }
    if (!err) {
        join_musts(&g, musts, n_musts);
        err = fold(&g, why);
    }
    if (!err)
        err = link_clusters(&g, why);
    if (!err) {
        join_by_average(&g);
        err = number_groups(&g, out, why);
    }
    if (!err)
        out->weakest = mp_xcalloc(out->n_groups, sizeof *out->weakest);
    if (!err) {
        for (uint32_t i = 0; i < n; i++)
            g.root[i] = i; /* now the trees of find_weakest */
        find_weakest(musts, n_musts, g.pairs, g.n_pairs, g.root, out);
    }
    forget(&g);
    free(musts);
    free(cannots);
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
