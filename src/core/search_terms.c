/* search_terms.c - the terms of a query to one vector per space. See search.h. */
#include "core/search.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static float weight_of(const magpie_term *t)
{
    return t->weight == 0 ? 1 : t->weight;
}

static void normalise(float *v, int dims)
{
    double sum = 0;
    for (int i = 0; i < dims; i++)
        sum += (double)v[i] * (double)v[i];
    double scale = sum > 0 ? 1 / sqrt(sum) : 0; /* of the smallest floats beyond what a float has */
    for (int i = 0; i < dims; i++)
        v[i] = (float)((double)v[i] * scale);
}

static void add_scaled(float **sum, const float *v, int dims, float weight)
{
    if (!*sum)
        *sum = mp_xcalloc((size_t)dims, sizeof **sum);
    for (int i = 0; i < dims; i++)
        (*sum)[i] += weight * v[i];
}

static mp_err encode_picture(mp_search *s, const magpie_term *t, float *out, mp_why *why)
{
    mp_decoder *decoder;
    mp_decoded decoded = {0};
    mp_decode_spec spec = {0};
    int view_of[MP_SPACES];
    float *to[MP_SPACES] = {[MP_SPACE_LOOK] = out};
    mp_core_views(s->model, 1u << MP_SPACE_LOOK, &spec, view_of);
    mp_err err = mp_core_decoder(s->m, &decoder, why);
    if (err)
        return err;
    if (t->kind == MAGPIE_BYTES) {
        err = mp_decode_bytes(decoder, (mp_span){t->data, t->n}, &spec, &decoded, why);
    } else {
        int fd = open(t->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return mp_fail_errno(why, errno, "cannot open %s", t->text);
        mp_why inner = {0};
        err = mp_decode_fd(decoder, fd, &spec, &decoded, &inner);
        if (err)
            err = mp_fail(why, err, "%s: %.400s", t->text, inner.text);
        close(fd);
    }
    if (!err) {
        mp_views views = {.px = {[MP_SPACE_LOOK] = decoded.view[view_of[MP_SPACE_LOOK]].px}};
        err = mp_model_encode_images(s->model, &views, 1, 1u << MP_SPACE_LOOK, to, why);
    }
    mp_decoded_free(&decoded);
    return err;
}

/* Without a vector, either the item is not there or it was never encoded. */
static mp_err why_no_vector(mp_search *s, int64_t id, const char *model, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(s->m->meta, id, arena, &item, why);
    mp_arena_free(arena);
    return err ? err
               : mp_fail(why, MP_NOT_FOUND, "#%lld has no vector of the model %s; run reindex",
                         (long long)id, model);
}

static mp_err item_vector(mp_search *s, int64_t id, float *out, mp_why *why)
{
    mp_vector_key key = mp_core_key(s->model, MP_SPACE_LOOK);
    mp_err err = mp_meta_get_vectors(s->m->meta, &key, &id, 1, out, why);
    float sum = 0;
    for (int i = 0; !err && i < key.dims; i++)
        sum += fabsf(out[i]);
    if (!err && sum == 0)
        err = why_no_vector(s, id, key.model, why);
    if (!err)
        s->own[s->n_own++] = id;
    return err;
}

/* A vector that was given: of this model's length as far as that can tell, and with a direction. */
static mp_err given_vector(const mp_search *s, const magpie_term *t, float *out, mp_why *why)
{
    int dims = s->info->space[MP_SPACE_LOOK].dims;
    bool zero = true;
    if (t->n != (size_t)dims || !t->vector)
        return mp_fail(why, MP_INVALID,
                       "a vector of the model %s has %d numbers, not %zu: is it another model's?",
                       s->info->id, dims, t->n);
    for (int i = 0; i < dims; i++) {
        if (!isfinite(t->vector[i]))
            return mp_fail(why, MP_INVALID,
                           "number %d of a vector is not finite (NaN, infinite or too large)",
                           i + 1);
        zero = zero && t->vector[i] == 0;
    }
    if (zero)
        return mp_fail(why, MP_INVALID, "a vector is all zeros: nothing is like it");
    memcpy(out, t->vector, (size_t)dims * sizeof *out);
    return MP_OK;
}

static mp_err add_picture_term(mp_search *s, const magpie_term *t, mp_why *why)
{
    int dims = s->info->space[MP_SPACE_LOOK].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    mp_err err = MP_OK;
    if (t->kind == MAGPIE_ID)
        err = item_vector(s, t->id, v, why);
    else if (t->kind == MAGPIE_VECTOR)
        err = given_vector(s, t, v, why);
    else
        err = encode_picture(s, t, v, why);
    if (!err) {
        float w = weight_of(t);
        normalise(v, dims);
        add_scaled(&s->look, v, dims, w);
        s->look_weight += MP_MAX(w, 0);
    }
    free(v);
    return err;
}

static mp_err add_text_term(mp_search *s, const magpie_term *t, mp_why *why)
{
    float w = weight_of(t);
    int dims = s->info->space[MP_SPACE_WORD].dims;
    mp_err err = mp_core_check_question(t->text, why);
    if (err)
        return err;
    if (w > 0)
        mp_buf_printf(&s->words, "%s%s", s->words.n ? " " : "", t->text);
    s->word_weight += MP_MAX(w, 0);
    if (!dims)
        return MP_OK;
    int aim_dims = s->info->space[MP_SPACE_COPY].dims;
    float *v = mp_xcalloc((size_t)(dims + aim_dims), sizeof *v);
    mp_text_info info;
    err = mp_search_encode_text(s, t->text, v, &info, why);
    if (!err) {
        add_scaled(&s->word, v, dims, w);
        add_scaled(&s->aim, v + dims, aim_dims, w);
        info.cut = info.cut || s->text.cut;
        if (w > 0)
            s->text = info;
    }
    free(v);
    return err;
}

/* What is left of a vector after parts that were taken away; rounding leaves a little of nothing.
 */
static bool cancelled(const float *v, int dims, float weight)
{
    return v && !(mp_search_length(v, dims) > 1e-6f * weight);
}

mp_err mp_search_terms(mp_search *s, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < s->q->n_terms; i++) {
        const magpie_term *t = &s->q->terms[i];
        if (t->kind < MAGPIE_TEXT || t->kind > MAGPIE_VECTOR || !isfinite(t->weight))
            return mp_fail(why, MP_INVALID, "term %zu has no known kind or weight", i + 1);
        err = t->kind == MAGPIE_TEXT ? add_text_term(s, t, why) : add_picture_term(s, t, why);
    }
    if (!err && s->look_weight + s->word_weight <= 0)
        err = mp_fail(why, MP_INVALID, "at least one term must say what to look for");
    if (!err && (cancelled(s->look, s->info->space[MP_SPACE_LOOK].dims, s->look_weight) ||
                 cancelled(s->word, s->info->space[MP_SPACE_WORD].dims, s->word_weight)))
        err = mp_fail(why, MP_INVALID,
                      "what is looked for and what is not wanted cancel each other out");
    return err;
}
