/* linalg.h - the little dense linear algebra that Magpie needs: symmetric eigenproblems (concept
 * and visual projections, PCA) and Cholesky (Mahalanobis). Row-major doubles. Any thread. */
#ifndef MP_LINALG_H
#define MP_LINALG_H

#include "base/base.h"

/* Eigenvalues (falling) and eigenvectors (rows of `vectors`, unit length) of the symmetric n x n
 * matrix `a`, which is overwritten. Householder tridiagonalisation and implicit QL (Golub & Van
 * Loan, ch. 8). Errors: NOMEM, INTERNAL (no convergence). */
MP_CHECK mp_err mp_eigen_symmetric(double *a, int n, double *values, double *vectors, mp_why *why);
/* Lower Cholesky factor in place; false when not positive definite. */
bool mp_cholesky(double *a, int n);
/* Solves L y = b in place (b becomes y). */
void mp_forward_solve(const double *l, int n, double *b);

#endif
