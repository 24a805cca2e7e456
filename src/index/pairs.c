/* pairs.c - a run from rows to their neighbours. See pairs.h for the steps. */
#include "index/pairs_parts.h"

#include <stdlib.h>
#include <string.h>

static mp_err check(const mp_pairs_input *in, mp_why *why)
{
    if (in->n > INT32_MAX || in->dims == 0 || in->dims > MP_PAIRS_MOST_DIMS)
        return mp_fail(why, MP_INVALID, "%zu rows of %zu numbers cannot be compared", in->n,
                       in->dims);
    return MP_OK;
}

/* ---- memory ---- */

static bool make_scratch(pairs_run *p)
{
    size_t depth = MP_MAX(p->dims, (size_t)PAIRS_MOST_LEADING) + MP_PAIRS8_GROUP;
    for (int i = 0; i < p->threads; i++) {
        pairs_scratch *s = &p->scratch[i];
        s->found = mp_try_array(PAIRS_BLOCK * PAIRS_BLOCK + MP_PAIRS8_SPARE, sizeof *s->found);
        s->by_row = mp_try_array(PAIRS_BLOCK * PAIRS_BLOCK, sizeof *s->by_row);
        s->query = mp_try_array(p->fine_bytes, 1);
        s->rows = mp_try_array(PAIRS_CHUNK * p->dims, sizeof *s->rows);
        s->images = mp_try_array(PAIRS_CHUNK * PAIRS_MOST_LEADING, sizeof *s->images);
        s->scores = mp_try_array(PAIRS_CHUNK * PAIRS_MOST_CENTRES, sizeof *s->scores);
        s->code = mp_try_array(depth, 1);
        s->members = mp_try_array(MP_MIN(p->in->n, (p->k + 1) * p->in->k), sizeof *s->members);
        if (!s->found || !s->by_row || !s->query || !s->rows || !s->images || !s->scores ||
            !s->code || !s->members)
            return false;
    }
    return true;
}

/* What is needed to read the rows. */
static mp_err begin(pairs_run *p, const mp_pairs_input *in, mp_why *why)
{
    size_t blocks = in->n / PAIRS_BLOCK + 1;
    int threads = in->threads > 0 ? in->threads : mp_cpu_count();
    *p = (pairs_run){.in = in,
                     .dims = in->dims,
                     .threads = MP_MIN(threads, PAIRS_MOST_THREADS),
                     .work_total = 20 * blocks + blocks * blocks / 2,
                     .distance = mp_distance_for(mp_simd_isa()),
                     .dense = mp_dense_for(mp_simd_isa()),
                     .pairs8 = mp_pairs8_for(mp_simd_isa())};
    p->fine_bytes = (p->dims + MP_CODE_GROUP - 1) / MP_CODE_GROUP * MP_CODE_GROUP;
    p->scratch = mp_try_array((size_t)p->threads, sizeof *p->scratch);
    return p->scratch ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
}

/* What is needed to compare those that are distinct. */
static mp_err make(pairs_run *p, const pairs_same *same, mp_why *why)
{
    p->n = same->n_distinct;
    p->k = MP_MIN(p->in->k, p->n - 1);
    size_t blocks = pairs_blocks(p);
    p->row = mp_try_array(p->n, sizeof *p->row);
    p->at = mp_try_array(p->n, sizeof *p->at);
    p->sign = mp_try_array(p->dims, sizeof *p->sign);
    p->fine = mp_try_array(p->n, p->fine_bytes);
    p->fine_how = mp_try_array(p->n, sizeof *p->fine_how);
    p->best = mp_try_array(p->n * MP_MAX(p->k, (size_t)1), sizeof *p->best);
    p->n_best = mp_try_array(p->n, sizeof *p->n_best);
    p->worst = mp_try_array(p->n, sizeof *p->worst);
    p->least = mp_try_array(p->n, sizeof *p->least);
    p->lock = mp_try_array(blocks, sizeof *p->lock);
    for (size_t b = 0; p->lock && b < blocks; b++)
        pthread_mutex_init(&p->lock[b], NULL);
    if (!p->row || !p->at || !p->sign || !p->fine || !p->fine_how || !p->best || !p->n_best ||
        !p->least || !p->lock || !make_scratch(p))
        return mp_fail(why, MP_NOMEM, "no memory for the neighbours of %zu rows", p->n);
    for (size_t i = 0; i < p->n; i++) {
        p->row[i] = p->in->row[same->member[same->first[i]]];
        p->at[i] = (uint32_t)i;
        p->worst[i] = -2;
    }
    return MP_OK;
}

static void drop_coarse(pairs_run *p)
{
    free(p->coarse_row);
    free(p->coarse_column);
    free(p->slack);
    free(p->sum);
    free((void *)(uintptr_t)p->directions);
    p->coarse_row = NULL;
    p->coarse_column = NULL;
    p->slack = p->sum = NULL;
    p->directions = NULL;
}

static void drop(pairs_run *p)
{
    for (size_t b = 0; p->lock && b < pairs_blocks(p); b++)
        pthread_mutex_destroy(&p->lock[b]);
    for (int i = 0; p->scratch && i < p->threads; i++) {
        free(p->scratch[i].found);
        free(p->scratch[i].by_row);
        free(p->scratch[i].query);
        free(p->scratch[i].rows);
        free(p->scratch[i].images);
        free(p->scratch[i].scores);
        free(p->scratch[i].code);
        free(p->scratch[i].members);
    }
    free(p->scratch);
    free(p->lock);
    free(p->row);
    free(p->at);
    free(p->sign);
    free(p->fine);
    free(p->fine_how);
    drop_coarse(p);
    free(p->best);
    free(p->n_best);
    free(p->worst);
    free(p->least);
}

