/* dupes.c - magpie_duplicates: from the library to dedup.h's computation and back to groups. */
#include "core/core.h"

#include "core/dedup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_K = 12, LOOK_K = 16, SMALL_CACHE_BYTES = 512 * 1024 * 1024 };

/* Default threshold of "similar", on the cosine of LOOK vectors. */
static const float SIMILAR_THRESHOLD = 0.85f;

/* One run: the items by position, and their small pictures once they were needed. */
typedef struct dupes {
    magpie *m;
    const magpie_dupe_options *opt;
    mp_arena *arena;
    mp_item *items;
    int64_t *ids; /* sorted; position i is items[i] */
    size_t n;
    mp_source *spare; /* files with the same bytes as another, by item */
    size_t n_spare;
    pthread_mutex_t mutex; /* guards the two below */
    mp_image *small;       /* n; empty until loaded */
    size_t cached_bytes;
    mp_ticker ticker;
} dupes;

/* ---- input ---- */

static mp_err load_items(dupes *d, mp_why *why)
{
    const mp_filter *filter;
    mp_err err = mp_core_filter(d->opt->where, d->arena, &filter, why);
    if (!err)
        err = mp_meta_list(d->m->meta, filter, 0, 0, d->arena, &d->items, &d->n, why);
    d->ids = mp_try_array(d->n, sizeof *d->ids);
    d->small = mp_try_array(d->n, sizeof *d->small);
    if (!err && (!d->ids || !d->small))
        err = mp_fail(why, MP_NOMEM, "no memory for %zu items", d->n);
    for (size_t i = 0; !err && i < d->n; i++)
        d->ids[i] = d->items[i].id;
    if (!err && d->opt->kind != MAGPIE_SIMILAR)
        err = mp_meta_list_spares(d->m->meta, d->arena, &d->spare, &d->n_spare, why);
    return err;
}

static mp_err copy_image(const mp_image *from, mp_image *to)
{
    mp_err err = mp_image_new(to, from->w, from->h, from->channels, NULL);
    if (!err)
        memcpy(to->px, from->px, (size_t)from->w * (size_t)from->h * (size_t)from->channels);
    return err;
}

/* mp_small_fn: grey is enough for the comparison and a third of the memory. */
static mp_err small_of(void *context, size_t i, mp_image *out)
{
    dupes *d = context;
    mp_image colour = {0}, grey = {0};
    *out = (mp_image){0};
    pthread_mutex_lock(&d->mutex);
    bool cached = d->small[i].px != NULL;
    mp_err err = cached ? copy_image(&d->small[i], out) : MP_OK;
    pthread_mutex_unlock(&d->mutex);
    if (cached)
        return err;
    err = mp_core_small(d->m, &d->items[i], &colour, NULL);
    if (!err)
        err = mp_to_grey(&colour, &grey, NULL);
    mp_image_free(&colour);
    if (err)
        return err;
    err = copy_image(&grey, out);
    size_t bytes = (size_t)grey.w * (size_t)grey.h;
    pthread_mutex_lock(&d->mutex);
    if (!d->small[i].px && d->cached_bytes + bytes <= SMALL_CACHE_BYTES) {
        d->small[i] = grey;
        d->cached_bytes += bytes;
        grey = (mp_image){0};
    }
    pthread_mutex_unlock(&d->mutex);
    mp_image_free(&grey);
    return err;
}

/* Neighbours within the chosen items: labels become positions + 1. With a filter the library's own
 * index would spend its neighbours on items that do not count, so the chosen get one of their own.
 */
static mp_err knn_of(dupes *d, mp_space space, size_t k, mp_neighbour **out, mp_why *why)
{
    *out = mp_try_array(d->n * k, sizeof **out);
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu x %zu neighbours", d->n, k);
    mp_index *index = NULL, *own = NULL;
    mp_err err = mp_core_index(d->m, space, d->opt->on_progress, d->opt->context, &index, why);
    if (!err && d->opt->where) {
        err = mp_core_subset_index(d->m, space, d->ids, d->n, &own, why);
        index = own;
    }
    if (!err)
        err = mp_index_knn(index, d->ids, d->n, k, *out, mp_ticker_stop, &d->ticker, why);
    for (size_t i = 0; !err && i < d->n * k; i++) {
        size_t at = (*out)[i].label ? mp_core_find_id(d->ids, d->n, (*out)[i].label) : SIZE_MAX;
        (*out)[i].label = at == SIZE_MAX ? 0 : (int64_t)at + 1;
    }
    mp_index_close(own);
    return err;
}

typedef struct links {
    mp_pair *same, *different;
    size_t n_same, n_different;
} links;

static mp_err load_verdicts(dupes *d, links *l, mp_why *why)
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
        size_t a = mp_core_find_id(d->ids, d->n, list[i].a);
        size_t b = mp_core_find_id(d->ids, d->n, list[i].b);
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

