/* store.c - nodes and the regions that they lie in. See store.h. */
#include "index/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Addresses that one index may reserve; a thread sanitizer has few. */
#if defined(__SANITIZE_THREAD__)
#define MOST_RESERVED ((size_t)16 << 30)
#else
#define MOST_RESERVED ((size_t)256 << 30)
#endif

enum { LINE = 64, LEAST_NODES = 1 << 16 };

/* ---- regions ---- */

/* With each region the bytes that a node has in it; on upper levels a share: with m = 2, every
 * second node has one, and one in 2^l has l of them. */
typedef struct part {
    mp_region *region;
    size_t bytes;
    size_t most; /* it may come to be */
} part;
enum { PARTS = 8, PER_NODE = 7 };

static void parts_of(mp_index *ix, part parts[PARTS])
{
    size_t m = (size_t)ix->opt.m, coded = ix->code_bytes ? sizeof(coding) : 0;
    const part all[PARTS] = {
        {&ix->vectors, ix->row_bytes, 0},
        {&ix->codes, ix->code_bytes, 0},
        {&ix->codings, coded, 0},
        {&ix->node_labels, sizeof(int64_t), 0},
        {&ix->links, ix->graph ? 2 * m * sizeof(link_t) : 0, 0},
        {&ix->uppers, ix->graph ? sizeof(uint32_t) : 0, 0},
        {&ix->sketches, ix->sketch.bytes, ix->graph && ix->code_bytes ? MP_SKETCH_MOST : 0},
        {&ix->upper_links, ix->graph ? (2 + 2 * m / (m - 1)) * sizeof(link_t) : 0, 0},
    };
    memcpy(parts, all, sizeof all);
    for (size_t i = 0; i < PARTS; i++)
        parts[i].most = MP_MAX(parts[i].most, parts[i].bytes);
}

/* A file for the vectors; without one (a folder that may not be written) they stay in memory. */
static int file_of(const mp_index *ix)
{
    int fd = -1;
    mp_why why;
    if (ix->folder && mp_temp_file(ix->folder, &fd, &why)) {
        mp_log(MP_LOG_INFO, "vectors stay in memory: %s", why.text);
        fd = -1;
    }
    return fd;
}

static bool reserve_for(mp_index *ix, size_t nodes)
{
    part parts[PARTS];
    parts_of(ix, parts);
    bool all = true;
    for (size_t i = 0; i < PARTS && all; i++)
        if (parts[i].most)
            all = mp_region_reserve(parts[i].region, nodes * parts[i].most,
                                    parts[i].region == &ix->vectors ? file_of(ix) : -1);
    if (!all)
        mp_store_release(ix);
    return all;
}

