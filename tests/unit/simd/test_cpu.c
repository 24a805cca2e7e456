/* The choice of kernels: a set of another processor family is not taken when it is asked for, and
 * the one that is taken has kernels of its own for everything. */
#include "../test.h"
#include "simd/dense8.h"
#include "simd/depthwise.h"
#include "simd/distance.h"
#include "simd/pairs8.h"
#include "simd/pixel.h"
#include "simd/rows.h"

#include <stdlib.h>
#include <string.h>

/* Asked for before the choice, which is made once. */
static void a_foreign_set_is_ignored(void **state)
{
    (void)state;
#if defined(__x86_64__)
    setenv("MAGPIE_SIMD", "neon", 1);
    assert_int_not_equal(mp_simd_isa(), MP_ISA_NEON);
#elif defined(__aarch64__)
    setenv("MAGPIE_SIMD", "avx512", 1);
    assert_int_equal(mp_simd_isa(), MP_ISA_NEON);
#endif
}

static void every_table_has_vectors(void **state)
{
    (void)state;
    mp_isa isa = mp_simd_isa();
    const char *const words[] = {mp_distance_for(isa)->word,  mp_dense_for(isa)->word,
                                 mp_dense8_for(isa)->word,    mp_rows_for(isa)->word,
                                 mp_depthwise_for(isa)->word, mp_pairs8_for(isa)->word};
    print_message("kernels: distance %s, dense %s, dense8 %s, rows %s, depthwise %s, pairs8 %s\n",
                  words[0], words[1], words[2], words[3], words[4], words[5]);
    if (isa == MP_ISA_SCALAR)
        return;
    for (size_t i = 0; i < MP_COUNT(words); i++)
        assert_string_not_equal(words[i], "scalar");
    assert_ptr_not_equal(mp_pixel_for(isa), &mp_pixel_scalar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_foreign_set_is_ignored),
                                       cmocka_unit_test(every_table_has_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
