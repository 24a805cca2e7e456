/* Tokens that are known for the rest of a second, alone and from several threads. */
#include "../test.h"

#include "service/recent.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static mp_claim claim_of(int64_t user)
{
    mp_claim c = {.user = user};
    snprintf(c.session, sizeof c.session, "session-%lld", (long long)user);
    return c;
}

static void known_for_its_second_alone(void **state)
{
    (void)state;
    mp_recent *r = mp_recent_new();
    mp_claim kept = claim_of(7), got = {0};
    assert_false(mp_recent_find(r, "a.b.c", 0, &got)); /* nor in the second that means free */
    assert_false(mp_recent_find(r, "a.b.c", 100, &got));
    mp_recent_keep(r, "a.b.c", 100, &kept);
    assert_true(mp_recent_find(r, "a.b.c", 100, &got));
    assert_int_equal(got.user, 7);
    assert_string_equal(got.session, "session-7");
    assert_false(mp_recent_find(r, "a.b.c", 101, &got));
    assert_false(mp_recent_find(r, "a.b.c", 99, &got)); /* the clock was set back */
    assert_false(mp_recent_find(r, "a.b.", 100, &got));
    assert_false(mp_recent_find(r, "", 100, &got));
    mp_recent_free(r);
    mp_recent_free(NULL);
}

/* More tokens than places: each is itself or not there. */
static void places_are_never_mixed_up(void **state)
{
    (void)state;
    mp_recent *r = mp_recent_new();
    char token[32];
    size_t found = 0;
    for (int i = 1; i <= 1000; i++) {
        mp_claim c = claim_of(i);
        snprintf(token, sizeof token, "token %d", i);
        mp_recent_keep(r, token, 5, &c);
    }
    for (int i = 1; i <= 1000; i++) {
        mp_claim got;
        snprintf(token, sizeof token, "token %d", i);
        if (!mp_recent_find(r, token, 5, &got))
            continue;
        assert_int_equal(got.user, i);
        found++;
    }
    assert_in_range(found, 100, 256);
    mp_recent_free(r);
}

static void *keep_and_find(void *context)
{
    mp_recent *r = context;
    char token[32];
    for (int i = 0; i < 20000; i++) {
        mp_claim c = claim_of(i % 300 + 1), got;
        snprintf(token, sizeof token, "token %d", i % 300 + 1);
        mp_recent_keep(r, token, i / 1000, &c);
        if (mp_recent_find(r, token, i / 1000, &got) &&
            (got.user != c.user || strcmp(got.session, c.session) != 0))
            return r;
    }
    return NULL;
}

static void threads_do_not_mix_them_up(void **state)
{
    (void)state;
    mp_recent *r = mp_recent_new();
    pthread_t thread[4];
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, keep_and_find, r), 0);
    for (size_t i = 0; i < MP_COUNT(thread); i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    mp_recent_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_for_its_second_alone),
        cmocka_unit_test(places_are_never_mixed_up),
        cmocka_unit_test(threads_do_not_mix_them_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
