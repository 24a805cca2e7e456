/* add.c - adding vectors. See index.h and store.h.
 *
 * In batches, of which each is made ready by all threads (normalised, coded, hashed), placed under
 * the lock of the labels, where only copying is left to do, and linked by all threads again. */
#include "index/crew.h"
#include "index/store.h"

#include <stdlib.h>
#include <string.h>

enum { ADD_BATCH = 4096, REBUILD_FROM = 1024 };

typedef struct adding {
    mp_index *ix;
    const int64_t *labels;
    const float *vectors;  /* what comes in; NULL: nodes of `from` */
    const mp_index *from;  /* an index that is rebuilt */
    const uint32_t *nodes; /* of it */
    uint8_t *room;         /* of the rows */
    row *rows;
    uint32_t *fresh; /* nodes to be linked */
    size_t n_fresh;
} adding;

static mp_err prepare_one(void *context, size_t i, mp_why *why)
{
    adding *a = context;
    const size_t dims = (size_t)a->ix->opt.dims;
    float unit[MAX_CODE_BYTES];
    const float *ready = unit;
    (void)why;
    if (a->vectors) {
        memcpy(unit, a->vectors + i * dims, dims * sizeof *unit);
        (void)mp_normalise(unit, dims);
    } else {
        ready = mp_store_vector(a->from, a->nodes[i], unit);
    }
    a->rows[i] = mp_store_make_row(a->ix, ready, a->room + i * mp_store_row_room(a->ix));
    return MP_OK;
}

static mp_err insert_one(void *context, size_t i, mp_why *why)
{
    adding *a = context;
    return mp_graph_insert(a->ix, a->fresh[i], why);
}

/* Finds or makes the node of a row and gives it the label. `labels` is held for writing. */
static mp_err place_one(adding *a, int64_t label, const row *r, mp_why *why)
{
    mp_index *ix = a->ix;
    uint32_t old = mp_store_find_label(ix, label), node = mp_store_find_vector(ix, r);
    if (old != NO_NODE && old == node)
        return MP_OK;
    if (node == NO_NODE) {
        mp_err err = mp_store_new_node(ix, r, -1, &node, why);
        if (err)
            return err;
        a->fresh[a->n_fresh++] = node;
        if (!mp_store_note_vector(ix, r, node))
            return mp_fail(why, MP_NOMEM, "no memory for another vector");
    }
    if (old != NO_NODE)
        mp_store_detach(ix, label, old);
    return mp_store_attach(ix, label, node) ? MP_OK
                                            : mp_fail(why, MP_NOMEM, "no memory for a label");
}

/* What was placed before an error is linked all the same: it has labels, so it must be found. */
static mp_err add_batch(adding *a, size_t n, mp_why *why)
{
    mp_index *ix = a->ix;
    mp_why other;
    a->n_fresh = 0;
    mp_err err = mp_crew_run(prepare_one, a, n, ix->opt.threads, why);
    pthread_rwlock_wrlock(&ix->labels);
    for (size_t i = 0; !err && i < n; i++)
        err = place_one(a, a->labels[i], &a->rows[i], why);
    pthread_rwlock_unlock(&ix->labels);
    if (!ix->graph || !a->n_fresh)
        return err;
    mp_err linked = mp_crew_run(insert_one, a, a->n_fresh, ix->opt.threads, err ? &other : why);
    return err ? err : linked;
}

/* Room for batches of up to n rows. */
static mp_err begin(adding *a, mp_index *ix, size_t n, mp_why *why)
{
    n = MP_MIN(n, (size_t)ADD_BATCH);
    *a = (adding){.ix = ix};
    a->room = mp_try_array(n, mp_store_row_room(ix));
    a->rows = mp_try_array(n, sizeof *a->rows);
    a->fresh = mp_try_array(n, sizeof *a->fresh);
    if (a->room && a->rows && a->fresh)
        return MP_OK;
    return mp_fail(why, MP_NOMEM, "no memory to add vectors");
}

static void end(adding *a)
{
    free(a->room);
    free(a->rows);
    free(a->fresh);
}

/* ---- rebuilding ---- */

