/* search_candidates.c - the pictures that any part of a query brings up, and what each part says of
 * them. See search.h. */
#include "core/search.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { TEXT_HITS = 2000 };

static void grow_slots(mp_search *s)
{
    s->n_slots = s->n_slots ? s->n_slots * 2 : 1024;
    free(s->slot);
    s->slot = mp_xcalloc(s->n_slots, sizeof *s->slot);
    for (size_t i = 0; i < s->n; i++) {
        size_t at = mp_mix64((uint64_t)s->c[i].id) & (s->n_slots - 1);
        while (s->slot[at])
            at = (at + 1) & (s->n_slots - 1);
        s->slot[at] = (uint32_t)i + 1;
    }
}

/* The candidate of that id, made when new; NULL when it must not be a result. Valid until the next
 * call. */
static mp_candidate *candidate_of(mp_search *s, int64_t id)
{
    for (size_t i = 0; i < s->n_own; i++)
        if (s->own[i] == id)
            return NULL;
    if (s->allow && mp_find_sorted(s->allow, s->n_allow, id) == SIZE_MAX)
        return NULL;
    if (s->n * 2 >= s->n_slots)
        grow_slots(s);
    size_t at = mp_mix64((uint64_t)id) & (s->n_slots - 1);
    for (; s->slot[at]; at = (at + 1) & (s->n_slots - 1))
        if (s->c[s->slot[at] - 1].id == id)
            return &s->c[s->slot[at] - 1];
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->c = mp_xrealloc(s->c, s->cap * sizeof *s->c);
    }
    s->c[s->n] = (mp_candidate){.id = id, .look = NAN, .word = NAN, .words = NAN, .aim = NAN};
    s->slot[at] = (uint32_t)++s->n;
    return &s->c[s->n - 1];
}

/* One space's best for `query`; `scale` turns the cosine into the space's score. */
static mp_err add_from_space(mp_search *s, mp_space space, const float *query, size_t want,
                             float scale, size_t field, mp_why *why)
{
    mp_index *index;
    mp_err err = mp_core_index(s->m, s->model, space, NULL, NULL, &index, why);
    if (err)
        return err;
    want += s->n_own;
    mp_neighbour *found = mp_try_array(want, sizeof *found);
    size_t n = 0;
    mp_label_set allow = {s->allow, s->n_allow};
    mp_search_options opt = {.k = want, .allow = s->allow ? &allow : NULL, .exact = s->q->exact};
    if (!found)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu results", want);
    if (!err && mp_index_count(index))
        err = mp_index_search(index, query, &opt, found, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        mp_candidate *c = candidate_of(s, found[i].label);
        if (c)
            *(float *)((char *)c + field) = found[i].score * scale;
    }
    free(found);
    return err;
}

/* Full-text matches. How good the best one is cannot be known from bm25, so matches count from 0.5
 * to 1 by their score beside the best one's. */
static mp_err add_from_text(mp_search *s, mp_why *why)
{
    mp_text_hit *hits = NULL;
    size_t n = 0;
    mp_err err = mp_meta_search_text(s->m->meta, s->words.p, s->filter, TEXT_HITS, &hits, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        mp_candidate *c = candidate_of(s, hits[i].id);
        if (c)
            c->words = 0.5f + 0.5f * hits[i].score / hits[0].score;
    }
    free(hits);
    return err;
}

/* Meaning of the pictures' own words beside the query's. */
static mp_err add_from_sentences(mp_search *s, size_t want, mp_why *why)
{
    const mp_space_info *space = &s->info->space[MP_SPACE_SENTENCE];
    uint64_t count = 0;
    if (!space->dims)
        return MP_OK;
    mp_err err = mp_meta_count_vectors(s->m->meta, s->info->id, mp_space_word(MP_SPACE_SENTENCE),
                                       &count, why);
    if (err || !count)
        return err;
    float *query = mp_xcalloc((size_t)space->dims, sizeof *query);
    mp_str text = {s->words.p, s->words.n};
    mp_index *index;
    mp_neighbour *found = mp_try_array(want, sizeof *found);
    size_t n = 0;
    err = found ? mp_search_encode_sentence(s, text, query, why)
                : mp_fail(why, MP_NOMEM, "no memory");
    if (!err)
        err = mp_core_index(s->m, s->model, MP_SPACE_SENTENCE, NULL, NULL, &index, why);
    mp_label_set allow = {s->allow, s->n_allow};
    mp_search_options opt = {.k = want, .allow = s->allow ? &allow : NULL};
    if (!err && mp_index_count(index))
        err = mp_index_search(index, query, &opt, found, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        /* Below 0.3 the sentences have nothing in common; 0.8 says the same in other words. */
        float part = MP_MIN(MP_MAX((found[i].score - 0.3f) / 0.5f, 0.0f), 1.0f);
        mp_candidate *c = part > 0 ? candidate_of(s, found[i].label) : NULL;
        if (c)
            c->words = isnan(c->words) ? part : MP_MAX(c->words, part);
    }
    free(found);
    free(query);
    return err;
}

