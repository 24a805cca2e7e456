/* table.c - see table.h. A slot's place comes from its hash alone, scaled to any capacity: tables
 * grow by a half, so that no more than half of one is ever empty. */
#include "index/table.h"

#include <stdlib.h>

#define REMOVED (NO_NODE - 1)

static size_t home(const mp_table *t, uint32_t hash)
{
    return (size_t)((uint64_t)hash * t->cap >> 32);
}

static size_t after(const mp_table *t, size_t at)
{
    return at + 1 == t->cap ? 0 : at + 1;
}

static void put(mp_table *t, mp_table_slot s)
{
    size_t at = home(t, s.hash);
    while (t->slots[at].node < REMOVED)
        at = after(t, at);
    t->used += t->slots[at].node == NO_NODE;
    t->slots[at] = s;
}

static bool grow(mp_table *t)
{
    size_t living = 0;
    for (size_t i = 0; i < t->cap; i++)
        living += t->slots[i].node < REMOVED;
    mp_table next = {.cap = MP_MAX(living + living * 4 / 5, (size_t)64)};
    next.slots = mp_try_array(next.cap, sizeof *next.slots);
    if (!next.slots)
        return false;
    for (size_t i = 0; i < next.cap; i++)
        next.slots[i].node = NO_NODE;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].node < REMOVED)
            put(&next, t->slots[i]);
    free(t->slots);
    *t = next;
    return true;
}

bool mp_table_add(mp_table *t, uint32_t hash, uint32_t node)
{
    if (t->used * 5 >= t->cap * 4 && !grow(t))
        return false;
    put(t, (mp_table_slot){hash, node});
    return true;
}

uint32_t mp_table_next(const mp_table *t, uint32_t hash, size_t *at)
{
    if (!t->cap)
        return NO_NODE;
    size_t i = *at == SIZE_MAX ? home(t, hash) : after(t, *at);
    for (; t->slots[i].node != NO_NODE; i = after(t, i))
        if (t->slots[i].node != REMOVED && t->slots[i].hash == hash) {
            *at = i;
            return t->slots[i].node;
        }
    return NO_NODE;
}

void mp_table_remove_at(mp_table *t, size_t at)
{
    t->slots[at].node = REMOVED;
}

void mp_table_free(mp_table *t)
{
    free(t->slots);
    *t = (mp_table){0};
}
