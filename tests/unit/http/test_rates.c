/* Who asks, behind proxies, and how often somebody may. */
#include "../test.h"
#include "asking.h"

#include "http/limits.h"
#include "http/proxies.h"
#include "http/rates.h"
#include "http/route.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static mp_proxies *proxies(const char *const *list, size_t n)
{
    mp_proxies *p;
    mp_why why;
    assert_ok(mp_proxies_open(&p, list, n, &why));
    return p;
}

static void networks_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "10.0.0",    "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
        "::1/129", "localhost", "10.0.0.1:80", "[::1]"};
    static const char *const good[] = {"10.0.0.0/8",    "127.0.0.1", "::1",
                                       "2001:db8::/32", "0.0.0.0/0", "::/0"};
    mp_proxies *p;
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        if (mp_proxies_open(&p, &bad[i], 1, &why) != MP_INVALID)
            fail_msg("'%s' is no network", bad[i]);
        assert_null(p);
    }
    mp_proxies_close(proxies(good, MP_COUNT(good)));
    mp_proxies_close(proxies(NULL, 0));
}

typedef struct walk {
    const mp_proxies *trusted;
    const char *peer, *client, *scheme;
} walk;

static void resolve(mp_request *r, const void *context)
{
    const walk *w = context;
    r->address = w->peer;
    r->scheme = "http";
    mp_proxies_resolve(w->trusted, r);
    assert_string_equal(r->address, w->client);
    assert_string_equal(r->scheme, w->scheme ? w->scheme : "http");
}

static void the_right_most_stranger_asks(void **state)
{
    static const char *const list[] = {"10.0.0.0/8", "192.0.2.7", "2001:db8::/33"};
    mp_proxies *p = proxies(list, MP_COUNT(list)), *none = proxies(NULL, 0);
    const struct {
        const char *headers;
        walk walk;
    } cases[] = {
        {"X-Forwarded-For: 203.0.113.5\r\n", {p, "10.1.2.3", "203.0.113.5", NULL}},
        {"X-Forwarded-For: 203.0.113.5\r\n", {p, "198.51.100.1", "198.51.100.1", NULL}},
        {"X-Forwarded-For: 203.0.113.5\r\n", {none, "10.1.2.3", "10.1.2.3", NULL}},
        {"", {p, "10.1.2.3", "10.1.2.3", NULL}},
        /* what stands left of the stranger is the stranger's word */
        {"X-Forwarded-For: 1.1.1.1, 203.0.113.5\r\n", {p, "10.1.2.3", "203.0.113.5", NULL}},
        {"X-Forwarded-For: 1.1.1.1, 203.0.113.5, 192.0.2.7 ,10.0.0.1\r\n",
         {p, "10.1.2.3", "203.0.113.5", NULL}},
        {"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: "
         "10.0.0.9\r\n",
         {p, "10.1.2.3", "203.0.113.5", NULL}},
        {"X-Forwarded-For: 10.0.0.5, 10.0.0.6\r\n", {p, "10.1.2.3", "10.0.0.5", NULL}},
        {"X-Forwarded-For: 203.0.113.5:4711\r\n", {p, "10.1.2.3", "203.0.113.5", NULL}},
        {"X-Forwarded-For: [2001:db9::1]:443\r\n", {p, "2001:db8::1", "2001:db9::1", NULL}},
        {"X-Forwarded-For: 2001:DB9:0::1\r\n", {p, "2001:db8:7fff::1", "2001:db9::1", NULL}},
        {"X-Forwarded-For: 1.1.1.1\r\n", {p, "2001:db8:8000::1", "2001:db8:8000::1", NULL}},
        {"X-Forwarded-For: ::ffff:203.0.113.5\r\n", {p, "10.1.2.3", "203.0.113.5", NULL}},
        /* a hop that is no address ends the walk at the last that is trusted */
        {"X-Forwarded-For: 203.0.113.5, unknown, 10.0.0.6\r\n", {p, "10.1.2.3", "10.0.0.6", NULL}},
        {"X-Forwarded-For: unknown\r\n", {p, "10.1.2.3", "10.1.2.3", NULL}},
        {"X-Forwarded-For:\r\n", {p, "10.1.2.3", "10.1.2.3", NULL}},
        {"X-Forwarded-For: ,,,\r\n", {p, "10.1.2.3", "10.1.2.3", NULL}},
        {"X-Forwarded-For: "
         "11111111111111111111111111111111111111111111111111111111111111111111111111\r\n",
         {p, "10.1.2.3", "10.1.2.3", NULL}},
        {"X-Forwarded-Proto: https\r\n", {p, "10.1.2.3", "10.1.2.3", "https"}},
        {"X-Forwarded-Proto: https\r\n", {p, "198.51.100.1", "198.51.100.1", "http"}},
        {"X-Forwarded-Proto: gopher\r\n", {p, "10.1.2.3", "10.1.2.3", "http"}},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        asking_do(*state, cases[i].headers, resolve, &cases[i].walk);
    mp_proxies_close(p);
    mp_proxies_close(none);
}

static void addresses_have_keys(void **state)
{
    char key[MP_ADDRESS_KEY];
    mp_arena *arena = mp_arena_new(0);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    (void)state;
    mp_address_key("192.0.2.1", key);
    assert_string_equal(key, "192.0.2.1");
    mp_address_key("2001:db8:1:2:3:4:5:6", key);
    assert_string_equal(key, "2001:db8:1:2::/64");
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &at.sin6_addr), 1);
    assert_string_equal(mp_address_text((struct sockaddr *)&at, arena), "192.0.2.1");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &at.sin6_addr), 1);
    assert_string_equal(mp_address_text((struct sockaddr *)&at, arena), "2001:db8::1");
    at.sin6_family = AF_UNIX;
    assert_string_equal(mp_address_text((struct sockaddr *)&at, arena), "");
    assert_string_equal(mp_address_text(NULL, arena), "");
    mp_arena_free(arena);
}

