/* pairs_order.c - rows in an order in which neighbours are close: by the nearest of some centres,
 * and the centres in a chain from each to the nearest that is left. See pairs_parts.h.
 *
 * Blocks of such rows give good neighbours early, and the later ones, which come from far away, are
 * ruled out. Centres are found in the leading directions alone. */
#include "index/pairs_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER_DIMS = 64, ROWS_PER_CENTRE = 256, SAMPLE_PER_CENTRE = 16 };
enum { ROUNDS = 3 };

typedef struct ordering {
    mp_matrix to_images; /* the leading directions */
    mp_matrix to_centres;
    float *packed_centres;
    float *centre; /* n_centres x images */
    size_t n_centres, images;
    uint32_t *nearest; /* of each row */
    size_t every;      /* rows 0, every, 2 every, ... are looked at */
} ordering;

static uint32_t position_of_most(const float *v, size_t n)
{
    uint32_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = (uint32_t)i;
    return best;
}

/* pairs_task_fn: the images of a chunk of rows in s->images. */
static size_t project(pairs_run *p, const ordering *o, size_t chunk, pairs_scratch *s)
{
    size_t from = chunk * PAIRS_CHUNK, rows = (p->n + o->every - 1) / o->every;
    size_t n = MP_MIN(rows - from, (size_t)PAIRS_CHUNK);
    for (size_t i = 0; i < n; i++)
        memcpy(s->rows + i * p->dims, p->row[(from + i) * o->every], p->dims * sizeof(float));
    p->dense->multiply(s->rows, n, p->dims, &o->to_images, 0, o->images,
                       &(mp_dense_out){.y = s->images, .y_stride = o->images});
    return n;
}

static void find_nearest(pairs_run *p, size_t chunk, pairs_scratch *s, void *context)
{
    ordering *o = context;
    size_t n = project(p, o, chunk, s);
    float *score = s->scores;
    p->dense->multiply(s->images, n, o->images, &o->to_centres, 0, o->n_centres,
                       &(mp_dense_out){.y = score, .y_stride = o->n_centres});
    for (size_t i = 0; i < n; i++)
        o->nearest[(chunk * PAIRS_CHUNK + i) * o->every] =
            position_of_most(score + i * o->n_centres, o->n_centres);
}

static void normalise_centres(ordering *o)
{
    for (size_t c = 0; c < o->n_centres; c++)
        (void)mp_normalise(o->centre + c * o->images, o->images);
    mp_dense_pack(o->centre, o->n_centres, o->images, o->images, o->packed_centres);
}

/* Centres become the sums of the images that are nearest to them. One that has none stays. */
static void move_centres(pairs_run *p, ordering *o, float *sums)
{
    size_t rows = (p->n + o->every - 1) / o->every;
    memset(sums, 0, o->n_centres * o->images * sizeof *sums);
    for (size_t chunk = 0; chunk * PAIRS_CHUNK < rows; chunk++) {
        size_t n = project(p, o, chunk, p->scratch);
        for (size_t i = 0; i < n; i++) {
            uint32_t c = o->nearest[(chunk * PAIRS_CHUNK + i) * o->every];
            for (size_t d = 0; d < o->images; d++)
                sums[c * o->images + d] += p->scratch->images[i * o->images + d];
        }
    }
    for (size_t c = 0; c < o->n_centres; c++)
        if (p->distance->dot(sums + c * o->images, sums + c * o->images, o->images) > 0)
            memcpy(o->centre + c * o->images, sums + c * o->images, o->images * sizeof *sums);
    normalise_centres(o);
}

/* Centres begin as rows of the sample, spread over it. */
static void begin(pairs_run *p, ordering *o)
{
    size_t rows = (p->n + o->every - 1) / o->every;
    for (size_t chunk = 0; chunk * PAIRS_CHUNK < rows; chunk++) {
        size_t n = project(p, o, chunk, p->scratch);
        for (size_t i = 0; i < n; i++) {
            size_t at = chunk * PAIRS_CHUNK + i, c = at * o->n_centres / rows;
            if (c < o->n_centres && (c * rows + o->n_centres - 1) / o->n_centres == at)
                memcpy(o->centre + c * o->images, p->scratch->images + i * o->images,
                       o->images * sizeof(float));
        }
    }
    normalise_centres(o);
}

