/* dupes_groups.c - from grouped positions to groups as people see them: which one to keep, why, and
 * how the others differ. */
#include "core/dupes.h"

#include <stdlib.h>
#include <string.h>

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

/* Compared are small grey pictures; what a person would say takes colours and sizes, too. */
static const char *words_for(mp_relation_kind kind, const mp_item *it, bool dull,
                             const mp_item *kept)
{
    bool resized = it->width != kept->width || it->height != kept->height;
    switch (kind) {
    case MP_SAME_EXACT:
        if (dull)
            return resized ? "without its colours, resized" : "without its colours";
        return resized ? "resized" : "re-encoded";
    case MP_SAME_RECODED:
        if (dull)
            return "without its colours, edited";
        return resized ? "resized, edited or compressed" : "edited or compressed";
    case MP_SAME_TURNED:
        return "turned or mirrored";
    case MP_SAME_CROPPED:
        return "cropped";
    case MP_SAME_FRAMED:
        return "caption, border or mark";
    case MP_SAME_TILTED:
        return "tilted";
    case MP_ALIKE:
        return "looks alike";
    }
    return "";
}

static magpie_member member_of(const mp_dupes *d, owned_groups *own, size_t at)
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
static size_t spares_of(const mp_dupes *d, int64_t id, size_t *first)
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
static void add_spares(const mp_dupes *d, owned_groups *own, const magpie_member *of,
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

/* Hardly any colour, where another of the group has plenty. */
static void mark_dull(const mp_dupes *d, const size_t *at, size_t n, mp_keep_candidate *c)
{
    static const float plenty = 8, hardly = 0.25f;
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = MP_MAX(most, d->colour[at[i]]);
    for (size_t i = 0; i < n; i++)
        c[i].dull = most >= plenty && d->colour[at[i]] >= 0 && d->colour[at[i]] < hardly * most;
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

static void fill_group(const mp_dupes *d, owned_groups *own, const size_t *at, size_t n,
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
    mark_dull(d, at, n, rank);
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
        one.reason =
            i == 0 ? mp_arena_strdup(own->arena, mp_str_of(reason))
            : p    ? words_for(p->kind, &d->items[at[which]], rank[which].dull, &d->items[at[keep]])
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
static void fill_spare_group(const mp_dupes *d, owned_groups *own, size_t at, magpie_group *out)
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

magpie_groups *mp_dupes_publish(const mp_dupes *d, const mp_grouping *g, const mp_pair *pairs,
                                size_t n_pairs)
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
    own->pub.not_compared = d->n_unread;
    own->pub.not_compared_text = mp_arena_strdup(own->arena, mp_str_of(d->unread_why.text));
    free(sorted);
    free(pair_start);
    free(fill);
    free(order);
    free(start);
    return &own->pub;
}

void magpie_groups_free(magpie_groups *groups)
{
    if (!groups)
        return;
    owned_groups *own = (owned_groups *)(void *)groups; /* pub is its first member */
    mp_arena_free(own->arena);
    free(own);
}