/* How many of 100 requests in a row are let through. */
static int admitted(mp_rates *rates, const mp_route *route, const char *address, const char *query)
{
    int n = 0;
    for (int i = 0; i < 100; i++) {
        mp_arena *arena = mp_arena_new(0);
        mp_request r = {.arena = arena, .route = route, .address = address, .query = query};
        bool good = mp_rates_admit(rates, &r);
        if (!good) {
            assert_int_equal(r.reply.status, 429);
            assert_int_equal(r.reply.n_headers, 1);
            assert_string_equal(r.reply.header[0].name, "Retry-After");
            assert_string_equal(r.reply.header[0].value, "100");
        }
        n += good;
        mp_buf_free(&r.reply.body);
        mp_arena_free(arena);
    }
    return n;
}

static void routes_count_in_their_own_way(void **state)
{
    static const mp_route open = {.path = "/open"}, probe = {.path = "/p", .rate = MP_RATE_NONE},
                          user = {.path = "/u", .signed_in = true},
                          link = {.path = "/l", .signed_in = true, .linked = true},
                          high = {.path = "/h", .rate = MP_RATE_HIGH};
    mp_rates *rates = mp_rates_new(0.01, 3);
    (void)state;
    assert_int_equal(admitted(rates, &open, "192.0.2.1", ""), 3);
    assert_int_equal(admitted(rates, &open, "192.0.2.2", ""), 3);
    assert_int_equal(admitted(rates, NULL, "192.0.2.2", ""), 0); /* also what is not there */
    assert_int_equal(admitted(rates, &probe, "192.0.2.1", ""), 100);
    assert_int_equal(admitted(rates, &user, "192.0.2.1", ""), 100); /* the user is asked later */
    assert_int_equal(admitted(rates, &user, "192.0.2.1", "sig=x"), 100);
    assert_int_equal(admitted(rates, &link, "192.0.2.1", ""), 100);
    assert_true(mp_rates_admit(NULL, &(mp_request){.route = &open}));
    mp_rates_free(rates);
    rates = mp_rates_new(0.001, 3); /* of links ten times as many, at 0.01 a second */
    assert_int_equal(admitted(rates, &link, "192.0.2.1", "sig=x"), 30);
    assert_int_equal(admitted(rates, &high, "192.0.2.1", ""), 0); /* the same bucket */
    assert_int_equal(admitted(rates, &high, "192.0.2.3", ""), 30);
    mp_rates_free(rates);
    assert_null(mp_rates_new(0, 40));
    mp_rates_free(NULL);
}

static mp_limits *shared;
static _Atomic int let_through;

static void *try_often(void *context)
{
    (void)context;
    for (int i = 0; i < 5000; i++)
        if (mp_limits_take(shared, "one") == 0)
            atomic_fetch_add(&let_through, 1);
    return NULL;
}

static void threads_share_one_bucket(void **state)
{
    pthread_t thread[4];
    (void)state;
    shared = mp_limits_new(0.001, 100);
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, try_often, NULL), 0);
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(atomic_load(&let_through), 100);
    mp_limits_free(shared);
}

static int start(void **state)
{
    *state = asking_start();
    return 0;
}

static int stop(void **state)
{
    asking_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_read),
        cmocka_unit_test_setup_teardown(the_right_most_stranger_asks, start, stop),
        cmocka_unit_test(addresses_have_keys),
        cmocka_unit_test(routes_count_in_their_own_way),
        cmocka_unit_test(threads_share_one_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
