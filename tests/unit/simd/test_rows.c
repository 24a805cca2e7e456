/* Normalisation, softmax and GELU of every instruction set against the scalar one. */
#include "../test.h"
#include "base/os.h"
#include "simd/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { M = 3 };

static float *noise(size_t n, uint64_t seed, float scale)
{
    mp_rng rng = {seed};
    float *v = mp_xcalloc(n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)mp_rng_gauss(&rng) * scale;
    return v;
}

typedef enum what { NORM, SOFTMAX, GELU, QUICK_GELU } what;

static void apply(const mp_rows_kernels *k, what w, float *x, size_t n, size_t stride,
                  const float *gamma, const float *beta)
{
    if (w == NORM)
        k->norm(x, M, n, stride, gamma, beta, 1e-5f, x, stride);
    else if (w == SOFTMAX)
        k->softmax(x, M, n, stride, 0.3f);
    else if (w == GELU)
        k->gelu(x, M, n, stride);
    else
        k->quick_gelu(x, M, n, stride);
}

static void check(mp_isa isa, what w, size_t n, float scale)
{
    size_t stride = n + 5, all = M * stride;
    float *in = noise(all, 1, scale), *x = mp_xcalloc(all, sizeof *x),
          *y = mp_xcalloc(all, sizeof *y);
    float *gamma = noise(n, 2, 1), *beta = noise(n, 3, 1);
    memcpy(x, in, all * sizeof *x);
    memcpy(y, in, all * sizeof *y);
    apply(&mp_rows_scalar, w, x, n, stride, gamma, beta);
    apply(mp_rows_for(isa), w, y, n, stride, gamma, beta);
    for (size_t r = 0; r < M; r++) {
        float most = 1e-30f;
        for (size_t i = 0; i < n; i++)
            most = fmaxf(most, fmaxf(fabsf(x[r * stride + i]),
                                     w < GELU ? 0 : 0.1f * fabsf(in[r * stride + i])));
        for (size_t i = 0; i < stride; i++) {
            float a = x[r * stride + i], b = y[r * stride + i];
            if (i >= n ? a != b : !(fabsf(a - b) <= 2e-6f * most))
                fail_msg("%s, %d of %zu by %g at %zu: %g, not %g", mp_rows_for(isa)->word, (int)w,
                         n, (double)scale, i, (double)b, (double)a);
        }
    }
    free(in);
    free(x);
    free(y);
    free(gamma);
    free(beta);
}

static void all_sets_agree(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 7, 8, 9, 15, 16, 17, 50, 77, 384, 771};
    static const float scales[] = {0.01f, 1, 8, 60};
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (int w = NORM; w <= QUICK_GELU; w++)
            for (size_t n = 0; n < MP_COUNT(widths); n++)
                for (size_t s = 0; s < MP_COUNT(scales); s++)
                    check((mp_isa)isa, (what)w, widths[n], scales[s]);
}

/* What exp cannot hold must neither be infinite nor not a number. */
static void large_values_stay_finite(void **state)
{
    (void)state;
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (int w = SOFTMAX; w <= QUICK_GELU; w++) {
            float x[M * 20];
            for (size_t i = 0; i < MP_COUNT(x); i++)
                x[i] = (i % 2 ? 1e4f : -1e4f) * (float)(i + 1);
            apply(mp_rows_for((mp_isa)isa), (what)w, x, 20, 20, NULL, NULL);
            for (size_t i = 0; i < MP_COUNT(x); i++)
                assert_true(isfinite(x[i]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_sets_agree),
                                       cmocka_unit_test(large_values_stay_finite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
