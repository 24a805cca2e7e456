/* linear.c - see linear.h. */
#include "model/linear.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

static void *aligned(size_t bytes)
{
    return aligned_alloc(ALIGN, (bytes + ALIGN - 1) / ALIGN * ALIGN);
}

bool mp_linear_make(mp_linear *l, size_t n, size_t k, mp_precision precision)
{
    size_t width = mp_dense8_width(n);
    *l = (mp_linear){.n = n, .k = k, .bias = calloc(width, sizeof *l->bias)};
    if (precision == MP_F32) {
        l->packed = aligned(mp_dense_packed(n, k) * sizeof *l->packed);
        return l->bias && l->packed;
    }
    l->codes = aligned(mp_dense8_packed(n, k));
    l->scale = aligned(width * sizeof *l->scale);
    l->sum = aligned(width * sizeof *l->sum);
    return l->bias && l->codes && l->scale && l->sum;
}

void mp_linear_free(mp_linear *l)
{
    free(l->packed);
    free(l->codes);
    free(l->scale);
    free(l->bias);
    free(l->sum);
    *l = (mp_linear){0};
}

void mp_linear_fill(mp_linear *l, size_t at, size_t n, const float *w, const float *b)
{
    if (l->packed)
        mp_dense_pack(w, n, l->k, l->k, l->packed + at * l->k);
    else
        mp_dense8_pack(w, n, l->k, l->codes + at * mp_dense8_depth(l->k), l->scale + at,
                       l->sum + at);
    if (b)
        memcpy(l->bias + at, b, n * sizeof *b);
}

static float code_value(const mp_linear *l, size_t o, size_t i)
{
    size_t panel = o / MP_PANEL * MP_PANEL * mp_dense8_depth(l->k);
    size_t group = i / MP_DENSE8_GROUP * MP_PANEL + o % MP_PANEL;
    return (float)l->codes[panel + group * MP_DENSE8_GROUP + i % MP_DENSE8_GROUP] * l->scale[o];
}

void mp_linear_correct(mp_linear *l, const float *w, const float *expected)
{
    for (size_t o = 0; l->codes && o < l->n; o++) {
        double shift = 0;
        for (size_t i = 0; i < l->k; i++)
            shift += (double)(w[o * l->k + i] - code_value(l, o, i)) * (double)expected[i];
        l->bias[o] += (float)shift;
    }
}

void mp_linear_enter(const mp_linear *l, const mp_rows_in *in, size_t from, size_t to)
{
    if (l->codes && from < to)
        mp_dense8_for(mp_simd_isa())
            ->quantise(in->x + from * in->stride, to - from, l->k, in->stride,
                       in->code + from * in->code_stride, in->code_stride, in->meant + from);
}

void mp_linear_multiply(const mp_linear *l, size_t from, size_t to, const mp_rows_in *in,
                        size_t rows, bool add, float *y, size_t y_stride)
{
    mp_dense_out out = {y, y_stride, l->bias, add, l->relu6};
    if (l->codes) {
        mp_matrix8 w = {l->codes, l->scale, l->sum, l->n, l->k};
        mp_dense8_for(mp_simd_isa())
            ->multiply(in->code, rows, in->code_stride, in->meant, &w, from, to, &out);
    } else {
        mp_matrix w = {l->packed, l->n, l->k};
        mp_dense_for(mp_simd_isa())->multiply(in->x, rows, in->stride, &w, from, to, &out);
    }
}

/* ---- by a team ---- */

typedef struct product {
    const mp_linear *l;
    const mp_rows_in *in;
    size_t first, rows, y_stride;
    bool add;
    float *y;
} product;

static void multiply_part(void *context, int member, size_t from, size_t to)
{
    const product *p = context;
    (void)member;
    mp_linear_multiply(p->l, p->first + from, p->first + to, p->in, p->rows, p->add, p->y,
                       p->y_stride);
}

static void enter_part(void *context, int member, size_t from, size_t to)
{
    const product *p = context;
    (void)member;
    mp_linear_enter(p->l, p->in, from, to);
}

void mp_linear_multiply_by(const mp_linear *l, mp_team *team, size_t from, size_t to,
                           const mp_rows_in *in, size_t rows, bool add, float *y, size_t y_stride)
{
    product p = {l, in, from, rows, y_stride, add, y};
    mp_team_do(team, to - from, MP_PANEL, multiply_part, &p);
}

void mp_linear_multiply_all(const mp_linear *l, mp_team *team, const mp_rows_in *in, size_t rows,
                            bool add, float *y, size_t y_stride)
{
    mp_linear_multiply_by(l, team, 0, l->n, in, rows, add, y, y_stride);
}

mp_err mp_linear_apply(const mp_linear *l, mp_team *team, const float *x, size_t rows,
                       size_t x_stride, float *y, size_t y_stride, mp_why *why)
{
    mp_rows_in in = {x, x_stride, NULL, mp_linear_code_stride(l->k), NULL};
    product p = {.l = l, .in = &in};
    if (l->codes) {
        in.code = mp_try_array(rows, in.code_stride);
        in.meant = mp_try_array(rows, sizeof *in.meant);
    }
    bool fine = !l->codes || (in.code && in.meant);
    if (fine && l->codes)
        mp_team_do(team, rows, 1, enter_part, &p);
    if (fine)
        mp_linear_multiply_all(l, team, &in, rows, false, y, y_stride);
    free(in.code);
    free(in.meant);
    return fine ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to run the model");
}
