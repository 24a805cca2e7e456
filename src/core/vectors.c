/* vectors.c - indexes that follow the database. fill.c computes what is lacking in it.
 *
 * The database is the truth. An index is a cache of one space: it is loaded from its snapshot,
 * brought up to date with the vectors stored since (by `seq`), and when vectors went away it is
 * compared label by label. A snapshot's stamp holds how far it goes: 24 bits of the removals'
 * count, 40 bits of seq. Below EXACT_BELOW vectors a scan is as fast as a graph, exact, and quicker
 * to fill than to load: no snapshot is kept. */
#include "core/core.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t EXACT_BELOW = 4000;
static const size_t CATCH_UP_BATCH = 4096;

void mp_core_snapshot_path(const magpie *m, const mp_model *model, mp_space space, char *out,
                           size_t cap)
{
    snprintf(out, cap, "%s/index/%s-%s.idx", m->path, mp_model_get_info(model)->id,
             mp_space_word(space));
}

static uint64_t stamp_of(const mp_generation *g)
{
    return ((uint64_t)g->removals & 0xFFFFFF) << 40 | ((uint64_t)g->last_seq & 0xFFFFFFFFFF);
}

static uint64_t identity_of(const mp_vector_key *key)
{
    uint64_t tag = mp_checksum64(key->model_sha256, strlen(key->model_sha256), 0);
    tag = mp_checksum64(key->space, strlen(key->space), tag);
    return mp_checksum64(&key->dims, sizeof key->dims, tag);
}

static mp_err open_index(magpie *m, const mp_vector_key *key, size_t count, bool half,
                         mp_index **out, mp_why *why)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/index", m->path);
    mp_index_options opt = {.dims = key->dims,
                            .threads = m->threads,
                            .seed = 1,
                            .tag = identity_of(key),
                            .storage = half ? MP_INDEX_F16 : MP_INDEX_F32,
                            .folder = count < EXACT_BELOW ? NULL : folder};
    return mp_index_open(out, count < EXACT_BELOW ? "exact" : "hnsw", &opt, why);
}

/* ---- catching up ---- */

typedef struct gatherer {
    mp_index *index;
    int dims;
    int64_t *ids;
    float *vectors;
    size_t n;
    int64_t last_seq;
    mp_err err;
    mp_why *why;
    mp_ticker *ticker;
    uint64_t done, total;
} gatherer;

static bool tick_add(void *context, size_t done, size_t total)
{
    gatherer *g = context;
    (void)total;
    return mp_ticker_poll(g->ticker, g->done + done, MP_MAX(g->total, g->done + done), 0);
}

static void flush(gatherer *g)
{
    if (g->n && !g->err)
        g->err = mp_index_add_many(g->index, g->ids, g->vectors, g->n, tick_add, g, g->why);
    g->done += g->n;
    g->n = 0;
}

static bool is_zero(const float *v, int dims)
{
    for (int i = 0; i < dims; i++)
        if (v[i] != 0)
            return false;
    return true;
}

static bool gather(void *context, int64_t id, int64_t seq, const float *data)
{
    gatherer *g = context;
    g->last_seq = seq;
    if (is_zero(data, g->dims)) { /* an item without words: it has no neighbours */
        if (mp_index_has(g->index, id))
            g->err = mp_index_remove(g->index, id, g->why);
        return g->err != MP_OK;
    }
    g->ids[g->n] = id;
    memcpy(g->vectors + g->n * (size_t)g->dims, data, (size_t)g->dims * sizeof(float));
    if (++g->n == CATCH_UP_BATCH)
        flush(g);
    return g->err != MP_OK;
}

static mp_err gatherer_open(gatherer *g, mp_why *why)
{
    g->ids = mp_try_array(CATCH_UP_BATCH, sizeof *g->ids);
    g->vectors = mp_try_array(CATCH_UP_BATCH * (size_t)g->dims, sizeof(float));
    g->why = why;
    return g->ids && g->vectors ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to build an index");
}

static void gatherer_close(gatherer *g)
{
    free(g->ids);
    free(g->vectors);
}