/* Adds all of `old` to `fresh`, both without any other user. */
static mp_err add_living(mp_index *fresh, const mp_index *old, mp_why *why)
{
    int64_t labels[ADD_BATCH];
    uint32_t nodes[ADD_BATCH];
    adding a;
    size_t n = 0;
    mp_err err = begin(&a, fresh, ADD_BATCH, why);
    a.labels = labels;
    a.nodes = nodes;
    a.from = old;
    for (uint32_t node = 0; !err && node < atomic_load(&old->n_nodes); node++) {
        label_list l = labels_of(old, node);
        for (uint32_t i = 0; !err && i < l.n; i++) {
            labels[n] = l.at[i];
            nodes[n++] = node;
            if (n == ADD_BATCH) {
                err = add_batch(&a, n, why);
                n = 0;
            }
        }
    }
    if (!err && n)
        err = add_batch(&a, n, why);
    end(&a);
    return err;
}

/* Everything that lives, in an index without tombstones. `shape` is held for writing; after an
 * error the old one stands. */
static mp_err rebuild(mp_index *ix, mp_why *why)
{
    mp_index *fresh;
    mp_err err = mp_index_open(&fresh, mp_index_kind(ix), &ix->opt, why);
    if (!err)
        err = add_living(fresh, ix, why);
    if (!err)
        mp_store_swap(ix, fresh);
    mp_index_close(fresh);
    return err;
}

static mp_err rebuild_if_hollow(mp_index *ix, mp_why *why)
{
    uint32_t dead = atomic_load(&ix->n_dead), all = atomic_load(&ix->n_nodes);
    mp_err err = MP_OK;
    if (dead < REBUILD_FROM || dead < all / 2)
        return MP_OK;
    pthread_rwlock_wrlock(&ix->shape);
    if (atomic_load(&ix->n_dead) >= atomic_load(&ix->n_nodes) / 2)
        err = rebuild(ix, why);
    pthread_rwlock_unlock(&ix->shape);
    return err;
}

/* ---- the call ---- */

static mp_err check_input(const mp_index *ix, const int64_t *labels, const float *vectors, size_t n,
                          mp_why *why)
{
    const size_t dims = (size_t)ix->opt.dims;
    for (size_t i = 0; i < n; i++) {
        if (labels[i] <= 0)
            return mp_fail(why, MP_INVALID, "a label is positive, not %lld", (long long)labels[i]);
        if (!mp_has_direction(vectors + i * dims, dims))
            return mp_fail(why, MP_INVALID, "the vector of #%lld has no direction",
                           (long long)labels[i]);
    }
    return MP_OK;
}

/* Between two batches. `shape` is held for reading, before and after. */
static void sketch_when_due(mp_index *ix)
{
    if (!mp_sketch_is_due(ix))
        return;
    pthread_rwlock_unlock(&ix->shape);
    pthread_rwlock_wrlock(&ix->shape);
    if (mp_sketch_is_due(ix))
        mp_sketch_fit(ix);
    pthread_rwlock_unlock(&ix->shape);
    pthread_rwlock_rdlock(&ix->shape);
}

/* `change` and `shape` are held for reading. */
static mp_err add_batches(mp_index *ix, const int64_t *labels, const float *vectors, size_t n,
                          mp_index_progress_fn progress, void *context, mp_why *why)
{
    adding a;
    mp_err err = begin(&a, ix, n, why);
    for (size_t i = 0; !err && i < n; i += ADD_BATCH) {
        size_t count = MP_MIN(n - i, (size_t)ADD_BATCH);
        a.labels = labels + i;
        a.vectors = vectors + i * (size_t)ix->opt.dims;
        err = add_batch(&a, count, why);
        sketch_when_due(ix);
        if (!err && progress && progress(context, i + count, n))
            err = mp_fail(why, MP_CANCELLED, "stopped while indexing");
    }
    end(&a);
    return err;
}

mp_err mp_index_add_many(mp_index *ix, const int64_t *labels, const float *vectors, size_t n,
                         mp_index_progress_fn progress, void *context, mp_why *why)
{
    mp_err err = check_input(ix, labels, vectors, n, why);
    if (err || n == 0)
        return err;
    pthread_rwlock_rdlock(&ix->change);
    err = rebuild_if_hollow(ix, why);
    if (!err) {
        pthread_rwlock_rdlock(&ix->shape);
        err = add_batches(ix, labels, vectors, n, progress, context, why);
        pthread_rwlock_unlock(&ix->shape);
    }
    pthread_rwlock_unlock(&ix->change);
    return err;
}
