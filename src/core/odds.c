/* odds.c - magpie_odd_ones and magpie_heatmap: fetches what odd.h's computation needs. */
#include "core/core.h"

#include "core/odd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIN_NORMALS = 8, MIN_ITEMS = 3, HEAT_NORMALS = 24, HEAT_PX = 512 };
/* Of 1 - cosine between patches: what two pictures of one kind differ by, and what is alien. */
static const float HEAT_LOW = 0.15f, HEAT_HIGH = 0.60f;

/* ---- sets of ids ---- */

typedef struct id_set {
    int64_t *id;
    size_t n;
} id_set;

static void subtract(id_set *from, const id_set *what)
{
    size_t kept = 0;
    for (size_t i = 0; i < from->n; i++)
        if (mp_find_sorted(what->id, what->n, from->id[i]) == SIZE_MAX)
            from->id[kept++] = from->id[i];
    from->n = kept;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* What people said: normal ones are not asked about again, anomalies are no yardstick. */
static mp_err said(magpie *m, int kind, id_set *out, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_verdict *list;
    size_t n;
    mp_err err = mp_meta_list_verdicts(m->meta, arena, &list, &n, why);
    *out = (id_set){.id = mp_xcalloc(err ? 0 : n, sizeof(int64_t))};
    for (size_t i = 0; !err && i < n; i++)
        if (list[i].kind == kind)
            out->id[out->n++] = list[i].a;
    qsort(out->id, out->n, sizeof *out->id, by_id);
    mp_arena_free(arena);
    return err;
}

/* Judged and normal items. Without a filter for normals, every other item is the yardstick. */
static mp_err choose(magpie *m, const char *where, const char *normals, id_set *judged,
                     id_set *normal, mp_why *why)
{
    id_set fine = {0}, bad = {0};
    mp_err err = mp_core_ids(m, where, &judged->id, &judged->n, why);
    if (!err)
        err = said(m, MAGPIE_NORMAL, &fine, why);
    if (!err)
        err = said(m, MAGPIE_ANOMALY, &bad, why);
    if (!err && normals) {
        err = mp_core_ids(m, normals, &normal->id, &normal->n, why);
        if (!err) {
            subtract(normal, &bad);
            subtract(judged, normal);
        }
    }
    if (!err)
        subtract(judged, &fine);
    free(fine.id);
    free(bad.id);
    return err;
}

/* ---- vectors ---- */

/* Vectors of a set in one space; ids without one leave the set. */
static mp_err fetch(magpie *m, const mp_vector_key *key, id_set *set, float **out, mp_why *why)
{
    *out = mp_try_array(set->n * (size_t)key->dims, sizeof(float));
    if (!*out)
        return mp_fail(why, MP_NOMEM, "no memory for %zu vectors", set->n);
    return mp_meta_get_vectors(m->meta, key, set->id, set->n, *out, why);
}

static bool has_vector(const float *v, int dims)
{
    for (int i = 0; i < dims; i++)
        if (v[i] != 0)
            return true;
    return false;
}

static void compact(id_set *set, float *look, int look_dims, float *texture, int texture_dims)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        bool whole = has_vector(look + i * (size_t)look_dims, look_dims) &&
                     (!texture || has_vector(texture + i * (size_t)texture_dims, texture_dims));
        if (!whole)
            continue;
        set->id[kept] = set->id[i];
        memmove(look + kept * (size_t)look_dims, look + i * (size_t)look_dims,
                (size_t)look_dims * sizeof *look);
        if (texture)
            memmove(texture + kept * (size_t)texture_dims, texture + i * (size_t)texture_dims,
                    (size_t)texture_dims * sizeof *texture);
        kept++;
    }
    set->n = kept;
}

typedef struct side {
    id_set set;
    float *look, *texture;
} side;

static mp_err load_side(magpie *m, mp_model *model, side *s, bool texture,
                        const magpie_odd_options *opt, mp_why *why)
{
    mp_vector_key look = mp_core_key(model, MP_SPACE_LOOK);
    mp_vector_key coarse = mp_core_key(model, MP_SPACE_TEXTURE);
    mp_err err = MP_OK;
    if (texture)
        err = mp_core_fill_space(m, model, MP_SPACE_TEXTURE, s->set.id, s->set.n, false,
                                 opt->on_progress, opt->context, why);
    if (!err)
        err = fetch(m, &look, &s->set, &s->look, why);
    if (!err && texture)
        err = fetch(m, &coarse, &s->set, &s->texture, why);
    if (!err)
        compact(&s->set, s->look, look.dims, s->texture, coarse.dims);
    return err;
}

static void side_free(side *s)
{
    free(s->set.id);
    free(s->look);
    free(s->texture);
}

/* ---- publishing ---- */

typedef struct owned_odds {
    magpie_odds pub;
    mp_arena *arena;
} owned_odds;

typedef struct ranked {
    const mp_odd_score *s;
    int64_t id;
} ranked;

