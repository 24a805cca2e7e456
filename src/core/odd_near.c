/* odd_near.c - see odd_near.h. */
#include "core/odd_near.h"

#include "base/os.h"
#include "index/pairs.h"
#include "simd/distance.h"

#include <stdlib.h>
#include <string.h>

/* TILE queries of 512 dimensions and as many points fit the second-level cache together. */
enum { TILE = 64 };

typedef struct hashed {
    uint64_t hash;
    size_t at;
} hashed;

static int by_hash(const void *a, const void *b)
{
    const hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The first of the run [from, at) that equals the vector at `at`, else itself. */
static size_t first_equal(const float *v, size_t bytes, int dims, const hashed *order, size_t from,
                          size_t at)
{
    const float *mine = v + order[at].at * (size_t)dims;
    for (size_t i = from; i < at; i++)
        if (memcmp(v + order[i].at * (size_t)dims, mine, bytes) == 0)
            return order[i].at;
    return order[at].at;
}

mp_err mp_odd_distinct(const float *v, size_t n, int dims, size_t *same, size_t *distinct,
                       mp_why *why)
{
    size_t bytes = (size_t)dims * sizeof *v;
    hashed *order = mp_try_array(n, sizeof *order);
    *distinct = 0;
    if (!order)
        return mp_fail(why, MP_NOMEM, "no memory for %zu vectors", n);
    for (size_t i = 0; i < n; i++)
        order[i] = (hashed){mp_checksum64(v + i * (size_t)dims, bytes, 0), i};
    qsort(order, n, sizeof *order, by_hash);
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        if (order[i].hash != order[run].hash)
            run = i;
        size_t at = order[i].at;
        same[at] = first_equal(v, bytes, dims, order, run, i);
        *distinct += same[at] == at;
    }
    free(order);
    return MP_OK;
}

/* The k best cosines so far, falling. */
typedef struct best {
    float cosine[MP_ODD_MAX_K];
    int n;
} best;

static void offer(best *b, int k, float cosine)
{
    if (b->n == k && !(cosine > b->cosine[k - 1]))
        return;
    int i = b->n < k ? b->n++ : k - 1;
    for (; i > 0 && b->cosine[i - 1] < cosine; i--)
        b->cosine[i] = b->cosine[i - 1];
    b->cosine[i] = cosine;
}

static float distance_of(float cosine)
{
    return cosine > 1 ? 0 : 1 - cosine; /* rounding must not make it negative */
}

static void publish(const mp_odd_near *s, size_t query, const best *b)
{
    double sum = 0;
    for (int i = 0; i < b->n; i++)
        sum += distance_of(b->cosine[i]);
    s->mean[query] = b->n ? (float)(sum / b->n) : 0;
    s->nearest[query] = b->n ? distance_of(b->cosine[0]) : 0;
}

static mp_err scan_rows(void *context, size_t from, size_t to, mp_why *why)
{
    (void)why;
    const mp_odd_near *s = context;
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    best found[TILE] = {{{0}, 0}};
    for (size_t tile = 0; tile < s->n_points; tile += TILE) {
        size_t end = MP_MIN(tile + TILE, s->n_points);
        for (size_t q = from; q < to; q++)
            for (size_t p = tile; p < end; p++)
                offer(&found[q - from], s->k, dot(s->query[q], s->point[p], (size_t)s->dims));
    }
    for (size_t q = from; q < to; q++)
        publish(s, q, &found[q - from]);
    return MP_OK;
}

/* ---- points among themselves ---- */

/* mp_index_progress_fn */
static bool ask_crew(void *context, size_t done, size_t total)
{
    const mp_odd_crew *crew = context;
    size_t before = crew->done;
    return crew->stop(crew->stop_context, before + done, MP_MAX(crew->total, before + total));
}

static mp_err pair_up(const mp_odd_near *s, mp_odd_crew *crew, mp_why *why)
{
    size_t n = s->n_points, k = (size_t)s->k;
    mp_neighbour *found = mp_try_array(n * k, sizeof *found);
    if (!found)
        return mp_fail(why, MP_NOMEM, "no memory for %zu x %zu neighbours", n, k);
    mp_pairs_input in = {.row = s->point,
                         .n = n,
                         .dims = (size_t)s->dims,
                         .k = k,
                         .threads = MP_MAX(crew->threads, 1),
                         .progress = crew->stop ? ask_crew : NULL,
                         .context = crew};
    mp_err err = mp_pairs_nearly(&in, 0, found, why);
    for (size_t i = 0; !err && i < n; i++) {
        best b = {{0}, 0};
        for (size_t j = 0; j < k && found[i * k + j].label; j++)
            b.cosine[b.n++] = found[i * k + j].score;
        publish(s, i, &b);
    }
    free(found);
    crew->done += n;
    return err;
}

mp_err mp_odd_scan(const mp_odd_near *scan, mp_odd_crew *crew, mp_why *why)
{
    if (scan->self)
        return pair_up(scan, crew, why);
    return mp_odd_each(crew, scan->n_queries, TILE, scan_rows, (void *)(uintptr_t)scan, why);
}
