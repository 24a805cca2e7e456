/* odd_shape.c - see odd_shape.h.
 *
 * Everything happens in common coordinates y = (x - centre) / spread of all normals, which only
 * keeps numbers near 1; each model has its own centre and spread within them. Model k is the
 * quadratic form (y - m)' A (y - m); the mean of K of them is y'Qy - 2 b'y + c, so that a stranger
 * costs one product with a dims x dims matrix however many models there are.
 *
 * With fewer vectors than dimensions the shrunk correlation (1 - r) Z'Z/n + r t I is inverted in
 * the dual (Woodbury): with c = r t n / (1 - r) and L L' = ZZ' + cI it is
 * (I - W'W) / (r t), W = L^-1 Z. Otherwise its Cholesky factor is inverted directly.
 * Inner products run in f32 with the dispatched kernel; factors and sums of models in f64. */
#include "core/odd_shape.h"

#include "base/linalg.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A dimension that is (nearly) constant among the normals keeps this part of the mean spread:
 * else rounding in it would count for more than everything else. */
static const double LEAST_SPREAD = 1e-3;
static const double LEAST_SHRINKAGE = 1e-3;

struct mp_shape {
    int dims;
    mp_dot_fn dot;
    float *centre, *inverse_spread; /* of the common coordinates */
    float *q, *b;                   /* dims x dims, dims */
    double c;
};

/* What the fitting of all folds shares. */
typedef struct fitting {
    const float *const *rows;
    size_t n, dims;
    const size_t *first;
    int folds;
    mp_shape *shape;
    float *y;        /* n x dims: common coordinates */
    float *columns;  /* dims x n: y transposed; NULL when only the dual is used */
    double *scatter; /* dims x dims over all rows, lower triangle; NULL like columns */
    double *a, *m;   /* folds x dims x dims, folds x dims */
    double *own;
} fitting;

/* One fold's own workings. */
typedef struct model {
    const fitting *f;
    int fold;
    size_t from, to, n;       /* rows left out; number of rows used */
    double *mean, *scale, *a; /* centre, 1 / spread; the result */
    double fourth;            /* sum of |z|^4 */
    float *z;
} model;

/* ---- common coordinates ---- */

static void moments(const fitting *f, double *mean, double *spread)
{
    memset(mean, 0, f->dims * sizeof *mean);
    memset(spread, 0, f->dims * sizeof *spread);
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->dims; j++)
            mean[j] += f->rows[i][j];
    for (size_t j = 0; j < f->dims; j++)
        mean[j] /= (double)f->n;
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->dims; j++)
            spread[j] += (f->rows[i][j] - mean[j]) * (f->rows[i][j] - mean[j]);
}

/* Variances times n become floored spreads. */
static void to_spreads(double *v, size_t dims, double n)
{
    double total = 0;
    for (size_t j = 0; j < dims; j++)
        total += v[j] / n;
    double least = LEAST_SPREAD * sqrt(total / (double)dims);
    for (size_t j = 0; j < dims; j++) {
        v[j] = fmax(sqrt(v[j] / n), least);
        if (v[j] == 0)
            v[j] = 1; /* all normals are equal */
    }
}

static void to_common(const mp_shape *s, const float *x, float *y)
{
    for (int j = 0; j < s->dims; j++)
        y[j] = (x[j] - s->centre[j]) * s->inverse_spread[j];
}

static mp_err enter_common(fitting *f, mp_why *why)
{
    double *mean = mp_try_array(f->dims, sizeof *mean);
    double *spread = mp_try_array(f->dims, sizeof *spread);
    mp_err err = MP_OK;
    if (!mean || !spread) {
        err = mp_fail(why, MP_NOMEM, "no memory for the shape of the normal pictures");
        goto done;
    }
    moments(f, mean, spread);
    to_spreads(spread, f->dims, (double)f->n);
    for (size_t j = 0; j < f->dims; j++) {
        f->shape->centre[j] = (float)mean[j];
        f->shape->inverse_spread[j] = (float)(1 / spread[j]);
    }
    for (size_t i = 0; i < f->n; i++)
        to_common(f->shape, f->rows[i], f->y + i * f->dims);
done:
    free(spread);
    free(mean);
    return err;
}

/* ---- scatter of all rows, for the direct way ---- */

static mp_err scatter_rows(void *context, size_t from, size_t to, mp_why *why)
{
    (void)why;
    fitting *f = context;
    for (size_t i = from; i < to; i++)
        for (size_t j = 0; j <= i; j++)
            f->scatter[i * f->dims + j] =
                f->shape->dot(f->columns + i * f->n, f->columns + j * f->n, f->n);
    return MP_OK;
}

