/* gather.c - see gather.h. */
#include "model/gather.h"

void mp_gather_init(mp_gather *g, size_t most, mp_gather_fn run, void *context)
{
    *g = (mp_gather){.most = most, .run = run, .context = context};
    g->last = &g->first;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->change, NULL);
}

void mp_gather_destroy(mp_gather *g)
{
    pthread_cond_destroy(&g->change);
    pthread_mutex_destroy(&g->mutex);
}

/* The one that has waited longest, and behind it, in order, those of its kind for which there is
 * room. The rest stays. */
static mp_gathered *take(mp_gather *g, size_t *pieces)
{
    mp_gathered *taken = g->first, **end = &taken->next;
    *pieces = taken->n;
    g->first = NULL;
    g->last = &g->first;
    for (mp_gathered *one = taken->next, *next; one; one = next) {
        next = one->next;
        one->next = NULL;
        if (one->kind == taken->kind && *pieces + one->n <= g->most) {
            *pieces += one->n;
            *end = one;
            end = &one->next;
        } else {
            *g->last = one;
            g->last = &one->next;
        }
    }
    *end = NULL;
    return taken;
}

/* Once `done` is set its owner may go, and its memory with it: `next` is read before. */
static void give_results(mp_gathered *taken, mp_err err, const mp_why *why)
{
    for (mp_gathered *one = taken, *next; one; one = next) {
        next = one->next;
        one->err = err;
        one->why = *why;
        one->done = true;
    }
}

mp_err mp_gather_do(mp_gather *g, uint64_t kind, size_t n, void *work, mp_why *why)
{
    mp_gathered mine = {.kind = kind, .n = n, .work = work};
    pthread_mutex_lock(&g->mutex);
    *g->last = &mine;
    g->last = &mine.next;
    while (!mine.done) {
        if (g->running) {
            pthread_cond_wait(&g->change, &g->mutex);
            continue;
        }
        mp_why reason = {0};
        size_t pieces;
        mp_gathered *taken = take(g, &pieces);
        g->running = true;
        pthread_mutex_unlock(&g->mutex);
        mp_err err = g->run(g->context, taken, pieces, &reason);
        pthread_mutex_lock(&g->mutex);
        g->running = false;
        give_results(taken, err, &reason);
        pthread_cond_broadcast(&g->change);
    }
    pthread_mutex_unlock(&g->mutex);
    return mine.err ? mp_fail(why, mine.err, "%s", mine.why.text) : MP_OK;
}
