/* linalg.c - see linalg.h. Eigenvectors: Householder reduction to tridiagonal form, then implicit
 * QL with Wilkinson shifts, as in Golub & Van Loan (4th ed., 8.3) and the EISPACK pair tred2/tql2.
 */
#include "base/linalg.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reduces the symmetric matrix in z to tridiagonal form (d: diagonal, e: subdiagonal in e[1..]) and
 * leaves the accumulated transformation, transposed, in z: row j is column j of Q. Working on rows
 * keeps every inner loop contiguous. */
static void tridiagonalise(double *z, int n, double *d, double *e)
{
    double *v = d; /* the Householder vector of each step lives where d is not yet used */
    double *p = mp_xcalloc((size_t)n, sizeof *p);
    double *reflectors = mp_xcalloc((size_t)n * (size_t)n, sizeof *reflectors);
    double *beta = mp_xcalloc((size_t)n, sizeof *beta);
    for (int k = n - 1; k >= 1; k--) {
        double *row = z + (size_t)k * n, scale = 0;
        for (int i = 0; i < k; i++)
            scale += row[i] * row[i];
        double norm = sqrt(scale), alpha = row[k - 1] > 0 ? -norm : norm;
        e[k] = alpha;
        if (norm == 0)
            continue;
        memcpy(v, row, (size_t)k * sizeof *v);
        v[k - 1] -= alpha;
        double h = scale - alpha * row[k - 1]; /* |v|^2 / 2 */
        beta[k] = h;
        memcpy(reflectors + (size_t)k * n, v, (size_t)k * sizeof *v);
        /* p = A v / h; then A -= v q' + q v' with q = p - (v'p / 2h) v (lower triangle only) */
        memset(p, 0, (size_t)k * sizeof *p);
        for (int i = 0; i < k; i++) {
            const double *a = z + (size_t)i * n;
            double sum = a[i] * v[i], vi = v[i];
            for (int j = 0; j < i; j++) {
                sum += a[j] * v[j];
                p[j] += a[j] * vi;
            }
            p[i] += sum;
        }
        double vp = 0;
        for (int i = 0; i < k; i++) {
            p[i] /= h;
            vp += v[i] * p[i];
        }
        for (int i = 0; i < k; i++)
            p[i] -= vp / (2 * h) * v[i];
        for (int i = 0; i < k; i++) {
            double *a = z + (size_t)i * n, vi = v[i], pi = p[i];
            for (int j = 0; j <= i; j++)
                a[j] -= vi * p[j] + pi * v[j];
        }
    }
    for (int i = 0; i < n; i++)
        p[i] = z[(size_t)i * n + i];
    /* Q = H(n-1) ... H(1) with H(k) on the first k coordinates; built as rows of Q'. */
    memset(z, 0, (size_t)n * (size_t)n * sizeof *z);
    for (int i = 0; i < n; i++)
        z[(size_t)i * n + i] = 1;
    for (int k = 1; k < n; k++) {
        if (beta[k] == 0)
            continue;
        const double *u = reflectors + (size_t)k * n;
        for (int j = 0; j < k; j++) {
            double *row = z + (size_t)j * n, dot = 0;
            for (int i = 0; i < k; i++)
                dot += row[i] * u[i];
            dot /= beta[k];
            for (int i = 0; i < k; i++)
                row[i] -= dot * u[i];
        }
    }
    memcpy(d, p, (size_t)n * sizeof *d);
    free(beta);
    free(reflectors);
    free(p);
}

/* Givens rotation of rows i and i + 1 of z. */
static void rotate_rows(double *z, int n, int i, double c, double s)
{
    double *x = z + (size_t)i * n, *y = x + n;
    for (int k = 0; k < n; k++) {
        double f = y[k];
        y[k] = s * x[k] + c * f;
        x[k] = c * x[k] - s * f;
    }
}

static bool implicit_ql(double *d, double *e, int n, double *z)
{
    for (int i = 1; i < n; i++)
        e[i - 1] = e[i];
    e[n - 1] = 0;
    for (int l = 0; l < n; l++) {
        for (int round = 0;; round++) {
            int m = l;
            while (m < n - 1 && fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
                m++;
            if (m == l)
                break;
            if (round == 60)
                return false;
            double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
            g = d[m] - d[l] + e[l] / (g + copysign(r, g));
            double s = 1, c = 1, p = 0;
            int i = m - 1;
            for (; i >= l; i--) {
                double f = s * e[i], b = c * e[i];
                e[i + 1] = r = hypot(f, g);
                if (r == 0) {
                    d[i + 1] -= p;
                    e[m] = 0;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                rotate_rows(z, n, i, c, s);
            }
            if (r == 0 && i >= l)
                continue;
            d[l] -= p;
            e[l] = g;
            e[m] = 0;
        }
    }
    return true;
}

typedef struct ranked {
    double value;
    int at;
} ranked;

static int by_falling_value(const void *a, const void *b)
{
    double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
    return (x < y) - (x > y);
}

mp_err mp_eigen_symmetric(double *a, int n, double *values, double *vectors, mp_why *why)
{
    double *e = mp_try_array((size_t)n, sizeof *e);
    double *d = mp_try_array((size_t)n, sizeof *d);
    ranked *order = mp_try_array((size_t)n, sizeof *order);
    mp_err err = MP_OK;
    if (!e || !d || !order) {
        err = mp_fail(why, MP_NOMEM, "no memory for an eigenproblem of %d", n);
        goto done;
    }
    tridiagonalise(a, n, d, e);
    if (!implicit_ql(d, e, n, a)) {
        err = mp_fail(why, MP_INTERNAL, "eigenvalues of a %d x %d matrix do not converge", n, n);
        goto done;
    }
    for (int i = 0; i < n; i++)
        order[i] = (ranked){d[i], i};
    qsort(order, (size_t)n, sizeof *order, by_falling_value);
    for (int i = 0; i < n; i++) {
        values[i] = order[i].value;
        memcpy(vectors + (size_t)i * n, a + (size_t)order[i].at * n, (size_t)n * sizeof *vectors);
    }
done:
    free(order);
    free(d);
    free(e);
    return err;
}

bool mp_cholesky(double *a, int n)
{
    for (int i = 0; i < n; i++) {
        double *ri = a + (size_t)i * n;
        for (int j = 0; j <= i; j++) {
            const double *rj = a + (size_t)j * n;
            double sum = ri[j];
            for (int k = 0; k < j; k++)
                sum -= ri[k] * rj[k];
            if (i != j) {
                ri[j] = sum / rj[j];
                continue;
            }
            if (!(sum > 0))
                return false;
            ri[i] = sqrt(sum);
        }
        memset(ri + i + 1, 0, (size_t)(n - i - 1) * sizeof *ri);
    }
    return true;
}

void mp_forward_solve(const double *l, int n, double *b)
{
    for (int i = 0; i < n; i++) {
        const double *row = l + (size_t)i * n;
        double sum = b[i];
        for (int k = 0; k < i; k++)
            sum -= row[k] * b[k];
        b[i] = sum / row[i];
    }
}
