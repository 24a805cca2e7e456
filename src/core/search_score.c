/* search_score.c - one score per candidate.
 *
 * Three measures. "cosine": picture terms only; the weighted mean of the cosines to the positive
 * terms less that to the negative ones. "concept": words only; the better of what the words say of
 * the pixels (WORD space) and of the pictures' own words (names, titles, tags: full text and
 * sentence vectors), where the latter are weighed together with a visual second opinion; "text" is
 * the same where the model has no WORD space. "mixed": pictures and words; each part is
 * standardised over a sample of the library (mean 0, deviation 1 for this query), so that the two
 * can be added: the score is in standard deviations. */
#include "core/search.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE = 512 };

/* Of the words' part, to convince alone. */
const float mp_search_words_floor = 0.30f;
/* What the second opinion adds, per cosine: 0.15 on the scale of sentence cosines (see
 * tests/quality/model: description to product), of which the words' part is twice. */
static const float AIM_WEIGHT = 0.30f;
static const float MIXED_FLOOR = 2.0f; /* standard deviations above the library's mean */
/* A full match of words counts as much as a picture this many deviations out. */
static const float WORDS_DEVIATIONS = 4;

float mp_search_length(const float *v, int dims)
{
    double sum = 0;
    for (int i = 0; i < dims; i++)
        sum += (double)v[i] * v[i];
    return (float)sqrt(sum);
}

float mp_search_scale(const float *query, int dims, float weight)
{
    return mp_search_length(query, dims) / MP_MAX(weight, 1e-6f);
}

/* Mean and deviation of the query's score over a sample of the library. */
static mp_err standard_of(mp_search *s, mp_space space, const float *query, float scale,
                          float *mean, float *deviation, mp_why *why)
{
    mp_index *index;
    mp_chosen *all = NULL;
    size_t used = 0;
    int dims = s->info->space[space].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    float norm = mp_search_length(query, dims);
    double sum = 0, square = 0;
    mp_err err = mp_core_index(s->m, s->model, space, NULL, NULL, &index, why);
    if (!err)
        err = mp_core_choose(s->m, "", &all, why);
    size_t n = err ? 0 : all->n, step = MP_MAX(n / SAMPLE, (size_t)1);
    for (size_t i = 0; i < n; i += step) {
        if (mp_index_get(index, all->ids[i], v, NULL) != MP_OK)
            continue;
        double dot = 0;
        for (int d = 0; d < dims; d++)
            dot += (double)v[d] * query[d];
        dot *= norm > 0 ? scale / norm : 0;
        sum += dot;
        square += dot * dot;
        used++;
    }
    double m = used ? sum / (double)used : 0, var = used ? square / (double)used - m * m : 0;
    *mean = (float)m;
    *deviation = (float)sqrt(MP_MAX(var, 1e-6));
    mp_core_release(s->m, all);
    free(v);
    return err;
}

static void score_pictures(mp_search *s)
{
    s->measure = "cosine";
    s->floor = s->info->space[MP_SPACE_LOOK].floor;
    for (size_t i = 0; i < s->n; i++)
        s->c[i].score = s->c[i].look;
}

float mp_search_words_part(const mp_candidate *c)
{
    return isnan(c->words) ? 0 : c->words;
}

static void score_words(mp_search *s)
{
    bool seen = s->word != NULL;
    float floor = s->info->space[MP_SPACE_WORD].floor;
    s->measure = seen ? "concept" : "text";
    s->floor = seen ? floor : mp_search_words_floor;
    for (size_t i = 0; i < s->n; i++) {
        mp_candidate *c = &s->c[i];
        float visual = isnan(c->word) ? 0 : c->word, said = mp_search_words_part(c);
        if (!seen) {
            c->score = said;
        } else if (said < mp_search_words_floor) {
            c->score = visual; /* a hint of words must not carry a picture over the floor */
        } else {
            c->score = MP_MAX(visual, said + AIM_WEIGHT * (isnan(c->aim) ? 0 : c->aim));
        }
    }
}

static mp_err score_mixed(mp_search *s, mp_why *why)
{
    float word_scale =
        s->word ? mp_search_scale(s->word, s->info->space[MP_SPACE_WORD].dims, s->word_weight) : 1;
    float mean[2] = {0, 0}, deviation[2] = {1, 1};
    mp_err err = standard_of(s, MP_SPACE_LOOK, s->look, s->look_weight > 0 ? 1 : 0, &mean[0],
                             &deviation[0], why);
    if (!err && s->word)
        err = standard_of(s, MP_SPACE_WORD, s->word, word_scale, &mean[1], &deviation[1], why);
    float total = s->look_weight + s->word_weight;
    s->measure = "mixed";
    s->floor = MIXED_FLOOR;
    for (size_t i = 0; i < s->n; i++) {
        mp_candidate *c = &s->c[i];
        float look = isnan(c->look) ? 0 : (c->look - mean[0]) / deviation[0];
        float word = isnan(c->word) ? 0 : (c->word - mean[1]) / deviation[1];
        word = MP_MAX(word, 0.0f) + WORDS_DEVIATIONS * mp_search_words_part(c);
        c->score = (s->look_weight * look + s->word_weight * word) / total;
    }
    return err;
}

mp_err mp_search_score(mp_search *s, mp_why *why)
{
    if (s->look && s->words.n)
        return score_mixed(s, why);
    if (s->look)
        score_pictures(s);
    else
        score_words(s);
    return MP_OK;
}
