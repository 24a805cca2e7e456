/* dedup_same.c - pairs of "same picture": gathers candidates, verifies them on all threads, closes
 * the triangles that the answers suggest.
 *
 * Candidates are pictures with near hashes under a symmetry, neighbours by vector, and then, round
 * after round, pictures that are both the same as a third: for these the warp is known already, as
 * the composition of the two, so that they cost no search. Each worker keeps a few pictures
 * prepared; pairs are worked off in the order of their first picture. */
#include "core/dedup.h"

#include "base/os.h"
#include "core/dedup_hash.h"
#include "core/dedup_verify.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_RADIUS = 10, KEPT = 64, ROUNDS = 3, MAX_FRIENDS = 24 };

/* Between the pictures of one series (below 0.6 but for one in thousands) and marked copies. */
const float mp_dedup_threshold = 0.6f;

/* Neighbours by vector below this cosine are not looked at. */
static const float LEAST_COSINE = 0.5f;

typedef struct attempt {
    uint32_t a, b; /* a < b */
    bool thorough, hinted;
    mp_dedup_warp hint;
} attempt;

typedef struct accepted {
    uint32_t a, b;
    float score;
    mp_relation_kind kind;
    float added;
    mp_dedup_warp warp;
} accepted;

typedef struct kept_picture {
    uint32_t position;
    bool used, failed;
    mp_dedup_picture picture;
} kept_picture;

typedef struct matcher {
    const mp_dedup_input *in;
    int workers;
    float threshold;
    mp_pair *verdict; /* what people decided, sorted: not looked at again */
    size_t n_verdicts;
    kept_picture *kept; /* workers x KEPT */
    attempt *attempt;
    size_t n_attempts, cap_attempts;
    mp_dedup_verdict *answer; /* one per attempt under way */
    uint64_t *tried;          /* a << 32 | b, sorted */
    size_t n_tried;
    accepted *accepted;
    size_t n_accepted, cap_accepted;
} matcher;

static mp_err no_memory(mp_why *why)
{
    return mp_fail(why, MP_NOMEM, "no memory for the pairs to compare");
}

/* ---- candidates ---- */

