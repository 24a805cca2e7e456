/* What a download never reaches: a server that listens on every address of this machine counts the
 * connections it gets. */
#include "../test.h"

#include "net/fetch.h"
#include "server.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct world {
    server server;
    int fd;
} world;

static void answer(server *s, int c)
{
    char head[4096];
    if (server_request(s, c, head, sizeof head))
        server_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

static int start(void **state)
{
    mp_why why;
    world *w = mp_xcalloc(1, sizeof *w);
    assert_ok(mp_net_init(&why));
    server_start(&w->server, answer);
    w->fd = memfd_create("download", MFD_CLOEXEC);
    assert_true(w->fd >= 0);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    server_stop(&w->server);
    close(w->fd);
    free(w);
    mp_net_exit();
    return 0;
}

/* Every way to write this very machine; %d is the port at which a server listens. */
static const char *const here[] = {
    "http://127.0.0.1:%d/ok",
    "HTTP://127.0.0.1:%d/ok",
    "http://127.0.0.1.:%d/ok",
    "http://127.0.0.2:%d/ok",
    "http://127.255.255.254:%d/ok",
    "http://127.1:%d/ok",
    "http://127.0.1:%d/ok",
    "http://2130706433:%d/ok",
    "http://017700000001:%d/ok",
    "http://0x7f000001:%d/ok",
    "http://0X7F.0x0.0.1:%d/ok",
    "http://0x7f.1:%d/ok",
    "http://0177.0.0.1:%d/ok",
    "http://0177.0.0.01:%d/ok",
    "http://0:%d/ok",
    "http://0.0.0.0:%d/ok",
    "http://localhost:%d/ok",
    "http://LOCALHOST:%d/ok",
    "http://localhost.:%d/ok",
    "http://[::1]:%d/ok",
    "http://[0:0:0:0:0:0:0:1]:%d/ok",
    "http://[::]:%d/ok",
    "http://[::ffff:127.0.0.1]:%d/ok",
    "http://[::ffff:7f00:1]:%d/ok",
    "http://[0:0:0:0:0:ffff:7f00:0001]:%d/ok",
    "http:///127.0.0.1:%d/ok",
    "http://%%31%%32%%37.0.0.1:%d/ok",
    "http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1:%d/ok", /* full-width digits */
    "http://127\343\200\2020.0.1:%d/ok",                       /* an ideographic full stop */
    "http://127.0.0.1:%d\\@example.com/ok",
    "http://127.0.0.1:%d#@example.com/ok",
    "http://127.0.0.1:%d?@example.com/ok",
    "http://user@127.0.0.1:%d/ok",
    "http://example.com@127.0.0.1:%d/ok",
    "http://8.8.8.8:80@127.0.0.1:%d/ok",
    "https://127.0.0.1:%d/ok",
    "gopher://127.0.0.1:%d/1ok",
    "ftp://127.0.0.1:%d/ok",
    "127.0.0.1:%d/ok",
};

static mp_err fetch_here(world *w, const char *form, char url[128])
{
    mp_why why = {""};
    mp_fetched out;
    snprintf(url, 128, form, w->server.port);
    mp_fetch f = {.url = url, .timeout_ms = 2000, .tries = 2};
    mp_err err = mp_net_fetch(&f, w->fd, &out, &why);
    if (out.status != 0 || (err == MP_INVALID && out.tries > 1))
        fail_msg("%s: status %d, %d tries: %s", url, out.status, out.tries, why.text);
    if (err == MP_INVALID && (strstr(why.text, "127.0.0") || strstr(why.text, "::1")))
        fail_msg("%s tells the address: %s", url, why.text);
    return err;
}

static void no_spelling_reaches_this_machine(void **state)
{
    world *w = *state;
    char url[128];
    for (size_t i = 0; i < MP_COUNT(here); i++)
        if (fetch_here(w, here[i], url) == MP_OK)
            fail_msg("%s was fetched", url);
    assert_int_equal(atomic_load(&w->server.accepted), 0);
}

/* The server was there all the time. What the resolver takes for this machine is refused as such;
 * the rest are no URLs, or names that nobody has. */
static void the_policy_is_what_keeps_them_out(void **state)
{
    world *w = *state;
    char url[128];
    int reached = 0;
    for (size_t i = 0; i < MP_COUNT(here); i++) {
        mp_net_answer out;
        snprintf(url, sizeof url, here[i], w->server.port);
        mp_net_ask ask = {.url = url, .any_address = true, .timeout_ms = 2000};
        if (mp_net_request(&ask, NULL, &out, NULL) != MP_OK)
            continue;
        int before = atomic_load(&w->server.accepted);
        if (fetch_here(w, here[i], url) != MP_INVALID)
            fail_msg("%s is not refused by its address", url);
        assert_int_equal(atomic_load(&w->server.accepted), before);
        reached++;
    }
    assert_true(reached >= 20);
    print_message("%d of %zu spellings lead here without the policy\n", reached, MP_COUNT(here));
}

/* A name that only the resolver knows: where the host file has this machine's name. */
static void a_name_is_judged_by_what_it_resolves_to(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    char name[64] = "", url[160];
    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    snprintf(url, sizeof url, "http://%s:%d/ok", name, w->server.port);
    mp_net_ask ask = {.url = url, .any_address = true, .timeout_ms = 2000};
    if (mp_net_request(&ask, NULL, &out, NULL) != MP_OK)
        skip();
    int before = atomic_load(&w->server.accepted);
    assert_ok(mp_net_check_url(url, NULL, &why)); /* cannot know yet */
    mp_fetch f = {.url = url, .timeout_ms = 2000};
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_INVALID);
    assert_int_equal(atomic_load(&w->server.accepted), before);
    assert_null(strstr(why.text, name));
}