/* Sorted ids that have a vector of this key: all but those that lack one. */
static mp_err ids_with_vector(magpie *m, const mp_vector_key *key, int64_t **out, size_t *n,
                              mp_why *why)
{
    int64_t *all = NULL, *lacking = NULL;
    size_t n_all = 0, n_lacking = 0, kept = 0, j = 0;
    mp_err err = mp_meta_ids(m->meta, NULL, &all, &n_all, why);
    if (!err)
        err = mp_meta_lacking(m->meta, key, &lacking, &n_lacking, why);
    for (size_t i = 0; !err && i < n_all; i++) {
        while (j < n_lacking && lacking[j] < all[i])
            j++;
        if (j == n_lacking || lacking[j] != all[i])
            all[kept++] = all[i];
    }
    free(lacking);
    if (err) {
        free(all);
        all = NULL;
    }
    *out = all;
    *n = err ? 0 : kept;
    return err;
}

/* Takes out labels that left, and puts in those that came back with an old seq (from the trash).
 * Labels are small numbers that only grow, so asking for each is cheap. */
static mp_err reconcile(magpie *m, const mp_vector_key *key, gatherer *g, mp_why *why)
{
    int64_t *have = NULL;
    size_t n = 0, at = 0;
    mp_err err = ids_with_vector(m, key, &have, &n, why);
    size_t left = mp_index_count(g->index);
    for (int64_t id = 1; !err && left > 0; id++) {
        if (!mp_index_has(g->index, id))
            continue;
        left--;
        while (at < n && have[at] < id)
            at++;
        if (at == n || have[at] != id)
            err = mp_index_remove(g->index, id, why);
    }
    float *one = mp_try_array((size_t)key->dims, sizeof *one);
    if (!err && !one)
        err = mp_fail(why, MP_NOMEM, "no memory");
    for (size_t i = 0; !err && i < n; i++) {
        if (mp_index_has(g->index, have[i]))
            continue;
        err = mp_meta_get_vectors(m->meta, key, &have[i], 1, one, why);
        if (!err && !is_zero(one, key->dims))
            err = mp_index_add_many(g->index, &have[i], one, 1, NULL, NULL, why);
    }
    free(one);
    free(have);
    return err;
}

static void retire(space_index *s)
{
    if (!s->index)
        return;
    s->retired = mp_xrealloc(s->retired, (s->n_retired + 1) * sizeof(*s->retired));
    s->retired[s->n_retired++] = s->index;
    s->index = NULL;
}

void mp_core_replace_index(space_index *s, space_index *from)
{
    retire(s);
    s->seen = (mp_generation){0};
    s->saved_stamp = 0;
    s->others = 0;
    if (!from)
        return;
    s->index = from->index;
    s->seen = from->seen;
    s->saved_stamp = from->saved_stamp;
    s->others = from->others;
    from->index = NULL;
}

void mp_core_free_index(space_index *s)
{
    mp_index_close(s->index);
    for (size_t i = 0; i < s->n_retired; i++)
        mp_index_close(s->retired[i]);
    free(s->retired);
    *s = (space_index){.mutex = s->mutex};
}

/* First use: from the snapshot where there is a sound one, else empty. */
static mp_err load(magpie *m, const mp_model *model, mp_space space, space_index *s,
                   const mp_vector_key *key, uint64_t count, mp_why *why)
{
    char path[PATH_MAX];
    uint64_t stamp = 0;
    mp_why reason = {0};
    mp_err err = open_index(m, key, count, m->half_vectors, &s->index, why);
    if (err)
        return err;
    s->seen = (mp_generation){.changes = -1};
    s->saved_stamp = 0;
    mp_core_snapshot_path(m, model, space, path, sizeof path);
    if (count < EXACT_BELOW || access(path, F_OK) != 0)
        return MP_OK;
    err = mp_index_load(s->index, path, &stamp, &reason);
    if (!err) {
        s->seen.removals = (int64_t)(stamp >> 40);
        s->seen.last_seq = (int64_t)(stamp & 0xFFFFFFFFFF);
        s->saved_stamp = stamp;
    } else {
        mp_log(MP_LOG_WARN, "the snapshot %s is not usable (%s); it is built anew", path,
               reason.text);
    }
    return MP_OK;
}