static int by_pair(const void *x, const void *y)
{
    const mp_pair *a = x, *b = y;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static mp_err take_verdicts(matcher *m, mp_why *why)
{
    const mp_dedup_input *in = m->in;
    m->verdict = mp_try_array(in->n_same + in->n_different, sizeof *m->verdict);
    if (!m->verdict)
        return no_memory(why);
    for (size_t i = 0; i < in->n_same + in->n_different; i++) {
        const mp_pair *p = i < in->n_same ? &in->same[i] : &in->different[i - in->n_same];
        if (p->a >= in->n || p->b >= in->n)
            return mp_fail(why, MP_INVALID, "a verdict names position %zu of %zu",
                           MP_MAX(p->a, p->b), in->n);
        m->verdict[m->n_verdicts++] = (mp_pair){.a = MP_MIN(p->a, p->b), .b = MP_MAX(p->a, p->b)};
    }
    qsort(m->verdict, m->n_verdicts, sizeof *m->verdict, by_pair);
    return MP_OK;
}

static bool decided(const matcher *m, uint32_t a, uint32_t b)
{
    mp_pair key = {.a = a, .b = b};
    return bsearch(&key, m->verdict, m->n_verdicts, sizeof key, by_pair) != NULL;
}

static mp_err propose(matcher *m, attempt t, mp_why *why)
{
    if (decided(m, t.a, t.b))
        return MP_OK;
    if (m->n_attempts == m->cap_attempts) {
        size_t cap = m->cap_attempts ? m->cap_attempts * 2 : 1024;
        attempt *more = realloc(m->attempt, cap * sizeof *more);
        if (!more)
            return no_memory(why);
        m->attempt = more;
        m->cap_attempts = cap;
    }
    m->attempt[m->n_attempts++] = t;
    return MP_OK;
}

static mp_err propose_near_hashes(matcher *m, mp_why *why)
{
    mp_dedup_near *near;
    size_t n;
    mp_dedup_hash_input in = {.phash = m->in->phash,
                              .n = m->in->n,
                              .radius = HASH_RADIUS,
                              .workers = m->workers,
                              .stop = m->in->stop,
                              .stop_context = m->in->stop_context};
    mp_err err = mp_dedup_hash_pairs(&in, &near, &n, why);
    for (size_t i = 0; !err && i < n; i++)
        err = propose(m, (attempt){.a = near[i].a, .b = near[i].b}, why);
    free(near);
    return err;
}

static mp_err propose_neighbours(matcher *m, mp_why *why)
{
    const mp_dedup_input *in = m->in;
    mp_err err = MP_OK;
    for (size_t i = 0; in->copy_knn && !err && i < in->n; i++)
        for (size_t k = 0; !err && k < in->copy_k; k++) {
            const mp_neighbour *f = &in->copy_knn[i * in->copy_k + k];
            size_t other = (size_t)f->label - 1;
            if (f->label < 1 || other >= in->n || other == i || !(f->score >= LEAST_COSINE))
                continue;
            err = propose(m,
                          (attempt){.a = (uint32_t)MP_MIN(i, other),
                                    .b = (uint32_t)MP_MAX(i, other),
                                    .thorough = true},
                          why);
        }
    return err;
}

static int by_attempt(const void *x, const void *y)
{
    const attempt *a = x, *b = y;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    if (a->b != b->b)
        return a->b < b->b ? -1 : 1;
    if (a->thorough != b->thorough)
        return a->thorough ? -1 : 1;
    return memcmp(&a->hint, &b->hint, sizeof a->hint);
}

static uint64_t key_of(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

static int by_key(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Sorts the attempts, leaves each pair once, and none that was tried before; notes the rest as
 * tried. */
static mp_err tidy_attempts(matcher *m, mp_why *why)
{
    size_t kept = 0;
    if (m->n_attempts)
        qsort(m->attempt, m->n_attempts, sizeof *m->attempt, by_attempt);
    for (size_t i = 0; i < m->n_attempts; i++) {
        const attempt *t = &m->attempt[i];
        uint64_t key = key_of(t->a, t->b);
        bool repeat = kept && m->attempt[kept - 1].a == t->a && m->attempt[kept - 1].b == t->b;
        if (!repeat && !(m->n_tried && bsearch(&key, m->tried, m->n_tried, sizeof key, by_key)))
            m->attempt[kept++] = *t;
    }
    m->n_attempts = kept;
    uint64_t *tried = realloc(m->tried, (m->n_tried + kept + 1) * sizeof *tried);
    if (!tried)
        return no_memory(why);
    m->tried = tried;
    for (size_t i = 0; i < kept; i++)
        m->tried[m->n_tried++] = key_of(m->attempt[i].a, m->attempt[i].b);
    qsort(m->tried, m->n_tried, sizeof *m->tried, by_key);
    return MP_OK;
}

/* ---- verification ---- */

/* The picture of a position, prepared; NULL when it cannot be had. Valid until the worker's next
 * call for a position in the same slot. */
static const mp_dedup_picture *prepared(matcher *m, int worker, uint32_t position)
{
    kept_picture *k = &m->kept[(size_t)worker * KEPT + position % KEPT];
    if (!k->used || k->position != position) {
        mp_image small = {0};
        mp_dedup_picture_free(&k->picture);
        k->used = true;
        k->position = position;
        k->failed = m->in->small(m->in->small_context, position, &small) != MP_OK ||
                    mp_dedup_picture_make(&small, &k->picture, NULL) != MP_OK;
        mp_image_free(&small);
    }
    return k->failed ? NULL : &k->picture;
}

static void verify_one(void *context, int worker, size_t i)
{
    matcher *m = context;
    const attempt *t = &m->attempt[i];
    const mp_dedup_picture *b = prepared(m, worker, t->b);
    kept_picture spare = {0};
    m->answer[i] = (mp_dedup_verdict){0};
    if (t->a % KEPT == t->b % KEPT) { /* both want one slot: b moves out for the moment */
        kept_picture *slot = &m->kept[(size_t)worker * KEPT + t->b % KEPT];
        spare = *slot;
        *slot = (kept_picture){0};
        b = spare.failed ? NULL : &spare.picture;
    }
    const mp_dedup_picture *a = prepared(m, worker, t->a);
    if (a && b)
        m->answer[i] = mp_dedup_verify(a, b, t->hinted ? &t->hint : NULL, t->thorough);
    mp_dedup_picture_free(&spare.picture);
}

static mp_err keep_answers(matcher *m, mp_why *why)
{
    for (size_t i = 0; i < m->n_attempts; i++) {
        const mp_dedup_verdict *v = &m->answer[i];
        if (v->score < m->threshold)
            continue;
        if (m->n_accepted == m->cap_accepted) {
            size_t cap = m->cap_accepted ? m->cap_accepted * 2 : 256;
            accepted *more = realloc(m->accepted, cap * sizeof *more);
            if (!more)
                return no_memory(why);
            m->accepted = more;
            m->cap_accepted = cap;
        }
        m->accepted[m->n_accepted++] = (accepted){.a = m->attempt[i].a,
                                                  .b = m->attempt[i].b,
                                                  .score = v->score,
                                                  .kind = v->kind,
                                                  .added = v->added,
                                                  .warp = v->warp};
    }
    return MP_OK;
}

static mp_err verify_attempts(matcher *m, mp_why *why)
{
    mp_dedup_steps steps = {.n = m->n_attempts,
                            .batch = 16,
                            .workers = m->workers,
                            .step = verify_one,
                            .context = m,
                            .stop = m->in->stop,
                            .stop_context = m->in->stop_context};
    m->answer = mp_try_array(m->n_attempts, sizeof *m->answer);
    mp_err err = m->answer ? mp_dedup_parallel(&steps, why) : no_memory(why);
    if (!err)
        err = keep_answers(m, why);
    free(m->answer);
    m->answer = NULL;
    m->n_attempts = 0;
    return err;
}

/* ---- closing triangles ---- */

typedef struct friend
{
    uint32_t of, to;
    float score;
    mp_dedup_warp warp; /* from `of` to `to` */
}
friend;

static int by_owner(const void *x, const void *y)
{
    const friend *a = x, *b = y;
    if (a->of != b->of)
        return a->of < b->of ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

/* Each accepted pair as seen from both ends, the best first. */
static friend *list_friends(const matcher *m, size_t *n)
{
    friend *f = mp_try_array(m->n_accepted * 2, sizeof *f);
    *n = 0;
    for (size_t i = 0; f && i < m->n_accepted; i++) {
        const accepted *p = &m->accepted[i];
        mp_dedup_warp back;
        if (!mp_dedup_warp_invert(p->warp, &back))
            continue;
        f[(*n)++] = (friend){p->a, p->b, p->score, p->warp};
        f[(*n)++] = (friend){p->b, p->a, p->score, back};
    }
    if (f)
        qsort(f, *n, sizeof *f, by_owner);
    return f;
}

/* Proposes all pairs of the friends of one picture, by way of it. */
static mp_err propose_triangles(matcher *m, const friend *f, size_t n, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++)
        for (size_t k = 0; !err && k < n; k++) {
            mp_dedup_warp back;
            if (f[i].to >= f[k].to || !mp_dedup_warp_invert(f[i].warp, &back))
                continue;
            err = propose(m,
                          (attempt){.a = f[i].to,
                                    .b = f[k].to,
                                    .hinted = true,
                                    .hint = mp_dedup_warp_then(back, f[k].warp)},
                          why);
        }
    return err;
}

static mp_err close_triangles(matcher *m, mp_why *why)
{
    size_t n;
    friend *f = list_friends(m, &n);
    mp_err err = f ? MP_OK : no_memory(why);
    for (size_t from = 0, to; !err && from < n; from = to) {
        for (to = from; to < n && f[to].of == f[from].of; to++)
            continue;
        err = propose_triangles(m, f + from, MP_MIN(to - from, (size_t)MAX_FRIENDS), why);
    }
    free(f);
    if (!err)
        err = tidy_attempts(m, why);
    return err;
}

/* ---- the whole ---- */

static mp_err answer_with(const matcher *m, mp_pair **out, size_t *n, mp_why *why)
{
    const mp_dedup_input *in = m->in;
    mp_pair *pairs = mp_try_array(m->n_accepted + in->n_same, sizeof *pairs);
    if (!pairs)
        return no_memory(why);
    for (size_t i = 0; i < m->n_accepted; i++)
        pairs[i] = (mp_pair){.a = m->accepted[i].a,
                             .b = m->accepted[i].b,
                             .score = m->accepted[i].score,
                             .kind = m->accepted[i].kind,
                             .added = m->accepted[i].added};
    for (size_t i = 0; i < in->n_same; i++)
        pairs[m->n_accepted + i] = (mp_pair){.a = MP_MIN(in->same[i].a, in->same[i].b),
                                             .b = MP_MAX(in->same[i].a, in->same[i].b),
                                             .score = 1,
                                             .kind = MP_SAME_RECODED};
    *n = m->n_accepted + in->n_same;
    qsort(pairs, *n, sizeof *pairs, by_pair);
    *out = pairs;
    return MP_OK;
}

static void forget(matcher *m)
{
    for (size_t i = 0; m->kept && i < (size_t)m->workers * KEPT; i++)
        mp_dedup_picture_free(&m->kept[i].picture);
    free(m->kept);
    free(m->verdict);
    free(m->attempt);
    free(m->tried);
    free(m->accepted);
}

mp_err mp_dedup_same(const mp_dedup_input *in, mp_pair **out, size_t *n, mp_why *why)
{
    matcher m = {.in = in,
                 .workers = in->threads > 0 ? in->threads : mp_cpu_count(),
                 .threshold = in->threshold > 0 ? in->threshold : mp_dedup_threshold};
    *out = NULL;
    *n = 0;
    if (in->n >= UINT32_MAX)
        return mp_fail(why, MP_TOO_BIG, "too many pictures to compare: %zu", in->n);
    m.kept = mp_xcalloc((size_t)m.workers * KEPT, sizeof *m.kept);
    mp_err err = take_verdicts(&m, why);
    if (!err)
        err = propose_near_hashes(&m, why);
    if (!err)
        err = propose_neighbours(&m, why);
    if (!err)
        err = tidy_attempts(&m, why);
    for (int round = 0; !err && round <= ROUNDS && m.n_attempts; round++) {
        err = verify_attempts(&m, why);
        if (!err && round < ROUNDS)
            err = close_triangles(&m, why);
    }
    if (!err)
        err = answer_with(&m, out, n, why);
    forget(&m);
    return err;
}

float mp_dedup_compare(const mp_image *a, const mp_image *b, mp_relation_kind *kind)
{
    mp_dedup_picture pa = {0}, pb = {0};
    mp_dedup_verdict v = {0};
    if (mp_dedup_picture_make(a, &pa, NULL) == MP_OK &&
        mp_dedup_picture_make(b, &pb, NULL) == MP_OK)
        v = mp_dedup_verify(&pa, &pb, NULL, true);
    mp_dedup_picture_free(&pa);
    mp_dedup_picture_free(&pb);
    *kind = v.kind;
    return v.score;
}
