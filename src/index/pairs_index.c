/* pairs_index.c - the pairs of an index's vectors. See pairs.h.
 *
 * The vectors are copied first: the run takes seconds, and holding the index's locks for so long
 * would keep writers waiting, and behind them every search. */
#include "index/pairs.h"
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

static const size_t MOST_BYTES = (size_t)1 << 30; /* of the copy */

bool mp_pairs_pays(const mp_index *ix, size_t n)
{
    return n <= MP_PAIRS_MOST && n * (size_t)ix->opt.dims * sizeof(float) <= MOST_BYTES;
}

typedef struct copied {
    float *v;
    const float **row;
    int64_t *label;
    size_t *at; /* position among the labels asked for */
    size_t n;
} copied;

static mp_err copy_vectors(const mp_index *ix, const int64_t *labels, size_t n, copied *c,
                           mp_why *why)
{
    size_t dims = (size_t)ix->opt.dims;
    *c = (copied){.v = mp_try_array(n * dims, sizeof(float)),
                  .row = mp_try_array(n, sizeof *c->row),
                  .label = mp_try_array(n, sizeof *c->label),
                  .at = mp_try_array(n, sizeof *c->at)};
    if (!c->v || !c->row || !c->label || !c->at)
        return mp_fail(why, MP_NOMEM, "no memory for %zu vectors", n);
    for (size_t i = 0; i < n; i++) {
        float *to = c->v + c->n * dims;
        mp_err err = mp_index_get(ix, labels[i], to, why);
        if (err == MP_NOT_FOUND)
            continue;
        if (err)
            return err;
        c->row[c->n] = to;
        c->label[c->n] = labels[i];
        c->at[c->n++] = i;
    }
    return MP_OK;
}

/* From the rows that are there to those that were asked for, in place: a row never moves forward
 * over one that is still to be moved. */
static void spread(const copied *c, size_t n, size_t k, mp_neighbour *out)
{
    size_t end = n;
    for (size_t i = c->n; i-- > 0;) {
        memset(out + (c->at[i] + 1) * k, 0, (end - c->at[i] - 1) * k * sizeof *out);
        memmove(out + c->at[i] * k, out + i * k, k * sizeof *out);
        end = c->at[i];
    }
    memset(out, 0, end * k * sizeof *out);
}

mp_err mp_index_all_pairs(const mp_index *ix, const int64_t *labels, size_t n, size_t k,
                          mp_neighbour *out, mp_index_progress_fn progress, void *context,
                          mp_why *why)
{
    copied c = {0};
    mp_err err = MP_OK;
    for (size_t i = 1; !err && i < n; i++)
        if (labels[i] <= labels[i - 1])
            err = mp_fail(why, MP_INVALID, "labels must rise, and #%lld comes after #%lld",
                          (long long)labels[i], (long long)labels[i - 1]);
    if (!err)
        err = copy_vectors(ix, labels, n, &c, why);
    mp_pairs_input in = {.row = c.row,
                         .label = c.label,
                         .n = c.n,
                         .dims = (size_t)ix->opt.dims,
                         .k = k,
                         .threads = ix->opt.threads,
                         .progress = progress,
                         .context = context};
    if (!err)
        err = mp_pairs_nearest(&in, out, why);
    if (err)
        memset(out, 0, n * k * sizeof *out);
    else
        spread(&c, n, k, out);
    free(c.v);
    free(c.row);
    free(c.label);
    free(c.at);
    return err;
}
