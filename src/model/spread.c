/* spread.c - see spread.h. */
#include "model/spread.h"

#include "model/helper.h"

#include <pthread.h>
#include <stdatomic.h>

/* Of the OpenMP runtime that oneDNN runs on; its header comes with GCC only. */
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);

enum { MAX_THREADS = 64 };

typedef struct job {
    mp_spread_fn fn;
    void *context;
    size_t n, step;
    _Atomic size_t next;
    _Atomic int err;
    pthread_mutex_t mutex; /* guards why and the first setting of err */
    mp_why why;
} job;

static void note(job *j, mp_err err, const mp_why *why)
{
    pthread_mutex_lock(&j->mutex);
    if (!atomic_load(&j->err)) {
        j->why = *why;
        atomic_store(&j->err, (int)err);
    }
    pthread_mutex_unlock(&j->mutex);
}

static void work(void *context)
{
    job *j = context;
    omp_set_num_threads(1);
    while (!atomic_load(&j->err)) {
        mp_why why = {0};
        size_t from = atomic_fetch_add(&j->next, j->step);
        if (from >= j->n)
            break;
        mp_err err = j->fn(j->context, from, MP_MIN(from + j->step, j->n), &why);
        if (err)
            note(j, err, &why);
    }
}

mp_err mp_spread(int threads, size_t n, size_t step, mp_spread_fn fn, void *context, mp_why *why)
{
    job j = {.fn = fn, .context = context, .n = n, .step = step};
    mp_helper *helpers[MAX_THREADS];
    size_t pieces = n / step + (n % step != 0), others = 0;
    size_t most = MP_MIN(pieces, (size_t)MP_MIN(threads, MAX_THREADS));
    int before = omp_get_max_threads();
    pthread_mutex_init(&j.mutex, NULL);
    while (others + 1 < most && (helpers[others] = mp_helper_start(work, &j)))
        others++;
    work(&j);
    while (others > 0)
        mp_helper_wait(helpers[--others]);
    omp_set_num_threads(before);
    pthread_mutex_destroy(&j.mutex);
    mp_err err = (mp_err)atomic_load(&j.err);
    return err ? mp_fail(why, err, "%s", j.why.text) : MP_OK;
}
