/* pairs_same.c - rows that are bit for bit the same: found, counted as one, and given their
 * neighbours back. Without it a library of copies would have nothing to rule out. See
 * pairs_parts.h.
 */
#include "index/pairs_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct hashed {
    uint64_t hash;
    uint32_t at;
} hashed;

static int by_hash(const void *a, const void *b)
{
    const hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* first[i]: the earliest row that equals row i. */
static void find_firsts(const mp_pairs_input *in, const hashed *order, uint32_t *first)
{
    size_t bytes = in->dims * sizeof(float), run = 0;
    for (size_t i = 0; i < in->n; i++) {
        uint32_t at = order[i].at;
        if (order[i].hash != order[run].hash)
            run = i;
        first[at] = at;
        for (size_t j = run; j < i; j++)
            if (first[order[j].at] == order[j].at &&
                memcmp(in->row[order[j].at], in->row[at], bytes) == 0) {
                first[at] = order[j].at;
                break;
            }
    }
}

/* A counting sort of the rows by their distinct numbers. */
static void list_members(pairs_same *s, size_t n)
{
    memset(s->first, 0, (s->n_distinct + 1) * sizeof *s->first);
    for (size_t i = 0; i < n; i++)
        s->first[s->number[i] + 1]++;
    for (size_t d = 0; d < s->n_distinct; d++)
        s->first[d + 1] += s->first[d];
    for (size_t i = n; i-- > 0;)
        s->member[--s->first[s->number[i] + 1]] = (uint32_t)i;
    memmove(s->first, s->first + 1, s->n_distinct * sizeof *s->first);
    s->first[s->n_distinct] = (uint32_t)n;
}

mp_err mp_pairs_find_same(const mp_pairs_input *in, pairs_same *out, mp_why *why)
{
    hashed *order = mp_try_array(in->n, sizeof *order);
    uint32_t *first = mp_try_array(in->n, sizeof *first);
    *out = (pairs_same){.number = mp_try_array(in->n, sizeof(uint32_t)),
                        .first = mp_try_array(in->n + 1, sizeof(uint32_t)),
                        .member = mp_try_array(in->n, sizeof(uint32_t))};
    bool ok = order && first && out->number && out->first && out->member;
    for (size_t i = 0; ok && i < in->n; i++)
        order[i] = (hashed){mp_checksum64(in->row[i], in->dims * sizeof(float), 0), (uint32_t)i};
    if (ok) {
        qsort(order, in->n, sizeof *order, by_hash);
        find_firsts(in, order, first);
        for (size_t i = 0; i < in->n; i++)
            out->number[i] = first[i] == i ? (uint32_t)out->n_distinct++ : out->number[first[i]];
        list_members(out, in->n);
    }
    free(order);
    free(first);
    return ok ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu rows", in->n);
}

void mp_pairs_free_same(pairs_same *s)
{
    free(s->number);
    free(s->first);
    free(s->member);
}

static int by_score_then_label(const void *a, const void *b)
{
    const mp_neighbour *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

/* Up to k members of a distinct row, `but` left out. */
static size_t add_members(const mp_pairs_input *in, const pairs_same *s, size_t distinct,
                          float score, size_t but, mp_neighbour *to)
{
    size_t n = 0;
    for (size_t i = s->first[distinct]; i < s->first[distinct + 1] && n < in->k; i++) {
        size_t row = s->member[i];
        if (row != but)
            to[n++] = (mp_neighbour){in->label ? in->label[row] : (int64_t)row + 1, score};
    }
    return n;
}

size_t mp_pairs_expand(const mp_pairs_input *in, const pairs_same *s, size_t row,
                       const near_row *best, size_t n_best, float self, mp_neighbour *room,
                       mp_neighbour *out)
{
    size_t n = add_members(in, s, s->number[row], self, row, room);
    bool sorted = n == 0;
    float least = n ? self : 2;
    /* Once there are k, only what ties with the last could still come before it. */
    for (size_t i = 0; i < n_best && (n < in->k || best[i].score >= least); i++) {
        size_t more = add_members(in, s, best[i].at, best[i].score, SIZE_MAX, room + n);
        sorted = sorted && more == 1;
        least = MP_MIN(least, best[i].score);
        n += more;
    }
    if (!sorted)
        qsort(room, n, sizeof *room, by_score_then_label);
    n = MP_MIN(n, in->k);
    memcpy(out, room, n * sizeof *out);
    return n;
}
