/* The cache: what it keeps, what it forgets, and many threads at once. */
#include "../test.h"

#include "cache/cache.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static mp_span span(const char *text)
{
    return (mp_span){(const uint8_t *)text, strlen(text)};
}

static bool holds(mp_cache *c, const char *key, const char *value)
{
    mp_buf out = {0};
    bool found = mp_cache_get(c, span(key), &out);
    bool same = found && out.n == strlen(value) && memcmp(out.p ? out.p : "", value, out.n) == 0;
    mp_buf_free(&out);
    return same;
}

static void what_was_put_is_there(void **state)
{
    (void)state;
    mp_cache *c = mp_cache_new(1 << 16);
    assert_false(holds(c, "a", "1"));
    mp_cache_put(c, span("a"), span("1"));
    mp_cache_put(c, span("b"), span(""));
    mp_cache_put(c, span("a"), span("2"));
    assert_true(holds(c, "a", "2"));
    assert_true(holds(c, "b", ""));
    assert_false(holds(c, "A", "2"));
    mp_cache_stats s = mp_cache_stats_get(c);
    assert_int_equal(s.entries, 2);
    assert_int_equal(s.hits, 2);
    assert_int_equal(s.misses, 2);
    mp_cache_free(c);
}

static void the_least_used_goes_first(void **state)
{
    (void)state;
    char key[32], value[200];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    mp_cache *c = mp_cache_new(8192);
    mp_cache_put(c, span("kept"), span(value));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        mp_cache_put(c, span(key), span(value));
        assert_true(holds(c, "kept", value)); /* asked for each time */
        assert_true(mp_cache_stats_get(c).bytes <= 8192);
    }
    assert_false(holds(c, "k0", value));
    assert_true(holds(c, "k999", value));
    assert_true(mp_cache_stats_get(c).evicted > 900);
    mp_cache_free(c);
}

static void what_is_too_large_is_not_kept(void **state)
{
    (void)state;
    static uint8_t large[4096];
    mp_cache *c = mp_cache_new(8192);
    mp_cache_put(c, span("small"), span("1"));
    mp_cache_put(c, span("large"), (mp_span){large, sizeof large});
    assert_true(holds(c, "small", "1"));
    assert_int_equal(mp_cache_stats_get(c).entries, 1);
    mp_cache_free(c);
}

static void the_table_grows(void **state)
{
    (void)state;
    char key[32];
    mp_cache *c = mp_cache_new(1 << 24);
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%d", i);
        mp_cache_put(c, span(key), span(key));
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_true(holds(c, key, key));
    }
    mp_cache_free(c);
}

static void *hammer(void *context)
{
    char key[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%d", i * 7919 % 500);
        mp_buf out = {0};
        if (mp_cache_get(context, span(key), &out) &&
            (out.n != strlen(key) || memcmp(out.p, key, out.n) != 0))
            return context; /* another key's value */
        mp_buf_free(&out);
        mp_cache_put(context, span(key), span(key));
    }
    return NULL;
}

static void many_threads_at_once(void **state)
{
    (void)state;
    pthread_t thread[4];
    mp_cache *c = mp_cache_new(1 << 14);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, c), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    mp_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there),
        cmocka_unit_test(the_least_used_goes_first),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(the_table_grows),
        cmocka_unit_test(many_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
