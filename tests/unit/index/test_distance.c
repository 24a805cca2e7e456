/* Vector kernels against the scalar reference, over odd lengths and unaligned inputs. */
#include "../test.h"
#include "base/os.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>

static void kernels_agree(void **state)
{
    (void)state;
    mp_rng rng = {3};
    float a[1100], b[1100];
    for (size_t i = 0; i < MP_COUNT(a); i++) {
        a[i] = (float)mp_rng_gauss(&rng);
        b[i] = (float)mp_rng_gauss(&rng);
    }
    mp_dot_fn scalar = mp_dot_for(MP_ISA_SCALAR);
    for (int isa = MP_ISA_NEON; isa <= (int)mp_simd_isa(); isa++)
        for (size_t n = 0; n <= 1030; n = n < 130 ? n + 1 : n + 97)
            for (size_t shift = 0; shift < 4; shift++) {
                double sum = 0;
                for (size_t i = 0; i < n; i++)
                    sum += fabs((double)a[i + shift] * (double)b[i]);
                float have = mp_dot_for((mp_isa)isa)(a + shift, b, n);
                float want = scalar(a + shift, b, n);
                assert_true(fabs((double)have - (double)want) <= 4e-7 * (double)(n + 1) * sum);
            }
}

static void normalise_refuses_what_has_no_direction(void **state)
{
    (void)state;
    float zero[3] = {0}, bad[3] = {1, NAN, 0}, fine[3] = {3, 0, 4};
    assert_false(mp_normalise(zero, 3));
    assert_false(mp_normalise(bad, 3));
    assert_true(mp_normalise(fine, 3));
    assert_true(fabsf(fine[0] - 0.6f) < 1e-6f && fabsf(fine[2] - 0.8f) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(normalise_refuses_what_has_no_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
