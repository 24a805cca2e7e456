/* odd.c - mp_odd_run: joins the scans and shapes to scores and p-values.
 *
 * With normals there are up to three parts: Mahalanobis distance on TEXTURE, the same on LOOK, and
 * distance to the nearest normals. Each is taken as a logarithm (they are skewed), measured in the
 * normals' own mean and deviation, and the parts are averaged: the score. The normals' own scores
 * come from models and scans that leave them out, so that they and a stranger's are alike when the
 * stranger is normal: then p is uniform. */
#include "core/odd.h"

#include "core/odd_near.h"
#include "core/odd_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    K_OTHERS = 5,  /* neighbours without normals */
    K_NORMALS = 3, /* neighbours among normals */
    FOLDS = 10,
    LEAVE_ONE_OUT = 24, /* up to as many normals, each is a fold */
    PARTS = 3
};
/* Distances below this are rounding: their logarithm must not rule the mixture. */
static const double LEAST_DISTANCE = 1e-6;

/* ---- vectors that are used ---- */

/* Distinct vectors of a set, as pointers. */
typedef struct chosen {
    size_t *same;      /* per vector: position of its first copy */
    size_t *at;        /* n_distinct positions of first copies */
    const float **row; /* n_distinct LOOK vectors */
    size_t n;
} chosen;

static void chosen_free(chosen *c)
{
    free(c->same);
    free(c->at);
    free(c->row);
}

static bool finite_all(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

static mp_err choose(chosen *c, const float *look, size_t n, int dims, mp_why *why)
{
    c->same = mp_try_array(n, sizeof *c->same);
    c->at = mp_try_array(n, sizeof *c->at);
    c->row = mp_try_array(n, sizeof *c->row);
    if (!c->same || !c->at || !c->row)
        return mp_fail(why, MP_NOMEM, "no memory for %zu vectors", n);
    size_t distinct;
    mp_err err = mp_odd_distinct(look, n, dims, c->same, &distinct, why);
    for (size_t i = 0; !err && i < n; i++)
        if (c->same[i] == i) {
            c->at[c->n] = i;
            c->row[c->n++] = look + i * (size_t)dims;
        }
    return err;
}

static mp_err check(const mp_odd_input *in, mp_why *why)
{
    bool textured = in->texture_dims > 0 && in->n_normals;
    bool shaped = in->look_dims > 0 && in->texture_dims >= 0 && in->look &&
                  (!in->n_normals || in->normal_look) &&
                  (!textured || (in->texture && in->normal_texture));
    if (in->n && !shaped)
        return mp_fail(why, MP_INVALID, "vectors are missing");
    size_t look = (size_t)in->look_dims, texture = (size_t)in->texture_dims;
    if (in->n &&
        !(finite_all(in->look, in->n * look) && finite_all(in->normal_look, in->n_normals * look) &&
          (!textured || (finite_all(in->texture, in->n * texture) &&
                         finite_all(in->normal_texture, in->n_normals * texture)))))
        return mp_fail(why, MP_INVALID, "a vector has values that are not numbers");
    return MP_OK;
}

/* ---- ranks ---- */

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many of the sorted values are at least x. */
static size_t at_least(const double *sorted, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (sorted[mid] < x)
            low = mid + 1;
        else
            high = mid;
    }
    return n - low;
}

/* ---- each against all others ---- */

static mp_err run_others(const mp_odd_input *in, mp_odd_crew *crew, mp_odd_score *out, mp_why *why)
{
    chosen c = {0};
    float *mean = NULL, *nearest = NULL;
    double *sorted = NULL;
    size_t *copies = NULL;
    mp_err err = choose(&c, in->look, in->n, in->look_dims, why);
    if (!err && in->n < MP_ODD_MIN_ITEMS)
        err = mp_fail(why, MP_INVALID, "%zu pictures are too few to tell which is odd", in->n);
    if (err)
        goto done;
    mean = mp_try_array(c.n, sizeof *mean);
    nearest = mp_try_array(c.n, sizeof *nearest);
    sorted = mp_try_array(c.n, sizeof *sorted);
    copies = mp_try_array(in->n, sizeof *copies);
    if (!mean || !nearest || !sorted || !copies) {
        err = mp_fail(why, MP_NOMEM, "no memory for %zu scores", c.n);
        goto done;
    }
    mp_odd_near scan = {.query = c.row,
                        .point = c.row,
                        .n_queries = c.n,
                        .n_points = c.n,
                        .dims = in->look_dims,
                        .k = K_OTHERS,
                        .self = true,
                        .mean = mean,
                        .nearest = nearest};
    err = mp_odd_scan(&scan, crew, why);
    if (err)
        goto done;
    for (size_t i = 0; i < in->n; i++)
        copies[c.same[i]]++;
    for (size_t i = 0; i < c.n; i++) {
        sorted[i] = mean[i];
        out[c.at[i]] = (mp_odd_score){.score = mean[i], .nearest = nearest[i]};
    }
    qsort(sorted, c.n, sizeof *sorted, rising);
    for (size_t i = 0; i < in->n; i++) {
        size_t first = c.same[i]; /* comes before its copies, or is i */
        out[i].score = out[first].score;
        out[i].nearest = copies[first] > 1 ? 0 : out[first].nearest;
        out[i].p = (double)at_least(sorted, c.n, out[i].score) / (double)c.n;
    }
done:
    free(copies);
    free(sorted);
    free(nearest);
    free(mean);
    chosen_free(&c);
    return err;
}