/* Fills in the visual parts that a candidate found by another part lacks. */
static mp_err complete(mp_search *s, mp_space space, const float *query, float scale, size_t field,
                       mp_why *why)
{
    mp_index *index;
    mp_err err = mp_core_index(s->m, s->model, space, NULL, NULL, &index, why);
    int dims = s->info->space[space].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    float norm = mp_search_length(query, dims);
    for (size_t i = 0; !err && i < s->n; i++) {
        float *to = (float *)((char *)&s->c[i] + field);
        if (!isnan(*to) || mp_index_get(index, s->c[i].id, v, NULL) != MP_OK)
            continue;
        double dot = 0;
        for (int d = 0; d < dims; d++)
            dot += (double)v[d] * query[d];
        *to = norm > 0 ? (float)(dot / norm) * scale : 0;
    }
    free(v);
    return err;
}

/* The visual second opinion on those that were found by their words. */
static mp_err add_aims(mp_search *s, mp_why *why)
{
    mp_vector_key key = mp_core_key(s->model, MP_SPACE_COPY);
    int64_t *ids = mp_xcalloc(s->n, sizeof *ids);
    size_t n = 0, dims = (size_t)key.dims;
    for (size_t i = 0; i < s->n; i++)
        if (!isnan(s->c[i].words))
            ids[n++] = s->c[i].id;
    float *v = mp_try_array(n * dims, sizeof *v);
    mp_err err = v ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu results", n);
    if (!err && n)
        err = mp_meta_get_vectors(s->m->meta, &key, ids, n, v, why);
    float norm = mp_search_length(s->aim, key.dims);
    for (size_t i = 0; !err && norm > 0 && i < n; i++) {
        double dot = 0;
        for (size_t d = 0; d < dims; d++)
            dot += (double)s->aim[d] * (double)v[i * dims + d];
        candidate_of(s, ids[i])->aim = (float)dot / norm;
    }
    free(v);
    free(ids);
    return err;
}

static mp_err add_from_words(mp_search *s, size_t want, mp_why *why)
{
    mp_err err = add_from_text(s, why);
    if (!err)
        err = add_from_sentences(s, want, why);
    return err || !s->aim ? err : add_aims(s, why);
}

mp_err mp_search_candidates(mp_search *s, mp_why *why)
{
    bool mixed = s->look && (s->words.n || s->word);
    size_t want = mixed ? MP_MAX(s->k * 5, (size_t)400) : s->k;
    int look_dims = s->info->space[MP_SPACE_LOOK].dims;
    int word_dims = s->info->space[MP_SPACE_WORD].dims;
    float look_scale = s->look ? mp_search_scale(s->look, look_dims, s->look_weight) : 1;
    float word_scale = s->word ? mp_search_scale(s->word, word_dims, s->word_weight) : 1;
    size_t look = offsetof(mp_candidate, look), word = offsetof(mp_candidate, word);
    mp_err err = MP_OK;
    if (s->look)
        err = add_from_space(s, MP_SPACE_LOOK, s->look, want, look_scale, look, why);
    if (!err && s->word)
        err = add_from_space(s, MP_SPACE_WORD, s->word, want, word_scale, word, why);
    if (!err && s->words.n)
        err = add_from_words(s, want, why);
    if (!err && s->look)
        err = complete(s, MP_SPACE_LOOK, s->look, look_scale, look, why);
    if (!err && s->word)
        err = complete(s, MP_SPACE_WORD, s->word, word_scale, word, why);
    return err;
}
