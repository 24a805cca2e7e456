/* Depthwise rows of every instruction set against the scalar one: codes within one of each other.
 */
#include "../test.h"
#include "base/os.h"
#include "simd/depthwise.h"

#include <stdlib.h>

enum { C = 48, MOST = 13, ROW = (2 * MOST + 5) * C };

static void check(mp_isa isa, int kernel, int stride, size_t n, int top)
{
    mp_rng rng = {7};
    float *in = mp_xcalloc(5 * ROW, sizeof *in), *w = mp_xcalloc(25 * C, sizeof *w);
    float bias[C];
    const float *rows[5];
    uint8_t want[MOST * C] = {0}, got[MOST * C] = {0};
    for (int i = 0; i < 5 * ROW; i++)
        in[i] = (float)mp_rng_unit(&rng) * 6;
    for (int i = 0; i < 25 * C; i++)
        w[i] = (float)mp_rng_gauss(&rng) * 0.2f;
    for (int i = 0; i < C; i++)
        bias[i] = (float)mp_rng_gauss(&rng);
    for (int i = 0; i < 5; i++)
        rows[i] = in + i * ROW;
    mp_depthwise d = {rows, kernel, stride, C, w, bias, top};
    mp_depthwise_scalar.row(&d, 16, C, n, want);
    mp_depthwise_for(isa)->row(&d, 16, C, n, got);
    int inside = 0;
    for (size_t i = 0; i < MP_COUNT(want); i++) {
        assert_true(abs(want[i] - got[i]) <= 1 && want[i] <= top);
        if (i / C >= n || i % C < 16)
            assert_int_equal(got[i], 0); /* not written beyond */
        inside += want[i] > 0 && want[i] < top;
    }
    assert_true(inside > (int)n); /* neither all clipped nor all zero */
    free(in);
    free(w);
}

static void all_sets_agree(void **state)
{
    (void)state;
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (int kernel = 3; kernel <= 5; kernel += 2)
            for (int stride = 1; stride <= 2; stride++)
                for (size_t n = 1; n <= MOST; n++)
                    check((mp_isa)isa, kernel, stride, n, n % 2 ? 255 : 127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_sets_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
