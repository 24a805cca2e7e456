/* search.c - magpie_search: terms to vectors, candidates, one score, a floor.
 *
 * Three measures. "cosine": picture terms only; the score is the weighted mean of the cosines to
 * the positive terms less that to the negative ones, so one search with the weighted sum of the
 * vectors ranks by it. "concept": words against pictures in the model's WORD space, plus what the
 * words say of the pictures' own words (names, titles, tags); "text": the latter alone, where the
 * model has no WORD space. "mixed": both kinds; each part is standardised over a sample of the
 * library (mean 0, deviation 1 for this query), so that the two can be added: the score is in
 * standard deviations. */
#include "core/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>

enum { MAX_TERMS = 16, MAX_K = 10000, DEFAULT_K = 20, SAMPLE = 512, TEXT_HITS = 2000 };

/* How much a full match of the picture's own words adds to a concept score. Above 1, so that a
 * named picture comes before one that only looks the part. */
static const float WORDS_WEIGHT = 1.0f;
static const float WORDS_FLOOR = 0.30f; /* of the words' part, to convince alone */
static const float MIXED_FLOOR = 2.0f;  /* standard deviations above the library's mean */

typedef struct candidate {
    int64_t id;
    float look, word, words; /* NAN: played no part */
    float score;
} candidate;

typedef struct search {
    magpie *m;
    const magpie_query *q;
    mp_model *model;
    const mp_model_info *info;
    size_t k;
    int64_t *allow; /* sorted ids of the filter; NULL: all */
    size_t n_allow;
    float *look, *word, *sentence;  /* the query in each space; NULL: no such term */
    float look_weight, word_weight; /* sums of the positive weights */
    mp_text_info text;
    mp_buf words; /* of the positive text terms */
    candidate *c;
    size_t n, cap;
    int64_t own[MAX_TERMS]; /* items used as terms */
    size_t n_own;
    const char *measure;
    float floor;
    bool must_write_note;
} search;

/* ---- terms ---- */

static float weight_of(const magpie_term *t)
{
    return t->weight == 0 ? 1 : t->weight;
}

static void normalise(float *v, int dims)
{
    double sum = 0;
    for (int i = 0; i < dims; i++)
        sum += (double)v[i] * v[i];
    float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (int i = 0; i < dims; i++)
        v[i] *= scale;
}

static mp_err encode_picture(search *s, const magpie_term *t, float *out, mp_why *why)
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

static mp_err item_vector(search *s, int64_t id, float *out, mp_why *why)
{
    mp_vector_key key = mp_core_key(s->model, MP_SPACE_LOOK);
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(s->m->meta, id, arena, &item, why);
    if (!err)
        err = mp_meta_get_vectors(s->m->meta, &key, &id, 1, out, why);
    float sum = 0;
    for (int i = 0; !err && i < key.dims; i++)
        sum += fabsf(out[i]);
    if (!err && sum == 0)
        err = mp_fail(why, MP_NOT_FOUND, "#%lld has no vector of the model %s; run reindex",
                      (long long)id, key.model);
    if (!err)
        s->own[s->n_own++] = id;
    mp_arena_free(arena);
    return err;
}

static mp_err add_picture_term(search *s, const magpie_term *t, mp_why *why)
{
    int dims = s->info->space[MP_SPACE_LOOK].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    mp_err err = MP_OK;
    if (t->kind == MAGPIE_ID)
        err = item_vector(s, t->id, v, why);
    else if (t->kind == MAGPIE_VECTOR && (t->n != (size_t)dims || !t->vector))
        err = mp_fail(why, MP_INVALID, "a vector of the model %s has %d numbers, not %zu",
                      s->info->id, dims, t->n);
    else if (t->kind == MAGPIE_VECTOR)
        memcpy(v, t->vector, (size_t)dims * sizeof *v);
    else
        err = encode_picture(s, t, v, why);
    if (!err) {
        float w = weight_of(t);
        normalise(v, dims);
        if (!s->look)
            s->look = mp_xcalloc((size_t)dims, sizeof(float));
        for (int i = 0; i < dims; i++)
            s->look[i] += w * v[i];
        s->look_weight += MP_MAX(w, 0);
    }
    free(v);
    return err;
}