static mp_err same_pairs(dupes *d, const links *l, float threshold, mp_pair **out, size_t *n,
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

static mp_err similar_pairs(dupes *d, float threshold, mp_pair **out, size_t *n, mp_why *why)
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

/* ---- groups ---- */

typedef struct owned_groups {
    magpie_groups pub;
    mp_arena *arena;
} owned_groups;

static const mp_pair *pair_between(const mp_pair *pairs, size_t n, size_t a, size_t b)
{
    if (a > b)
        return pair_between(pairs, n, b, a);
    for (size_t i = 0; i < n; i++)
        if (pairs[i].a == a && pairs[i].b == b)
            return &pairs[i];
    return NULL;
}

static const char *relation_words(mp_relation_kind kind)
{
    static const char *const words[] = {[MP_SAME_EXACT] = "same pixels",
                                        [MP_SAME_RECODED] = "re-encoded or resized",
                                        [MP_SAME_TURNED] = "turned or mirrored",
                                        [MP_SAME_CROPPED] = "cropped",
                                        [MP_SAME_FRAMED] = "caption, border or mark",
                                        [MP_SAME_TILTED] = "tilted",
                                        [MP_ALIKE] = "looks alike"};
    return words[kind];
}

static magpie_member member_of(const dupes *d, owned_groups *own, size_t at)
{
    const mp_item *item = &d->items[at];
    return (magpie_member){.id = item->id,
                           .path = mp_arena_strdup(own->arena, mp_str_of(item->path)),
                           .name = mp_arena_strdup(own->arena, mp_str_of(item->name)),
                           .width = item->width,
                           .height = item->height,
                           .bytes = item->bytes};
}

/* The spares of an item: *first is the position of the first one. */
static size_t spares_of(const dupes *d, int64_t id, size_t *first)
{
    size_t low = 0, high = d->n_spare, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->spare[middle].item_id < id)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < d->n_spare && d->spare[end].item_id == id; end++)
        continue;
    *first = low;
    return end - low;
}

/* Adds the files with the same bytes as `of`, which has been added. */
static void add_spares(const dupes *d, owned_groups *own, const magpie_member *of,
                       magpie_member *list, size_t *n)
{
    size_t first, count = spares_of(d, of->id, &first);
    for (size_t i = first; i < first + count; i++) {
        magpie_member *to = &list[(*n)++];
        const char *path = mp_arena_strdup(own->arena, mp_str_of(d->spare[i].path));
        const char *slash = strrchr(path, '/');
        *to = *of;
        to->path = path;
        to->name = slash ? slash + 1 : path;
        to->keep = false;
        to->reason = "same bytes";
    }
}

static mp_keep_candidate keep_candidate(const mp_item *item)
{
    return (mp_keep_candidate){.id = item->id,
                               .width = item->width,
                               .height = item->height,
                               .bytes = item->bytes,
                               .format = item->format,
                               .sharpness = item->sharpness,
                               .issues = item->issues,
                               .taken_ms = item->taken_ms,
                               .mtime_ms = item->mtime_ns / 1000000,
                               .missing = item->state == MP_MISSING};
}

/* The largest share of a picture that another of its group shows to be added. */
static float added_to(const mp_pair *pairs, size_t n, size_t at)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        if (pairs[i].a == at || pairs[i].b == at)
            most = MP_MAX(most, pairs[i].a == at ? -pairs[i].added : pairs[i].added);
    return most;
}

static void fill_group(const dupes *d, owned_groups *own, const size_t *at, size_t n,
                       const mp_pair *pairs, size_t n_pairs, magpie_group *out)
{
    mp_keep_candidate *rank = mp_xcalloc(n, sizeof *rank);
    char reason[128] = "the first of the files with these bytes";
    size_t total = n, filled = 0, first, keep = 0;
    for (size_t i = 0; i < n; i++) {
        rank[i] = keep_candidate(&d->items[at[i]]);
        rank[i].added = added_to(pairs, n_pairs, at[i]);
        total += spares_of(d, d->items[at[i]].id, &first);
    }
    if (n > 1)
        keep = mp_dedup_keep(rank, n, reason, sizeof reason);
    magpie_member *member = mp_arena_alloc(own->arena, total * sizeof *member);
    for (size_t i = 0; i < n; i++) {
        /* The one to keep comes first, and the one whose place it took comes in its stead. */
        size_t which = i == 0 ? keep : i == keep ? 0 : i;
        magpie_member one = member_of(d, own, at[which]);
        const mp_pair *p = i ? pair_between(pairs, n_pairs, at[which], at[keep]) : NULL;
        one.keep = i == 0;
        one.score = i == 0 ? 1 : p ? p->score : 0;
        one.reason = i == 0 ? mp_arena_strdup(own->arena, mp_str_of(reason))
                     : p    ? relation_words(p->kind)
                            : "by way of another one";
        member[filled++] = one;
        add_spares(d, own, &one, member, &filled);
    }
    for (size_t i = 1; i < filled; i++)
        out->bytes_saved += member[i].bytes;
    out->member = member;
    out->n = filled;
    free(rank);
}

