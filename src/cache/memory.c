/* memory.c - the cache in memory: a table with chains, and a list by last use. See cache.h. */
#include "cache/cache.h"

#include "base/os.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 };

typedef struct entry {
    struct entry *chain;         /* of its slot */
    struct entry *newer, *older; /* by last use */
    uint64_t hash;
    size_t key_n, value_n;
    uint8_t bytes[]; /* the key, then the value */
} entry;

struct mp_cache {
    pthread_mutex_t mutex; /* guards all below */
    entry **slot;
    size_t n_slots; /* a power of two */
    entry *newest, *oldest;
    size_t max_bytes;
    uint64_t seed;
    mp_cache_stats stats;
};

mp_cache *mp_cache_new(size_t max_bytes)
{
    mp_cache *c = mp_xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->mutex, NULL);
    c->max_bytes = MP_MAX(max_bytes, (size_t)4096);
    c->n_slots = FIRST_SLOTS;
    c->slot = mp_xcalloc(c->n_slots, sizeof *c->slot);
    mp_random_bytes(&c->seed, sizeof c->seed); /* nobody outside knows which keys share a chain */
    return c;
}

void mp_cache_free(mp_cache *c)
{
    if (!c)
        return;
    for (entry *e = c->newest; e;) {
        entry *next = e->older;
        free(e);
        e = next;
    }
    free(c->slot);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

static size_t size_of(const entry *e)
{
    return sizeof *e + e->key_n + e->value_n;
}

static entry **place_of(mp_cache *c, mp_span key, uint64_t hash)
{
    entry **at = &c->slot[hash & (c->n_slots - 1)];
    while (*at && ((*at)->hash != hash || (*at)->key_n != key.n ||
                   memcmp((*at)->bytes, key.p, key.n) != 0))
        at = &(*at)->chain;
    return at;
}

static void unlink_use(mp_cache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(mp_cache *c, entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop(mp_cache *c, entry **at)
{
    entry *e = *at;
    *at = e->chain;
    unlink_use(c, e);
    c->stats.bytes -= size_of(e);
    c->stats.entries--;
    free(e);
}

static void grow(mp_cache *c)
{
    size_t n = c->n_slots * 2;
    entry **slot = mp_xcalloc(n, sizeof *slot);
    for (entry *e = c->newest; e; e = e->older) {
        entry **at = &slot[e->hash & (n - 1)];
        e->chain = *at;
        *at = e;
    }
    free(c->slot);
    c->slot = slot;
    c->n_slots = n;
}

bool mp_cache_get(mp_cache *c, mp_span key, mp_buf *out)
{
    pthread_mutex_lock(&c->mutex);
    entry *e = *place_of(c, key, mp_checksum64(key.p, key.n, c->seed));
    if (e) {
        c->stats.hits++;
        unlink_use(c, e);
        link_newest(c, e);
        mp_buf_add(out, e->bytes + e->key_n, e->value_n);
    } else {
        c->stats.misses++;
    }
    pthread_mutex_unlock(&c->mutex);
    return e != NULL;
}

void mp_cache_put(mp_cache *c, mp_span key, mp_span value)
{
    size_t size = sizeof(entry) + key.n + value.n;
    uint64_t hash = mp_checksum64(key.p, key.n, c->seed);
    if (size > c->max_bytes / 4)
        return;
    entry *e = malloc(size);
    if (!e)
        return; /* it will be computed again */
    *e = (entry){.hash = hash, .key_n = key.n, .value_n = value.n};
    memcpy(e->bytes, key.p, key.n);
    if (value.n)
        memcpy(e->bytes + key.n, value.p, value.n);
    pthread_mutex_lock(&c->mutex);
    entry **at = place_of(c, key, hash);
    if (*at)
        drop(c, at);
    while (c->oldest && c->stats.bytes + size > c->max_bytes) {
        const entry *last = c->oldest;
        drop(c, place_of(c, (mp_span){last->bytes, last->key_n}, last->hash));
        c->stats.evicted++;
    }
    if (c->stats.entries >= c->n_slots)
        grow(c);
    at = &c->slot[hash & (c->n_slots - 1)];
    e->chain = *at;
    *at = e;
    link_newest(c, e);
    c->stats.bytes += size;
    c->stats.entries++;
    pthread_mutex_unlock(&c->mutex);
}

mp_cache_stats mp_cache_stats_get(mp_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    mp_cache_stats stats = c->stats;
    pthread_mutex_unlock(&c->mutex);
    return stats;
}
