/* recall.c - see recall.h. */
#include "http/recall.h"

#include "base/os.h"
#include "http/work.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NEAREST = 10, KEPT = 200 };
static const double EVERY_S = 5; /* an exact scan of a large library takes some ten milliseconds */

struct mp_recall {
    magpie *library;
    pthread_mutex_t mutex; /* guards all below */
    double last;
    bool busy;
    float kept[KEPT];
    uint64_t n;
};

typedef struct sample {
    mp_recall *recall;
    int64_t id;
    char *scope;
    int64_t found[NEAREST];
    size_t n;
} sample;

mp_recall *mp_recall_new(magpie *library)
{
    mp_recall *r = mp_xcalloc(1, sizeof *r);
    r->library = library;
    pthread_mutex_init(&r->mutex, NULL);
    return r;
}

void mp_recall_free(mp_recall *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

static void note(mp_recall *r, bool fine, float recall)
{
    pthread_mutex_lock(&r->mutex);
    if (fine)
        r->kept[r->n++ % KEPT] = recall;
    r->busy = false;
    pthread_mutex_unlock(&r->mutex);
}

static void check(void *item)
{
    sample *s = item;
    magpie_term term = {.kind = MAGPIE_ID, .id = s->id};
    magpie_query query = {.terms = &term,
                          .n_terms = 1,
                          .where = s->scope,
                          .k = NEAREST,
                          .min_score = -1,
                          .exact = true};
    magpie_hits *hits;
    size_t right = 0;
    bool fine = magpie_search(s->recall->library, &query, &hits, NULL) == MAGPIE_OK;
    /* Ties at the end of the list are as good as each other: what scores like the last counts. */
    for (size_t i = 0; fine && i < hits->n; i++)
        for (size_t k = 0; k < s->n; k++)
            right += s->found[k] == hits->hit[i].id;
    size_t want = fine ? MP_MIN(hits->n, (size_t)NEAREST) : 0;
    if (fine)
        magpie_hits_free(hits);
    note(s->recall, fine && want > 0, want ? (float)right / (float)want : 0);
    free(s->scope);
    free(s);
}

void mp_recall_sample(mp_recall *r, mp_work *w, const mp_question *q, const magpie_hits *hits)
{
    bool fits = q->n == 1 && q->term[0].kind == MAGPIE_ID && !q->exact && q->offset == 0 &&
                q->limit >= NEAREST && hits->n >= NEAREST;
    double now = mp_monotonic_s();
    pthread_mutex_lock(&r->mutex);
    bool due = fits && !r->busy && now - r->last > EVERY_S;
    if (due) {
        r->busy = true;
        r->last = now;
    }
    pthread_mutex_unlock(&r->mutex);
    if (!due)
        return;
    sample *s = mp_xcalloc(1, sizeof *s);
    *s = (sample){.recall = r,
                  .id = q->term[0].id,
                  .scope = q->scope ? mp_xstrdup(q->scope) : NULL,
                  .n = NEAREST};
    for (size_t i = 0; i < NEAREST; i++)
        s->found[i] = hits->hit[i].id;
    if (!mp_work_put(w, check, s)) {
        note(r, false, 0);
        free(s->scope);
        free(s);
    }
}

double mp_recall_mean(mp_recall *r, uint64_t *samples)
{
    double sum = 0;
    pthread_mutex_lock(&r->mutex);
    size_t n = (size_t)MP_MIN(r->n, (uint64_t)KEPT);
    for (size_t i = 0; i < n; i++)
        sum += (double)r->kept[i];
    *samples = r->n;
    pthread_mutex_unlock(&r->mutex);
    return n ? sum / (double)n : NAN;
}