static int by_oddness(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->s->score != y->s->score)
        return x->s->score < y->s->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static mp_err publish(magpie *m, const id_set *judged, const mp_odd_score *scores, size_t limit,
                      owned_odds *own, mp_why *why)
{
    ranked *order = mp_xcalloc(judged->n, sizeof *order);
    for (size_t i = 0; i < judged->n; i++)
        order[i] = (ranked){&scores[i], judged->id[i]};
    qsort(order, judged->n, sizeof *order, by_oddness);
    size_t n = limit ? MP_MIN(limit, judged->n) : judged->n;
    int64_t *ids = mp_xcalloc(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = order[i].id;
    mp_item *items;
    mp_err err = mp_meta_get_items(m->meta, ids, n, own->arena, &items, why);
    magpie_odd *odd = err ? NULL : mp_arena_alloc(own->arena, n * sizeof *odd);
    for (size_t i = 0; odd && i < n; i++)
        odd[i] = (magpie_odd){.id = ids[i],
                              .path = items[i].path ? items[i].path : "",
                              .name = items[i].name ? items[i].name : "",
                              .score = order[i].s->score,
                              .nearest = order[i].s->nearest,
                              .p = order[i].s->p,
                              .flagged = order[i].s->flagged};
    for (size_t i = 0; !err && i < judged->n; i++)
        own->pub.n_flagged += scores[i].flagged;
    own->pub.odd = odd;
    own->pub.n = err ? 0 : n;
    free(ids);
    free(order);
    return err;
}

static mp_err judge(magpie *m, mp_model *model, side *judged, side *normal,
                    const magpie_odd_options *opt, owned_odds *own, mp_why *why)
{
    const mp_model_info *info = mp_model_get_info(model);
    mp_ticker ticker = mp_ticker_new(opt->on_progress, opt->context, "compare");
    mp_odd_score *scores = mp_xcalloc(judged->set.n, sizeof *scores);
    mp_odd_input in = {
        .n = judged->set.n,
        .n_normals = normal->set.n,
        .look_dims = info->space[MP_SPACE_LOOK].dims,
        .texture_dims = normal->texture ? info->space[MP_SPACE_TEXTURE].dims : 0,
        .look = judged->look,
        .texture = judged->texture,
        .normal_look = normal->look,
        .normal_texture = normal->texture,
        .alpha = own->pub.alpha,
        .threads = m->threads,
        .stop = mp_ticker_stop,
        .stop_context = &ticker,
    };
    mp_err err = mp_odd_run(&in, scores, &own->pub.method, why);
    if (!err)
        err = publish(m, &judged->set, scores, opt->limit, own, why);
    free(scores);
    return err;
}

magpie_err magpie_odd_ones(magpie *m, const magpie_odd_options *opt, magpie_odds **out,
                           magpie_why *why)
{
    static const magpie_odd_options defaults;
    *out = NULL;
    opt = opt ? opt : &defaults;
    if (!(opt->alpha >= 0 && opt->alpha < 1))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "alpha lies between 0 and 1"));
    mp_model *model;
    side judged = {0}, normal = {0};
    owned_odds *own = mp_xcalloc(1, sizeof *own);
    own->arena = mp_arena_new(0);
    own->pub.alpha = opt->alpha > 0 ? opt->alpha : 0.05;
    mp_err err = mp_core_model(m, &model, INNER(why));
    if (!err)
        err = choose(m, opt->where, opt->normals, &judged.set, &normal.set, INNER(why));
    bool texture = !err && opt->normals && mp_model_get_info(model)->space[MP_SPACE_TEXTURE].dims;
    if (!err)
        err = load_side(m, model, &judged, texture, opt, INNER(why));
    if (!err && opt->normals)
        err = load_side(m, model, &normal, texture, opt, INNER(why));
    if (!err && opt->normals && normal.set.n < MIN_NORMALS)
        err = mp_fail(INNER(why), MP_INVALID, "only %zu pictures match --normals; %d are needed",
                      normal.set.n, MIN_NORMALS);
    if (!err && !opt->normals && judged.set.n < MIN_ITEMS)
        err = mp_fail(INNER(why), MP_INVALID, "%zu pictures are too few to tell which is odd",
                      judged.set.n);
    own->pub.n_normals = normal.set.n;
    if (!err)
        err = judge(m, model, &judged, &normal, opt, own, INNER(why));
    side_free(&judged);
    side_free(&normal);
    if (err)
        magpie_odds_free(&own->pub);
    else
        *out = &own->pub;
    return OUTER(err);
}

void magpie_odds_free(magpie_odds *odds)
{
    if (!odds)
        return;
    owned_odds *own = (owned_odds *)(void *)odds; /* pub is its first member */
    mp_arena_free(own->arena);
    free(own);
}

/* ---- heat maps ---- */

