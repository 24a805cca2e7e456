/* copies.c - see copies.h. */
#include "core/copies.h"

#include "core/dedup_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BY_VECTOR = 12, BY_HASH = 24, HASH_RADIUS = 10, MOST = 20 };

/* As in dupes: below it, a neighbour by vector is not looked at. */
static const float LEAST_COSINE = 0.5f;

typedef struct candidate {
    int64_t id;
    int distance; /* of the hashes, bits; of a vector's neighbour 0 */
} candidate;

typedef struct finder {
    magpie *m;
    mp_chosen *chosen; /* NULL: all */
    candidate list[BY_VECTOR + BY_HASH];
    size_t n;
} finder;

static bool is_chosen(const finder *f, int64_t id)
{
    return !f->chosen || mp_find_sorted(f->chosen->ids, f->chosen->n, id) != SIZE_MAX;
}

/* ---- candidates ---- */

static mp_err add_by_vector(finder *f, mp_model *model, const mp_decoded *d, int view, mp_why *why)
{
    mp_index *index;
    mp_views views = {0};
    float *out[MP_SPACES] = {0};
    mp_neighbour found[BY_VECTOR];
    size_t n = 0;
    const int dims = mp_core_key(model, MP_SPACE_COPY).dims;
    static const int64_t none[1];
    mp_label_set allow = {f->chosen && f->chosen->n ? f->chosen->ids : none,
                          f->chosen ? f->chosen->n : 0};
    mp_search_options opt = {.k = BY_VECTOR, .allow = f->chosen ? &allow : NULL};
    if (!dims)
        return MP_OK; /* the hashes alone, then */
    mp_err err = mp_core_index(f->m, model, MP_SPACE_COPY, NULL, NULL, &index, why);
    if (err || !mp_index_count(index))
        return err;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    views.px[MP_SPACE_COPY] = d->view[view].px;
    out[MP_SPACE_COPY] = v;
    err = mp_model_encode_images(model, &views, 1, 1u << MP_SPACE_COPY, out, why);
    if (!err)
        err = mp_index_search(index, v, &opt, found, &n, why);
    for (size_t i = 0; !err && i < n; i++)
        if (found[i].score >= LEAST_COSINE)
            f->list[f->n++] = (candidate){.id = found[i].label};
    free(v);
    return err;
}

static mp_err read_new_hashes(magpie *m, struct mp_hash_book *b, mp_why *why)
{
    mp_version_hash *more = NULL;
    size_t n = 0;
    int64_t last = b->n ? b->row[b->n - 1].version : 0;
    mp_err err = mp_meta_hashes_after(m->meta, last, &more, &n, why);
    if (err)
        return err;
    if (b->n + n > b->cap) {
        b->cap = MP_MAX(b->n + n, b->cap * 2);
        b->row = mp_xrealloc(b->row, b->cap * sizeof *b->row);
    }
    if (n)
        memcpy(b->row + b->n, more, n * sizeof *more);
    b->n += n;
    free(more);
    return MP_OK;
}

/* Keeps the nearest BY_HASH behind those that are there already, but for these themselves. */
static void offer(finder *f, size_t from, candidate c)
{
    size_t worst = from;
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].id == c.id)
            return;
    if (f->n < MP_COUNT(f->list) && f->n - from < BY_HASH) {
        f->list[f->n++] = c;
        return;
    }
    for (size_t i = from; i < f->n; i++)
        if (f->list[i].distance > f->list[worst].distance)
            worst = i;
    if (c.distance < f->list[worst].distance)
        f->list[worst] = c;
}

/* The book may hold versions that are no longer an item's: what comes of them is looked at in vain.
 */
static mp_err add_by_hash(finder *f, const uint64_t phash[8], mp_why *why)
{
    struct mp_hash_book *b = &f->m->hashes;
    size_t from = f->n;
    pthread_mutex_lock(&b->mutex);
    mp_err err = read_new_hashes(f->m, b, why);
    for (size_t i = 0; !err && i < b->n; i++) {
        int least = 64;
        for (int k = 0; k < 8; k++)
            least = MP_MIN(least, mp_hamming64(b->row[i].hash, phash[k]));
        if (least <= HASH_RADIUS && is_chosen(f, b->row[i].item))
            offer(f, from, (candidate){b->row[i].item, least});
    }
    pthread_mutex_unlock(&b->mutex);
    return err;
}

/* ---- comparison ---- */

/* Into the list of the best, which stays sorted. */
static void keep(magpie_copy *out, size_t *n, size_t most, magpie_copy c)
{
    size_t at = *n;
    while (at > 0 && out[at - 1].score < c.score)
        at--;
    if (at == most)
        return;
    *n += *n < most;
    memmove(out + at + 1, out + at, (*n - at - 1) * sizeof *out);
    out[at] = c;
}

