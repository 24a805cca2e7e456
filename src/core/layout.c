/* layout.c - checks, the PCA layout, and the last step that all layouts share.
 *
 * The leading directions of the centred data come from subspace iteration with Rayleigh-Ritz
 * (Golub & Van Loan, 8.2.4): the data is only ever multiplied with a thin block, no vdims x vdims
 * matrix is made. The block is wider than wanted, so that close eigenvalues behind the wanted ones
 * do not slow it down. */
#include "core/layout_parts.h"

#include "base/linalg.h"
#include "base/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 12, MAX_ROUNDS = 60 };
static const double SETTLED = 1e-7; /* relative change of the wanted eigenvalues in a round */

mp_err mp_layout_check(const mp_layout_options *opt, size_t n, int vdims, mp_why *why)
{
    if (opt->dims != 2 && opt->dims != 3)
        return mp_fail(why, MP_INVALID, "a layout has 2 or 3 dimensions, not %d", opt->dims);
    if (vdims < 1 || n > UINT32_MAX - 1)
        return mp_fail(why, MP_INVALID, "%zu vectors of %d dimensions cannot be laid out", n,
                       vdims);
    if (!(opt->min_distance >= 0) || !(opt->spread >= 0) || opt->epochs < 0 ||
        (opt->spread > 0 && opt->min_distance > 3 * opt->spread))
        return mp_fail(why, MP_INVALID,
                       "the minimum distance lies between 0 and 3 times the "
                       "spread, and epochs are not negative");
    return MP_OK;
}

bool mp_layout_stopped(const mp_layout_options *opt, size_t done, size_t total)
{
    return opt->stop && opt->stop(opt->stop_context, done, total);
}

void mp_layout_finish(float *points, size_t n, int dims)
{
    double mean[3] = {0}, reach = 0;
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < dims; d++)
            mean[d] += points[i * (size_t)dims + (size_t)d];
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < dims; d++) {
            float *at = &points[i * (size_t)dims + (size_t)d];
            *at = (float)(*at - mean[d] / (double)n);
            reach = fmax(reach, fabs((double)*at));
        }
    for (size_t i = 0; reach > 0 && i < n * (size_t)dims; i++)
        points[i] = (float)(points[i] / reach);
}

/* ---- the block: vdims rows of BLOCK columns ---- */

/* row . Q, with the mean taken off the row. */
static void project(const float *row, const double *mean, int vdims, const double *q, double *out)
{
    double sum[BLOCK] = {0};
    for (int j = 0; j < vdims; j++) {
        double x = row[j] - mean[j];
        for (int c = 0; c < BLOCK; c++)
            sum[c] += x * q[(size_t)j * BLOCK + (size_t)c];
    }
    memcpy(out, sum, sizeof sum);
}

static double column_dot(const double *q, int vdims, int a, int b)
{
    double sum = 0;
    for (int j = 0; j < vdims; j++)
        sum += q[(size_t)j * BLOCK + (size_t)a] * q[(size_t)j * BLOCK + (size_t)b];
    return sum;
}

/* Modified Gram-Schmidt, each column twice; one that lies in the span of those before becomes
 * zero. */
static void orthonormalise(double *q, int vdims)
{
    for (int c = 0; c < BLOCK; c++) {
        double before = sqrt(column_dot(q, vdims, c, c));
        for (int pass = 0; pass < 2; pass++)
            for (int b = 0; b < c; b++) {
                double dot = column_dot(q, vdims, c, b);
                for (int j = 0; j < vdims; j++)
                    q[(size_t)j * BLOCK + (size_t)c] -= dot * q[(size_t)j * BLOCK + (size_t)b];
            }
        double norm = sqrt(column_dot(q, vdims, c, c));
        double scale = norm > 1e-10 * before && norm > 0 ? 1 / norm : 0;
        for (int j = 0; j < vdims; j++)
            q[(size_t)j * BLOCK + (size_t)c] *= scale;
    }
}

/* One pass over the data: next = X'X Q, and small = Q'X'X Q (the Rayleigh quotient). */
static void multiply(const float *vectors, const double *mean, size_t n, int vdims, const double *q,
                     double *next, double small[BLOCK * BLOCK])
{
    double p[BLOCK];
    memset(next, 0, (size_t)vdims * BLOCK * sizeof *next);
    memset(small, 0, BLOCK * BLOCK * sizeof *small);
    for (size_t i = 0; i < n; i++) {
        const float *row = vectors + i * (size_t)vdims;
        project(row, mean, vdims, q, p);
        for (int j = 0; j < vdims; j++) {
            double x = row[j] - mean[j];
            for (int c = 0; c < BLOCK; c++)
                next[(size_t)j * BLOCK + (size_t)c] += x * p[c];
        }
        for (int a = 0; a < BLOCK; a++)
            for (int b = 0; b < BLOCK; b++)
                small[a * BLOCK + b] += p[a] * p[b];
    }
}

