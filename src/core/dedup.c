/* dedup.c - "same picture": candidates, then verification in parallel. See dedup.h. */
#include "core/dedup_hash.h"
#include "core/dedup_sketch.h"

#include "base/os.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_RADIUS = 12, MAX_THREADS = 64, CACHE_BYTES = 256 * 1024 * 1024, SKETCH_BYTES = 60000 };

/* Chosen on 200 pictures x 20 transforms with 1,600 distractors (tests/quality/dupes): the least
 * score at which precision is 0.99. */
const float mp_dedup_threshold = 0.80f;
/* Neighbours by vector below this cosine have nothing in common. */
static const float COPY_COSINE = 0.55f;

static bool is_linked(const mp_pair *links, size_t n, size_t a, size_t b)
{
    for (size_t i = 0; i < n; i++)
        if (links[i].a == a && links[i].b == b)
            return true;
    return false;
}

static mp_err find_candidates(const mp_dedup_input *in, mp_pair_list *out, mp_why *why)
{
    mp_err err = mp_hash_pairs(in->phash, in->n, HASH_RADIUS, out, why);
    for (size_t i = 0; !err && in->copy_knn && i < in->n; i++)
        for (size_t k = 0; k < in->copy_k; k++) {
            const mp_neighbour *f = &in->copy_knn[i * in->copy_k + k];
            if (f->label <= 0 || f->score < COPY_COSINE || (size_t)f->label - 1 == i)
                continue;
            if (!mp_pair_add(out, i, (size_t)f->label - 1, f->score))
                err = mp_fail(why, MP_NOMEM, "no memory for candidates");
        }
    mp_pair_unique(out);
    return err;
}

typedef struct check {
    const mp_dedup_input *in;
    mp_pair *pairs;
    size_t n;
    float threshold;
    _Atomic size_t next, done;
    _Atomic bool stop;
    pthread_mutex_t mutex; /* guards the cache */
    mp_sketch **cache;     /* by position; never freed before the end */
    size_t cached;
} check;

/* The prepared picture of a position: from the cache, or made now. *own: the caller frees it. */
static mp_sketch *sketch_of(check *c, size_t i, bool *own)
{
    pthread_mutex_lock(&c->mutex);
    mp_sketch *s = c->cache[i];
    pthread_mutex_unlock(&c->mutex);
    *own = false;
    if (s)
        return s;
    mp_image small;
    if (c->in->small(c->in->small_context, i, &small) != MP_OK)
        return NULL;
    s = mp_xcalloc(1, sizeof *s);
    mp_err err = mp_sketch_make(s, &small);
    mp_image_free(&small);
    if (err) {
        free(s);
        return NULL;
    }
    pthread_mutex_lock(&c->mutex);
    if (!c->cache[i] && c->cached < CACHE_BYTES / SKETCH_BYTES) {
        c->cache[i] = s;
        c->cached++;
    } else {
        *own = true;
    }
    pthread_mutex_unlock(&c->mutex);
    return s;
}

static void give_sketch(mp_sketch *s, bool own)
{
    if (s && own) {
        mp_sketch_free(s);
        free(s);
    }
}

static void verify_pair(check *c, mp_pair *p)
{
    bool own_a = false, own_b = false;
    p->score = 0;
    mp_sketch *a = sketch_of(c, p->a, &own_a), *b = sketch_of(c, p->b, &own_b);
    if (a && b)
        p->score = mp_sketch_compare(a, b, &p->kind);
    give_sketch(a, own_a);
    give_sketch(b, own_b);
}

static void *verify_some(void *context)
{
    check *c = context;
    for (size_t i; !atomic_load(&c->stop) && (i = atomic_fetch_add(&c->next, 1)) < c->n;) {
        verify_pair(c, &c->pairs[i]);
        atomic_fetch_add(&c->done, 1);
    }
    return NULL;
}

/* The calling thread works too, and asks between pairs whether to stop. */
static mp_err verify_all(check *c, mp_why *why)
{
    pthread_t ids[MAX_THREADS];
    int started = 0, want = c->in->threads > 0 ? c->in->threads : mp_cpu_count();
    want = MP_MIN(MP_MIN(want, MAX_THREADS), (int)MP_MIN(c->n + 1, (size_t)MAX_THREADS));
    while (started < want - 1 && pthread_create(&ids[started], NULL, verify_some, c) == 0)
        started++;
    for (size_t i; !atomic_load(&c->stop) && (i = atomic_fetch_add(&c->next, 1)) < c->n;) {
        verify_pair(c, &c->pairs[i]);
        size_t done = atomic_fetch_add(&c->done, 1) + 1;
        if (c->in->stop && c->in->stop(c->in->stop_context, done, c->n))
            atomic_store(&c->stop, true);
    }
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    return atomic_load(&c->stop) ? mp_fail(why, MP_CANCELLED, "stopped while comparing") : MP_OK;
}

/* What people said needs no check; what the pixels say is kept from the threshold on. */
static size_t keep_accepted(const mp_dedup_input *in, mp_pair *pairs, size_t n, float threshold)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (pairs[i].score >= threshold &&
            !is_linked(in->different, in->n_different, pairs[i].a, pairs[i].b))
            pairs[kept++] = pairs[i];
    return kept;
}

mp_err mp_dedup_same(const mp_dedup_input *in, mp_pair **out, size_t *n, mp_why *why)
{
    mp_pair_list list = {0};
    *out = NULL;
    *n = 0;
    mp_err err = find_candidates(in, &list, why);
    if (err) {
        free(list.pair);
        return err;
    }
    check c = {.in = in,
               .pairs = list.pair,
               .n = list.n,
               .threshold = in->threshold > 0 ? in->threshold : mp_dedup_threshold};
    pthread_mutex_init(&c.mutex, NULL);
    c.cache = mp_xcalloc(in->n, sizeof(*c.cache));
    err = verify_all(&c, why);
    for (size_t i = 0; i < in->n; i++)
        give_sketch(c.cache[i], true);
    free(c.cache);
    pthread_mutex_destroy(&c.mutex);
    if (err) {
        free(list.pair);
        return err;
    }
    *n = keep_accepted(in, list.pair, list.n, c.threshold);
    *out = list.pair;
    return MP_OK;
}
