/* graph_build.c - inserting into the graph: algorithms 1 and 4 of the HNSW paper.
 *
 * Any number of threads insert at once. A node's list is changed under its stripe's lock alone; a
 * node that will be the new entry point holds `top` until it is linked. */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 257 };

/* Keeps a candidate only if it is nearer to the node than to every one kept so far: edges then
 * point in different directions (section 4, heuristic). Candidates come by falling score. */
static size_t select_neighbours(const mp_index *ix, const near_node *c, size_t n, size_t max,
                                uint32_t *out)
{
    enum { AT_ONCE = 8 };
    int8_t code[MAX_CODE_BYTES];
    float score[AT_ONCE];
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < max; i++) {
        probe p = mp_probe_of_node(ix, c[i].node, code);
        bool apart = true;
        for (size_t k = 0; k < kept && apart; k += AT_ONCE) {
            size_t some = MP_MIN(kept - k, (size_t)AT_ONCE);
            mp_probe_score(ix, &p, out + k, some, score);
            for (size_t j = 0; j < some && apart; j++)
                apart = score[j] < c[i].score;
        }
        if (apart)
            out[kept++] = c[i].node;
    }
    return kept;
}

static int by_falling_score(const void *a, const void *b)
{
    const near_node *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->node > y->node) - (x->node < y->node);
}

static void store_links(link_t *links, const uint32_t *nodes, size_t n, size_t max)
{
    for (size_t i = 0; i < n; i++)
        atomic_store_explicit(&links[i], nodes[i] + 1, memory_order_release);
    if (n < max)
        atomic_store_explicit(&links[n], 0, memory_order_release);
}

/* Adds `extra` to the list of `node`, choosing anew when it is full. */
static void connect(mp_index *ix, uint32_t node, int level, const uint32_t *extra, size_t n_extra)
{
    near_node all[2 * MAX_LIST];
    uint32_t kept[MAX_LIST];
    size_t n = 0, max = links_at(ix, level);
    pthread_mutex_t *lock = &ix->stripe[node % STRIPES];
    pthread_mutex_lock(lock);
    link_t *links = links_of(ix, node, level);
    size_t have = links_read(ix, node, level, kept);
    size_t total = have;
    for (size_t i = 0; i < n_extra; i++) {
        bool known = extra[i] == node;
        for (size_t k = 0; k < total && !known; k++)
            known = kept[k] == extra[i];
        if (!known && total < MAX_LIST)
            kept[total++] = extra[i];
    }
    if (total <= max) {
        store_links(links, kept, total, max);
    } else {
        int8_t code[MAX_CODE_BYTES];
        float score[MAX_LIST];
        probe p = mp_probe_of_node(ix, node, code);
        mp_probe_score(ix, &p, kept, total, score);
        for (; n < total; n++)
            all[n] = (near_node){score[n], kept[n]};
        qsort(all, n, sizeof *all, by_falling_score);
        store_links(links, kept, select_neighbours(ix, all, n, max, kept), max);
    }
    pthread_mutex_unlock(lock);
}

/* What a node will be linked to, per level. */
typedef struct choice {
    uint32_t node[MAX_LEVEL + 1][64];
    size_t n[MAX_LEVEL + 1];
} choice;

/* Finds the neighbours of a node on one level and gives it its own list; *entry becomes the
 * nearest, for the level below. */
static mp_err choose_level(mp_index *ix, uint32_t node, const probe *p, int level, uint32_t *entry,
                           heap *found, choice *c, mp_why *why)
{
    node_filter any = {.ix = ix, .any = true};
    visited *seen = mp_visited_take(ix);
    bool whole =
        mp_graph_beam(ix, p, *entry, level, (size_t)ix->opt.ef_construction, &any, 0, seen, found);
    mp_visited_give(ix, seen);
    if (!whole)
        return mp_fail(why, MP_NOMEM, "no memory to link a vector");
    size_t n = 0;
    for (size_t i = 0; i < found->n; i++)
        if (found->at[i].node != node)
            found->at[n++] = found->at[i];
    if (n == 0)
        return MP_OK;
    *entry = found->at[0].node;
    c->n[level] = select_neighbours(ix, found->at, n, (size_t)ix->opt.m, c->node[level]);
    connect(ix, node, level, c->node[level], c->n[level]);
    return MP_OK;
}

/* A node must be found on a level only when its lists on all levels below are there: a search that
 * came down to it would else be stuck. So all lists of its own come first, then the links to it. */
static mp_err link_node(mp_index *ix, uint32_t node, int from, mp_why *why)
{
    heap found = {0};
    choice *c = mp_xcalloc(1, sizeof *c);
    mp_err err = MP_OK;
    int8_t code[MAX_CODE_BYTES], sketch[MP_SKETCH_MOST];
    probe p = mp_probe_of_node(ix, node, code);
    mp_sketch_ask_node(ix, node, &p, sketch);
    uint32_t entry = mp_graph_descend(ix, &p, from);
    from = MP_MIN(from, level_of(ix, entry));
    for (int l = from; !err && l >= 0; l--)
        err = choose_level(ix, node, &p, l, &entry, &found, c, why);
    for (int l = 0; !err && l <= from; l++)
        for (size_t i = 0; i < c->n[l]; i++)
            connect(ix, c->node[l][i], l, &node, 1);
    free(c);
    mp_heap_free(&found);
    return err;
}

mp_err mp_graph_insert(mp_index *ix, uint32_t node, mp_why *why)
{
    int level = level_of(ix, node);
    pthread_mutex_lock(&ix->top);
    int top = atomic_load(&ix->top_level);
    if (atomic_load(&ix->entry) == NO_NODE) {
        atomic_store(&ix->entry, node);
        atomic_store(&ix->top_level, level);
        pthread_mutex_unlock(&ix->top);
        return MP_OK;
    }
    bool higher = level > top;
    if (!higher)
        pthread_mutex_unlock(&ix->top);
    mp_err err = link_node(ix, node, MP_MIN(level, top), why);
    if (higher) {
        atomic_store(&ix->entry, node);
        atomic_store(&ix->top_level, level);
        pthread_mutex_unlock(&ix->top);
    }
    return err;
}
