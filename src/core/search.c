/* search.c - magpie_search: checks, filter, and the answer with its reasons. See search.h. */
#include "core/search.h"

#include "core/ports.h"

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

/* Pictures that this search cannot find, because the model's files were replaced by others of the
 * same name. */
static unsigned long long out_of_sight(const mp_search *s)
{
    if (!s->look && !s->word)
        return 0;
    space_index *look = &s->m->space[MP_SPACE_LOOK];
    pthread_mutex_lock(&look->mutex);
    unsigned long long n = look->others;
    pthread_mutex_unlock(&look->mutex);
    return n;
}

static void write_note(const mp_search *s, char *out, size_t cap)
{
    unsigned long long unseen = out_of_sight(s);
    out[0] = '\0';
    if (unseen)
        snprintf(out, cap,
                 "%llu pictures have vectors of other weights of the model %s alone, and are not "
                 "compared: magpie reindex makes theirs",
                 unseen, s->info->id);
    else if (s->words.n && !s->info->space[MP_SPACE_WORD].dims)
        snprintf(out, cap,
                 "the model %s does not know words: only names, titles and tags were searched",
                 s->info->id);
    else if (s->words.n && s->word && !s->text.known)
        snprintf(out, cap,
                 "the model %s knows no concept near these words (it knows 1,000 everyday things "
                 "and animals); a CLIP model would",
                 s->info->id);
    else if (s->text.cut)
        snprintf(out, cap,
                 "the model %s reads the first 75 tokens of a text, about 50 words: the pictures "
                 "were compared with these",
                 s->info->id);
}

typedef struct owned_hits {
    magpie_hits pub;
    mp_arena *arena;
    char note[256];
} owned_hits;

/* One hit; what it says of the item stays NULL without one. */
static magpie_hit describe(const mp_search *s, const mp_candidate *c, const mp_item *item,
                           mp_arena *arena)
{
    mp_buf reason = {0};
    add_reason(s, c, &reason);
    magpie_hit hit = {.id = c->id,
                      .score = c->score,
                      .picture = isnan(c->look) ? c->word : c->look,
                      .words = c->words,
                      .path = item ? item->path : NULL,
                      .name = item ? item->name : NULL,
                      .reason = mp_arena_strdup(arena, mp_str_of(reason.p)),
                      .item = item ? mp_core_publish(item) : NULL};
    mp_buf_free(&reason);
    return hit;
}

/* The n candidates from c on. */
static mp_err describe_all(mp_search *s, const mp_candidate *c, size_t n, owned_hits *own,
                           mp_why *why)
{
    mp_item *items = NULL;
    mp_err err = MP_OK;
    if (!s->q->bare) {
        int64_t *ids = mp_xcalloc(n, sizeof *ids);
        for (size_t i = 0; i < n; i++)
            ids[i] = c[i].id;
        err = mp_meta_get_items(s->m->meta, ids, n, own->arena, &items, why);
        free(ids);
    }
    magpie_hit *hit = err ? NULL : mp_arena_alloc(own->arena, n * sizeof *hit);
    if (!err && !hit)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu hits", n);
    own->pub.hit = hit;
    for (size_t i = 0; !err && i < n; i++)
        if (!items || items[i].id) /* else it was removed since its index was caught up */
            hit[own->pub.n++] = describe(s, &c[i], items ? &items[i] : NULL, own->arena);
    return err;
}

static mp_err publish(mp_search *s, magpie_hits **out, mp_why *why)
{
    float floor = s->q->min_score == 0  ? s->floor
                  : s->q->min_score < 0 ? -INFINITY
                                        : s->q->min_score;
    if (s->n)
        qsort(s->c, s->n, sizeof *s->c, by_score);
    size_t good = 0, from = MP_MIN(s->q->skip, s->n);
    while (good < s->n && s->c[good].score >= floor)
        good++;
    size_t end = MP_MIN(good, s->k - 1);
    owned_hits *own = mp_xcalloc(1, sizeof *own);
    own->arena = mp_arena_new(0);
    own->pub = (magpie_hits){.more = good > end && end<MAX_K, .convincing = good> 0,
                             .floor = s->q->min_score < 0 ? 0 : floor,
                             .standard = s->floor,
                             .best = s->n ? s->c[0].score : 0,
                             .measure = s->measure,
                             .note = own->note,
                             .model = mp_arena_strdup(own->arena, mp_str_of(s->info->id))};
    write_note(s, own->note, sizeof own->note);
    mp_err err = end > from ? describe_all(s, s->c + from, end - from, own, why) : MP_OK;
    if (err)
        magpie_hits_free(&own->pub);
    else
        *out = &own->pub;
    return err;
}

