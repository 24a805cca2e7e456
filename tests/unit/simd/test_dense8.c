/* Products of 8-bit codes: every set against sums of the codes themselves, and what a code may be
 * off. */
#include "../test.h"
#include "base/os.h"
#include "simd/dense8.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 40 };

typedef struct problem {
    size_t m, n, k, x_stride, q_stride, y_stride, from;
    bool add, with_bias, relu6;
    float *x, *w, *bias, *y, *scale;
    int32_t *sum;
    int8_t *packed;
    uint8_t *q;
    mp_row8 *rows;
} problem;

static float *noise(size_t n, uint64_t seed)
{
    mp_rng rng = {seed};
    float *v = mp_xcalloc(n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)mp_rng_gauss(&rng);
    return v;
}

static problem make(size_t m, size_t n, size_t k)
{
    problem p = {.m = m,
                 .n = n,
                 .k = k,
                 .x_stride = k + 3,
                 .q_stride = mp_dense8_depth(k) + 4,
                 .y_stride = n + 3,
                 .from = n > MP_PANEL ? MP_PANEL : 0,
                 .add = (m + k) % 3 == 0,
                 .with_bias = (m + n + k) % 2,
                 .relu6 = (m + n) % 4 == 0};
    p.x = noise(m * p.x_stride, 1);
    p.w = noise(n * k, 2);
    p.bias = noise(n, 3);
    p.y = mp_xcalloc(m * p.y_stride, sizeof *p.y);
    p.scale = mp_xcalloc(mp_dense8_width(n), sizeof *p.scale);
    p.sum = mp_xcalloc(mp_dense8_width(n), sizeof *p.sum);
    p.packed = aligned_alloc(64, (mp_dense8_packed(n, k) + 63) / 64 * 64);
    p.q = mp_xcalloc(m, p.q_stride);
    p.rows = mp_xcalloc(m, sizeof *p.rows);
    assert_non_null(p.packed);
    mp_dense8_pack(p.w, n, k, p.packed, p.scale, p.sum);
    for (size_t i = 0; i < m * p.y_stride; i++)
        p.y[i] = 77;
    return p;
}

static void drop(problem *p)
{
    free(p->x);
    free(p->w);
    free(p->bias);
    free(p->y);
    free(p->scale);
    free(p->sum);
    free(p->packed);
    free(p->q);
    free(p->rows);
}

static int code_of(const problem *p, size_t output, size_t i)
{
    size_t panel = output / MP_PANEL * MP_PANEL * mp_dense8_depth(p->k);
    return p->packed[panel + (i / 4 * MP_PANEL + output % MP_PANEL) * 4 + i % 4];
}

/* Codes stand for their floats within half a step (a whole one where the zero was rounded). */
static void check_codes(const problem *p)
{
    for (size_t o = 0; o < p->n; o++)
        for (size_t i = 0; i < p->k; i++) {
            float v = (float)code_of(p, o, i) * p->scale[o];
            assert_true(fabsf(v - p->w[o * p->k + i]) <= 0.5001f * p->scale[o]);
        }
    for (size_t r = 0; r < p->m; r++)
        for (size_t i = 0; i < p->k; i++) {
            float v = (float)(p->q[r * p->q_stride + i] - p->rows[r].zero) * p->rows[r].scale;
            assert_true(fabsf(v - p->x[r * p->x_stride + i]) <= 1.01f * p->rows[r].scale);
        }
    for (size_t r = 0; r < p->m; r++)
        for (size_t i = p->k; i < mp_dense8_depth(p->k); i++)
            assert_int_equal(p->q[r * p->q_stride + i], 0);
}

static double expected(const problem *p, size_t r, size_t o)
{
    long sum = 0;
    for (size_t i = 0; i < p->k; i++)
        sum += (p->q[r * p->q_stride + i] - p->rows[r].zero) * code_of(p, o, i);
    double y = (double)sum * (double)p->scale[o] * (double)p->rows[r].scale +
               (p->with_bias ? (double)p->bias[o] : 0) + (p->add ? 77 : 0);
    return p->relu6 ? fmin(fmax(y, 0), 6) : y;
}

