/* explain.c - how two pictures relate, and where they differ. */
#include "core/core.h"

#include "core/dedup_verify.h"
#include "core/odd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Luma that differs by less is coding noise; by more than the other it is another thing. */
static const float DIFFERENCE_LOW = 12, DIFFERENCE_HIGH = 96;

static int least_distance(const mp_item *a, const mp_item *b)
{
    int least = 64;
    for (int i = 0; i < 8; i++)
        least = MP_MIN(least, mp_hamming64(a->phash[0], b->phash[i]));
    return least;
}

/* The cosine of two normalised vectors; NAN where one is not there. */
static mp_err look_cosine(magpie *m, int64_t a, int64_t b, float *out, mp_why *why)
{
    mp_model *model;
    int64_t ids[2] = {a, b};
    double dot = 0, there[2] = {0, 0};
    *out = NAN;
    mp_err err = mp_core_model(m, &model, why);
    if (err)
        return err;
    mp_vector_key key = mp_core_key(model, MP_SPACE_LOOK);
    float *v = mp_xcalloc(2 * (size_t)key.dims, sizeof *v);
    err = mp_meta_get_vectors(m->meta, &key, ids, 2, v, why);
    for (int d = 0; !err && d < key.dims; d++) {
        dot += (double)v[d] * (double)v[key.dims + d];
        there[0] += fabs((double)v[d]);
        there[1] += fabs((double)v[key.dims + d]);
    }
    if (!err && there[0] > 0 && there[1] > 0)
        *out = (float)dot;
    free(v);
    return err;
}

/* What b, laid on a, shows differently; pixels that b does not have differ wholly. Brightness and
 * contrast as a whole are taken out first: they are not a place. */
static mp_err draw_difference(const mp_image *small, const mp_dedup_picture *a,
                              const mp_dedup_picture *b, mp_dedup_warp warp, uint8_t **png,
                              size_t *n, mp_why *why)
{
    const mp_dedup_level *level = &a->level[MP_DEDUP_FINEST];
    size_t count = (size_t)level->w * (size_t)level->h;
    float gain = b->deviation > 1 ? a->deviation / b->deviation : 1;
    mp_image overlay = {0};
    float *there = mp_try_array(count, sizeof *there);
    mp_err err = there ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the difference");
    if (!err) {
        mp_dedup_sample(level, &b->level[MP_DEDUP_FINEST], warp, there);
        for (size_t i = 0; i < count; i++)
            there[i] = there[i] < 0 ? DIFFERENCE_HIGH
                                    : fabsf(level->px[i] - (a->mean + gain * (there[i] - b->mean)));
        err = mp_odd_overlay(small, there, level->h, level->w, DIFFERENCE_LOW, DIFFERENCE_HIGH,
                             &overlay, why);
    }
    if (!err)
        err = mp_encode_png(&overlay, png, n, why);
    mp_image_free(&overlay);
    free(there);
    return err;
}

magpie_err magpie_compare(magpie *m, int64_t a, int64_t b, magpie_comparison *out, uint8_t **png,
                          size_t *n, magpie_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    const int64_t ids[2] = {a, b};
    mp_item item[2];
    mp_image small[2] = {0};
    mp_dedup_picture picture[2] = {0};
    mp_err err = MP_OK;
    *out = (magpie_comparison){.relation = ""};
    if (png) {
        *png = NULL;
        *n = 0;
    }
    for (int i = 0; !err && i < 2; i++) {
        err = mp_meta_get_item(m->meta, ids[i], arena, &item[i], INNER(why));
        if (!err)
            err = mp_core_small(m, &item[i], &small[i], INNER(why));
        if (!err)
            err = mp_dedup_picture_make(&small[i], &picture[i], INNER(why));
    }
    if (!err)
        err = look_cosine(m, a, b, &out->cosine, INNER(why));
    if (!err) {
        mp_dedup_verdict v = mp_dedup_verify(&picture[0], &picture[1], NULL, true);
        out->same = v.score;
        out->threshold = mp_dedup_threshold;
        out->relation = v.score >= mp_dedup_threshold ? mp_relation_word(v.kind) : "";
        out->phash_distance = least_distance(&item[0], &item[1]);
        out->same_bytes = memcmp(item[0].sha256, item[1].sha256, 32) == 0;
        if (png)
            err = draw_difference(&small[0], &picture[0], &picture[1], v.warp, png, n, INNER(why));
    }
    for (int i = 0; i < 2; i++) {
        mp_dedup_picture_free(&picture[i]);
        mp_image_free(&small[i]);
    }
    mp_arena_free(arena);
    return OUTER(err);
}
