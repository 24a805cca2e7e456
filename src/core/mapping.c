/* mapping.c - magpie_map: vectors and their neighbours, laid out. */
#include "core/core.h"

#include "core/layout.h"
#include "index/pairs.h"

#include <stdlib.h>
#include <string.h>

/* Neighbours as positions in the sorted array of ids, with distances. */
static mp_err neighbours(magpie *m, const int64_t *ids, size_t n, size_t k, mp_ticker *ticker,
                         size_t *knn, float *distance, mp_why *why)
{
    mp_index *index;
    mp_neighbour *found = mp_try_array(n * k, sizeof *found);
    mp_err err = found ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu x %zu neighbours", n, k);
    if (!err)
        err = mp_core_index(m, NULL, MP_SPACE_LOOK, ticker->fn, ticker->context, &index, why);
    if (!err)
        err = mp_pairs_pays(index, n)
                  ? mp_index_all_pairs(index, ids, n, k, found, mp_ticker_stop, ticker, why)
                  : mp_index_knn(index, ids, n, k, found, mp_ticker_stop, ticker, why);
    for (size_t i = 0; !err && i < n; i++) {
        size_t kept = 0;
        for (size_t j = 0; j < k; j++) {
            const mp_neighbour *f = &found[i * k + j];
            size_t at = f->label ? mp_find_sorted(ids, n, f->label) : SIZE_MAX;
            if (at == SIZE_MAX)
                continue;
            knn[i * k + kept] = at;
            distance[i * k + kept++] = MP_MAX(1 - f->score, 0.0f);
        }
        while (kept < k) {
            knn[i * k + kept] = SIZE_MAX;
            distance[i * k + kept++] = 0;
        }
    }
    free(found);
    return err;
}

static mp_err lay_out(magpie *m, const magpie_map_options *opt, const int64_t *ids, size_t n,
                      const float *vectors, int vdims, float *out, mp_why *why)
{
    mp_ticker ticker = mp_ticker_new(opt->on_progress, opt->context, "layout");
    mp_layout_options layout = {.dims = opt->dims ? opt->dims : 2,
                                .min_distance = opt->min_distance > 0 ? opt->min_distance : 0.1f,
                                .spread = 1,
                                .seed = opt->seed,
                                .stop = mp_ticker_stop,
                                .stop_context = &ticker};
    size_t k = opt->neighbours > 0 ? (size_t)opt->neighbours : 15;
    k = MP_MIN(k, n > 1 ? n - 1 : 1);
    if (opt->pca || n < 4)
        return mp_layout_pca(vectors, n, vdims, &layout, out, why);
    size_t *knn = mp_try_array(n * k, sizeof *knn);
    float *distance = mp_try_array(n * k, sizeof *distance);
    mp_err err = knn && distance ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the layout");
    if (!err)
        err = neighbours(m, ids, n, k, &ticker, knn, distance, why);
    if (!err)
        err = mp_layout_umap(vectors, n, vdims, knn, distance, k, &layout, out, why);
    free(knn);
    free(distance);
    return err;
}

/* Ids that have a vector, and their vectors, packed. */
static size_t keep_known(int64_t *ids, float *vectors, size_t n, int dims)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const float *v = vectors + i * (size_t)dims;
        float sum = 0;
        for (int d = 0; d < dims; d++)
            sum += v[d] * v[d];
        if (sum == 0)
            continue;
        ids[kept] = ids[i];
        memmove(vectors + kept * (size_t)dims, v, (size_t)dims * sizeof *v);
        kept++;
    }
    return kept;
}

magpie_err magpie_map(magpie *m, const magpie_map_options *opt, magpie_point **out, size_t *n,
                      magpie_why *why)
{
    static const magpie_map_options defaults;
    *out = NULL;
    *n = 0;
    opt = opt ? opt : &defaults;
    int dims = opt->dims ? opt->dims : 2, vdims = 0;
    if ((dims != 2 && dims != 3) || opt->neighbours < 0 || opt->neighbours > 200 ||
        opt->min_distance < 0 || opt->min_distance > 1)
        return OUTER(mp_fail(INNER(why), MP_INVALID,
                             "a map has 2 or 3 dimensions, up to 200 neighbours and a minimum "
                             "distance of 0 to 1"));
    int64_t *ids = NULL;
    float *vectors = NULL, *place = NULL;
    size_t count = 0;
    mp_err err = mp_core_ids(m, opt->where, &ids, &count, INNER(why));
    if (!err)
        err = (mp_err)magpie_vectors(m, ids, count, &vectors, &vdims, why);
    if (err)
        goto done;
    count = keep_known(ids, vectors, count, vdims);
    place = mp_try_array(count * (size_t)dims, sizeof *place);
    *out = mp_try_array(count, sizeof **out);
    if (!place || !*out)
        err = mp_fail(INNER(why), MP_NOMEM, "no memory for %zu points", count);
    if (!err && count)
        err = lay_out(m, opt, ids, count, vectors, vdims, place, INNER(why));
    for (size_t i = 0; !err && i < count; i++) {
        const float *p = place + i * (size_t)dims;
        (*out)[i] = (magpie_point){ids[i], p[0], p[1], dims == 3 ? p[2] : 0};
    }
    *n = err ? 0 : count;
done:
    if (err) {
        free(*out);
        *out = NULL;
    }
    free(place);
    free(vectors);
    free(ids);
    return OUTER(err);
}