/* A picture that is alone but for files with the same bytes. */
static void fill_spare_group(const dupes *d, owned_groups *own, size_t at, magpie_group *out)
{
    *out = (magpie_group){.weakest = 1, .weakest_a = d->items[at].id, .weakest_b = d->items[at].id};
    fill_group(d, own, &at, 1, NULL, 0, out);
}

static int by_bytes_saved(const void *a, const void *b)
{
    const magpie_group *x = a, *y = b;
    if (x->bytes_saved != y->bytes_saved)
        return x->bytes_saved < y->bytes_saved ? 1 : -1;
    return (x->member[0].id > y->member[0].id) - (x->member[0].id < y->member[0].id);
}

static magpie_groups *publish(const dupes *d, const mp_grouping *g, mp_pair *pairs, size_t n_pairs)
{
    owned_groups *own = mp_xcalloc(1, sizeof *own);
    own->arena = mp_arena_new(0);
    magpie_group *group =
        mp_arena_alloc(own->arena, (g->n_groups + d->n_spare + 1) * sizeof *group);
    size_t *start = mp_xcalloc(g->n_groups + 1, sizeof *start);
    size_t *order = mp_xcalloc(d->n, sizeof *order);
    size_t *fill = mp_xcalloc(g->n_groups + 1, sizeof *fill);
    for (size_t i = 0; i < d->n; i++)
        if (g->group[i] != SIZE_MAX)
            start[g->group[i] + 1]++;
    for (size_t k = 0; k < g->n_groups; k++)
        fill[k] = start[k + 1] += start[k];
    for (size_t i = d->n; i-- > 0;)
        if (g->group[i] != SIZE_MAX)
            order[--fill[g->group[i]]] = i;
    /* Pairs by their group, so that each group looks at its own alone. */
    size_t *pair_start = mp_xcalloc(g->n_groups + 2, sizeof *pair_start);
    mp_pair *sorted = mp_xcalloc(n_pairs, sizeof *sorted);
    for (size_t i = 0; i < n_pairs; i++)
        if (g->group[pairs[i].a] != SIZE_MAX && g->group[pairs[i].a] == g->group[pairs[i].b])
            pair_start[g->group[pairs[i].a] + 2]++;
    for (size_t k = 2; k < g->n_groups + 2; k++)
        pair_start[k] += pair_start[k - 1];
    for (size_t i = 0; i < n_pairs; i++)
        if (g->group[pairs[i].a] != SIZE_MAX && g->group[pairs[i].a] == g->group[pairs[i].b])
            sorted[pair_start[g->group[pairs[i].a] + 1]++] = pairs[i];
    for (size_t k = 0; k < g->n_groups; k++) {
        fill_group(d, own, order + start[k], start[k + 1] - start[k], sorted + pair_start[k],
                   pair_start[k + 1] - pair_start[k], &group[k]);
        group[k].weakest = g->weakest[k].score;
        group[k].weakest_a = d->items[g->weakest[k].a].id;
        group[k].weakest_b = d->items[g->weakest[k].b].id;
    }
    own->pub.n = g->n_groups;
    for (size_t i = 0, first; i < d->n; i++)
        if (g->group[i] == SIZE_MAX && spares_of(d, d->items[i].id, &first))
            fill_spare_group(d, own, i, &group[own->pub.n++]);
    qsort(group, own->pub.n, sizeof *group, by_bytes_saved);
    own->pub.group = group;
    free(sorted);
    free(pair_start);
    free(fill);
    free(order);
    free(start);
    return &own->pub;
}

static mp_err run(dupes *d, magpie_dupe_kind kind, float threshold, magpie_groups **out,
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
        *out = publish(d, &grouping, pairs, n_pairs);
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
    dupes d = {.m = m,
               .opt = opt,
               .arena = mp_arena_new(0),
               .ticker = mp_ticker_new(opt->on_progress, opt->context, "compare")};
    pthread_mutex_init(&d.mutex, NULL);
    mp_err err = run(&d, kind, threshold, out, INNER(why));
    for (size_t i = 0; d.small && i < d.n; i++)
        mp_image_free(&d.small[i]);
    free(d.small);
    free(d.ids);
    pthread_mutex_destroy(&d.mutex);
    mp_arena_free(d.arena);
    return OUTER(err);
}

void magpie_groups_free(magpie_groups *groups)
{
    if (!groups)
        return;
    owned_groups *own = (owned_groups *)(void *)groups; /* pub is its first member */
    mp_arena_free(own->arena);
    free(own);
}
