/* pairs_basis.c - the directions along which rows differ most: orthogonal iteration on a sample
 * (Golub & Van Loan, ch. 8), then a small eigenproblem that puts them in order. See pairs_parts.h.
 *
 * How good they are decides on speed alone: what they miss of a row is known by its length. */
#include "index/pairs_parts.h"

#include "base/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 2048, LEAST_ROWS = 4096, STEP = 32, LEAST_DIMS = 64, ROUNDS = 3 };

static float length2(const pairs_run *p, const float *v, size_t n)
{
    return p->distance->dot(v, v, n);
}

/* Takes out of v what it shares with the n rows of `with`. */
static void subtract(const pairs_run *p, float *v, const float *with, size_t n, size_t dims)
{
    for (size_t j = 0; j < n; j++) {
        const float *w = with + j * dims;
        float share = p->distance->dot(v, w, dims);
        for (size_t d = 0; d < dims; d++)
            v[d] -= share * w[d];
    }
}

void mp_pairs_orthonormalise(const pairs_run *p, float *v, size_t n, size_t dims)
{
    static const float dependent = 1e-6f;
    for (size_t i = 0; i < n; i++) {
        float *mine = v + i * dims, before = length2(p, mine, dims);
        subtract(p, mine, v, i, dims);
        subtract(p, mine, v, i, dims); /* the second time for what rounding left */
        float left = length2(p, mine, dims);
        float scale = left > dependent * before && left > 0 ? 1 / sqrtf(left) : 0;
        for (size_t d = 0; d < dims; d++)
            mine[d] *= scale;
    }
}

static float *aligned(size_t floats)
{
    size_t bytes = (floats * sizeof(float) + 63) / 64 * 64;
    return bytes ? aligned_alloc(64, bytes) : NULL;
}

typedef struct sample {
    float *x;      /* m x dims */
    float *packed; /* x, packed as the transposed matrix of the way back */
    float *across; /* directions, packed for the way there */
    float *image;  /* m x n */
    float *turned; /* n x m */
    size_t m, n, dims;
} sample;

/* image = x times the directions. */
static void project(const pairs_run *p, const sample *s, const float *direction)
{
    mp_dense_pack(direction, s->n, s->dims, s->dims, s->across);
    mp_matrix w = {s->across, s->n, s->dims};
    p->dense->multiply(s->x, s->m, s->dims, &w, 0, s->n,
                       &(mp_dense_out){.y = s->image, .y_stride = s->n});
}

static void turn(const sample *s)
{
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < s->n; j++)
            s->turned[j * s->m + i] = s->image[i * s->n + j];
}

/* direction = the sample's second moments times direction, orthonormal again. */
static void iterate(const pairs_run *p, const sample *s, float *direction)
{
    project(p, s, direction);
    turn(s);
    mp_matrix back = {s->packed, s->dims, s->m};
    p->dense->multiply(s->turned, s->n, s->m, &back, 0, s->dims,
                       &(mp_dense_out){.y = direction, .y_stride = s->dims});
    mp_pairs_orthonormalise(p, direction, s->n, s->dims);
}

/* Within the span: the directions by falling share. */
static mp_err put_in_order(const pairs_run *p, const sample *s, float *direction, mp_why *why)
{
    size_t n = s->n;
    double *moments = mp_try_array(n * n, sizeof *moments);
    double *vectors = mp_try_array(n * n, sizeof *vectors);
    double *values = mp_try_array(n, sizeof *values);
    float *from = mp_try_array(n * s->dims, sizeof *from);
    mp_err err = moments && vectors && values && from
                     ? MP_OK
                     : mp_fail(why, MP_NOMEM, "no memory for %zu directions", n);
    if (!err) {
        project(p, s, direction);
        turn(s);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                moments[i * n + j] =
                    p->distance->dot(s->turned + i * s->m, s->turned + j * s->m, s->m);
        err = mp_eigen_symmetric(moments, (int)n, values, vectors, why);
    }
    if (!err) {
        memcpy(from, direction, n * s->dims * sizeof *from);
        memset(direction, 0, n * s->dims * sizeof *from);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t d = 0; d < s->dims; d++)
                    direction[i * s->dims + d] += (float)vectors[i * n + j] * from[j * s->dims + d];
        mp_pairs_orthonormalise(p, direction, n, s->dims);
    }
    free(moments);
    free(vectors);
    free(values);
    free(from);
    return err;
}

static void take_sample(const pairs_run *p, sample *s)
{
    for (size_t i = 0; i < s->m; i++)
        memcpy(s->x + i * s->dims, p->row[i * p->n / s->m], s->dims * sizeof *s->x);
    mp_dense_pack_across(s->x, s->dims, s->m, s->dims, s->packed);
}

mp_err mp_pairs_find_basis(const pairs_run *p, pairs_basis *out, mp_why *why)
{
    *out = (pairs_basis){0};
    if (p->n < LEAST_ROWS || p->dims < LEAST_DIMS)
        return MP_OK;
    size_t dims = p->dims, n = MP_MIN((size_t)PAIRS_MOST_LEADING, dims / 2 / STEP * STEP),
           m = SAMPLE;
    sample s = {.x = aligned(m * dims),
                .packed = aligned(mp_dense_packed(dims, m)),
                .across = aligned(mp_dense_packed(n, dims)),
                .image = aligned(m * n),
                .turned = aligned(n * m),
                .m = m,
                .n = n,
                .dims = dims};
    float *direction = aligned(n * dims);
    bool ok = s.x && s.packed && s.across && s.image && s.turned && direction;
    mp_err err = ok ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu directions", n);
    if (!err) {
        mp_rng rng = {17};
        take_sample(p, &s);
        for (size_t i = 0; i < n * dims; i++)
            direction[i] = (float)mp_rng_gauss(&rng);
        for (int round = 0; round < ROUNDS; round++)
            iterate(p, &s, direction);
        err = put_in_order(p, &s, direction, why);
    }
    free(s.x);
    free(s.packed);
    free(s.across);
    free(s.image);
    free(s.turned);
    if (err)
        free(direction);
    else
        *out = (pairs_basis){direction, n};
    return err;
}

/* Codes have one scale for all coordinates, so these should be of a size. */
float *mp_pairs_spread_basis(const pairs_run *p, const pairs_basis *b, size_t n)
{
    mp_rng rng = {19};
    size_t dims = p->dims;
    float *mix = mp_try_array(n * n, sizeof *mix), *to = mp_try_array(n * dims, sizeof *to);
    float *packed = aligned(mp_dense_packed(n, dims));
    if (mix && to && packed) {
        for (size_t i = 0; i < n * n; i++)
            mix[i] = (float)mp_rng_gauss(&rng);
        mp_pairs_orthonormalise(p, mix, n, n);
        memset(to, 0, n * dims * sizeof *to);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t d = 0; d < dims; d++)
                    to[i * dims + d] += mix[i * n + j] * b->direction[j * dims + d];
        mp_dense_pack(to, n, dims, dims, packed);
    } else {
        free(packed);
        packed = NULL;
    }
    free(mix);
    free(to);
    return packed;
}
