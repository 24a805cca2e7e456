/* work.c - see work.h: a ring under one mutex. */
#include "http/work.h"

#include "base/os.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

typedef struct piece {
    mp_work_fn fn;
    void *item;
} piece;

struct mp_work {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t news;
    piece *ring;
    size_t cap, first, n;
    bool ending;
    pthread_t thread[MAX_THREADS];
    int n_threads;
};

static void *run(void *context)
{
    mp_work *w = context;
    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (w->n == 0 && !w->ending)
            pthread_cond_wait(&w->news, &w->mutex);
        if (w->n == 0)
            break;
        piece p = w->ring[w->first];
        w->first = (w->first + 1) % w->cap;
        w->n--;
        pthread_mutex_unlock(&w->mutex);
        p.fn(p.item);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

mp_work *mp_work_new(int threads, size_t most)
{
    mp_work *w = mp_xcalloc(1, sizeof *w);
    w->cap = most ? most : 1;
    w->ring = mp_xcalloc(w->cap, sizeof *w->ring);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->news, NULL);
    threads = MP_MIN(threads > 0 ? threads : mp_cpu_count(), MAX_THREADS);
    while (w->n_threads < threads && pthread_create(&w->thread[w->n_threads], NULL, run, w) == 0)
        w->n_threads++;
    return w;
}

bool mp_work_put(mp_work *w, mp_work_fn fn, void *item)
{
    pthread_mutex_lock(&w->mutex);
    bool room = w->n < w->cap && w->n_threads > 0 && !w->ending;
    if (room) {
        w->ring[(w->first + w->n++) % w->cap] = (piece){fn, item};
        pthread_cond_signal(&w->news);
    }
    pthread_mutex_unlock(&w->mutex);
    return room;
}

size_t mp_work_waiting(mp_work *w)
{
    pthread_mutex_lock(&w->mutex);
    size_t n = w->n;
    pthread_mutex_unlock(&w->mutex);
    return n;
}

void mp_work_free(mp_work *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->ending = true;
    pthread_cond_broadcast(&w->news);
    pthread_mutex_unlock(&w->mutex);
    for (int i = 0; i < w->n_threads; i++)
        pthread_join(w->thread[i], NULL);
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->mutex);
    free(w->ring);
    free(w);
}
