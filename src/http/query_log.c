/* query_log.c - see query_log.h. */
#include "http/query_log.h"

#include "base/os.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST = 1000 };

struct mp_query_log {
    mp_meta *meta;
    pthread_mutex_t mutex; /* guards the next five */
    pthread_cond_t news;
    mp_search_log list[MOST];
    size_t n, dropped;
    bool ending;
    pthread_mutex_t writing; /* one batch at a time, in order */
    pthread_t thread;
    bool started;
};

static void free_texts(mp_search_log *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free((void *)(uintptr_t)list[i].text);
        free((void *)(uintptr_t)list[i].image_url);
        free((void *)(uintptr_t)list[i].user_id);
        free((void *)(uintptr_t)list[i].session_id);
    }
}

void mp_query_log_flush(mp_query_log *q)
{
    mp_why why = {0};
    mp_search_log *list = mp_xcalloc(MOST, sizeof *list);
    pthread_mutex_lock(&q->writing);
    pthread_mutex_lock(&q->mutex);
    size_t n = q->n, dropped = q->dropped;
    for (size_t i = 0; i < n; i++)
        list[i] = q->list[i];
    q->n = q->dropped = 0;
    pthread_mutex_unlock(&q->mutex);
    if (n && mp_meta_add_search_logs(q->meta, list, n, &why))
        mp_log(MP_LOG_WARN, "%zu searches are not logged: %s", n, why.text);
    if (dropped)
        mp_log(MP_LOG_WARN, "%zu searches are not logged: too many at once", dropped);
    pthread_mutex_unlock(&q->writing);
    free_texts(list, n);
    free(list);
}

static void *run(void *context)
{
    mp_query_log *q = context;
    pthread_mutex_lock(&q->mutex);
    while (!q->ending) {
        if (q->n == 0)
            pthread_cond_wait(&q->news, &q->mutex);
        else if (!mp_cond_wait_until(&q->news, &q->mutex, mp_monotonic_s() + 1) ||
                 q->n > MOST / 2) {
            pthread_mutex_unlock(&q->mutex);
            mp_query_log_flush(q);
            pthread_mutex_lock(&q->mutex);
        }
    }
    pthread_mutex_unlock(&q->mutex);
    return NULL;
}

mp_query_log *mp_query_log_new(mp_meta *meta)
{
    mp_query_log *q = mp_xcalloc(1, sizeof *q);
    q->meta = meta;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_mutex_init(&q->writing, NULL);
    mp_cond_open(&q->news);
    q->started = pthread_create(&q->thread, NULL, run, q) == 0;
    return q;
}

void mp_query_log_add(mp_query_log *q, const mp_search_log *entry)
{
    mp_search_log copy = *entry;
    copy.text = mp_xstrdup(entry->text ? entry->text : "");
    copy.image_url = mp_xstrdup(entry->image_url ? entry->image_url : "");
    copy.user_id = mp_xstrdup(entry->user_id ? entry->user_id : "");
    copy.session_id = mp_xstrdup(entry->session_id ? entry->session_id : "");
    copy.created_ms = mp_now_ms();
    pthread_mutex_lock(&q->mutex);
    bool room = q->n < MOST;
    if (room)
        q->list[q->n++] = copy;
    else
        q->dropped++;
    if (q->n == 1 || q->n == MOST / 2 + 1)
        pthread_cond_signal(&q->news);
    pthread_mutex_unlock(&q->mutex);
    if (!room)
        free_texts(&copy, 1);
}

void mp_query_log_free(mp_query_log *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->mutex);
    q->ending = true;
    pthread_cond_signal(&q->news);
    pthread_mutex_unlock(&q->mutex);
    if (q->started)
        pthread_join(q->thread, NULL);
    mp_query_log_flush(q);
    pthread_cond_destroy(&q->news);
    pthread_mutex_destroy(&q->mutex);
    pthread_mutex_destroy(&q->writing);
    free(q);
}
