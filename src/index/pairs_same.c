/* pairs_same.c - rows that are bit for bit the same: found, counted as one, and given their
 * neighbours back. Without it a library of copies would have nothing to rule out. See
 * pairs_parts.h.
 */
#include "index/pairs_parts.h"

#include <math.h>
#include <stdatomic.h>
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

typedef struct reading {
    hashed *order;
    atomic_size_t bad; /* the first row that is not of length 1, + 1; 0: none */
} reading;

static void note_bad(reading *r, size_t row)
{
    size_t known = atomic_load(&r->bad);
    while ((known == 0 || row + 1 < known) &&
           !atomic_compare_exchange_weak(&r->bad, &known, row + 1))
        continue;
}

/* pairs_task_fn: each row is read once, for its length and its checksum. */
static void read_rows(pairs_run *p, size_t chunk, pairs_scratch *s, void *context)
{
    static const float tolerance = 1e-3f;
    const mp_pairs_input *in = p->in;
    reading *r = context;
    (void)s;
    size_t from = chunk * PAIRS_CHUNK, to = MP_MIN(from + PAIRS_CHUNK, in->n);
    for (size_t i = from; i < to; i++) {
        const float *row = in->row[i];
        if (!(fabsf(p->distance->dot(row, row, in->dims) - 1) <= tolerance))
            note_bad(r, i);
        r->order[i] = (hashed){mp_checksum64(row, in->dims * sizeof *row, 0), (uint32_t)i};
    }
}

static mp_err read_all(pairs_run *p, hashed *order, mp_why *why)
{
    reading r = {.order = order};
    mp_err err = mp_pairs_each(p, (p->in->n + PAIRS_CHUNK - 1) / PAIRS_CHUNK, read_rows, &r, why);
    if (!err && r.bad)
        err = mp_fail(why, MP_INVALID, "row %zu is not of length 1", (size_t)r.bad);
    return err;
}

mp_err mp_pairs_find_same(pairs_run *p, pairs_same *out, mp_why *why)
{
    const mp_pairs_input *in = p->in;
    hashed *order = mp_try_array(in->n, sizeof *order);
    uint32_t *first = mp_try_array(in->n, sizeof *first);
    *out = (pairs_same){.number = mp_try_array(in->n, sizeof(uint32_t)),
                        .first = mp_try_array(in->n + 1, sizeof(uint32_t)),
                        .member = mp_try_array(in->n, sizeof(uint32_t))};
    bool ok = order && first && out->number && out->first && out->member;
    mp_err err =
        ok ? read_all(p, order, why) : mp_fail(why, MP_NOMEM, "no memory for %zu rows", in->n);
    if (!err) {
        qsort(order, in->n, sizeof *order, by_hash);
        find_firsts(in, order, first);
        for (size_t i = 0; i < in->n; i++)
            out->number[i] = first[i] == i ? (uint32_t)out->n_distinct++ : out->number[first[i]];
        list_members(out, in->n);
    }
    free(order);
    free(first);
    return err;
}

void mp_pairs_free_same(pairs_same *s)
{
    free(s->number);
    free(s->first);
    free(s->member);
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
        qsort(room, n, sizeof *room, mp_by_score_then_label);
    n = MP_MIN(n, in->k);
    memcpy(out, room, n * sizeof *out);
    return n;
}