static mp_err add_text_term(search *s, const magpie_term *t, mp_why *why)
{
    float w = weight_of(t);
    int dims = s->info->space[MP_SPACE_WORD].dims;
    if (!t->text || !*t->text)
        return mp_fail(why, MP_INVALID, "there are no words to search for");
    if (w > 0)
        mp_buf_printf(&s->words, "%s%s", s->words.n ? " " : "", t->text);
    s->word_weight += MP_MAX(w, 0);
    if (!dims)
        return MP_OK;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    mp_text_info info;
    mp_err err = mp_model_encode_text(s->model, mp_str_of(t->text), v, &info, why);
    if (!err) {
        if (!s->word)
            s->word = mp_xcalloc((size_t)dims, sizeof(float));
        for (int i = 0; i < dims; i++)
            s->word[i] += w * v[i];
        if (w > 0)
            s->text = info;
    }
    free(v);
    return err;
}

static mp_err take_terms(search *s, mp_why *why)
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
    return err;
}

/* ---- candidates ---- */

static candidate *candidate_of(search *s, int64_t id)
{
    for (size_t i = 0; i < s->n_own; i++)
        if (s->own[i] == id)
            return NULL;
    if (s->allow && mp_core_find_id(s->allow, s->n_allow, id) == SIZE_MAX)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        if (s->c[i].id == id)
            return &s->c[i];
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->c = mp_xrealloc(s->c, s->cap * sizeof *s->c);
    }
    s->c[s->n] = (candidate){.id = id, .look = NAN, .word = NAN, .words = NAN};
    return &s->c[s->n++];
}

/* One space's best for `query`; `scale` turns the cosine into the space's score. */
static mp_err add_from_space(search *s, mp_space space, const float *query, size_t want,
                             float scale, size_t field, mp_why *why)
{
    mp_index *index;
    mp_err err = mp_core_index(s->m, space, NULL, NULL, &index, why);
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
        candidate *c = candidate_of(s, found[i].label);
        if (c)
            *(float *)((char *)c + field) = found[i].score * scale;
    }
    free(found);
    return err;
}

static float length_of(const float *v, int dims)
{
    double sum = 0;
    for (int i = 0; i < dims; i++)
        sum += (double)v[i] * v[i];
    return (float)sqrt(sum);
}

/* Full-text matches: bm25 against the best one, times the share that the best itself deserves is
 * unknowable, so a match counts by rank of its score alone. */
static mp_err add_from_text(search *s, mp_why *why)
{
    mp_text_hit *hits = NULL;
    size_t n = 0;
    mp_err err = mp_meta_search_text(s->m->meta, s->words.p, TEXT_HITS, &hits, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        candidate *c = candidate_of(s, hits[i].id);
        if (c)
            c->words = 0.5f + 0.5f * hits[i].score / hits[0].score;
    }
    free(hits);
    return err;
}

/* Meaning of the pictures' own words beside the query's. */
static mp_err add_from_sentences(search *s, size_t want, mp_why *why)
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
    err = found ? mp_model_encode_sentences(s->model, &text, 1, query, why)
                : mp_fail(why, MP_NOMEM, "no memory");
    if (!err)
        err = mp_core_index(s->m, MP_SPACE_SENTENCE, NULL, NULL, &index, why);
    mp_label_set allow = {s->allow, s->n_allow};
    mp_search_options opt = {.k = want, .allow = s->allow ? &allow : NULL};
    if (!err && mp_index_count(index))
        err = mp_index_search(index, query, &opt, found, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        /* Below 0.3 the sentences have nothing in common; 0.8 says the same in other words. */
        float part = MP_MIN(MP_MAX((found[i].score - 0.3f) / 0.5f, 0.0f), 1.0f);
        candidate *c = part > 0 ? candidate_of(s, found[i].label) : NULL;
        if (c)
            c->words = isnan(c->words) ? part : MP_MAX(c->words, part);
    }
    free(found);
    free(query);
    return err;
}