static void check(mp_isa isa, size_t m, size_t n, size_t k)
{
    const mp_dense8_kernels *kernels = mp_dense8_for(isa);
    problem p = make(m, n, k);
    mp_matrix8 w = {p.packed, p.scale, p.sum, n, k};
    kernels->quantise(p.x, m, k, p.x_stride, p.q, p.q_stride, p.rows);
    check_codes(&p);
    mp_dense_out out = {p.y, p.y_stride, p.with_bias ? p.bias : NULL, p.add, p.relu6};
    kernels->multiply(p.q, m, p.q_stride, p.rows, &w, p.from, n, &out);
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < p.y_stride; c++) {
            double y = (double)p.y[r * p.y_stride + c];
            if (c >= n || c < p.from)
                assert_true(y == 77); /* not written beyond */
            else if (fabs(y - expected(&p, r, c)) > 1e-5 * (100 + fabs(y)))
                fail_msg("%s: %zu x %zu x %zu at %zu, %zu: %g, not %g", kernels->word, m, n, k, r,
                         c, y, expected(&p, r, c));
        }
    drop(&p);
}

static void products_are_right(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 15, 16, 17, 31, 32, 33, 64, 100}, depths[] = {1, 7, 64, 385};
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (size_t m = 1; m <= MOST; m += m < 14 ? 1 : 13)
            for (size_t n = 0; n < MP_COUNT(widths); n++)
                for (size_t k = 0; k < MP_COUNT(depths); k++)
                    check((mp_isa)isa, m, widths[n], depths[k]);
}

/* The largest codes of one sign, at the greatest depth that a model has: nothing overflows. */
static void check_largest(const mp_dense8_kernels *kernels, float x, float w)
{
    enum { N = 32, K = 4096 };
    problem p = make(1, N, K);
    mp_matrix8 matrix = {p.packed, p.scale, p.sum, N, K};
    for (size_t i = 0; i < K; i++)
        p.x[i] = x;
    for (size_t i = 0; i < N * K; i++)
        p.w[i] = w;
    mp_dense8_pack(p.w, N, K, p.packed, p.scale, p.sum);
    kernels->quantise(p.x, 1, K, p.x_stride, p.q, p.q_stride, p.rows);
    kernels->multiply(p.q, 1, p.q_stride, p.rows, &matrix, 0, N,
                      &(mp_dense_out){.y = p.y, .y_stride = p.y_stride});
    for (size_t o = 0; o < N; o++)
        assert_true(fabsf(p.y[o] - x * w * K) < 1);
    drop(&p);
}

static void the_largest_sums_fit(void **state)
{
    (void)state;
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
        const mp_dense8_kernels *kernels = mp_dense8_for((mp_isa)isa);
        check_largest(kernels, 2, -3);
        check_largest(kernels, -2, -3);
        check_largest(kernels, 2, 3);
    }
}

static void rows_of_zeros_stay_zero(void **state)
{
    (void)state;
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
        const mp_dense8_kernels *kernels = mp_dense8_for((mp_isa)isa);
        problem p = make(2, 40, 20);
        mp_matrix8 w = {p.packed, p.scale, p.sum, p.n, p.k};
        for (size_t i = 0; i < 2 * p.x_stride; i++)
            p.x[i] = 0;
        kernels->quantise(p.x, 2, p.k, p.x_stride, p.q, p.q_stride, p.rows);
        kernels->multiply(p.q, 2, p.q_stride, p.rows, &w, 0, p.n,
                          &(mp_dense_out){.y = p.y, .y_stride = p.y_stride});
        for (size_t o = 0; o < p.n; o++)
            assert_true(p.y[o] == 0 && p.y[p.y_stride + o] == 0);
        drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_right),
                                       cmocka_unit_test(the_largest_sums_fit),
                                       cmocka_unit_test(rows_of_zeros_stay_zero)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
