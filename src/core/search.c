/* search.c - magpie_search: checks, filter, and the answer with its reasons. See search.h. */
#include "core/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_K = 10000, DEFAULT_K = 20 };

static int by_score(const void *a, const void *b)
{
    const mp_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static void add_reason(const mp_search *s, const mp_candidate *c, mp_buf *out)
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
    if (mp_search_words_part(c) >= mp_search_words_floor)
        mp_buf_printf(out, "%sits words match", join);
    mp_buf_add(out, "", 1); /* NUL-terminated in the pool */
}

static void write_note(const mp_search *s, char *out, size_t cap)
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
}

typedef struct owned_hits {
    magpie_hits pub;
    mp_arena *arena;
    char note[256];
} owned_hits;

static mp_err publish(mp_search *s, magpie_hits **out, mp_why *why)
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
        const mp_candidate *c = &s->c[i];
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
    write_note(s, own->note, sizeof own->note);
    *out = &own->pub;
    return MP_OK;
}

magpie_err magpie_search(magpie *m, const magpie_query *query, magpie_hits **out, magpie_why *why)
{
    *out = NULL;
    if (query->n_terms < 1 || query->n_terms > SEARCH_MAX_TERMS)
        return OUTER(
            mp_fail(INNER(why), MP_INVALID, "a search has 1 to %d terms", SEARCH_MAX_TERMS));
    if (query->k > MAX_K)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "k is at most %d", MAX_K));
    if (!isfinite(query->min_score))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "the minimum score is not a number"));
    mp_search s = {.m = m, .q = query, .k = query->k ? query->k : DEFAULT_K, .measure = "cosine"};
    mp_err err = mp_core_model(m, &s.model, INNER(why));
    if (!err)
        s.info = mp_model_get_info(s.model);
    if (!err && query->where)
        err = mp_core_ids(m, query->where, &s.allow, &s.n_allow, INNER(why));
    if (!err && query->where && !s.allow)
        s.allow = mp_xcalloc(1, sizeof *s.allow); /* matches nothing: still a filter */
    if (!err)
        err = mp_search_terms(&s, INNER(why));
    if (!err)
        err = mp_search_candidates(&s, INNER(why));
    if (!err)
        err = mp_search_score(&s, INNER(why));
    if (!err)
        err = publish(&s, out, INNER(why));
    free(s.allow);
    free(s.look);
    free(s.word);
    free(s.aim);
    free(s.slot);
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