/* ---- against normals ---- */

/* One part of the score: a value per normal and per judged picture. */
typedef struct part {
    double *normal, *judged;
} part;

typedef struct trial {
    const mp_odd_input *in;
    mp_odd_crew *crew;
    chosen normals;
    float *nearest; /* n judged */
    part part[PARTS];
    int n_parts;
} trial;

static mp_err new_part(trial *t, part **out, mp_why *why)
{
    part *p = *out = &t->part[t->n_parts++];
    p->normal = mp_try_array(t->normals.n, sizeof *p->normal);
    p->judged = mp_try_array(t->in->n, sizeof *p->judged);
    if (!p->normal || !p->judged)
        return mp_fail(why, MP_NOMEM, "no memory for %zu scores", t->normals.n + t->in->n);
    return MP_OK;
}

static mp_err scan_into(trial *t, const float *const *query, size_t n, bool self, float *nearest,
                        double *out, mp_why *why)
{
    float *mean = mp_try_array(n, sizeof *mean);
    if (!mean)
        return mp_fail(why, MP_NOMEM, "no memory for %zu scores", n);
    mp_odd_near scan = {.query = query,
                        .point = t->normals.row,
                        .n_queries = n,
                        .n_points = t->normals.n,
                        .dims = t->in->look_dims,
                        .k = K_NORMALS,
                        .self = self,
                        .mean = mean,
                        .nearest = nearest};
    mp_err err = mp_odd_scan(&scan, t->crew, why);
    for (size_t i = 0; !err && i < n; i++)
        out[i] = mean[i];
    free(mean);
    return err;
}

static mp_err near_part(trial *t, mp_why *why)
{
    const mp_odd_input *in = t->in;
    part *p;
    const float **query = mp_try_array(in->n, sizeof *query);
    float *unused = mp_try_array(t->normals.n, sizeof *unused);
    mp_err err = new_part(t, &p, why);
    if (!err && (!query || !unused))
        err = mp_fail(why, MP_NOMEM, "no memory for %zu scores", in->n);
    if (err)
        goto done;
    for (size_t i = 0; i < in->n; i++)
        query[i] = in->look + i * (size_t)in->look_dims;
    err = scan_into(t, t->normals.row, t->normals.n, true, unused, p->normal, why);
    if (!err)
        err = scan_into(t, query, in->n, false, t->nearest, p->judged, why);
done:
    free(unused);
    free(query);
    return err;
}

/* Normals dealt out to folds: order[i] is the place among the distinct normals. */
typedef struct deal {
    size_t *order;
    size_t first[MP_MAX(FOLDS, LEAVE_ONE_OUT) + 1];
    int folds;
} deal;

static void deal_out(deal *d, size_t n)
{
    size_t next = 0;
    d->folds = n <= LEAVE_ONE_OUT ? (int)n : FOLDS;
    for (size_t f = 0; f < (size_t)d->folds; f++) {
        d->first[f] = next;
        for (size_t i = f; i < n; i += (size_t)d->folds)
            d->order[next++] = i;
    }
    d->first[d->folds] = next;
}

typedef struct measuring {
    const mp_shape *shape;
    const float *v;
    int dims;
    double *out;
} measuring;

static mp_err measure_rows(void *context, size_t from, size_t to, mp_why *why)
{
    const measuring *m = context;
    float *scratch = mp_try_array((size_t)m->dims, 2 * sizeof *scratch);
    if (!scratch)
        return mp_fail(why, MP_NOMEM, "no memory for a vector");
    for (size_t i = from; i < to; i++)
        m->out[i] = mp_shape_distance(m->shape, m->v + i * (size_t)m->dims, scratch);
    free(scratch);
    return MP_OK;
}

