/* Packed products of every instruction set against plain sums, over odd shapes. */
#include "../test.h"
#include "base/os.h"
#include "simd/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 40 };

static float *noise(size_t n, uint64_t seed)
{
    mp_rng rng = {seed};
    float *v = mp_xcalloc(n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)mp_rng_gauss(&rng);
    return v;
}

static void check(mp_isa isa, size_t m, size_t n, size_t k, bool with_bias)
{
    size_t stride = n + 3, x_stride = k + 5, from = n > MP_PANEL ? MP_PANEL : 0;
    bool add = (m + k) % 3 == 0, relu6 = (m + n) % 4 == 0;
    float *x = noise(m * x_stride, 1), *w = noise(n * k, 2), *bias = noise(n, 3);
    float *y = mp_xcalloc(m * stride, sizeof *y);
    float *packed = aligned_alloc(64, (mp_dense_packed(n, k) * sizeof *packed + 63) / 64 * 64);
    assert_non_null(packed);
    mp_dense_pack(w, n, k, k, packed);
    mp_matrix matrix = {packed, n, k};
    for (size_t i = 0; i < m * stride; i++)
        y[i] = 77;
    mp_dense_out out = {y, stride, with_bias ? bias : NULL, add, relu6};
    mp_dense_for(isa)->multiply(x, m, x_stride, &matrix, from, n, &out);
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < stride; c++) {
            double sum = (c < n && with_bias ? (double)bias[c] : 0) + (add ? 77 : 0);
            double all = fabs(sum);
            for (size_t i = 0; c < n && i < k; i++) {
                sum += (double)x[r * x_stride + i] * (double)w[c * k + i];
                all += fabs((double)x[r * x_stride + i] * (double)w[c * k + i]);
            }
            sum = relu6 ? fmin(fmax(sum, 0), 6) : sum;
            if (c >= n || c < from)
                assert_true(y[r * stride + c] == 77); /* not written beyond */
            else if (fabs(sum - (double)y[r * stride + c]) > 1e-6 * (double)(k + 1) * all)
                fail_msg("%zu x %zu x %zu at %zu, %zu: %g, not %g", m, n, k, r, c,
                         (double)y[r * stride + c], sum);
        }
    free(packed);
    free(y);
    free(bias);
    free(w);
    free(x);
}

static void packing_across_is_packing_the_transpose(void **state)
{
    (void)state;
    enum { N = 45, K = 7 };
    float *w = noise(N * K, 4), *across = noise(N * K, 5);
    float *a = mp_xcalloc(mp_dense_packed(N, K), sizeof *a),
          *b = mp_xcalloc(mp_dense_packed(N, K), sizeof *b);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < K; k++)
            across[k * N + i] = w[i * K + k];
    mp_dense_pack(w, N, K, K, a);
    mp_dense_pack_across(across, N, K, N, b);
    assert_memory_equal(a, b, mp_dense_packed(N, K) * sizeof *a);
    free(a);
    free(b);
    free(w);
    free(across);
}

static void products_are_right(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 15, 16, 17, 31, 32, 33, 64, 100}, depths[] = {1, 7, 64, 385};
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (size_t m = 1; m <= MOST; m += m < 14 ? 1 : 13)
            for (size_t n = 0; n < MP_COUNT(widths); n++)
                for (size_t k = 0; k < MP_COUNT(depths); k++)
                    check((mp_isa)isa, m, widths[n], depths[k], (m + n + k) % 2);
}

static void packing_is_alike_in_every_set(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 7, 8, 31, 32, 33, 50, 72}, depths[] = {1, 3, 4, 8, 13, 64};
    for (size_t i = 0; i < MP_COUNT(widths) * MP_COUNT(depths); i++) {
        size_t n = widths[i / MP_COUNT(depths)], k = depths[i % MP_COUNT(depths)], stride = k + 3;
        size_t all = mp_dense_packed(n, k), bytes = (all * sizeof(float) + 63) / 64 * 64;
        float *w = noise((n - 1) * stride + k, 6); /* nothing may be read behind the last row */
        float *expected = aligned_alloc(64, bytes), *packed = aligned_alloc(64, bytes);
        assert_true(expected && packed);
        mp_dense_scalar.pack(w, n, k, stride, expected);
        for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
            memset(packed, 77, bytes);
            mp_dense_for((mp_isa)isa)->pack(w, n, k, stride, packed);
            assert_memory_equal(packed, expected, all * sizeof(float));
        }
        free(packed);
        free(expected);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_right),
                                       cmocka_unit_test(packing_is_alike_in_every_set),
                                       cmocka_unit_test(packing_across_is_packing_the_transpose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