/* rank[c]: when the chain comes to a centre. */
static void chain(const pairs_run *p, const ordering *o, uint32_t *rank)
{
    for (size_t c = 0; c < o->n_centres; c++)
        rank[c] = UINT32_MAX;
    size_t at = 0;
    for (uint32_t r = 0; r < o->n_centres; r++) {
        size_t next = SIZE_MAX;
        float best = -2;
        rank[at] = r;
        for (size_t c = 0; c < o->n_centres; c++) {
            float score = rank[c] != UINT32_MAX
                              ? -3
                              : p->distance->dot(o->centre + at * o->images,
                                                 o->centre + c * o->images, o->images);
            if (score > best || (next == SIZE_MAX && rank[c] == UINT32_MAX)) {
                best = score;
                next = c;
            }
        }
        at = next;
    }
}

typedef struct placed {
    uint32_t rank, at;
} placed;

static int by_rank(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static void place(pairs_run *p, const ordering *o, const uint32_t *rank, placed *order,
                  const float **rows)
{
    for (size_t i = 0; i < p->n; i++)
        order[i] = (placed){rank[o->nearest[i]], (uint32_t)i};
    qsort(order, p->n, sizeof *order, by_rank);
    memcpy(rows, p->row, p->n * sizeof *rows);
    for (size_t i = 0; i < p->n; i++) {
        p->at[i] = order[i].at;
        p->row[i] = rows[order[i].at];
    }
}

static mp_err find_centres(pairs_run *p, ordering *o, float *sums, mp_why *why)
{
    mp_err err = MP_OK;
    o->every = MP_MAX(p->n / (o->n_centres * SAMPLE_PER_CENTRE), (size_t)1);
    size_t chunks = ((p->n + o->every - 1) / o->every + PAIRS_CHUNK - 1) / PAIRS_CHUNK;
    begin(p, o);
    for (int round = 0; !err && round < ROUNDS; round++) {
        err = mp_pairs_each(p, chunks, find_nearest, o, why);
        if (!err)
            move_centres(p, o, sums);
    }
    o->every = 1;
    chunks = (p->n + PAIRS_CHUNK - 1) / PAIRS_CHUNK;
    return err ? err : mp_pairs_each(p, chunks, find_nearest, o, why);
}

mp_err mp_pairs_order(pairs_run *p, const mp_basis *b, mp_why *why)
{
    if (!b->n)
        return MP_OK;
    size_t images = MP_MIN((size_t)ORDER_DIMS, b->n);
    size_t n = MP_MIN(MP_MAX(p->n / ROWS_PER_CENTRE, (size_t)1), (size_t)PAIRS_MOST_CENTRES);
    float *directions = aligned_alloc(64, mp_dense_packed(images, p->dims) * sizeof(float));
    float *packed = aligned_alloc(64, mp_dense_packed(n, images) * sizeof(float));
    float *sums = mp_try_array(n * images, sizeof *sums);
    uint32_t *rank = mp_try_array(n, sizeof *rank);
    placed *order = mp_try_array(p->n, sizeof *order);
    const float **rows = mp_try_array(p->n, sizeof *rows);
    ordering o = {.to_images = {directions, images, p->dims},
                  .to_centres = {packed, n, images},
                  .packed_centres = packed,
                  .centre = mp_try_array(n * images, sizeof(float)),
                  .n_centres = n,
                  .images = images,
                  .nearest = mp_try_array(p->n, sizeof(uint32_t))};
    bool ok = directions && packed && sums && rank && order && rows && o.centre && o.nearest;
    mp_err err = ok ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to put %zu rows in order", p->n);
    if (!err) {
        mp_dense_pack(b->direction, images, p->dims, p->dims, directions);
        err = find_centres(p, &o, sums, why);
    }
    if (!err) {
        chain(p, &o, rank);
        place(p, &o, rank, order, rows);
    }
    free(directions);
    free(packed);
    free(sums);
    free(rank);
    free(order);
    free(rows);
    free(o.centre);
    free(o.nearest);
    return err;
}
