/* dedup_hash.c - multi-index hashing (Norouzi, Punjani & Fleet, 2012, arXiv 1307.2982) as a join.
 *
 * A hash of 64 bits is four parts of 16. If two hashes differ in at most r = 4q + s bits, one of
 * the first s + 1 parts differs in at most q bits, or one of the others in at most q - 1. So for
 * each part the pictures are sorted into 65,536 buckets, and each bucket of turned hashes is
 * compared with the few buckets near it, in cache. A pair that an earlier part has found already is
 * passed over.
 *
 * Pictures with equal hashes (all eight) are one *node*; only nodes are joined, and only from the
 * lower to the higher one. What would grow with the square is capped: a turned hash keeps at
 * most MAX_HITS neighbours per part, nearest buckets first; a node of more than DENSE members
 * links each with the first and the next few, not with all. Blank pictures and endlessly reposted
 * ones are such nodes; grouping joins them again through the first. */
#include "core/dedup_hash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 4, PART_BITS = 16, BUCKETS = 1 << PART_BITS, TURNS = 8 };
enum { MAX_HITS = 64, DENSE = 12, NEXT = 4, ACROSS = 4 };

typedef struct entry {
    uint64_t hash;
    uint32_t node;
    uint32_t turn;
} entry;

typedef struct table {
    uint32_t *start; /* BUCKETS + 1 */
    entry *entry;
} table;

typedef struct hits {
    mp_dedup_near *near;
    size_t n, cap;
    bool full; /* out of memory */
} hits;

typedef struct join {
    const mp_dedup_hash_input *in;
    size_t n_nodes;
    uint32_t *member; /* positions, node after node, rising within */
    uint32_t *first;  /* n_nodes + 1: where a node's members begin */
    int part, reach[PARTS];
    uint16_t *mask; /* differences of a part, by falling nearness */
    size_t n_masks[MP_DEDUP_MAX_RADIUS / PARTS + 1]; /* of at most so many bits */
    table turned, plain;
    hits *hits; /* per worker */
} join;

/* ---- popcount: an instruction where there is one; the baseline of x86-64 has none ---- */

typedef struct probe {
    const entry *query, *from, *to;
    int part;
    const int *reach;
    int radius;
} probe;

static inline int part_of(uint64_t hash, int part)
{
    return (int)(hash >> (part * PART_BITS) & (BUCKETS - 1));
}

/* Finds the next entry in [p->from, p->to) that is near and that no earlier part finds. */
#define DEFINE_NEXT_NEAR(name, attribute)                                                          \
    attribute static const entry *name(const probe *p, int *distance)                              \
    {                                                                                              \
        for (const entry *e = p->from; e < p->to; e++) {                                           \
            uint64_t differ = e->hash ^ p->query->hash;                                            \
            int bits = __builtin_popcountll(differ);                                               \
            if (bits > p->radius)                                                                  \
                continue;                                                                          \
            int part = 0;                                                                          \
            while (part < p->part &&                                                               \
                   __builtin_popcountll((uint64_t)part_of(differ, part)) > p->reach[part])         \
                part++;                                                                            \
            if (part < p->part)                                                                    \
                continue;                                                                          \
            *distance = bits;                                                                      \
            return e;                                                                              \
        }                                                                                          \
        return NULL;                                                                               \
    }

typedef const entry *(*next_near_fn)(const probe *p, int *distance);
DEFINE_NEXT_NEAR(next_near_plain, )
#if defined(__x86_64__)
DEFINE_NEXT_NEAR(next_near_popcnt, __attribute__((target("popcnt"))))
#endif

static next_near_fn next_near(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt"))
        return next_near_popcnt;
#endif
    return next_near_plain;
}

/* ---- nodes ---- */

static int by_hashes(const void *x, const void *y, void *context)
{
    const uint64_t(*phash)[8] = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    int order = memcmp(phash[a], phash[b], sizeof phash[a]);
    return order ? order : (a > b) - (a < b);
}

typedef struct span {
    uint32_t from, to;
} span;

static int by_first_member(const void *x, const void *y, void *context)
{
    const uint32_t *order = context;
    uint32_t a = order[((const span *)x)->from], b = order[((const span *)y)->from];
    return (a > b) - (a < b);
}

