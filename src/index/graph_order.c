/* graph_order.c - nodes in an order in which linked ones lie beside each other: see store.h. */
#include "index/store.h"

#include <stdlib.h>

typedef struct ordering {
    const mp_index *ix;
    uint32_t *place; /* of each node; NO_NODE: nobody has been there */
    uint32_t *stack; /* room for all nodes */
    uint32_t n, next;
} ordering;

/* Goes from link to link, to the nearest that is left, and back at dead ends. */
static void place_from(ordering *o, uint32_t node)
{
    uint32_t near[MAX_LINKS];
    size_t depth = 0;
    o->place[node] = o->next++;
    o->stack[depth++] = node;
    while (depth) {
        size_t n = links_read(o->ix, o->stack[depth - 1], 0, near), i = 0;
        while (i < n && (near[i] >= o->n || o->place[near[i]] != NO_NODE))
            i++;
        if (i == n) {
            depth--;
            continue;
        }
        o->place[near[i]] = o->next++;
        o->stack[depth++] = near[i];
    }
}

uint32_t *mp_graph_order(const mp_index *ix, size_t n)
{
    ordering o = {.ix = ix,
                  .place = mp_try_array(n, sizeof *o.place),
                  .stack = mp_try_array(n, sizeof *o.stack),
                  .n = (uint32_t)n};
    for (size_t i = 0; o.place && i < n; i++)
        o.place[i] = NO_NODE;
    for (uint32_t i = 0; o.place && o.stack && i < n; i++)
        if (!ix->graph)
            o.place[i] = i;
        else if (o.place[i] == NO_NODE)
            place_from(&o, i);
    if (!o.stack) {
        free(o.place);
        o.place = NULL;
    }
    free(o.stack);
    return o.place;
}
