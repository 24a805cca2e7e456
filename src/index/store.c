/* store.c - nodes, labels and the two tables that find them. See store.h. */
#include "index/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REMOVED (NO_NODE - 1)

/* ---- tables ---- */

static bool table_grow(table *t)
{
    size_t cap = t->cap ? t->cap : 64, living = 0;
    for (size_t i = 0; i < t->cap; i++)
        living += t->slots[i].node < REMOVED;
    while (cap < living * 4)
        cap *= 2;
    slot *slots = mp_try_array(cap, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < cap; i++)
        slots[i].node = NO_NODE;
    for (size_t i = 0; i < t->cap; i++) {
        if (t->slots[i].node >= REMOVED)
            continue;
        size_t at = mp_mix64(t->slots[i].key) & (cap - 1);
        while (slots[at].node != NO_NODE)
            at = (at + 1) & (cap - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    *t = (table){slots, cap, living};
    return true;
}

static bool table_add(table *t, uint64_t key, uint32_t node)
{
    if (t->used * 4 >= t->cap * 3 && !table_grow(t))
        return false;
    size_t at = mp_mix64(key) & (t->cap - 1);
    while (t->slots[at].node < REMOVED)
        at = (at + 1) & (t->cap - 1);
    t->used += t->slots[at].node == NO_NODE;
    t->slots[at] = (slot){key, node};
    return true;
}

static slot *table_label(const table *t, int64_t label)
{
    if (!t->cap)
        return NULL;
    size_t at = mp_mix64((uint64_t)label) & (t->cap - 1);
    for (; t->slots[at].node != NO_NODE; at = (at + 1) & (t->cap - 1))
        if (t->slots[at].node != REMOVED && t->slots[at].key == (uint64_t)label)
            return &t->slots[at];
    return NULL;
}

uint32_t mp_store_find_label(const mp_index *ix, int64_t label)
{
    const slot *s = table_label(&ix->by_label, label);
    return s ? s->node : NO_NODE;
}

static uint64_t vector_key(const mp_index *ix, const float *v)
{
    return mp_checksum64(v, (size_t)ix->opt.dims * sizeof *v, 0);
}

uint32_t mp_store_find_vector(const mp_index *ix, const float *vector)
{
    const table *t = &ix->by_vector;
    uint64_t key = vector_key(ix, vector);
    if (!t->cap)
        return NO_NODE;
    for (size_t at = mp_mix64(key) & (t->cap - 1); t->slots[at].node != NO_NODE;
         at = (at + 1) & (t->cap - 1))
        if (t->slots[at].node != REMOVED && t->slots[at].key == key &&
            memcmp(vector_of(ix, t->slots[at].node), vector,
                   (size_t)ix->opt.dims * sizeof *vector) == 0)
            return t->slots[at].node;
    return NO_NODE;
}

bool mp_store_note_vector(mp_index *ix, uint32_t node)
{
    return table_add(&ix->by_vector, vector_key(ix, vector_of(ix, node)), node);
}

/* ---- labels ---- */

static int by_label(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

bool mp_store_attach(mp_index *ix, int64_t label, uint32_t node)
{
    label_list *l = labels_of(ix, node);
    if (l->n >= 1) {
        /* Powers of two, so that ten thousand equal pictures do not copy their list each time. */
        bool full = l->n == 1 || (l->n & (l->n - 1)) == 0;
        if (full) {
            int64_t *more = realloc(l->many, (size_t)l->n * 2 * sizeof *more);
            if (!more)
                return false;
            if (l->n == 1)
                more[0] = l->one;
            l->many = more;
        }
        l->many[l->n] = label;
    } else {
        l->one = label;
    }
    if (!table_add(&ix->by_label, (uint64_t)label, node))
        return false;
    if (l->n++ == 0)
        atomic_fetch_sub(&ix->n_dead, 1);
    ix->n_labels++;
    /* Kept sorted, so that ties come out by label; appends of growing labels are sorted already. */
    if (l->n > 1 && l->many[l->n - 2] > label)
        qsort(l->many, l->n, sizeof *l->many, by_label);
    return true;
}

void mp_store_detach(mp_index *ix, int64_t label, uint32_t node)
{
    label_list *l = labels_of(ix, node);
    slot *s = table_label(&ix->by_label, label);
    if (s)
        s->node = REMOVED;
    if (l->n == 1) {
        l->n = 0;
        atomic_fetch_add(&ix->n_dead, 1);
    } else {
        uint32_t at = 0;
        while (at < l->n && l->many[at] != label)
            at++;
        memmove(l->many + at, l->many + at + 1, (l->n - at - 1) * sizeof *l->many);
        l->n--;
        if (l->n == 1) {
            l->one = l->many[0];
            free(l->many);
            l->many = NULL;
        }
    }
    ix->n_labels--;
}

/* ---- nodes ---- */

static void free_chunk(chunk *c)
{
    free(c->vectors);
    free(c->codes);
    free(c->coding);
    free(c->links);
    free(c);
}

static void *aligned_rows(size_t row_bytes)
{
    return aligned_alloc(64, (CHUNK * row_bytes + 63) / 64 * 64);
}

static chunk *new_chunk(const mp_index *ix)
{
    chunk *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->vectors = aligned_rows((size_t)ix->opt.dims * sizeof *c->vectors);
    if (ix->code_bytes) {
        c->codes = aligned_rows(ix->code_bytes);
        c->coding = calloc(CHUNK, sizeof *c->coding);
    }
    if (ix->graph)
        c->links = calloc((size_t)CHUNK * (1 + 2 * (size_t)ix->opt.m), sizeof *c->links);
    if (!c->vectors || (ix->code_bytes && (!c->codes || !c->coding)) || (ix->graph && !c->links)) {
        free_chunk(c);
        return NULL;
    }
    return c;
}

coding mp_code_vector(const mp_index *ix, const float *unit, int8_t *code)
{
    coding how = {0};
    how.scale = mp_encode(unit, (size_t)ix->opt.dims, ix->code_bytes, code, &how.error);
    const size_t n = ix->code_bytes;
    for (size_t i = 0; i < n; i++)
        how.shift += 128 * code[i];
    return how;
}

static void put_vector(const mp_index *ix, chunk *c, size_t at, const float *vector)
{
    size_t dims = (size_t)ix->opt.dims;
    memcpy(c->vectors + at * dims, vector, dims * sizeof *vector);
    if (!ix->code_bytes)
        return;
    uint8_t *code = c->codes + at * ix->code_bytes;
    c->coding[at] = mp_code_vector(ix, vector, (int8_t *)code);
    for (size_t i = 0; i < ix->code_bytes; i++)
        code[i] ^= 0x80; /* c + 128, see simd/distance.h */
}

/* Geometric levels with mean 1 / ln(m) (section 4.1 of the paper), from the node's number, so that
 * the same input gives the same levels whatever the threads do. */
int mp_store_random_level(const mp_index *ix, uint32_t node)
{
    mp_rng rng = {ix->opt.seed ^ ((uint64_t)node + 1) * 0x9E3779B97F4A7C15u};
    double u = 1 - mp_rng_unit(&rng);
    return MP_MIN((int)(-log(u) / log(ix->opt.m)), MAX_LEVEL);
}

uint32_t mp_store_new_node(mp_index *ix, const float *vector, int level)
{
    uint32_t node = NO_NODE;
    pthread_mutex_lock(&ix->grow);
    uint32_t next = atomic_load(&ix->n_nodes), at = next % CHUNK;
    if (next / CHUNK >= MAX_CHUNKS)
        goto done;
    chunk *c = chunk_of(ix, next);
    if (!c) {
        c = new_chunk(ix);
        if (!c)
            goto done;
        atomic_store_explicit(&ix->chunks[next / CHUNK], c, memory_order_release);
    }
    if (level < 0)
        level = ix->graph ? mp_store_random_level(ix, next) : 0;
    if (level > 0) {
        c->upper[at] = calloc((size_t)level * (1 + (size_t)ix->opt.m), sizeof(link_t));
        if (!c->upper[at])
            goto done;
    }
    put_vector(ix, c, at, vector);
    c->level[at] = (uint8_t)level;
    c->labels[at] = (label_list){0};
    node = next;
    atomic_fetch_add(&ix->n_dead, 1); /* until a label is attached */
    atomic_store_explicit(&ix->n_nodes, next + 1, memory_order_release);
done:
    pthread_mutex_unlock(&ix->grow);
    return node;
}

void mp_store_clear(mp_index *ix)
{
    for (size_t i = 0; i < MAX_CHUNKS; i++) {
        chunk *c = atomic_load(&ix->chunks[i]);
        if (!c)
            break;
        for (size_t k = 0; k < CHUNK; k++) {
            free(c->upper[k]);
            free(c->labels[k].many);
        }
        free_chunk(c);
        atomic_store(&ix->chunks[i], NULL);
    }
    free(ix->by_label.slots);
    free(ix->by_vector.slots);
    ix->by_label = ix->by_vector = (table){0};
    ix->n_labels = 0;
    atomic_store(&ix->n_nodes, 0);
    atomic_store(&ix->n_dead, 0);
    atomic_store(&ix->entry, NO_NODE);
    atomic_store(&ix->top_level, -1);
}