/* Columns of q become their combinations by the rows of `mix`. */
static void rotate(double *q, int vdims, const double mix[BLOCK * BLOCK])
{
    for (int j = 0; j < vdims; j++) {
        double old[BLOCK], *row = q + (size_t)j * BLOCK;
        memcpy(old, row, sizeof old);
        for (int c = 0; c < BLOCK; c++) {
            row[c] = 0;
            for (int b = 0; b < BLOCK; b++)
                row[c] += mix[c * BLOCK + b] * old[b];
        }
    }
}

static bool settled(const double *values, const double *before, int wanted)
{
    for (int c = 0; c < wanted; c++)
        if (fabs(values[c] - before[c]) > SETTLED * fabs(values[0]))
            return false;
    return true;
}

/* The leading directions, by falling variance, in the first columns of q. `next` is scratch. */
static mp_err directions(const float *vectors, const double *mean, size_t n, int vdims,
                         const mp_layout_options *opt, double *q, double *next, mp_why *why)
{
    mp_rng rng = {0x9e3779b97f4a7c15u};
    double small[BLOCK * BLOCK], values[BLOCK], before[BLOCK] = {0}, mix[BLOCK * BLOCK];
    for (size_t i = 0; i < (size_t)vdims * BLOCK; i++)
        q[i] = mp_rng_gauss(&rng);
    for (int round = 0; round < MAX_ROUNDS; round++) {
        if (mp_layout_stopped(opt, (size_t)round, MAX_ROUNDS))
            return mp_fail(why, MP_CANCELLED, "the layout was stopped");
        orthonormalise(q, vdims);
        multiply(vectors, mean, n, vdims, q, next, small);
        mp_err err = mp_eigen_symmetric(small, BLOCK, values, mix, why);
        if (err)
            return err;
        if (settled(values, before, opt->dims)) {
            rotate(q, vdims, mix);
            return MP_OK;
        }
        memcpy(before, values, sizeof before);
        memcpy(q, next, (size_t)vdims * BLOCK * sizeof *q);
        rotate(q, vdims, mix); /* strongest first, so that Gram-Schmidt favours it */
    }
    orthonormalise(q, vdims);
    return MP_OK;
}

static void fix_signs(double *q, int vdims, int dims)
{
    for (int c = 0; c < dims; c++) {
        double largest = 0;
        for (int j = 0; j < vdims; j++) {
            double v = q[(size_t)j * BLOCK + (size_t)c];
            if (fabs(v) > fabs(largest))
                largest = v;
        }
        for (int j = 0; largest < 0 && j < vdims; j++)
            q[(size_t)j * BLOCK + (size_t)c] *= -1;
    }
}

mp_err mp_layout_pca(const float *vectors, size_t n, int vdims, const mp_layout_options *opt,
                     float *out, mp_why *why)
{
    mp_err err = mp_layout_check(opt, n, vdims, why);
    if (err || n == 0)
        return err;
    double *mean = mp_try_array((size_t)vdims, sizeof *mean);
    double *q = mp_try_array((size_t)vdims * BLOCK, sizeof *q);
    double *next = mp_try_array((size_t)vdims * BLOCK, sizeof *next);
    if (!mean || !q || !next) {
        err = mp_fail(why, MP_NOMEM, "no memory for a layout of %d dimensions", vdims);
        goto done;
    }
    memset(mean, 0, (size_t)vdims * sizeof *mean);
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < vdims; j++)
            mean[j] += vectors[i * (size_t)vdims + (size_t)j];
    for (int j = 0; j < vdims; j++)
        mean[j] /= (double)n;
    err = directions(vectors, mean, n, vdims, opt, q, next, why);
    if (err)
        goto done;
    fix_signs(q, vdims, opt->dims);
    for (size_t i = 0; i < n; i++) {
        double p[BLOCK];
        project(vectors + i * (size_t)vdims, mean, vdims, q, p);
        for (int c = 0; c < opt->dims; c++)
            out[i * (size_t)opt->dims + (size_t)c] = (float)p[c];
    }
    mp_layout_finish(out, n, opt->dims);
done:
    free(next);
    free(q);
    free(mean);
    return err;
}
