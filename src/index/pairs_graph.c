/* pairs_graph.c - many rows' pairs by a graph of their own. See pairs.h.
 *
 * The graph keeps the rows as f16 beside the caller's f32: half the memory. What it finds is scored
 * by the rows themselves, so that only which neighbours are found hangs on the graph. */
#include "index/pairs.h"

#include "simd/distance.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };

/* Two phases of n rows each, told as one. */
typedef struct phases {
    const mp_pairs_input *in;
    size_t before;
} phases;

static bool tell(void *context, size_t done, size_t total)
{
    const phases *p = context;
    (void)total;
    return p->in->progress && p->in->progress(p->in->context, (p->before + done) / 2, p->in->n);
}

static mp_err add_rows(mp_index *ix, phases *p, mp_why *why)
{
    const mp_pairs_input *in = p->in;
    size_t most = MP_MIN(in->n, (size_t)BLOCK);
    float *v = mp_try_array(most * in->dims, sizeof *v);
    int64_t *label = mp_try_array(most, sizeof *label);
    mp_err err = v && label ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu vectors", most);
    for (size_t at = 0; !err && at < in->n; at += BLOCK) {
        size_t n = MP_MIN(in->n - at, (size_t)BLOCK);
        for (size_t i = 0; i < n; i++) {
            memcpy(v + i * in->dims, in->row[at + i], in->dims * sizeof *v);
            label[i] = (int64_t)(at + i) + 1;
        }
        p->before = at;
        err = mp_index_add_many(ix, label, v, n, tell, p, why);
    }
    free(v);
    free(label);
    return err;
}

/* A row's neighbours by their own scores and under the caller's labels, which rise as places do. */
static void finish_row(const mp_pairs_input *in, mp_dot_fn dot, size_t at, mp_neighbour *found)
{
    size_t n = 0;
    for (; n < in->k && found[n].label; n++) {
        size_t other = (size_t)found[n].label - 1;
        found[n].score = dot(in->row[at], in->row[other], in->dims);
        if (in->label)
            found[n].label = in->label[other];
    }
    qsort(found, n, sizeof *found, mp_by_score_then_label);
}

static mp_err ask_graph(mp_index *ix, phases *p, mp_neighbour *out, mp_why *why)
{
    const mp_pairs_input *in = p->in;
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    int64_t *label = mp_try_array(in->n, sizeof *label);
    if (!label)
        return mp_fail(why, MP_NOMEM, "no memory for %zu labels", in->n);
    for (size_t i = 0; i < in->n; i++)
        label[i] = (int64_t)i + 1;
    p->before = in->n;
    mp_err err = mp_index_knn(ix, label, in->n, in->k, out, tell, p, why);
    for (size_t i = 0; !err && i < in->n; i++)
        finish_row(in, dot, i, out + i * in->k);
    free(label);
    return err;
}

mp_err mp_pairs_nearly(const mp_pairs_input *in, size_t exact_up_to, mp_neighbour *out, mp_why *why)
{
    mp_index_options opt = {.dims = (int)in->dims, .threads = in->threads, .storage = MP_INDEX_F16};
    phases p = {.in = in};
    mp_index *ix;
    if (in->n <= (exact_up_to ? exact_up_to : MP_PAIRS_MOST_ALONE))
        return mp_pairs_nearest(in, out, why);
    mp_err err = mp_index_open(&ix, "hnsw", &opt, why);
    if (err)
        return err;
    err = add_rows(ix, &p, why);
    if (!err)
        err = ask_graph(ix, &p, out, why);
    mp_index_close(ix);
    return err;
}