static void an_exception_opens_one_door(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    char authority[32], url[64];
    const char *one = authority;
    const mp_net_allow allow = {&one, 1};
    snprintf(authority, sizeof authority, "127.0.0.1:%d", w->server.port);
    snprintf(url, sizeof url, "http://%s/ok", authority);
    mp_fetch f = {.url = url, .allow = &allow};
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    snprintf(url, sizeof url, "http://127.0.0.2:%d/ok", w->server.port);
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_INVALID);
    assert_int_equal(atomic_load(&w->server.accepted), 1);
}

/* Neither for an address outside the policy nor for an exception; only where the policy is off. */
static void no_proxy_leads_around_the_policy(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    char proxy[64];
    const char *one = "127.0.0.1:9"; /* nobody listens there */
    const mp_net_allow allow = {&one, 1};
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", w->server.port);
    setenv("http_proxy", proxy, 1);
    setenv("all_proxy", proxy, 1);
    setenv("no_proxy", "", 1);
    mp_fetch f = {.url = "http://10.255.255.1/ok", .timeout_ms = 1000};
    mp_err refused = mp_net_fetch(&f, w->fd, &out, &why);
    f = (mp_fetch){.url = "http://127.0.0.1:9/", .timeout_ms = 1000, .tries = 1, .allow = &allow};
    mp_err excepted = mp_net_fetch(&f, w->fd, &out, &why);
    int past_the_policy = atomic_load(&w->server.accepted);
    mp_net_ask ask = {.url = "http://10.255.255.1/ok", .any_address = true, .timeout_ms = 2000};
    mp_err off = mp_net_request(&ask, NULL, &out, &why);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(refused, MP_INVALID);
    assert_int_equal(excepted, MP_IO);
    assert_int_equal(past_the_policy, 0);
    assert_int_equal(off, MP_OK);
    assert_int_equal(atomic_load(&w->server.accepted), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    /* So that libcurl reads names as UTF-8 and maps odd digits, as it would in a service. */
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        TEST(no_spelling_reaches_this_machine),        TEST(the_policy_is_what_keeps_them_out),
        TEST(a_name_is_judged_by_what_it_resolves_to), TEST(an_exception_opens_one_door),
        TEST(no_proxy_leads_around_the_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