/* Where addresses are limited, they are for more than one index. */
static size_t most_reserved(void)
{
    enum { SHARE = 8 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return MOST_RESERVED;
    return (size_t)MP_MIN(limit.rlim_cur / SHARE, (rlim_t)MOST_RESERVED);
}

bool mp_store_reserve(mp_index *ix)
{
    part parts[PARTS];
    size_t bytes = 0, nodes = MAX_NODES, most = most_reserved();
    parts_of(ix, parts);
    for (size_t i = 0; i < PARTS; i++)
        bytes += parts[i].most;
    while (nodes > LEAST_NODES && nodes * bytes > most)
        nodes /= 2;
    while (!reserve_for(ix, nodes)) /* a limit on addresses: a smaller index will do */
        if ((nodes /= 2) < LEAST_NODES)
            return false;
    ix->max_nodes = (uint32_t)nodes;
    return true;
}

static mp_err grow_for(mp_index *ix, uint32_t node, int level, mp_why *why)
{
    part parts[PARTS];
    mp_err err = MP_OK;
    if (node >= ix->max_nodes)
        return mp_fail(why, MP_NOMEM, "an index has room for %u vectors", ix->max_nodes);
    parts_of(ix, parts);
    for (size_t i = 0; i < PER_NODE && !err; i++)
        if (parts[i].bytes)
            err = mp_region_grow(parts[i].region, ((size_t)node + 1) * parts[i].bytes, why);
    size_t words = MP_MAX(ix->n_upper, 1u) + 1 + (size_t)level * (size_t)ix->opt.m;
    if (!err && level > 0)
        err = mp_region_grow(&ix->upper_links, words * sizeof(link_t), why);
    return err;
}

void mp_store_clear(mp_index *ix)
{
    part parts[PARTS];
    parts_of(ix, parts);
    mp_store_free_labels(ix);
    mp_sketch_drop(ix);
    for (size_t i = 0; i < PARTS; i++)
        mp_region_empty(parts[i].region);
    ix->n_upper = 0;
    atomic_store(&ix->n_nodes, 0);
    atomic_store(&ix->n_dead, 0);
    atomic_store(&ix->entry, NO_NODE);
    atomic_store(&ix->top_level, -1);
}

void mp_store_release(mp_index *ix)
{
    part parts[PARTS];
    parts_of(ix, parts);
    for (size_t i = 0; i < PARTS; i++)
        mp_region_release(parts[i].region);
}

void mp_store_measure(const mp_index *ix, mp_index_bytes *b)
{
    part parts[PARTS];
    mp_index *growing = (mp_index *)(uintptr_t)ix; /* locks are not part of what const promises */
    parts_of(growing, parts);
    b->heap += sizeof *ix + ix->list_bytes;
    b->heap += (ix->by_label.cap + ix->by_vector.cap) * sizeof(mp_table_slot);
    pthread_mutex_lock(&growing->grow);
    size_t n = atomic_load(&ix->n_nodes);
    for (size_t i = 0; i < PARTS; i++) {
        size_t used = i < PER_NODE ? n * parts[i].bytes : ix->n_upper * sizeof(link_t);
        if (parts[i].region->fd >= 0)
            b->mapped += parts[i].region->size;
        else
            b->heap += mp_region_memory(parts[i].region, used);
    }
    pthread_mutex_unlock(&growing->grow);
}

#define SWAP(type, field)                                                                          \
    do {                                                                                           \
        type held = a->field;                                                                      \
        a->field = b->field;                                                                       \
        b->field = held;                                                                           \
    } while (0)

void mp_store_swap(mp_index *a, mp_index *b)
{
    part of_a[PARTS], of_b[PARTS];
    parts_of(a, of_a);
    parts_of(b, of_b);
    for (size_t i = 0; i < PARTS; i++) {
        mp_region held = *of_a[i].region;
        *of_a[i].region = *of_b[i].region;
        *of_b[i].region = held;
    }
    SWAP(sketching, sketch);
    SWAP(mp_table, by_label);
    SWAP(mp_table, by_vector);
    SWAP(size_t, n_labels);
    SWAP(size_t, list_bytes);
    SWAP(uint32_t, max_nodes);
    SWAP(uint32_t, n_upper);
    SWAP(uint32_t, n_nodes);
    SWAP(uint32_t, n_dead);
    SWAP(uint32_t, entry);
    SWAP(int, top_level);
}

/* ---- rows ---- */

coding mp_code_vector(const mp_index *ix, const float *unit, int8_t *code)
{
    coding how = {0};
    how.scale = mp_encode(unit, (size_t)ix->opt.dims, ix->code_bytes, code, &how.error);
    how.shift = shift_of(code, ix->code_bytes);
    return how;
}

static size_t code_at(const mp_index *ix)
{
    return (ix->row_bytes + LINE - 1) / LINE * LINE;
}

/* The floats that f16 stands for, which are what code and sketch are of. */
static size_t rounded_at(const mp_index *ix)
{
    return code_at(ix) + ix->code_bytes + MP_SKETCH_MOST;
}

size_t mp_store_row_room(const mp_index *ix)
{
    return rounded_at(ix) + (ix->half ? (size_t)ix->opt.dims * sizeof(float) : 0);
}

row mp_store_make_row(const mp_index *ix, const float *unit, uint8_t *room)
{
    uint8_t *code = room + code_at(ix), *sketch = code + ix->code_bytes;
    row r = {.vector = room, .code = code, .sketch = sketch};
    size_t dims = (size_t)ix->opt.dims;
    if (ix->half) {
        float *rounded = (float *)(void *)(room + rounded_at(ix));
        mp_to_half(unit, dims, (uint16_t *)(void *)room);
        mp_from_half((const uint16_t *)(const void *)room, dims, rounded);
        unit = rounded;
    } else {
        memcpy(room, unit, ix->row_bytes);
    }
    r.hash = (uint32_t)(mp_mix64(mp_checksum64(room, ix->row_bytes, 0)) >> 32);
    if (!ix->code_bytes)
        return r;
    r.how = mp_code_vector(ix, unit, (int8_t *)code);
    for (size_t i = 0; i < ix->code_bytes; i++)
        code[i] ^= 0x80; /* c + 128, see simd/distance.h */
    if (ix->sketch.bytes)
        mp_sketch_row(ix, unit, sketch);
    return r;
}

const float *mp_store_vector(const mp_index *ix, uint32_t node, float *room)
{
    if (!ix->half)
        return vector_of(ix, node);
    mp_from_half(half_vector_of(ix, node), (size_t)ix->opt.dims, room);
    return room;
}

/* ---- nodes ---- */

/* Geometric levels with mean 1 / ln(m) (section 4.1 of the paper), from the node's number, so that
 * the same input gives the same levels whatever the threads do. */
int mp_store_random_level(const mp_index *ix, uint32_t node)
{
    mp_rng rng = {ix->opt.seed ^ ((uint64_t)node + 1) * 0x9E3779B97F4A7C15u};
    double u = 1 - mp_rng_unit(&rng);
    return MP_MIN((int)(-log(u) / log(ix->opt.m)), MAX_LEVEL);
}

static void put_row(mp_index *ix, uint32_t node, const row *r)
{
    memcpy(ix->vectors.at + (size_t)node * ix->row_bytes, r->vector, ix->row_bytes);
    if (!ix->code_bytes)
        return;
    memcpy(ix->codes.at + (size_t)node * ix->code_bytes, r->code, ix->code_bytes);
    ((coding *)(void *)ix->codings.at)[node] = r->how;
    if (ix->sketch.bytes)
        memcpy(ix->sketches.at + (size_t)node * ix->sketch.bytes, r->sketch, ix->sketch.bytes);
}

static void put_level(mp_index *ix, uint32_t node, int level)
{
    if (level == 0)
        return;                            /* fresh memory is zero */
    uint32_t at = MP_MAX(ix->n_upper, 1u); /* 0 stands for none */
    ((uint32_t *)(void *)ix->uppers.at)[node] = at;
    atomic_store_explicit((link_t *)(void *)ix->upper_links.at + at, (uint32_t)level,
                          memory_order_relaxed);
    ix->n_upper = at + 1 + (uint32_t)(level * ix->opt.m);
}

mp_err mp_store_new_node(mp_index *ix, const row *r, int level, uint32_t *node, mp_why *why)
{
    pthread_mutex_lock(&ix->grow);
    uint32_t next = atomic_load(&ix->n_nodes);
    if (level < 0)
        level = ix->graph ? mp_store_random_level(ix, next) : 0;
    mp_err err = grow_for(ix, next, level, why);
    if (!err) {
        put_row(ix, next, r);
        put_level(ix, next, level);
        *node = next;
        atomic_fetch_add(&ix->n_dead, 1); /* until a label is attached */
        atomic_store_explicit(&ix->n_nodes, next + 1, memory_order_release);
    }
    pthread_mutex_unlock(&ix->grow);
    return err;
}