static mp_err shape_part(trial *t, const float *normals, const float *judged, int dims, mp_why *why)
{
    size_t n = t->normals.n;
    deal d = {.order = mp_try_array(n, sizeof *d.order)};
    const float **row = mp_try_array(n, sizeof *row);
    double *own = mp_try_array(n, sizeof *own);
    mp_shape *shape = NULL;
    part *p;
    mp_err err = new_part(t, &p, why);
    if (!err && (!d.order || !row || !own))
        err = mp_fail(why, MP_NOMEM, "no memory for %zu normal vectors", n);
    if (err)
        goto done;
    deal_out(&d, n);
    for (size_t i = 0; i < n; i++)
        row[i] = normals + t->normals.at[d.order[i]] * (size_t)dims;
    err = mp_shape_fit(&shape, row, n, dims, d.first, d.folds, t->crew, own, why);
    if (err)
        goto done;
    for (size_t i = 0; i < n; i++)
        p->normal[d.order[i]] = own[i];
    measuring m = {shape, judged, dims, p->judged};
    err = mp_odd_each(t->crew, t->in->n, 16, measure_rows, &m, why);
done:
    mp_shape_free(shape);
    free(own);
    free(row);
    free(d.order);
    return err;
}

/* Logarithms in the normals' own units. */
static void standardise(part *p, size_t n_normals, size_t n)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < n_normals; i++) {
        p->normal[i] = log(fmax(p->normal[i], LEAST_DISTANCE));
        mean += p->normal[i] / (double)n_normals;
    }
    for (size_t i = 0; i < n_normals; i++)
        square += (p->normal[i] - mean) * (p->normal[i] - mean) / (double)n_normals;
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < n_normals; i++)
        p->normal[i] = (p->normal[i] - mean) * scale;
    for (size_t i = 0; i < n; i++)
        p->judged[i] = (log(fmax(p->judged[i], LEAST_DISTANCE)) - mean) * scale;
}

static void mix(trial *t, mp_odd_score *out)
{
    size_t n = t->in->n, n_normals = t->normals.n;
    double *sum = t->part[0].normal;
    for (int k = 0; k < t->n_parts; k++)
        standardise(&t->part[k], n_normals, n);
    for (size_t i = 0; i < n_normals; i++) {
        for (int k = 1; k < t->n_parts; k++)
            sum[i] += t->part[k].normal[i];
        sum[i] /= t->n_parts;
    }
    qsort(sum, n_normals, sizeof *sum, rising);
    for (size_t i = 0; i < n; i++) {
        double score = 0;
        for (int k = 0; k < t->n_parts; k++)
            score += t->part[k].judged[i];
        score /= t->n_parts;
        out[i] = (mp_odd_score){.score = (float)score,
                                .nearest = t->nearest[i],
                                .p = (1 + (double)at_least(sum, n_normals, score)) /
                                     (1 + (double)n_normals)};
    }
}

static mp_err run_normals(const mp_odd_input *in, mp_odd_crew *crew, mp_odd_score *out, mp_why *why)
{
    trial t = {.in = in, .crew = crew, .nearest = mp_try_array(in->n, sizeof *t.nearest)};
    mp_err err = choose(&t.normals, in->normal_look, in->n_normals, in->look_dims, why);
    if (!err && t.normals.n < MP_ODD_MIN_NORMALS)
        err = mp_fail(why, MP_INVALID,
                      "only %zu different pictures are given as normal; %d are "
                      "needed",
                      t.normals.n, MP_ODD_MIN_NORMALS);
    if (!err && !t.nearest)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu scores", in->n);
    if (!err)
        err = near_part(&t, why);
    if (!err)
        err = shape_part(&t, in->normal_look, in->look, in->look_dims, why);
    if (!err && in->texture_dims > 0)
        err = shape_part(&t, in->normal_texture, in->texture, in->texture_dims, why);
    if (!err)
        mix(&t, out);
    for (int k = 0; k < t.n_parts; k++) {
        free(t.part[k].normal);
        free(t.part[k].judged);
    }
    free(t.nearest);
    chosen_free(&t.normals);
    return err;
}

/* ---- both ---- */

/* Rows that all phases will handle, for the progress. */
static size_t work_ahead(const mp_odd_input *in)
{
    size_t spaces = in->texture_dims > 0 ? 2 : 1;
    return in->n_normals ? in->n_normals + in->n + spaces * (in->n + FOLDS) : in->n;
}

mp_err mp_odd_run(const mp_odd_input *in, mp_odd_score *out, const char **method, mp_why *why)
{
    mp_odd_crew crew = {.threads = in->threads,
                        .stop = in->stop,
                        .stop_context = in->stop_context,
                        .total = work_ahead(in)};
    *method = in->n_normals ? "mahalanobis+knn" : "knn";
    mp_err err = check(in, why);
    if (!err && in->n)
        err = in->n_normals ? run_normals(in, &crew, out, why) : run_others(in, &crew, out, why);
    for (size_t i = 0; !err && i < in->n; i++)
        out[i].flagged = out[i].p <= in->alpha;
    if (err) {
        memset(out, 0, in->n * sizeof *out);
        *method = NULL;
    }
    return err;
}