static mp_err catch_up(magpie *m, const mp_vector_key *key, space_index *s,
                       const mp_generation *now, uint64_t count, mp_ticker *ticker, mp_why *why)
{
    gatherer g = {.index = s->index, .dims = key->dims, .ticker = ticker, .total = count};
    mp_err err = gatherer_open(&g, why);
    bool removed = (s->seen.removals & 0xFFFFFF) != (now->removals & 0xFFFFFF);
    if (!err && s->seen.last_seq < now->last_seq) {
        err = mp_meta_each_vector(m->meta, key, s->seen.last_seq, gather, &g, why);
        flush(&g);
        if (!err)
            err = g.err;
    }
    if (!err && removed)
        err = reconcile(m, key, &g, why);
    gatherer_close(&g);
    if (!err) {
        size_t have = mp_index_count(s->index);
        s->others = count > have ? count - have : 0;
        s->seen = *now;
        /* What was stored after `now` was read is taken too: never look at it as missing. */
        s->seen.last_seq = MP_MAX(s->seen.last_seq, g.last_seq);
    }
    return err;
}

mp_err mp_core_index_of(magpie *m, const mp_model *model, mp_space space, space_index *s,
                        magpie_progress_fn progress, void *context, mp_why *why)
{
    mp_vector_key key = mp_core_key(model, space);
    mp_ticker ticker = mp_ticker_new(progress, context, "index");
    mp_generation now;
    uint64_t count = 0;
    mp_err err = mp_meta_generation(m->meta, &now, why);
    /* Who holds an older state than others have brought the index up to does not take it back. */
    if (err || (s->index && s->seen.changes >= now.changes))
        return err;
    err = mp_meta_count_vectors(m->meta, key.model, key.space, &count, why);
    /* Grown beyond what a scan is good for: a graph replaces it. */
    if (!err && s->index && mp_index_count(s->index) < EXACT_BELOW && count >= EXACT_BELOW)
        retire(s);
    if (!err && !s->index)
        err = load(m, model, space, s, &key, count, why);
    return err ? err : catch_up(m, &key, s, &now, count, &ticker, why);
}

mp_err mp_core_index(magpie *m, const mp_model *of, mp_space space, magpie_progress_fn progress,
                     void *context, mp_index **out, mp_why *why)
{
    mp_model *model;
    *out = NULL;
    for (;;) {
        mp_err err = mp_core_model(m, &model, why);
        if (err)
            return err;
        if (of && of != model)
            return mp_fail(why, MP_BUSY, "the library was switched to the model %s; ask once more",
                           mp_model_get_info(model)->id);
        if (!mp_model_get_info(model)->space[space].dims)
            return mp_fail(why, MP_UNSUPPORTED, "the model %s has no %s space",
                           mp_model_get_info(model)->id, mp_space_word(space));
        space_index *s = &m->space[mp_core_kept_as(model, space)];
        pthread_mutex_lock(&s->mutex);
        bool current = m->model == model; /* what `s` holds is of this one */
        if (current)
            err = mp_core_index_of(m, model, mp_core_kept_as(model, space), s, progress, context,
                                   why);
        if (current && !err)
            *out = s->index;
        pthread_mutex_unlock(&s->mutex);
        if (current)
            return err;
    }
}