/* ---- answers ---- */

typedef struct answers {
    const pairs_same *same;
    uint32_t *place; /* of a distinct number */
    mp_neighbour *out;
} answers;

static void sort_block(pairs_run *p, size_t block, pairs_scratch *s, void *context)
{
    (void)s;
    (void)context;
    size_t from = block * PAIRS_BLOCK;
    for (size_t i = from; i < from + pairs_block_rows(p, block); i++)
        mp_pairs_sort(p->best + i * p->k, p->n_best[i]);
}

static void answer_chunk(pairs_run *p, size_t chunk, pairs_scratch *s, void *context)
{
    const answers *a = context;
    const mp_pairs_input *in = p->in;
    size_t from = chunk * PAIRS_CHUNK, to = MP_MIN(from + PAIRS_CHUNK, in->n);
    for (size_t i = from; i < to; i++) {
        size_t place = a->place[a->same->number[i]];
        float self = p->distance->dot(in->row[i], in->row[i], in->dims);
        mp_neighbour *to_row = a->out + i * in->k;
        size_t n = mp_pairs_expand(in, a->same, i, p->best + place * p->k, p->n_best[place], self,
                                   s->members, to_row);
        memset(to_row + n, 0, (in->k - n) * sizeof *to_row);
    }
}

static mp_err answer(pairs_run *p, const pairs_same *same, mp_neighbour *out, mp_why *why)
{
    answers a = {same, mp_try_array(p->n, sizeof(uint32_t)), out};
    if (!a.place)
        return mp_fail(why, MP_NOMEM, "no memory for the neighbours of %zu rows", p->n);
    for (size_t i = 0; i < p->n; i++)
        a.place[p->at[i]] = (uint32_t)i;
    mp_err err = mp_pairs_each(p, pairs_blocks(p), sort_block, NULL, why);
    if (!err)
        err = mp_pairs_each(p, (p->in->n + PAIRS_CHUNK - 1) / PAIRS_CHUNK, answer_chunk, &a, why);
    free(a.place);
    return err;
}

/* ---- the run ---- */

/* Codes have one scale for all coordinates, so these should be of a size. */
static float *packed_directions(const pairs_run *p, const mp_basis *b, size_t n)
{
    float *even = mp_basis_spread(b, n, p->dims);
    float *packed = even ? aligned_alloc(64, mp_dense_packed(n, p->dims) * sizeof *packed) : NULL;
    if (packed)
        mp_dense_pack(even, n, p->dims, p->dims, packed);
    free(even);
    return packed;
}

/* The cheapest codes for what rows have by now, unless they are there already. */
static mp_err code_anew(pairs_run *p, const mp_basis *b, mp_why *why)
{
    size_t leading;
    mp_err err = mp_pairs_choose_depth(p, b, &leading, why);
    if (err || (p->coarse_row && leading == p->leading))
        return err;
    drop_coarse(p);
    p->leading = leading;
    if (leading) {
        p->directions = packed_directions(p, b, leading);
        if (!p->directions)
            return mp_fail(why, MP_NOMEM, "no memory for %zu directions", leading);
    }
    return mp_pairs_code_coarse(p, why);
}

/* The better what rows have, the fewer directions are enough: after the closest blocks, and again
 * after some more, it is worth asking. */
static mp_err compare_blocks(pairs_run *p, const mp_basis *b, mp_why *why)
{
    static const size_t part[] = {32, 8, 1};
    size_t blocks = pairs_blocks(p), all = blocks * (blocks - 1) / 2, done = 0;
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < MP_COUNT(part); i++) {
        size_t to = MP_MAX(all / part[i], done);
        err = code_anew(p, b, why);
        if (!err)
            err = mp_pairs_between_blocks(p, done, to, why);
        done = to;
    }
    return err;
}

static mp_err compare(pairs_run *p, mp_basis *b, mp_why *why)
{
    mp_err err = mp_basis_find(p->row, p->n, p->dims, PAIRS_MOST_LEADING, b, why);
    if (!err)
        err = mp_pairs_order(p, b, why);
    if (!err)
        err = mp_pairs_code_fine(p, why);
    if (!err)
        err = mp_pairs_within_blocks(p, why);
    return err ? err : compare_blocks(p, b, why);
}

mp_err mp_pairs_nearest(const mp_pairs_input *in, mp_neighbour *out, mp_why *why)
{
    pairs_run p = {0};
    pairs_same same = {0};
    mp_basis basis = {0};
    mp_err err = check(in, why);
    if (err || in->n == 0 || in->k == 0)
        return err;
    err = begin(&p, in, why);
    if (!err)
        err = mp_pairs_find_same(&p, &same, why);
    if (!err)
        err = make(&p, &same, why);
    if (!err && p.k)
        err = compare(&p, &basis, why);
    if (!err)
        err = answer(&p, &same, out, why);
    if (err)
        memset(out, 0, in->n * in->k * sizeof *out);
    free(basis.direction);
    drop(&p);
    mp_pairs_free_same(&same);
    return err;
}
