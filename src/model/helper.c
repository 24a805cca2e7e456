/* helper.c - see helper.h. */
#include "model/helper.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_KEPT = 16 };

struct mp_helper {
    pthread_t id;
    pthread_mutex_t lock; /* guards fn, arg and stop */
    pthread_cond_t change;
    void (*fn)(void *arg); /* NULL: nothing to do */
    void *arg;
    bool stop, elsewhere; /* elsewhere: it may not run on every core of `cores` yet */
    cpu_set_t cores;
    mp_helper *next; /* of those that are kept */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static mp_helper *kept;
static int n_kept, holds;
static pid_t owner; /* threads do not follow a fork: a child starts with none */

static void *live(void *context)
{
    mp_helper *h = context;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->fn && !h->stop)
            pthread_cond_wait(&h->change, &h->lock);
        if (!h->fn)
            break;
        pthread_mutex_unlock(&h->lock);
        if (h->elsewhere)
            (void)pthread_setaffinity_np(h->id, sizeof h->cores, &h->cores);
        h->elsewhere = false;
        h->fn(h->arg);
        pthread_mutex_lock(&h->lock);
        h->fn = NULL;
        pthread_cond_broadcast(&h->change);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static void destroy(mp_helper *h)
{
    pthread_cond_destroy(&h->change);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static mp_helper *make(void)
{
    mp_helper *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->change, NULL);
    if (pthread_create(&h->id, NULL, live, h) == 0)
        return h;
    destroy(h);
    return NULL;
}

static void end(mp_helper *h)
{
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->change);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->id, NULL);
    destroy(h);
}

/* Under `lock`. What a parent kept is left as it is: its locks may be held by threads that are not
 * there. */
static void forget_after_fork(void)
{
    pid_t self = getpid();
    if (owner != self) {
        kept = NULL;
        n_kept = 0;
        owner = self;
    }
}

static mp_helper *take(void)
{
    pthread_mutex_lock(&lock);
    forget_after_fork();
    mp_helper *h = kept;
    if (h) {
        kept = h->next;
        n_kept--;
    }
    pthread_mutex_unlock(&lock);
    return h;
}

static bool keep(mp_helper *h)
{
    pthread_mutex_lock(&lock);
    forget_after_fork();
    bool fits = holds > 0 && n_kept < MOST_KEPT;
    if (fits) {
        h->next = kept;
        kept = h;
        n_kept++;
    }
    pthread_mutex_unlock(&lock);
    return fits;
}

/* Lets it wake on any core but the caller's. Where the system is left to choose, that is the one
 * where it ran before, which may be the caller's by now; and there it waits for the caller to be
 * done. */
static void send_elsewhere(mp_helper *h)
{
    cpu_set_t others;
    int here = sched_getcpu();
    if (here < 0 || pthread_getaffinity_np(pthread_self(), sizeof h->cores, &h->cores))
        return;
    others = h->cores;
    CPU_CLR((size_t)here, &others);
    h->elsewhere = CPU_COUNT(&others) > 0 && !pthread_setaffinity_np(h->id, sizeof others, &others);
}

mp_helper *mp_helper_start(void (*fn)(void *arg), void *arg)
{
    mp_helper *h = take();
    if (h)
        send_elsewhere(h);
    else
        h = make();
    if (!h)
        return NULL;
    pthread_mutex_lock(&h->lock);
    h->fn = fn;
    h->arg = arg;
    pthread_cond_broadcast(&h->change);
    pthread_mutex_unlock(&h->lock);
    return h;
}

void mp_helper_wait(mp_helper *h)
{
    pthread_mutex_lock(&h->lock);
    while (h->fn)
        pthread_cond_wait(&h->change, &h->lock);
    pthread_mutex_unlock(&h->lock);
    if (!keep(h))
        end(h);
}

void mp_helpers_hold(void)
{
    pthread_mutex_lock(&lock);
    holds++;
    pthread_mutex_unlock(&lock);
}

void mp_helpers_release(void)
{
    pthread_mutex_lock(&lock);
    bool last = --holds == 0;
    pthread_mutex_unlock(&lock);
    for (mp_helper *h = NULL; last && (h = take());)
        end(h);
}