mp_err mp_core_subset_index(magpie *m, mp_space space, const int64_t *ids, size_t n, mp_index **out,
                            mp_why *why)
{
    mp_model *model;
    *out = NULL;
    mp_err err = mp_core_model(m, &model, why);
    if (err)
        return err;
    mp_vector_key key = mp_core_key(model, space);
    size_t kept = 0;
    int64_t *labels = mp_try_array(n, sizeof *labels);
    float *v = mp_try_array(n * (size_t)key.dims, sizeof *v);
    err = labels && v ? mp_meta_get_vectors(m->meta, &key, ids, n, v, why)
                      : mp_fail(why, MP_NOMEM, "no memory for %zu vectors", n);
    for (size_t i = 0; !err && i < n; i++) {
        const float *row = v + i * (size_t)key.dims;
        if (is_zero(row, key.dims))
            continue;
        labels[kept] = ids[i];
        memmove(v + kept++ * (size_t)key.dims, row, (size_t)key.dims * sizeof *v);
    }
    if (!err)
        err = open_index(m, &key, kept, m->half_vectors, out, why);
    if (!err)
        err = mp_index_add_many(*out, labels, v, kept, NULL, NULL, why);
    if (err) {
        mp_index_close(*out);
        *out = NULL;
    }
    free(v);
    free(labels);
    return err;
}

/* ---- snapshots ---- */

mp_err mp_core_check_snapshot(magpie *m, const mp_model_info *info, mp_space space,
                              const char *path, mp_why *why)
{
    mp_vector_key key = {info->id, info->sha256, mp_space_word(space), info->space[space].dims};
    mp_err err = MP_CORRUPT;
    for (int half = 0; err == MP_CORRUPT && half < 2; half++) { /* whoever wrote it chose */
        mp_index *index;
        uint64_t stamp;
        err = open_index(m, &key, EXACT_BELOW, half, &index, why);
        if (!err)
            err = mp_index_load(index, path, &stamp, why);
        mp_index_close(index);
    }
    return err;
}

static void save_one(magpie *m, const mp_model *model, mp_space space)
{
    space_index *s = &m->space[space];
    uint64_t stamp = stamp_of(&s->seen);
    if (!s->index || stamp == s->saved_stamp || mp_index_count(s->index) < EXACT_BELOW)
        return;
    char path[PATH_MAX];
    mp_why why = {0};
    mp_core_snapshot_path(m, model, space, path, sizeof path);
    if (mp_index_save(s->index, path, stamp, &why))
        mp_log(MP_LOG_INFO, "the index snapshot is not kept: %s", why.text);
    else
        s->saved_stamp = stamp;
}

void mp_core_save_indexes(magpie *m)
{
    pthread_mutex_lock(&m->engine);
    const mp_model *model = m->model;
    pthread_mutex_unlock(&m->engine);
    if (!model) /* then no index was ever opened */
        return;
    for (int i = 0; i < MP_SPACES; i++) {
        pthread_mutex_lock(&m->space[i].mutex);
        save_one(m, model, (mp_space)i);
        pthread_mutex_unlock(&m->space[i].mutex);
    }
}

void mp_core_forget_snapshots(magpie *m, const mp_model *model)
{
    for (int i = 0; i < MP_SPACES; i++) {
        char path[PATH_MAX];
        mp_core_snapshot_path(m, model, (mp_space)i, path, sizeof path);
        unlink(path); /* absent is fine */
    }
}

void mp_core_drop_indexes(magpie *m)
{
    for (int i = 0; i < MP_SPACES; i++) {
        pthread_mutex_lock(&m->space[i].mutex);
        retire(&m->space[i]);
        pthread_mutex_unlock(&m->space[i].mutex);
    }
}

void mp_core_close_indexes(magpie *m)
{
    for (int i = 0; i < MP_SPACES; i++)
        mp_core_free_index(&m->space[i]);
}

magpie_err magpie_vectors(magpie *m, const int64_t *ids, size_t n, float **out, int *dims,
                          magpie_why *why)
{
    *out = NULL;
    *dims = 0;
    mp_model *model;
    mp_err err = mp_core_model(m, &model, INNER(why));
    if (err)
        return OUTER(err);
    mp_vector_key key = mp_core_key(model, MP_SPACE_LOOK);
    float *v = mp_try_array(n * (size_t)key.dims, sizeof *v);
    if (!v)
        return OUTER(mp_fail(INNER(why), MP_NOMEM, "no memory for %zu vectors", n));
    err = mp_meta_get_vectors(m->meta, &key, ids, n, v, INNER(why));
    if (err) {
        free(v);
        return OUTER(err);
    }
    *out = v;
    *dims = key.dims;
    return MAGPIE_OK;
}
