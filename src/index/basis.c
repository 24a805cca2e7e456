/* basis.c - orthogonal iteration on a sample of the rows (Golub & Van Loan, ch. 8), then a small
 * eigenproblem that puts the directions in order. See basis.h. */
#include "index/basis.h"

#include "base/linalg.h"
#include "base/os.h"
#include "simd/dense.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 2048, LEAST_ROWS = 4096, STEP = 32, LEAST_DIMS = 64, ROUNDS = 3 };

typedef struct tools {
    mp_dot_fn dot;
    const mp_dense_kernels *dense;
} tools;

static tools best_tools(void)
{
    return (tools){mp_dot_for(mp_simd_isa()), mp_dense_for(mp_simd_isa())};
}

/* Takes out of v what it shares with the n rows of `with`. */
static void subtract(mp_dot_fn dot, float *v, const float *with, size_t n, size_t dims)
{
    for (size_t j = 0; j < n; j++) {
        const float *w = with + j * dims;
        float share = dot(v, w, dims);
        for (size_t d = 0; d < dims; d++)
            v[d] -= share * w[d];
    }
}

/* Makes the n rows of v (n x dims) orthonormal; a row that depends on others becomes 0. */
static void orthonormalise(mp_dot_fn dot, float *v, size_t n, size_t dims)
{
    static const float dependent = 1e-6f;
    for (size_t i = 0; i < n; i++) {
        float *mine = v + i * dims, before = dot(mine, mine, dims);
        subtract(dot, mine, v, i, dims);
        subtract(dot, mine, v, i, dims); /* the second time for what rounding left */
        float left = dot(mine, mine, dims);
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
static void project(const tools *t, const sample *s, const float *direction)
{
    mp_dense_pack(direction, s->n, s->dims, s->dims, s->across);
    mp_matrix w = {s->across, s->n, s->dims};
    t->dense->multiply(s->x, s->m, s->dims, &w, 0, s->n,
                       &(mp_dense_out){.y = s->image, .y_stride = s->n});
}

static void turn(const sample *s)
{
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < s->n; j++)
            s->turned[j * s->m + i] = s->image[i * s->n + j];
}

/* direction = the sample's second moments times direction, orthonormal again. */
static void iterate(const tools *t, const sample *s, float *direction)
{
    project(t, s, direction);
    turn(s);
    mp_matrix back = {s->packed, s->dims, s->m};
    t->dense->multiply(s->turned, s->n, s->m, &back, 0, s->dims,
                       &(mp_dense_out){.y = direction, .y_stride = s->dims});
    orthonormalise(t->dot, direction, s->n, s->dims);
}

/* Within the span: the directions by falling share. */
static mp_err put_in_order(const tools *t, const sample *s, float *direction, mp_why *why)
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
        project(t, s, direction);
        turn(s);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                moments[i * n + j] = t->dot(s->turned + i * s->m, s->turned + j * s->m, s->m);
        err = mp_eigen_symmetric(moments, (int)n, values, vectors, why);
    }
    if (!err) {
        memcpy(from, direction, n * s->dims * sizeof *from);
        memset(direction, 0, n * s->dims * sizeof *from);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t d = 0; d < s->dims; d++)
                    direction[i * s->dims + d] += (float)vectors[i * n + j] * from[j * s->dims + d];
        orthonormalise(t->dot, direction, n, s->dims);
    }
    free(moments);
    free(vectors);
    free(values);
    free(from);
    return err;
}

static void take_sample(const float *const *row, size_t n, sample *s)
{
    for (size_t i = 0; i < s->m; i++)
        memcpy(s->x + i * s->dims, row[i * n / s->m], s->dims * sizeof *s->x);
    mp_dense_pack_across(s->x, s->dims, s->m, s->dims, s->packed);
}

mp_err mp_basis_find(const float *const *row, size_t rows, size_t dims, size_t most, mp_basis *out,
                     mp_why *why)
{
    *out = (mp_basis){0};
    if (rows < LEAST_ROWS || dims < LEAST_DIMS)
        return MP_OK;
    size_t n = MP_MIN(most, dims / 2 / STEP * STEP), m = SAMPLE;
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
        tools t = best_tools();
        mp_rng rng = {17};
        take_sample(row, rows, &s);
        for (size_t i = 0; i < n * dims; i++)
            direction[i] = (float)mp_rng_gauss(&rng);
        for (int round = 0; round < ROUNDS; round++)
            iterate(&t, &s, direction);
        err = put_in_order(&t, &s, direction, why);
    }
    free(s.x);
    free(s.packed);
    free(s.across);
    free(s.image);
    free(s.turned);
    if (err)
        free(direction);
    else
        *out = (mp_basis){direction, n};
    return err;
}

float *mp_basis_spread(const mp_basis *b, size_t n, size_t dims)
{
    mp_rng rng = {19};
    float *mix = mp_try_array(n * n, sizeof *mix), *to = mp_try_array(n * dims, sizeof *to);
    if (mix && to) {
        for (size_t i = 0; i < n * n; i++)
            mix[i] = (float)mp_rng_gauss(&rng);
        orthonormalise(mp_dot_for(mp_simd_isa()), mix, n, n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t d = 0; d < dims; d++)
                    to[i * dims + d] += mix[i * n + j] * b->direction[j * dims + d];
    } else {
        free(to);
        to = NULL;
    }
    free(mix);
    return to;
}