static mp_err make_scatter(fitting *f, mp_odd_crew *crew, mp_why *why)
{
    f->columns = mp_try_array(f->dims * f->n, sizeof *f->columns);
    f->scatter = mp_try_array(f->dims * f->dims, sizeof *f->scatter);
    if (!f->columns || !f->scatter)
        return mp_fail(why, MP_NOMEM, "no memory for the shape of %zu vectors", f->n);
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->dims; j++)
            f->columns[j * f->n + i] = f->y[i * f->dims + j];
    return mp_odd_each(crew, f->dims, 16, scatter_rows, f, why);
}

/* ---- one model ---- */

static bool left_out(const model *m, size_t i)
{
    return i >= m->from && i < m->to;
}

/* Centre and spread of the rows used, and their standardised copies in z. */
static void standardise(model *m)
{
    const fitting *f = m->f;
    size_t dims = f->dims;
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; !left_out(m, i) && j < dims; j++)
            m->mean[j] += f->y[i * dims + j];
    for (size_t j = 0; j < dims; j++)
        m->mean[j] /= (double)m->n;
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; !left_out(m, i) && j < dims; j++) {
            double away = f->y[i * dims + j] - m->mean[j];
            m->scale[j] += away * away;
        }
    to_spreads(m->scale, dims, (double)m->n);
    for (size_t j = 0; j < dims; j++)
        m->scale[j] = 1 / m->scale[j];
    float *z = m->z;
    for (size_t i = 0; i < f->n; i++) {
        if (left_out(m, i))
            continue;
        double length = 0;
        for (size_t j = 0; j < dims; j++) {
            double v = (f->y[i * dims + j] - m->mean[j]) * m->scale[j];
            z[j] = (float)v;
            length += v * v;
        }
        m->fourth += length * length;
        z += dims;
    }
}

/* How much of the correlation gives way to its mean diagonal: Ledoit & Wolf, lemma 3.2 f.
 * square: the squared Frobenius norm of the correlation matrix. */
static double shrinkage(const model *m, double trace, double square)
{
    double dims = (double)m->f->dims, n = (double)m->n;
    double spread = (square - trace * trace / dims) / dims;
    double noise = (m->fourth / n - square) / (n * dims);
    if (!(spread > 0))
        return 1;
    return fmin(fmax(noise / spread, LEAST_SHRINKAGE), 1);
}

/* a (zeros) becomes L^-1' L^-1, its lower triangle, from the Cholesky factor l, which becomes its
 * inverse: row i of that is (e_i - sum of L(i,k) * row k of it) / L(i,i). Row operations only, so
 * that every inner loop is contiguous. */
static void invert_factor(double *l, size_t n, double *a)
{
    for (size_t i = 0; i < n; i++) {
        double *row = l + i * n, pivot = 1 / row[i];
        for (size_t k = 0; k < i; k++) {
            double factor = row[k];
            const double *done = l + k * n;
            double *sum = a + i * n;
            for (size_t j = 0; j <= k; j++)
                sum[j] -= factor * done[j];
        }
        for (size_t j = 0; j < i; j++)
            row[j] = a[i * n + j] * pivot;
        row[i] = pivot;
    }
    memset(a, 0, n * n * sizeof *a);
    for (size_t k = 0; k < n; k++) {
        const double *row = l + k * n;
        for (size_t i = 0; i <= k; i++) {
            double factor = row[i], *to = a + i * n;
            for (size_t j = 0; j <= i; j++)
                to[j] += factor * row[j];
        }
    }
}

static mp_err direct(model *m, mp_why *why)
{
    const fitting *f = m->f;
    size_t dims = f->dims, out = m->to - m->from;
    double *l = mp_try_array(dims * dims, sizeof *l), trace = 0, square = 0;
    if (!l)
        return mp_fail(why, MP_NOMEM, "no memory for a matrix of %zu x %zu", dims, dims);
    for (size_t i = 0; i < dims; i++)
        for (size_t j = 0; j <= i; j++) {
            const float *x = f->columns + i * f->n + m->from, *y = f->columns + j * f->n + m->from;
            double sum = f->scatter[i * dims + j] - f->shape->dot(x, y, out);
            double s = (sum / (double)m->n - m->mean[i] * m->mean[j]) * m->scale[i] * m->scale[j];
            l[i * dims + j] = s;
            square += i == j ? s * s : 2 * s * s;
            trace += i == j ? s : 0;
        }
    double keep = shrinkage(m, trace, square), level = trace > 0 ? trace / (double)dims : 1;
    for (size_t i = 0; i < dims; i++) {
        for (size_t j = 0; j < i; j++)
            l[i * dims + j] *= 1 - keep;
        l[i * dims + i] = (1 - keep) * l[i * dims + i] + keep * level;
    }
    bool definite = mp_cholesky(l, (int)dims);
    if (definite)
        invert_factor(l, dims, m->a);
    free(l);
    return definite ? MP_OK
                    : mp_fail(why, MP_INTERNAL, "the normal pictures' vectors are not finite");
}