/* The filter's items, where they are not all. */
static mp_err choose(mp_search *s, bool all_is_none, mp_why *why)
{
    static const int64_t none[1];
    if (!s->q->where)
        return MP_OK;
    mp_err err = mp_core_choose(s->m, s->q->where, &s->chosen, why);
    if (err || (s->chosen->everything && all_is_none))
        return err;
    s->allow = s->chosen->n ? s->chosen->ids : none; /* matches nothing: still a filter */
    s->n_allow = s->chosen->n;
    return MP_OK;
}

/* Whether another thread has brought an index up to a later state than the one in which the filter
 * let everything pass. */
static bool is_ahead(const mp_search *s)
{
    bool ahead = false;
    for (int i = 0; i < MP_SPACES; i++) {
        space_index *space = &s->m->space[i];
        pthread_mutex_lock(&space->mutex);
        ahead = ahead || (space->index && space->seen.changes > s->chosen->changes);
        pthread_mutex_unlock(&space->mutex);
    }
    return ahead;
}

/* Nothing is encoded for it: all that it asks for is a few rows. */
static bool is_quick(const magpie_query *q)
{
    bool quick = true;
    for (size_t i = 0; i < q->n_terms; i++)
        quick = quick && (q->terms[i].kind == MAGPIE_ID || q->terms[i].kind == MAGPIE_VECTOR);
    return quick;
}

/* From here on the library is seen in one state, but for what an index is ahead of it. */
static mp_err find(mp_search *s, bool all_is_none, magpie_hits **out, mp_why *why)
{
    mp_err err = choose(s, all_is_none, why);
    if (!err)
        err = mp_search_candidates(s, why);
    if (!err)
        err = mp_search_score(s, why);
    return err ? err : publish(s, out, why);
}

/* *current: no index went on while a filter that everything passes was left out. */
static mp_err run(magpie *m, const magpie_query *query, bool all_is_none, bool *current,
                  magpie_hits **out, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    size_t k = query->skip + (query->k ? query->k : DEFAULT_K) + 1; /* is there a next page? */
    mp_search s = {.m = m, .q = query, .k = k, .measure = "cosine"};
    mp_err err = mp_core_model(m, &s.model, why);
    if (!err)
        s.info = mp_model_get_info(s.model);
    if (!err)
        err = mp_core_filter(query->where, arena, &s.filter, why);
    bool quick = is_quick(query);
    if (quick)
        mp_meta_hold(m->meta);
    if (!err)
        err = mp_search_terms(&s, why);
    if (!quick) /* a state is not held for as long as encoding takes */
        mp_meta_hold(m->meta);
    if (!err)
        err = find(&s, all_is_none, out, why);
    *current = !s.chosen || s.allow || !is_ahead(&s);
    mp_meta_let_go(m->meta);
    mp_core_release(m, s.chosen);
    free(s.look);
    free(s.word);
    free(s.aim);
    free(s.slot);
    free(s.c);
    mp_buf_free(&s.words);
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_search(magpie *m, const magpie_query *query, magpie_hits **out, magpie_why *why)
{
    *out = NULL;
    if (query->n_terms < 1 || query->n_terms > SEARCH_MAX_TERMS)
        return OUTER(
            mp_fail(INNER(why), MP_INVALID, "a search has 1 to %d terms", SEARCH_MAX_TERMS));
    if (query->k > MAX_K || query->skip > MAX_K || query->skip + query->k > MAX_K)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "skip and k are at most %d in all", MAX_K));
    if (!isfinite(query->min_score))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "the minimum score is not a number"));
    /* A filter that everything passes is left out of the search, unless something came in between
     * that it might not let pass. */
    bool current = true;
    mp_core_follow(m);
    mp_err err = run(m, query, true, &current, out, INNER(why));
    if (err == MP_BUSY) /* the model was switched meanwhile */
        err = run(m, query, true, &current, out, INNER(why));
    if (!err && !current) {
        magpie_hits_free(*out);
        *out = NULL;
        err = run(m, query, false, &current, out, INNER(why));
    }
    return OUTER(err);
}

void magpie_hits_free(magpie_hits *hits)
{
    if (!hits)
        return;
    owned_hits *own = (owned_hits *)(void *)hits; /* pub is its first member */
    for (size_t i = 0; i < hits->n; i++)
        free((void *)(uintptr_t)hits->hit[i].item);
    mp_arena_free(own->arena);
    free(own);
}
