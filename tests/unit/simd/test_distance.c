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

/* Every half there is comes back as itself; floats between two go to the nearer, ties to even. */
static void halves_round_as_they_should(void **state)
{
    (void)state;
    uint16_t have[1];
    for (uint32_t h = 0; h < 0x7C00; h++) {
        uint16_t at = (uint16_t)h, next = (uint16_t)(h + 1);
        float x[1], y[1], middle;
        mp_from_half(&at, 1, x);
        mp_to_half(x, 1, have);
        assert_int_equal(have[0], h);
        if (next == 0x7C00)
            break;
        mp_from_half(&next, 1, y);
        middle = (x[0] + y[0]) / 2;
        mp_to_half(&middle, 1, have);
        assert_int_equal(have[0], h % 2 ? next : at);
        mp_to_half(&(float){-nextafterf(middle, 0)}, 1, have);
        assert_int_equal(have[0], 0x8000 | at);
        mp_to_half(&(float){nextafterf(middle, 1e9f)}, 1, have);
        assert_int_equal(have[0], next);
    }
    mp_to_half(&(float){65520}, 1, have);
    assert_int_equal(have[0], 0x7C00);
    mp_to_half(&(float){NAN}, 1, have);
    assert_true((have[0] & 0x7C00) == 0x7C00 && (have[0] & 0x3FF));
}

/* All halves there are but those that are no number, and floats at and around the middle of two. */
static void arrays_of_halves_are_as_single_ones(void **state)
{
    (void)state;
    enum { N = 0x7C01 * 2 };
    static uint16_t half[N], have[4 * N], want;
    static float x[N], y[4 * N], one;
    for (uint32_t i = 0; i < N; i++)
        half[i] = (uint16_t)(i % 2 << 15 | i / 2);
    mp_from_half(half, N, x);
    for (size_t i = 0; i < N; i++) {
        float next = i + 2 < N ? x[i + 2] : x[i];
        mp_from_half(half + i, 1, &one);
        assert_memory_equal(&one, x + i, sizeof one);
        y[4 * i] = x[i];
        y[4 * i + 1] = isfinite(next) ? (x[i] + next) / 2 : 65520;
        y[4 * i + 2] = nextafterf(y[4 * i + 1], 1e9f);
        y[4 * i + 3] = nextafterf(y[4 * i + 1], -1e9f);
    }
    mp_to_half(y, 4 * N, have);
    for (size_t i = 0; i < 4 * N; i++) {
        mp_to_half(y + i, 1, &want);
        assert_int_equal(have[i], want);
    }
}

static void half_kernels_agree(void **state)
{
    (void)state;
    enum { LONGEST = 700 };
    mp_rng rng = {6};
    float a[LONGEST], b[LONGEST];
    uint16_t half[LONGEST];
    for (size_t i = 0; i < LONGEST; i++) {
        a[i] = (float)mp_rng_gauss(&rng);
        b[i] = (float)mp_rng_gauss(&rng) * (i % 9 ? 1 : 1e-6f); /* subnormal ones too */
    }
    mp_to_half(b, LONGEST, half);
    mp_from_half(half, LONGEST, b);
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
        for (size_t n = 0; n + 3 <= LONGEST; n = n < 130 ? n + 1 : n + 97)
            for (size_t shift = 0; shift < 3; shift++) {
                double sum = 0, want = 0;
                for (size_t i = 0; i < n; i++) {
                    double x = (double)a[i + shift] * (double)b[i + shift];
                    want += x;
                    sum += fabs(x);
                }
                float have = mp_distance_for((mp_isa)isa)->dot_half(a + shift, half + shift, n);
                assert_true(fabs((double)have - want) <= 4e-7 * (double)(n + 1) * sum);
            }
}

/* Extreme codes too: sums of 127 * 255 must not saturate anywhere. */
static void code_kernels_agree_bit_for_bit(void **state)
{
    (void)state;
    enum { ROWS = 11, LONGEST = 1024 };
    static uint8_t rows[ROWS][LONGEST + 1];
    static int8_t query[LONGEST + 1];
    const uint8_t *at[ROWS];
    int32_t want[ROWS], have[ROWS];
    mp_rng rng = {4};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i <= LONGEST; i++) {
            uint64_t x = mp_rng_u64(&rng);
            query[i] = round == 1 ? 127 : round == 2 ? -127 : (int8_t)(x % 255 - 127);
            for (int r = 0; r < ROWS; r++)
                rows[r][i] = round ? 255 : (uint8_t)(1 + mp_rng_u64(&rng) % 255);
        }
        for (int isa = MP_ISA_NEON; isa <= (int)mp_simd_isa(); isa++)
            for (size_t n = 0; n <= LONGEST; n += MP_CODE_GROUP)
                for (size_t some = 0; some <= ROWS; some++) {
                    for (size_t r = 0; r < some; r++)
                        at[r] = rows[r] + (n < LONGEST ? r % 2 : 0);
                    mp_distance_scalar.dot_codes(query, at, some, n, want);
                    mp_distance_for((mp_isa)isa)->dot_codes(query, at, some, n, have);
                    assert_memory_equal(want, have, some * sizeof *want);
#if defined(__x86_64__)
                    if (isa == MP_ISA_AVX512) { /* the choice above may have been VNNI */
                        mp_distance_avx512.dot_codes(query, at, some, n, have);
                        assert_memory_equal(want, have, some * sizeof *want);
                    }
#endif
                }
    }
}

static void a_code_is_as_far_off_as_it_says(void **state)
{
    (void)state;
    mp_rng rng = {5};
    float v[100];
    int8_t code[128];
    for (int round = 0; round < 50; round++) {
        double off = 0;
        float error;
        for (size_t i = 0; i < MP_COUNT(v); i++)
            v[i] = (float)(mp_rng_gauss(&rng) * (i == 7 ? 10 : 1));
        float scale = mp_encode(v, MP_COUNT(v), sizeof code, code, &error);
        for (size_t i = 0; i < sizeof code; i++) {
            double d = i < MP_COUNT(v) ? (double)v[i] - (double)scale * code[i] : code[i];
            assert_true(fabs(d) <= (double)scale * 0.501);
            off += d * d;
        }
        assert_true(fabs(sqrt(off) - (double)error) <= 1e-4 * sqrt(off));
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
        cmocka_unit_test(halves_round_as_they_should),
        cmocka_unit_test(arrays_of_halves_are_as_single_ones),
        cmocka_unit_test(half_kernels_agree),
        cmocka_unit_test(code_kernels_agree_bit_for_bit),
        cmocka_unit_test(a_code_is_as_far_off_as_it_says),
        cmocka_unit_test(normalise_refuses_what_has_no_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