/* Fills in the visual parts that a candidate found by another part lacks. */
static mp_err complete(search *s, mp_space space, const float *query, float scale, size_t field,
                       mp_why *why)
{
    mp_index *index;
    mp_err err = mp_core_index(s->m, space, NULL, NULL, &index, why);
    int dims = s->info->space[space].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    float norm = length_of(query, dims);
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

/* Mean and deviation of the query's score over a sample of the library. */
static mp_err standard_of(search *s, mp_space space, const float *query, float scale, float *mean,
                          float *deviation, mp_why *why)
{
    mp_index *index;
    int64_t *ids = NULL;
    size_t n = 0, used = 0;
    int dims = s->info->space[space].dims;
    float *v = mp_xcalloc((size_t)dims, sizeof *v);
    float norm = length_of(query, dims);
    double sum = 0, square = 0;
    mp_err err = mp_core_index(s->m, space, NULL, NULL, &index, why);
    if (!err)
        err = mp_meta_ids(s->m->meta, NULL, &ids, &n, why);
    size_t step = MP_MAX(n / SAMPLE, (size_t)1);
    for (size_t i = 0; !err && i < n; i += step) {
        if (mp_index_get(index, ids[i], v, NULL) != MP_OK)
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
    free(ids);
    free(v);
    return err;
}

/* ---- scores ---- */

static void score_pictures(search *s)
{
    s->measure = "cosine";
    s->floor = s->info->space[MP_SPACE_LOOK].floor;
    for (size_t i = 0; i < s->n; i++)
        s->c[i].score = s->c[i].look;
}

static float words_part(const candidate *c)
{
    return isnan(c->words) ? 0 : c->words;
}

static void score_words(search *s)
{
    bool seen = s->word != NULL;
    float floor = s->info->space[MP_SPACE_WORD].floor;
    s->measure = seen ? "concept" : "text";
    s->floor = seen ? floor : WORDS_FLOOR;
    for (size_t i = 0; i < s->n; i++) {
        candidate *c = &s->c[i];
        float visual = isnan(c->word) ? 0 : c->word;
        c->score = seen ? visual + WORDS_WEIGHT * words_part(c) : words_part(c);
        /* The floor is on the visual score: a picture must not pass it on a hint of words. */
        if (seen && visual < floor && words_part(c) < WORDS_FLOOR)
            c->score = MP_MIN(c->score, floor * 0.999f);
    }
}

static mp_err score_mixed(search *s, float word_scale, mp_why *why)
{
    float mean[2] = {0, 0}, deviation[2] = {1, 1};
    mp_err err = standard_of(s, MP_SPACE_LOOK, s->look, s->look_weight > 0 ? 1 : 0, &mean[0],
                             &deviation[0], why);
    if (!err && s->word)
        err = standard_of(s, MP_SPACE_WORD, s->word, word_scale, &mean[1], &deviation[1], why);
    float total = s->look_weight + s->word_weight;
    s->measure = "mixed";
    s->floor = MIXED_FLOOR;
    for (size_t i = 0; i < s->n; i++) {
        candidate *c = &s->c[i];
        float look = isnan(c->look) ? 0 : (c->look - mean[0]) / deviation[0];
        float word = isnan(c->word) ? 0 : (c->word - mean[1]) / deviation[1];
        word = MP_MAX(word, 0.0f) + 4 * words_part(c);
        c->score = (s->look_weight * look + s->word_weight * word) / total;
    }
    return err;
}

static int by_score(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static mp_err find_candidates(search *s, mp_why *why)
{
    bool mixed = s->look && (s->words.n || s->word);
    size_t want = mixed ? MP_MAX(s->k * 5, (size_t)400) : s->k;
    float look_scale = 1, word_scale = 1;
    mp_err err = MP_OK;
    if (s->look) {
        int dims = s->info->space[MP_SPACE_LOOK].dims;
        look_scale = length_of(s->look, dims) / MP_MAX(s->look_weight, 1e-6f);
        err = add_from_space(s, MP_SPACE_LOOK, s->look, want, look_scale, offsetof(candidate, look),
                             why);
    }
    if (!err && s->word) {
        word_scale =
            length_of(s->word, s->info->space[MP_SPACE_WORD].dims) / MP_MAX(s->word_weight, 1e-6f);
        err = add_from_space(s, MP_SPACE_WORD, s->word, want, word_scale, offsetof(candidate, word),
                             why);
    }
    if (!err && s->words.n)
        err = add_from_text(s, why);
    if (!err && s->words.n)
        err = add_from_sentences(s, want, why);
    if (!err && s->look)
        err = complete(s, MP_SPACE_LOOK, s->look, look_scale, offsetof(candidate, look), why);
    if (!err && s->word)
        err = complete(s, MP_SPACE_WORD, s->word, word_scale, offsetof(candidate, word), why);
    if (err)
        return err;
    if (mixed)
        return score_mixed(s, word_scale, why);
    if (s->look)
        score_pictures(s);
    else
        score_words(s);
    return MP_OK;
}

/* ---- answers ---- */

static void add_reason(const search *s, const candidate *c, mp_buf *out)
{
    const char *join = "";
    if (!isnan(c->look)) {
        mp_buf_printf(out, "cosine %.2f", (double)c->look);
        join = "; ";
    }
    if (!isnan(c->word) && s->text.concept[0] && c->word > 0) {
        mp_buf_printf(out, "%sconcepts: ", join);
        for (int i = 0; i < 3 && s->text.concept[i]; i++)
            mp_buf_printf(out, "%s%s", i ? ", " : "", s->text.concept[i]);
        join = "; ";
    }
    if (words_part(c) >= WORDS_FLOOR)
        mp_buf_printf(out, "%sits words match", join);
    mp_buf_add(out, "", 1); /* NUL-terminated in the pool */
}

static void write_note(const search *s, bool convincing, char *out, size_t cap)
{
    out[0] = '\0';
    if (s->words.n && !s->info->space[MP_SPACE_WORD].dims)
        snprintf(out, cap,
                 "the model %s does not know words: only names, titles and tags were searched",
                 s->info->id);
    else if (s->words.n && s->word && !s->text.known)
        snprintf(out, cap,
                 "the model %s knows no concept near these words (it knows 1,000 everyday things "
                 "and animals); a CLIP model would",
                 s->info->id);
    else if (!convincing && s->n)
        snprintf(out, cap, "nothing reaches the floor; see more with a lower minimum score");
}

typedef struct owned_hits {
    magpie_hits pub;
    mp_arena *arena;
    char note[256];
} owned_hits;

static mp_err publish(search *s, magpie_hits **out, mp_why *why)
{
    float floor = s->q->min_score == 0  ? s->floor
                  : s->q->min_score < 0 ? -INFINITY
                                        : s->q->min_score;
    if (s->n)
        qsort(s->c, s->n, sizeof *s->c, by_score);
    size_t n = 0;
    while (n < s->n && n < s->k && s->c[n].score >= floor)
        n++;
    owned_hits *own = mp_xcalloc(1, sizeof *own);
    own->arena = mp_arena_new(0);
    int64_t *ids = mp_xcalloc(n, sizeof *ids);
    mp_item *items = NULL;
    for (size_t i = 0; i < n; i++)
        ids[i] = s->c[i].id;
    mp_err err = mp_meta_get_items(s->m->meta, ids, n, own->arena, &items, why);
    magpie_hit *hit = err ? NULL : mp_arena_alloc(own->arena, n * sizeof *hit);
    size_t kept = 0;
    for (size_t i = 0; hit && i < n; i++) {
        if (!items[i].id) /* removed since its index was caught up */
            continue;
        const candidate *c = &s->c[i];
        mp_buf reason = {0};
        add_reason(s, c, &reason);
        hit[kept++] = (magpie_hit){.id = c->id,
                                   .score = c->score,
                                   .picture = isnan(c->look) ? c->word : c->look,
                                   .words = c->words,
                                   .path = items[i].path,
                                   .name = items[i].name,
                                   .reason = mp_arena_strdup(own->arena, mp_str_of(reason.p))};
        mp_buf_free(&reason);
    }
    free(ids);
    if (err) {
        mp_arena_free(own->arena);
        free(own);
        return err;
    }
    own->pub = (magpie_hits){.n = kept,
                             .hit = hit,
                             .convincing = kept > 0,
                             .floor = s->q->min_score < 0 ? 0 : floor,
                             .best = s->n ? s->c[0].score : 0,
                             .measure = s->measure,
                             .note = own->note,
                             .model = mp_arena_strdup(own->arena, mp_str_of(s->info->id))};
    write_note(s, kept > 0, own->note, sizeof own->note);
    *out = &own->pub;
    return MP_OK;
}

magpie_err magpie_search(magpie *m, const magpie_query *query, magpie_hits **out, magpie_why *why)
{
    *out = NULL;
    if (query->n_terms < 1 || query->n_terms > MAX_TERMS)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "a search has 1 to %d terms", MAX_TERMS));
    if (query->k > MAX_K)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "k is at most %d", MAX_K));
    if (!isfinite(query->min_score))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "the minimum score is not a number"));
    search s = {.m = m, .q = query, .k = query->k ? query->k : DEFAULT_K, .measure = "cosine"};
    mp_err err = mp_core_model(m, &s.model, INNER(why));
    if (!err)
        s.info = mp_model_get_info(s.model);
    if (!err && query->where)
        err = mp_core_ids(m, query->where, &s.allow, &s.n_allow, INNER(why));
    if (!err && query->where && !s.allow)
        s.allow = mp_xcalloc(1, sizeof *s.allow); /* matches nothing: still a filter */
    if (!err)
        err = take_terms(&s, INNER(why));
    if (!err)
        err = find_candidates(&s, INNER(why));
    if (!err)
        err = publish(&s, out, INNER(why));
    free(s.allow);
    free(s.look);
    free(s.word);
    free(s.c);
    mp_buf_free(&s.words);
    return OUTER(err);
}

void magpie_hits_free(magpie_hits *hits)
{
    if (!hits)
        return;
    owned_hits *own = (owned_hits *)(void *)hits; /* pub is its first member */
    mp_arena_free(own->arena);
    free(own);
}
