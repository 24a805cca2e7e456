/* When failed jobs are tried again: bounds, growth, spread. */
#include "../test.h"
#include "base/os.h"
#include "jobs/retry.h"

static void the_ceiling_doubles_up_to_the_cap(void **state)
{
    (void)state;
    static const struct {
        int attempt;
        int64_t base_ms, cap_ms;
        double unit;
        int64_t delay_ms;
    } rows[] = {
        {1, 1000, 60000, 0.5, 500},
        {2, 1000, 60000, 0.5, 1000},
        {3, 1000, 60000, 0.5, 2000},
        {7, 1000, 60000, 0.5, 30000}, /* 64 s are over the cap */
        {6, 1000, 32000, 0.5, 16000}, /* exactly the cap */
        {2000000000, 1000, 60000, 0.5, 30000},
        {64, 1, INT64_MAX, 0, 0},
        {1, 1000, 60000, 0, 0},
        {0, 1000, 60000, 0.5, 500}, /* as the first */
        {-5, 1000, 60000, 0.5, 500},
        {1, 1000, 100, 0.5, 50},
        {9, 0, 60000, 0.5, 0},
        {9, 1000, 0, 0.5, 0},
        {9, -7, -7, 0.5, 0},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        int64_t got =
            mp_retry_delay_ms(rows[i].attempt, rows[i].base_ms, rows[i].cap_ms, rows[i].unit);
        if (got != rows[i].delay_ms)
            fail_msg("row %zu: %lld ms", i, (long long)got);
    }
    assert_true(mp_retry_delay_ms(200, 1, INT64_MAX, 0.25) > INT64_MAX / 8);
}

static void delays_spread_over_the_whole_range(void **state)
{
    (void)state;
    mp_rng rng = {3};
    double sum = 0;
    int64_t low = INT64_MAX, high = 0;
    enum { N = 10000 };
    for (int i = 0; i < N; i++) {
        int64_t delay = mp_retry_delay_ms(4, 1000, 60000, mp_rng_unit(&rng));
        low = MP_MIN(low, delay);
        high = MP_MAX(high, delay);
        sum += (double)delay;
    }
    assert_true(low >= 0 && low < 100);
    assert_true(high < 8000 && high > 7900);
    assert_true(sum / N > 3900 && sum / N < 4100);
}

static void only_a_wrong_input_is_final(void **state)
{
    (void)state;
    for (int err = MP_OK; err <= MP_INTERNAL; err++) {
        bool final =
            err == MP_INVALID || err == MP_NOT_FOUND || err == MP_UNSUPPORTED || err == MP_CORRUPT;
        assert_int_equal(mp_retry_is_useless((mp_err)err), final);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_up_to_the_cap),
        cmocka_unit_test(delays_spread_over_the_whole_range),
        cmocka_unit_test(only_a_wrong_input_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
