/* maps.c - see maps.h.
 *
 * An entry is idle (nobody makes it yet, though a worker may have been told to), running, done or
 * failed. Who finds it idle may make it: so a request never waits for a worker that waits for a
 * request. Entries are counted by who holds them; the list's own hold is not counted. */
#include "http/maps.h"

#include "base/os.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };
static const size_t MOST_BYTES = (size_t)256 * 1024 * 1024;

typedef enum entry_state { IDLE, RUNNING, DONE, FAILED } entry_state;

typedef struct entry {
    mp_map map; /* first: what is given out is this */
    mp_maps *owner;
    char *key, *where;
    magpie_map_options opt;
    entry_state state;
    magpie_err err;
    magpie_why why;
    int holds;
    bool listed;
    double began, used;
    mp_map_news news;
} entry;

struct mp_maps {
    magpie *library;
    const _Atomic bool *stop;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    entry *list[MOST];
    size_t n;
};

static void entry_free(entry *e)
{
    magpie_free(e->map.points);
    free(e->key);
    free(e->where);
    free(e);
}

/* All below are called with the mutex held, unless they say otherwise. */

static void let_go(entry *e)
{
    if (--e->holds == 0 && !e->listed)
        entry_free(e);
}

static void unlist(mp_maps *m, size_t at)
{
    entry *e = m->list[at];
    m->list[at] = m->list[--m->n];
    e->listed = false;
    if (e->holds == 0)
        entry_free(e);
}

static void unlist_entry(mp_maps *m, entry *e)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i] == e) {
            unlist(m, i);
            return;
        }
}

/* Room for one more: what nobody holds and was asked for longest ago goes. */
static void make_room(mp_maps *m)
{
    for (;;) {
        size_t bytes = 0, oldest = SIZE_MAX;
        for (size_t i = 0; i < m->n; i++) {
            const entry *e = m->list[i];
            bytes += e->map.n * sizeof *e->map.points;
            if (e->holds == 0 && (oldest == SIZE_MAX || e->used < m->list[oldest]->used))
                oldest = i;
        }
        if (oldest == SIZE_MAX || (m->n < MOST && bytes < MOST_BYTES))
            return;
        unlist(m, oldest);
    }
}

static entry *find(mp_maps *m, const char *key)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->list[i]->key, key) == 0)
            return m->list[i];
    return NULL;
}

/* The entry of the key, held once more. One that finds no place in the list is made all the same.
 */
static entry *hold(mp_maps *m, const char *key, const magpie_map_options *opt)
{
    entry *e = find(m, key);
    if (!e) {
        make_room(m);
        e = mp_xcalloc(1, sizeof *e);
        e->owner = m;
        e->key = mp_xstrdup(key);
        e->where = opt->where ? mp_xstrdup(opt->where) : NULL;
        e->opt = *opt;
        e->opt.where = e->where;
        if (m->n < MOST) {
            m->list[m->n++] = e;
            e->listed = true;
        }
    }
    e->holds++;
    e->used = mp_monotonic_s();
    return e;
}

/* Without the mutex. */
static bool on_progress(void *context, const magpie_progress *p)
{
    entry *e = context;
    mp_maps *m = e->owner;
    pthread_mutex_lock(&m->mutex);
    snprintf(e->news.stage, sizeof e->news.stage, "%s", p->stage);
    e->news.done = p->done;
    e->news.total = p->total;
    pthread_mutex_unlock(&m->mutex);
    return atomic_load(m->stop);
}

/* Leaves the mutex while it works. */
static void make(mp_maps *m, entry *e)
{
    magpie_map_options opt = e->opt;
    magpie_point *points = NULL;
    magpie_why why = {0};
    size_t n = 0;
    opt.on_progress = on_progress;
    opt.context = e;
    e->state = RUNNING;
    e->began = mp_monotonic_s();
    pthread_mutex_unlock(&m->mutex);
    magpie_err err = magpie_map(m->library, &opt, &points, &n, &why);
    pthread_mutex_lock(&m->mutex);
    e->map = (mp_map){points, err ? 0 : n};
    e->err = err;
    e->why = why;
    e->state = err ? FAILED : DONE;
    pthread_cond_broadcast(&m->changed);
}

/* ---- without the mutex ---- */

static void make_later(void *item)
{
    entry *e = item;
    mp_maps *m = e->owner;
    pthread_mutex_lock(&m->mutex);
    if (e->state == IDLE && !atomic_load(m->stop))
        make(m, e);
    let_go(e);
    pthread_mutex_unlock(&m->mutex);
}

mp_maps *mp_maps_new(magpie *library, const _Atomic bool *stop)
{
    mp_maps *m = mp_xcalloc(1, sizeof *m);
    m->library = library;
    m->stop = stop;
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->changed, NULL);
    return m;
}

void mp_maps_free(mp_maps *m)
{
    if (!m)
        return;
    while (m->n)
        unlist(m, m->n - 1);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

void mp_map_release(mp_maps *m, const mp_map *map)
{
    if (!map)
        return;
    pthread_mutex_lock(&m->mutex);
    let_go((entry *)(void *)(uintptr_t)map);
    pthread_mutex_unlock(&m->mutex);
}

/* Done: *out takes over the hold. Failed: it is let go and tried anew by who asks next. */
static magpie_err settle(mp_maps *m, entry *e, const mp_map **out, magpie_why *why)
{
    magpie_err err = e->err;
    if (!err) {
        *out = &e->map;
        return MAGPIE_OK;
    }
    if (why)
        *why = e->why;
    unlist_entry(m, e);
    let_go(e);
    return err;
}

magpie_err mp_maps_get(mp_maps *m, const char *key, const magpie_map_options *opt,
                       const mp_map **out, magpie_why *why)
{
    *out = NULL;
    pthread_mutex_lock(&m->mutex);
    entry *e = hold(m, key, opt);
    if (e->state == IDLE)
        make(m, e);
    while (e->state == RUNNING)
        pthread_cond_wait(&m->changed, &m->mutex);
    magpie_err err = settle(m, e, out, why);
    pthread_mutex_unlock(&m->mutex);
    return err;
}

magpie_err mp_maps_ask(mp_maps *m, mp_work *work, const char *key, const magpie_map_options *opt,
                       const mp_map **out, mp_map_news *news, magpie_why *why)
{
    magpie_err err = MAGPIE_OK;
    *out = NULL;
    *news = (mp_map_news){0};
    pthread_mutex_lock(&m->mutex);
    bool fresh = !find(m, key);
    entry *e = hold(m, key, opt);
    if (e->state == DONE || e->state == FAILED) {
        err = settle(m, e, out, why);
        pthread_mutex_unlock(&m->mutex);
        return err;
    }
    *news = e->news;
    if (e->state == RUNNING)
        news->elapsed_s = mp_monotonic_s() - e->began;
    /* Who asks first hands the hold on to the worker. */
    if (!fresh || !e->listed || !mp_work_put(work, make_later, e)) {
        if (fresh) {
            err = (magpie_err)mp_fail((mp_why *)(void *)why, MP_BUSY,
                                      "too many maps are being made; ask again in a while");
            unlist_entry(m, e);
        }
        let_go(e);
    }
    pthread_mutex_unlock(&m->mutex);
    return err;
}