/* Fills member, first and n_nodes; nodes are in the order of their first members. */
static mp_err find_nodes(join *j, mp_why *why)
{
    size_t n = j->in->n, n_spans = 0, filled = 0;
    uint32_t *order = mp_try_array(n, sizeof *order);
    span *spans = mp_try_array(n, sizeof *spans);
    j->member = mp_try_array(n, sizeof *j->member);
    j->first = mp_try_array(n + 1, sizeof *j->first);
    mp_err err = order && spans && j->member && j->first
                     ? MP_OK
                     : mp_fail(why, MP_NOMEM, "no memory to compare %zu hashes", n);
    for (size_t i = 0; !err && i < n; i++)
        order[i] = (uint32_t)i;
    if (!err)
        qsort_r(order, n, sizeof *order, by_hashes, (void *)j->in->phash);
    for (size_t i = 0; !err && i < n; i++) {
        if (i == 0 || memcmp(j->in->phash[order[i - 1]], j->in->phash[order[i]], 64) != 0)
            spans[n_spans++].from = (uint32_t)i;
        spans[n_spans - 1].to = (uint32_t)i + 1;
    }
    if (!err)
        qsort_r(spans, n_spans, sizeof *spans, by_first_member, order);
    for (size_t k = 0; !err && k < n_spans; k++) {
        j->first[k] = (uint32_t)filled;
        for (uint32_t i = spans[k].from; i < spans[k].to; i++)
            j->member[filled++] = order[i];
    }
    if (!err)
        j->first[n_spans] = (uint32_t)filled;
    j->n_nodes = n_spans;
    free(spans);
    free(order);
    return err;
}

static const uint64_t *node_hashes(const join *j, size_t node)
{
    return j->in->phash[j->member[j->first[node]]];
}

/* ---- tables ---- */

static int bits_of(uint32_t v)
{
    return __builtin_popcount(v);
}

static mp_err fill_masks(join *j, mp_why *why)
{
    int most = j->in->radius / PARTS;
    size_t n = 0;
    j->mask = mp_try_array(BUCKETS, sizeof *j->mask);
    if (!j->mask)
        return mp_fail(why, MP_NOMEM, "no memory to compare hashes");
    for (int bits = 0; bits <= most; bits++) {
        for (uint32_t v = 0; v < BUCKETS; v++)
            if (bits_of(v) == bits)
                j->mask[n++] = (uint16_t)v;
        j->n_masks[bits] = n;
    }
    for (int part = 0; part < PARTS; part++)
        j->reach[part] = part <= j->in->radius % PARTS ? most : most - 1;
    return MP_OK;
}

static mp_err new_table(table *t, size_t n, mp_why *why)
{
    t->start = mp_try_array(BUCKETS + 1, sizeof *t->start);
    t->entry = mp_try_array(n, sizeof *t->entry);
    return t->start && t->entry ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to compare hashes");
}

/* Counting sort by part j->part: node after node within each bucket. */
static void fill_table(const join *j, int turns, table *t)
{
    memset(t->start, 0, (BUCKETS + 1) * sizeof *t->start);
    for (size_t node = 0; node < j->n_nodes; node++)
        for (int turn = 0; turn < turns; turn++)
            t->start[part_of(node_hashes(j, node)[turn], j->part) + 1]++;
    for (int b = 0; b < BUCKETS; b++)
        t->start[b + 1] += t->start[b];
    for (size_t node = 0; node < j->n_nodes; node++)
        for (int turn = 0; turn < turns; turn++) {
            uint64_t hash = node_hashes(j, node)[turn];
            t->entry[t->start[part_of(hash, j->part)]++] =
                (entry){.hash = hash, .node = (uint32_t)node, .turn = (uint32_t)turn};
        }
    memmove(t->start + 1, t->start, BUCKETS * sizeof *t->start);
    t->start[0] = 0;
}

/* ---- the join ---- */

static void note(hits *h, mp_dedup_near near)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 256;
        mp_dedup_near *more = realloc(h->near, cap * sizeof *more);
        if (!more) {
            h->full = true;
            return;
        }
        h->near = more;
        h->cap = cap;
    }
    h->near[h->n++] = near;
}

