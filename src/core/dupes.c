/* dupes.c - magpie_duplicates: from the library to dedup.h's computation and back to groups. */
#include "core/dupes.h"

#include "index/pairs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COPY_K = 12, LOOK_K = 16, ATTEMPTS = 3, SMALL_CACHE_BYTES = 512 * 1024 * 1024 };

/* Default threshold of "similar", on the cosine of LOOK vectors. */
static const float SIMILAR_THRESHOLD = 0.85f;

/* ---- input ---- */

/* Another name of the very file (a link, a mount) is no copy: nothing would be saved. */
static bool is_alias(const mp_dupes *d, const mp_source *spare)
{
    size_t at = mp_find_sorted(d->ids, d->n, spare->item_id);
    struct stat x, y;
    return at != SIZE_MAX && stat(spare->path, &x) == 0 && stat(d->items[at].path, &y) == 0 &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static mp_err load_spares(mp_dupes *d, mp_why *why)
{
    size_t n, kept = 0;
    mp_err err = mp_meta_list_spares(d->m->meta, d->arena, &d->spare, &n, why);
    for (size_t i = 0; !err && i < n; i++)
        if (!is_alias(d, &d->spare[i]))
            d->spare[kept++] = d->spare[i];
    d->n_spare = kept;
    return err;
}

static mp_err load_items(mp_dupes *d, mp_why *why)
{
    const mp_filter *filter;
    mp_err err = mp_core_filter(d->opt->where, d->arena, &filter, why);
    if (!err)
        err = mp_meta_list(d->m->meta, filter, 0, 0, d->arena, &d->items, &d->n, why);
    d->ids = mp_try_array(d->n, sizeof *d->ids);
    d->small = mp_try_array(d->n, sizeof *d->small);
    d->colour = mp_try_array(d->n, sizeof *d->colour);
    d->unread = mp_try_array(d->n, sizeof *d->unread);
    if (!err && (!d->ids || !d->small || !d->colour || !d->unread))
        err = mp_fail(why, MP_NOMEM, "no memory for %zu items", d->n);
    for (size_t i = 0; !err && i < d->n; i++) {
        d->ids[i] = d->items[i].id;
        d->colour[i] = -1;
    }
    if (!err && d->opt->kind != MAGPIE_SIMILAR)
        err = load_spares(d, why);
    return err;
}

static mp_err copy_image(const mp_image *from, mp_image *to, mp_why *why)
{
    mp_err err = mp_image_new(to, from->w, from->h, from->channels, why);
    if (!err)
        memcpy(to->px, from->px, (size_t)from->w * (size_t)from->h * (size_t)from->channels);
    return err;
}

/* Mean distance of the largest channel from the least, in levels. */
static float colour_of(const mp_image *im)
{
    size_t n = (size_t)im->w * (size_t)im->h;
    double sum = 0;
    for (size_t i = 0; im->channels == 3 && i < n; i++) {
        const uint8_t *p = im->px + i * 3;
        sum += MP_MAX(MP_MAX(p[0], p[1]), p[2]) - MP_MIN(MP_MIN(p[0], p[1]), p[2]);
    }
    return n ? (float)(sum / (double)n) : 0;
}

/* On a machine that is busy elsewhere a decoder may run out of time without being at fault: it is
 * asked again before a picture is left out. */
static mp_err decode_small(mp_dupes *d, size_t i, mp_image *out, mp_why *why)
{
    mp_err err = MP_TIMEOUT;
    for (int attempt = 0; err == MP_TIMEOUT && attempt < ATTEMPTS; attempt++)
        err = mp_core_small(d->m, &d->items[i], out, why);
    return err;
}

static void note_unread(mp_dupes *d, size_t i, const mp_why *why)
{
    pthread_mutex_lock(&d->mutex);
    if (!d->unread[i] && d->n_unread++ == 0)
        d->unread_why = *why;
    d->unread[i] = true;
    pthread_mutex_unlock(&d->mutex);
}

/* Grey is enough for the comparison and a third of the memory. */
static mp_err load_small(mp_dupes *d, size_t i, mp_image *out, mp_why *why)
{
    mp_image colour = {0}, grey = {0};
    pthread_mutex_lock(&d->mutex);
    bool cached = d->small[i].px != NULL;
    mp_err err = cached ? copy_image(&d->small[i], out, why) : MP_OK;
    pthread_mutex_unlock(&d->mutex);
    if (cached)
        return err;
    err = decode_small(d, i, &colour, why);
    if (!err)
        err = mp_to_grey(&colour, &grey, why);
    float colourful = err ? -1 : colour_of(&colour);
    mp_image_free(&colour);
    if (err)
        return err;
    err = copy_image(&grey, out, why);
    size_t bytes = (size_t)grey.w * (size_t)grey.h;
    pthread_mutex_lock(&d->mutex);
    d->colour[i] = colourful;
    if (!d->small[i].px && d->cached_bytes + bytes <= SMALL_CACHE_BYTES) {
        d->small[i] = grey;
        d->cached_bytes += bytes;
        grey = (mp_image){0};
    }
    pthread_mutex_unlock(&d->mutex);
    mp_image_free(&grey);
    return err;
}

/* mp_small_fn */
static mp_err small_of(void *context, size_t i, mp_image *out)
{
    mp_dupes *d = context;
    mp_why why = {0};
    *out = (mp_image){0};
    mp_err err = load_small(d, i, out, &why);
    if (err)
        note_unread(d, i, &why);
    return err;
}

/* Neighbours of the chosen items among themselves. Where pairs are not worth it, a filter means an
 * index of the chosen: the library's would spend its neighbours on items that do not count. */
static mp_err search_knn(mp_dupes *d, const mp_index *index, mp_space space, size_t k,
                         mp_neighbour *out, mp_why *why)
{
    mp_index *own = NULL;
    mp_err err = MP_OK;
    if (mp_pairs_pays(index, d->n))
        return mp_index_all_pairs(index, d->ids, d->n, k, out, mp_ticker_stop, &d->ticker, why);
    if (d->opt->where)
        err = mp_core_subset_index(d->m, space, d->ids, d->n, &own, why);
    if (!err)
        err =
            mp_index_knn(own ? own : index, d->ids, d->n, k, out, mp_ticker_stop, &d->ticker, why);
    mp_index_close(own);
    return err;
}

/* Labels become positions + 1. */
static mp_err knn_of(mp_dupes *d, mp_space space, size_t k, mp_neighbour **out, mp_why *why)
{
    *out = mp_try_array(d->n * k, sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu x %zu neighbours", d->n, k);
    mp_index *index = NULL;
    mp_err err =
        mp_core_index(d->m, NULL, space, d->opt->on_progress, d->opt->context, &index, why);
    if (!err)
        err = search_knn(d, index, space, k, *out, why);
    for (size_t i = 0; !err && i < d->n * k; i++) {
        size_t at = (*out)[i].label ? mp_find_sorted(d->ids, d->n, (*out)[i].label) : SIZE_MAX;
        (*out)[i].label = at == SIZE_MAX ? 0 : (int64_t)at + 1;
    }
    return err;
}

typedef struct links {
    mp_pair *same, *different;
    size_t n_same, n_different;
} links;

static mp_err load_verdicts(mp_dupes *d, links *l, mp_why *why)
{
    mp_verdict *list;
    size_t n;
    mp_err err = mp_meta_list_verdicts(d->m->meta, d->arena, &list, &n, why);
    if (err)
        return err;
    l->same = mp_xcalloc(n, sizeof *l->same);
    l->different = mp_xcalloc(n, sizeof *l->different);
    for (size_t i = 0; i < n; i++) {
        if (list[i].kind != MAGPIE_SAME && list[i].kind != MAGPIE_DIFFERENT)
            continue;
        size_t a = mp_find_sorted(d->ids, d->n, list[i].a);
        size_t b = mp_find_sorted(d->ids, d->n, list[i].b);
        if (a == SIZE_MAX || b == SIZE_MAX)
            continue;
        mp_pair pair = {.a = MP_MIN(a, b), .b = MP_MAX(a, b), .score = 1};
        if (list[i].kind == MAGPIE_SAME)
            l->same[l->n_same++] = pair;
        else
            l->different[l->n_different++] = pair;
    }
    return MP_OK;
}

/* ---- pairs ---- */

static mp_err same_pairs(mp_dupes *d, const links *l, float threshold, mp_pair **out, size_t *n,
                         mp_why *why)
{
    uint64_t(*phash)[8] = mp_try_array(d->n, sizeof *phash);
    mp_neighbour *knn = NULL;
    mp_err err = phash ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu hashes", d->n);
    for (size_t i = 0; !err && i < d->n; i++)
        memcpy(phash[i], d->items[i].phash, sizeof phash[i]);
    if (!err)
        err = knn_of(d, MP_SPACE_COPY, COPY_K, &knn, why);
    if (err == MP_UNSUPPORTED)
        err = MP_OK; /* the hashes alone, then */
    mp_dedup_input in = {.n = d->n,
                         .phash = (const uint64_t(*)[8])phash,
                         .copy_knn = knn,
                         .copy_k = COPY_K,
                         .small = small_of,
                         .small_context = d,
                         .same = l->same,
                         .n_same = l->n_same,
                         .different = l->different,
                         .n_different = l->n_different,
                         .threshold = threshold,
                         .threads = d->m->threads,
                         .stop = mp_ticker_stop,
                         .stop_context = &d->ticker};
    if (!err)
        err = mp_dedup_same(&in, out, n, why);
    free(knn);
    free(phash);
    return err;
}

static mp_err similar_pairs(mp_dupes *d, float threshold, mp_pair **out, size_t *n, mp_why *why)
{
    mp_neighbour *knn = NULL;
    mp_err err = knn_of(d, MP_SPACE_LOOK, LOOK_K, &knn, why);
    mp_pair *pairs = err ? NULL : mp_try_array(d->n * LOOK_K, sizeof *pairs);
    if (!err && !pairs)
        err = mp_fail(why, MP_NOMEM, "no memory for the pairs");
    size_t kept = 0;
    for (size_t i = 0; !err && i < d->n; i++)
        for (size_t j = 0; j < LOOK_K; j++) {
            const mp_neighbour *f = &knn[i * LOOK_K + j];
            size_t other = (size_t)f->label - 1;
            if (!f->label || f->score < threshold)
                continue;
            pairs[kept++] = (mp_pair){.a = MP_MIN(i, other),
                                      .b = MP_MAX(i, other),
                                      .score = MP_MIN(f->score, 1.0f),
                                      .kind = MP_ALIKE};
        }
    free(knn);
    *out = pairs;
    *n = kept;
    return err;
}

static mp_err run(mp_dupes *d, magpie_dupe_kind kind, float threshold, magpie_groups **out,
                  mp_why *why)
{
    links l = {0};
    mp_pair *pairs = NULL;
    size_t n_pairs = 0;
    mp_grouping grouping = {0};
    mp_err err = load_items(d, why);
    if (!err)
        err = load_verdicts(d, &l, why);
    if (!err && d->n)
        err = kind == MAGPIE_SAME_PICTURE
                  ? same_pairs(d, &l, d->opt->threshold, &pairs, &n_pairs, why)
                  : similar_pairs(d, threshold, &pairs, &n_pairs, why);
    if (!err)
        err = mp_dedup_group(pairs, n_pairs, d->n, l.same, l.n_same, l.different, l.n_different,
                             threshold, &grouping, why);
    if (!err) {
        *out = mp_dupes_publish(d, &grouping, pairs, n_pairs);
        (*out)->kind = kind;
        (*out)->threshold = threshold;
    }
    mp_grouping_free(&grouping);
    free(pairs);
    free(l.same);
    free(l.different);
    return err;
}

magpie_err magpie_duplicates(magpie *m, const magpie_dupe_options *opt, magpie_groups **out,
                             magpie_why *why)
{
    static const magpie_dupe_options defaults;
    *out = NULL;
    opt = opt ? opt : &defaults;
    magpie_dupe_kind kind = opt->kind ? opt->kind : MAGPIE_SAME_PICTURE;
    if ((kind != MAGPIE_SAME_PICTURE && kind != MAGPIE_SIMILAR) ||
        !(opt->threshold >= 0 && opt->threshold <= 1))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "a threshold lies between 0 and 1"));
    float threshold = opt->threshold > 0            ? opt->threshold
                      : kind == MAGPIE_SAME_PICTURE ? mp_dedup_threshold
                                                    : SIMILAR_THRESHOLD;
    mp_dupes d = {.m = m,
                  .opt = opt,
                  .arena = mp_arena_new(0),
                  .ticker = mp_ticker_new(opt->on_progress, opt->context, "compare")};
    pthread_mutex_init(&d.mutex, NULL);
    mp_err err = run(&d, kind, threshold, out, INNER(why));
    for (size_t i = 0; d.small && i < d.n; i++)
        mp_image_free(&d.small[i]);
    free(d.small);
    free(d.colour);
    free(d.unread);
    free(d.ids);
    pthread_mutex_destroy(&d.mutex);
    mp_arena_free(d.arena);
    return OUTER(err);
}
