/* labels.c - labels of nodes, and the tables that find a node by label and by vector. See store.h.
 *
 * A node has one word: 0, its label, or minus the address of a list when it has several. */
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

typedef struct many { /* sorted */
    uint32_t n, room;
    int64_t at[];
} many;

static int64_t *word_of(const mp_index *ix, uint32_t node)
{
    return (int64_t *)(void *)ix->node_labels.at + node;
}

static many *list_of(int64_t word)
{
    return (many *)(uintptr_t)-word; /* addresses of user space are positive numbers */
}

label_list labels_of(const mp_index *ix, uint32_t node)
{
    const int64_t *word = word_of(ix, node);
    if (*word < 0)
        return (label_list){list_of(*word)->at, list_of(*word)->n};
    return (label_list){word, *word > 0};
}

/* ---- finding ---- */

static uint32_t hash_of_label(int64_t label)
{
    return (uint32_t)(mp_mix64((uint64_t)label) >> 32);
}

static bool has_label(const mp_index *ix, uint32_t node, int64_t label)
{
    label_list l = labels_of(ix, node);
    return mp_find_sorted(l.at, l.n, label) != SIZE_MAX;
}

static uint32_t find_label(const mp_index *ix, int64_t label, size_t *at)
{
    uint32_t hash = hash_of_label(label), node;
    *at = SIZE_MAX;
    while ((node = mp_table_next(&ix->by_label, hash, at)) != NO_NODE)
        if (has_label(ix, node, label))
            break;
    return node;
}

uint32_t mp_store_find_label(const mp_index *ix, int64_t label)
{
    size_t at;
    return find_label(ix, label, &at);
}

uint32_t mp_store_find_vector(const mp_index *ix, const row *r)
{
    size_t at = SIZE_MAX;
    uint32_t node;
    while ((node = mp_table_next(&ix->by_vector, r->hash, &at)) != NO_NODE)
        if (memcmp(ix->vectors.at + (size_t)node * ix->row_bytes, r->vector, ix->row_bytes) == 0)
            break;
    return node;
}

bool mp_store_note_vector(mp_index *ix, const row *r, uint32_t node)
{
    return mp_table_add(&ix->by_vector, r->hash, node);
}

/* ---- attaching ---- */

static size_t bytes_of_list(uint32_t n)
{
    return sizeof(many) + (size_t)n * sizeof(int64_t);
}

/* The list behind a word with room for one more; the room doubles, so that ten thousand equal
 * pictures do not copy their list each time. */
static many *with_room(mp_index *ix, int64_t word)
{
    many *old = word < 0 ? list_of(word) : NULL;
    if (old && old->n < old->room)
        return old;
    uint32_t before = old ? old->room : 0, room = old ? 2 * before : 2;
    many *l = realloc(old, bytes_of_list(room));
    if (!l)
        return NULL;
    ix->list_bytes += bytes_of_list(room) - (old ? bytes_of_list(before) : 0);
    l->room = room;
    if (!old) {
        l->n = 1;
        l->at[0] = word;
    }
    return l;
}

static bool add_to_list(mp_index *ix, int64_t *word, int64_t label)
{
    many *l = with_room(ix, *word);
    if (!l)
        return false;
    *word = -(int64_t)(uintptr_t)l;
    /* Kept sorted, so that ties come out by label; labels mostly grow. */
    uint32_t at = l->n;
    while (at > 0 && l->at[at - 1] > label)
        at--;
    memmove(l->at + at + 1, l->at + at, (l->n - at) * sizeof *l->at);
    l->at[at] = label;
    l->n++;
    return true;
}

bool mp_store_attach(mp_index *ix, int64_t label, uint32_t node)
{
    int64_t *word = word_of(ix, node);
    if (!mp_table_add(&ix->by_label, hash_of_label(label), node))
        return false;
    if (*word == 0) {
        *word = label;
        atomic_fetch_sub(&ix->n_dead, 1);
    } else if (!add_to_list(ix, word, label)) {
        return false; /* the slot in the table leads to a node without this label: never found */
    }
    ix->n_labels++;
    return true;
}

static void take_from_list(mp_index *ix, int64_t *word, int64_t label)
{
    many *l = list_of(*word);
    size_t at = mp_find_sorted(l->at, l->n, label);
    memmove(l->at + at, l->at + at + 1, (l->n - at - 1) * sizeof *l->at);
    if (--l->n > 1)
        return;
    *word = l->at[0];
    ix->list_bytes -= bytes_of_list(l->room);
    free(l);
}

void mp_store_detach(mp_index *ix, int64_t label, uint32_t node)
{
    int64_t *word = word_of(ix, node);
    size_t at;
    if (find_label(ix, label, &at) == node)
        mp_table_remove_at(&ix->by_label, at);
    if (*word > 0) {
        *word = 0;
        atomic_fetch_add(&ix->n_dead, 1);
    } else {
        take_from_list(ix, word, label);
    }
    ix->n_labels--;
}

void mp_store_free_labels(mp_index *ix)
{
    uint32_t n = ix->list_bytes ? atomic_load(&ix->n_nodes) : 0;
    for (uint32_t node = 0; node < n; node++)
        if (*word_of(ix, node) < 0)
            free(list_of(*word_of(ix, node)));
    mp_table_free(&ix->by_label);
    mp_table_free(&ix->by_vector);
    ix->n_labels = ix->list_bytes = 0;
}
