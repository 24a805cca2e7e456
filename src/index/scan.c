/* scan.c - the exact search: every vector that is allowed. See store.h.
 *
 * Codes come first, in blocks; a vector itself is read only when its code, with the bound of its
 * error, could still be among the k best. */
#include "index/store.h"

enum { BLOCK = 64 };

bool mp_label_set_has(const mp_label_set *set, int64_t label)
{
    return !set || mp_find_sorted(set->label, set->n, label) != SIZE_MAX;
}

static void replace_worst(best *b, near_node x)
{
    size_t i = 0;
    for (;;) {
        size_t down = 2 * i + 1;
        if (down >= b->n)
            break;
        if (down + 1 < b->n && b->at[down + 1].score < b->at[down].score)
            down++;
        if (b->at[down].score >= x.score)
            break;
        b->at[i] = b->at[down];
        i = down;
    }
    b->at[i] = x;
}

void mp_best_add(best *b, near_node x)
{
    if (b->n == b->k) {
        if (x.score > b->at[0].score)
            replace_worst(b, x);
        return;
    }
    size_t i = b->n++;
    for (; i > 0 && b->at[(i - 1) / 2].score > x.score; i = (i - 1) / 2)
        b->at[i] = b->at[(i - 1) / 2];
    b->at[i] = x;
}

typedef struct scanning {
    const mp_index *ix;
    const probe *query;
    best *b;
    uint32_t node[BLOCK];
    size_t n;
} scanning;

static void finish_block(scanning *s)
{
    float score[BLOCK];
    mp_probe_score(s->ix, s->query, s->node, s->n, score);
    for (size_t i = 0; i < s->n; i++) {
        float most = score[i] + mp_probe_bound(s->ix, s->query, s->node[i]);
        if (s->b->n == s->b->k && most <= s->b->at[0].score)
            continue;
        float exact = s->query->code ? mp_probe_exact(s->ix, s->query, s->node[i]) : score[i];
        mp_best_add(s->b, (near_node){exact, s->node[i]});
    }
    s->n = 0;
}

static void look_at(scanning *s, uint32_t node)
{
    s->node[s->n++] = node;
    if (s->n == BLOCK)
        finish_block(s);
}

/* A shared vector counts once: at the first of its labels that is allowed. */
static bool is_first(const mp_label_set *allow, label_list l, int64_t label)
{
    if (l.n == 1)
        return true;
    for (uint32_t k = 0; k < l.n; k++)
        if (mp_label_set_has(allow, l.at[k]))
            return l.at[k] == label;
    return false;
}

void mp_scan(const mp_index *ix, const probe *query, const mp_label_set *allow, best *b)
{
    scanning s = {.ix = ix, .query = query, .b = b};
    uint32_t n = atomic_load(&ix->n_nodes);
    b->n = 0;
    for (uint32_t node = 0; !allow && node < n; node++)
        if (is_living(ix, node))
            look_at(&s, node);
    for (size_t i = 0; allow && i < allow->n; i++) {
        uint32_t node = mp_store_find_label(ix, allow->label[i]);
        if (node != NO_NODE && is_first(allow, labels_of(ix, node), allow->label[i]))
            look_at(&s, node);
    }
    finish_block(&s);
}