/* w = L^-1 Z by forward substitution on whole rows. */
static void solve_rows(const double *l, const float *z, size_t n, size_t dims, double *w)
{
    for (size_t i = 0; i < n; i++) {
        double *row = w + i * dims;
        for (size_t j = 0; j < dims; j++)
            row[j] = z[i * dims + j];
        for (size_t k = 0; k < i; k++) {
            double factor = l[i * n + k];
            const double *done = w + k * dims;
            for (size_t j = 0; j < dims; j++)
                row[j] -= factor * done[j];
        }
        for (size_t j = 0; j < dims; j++)
            row[j] /= l[i * n + i];
    }
}

static mp_err dual(model *m, mp_why *why)
{
    size_t dims = m->f->dims, n = m->n;
    double *l = mp_try_array(n * n, sizeof *l), *w = mp_try_array(n * dims, sizeof *w);
    double trace = 0, square = 0;
    mp_err err = MP_OK;
    if (!l || !w) {
        err = mp_fail(why, MP_NOMEM, "no memory for a matrix of %zu x %zu", n, dims);
        goto done;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double g = m->f->shape->dot(m->z + i * dims, m->z + j * dims, dims), s = g / (double)n;
            l[i * n + j] = g;
            square += i == j ? s * s : 2 * s * s;
            trace += i == j ? s : 0;
        }
    double keep = shrinkage(m, trace, square), level = trace > 0 ? trace / (double)dims : 1;
    if (keep < 1) {
        for (size_t i = 0; i < n; i++)
            l[i * n + i] += keep * level * (double)n / (1 - keep);
        if (!mp_cholesky(l, (int)n)) {
            err = mp_fail(why, MP_INTERNAL, "the normal pictures' vectors are not finite");
            goto done;
        }
        solve_rows(l, m->z, n, dims, w);
    }
    for (size_t k = 0; keep < 1 && k < n; k++)
        for (size_t i = 0; i < dims; i++) {
            double factor = w[k * dims + i], *to = m->a + i * dims;
            for (size_t j = 0; j <= i; j++)
                to[j] -= factor * w[k * dims + j];
        }
    for (size_t i = 0; i < dims; i++) {
        m->a[i * dims + i] += 1;
        for (size_t j = 0; j <= i; j++)
            m->a[i * dims + j] /= keep * level;
    }
done:
    free(w);
    free(l);
    return err;
}

/* From the lower triangle in standardised coordinates to the whole matrix in common ones. */
static void complete(model *m)
{
    size_t dims = m->f->dims;
    for (size_t i = 0; i < dims; i++)
        for (size_t j = 0; j <= i; j++) {
            double v = m->a[i * dims + j] * m->scale[i] * m->scale[j];
            m->a[i * dims + j] = m->a[j * dims + i] = v;
        }
}

static void judge_left_out(const model *m, double *away)
{
    const fitting *f = m->f;
    size_t dims = f->dims;
    for (size_t i = m->from; i < m->to; i++) {
        double sum = 0;
        for (size_t j = 0; j < dims; j++)
            away[j] = f->y[i * dims + j] - m->mean[j];
        for (size_t r = 0; r < dims; r++) {
            const double *row = m->a + r * dims;
            double s0 = 0, s1 = 0;
            size_t j = 0;
            for (; j + 2 <= dims; j += 2) {
                s0 += row[j] * away[j];
                s1 += row[j + 1] * away[j + 1];
            }
            if (j < dims)
                s0 += row[j] * away[j];
            sum += away[r] * (s0 + s1);
        }
        f->own[i] = fmax(sum, 0);
    }
}

static mp_err fit_fold(const fitting *f, int fold, mp_why *why)
{
    size_t dims = f->dims, from = f->first[fold], to = f->first[fold + 1];
    model m = {.f = f,
               .fold = fold,
               .from = from,
               .to = to,
               .n = f->n - (to - from),
               .mean = f->m + (size_t)fold * dims,
               .a = f->a + (size_t)fold * dims * dims};
    m.scale = mp_try_array(dims, sizeof *m.scale);
    m.z = mp_try_array(m.n * dims, sizeof *m.z);
    mp_err err = MP_OK;
    if (!m.scale || !m.z)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu normal vectors", m.n);
    if (!err) {
        standardise(&m);
        err = f->columns ? direct(&m, why) : dual(&m, why);
    }
    if (!err) {
        complete(&m);
        judge_left_out(&m, m.scale);
    }
    free(m.z);
    free(m.scale);
    return err;
}