/* The first entry of the bucket whose node comes after `node`. */
static const entry *after_node(const table *t, int bucket, uint32_t node)
{
    const entry *low = t->entry + t->start[bucket], *high = t->entry + t->start[bucket + 1];
    while (low < high) {
        const entry *middle = low + (high - low) / 2;
        if (middle->node <= node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void join_query(const join *j, const entry *query, int bucket, next_near_fn next, hits *out)
{
    size_t masks = j->n_masks[j->reach[j->part]], found = 0;
    probe p = {.query = query, .part = j->part, .reach = j->reach, .radius = j->in->radius};
    for (size_t m = 0; m < masks && found < MAX_HITS; m++) {
        int near = bucket ^ j->mask[m], distance;
        p.from = after_node(&j->plain, near, query->node);
        p.to = j->plain.entry + j->plain.start[near + 1];
        const entry *e;
        while (found < MAX_HITS && (e = next(&p, &distance))) {
            note(out, (mp_dedup_near){.a = query->node,
                                      .b = e->node,
                                      .distance = (uint8_t)distance,
                                      .turn = (uint8_t)query->turn});
            found++;
            p.from = e + 1;
        }
    }
}

static void join_bucket(void *context, int worker, size_t bucket)
{
    const join *j = context;
    next_near_fn next = next_near();
    for (uint32_t i = j->turned.start[bucket]; i < j->turned.start[bucket + 1]; i++)
        join_query(j, &j->turned.entry[i], (int)bucket, next, &j->hits[worker]);
}

static mp_err join_all(join *j, mp_why *why)
{
    mp_err err = new_table(&j->turned, j->n_nodes * TURNS, why);
    if (!err)
        err = new_table(&j->plain, j->n_nodes, why);
    for (j->part = 0; !err && j->part < PARTS; j->part++) {
        if (j->reach[j->part] < 0)
            continue;
        fill_table(j, TURNS, &j->turned);
        fill_table(j, 1, &j->plain);
        mp_dedup_steps steps = {.n = BUCKETS,
                                .batch = 64,
                                .workers = j->in->workers,
                                .step = join_bucket,
                                .context = j,
                                .stop = j->in->stop,
                                .stop_context = j->in->stop_context};
        err = mp_dedup_parallel(&steps, why);
    }
    return err;
}

/* ---- from nodes to pictures ---- */

static void pair_up(hits *out, uint32_t a, uint32_t b, int distance, int turn)
{
    note(out, (mp_dedup_near){.a = MP_MIN(a, b),
                              .b = MP_MAX(a, b),
                              .distance = (uint8_t)distance,
                              .turn = (uint8_t)turn});
}

static void pairs_within(const join *j, size_t node, hits *out)
{
    const uint32_t *m = j->member + j->first[node];
    size_t n = j->first[node + 1] - j->first[node];
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n && (n <= DENSE || k <= i + NEXT); k++)
            pair_up(out, m[i], m[k], 0, 0);
    for (size_t k = NEXT + 1; n > DENSE && k < n; k++)
        pair_up(out, m[0], m[k], 0, 0);
}

static void pairs_across(const join *j, const mp_dedup_near *near, hits *out)
{
    const uint32_t *a = j->member + j->first[near->a], *b = j->member + j->first[near->b];
    size_t na = j->first[near->a + 1] - j->first[near->a];
    size_t nb = j->first[near->b + 1] - j->first[near->b];
    for (size_t i = 0; i < MP_MIN(na, (size_t)ACROSS); i++)
        for (size_t k = 0; k < MP_MIN(nb, (size_t)ACROSS); k++)
            pair_up(out, a[i], b[k], near->distance, near->turn);
}

static int by_pair(const void *x, const void *y)
{
    const mp_dedup_near *a = x, *b = y;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    if (a->b != b->b)
        return a->b < b->b ? -1 : 1;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->turn > b->turn) - (a->turn < b->turn);
}

/* Sorts and leaves each pair once, its least distance. */
static void tidy(hits *h)
{
    size_t kept = 0;
    if (h->n)
        qsort(h->near, h->n, sizeof *h->near, by_pair);
    for (size_t i = 0; i < h->n; i++)
        if (kept == 0 || h->near[kept - 1].a != h->near[i].a || h->near[kept - 1].b != h->near[i].b)
            h->near[kept++] = h->near[i];
    h->n = kept;
}

static mp_err collect(join *j, mp_dedup_near **out, size_t *n, mp_why *why)
{
    hits all = {0}, pairs = {0};
    for (int w = 0; w < j->in->workers; w++) {
        all.full |= j->hits[w].full;
        for (size_t i = 0; i < j->hits[w].n; i++)
            note(&all, j->hits[w].near[i]);
        free(j->hits[w].near);
        j->hits[w] = (hits){0};
    }
    tidy(&all);
    for (size_t node = 0; node < j->n_nodes; node++)
        pairs_within(j, node, &pairs);
    for (size_t i = 0; i < all.n; i++)
        pairs_across(j, &all.near[i], &pairs);
    tidy(&pairs);
    free(all.near);
    if (all.full || pairs.full) {
        free(pairs.near);
        return mp_fail(why, MP_NOMEM, "no memory for the pairs of near hashes");
    }
    *out = pairs.near;
    *n = pairs.n;
    return MP_OK;
}

mp_err mp_dedup_hash_pairs(const mp_dedup_hash_input *in, mp_dedup_near **out, size_t *n,
                           mp_why *why)
{
    join j = {.in = in};
    *out = NULL;
    *n = 0;
    if (in->radius < 0 || in->radius > MP_DEDUP_MAX_RADIUS || in->n >= UINT32_MAX)
        return mp_fail(why, MP_INVALID, "a hash radius lies between 0 and %d", MP_DEDUP_MAX_RADIUS);
    j.hits = mp_xcalloc((size_t)in->workers, sizeof *j.hits);
    mp_err err = find_nodes(&j, why);
    if (!err)
        err = fill_masks(&j, why);
    if (!err)
        err = join_all(&j, why);
    if (!err)
        err = collect(&j, out, n, why);
    for (int w = 0; w < in->workers; w++)
        free(j.hits[w].near);
    free(j.hits);
    free(j.turned.start);
    free(j.turned.entry);
    free(j.plain.start);
    free(j.plain.entry);
    free(j.mask);
    free(j.first);
    free(j.member);
    return err;
}