/* An item that cannot be read is not a copy that anybody could be shown. */
static void compare(const finder *f, const mp_dedup_picture *picture, int64_t id, size_t most,
                    magpie_copy *out, size_t *n)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_image small = {0};
    mp_dedup_picture other = {0};
    mp_err err = mp_meta_get_item(f->m->meta, id, arena, &item, NULL);
    if (!err && item.state == MP_TRASHED)
        err = MP_NOT_FOUND;
    if (!err)
        err = mp_core_small(f->m, &item, &small, NULL);
    if (!err)
        err = mp_dedup_picture_make(&small, &other, NULL);
    if (!err) {
        mp_dedup_verdict v = mp_dedup_verify(picture, &other, NULL, true);
        if (v.score >= mp_dedup_threshold)
            keep(out, n, most,
                 (magpie_copy){.id = id, .score = v.score, .relation = mp_relation_word(v.kind)});
    }
    mp_dedup_picture_free(&other);
    mp_image_free(&small);
    mp_arena_free(arena);
}

mp_err mp_copies_find(magpie *m, const mp_copies_picture *p, const char *where, size_t most,
                      magpie_copy *out, size_t *n, mp_why *why)
{
    finder f = {.m = m};
    const mp_decoded *d = p->decoded;
    mp_dedup_picture picture = {0};
    *n = 0;
    mp_err err = where ? mp_core_choose(m, where, &f.chosen, why) : MP_OK;
    if (!err && p->view >= 0)
        err = add_by_vector(&f, p->model, d, p->view, why);
    if (!err)
        err = add_by_hash(&f, d->phash, why);
    if (!err && f.n)
        err = mp_dedup_picture_make(&d->fitted, &picture, why);
    for (size_t i = 0; !err && i < f.n; i++)
        compare(&f, &picture, f.list[i].id, most, out, n);
    mp_dedup_picture_free(&picture);
    mp_core_release(m, f.chosen);
    return err;
}

void mp_copies_open(magpie *m)
{
    pthread_mutex_init(&m->hashes.mutex, NULL);
}

void mp_copies_close(magpie *m)
{
    free(m->hashes.row);
    pthread_mutex_destroy(&m->hashes.mutex);
}

/* ---- magpie_copies ---- */

static mp_err open_term(magpie *m, const magpie_term *t, int *fd, mp_why *why)
{
    mp_arena *arena;
    mp_item item;
    mp_err err;
    switch (t->kind) {
    case MAGPIE_FILE:
        *fd = t->text ? open(t->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
        return *fd < 0 ? mp_fail_errno(why, errno, "cannot open the picture") : MP_OK;
    case MAGPIE_ID:
        arena = mp_arena_new(0);
        err = mp_meta_get_item(m->meta, t->id, arena, &item, why);
        if (!err)
            err = mp_core_open_original(m, &item, fd, why);
        mp_arena_free(arena);
        return err;
    default:
        return mp_fail(why, MP_INVALID, "copies are looked for of a picture");
    }
}

static mp_err decode_term(magpie *m, const magpie_term *t, mp_decoded *out, mp_copies_picture *p,
                          mp_why *why)
{
    mp_decoder *decoder;
    mp_decode_spec spec = {.analysis = true, .fit_long_side = MP_COPIES_PX};
    int fd, view_of[MP_SPACES];
    mp_err err = mp_core_decoder(m, &decoder, why);
    if (!err)
        err = mp_core_model(m, &p->model, why);
    if (err)
        return err;
    mp_core_views(p->model, 1u << MP_SPACE_COPY, &spec, view_of);
    p->view = view_of[MP_SPACE_COPY];
    if (t->kind == MAGPIE_BYTES)
        return mp_decode_bytes(decoder, (mp_span){t->data, t->n}, &spec, out, why);
    err = open_term(m, t, &fd, why);
    if (err)
        return err;
    err = mp_decode_fd(decoder, fd, &spec, out, why);
    close(fd);
    return err;
}

magpie_err magpie_copies(magpie *m, const magpie_term *term, const char *where, magpie_copy **out,
                         size_t *n, magpie_why *why)
{
    mp_decoded decoded = {0};
    magpie_copy found[MOST + 1];
    size_t n_found = 0, kept = 0;
    mp_copies_picture picture = {.decoded = &decoded};
    *out = NULL;
    *n = 0;
    mp_err err = decode_term(m, term, &decoded, &picture, INNER(why));
    if (!err)
        err = mp_copies_find(m, &picture, where, MP_COUNT(found), found, &n_found, INNER(why));
    mp_decoded_free(&decoded);
    if (err)
        return OUTER(err);
    for (size_t i = 0; i < n_found; i++)
        if (term->kind != MAGPIE_ID || found[i].id != term->id)
            found[kept++] = found[i];
    *n = MP_MIN(kept, (size_t)MOST);
    *out = mp_xcalloc(*n, sizeof **out);
    if (*n)
        memcpy(*out, found, *n * sizeof **out);
    return MAGPIE_OK;
}
