/* basis.h - the directions along which the rows of a table have most of their length.
 *
 * How good they are decides on speed alone: what they miss of a row is known by its length. */
#ifndef MP_BASIS_H
#define MP_BASIS_H

#include "base/base.h"

typedef struct mp_basis {
    float *direction; /* n x dims, orthonormal, by falling share of a sample's length */
    size_t n;         /* 0: too few rows or dimensions for it to pay */
} mp_basis;

/* Of rows of `dims` floats: at most `most` directions and half of the dimensions, a multiple of 32.
 * NOMEM. The caller frees `direction`. */
MP_CHECK mp_err mp_basis_find(const float *const *row, size_t rows, size_t dims, size_t most,
                              mp_basis *out, mp_why *why);
/* The first n directions turned so that they share their span's length about evenly, as codes with
 * one scale for all coordinates like it: n x dims, the caller's by free. NULL: no memory. */
float *mp_basis_spread(const mp_basis *b, size_t n, size_t dims);

#endif