static mp_err fit_folds(void *context, size_t from, size_t to, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t k = from; !err && k < to; k++)
        err = fit_fold(context, (int)k, why);
    return err;
}

/* ---- the mean of the models ---- */

static void average(const fitting *f, double *sum, double *am)
{
    size_t dims = f->dims;
    mp_shape *s = f->shape;
    memset(sum, 0, dims * sizeof *sum);
    for (int k = 0; k < f->folds; k++) {
        const double *a = f->a + (size_t)k * dims * dims, *m = f->m + (size_t)k * dims;
        for (size_t i = 0; i < dims; i++) {
            am[i] = 0;
            for (size_t j = 0; j < dims; j++)
                am[i] += a[i * dims + j] * m[j];
            sum[i] += am[i];
            s->c += am[i] * m[i] / f->folds;
        }
    }
    for (size_t i = 0; i < dims; i++)
        s->b[i] = (float)(sum[i] / f->folds);
    for (size_t i = 0; i < dims * dims; i++) {
        double q = 0;
        for (int k = 0; k < f->folds; k++)
            q += f->a[(size_t)k * dims * dims + i];
        s->q[i] = (float)(q / f->folds);
    }
}

static mp_err fit(fitting *f, mp_odd_crew *crew, mp_why *why)
{
    mp_err err = enter_common(f, why);
    size_t widest = 0;
    for (int k = 0; k < f->folds; k++)
        widest = MP_MAX(widest, f->first[k + 1] - f->first[k]);
    if (!err && f->n - widest >= f->dims)
        err = make_scatter(f, crew, why);
    if (!err)
        err = mp_odd_each(crew, (size_t)f->folds, 1, fit_folds, f, why);
    double *sum = mp_try_array(f->dims, sizeof *sum), *am = mp_try_array(f->dims, sizeof *am);
    if (!err && (!sum || !am))
        err = mp_fail(why, MP_NOMEM, "no memory for the shape of the normal pictures");
    if (!err)
        average(f, sum, am);
    free(am);
    free(sum);
    return err;
}

mp_err mp_shape_fit(mp_shape **out, const float *const *rows, size_t n, int dims,
                    const size_t *first, int folds, mp_odd_crew *crew, double *own, mp_why *why)
{
    size_t d = (size_t)dims, k = (size_t)folds;
    mp_shape *s = mp_xcalloc(1, sizeof *s);
    fitting f = {
        .rows = rows, .n = n, .dims = d, .first = first, .folds = folds, .shape = s, .own = own};
    mp_err err = MP_OK;
    *out = NULL;
    s->dims = dims;
    s->dot = mp_dot_for(mp_simd_isa());
    s->centre = mp_try_array(d, sizeof *s->centre);
    s->inverse_spread = mp_try_array(d, sizeof *s->inverse_spread);
    s->q = mp_try_array(d * d, sizeof *s->q);
    s->b = mp_try_array(d, sizeof *s->b);
    f.y = mp_try_array(n * d, sizeof *f.y);
    f.a = mp_try_array(k * d, d * sizeof *f.a);
    f.m = mp_try_array(k * d, sizeof *f.m);
    if (s->centre && s->inverse_spread && s->q && s->b && f.y && f.a && f.m)
        err = fit(&f, crew, why);
    else
        err = mp_fail(why, MP_NOMEM, "no memory for the shape of %zu vectors", n);
    free(f.m);
    free(f.a);
    free(f.scatter);
    free(f.columns);
    free(f.y);
    if (err)
        mp_shape_free(s);
    else
        *out = s;
    return err;
}

double mp_shape_distance(const mp_shape *s, const float *x, float *scratch)
{
    float *y = scratch, *t = scratch + s->dims;
    size_t dims = (size_t)s->dims;
    to_common(s, x, y);
    for (size_t i = 0; i < dims; i++)
        t[i] = s->dot(s->q + i * dims, y, dims) - 2 * s->b[i];
    double sum = s->c;
    for (size_t i = 0; i < dims; i++)
        sum += (double)t[i] * y[i];
    return fmax(sum, 0);
}

void mp_shape_free(mp_shape *s)
{
    if (!s)
        return;
    free(s->b);
    free(s->q);
    free(s->inverse_spread);
    free(s->centre);
    free(s);
}
