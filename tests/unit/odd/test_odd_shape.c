/* Shapes against textbook formulas: the same quadratic forms by refitting and plain elimination,
 * in the direct and the dual way. */
#include "../test.h"

#include "base/os.h"
#include "core/odd_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct data {
    float *v;
    const float **row;
    size_t n;
    int dims;
} data;

/* Correlated columns of very different sizes, far from the origin. */
static data make(size_t n, int dims, uint64_t seed)
{
    mp_rng r = {seed};
    data d = {mp_xcalloc(n * (size_t)dims, sizeof(float)), mp_xcalloc(n, sizeof(float *)), n, dims};
    for (size_t i = 0; i < n; i++) {
        double shared = mp_rng_gauss(&r);
        d.row[i] = d.v + i * (size_t)dims;
        for (int j = 0; j < dims; j++)
            d.v[i * (size_t)dims + (size_t)j] =
                (float)(pow(10, j % 4 - 2) * (5 + mp_rng_gauss(&r) + shared * (j % 3)));
    }
    return d;
}

static void drop(data *d)
{
    free(d->v);
    free(d->row);
}

/* x' C^-1 x by Gaussian elimination without tricks; C is destroyed. */
static double quadratic(double *c, double *x, int n)
{
    double sum = 0;
    double *y = mp_xcalloc((size_t)n, sizeof *y);
    memcpy(y, x, (size_t)n * sizeof *y);
    for (int i = 0; i < n; i++)
        for (int r = i + 1; r < n; r++) {
            double f = c[r * n + i] / c[i * n + i];
            for (int j = i; j < n; j++)
                c[r * n + j] -= f * c[i * n + j];
            y[r] -= f * y[i];
        }
    for (int i = n - 1; i >= 0; i--) {
        for (int j = i + 1; j < n; j++)
            y[i] -= c[i * n + j] * y[j];
        y[i] /= c[i * n + i];
        sum += x[i] * y[i];
    }
    free(y);
    return sum;
}

/* The definition, in doubles: standardise by the rows used, shrink, measure. */
static double reference(const data *d, size_t from, size_t to, const float *x)
{
    int p = d->dims;
    double n = (double)(d->n - (to - from)), square = 0, noise = 0, trace = 0;
    double *mean = mp_xcalloc((size_t)p, sizeof *mean), *sd = mp_xcalloc((size_t)p, sizeof *sd);
    double *c = mp_xcalloc((size_t)(p * p), sizeof *c), *z = mp_xcalloc((size_t)p, sizeof *z);
    for (size_t i = 0; i < d->n; i++)
        for (int j = 0; j < p; j++)
            mean[j] += i >= from && i < to ? 0 : d->row[i][j] / n;
    for (size_t i = 0; i < d->n; i++)
        for (int j = 0; j < p; j++)
            sd[j] += i >= from && i < to ? 0 : pow(d->row[i][j] - mean[j], 2) / n;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < d->n; i++) {
            double term = 0;
            if (i >= from && i < to)
                continue;
            for (int j = 0; j < p; j++)
                z[j] = (d->row[i][j] - mean[j]) / sqrt(sd[j]);
            for (int j = 0; j < p; j++)
                for (int k = 0; k < p; k++)
                    if (pass == 0)
                        c[j * p + k] += z[j] * z[k] / n;
                    else
                        term += pow(z[j] * z[k] - c[j * p + k], 2);
            noise += term / n / n / p;
        }
    for (int j = 0; j < p; j++)
        trace += c[j * p + j] / p;
    for (int j = 0; j < p * p; j++)
        square += pow(c[j] - (j % (p + 1) == 0 ? trace : 0), 2) / p;
    double shrink = fmin(noise, square) / square;
    for (int j = 0; j < p * p; j++)
        c[j] = (1 - shrink) * c[j] + (j % (p + 1) == 0 ? shrink * trace : 0);
    for (int j = 0; j < p; j++)
        z[j] = (x[j] - mean[j]) / sqrt(sd[j]);
    double result = quadratic(c, z, p);
    free(z);
    free(c);
    free(sd);
    free(mean);
    return result;
}

/* Both ways of inverting, with odd sizes and an uneven last fold. */
static void compare(size_t n, int dims, int folds)
{
    mp_why why;
    data d = make(n, dims, n * 31 + (uint64_t)dims), other = make(9, dims, 5);
    size_t first[8] = {0};
    double *own = mp_xcalloc(n, sizeof *own);
    float *scratch = mp_xcalloc(2 * (size_t)dims, sizeof *scratch);
    mp_odd_crew crew = {.threads = 2};
    mp_shape *shape;
    for (int f = 1; f <= folds; f++)
        first[f] = f == folds ? n : (size_t)f * (n / (size_t)folds);
    assert_ok(mp_shape_fit(&shape, d.row, n, dims, first, folds, &crew, own, &why));
    for (int f = 0; f < folds; f++)
        for (size_t i = first[f]; i < first[f + 1]; i++) {
            double want = reference(&d, first[f], first[f + 1], d.row[i]);
            if (fabs(own[i] - want) > 2e-3 * want)
                fail_msg("n %zu dims %d: own %g, want %g", n, dims, own[i], want);
        }
    for (size_t i = 0; i < other.n; i++) {
        double want = 0, got = mp_shape_distance(shape, other.row[i], scratch);
        for (int f = 0; f < folds; f++)
            want += reference(&d, first[f], first[f + 1], other.row[i]) / folds;
        if (fabs(got - want) > 2e-3 * want)
            fail_msg("n %zu dims %d: stranger %g, want %g", n, dims, got, want);
    }
    mp_shape_free(shape);
    free(scratch);
    free(own);
    drop(&other);
    drop(&d);
}

static void agrees_when_vectors_are_few(void **state)
{
    (void)state;
    compare(12, 33, 3);
    compare(23, 40, 5);
}

static void agrees_when_vectors_are_many(void **state)
{
    (void)state;
    compare(60, 17, 5);
    compare(203, 31, 7);
}

static void survives_constant_dimensions(void **state)
{
    (void)state;
    mp_why why;
    data d = make(20, 12, 3);
    size_t first[] = {0, 5, 10, 15, 20};
    double own[20];
    float scratch[24], x[12];
    mp_odd_crew crew = {.threads = 1};
    mp_shape *shape;
    for (size_t i = 0; i < d.n; i++)
        d.v[i * 12 + 4] = 7;
    assert_ok(mp_shape_fit(&shape, d.row, d.n, 12, first, 4, &crew, own, &why));
    memcpy(x, d.row[0], sizeof x);
    double before = mp_shape_distance(shape, x, scratch);
    x[4] = 8;
    assert_true(isfinite(before) && mp_shape_distance(shape, x, scratch) > before);
    mp_shape_free(shape);
    for (size_t i = 0; i < d.n * 12; i++)
        d.v[i] = 1; /* nothing varies at all */
    assert_ok(mp_shape_fit(&shape, d.row, d.n, 12, first, 4, &crew, own, &why));
    assert_true(own[0] == 0 && isfinite(mp_shape_distance(shape, x, scratch)));
    mp_shape_free(shape);
    drop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_when_vectors_are_few),
        cmocka_unit_test(agrees_when_vectors_are_many),
        cmocka_unit_test(survives_constant_dimensions),
    };
    return cmocka_run_group_tests_name("odd shape", tests, NULL, NULL);
}