/* The whole picture, squashed to the model's size, so that every corner is judged. */
static mp_err patches_of(magpie *m, mp_model *model, const mp_item *item, int fitted_px,
                         mp_patches *out, mp_image *picture, mp_why *why)
{
    const mp_view_spec *look = &mp_model_get_info(model)->space[MP_SPACE_LOOK].view;
    mp_decode_spec spec = {.n_views = 1, .fit_long_side = fitted_px};
    spec.view[0] = *look;
    spec.view[0].fit = MP_FIT_SQUASH;
    mp_decoder *decoder;
    mp_decoded decoded = {0};
    int fd = -1;
    mp_err err = mp_core_open_original(m, item, &fd, why);
    if (!err)
        err = mp_core_decoder(m, &decoder, why);
    if (!err)
        err = mp_decode_fd(decoder, fd, &spec, &decoded, why);
    if (!err)
        err = mp_model_patches(model, decoded.view[0].px, out, why);
    if (!err && picture) {
        *picture = decoded.fitted;
        decoded.fitted = (mp_image){0};
    }
    mp_decoded_free(&decoded);
    if (fd >= 0)
        close(fd);
    return err;
}

/* The normal pictures that look most like the one in question. */
static mp_err nearest_normals(magpie *m, mp_model *model, const id_set *normals, int64_t id,
                              id_set *out, mp_why *why)
{
    mp_vector_key key = mp_core_key(model, MP_SPACE_LOOK);
    mp_index *index;
    mp_neighbour found[HEAT_NORMALS + 1];
    size_t n = 0;
    float *query = mp_xcalloc((size_t)key.dims, sizeof *query);
    mp_label_set allow = {normals->id, normals->n};
    mp_search_options opt = {.k = HEAT_NORMALS + 1, .allow = &allow};
    mp_err err = mp_meta_get_vectors(m->meta, &key, &id, 1, query, why);
    if (!err)
        err = mp_core_index(m, model, MP_SPACE_LOOK, NULL, NULL, &index, why);
    if (!err && !has_vector(query, key.dims))
        err = mp_fail(why, MP_NOT_FOUND, "#%lld has no vector; run reindex", (long long)id);
    if (!err)
        err = mp_index_search(index, query, &opt, found, &n, why);
    *out = (id_set){.id = mp_xcalloc(HEAT_NORMALS + 1, sizeof(int64_t))};
    for (size_t i = 0; !err && i < n && out->n < HEAT_NORMALS; i++)
        if (found[i].label != id)
            out->id[out->n++] = found[i].label;
    free(query);
    return err;
}

static mp_err draw(magpie *m, mp_model *model, const mp_item *item, const id_set *normals,
                   uint8_t **data, size_t *n, mp_why *why)
{
    mp_patches test = {0}, yard[HEAT_NORMALS] = {{0}};
    mp_image picture = {0}, overlay = {0};
    mp_arena *arena = mp_arena_new(0);
    size_t used = 0;
    float *heat = NULL;
    mp_err err = patches_of(m, model, item, HEAT_PX, &test, &picture, why);
    for (size_t i = 0; !err && i < normals->n; i++) {
        mp_item other;
        mp_why reason = {0};
        if (mp_meta_get_item(m->meta, normals->id[i], arena, &other, &reason) == MP_OK &&
            patches_of(m, model, &other, 0, &yard[used], NULL, &reason) == MP_OK)
            used++;
    }
    if (!err && used == 0)
        err = mp_fail(why, MP_INVALID, "there is no readable picture to compare with");
    if (!err) {
        heat = mp_xcalloc((size_t)test.rows * (size_t)test.cols, sizeof *heat);
        mp_odd_patches(&test, yard, used, heat);
        err = mp_odd_overlay(&picture, heat, test.rows, test.cols, HEAT_LOW, HEAT_HIGH, &overlay,
                             why);
    }
    if (!err)
        err = mp_encode_png(&overlay, data, n, why);
    free(heat);
    free(test.v);
    for (size_t i = 0; i < used; i++)
        free(yard[i].v);
    mp_image_free(&picture);
    mp_image_free(&overlay);
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_heatmap(magpie *m, int64_t id, const char *normals, uint8_t **data, size_t *n,
                          magpie_why *why)
{
    *data = NULL;
    *n = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_model *model;
    id_set all = {0}, near = {0}, bad = {0};
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    if (!err)
        err = mp_core_model(m, &model, INNER(why));
    if (!err)
        err = mp_core_ids(m, normals, &all.id, &all.n, INNER(why));
    if (!err)
        err = said(m, MAGPIE_ANOMALY, &bad, INNER(why));
    if (!err) {
        subtract(&all, &bad);
        err = nearest_normals(m, model, &all, id, &near, INNER(why));
    }
    if (!err)
        err = draw(m, model, &item, &near, data, n, INNER(why));
    free(all.id);
    free(near.id);
    free(bad.id);
    mp_arena_free(arena);
    return OUTER(err);
}
