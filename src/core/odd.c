/* odd.c - mp_odd_run: which parts make the score, and what a score means. See odd.h.
 *
 * Without normals the score is the mean distance to the K_ALL nearest others, equal vectors counting
 * once; an item's p-value is its rank among all. With normals three parts are mixed, each as standard
 * deviations of the normals' own: the Mahalanobis distance on TEXTURE features, that on LOOK vectors
 * (both with honest, out-of-fold distances for the normals; see odd_shape.h), and the distance to the
 * K_NORMAL nearest normals. The normals' mixed scores calibrate the p-values. */
#include "core/odd.h"

#include "core/odd_near.h"
#include "core/odd_shape.h"

#include "base/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K_ALL = 5, K_NORMAL = 3, MAX_FOLDS = 8, MIN_ALL = 3, MIN_NORMALS = 8 };

static const float **rows_of(const float *v, size_t n, int dims)
{
    const float **rows = mp_try_array(n, sizeof *rows);
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = v + i * (size_t)dims;
    return rows;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* How many of the sorted values are at least x. */
static size_t at_least(const float *sorted, size_t n, float x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return n - low;
}

/* ---- each against all others ---- */

typedef struct pool {
    size_t *same;   /* position of the first equal vector */
    size_t *place;  /* of a distinct vector among the distinct ones */
    size_t distinct;
    const float **rows; /* the distinct ones */
    float *mean, *nearest;
} pool;

static void pool_free(pool *p)
{
    free(p->same);
    free(p->place);
    free((void *)p->rows);
    free(p->mean);
    free(p->nearest);
}

static mp_err pool_make(const mp_odd_input *in, pool *p, mp_why *why)
{
    *p = (pool){.same = mp_try_array(in->n, sizeof *p->same),
                .place = mp_try_array(in->n, sizeof *p->place),
                .rows = mp_try_array(in->n, sizeof *p->rows),
                .mean = mp_try_array(in->n, sizeof *p->mean),
                .nearest = mp_try_array(in->n, sizeof *p->nearest)};
    if (!p->same || !p->place || !p->rows || !p->mean || !p->nearest)
        return mp_fail(why, MP_NOMEM, "no memory to compare %zu pictures", in->n);
    mp_err err = mp_odd_distinct(in->look, in->n, in->look_dims, p->same, &p->distinct, why);
    size_t next = 0;
    for (size_t i = 0; !err && i < in->n; i++)
        if (p->same[i] == i) {
            p->place[i] = next;
            p->rows[next++] = in->look + i * (size_t)in->look_dims;
        }
    return err;
}

static mp_err against_all(const mp_odd_input *in, mp_odd_crew *crew, mp_odd_score *out, mp_why *why)
{
    pool p;
    mp_err err = pool_make(in, &p, why);
    float *sorted = mp_try_array(in->n, sizeof *sorted);
    if (!err && !sorted)
        err = mp_fail(why, MP_NOMEM, "no memory to rank %zu pictures", in->n);
    crew->total = p.distinct;
    mp_odd_near scan = {.query = p.rows,
                        .point = p.rows,
                        .n_queries = p.distinct,
                        .n_points = p.distinct,
                        .dims = in->look_dims,
                        .k = K_ALL,
                        .self = true,
                        .mean = p.mean,
                        .nearest = p.nearest};
    if (!err)
        err = mp_odd_scan(&scan, crew, why);
    for (size_t i = 0; !err && i < in->n; i++) {
        size_t at = p.place[p.same[i]];
        out[i] = (mp_odd_score){.score = p.mean[at], .nearest = p.nearest[at]};
        sorted[i] = p.mean[at];
    }
    for (size_t i = 0; !err && i < in->n; i++)
        if (p.same[i] != i) /* an equal picture is the nearest other one, for both */
            out[i].nearest = out[p.same[i]].nearest = 0;
    if (!err)
        qsort(sorted, in->n, sizeof *sorted, by_value);
    for (size_t i = 0; !err && i < in->n; i++) {
        out[i].p = (double)at_least(sorted, in->n, out[i].score) / (double)in->n;
        out[i].flagged = out[i].p <= in->alpha;
    }
    free(sorted);
    pool_free(&p);
    return err;
}

/* ---- against normals ---- */

/* One part of the mixture: its values for the normals and for the judged. */
typedef struct part {
    float *own, *judged;
} part;

/* To standard deviations of the normals' own values, and into the sums. */
static void mix(const part *p, size_t n_own, size_t n_judged, float *own, float *judged)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n_own; i++) {
        sum += (double)p->own[i];
        square += (double)p->own[i] * (double)p->own[i];
    }
    double mean = sum / (double)n_own;
    double spread = sqrt(fmax(square / (double)n_own - mean * mean, 1e-12));
    for (size_t i = 0; i < n_own; i++)
        own[i] += (float)(((double)p->own[i] - mean) / spread);
    for (size_t i = 0; i < n_judged; i++)
        judged[i] += (float)(((double)p->judged[i] - mean) / spread);
}

