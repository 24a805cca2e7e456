/* fill.c - vectors that pictures and their words lack, computed from what is stored of them.
 * Nothing is locked meanwhile: what is changed under it is noticed afterwards and done again. */
#include "core/core.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILL_BATCH = 16 };

typedef struct fill {
    magpie *m;
    mp_model *model;
    mp_space space;
    mp_decode_spec spec;
    int view_of[MP_SPACES];
    mp_decoded decoded[FILL_BATCH];
    int64_t ids[FILL_BATCH];
    uint8_t sha256[FILL_BATCH][32]; /* of the bytes that were decoded */
    size_t n;
    float *vectors;
} fill;

/* A picture whose bytes were replaced while it was encoded has lost its vectors before ours was
 * stored, or after, and ours with them: in the first case it is made again. */
static mp_err redo_replaced(const fill *f, size_t n, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item *items;
    mp_err err = mp_meta_get_items(f->m->meta, f->ids, n, arena, &items, why);
    for (size_t i = 0; !err && i < n; i++)
        if (items[i].id && memcmp(items[i].sha256, f->sha256[i], 32) != 0)
            err =
                mp_core_fill_space(f->m, f->model, f->space, &f->ids[i], 1, true, NULL, NULL, why);
    mp_arena_free(arena);
    return err;
}

static mp_err store_fill(fill *f, mp_why *why)
{
    mp_vector_key key = mp_core_key(f->model, f->space);
    mp_views views[FILL_BATCH] = {0};
    float *out[MP_SPACES] = {0};
    mp_vector rows[FILL_BATCH];
    for (size_t i = 0; i < f->n; i++)
        views[i].px[f->space] = f->decoded[i].view[f->view_of[f->space]].px;
    out[f->space] = f->vectors;
    mp_err err = mp_model_encode_images(f->model, views, f->n, 1u << f->space, out, why);
    for (size_t i = 0; !err && i < f->n; i++)
        rows[i] = (mp_vector){.model = key.model,
                              .model_sha256 = key.model_sha256,
                              .space = key.space,
                              .dims = key.dims,
                              .data = f->vectors + i * (size_t)key.dims};
    if (!err)
        err = mp_meta_put_vectors(f->m->meta, f->ids, rows, f->n, why);
    for (size_t i = 0; i < f->n; i++)
        mp_decoded_free(&f->decoded[i]);
    size_t n = f->n;
    f->n = 0;
    return err ? err : redo_replaced(f, n, why);
}

static void decode_for_fill(fill *f, mp_decoder *decoder, const mp_item *item)
{
    mp_why why = {0};
    int fd = -1;
    mp_err err = mp_core_open_original(f->m, item, &fd, &why);
    if (!err)
        err = mp_decode_fd(decoder, fd, &f->spec, &f->decoded[f->n], &why);
    if (fd >= 0)
        close(fd);
    if (err) {
        mp_log(MP_LOG_WARN, "#%lld has no %s vector: %s", (long long)item->id,
               mp_space_word(f->space), why.text);
        return;
    }
    memcpy(f->sha256[f->n], item->sha256, sizeof item->sha256);
    f->ids[f->n++] = item->id;
}

mp_err mp_core_fill_space(magpie *m, mp_model *model, mp_space space, const int64_t *ids, size_t n,
                          bool anew, magpie_progress_fn progress, void *context, mp_why *why)
{
    mp_vector_key key = mp_core_key(model, space);
    int64_t *lacking = NULL;
    size_t n_lacking = 0;
    mp_decoder *decoder = NULL;
    mp_arena *arena = mp_arena_new(0);
    mp_ticker ticker = mp_ticker_new(progress, context, mp_space_word(space));
    fill *f = mp_xcalloc(1, sizeof *f);
    *f = (fill){.m = m, .model = model, .space = space};
    mp_core_views(model, 1u << space, &f->spec, f->view_of);
    f->vectors = mp_try_array((size_t)FILL_BATCH * (size_t)key.dims, sizeof(float));
    mp_err err = f->vectors ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    if (!err)
        err = mp_meta_lacking(m->meta, &key, &lacking, &n_lacking, why);
    if (!err)
        err = mp_core_decoder(m, &decoder, why);
    for (size_t i = 0; !err && i < n; i++) {
        if (!anew && mp_find_sorted(lacking, n_lacking, ids[i]) == SIZE_MAX)
            continue;
        mp_item item;
        mp_arena_reset(arena);
        err = mp_meta_get_item(m->meta, ids[i], arena, &item, why);
        if (!err)
            decode_for_fill(f, decoder, &item);
        if (!err && f->n == FILL_BATCH)
            err = store_fill(f, why);
        if (!err && mp_ticker_poll(&ticker, i + 1, n, 0))
            err = mp_fail(why, MP_CANCELLED, "stopped");
    }
    if (f->n) {
        mp_err last = store_fill(f, err ? NULL : why);
        err = err ? err : last;
    }
    free(f->vectors);
    free(f);
    free(lacking);
    mp_arena_free(arena);
    return err;
}

static bool same_words(const mp_item *a, const mp_item *b)
{
    mp_buf one = {0}, other = {0};
    mp_core_item_words(a, &one);
    mp_core_item_words(b, &other);
    bool same = mp_str_eq((mp_str){one.p, one.n}, (mp_str){other.p, other.n});
    mp_buf_free(&one);
    mp_buf_free(&other);
    return same;
}

/* The same for words that were changed while they were encoded. */
static mp_err redo_reworded(magpie *m, mp_model *model, const mp_item *before, const int64_t *ids,
                            size_t n, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item *now;
    mp_err err = mp_meta_get_items(m->meta, ids, n, arena, &now, why);
    for (size_t i = 0; !err && i < n; i++)
        if (now[i].id && before[i].id && !same_words(&before[i], &now[i]))
            err = mp_core_fill_sentences(m, model, &ids[i], 1, why);
    mp_arena_free(arena);
    return err;
}

mp_err mp_core_fill_sentences(magpie *m, mp_model *model, const int64_t *ids, size_t n, mp_why *why)
{
    mp_vector_key key = mp_core_key(model, MP_SPACE_SENTENCE);
    if (!key.dims || n == 0)
        return MP_OK;
    mp_arena *arena = mp_arena_new(0);
    mp_item *items = NULL;
    float *vectors = mp_try_array(n * (size_t)key.dims, sizeof *vectors);
    mp_vector *rows = mp_try_array(n, sizeof *rows);
    mp_err err = vectors && rows ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    if (!err)
        err = mp_meta_get_items(m->meta, ids, n, arena, &items, why);
    for (size_t i = 0; !err && i < n; i++) {
        float *v = vectors + i * (size_t)key.dims;
        mp_buf words = {0};
        if (items[i].id)
            mp_core_item_words(&items[i], &words);
        mp_str text = {words.p, words.n};
        if (words.n)
            err = mp_model_encode_sentences(model, &text, 1, v, why);
        mp_buf_free(&words);
        rows[i] = (mp_vector){.model = key.model,
                              .model_sha256 = key.model_sha256,
                              .space = key.space,
                              .dims = key.dims,
                              .data = v};
    }
    if (!err)
        err = mp_meta_put_vectors(m->meta, ids, rows, n, why);
    if (!err)
        err = redo_reworded(m, model, items, ids, n, why);
    free(rows);
    free(vectors);
    mp_arena_free(arena);
    return err;
}
