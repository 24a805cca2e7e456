/* dedup_hash.c - multi-index hashing (Norouzi, Punjani & Fleet, arXiv 1307.2982). See dedup_hash.h. */
#include "core/dedup_hash.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 8, VALUES = 256, BUCKET_MAX = 512 };

bool mp_pair_add(mp_pair_list *list, size_t a, size_t b, float score)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 1024;
        mp_pair *more = realloc(list->pair, cap * sizeof *more);
        if (!more)
            return false;
        list->pair = more;
        list->cap = cap;
    }
    list->pair[list->n++] =
        (mp_pair){.a = MP_MIN(a, b), .b = MP_MAX(a, b), .score = score};
    return true;
}

static int by_place(const void *a, const void *b)
{
    const mp_pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    return (x->score < y->score) - (x->score > y->score);
}

void mp_pair_unique(mp_pair_list *list)
{
    size_t kept = 0;
    if (list->n)
        qsort(list->pair, list->n, sizeof *list->pair, by_place);
    for (size_t i = 0; i < list->n; i++) {
        const mp_pair *p = &list->pair[i];
        if (kept && list->pair[kept - 1].a == p->a && list->pair[kept - 1].b == p->b)
            continue;
        list->pair[kept++] = *p;
    }
    list->n = kept;
}

static unsigned part_of(uint64_t hash, int part)
{
    return (unsigned)(hash >> (8 * part)) & 0xFF;
}

/* Positions sorted by the value of one part of their identity hash; start[v] where v begins. */
static void fill_buckets(const uint64_t (*phash)[8], size_t n, int part, uint32_t *order,
                         size_t start[VALUES + 1])
{
    size_t at[VALUES];
    memset(start, 0, (VALUES + 1) * sizeof *start);
    for (size_t i = 0; i < n; i++)
        start[part_of(phash[i][0], part) + 1]++;
    for (int v = 0; v < VALUES; v++)
        start[v + 1] += start[v];
    memcpy(at, start, sizeof at);
    for (size_t i = 0; i < n; i++)
        order[at[part_of(phash[i][0], part)]++] = (uint32_t)i;
}

static bool probe(const uint64_t (*phash)[8], size_t j, int turn, const uint32_t *order,
                  const size_t *start, unsigned value, int radius, mp_pair_list *out)
{
    size_t end = MP_MIN(start[value + 1], start[value] + BUCKET_MAX);
    for (size_t k = start[value]; k < end; k++) {
        size_t i = order[k];
        int bits = mp_hamming64(phash[i][0], phash[j][turn]);
        if (i != j && bits <= radius && !mp_pair_add(out, i, j, 1 - (float)bits / 64))
            return false;
    }
    return true;
}

/* For large libraries a byte's bucket is large too: then parts must agree exactly, which finds all
 * within 7 bits and most within the radius. */
mp_err mp_hash_pairs(const uint64_t (*phash)[8], size_t n, int radius, mp_pair_list *out,
                     mp_why *why)
{
    uint32_t *order = mp_try_array(n, sizeof *order);
    size_t start[VALUES + 1];
    bool whole = order != NULL, near = n / VALUES < BUCKET_MAX;
    for (int part = 0; whole && part < PARTS; part++) {
        fill_buckets(phash, n, part, order, start);
        for (size_t j = 0; whole && j < n; j++)
            for (int turn = 0; whole && turn < 8; turn++) {
                unsigned value = part_of(phash[j][turn], part);
                whole = probe(phash, j, turn, order, start, value, radius, out);
                for (int bit = 0; whole && near && bit < 8; bit++)
                    whole = probe(phash, j, turn, order, start, value ^ (1u << bit), radius, out);
            }
        mp_pair_unique(out);
    }
    free(order);
    return whole ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to compare hashes");
}