static mp_err near_part(const mp_odd_input *in, mp_odd_crew *crew, part *p, float *nearest,
                        mp_why *why)
{
    const float **normals = rows_of(in->normal_look, in->n_normals, in->look_dims);
    const float **judged = rows_of(in->look, in->n, in->look_dims);
    float *unused = mp_try_array(in->n_normals, sizeof *unused);
    mp_err err = normals && judged && unused ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    mp_odd_near scan = {.query = normals,
                        .point = normals,
                        .n_queries = in->n_normals,
                        .n_points = in->n_normals,
                        .dims = in->look_dims,
                        .k = K_NORMAL,
                        .self = true,
                        .mean = p->own,
                        .nearest = unused};
    if (!err)
        err = mp_odd_scan(&scan, crew, why);
    scan.query = judged;
    scan.n_queries = in->n;
    scan.self = false;
    scan.mean = p->judged;
    scan.nearest = nearest;
    if (!err)
        err = mp_odd_scan(&scan, crew, why);
    free((void *)normals);
    free((void *)judged);
    free(unused);
    return err;
}

typedef struct measuring {
    const mp_shape *shape;
    const float *rows;
    int dims;
    float *out;
} measuring;

static mp_err measure_rows(void *context, size_t from, size_t to, mp_why *why)
{
    const measuring *m = context;
    float *scratch = mp_try_array(2 * (size_t)m->dims, sizeof *scratch);
    if (!scratch)
        return mp_fail(why, MP_NOMEM, "no memory");
    for (size_t i = from; i < to; i++)
        m->out[i] =
            (float)sqrt(mp_shape_distance(m->shape, m->rows + i * (size_t)m->dims, scratch));
    free(scratch);
    return MP_OK;
}

/* Normals dealt out to folds one by one; rows must come sorted by fold. */
static mp_err shape_part(const mp_odd_input *in, const float *normals, const float *judged,
                         int dims, mp_odd_crew *crew, part *p, mp_why *why)
{
    size_t n = in->n_normals, at = 0, first[MAX_FOLDS + 1];
    int folds = (int)MP_MIN(n / 4, (size_t)MAX_FOLDS);
    const float **rows = mp_try_array(n, sizeof *rows);
    size_t *from = mp_try_array(n, sizeof *from);
    double *own = mp_try_array(n, sizeof *own);
    mp_shape *shape = NULL;
    mp_err err = rows && from && own ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    for (int f = 0; !err && f < folds; f++) {
        first[f] = at;
        for (size_t i = (size_t)f; i < n; i += (size_t)folds, at++) {
            rows[at] = normals + i * (size_t)dims;
            from[at] = i;
        }
    }
    first[folds] = at;
    if (!err)
        err = mp_shape_fit(&shape, rows, n, dims, first, folds, crew, own, why);
    for (size_t i = 0; !err && i < n; i++)
        p->own[from[i]] = (float)sqrt(own[i]);
    measuring m = {shape, judged, dims, p->judged};
    if (!err)
        err = mp_odd_each(crew, in->n, 64, measure_rows, &m, why);
    mp_shape_free(shape);
    free(own);
    free(from);
    free((void *)rows);
    return err;
}

static void calibrate(const mp_odd_input *in, float *own, const float *judged, int parts,
                      mp_odd_score *out)
{
    qsort(own, in->n_normals, sizeof *own, by_value);
    for (size_t i = 0; i < in->n; i++) {
        size_t above = at_least(own, in->n_normals, judged[i]);
        out[i].score = judged[i] / (float)parts;
        out[i].p = (double)(above + 1) / (double)(in->n_normals + 1);
        out[i].flagged = out[i].p <= in->alpha;
    }
}

static mp_err against_normals(const mp_odd_input *in, mp_odd_crew *crew, mp_odd_score *out,
                              mp_why *why)
{
    size_t all = in->n + in->n_normals;
    float *room = mp_try_array(2 * all + in->n, sizeof *room);
    if (!room)
        return mp_fail(why, MP_NOMEM, "no memory to judge %zu pictures", in->n);
    part p = {room, room + in->n_normals};
    float *own = room + all, *judged = own + in->n_normals, *nearest = judged + in->n;
    int parts = 2;
    crew->total = in->n_normals + in->n;
    mp_err err = near_part(in, crew, &p, nearest, why);
    if (!err) {
        mix(&p, in->n_normals, in->n, own, judged);
        err = shape_part(in, in->normal_look, in->look, in->look_dims, crew, &p, why);
    }
    if (!err)
        mix(&p, in->n_normals, in->n, own, judged);
    if (!err && in->texture_dims) {
        parts++;
        err = shape_part(in, in->normal_texture, in->texture, in->texture_dims, crew, &p, why);
        if (!err)
            mix(&p, in->n_normals, in->n, own, judged);
    }
    if (!err) {
        calibrate(in, own, judged, parts, out);
        for (size_t i = 0; i < in->n; i++)
            out[i].nearest = nearest[i];
    }
    free(room);
    return err;
}

mp_err mp_odd_run(const mp_odd_input *in, mp_odd_score *out, const char **method, mp_why *why)
{
    mp_odd_crew crew = {.threads = in->threads > 0 ? in->threads : mp_cpu_count(),
                        .stop = in->stop,
                        .stop_context = in->stop_context};
    *method = in->n_normals ? "mahalanobis+knn" : "knn";
    if (in->n_normals ? in->n_normals < MIN_NORMALS : in->n < MIN_ALL)
        return mp_fail(why, MP_INVALID, "%zu pictures are too few to tell which is odd",
                       in->n_normals ? in->n_normals : in->n);
    if (in->n == 0)
        return MP_OK;
    return in->n_normals ? against_normals(in, &crew, out, why) : against_all(in, &crew, out, why);
}
