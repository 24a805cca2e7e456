/* test_brief.c - which routes run where their request was read. */
#include "../test.h"
#include "http/brief.h"

static const mp_route *route_of(bool brief)
{
    for (size_t i = 0; i < mp_n_routes; i++)
        if (mp_routes[i].brief == brief && mp_routes[i].slow)
            return &mp_routes[i];
    fail_msg("there is no such route");
    return NULL;
}

static void take(mp_brief *b, const mp_route *route, int runs, double ms)
{
    for (int i = 0; i < runs; i++)
        mp_brief_took(b, route, ms / 1000);
}

static void who_was_quick_often_is_brief(void **state)
{
    (void)state;
    const mp_route *route = route_of(true);
    mp_brief *b = mp_brief_new();
    assert_false(mp_brief_is(b, route)); /* nobody knows yet: an index may have to be read */
    take(b, route, MP_BRIEF_RUN - 1, 0.3);
    assert_false(mp_brief_is(b, route));
    take(b, route, 1, 0.3);
    assert_true(mp_brief_is(b, route));
    take(b, route, 10 * MP_BRIEF_RUN, 0.3);
    assert_true(mp_brief_is(b, route));
    mp_brief_free(b);
}

static void one_slow_answer_goes_back_to_the_workers(void **state)
{
    (void)state;
    const mp_route *route = route_of(true);
    mp_brief *b = mp_brief_new();
    take(b, route, 10 * MP_BRIEF_RUN, 0.3);
    take(b, route, 1, MP_BRIEF_MS + 1);
    assert_false(mp_brief_is(b, route));
    take(b, route, MP_BRIEF_RUN - 1, 0.3);
    assert_false(mp_brief_is(b, route));
    take(b, route, 1, 0.3);
    assert_true(mp_brief_is(b, route));
    mp_brief_free(b);
}

static void only_marked_routes_are(void **state)
{
    (void)state;
    const mp_route *route = route_of(false);
    mp_brief *b = mp_brief_new();
    take(b, route, 10 * MP_BRIEF_RUN, 0.01);
    assert_false(mp_brief_is(b, route));
    mp_route other = {.slow = true}; /* outside the table, as the pages of the app are */
    mp_brief_took(b, &other, 0.01);
    assert_false(mp_brief_is(b, &other));
    mp_brief_free(b);
    mp_brief_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_quick_often_is_brief),
        cmocka_unit_test(one_slow_answer_goes_back_to_the_workers),
        cmocka_unit_test(only_marked_routes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
