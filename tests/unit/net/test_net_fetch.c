/* Downloads: what arrives, what is cut off, what is tried again. */
#include "../test.h"

#include "base/os.h"
#include "net/fetch.h"
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char PNG[] = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n";

/* Bytes until the other side has had enough. */
static void stream(server *s, int connection)
{
    char block[1001];
    memset(block, 'x', sizeof block - 1);
    block[sizeof block - 1] = '\0';
    server_say(connection, "%s\r\n", PNG);
    for (int i = 0; i < 3000 && !atomic_load(&s->ending); i++)
        server_say(connection, "%s", block);
}

/* A byte now and then: never silent for long, never done. */
static void drip(server *s, int connection)
{
    server_say(connection, "%sContent-Length: 5000\r\n\r\n", PNG);
    for (int i = 0; i < 50 && !atomic_load(&s->ending); i++) {
        server_say(connection, "x");
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
}

static void heads(server *s, int connection)
{
    server_say(connection, "%s", PNG);
    for (int i = 0; i < 100000 && !atomic_load(&s->ending); i++)
        server_say(connection, "X-Line-%d: 0123456789012345678901234567890123456789\r\n", i);
}

static void interim(server *s, int connection)
{
    for (int i = 0; i < 100000 && !atomic_load(&s->ending); i++)
        server_say(connection, "HTTP/1.1 103 Early\r\nLink: </a>; rel=preload; as=style\r\n\r\n");
}

static void answer(server *s, int c)
{
    char head[4096], path[64] = "";
    if (!server_request(s, c, head, sizeof head) || sscanf(head, "GET %63s", path) != 1)
        return;
    int nth = atomic_fetch_add(&s->asked, 1);
    if (strcmp(path, "/ok") == 0)
        server_say(c, "%sContent-Length: 5\r\n\r\nhello", PNG);
    else if (strcmp(path, "/empty") == 0)
        server_say(c, "%sContent-Length: 0\r\n\r\n", PNG);
    else if (strcmp(path, "/chunked") == 0)
        server_say(c, "%sTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", PNG);
    else if (strcmp(path, "/short") == 0)
        server_say(c, "%sContent-Length: 50\r\n\r\nhello", PNG);
    else if (strcmp(path, "/declared") == 0)
        server_say(c, "%sContent-Length: 5000000\r\n\r\nhello", PNG);
    else if (strcmp(path, "/stream") == 0)
        stream(s, c);
    else if (strcmp(path, "/flaky") == 0 && nth < 2)
        server_say(c, "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad");
    else if (strcmp(path, "/cut") == 0 && nth == 0) {
        server_say(c, "%sContent-Length: 5\r\n\r\nHEL", PNG);
        server_wait(s, c);
    } else if (strcmp(path, "/flaky") == 0 || strcmp(path, "/cut") == 0)
        server_say(c, "%sContent-Length: 5\r\n\r\nhello", PNG);
    else if (strcmp(path, "/soon") == 0 && nth == 0)
        server_say(c, "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    else if (strcmp(path, "/soon") == 0)
        server_say(c, "%sContent-Length: 5\r\n\r\nhello", PNG);
    else if (strcmp(path, "/late") == 0)
        server_say(c, "HTTP/1.1 503 Later\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n");
    else if (strcmp(path, "/moved") == 0)
        server_say(c,
                   "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:%d/ok\r\n"
                   "Content-Length: 0\r\n\r\n",
                   s->port);
    else if (strcmp(path, "/html") == 0)
        server_say(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\x01\r\n"
                      "Content-Length: 5\r\n\r\nhello");
    else if (strcmp(path, "/untyped") == 0)
        server_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    else if (strcmp(path, "/zip") == 0)
        server_say(c, "%sContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", PNG);
    else if (strcmp(path, "/stall") == 0)
        server_wait(s, c);
    else if (strcmp(path, "/drip") == 0)
        drip(s, c);
    else if (strcmp(path, "/heads") == 0)
        heads(s, c);
    else if (strcmp(path, "/interim") == 0)
        interim(s, c);
    else if (strcmp(path, "/noise") == 0)
        server_say(c, "SSH-2.0-OpenSSH\r\n");
    else if (strcmp(path, "/nothing") != 0)
        server_say(c, "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nno!");
}

/* ---- set-up ---- */

typedef struct world {
    server server;
    char authority[32], url[64];
    const char *one;
    mp_net_allow allow;
    int fd;
} world;

static int start(void **state)
{
    mp_why why;
    world *w = mp_xcalloc(1, sizeof *w);
    assert_ok(mp_net_init(&why));
    server_start(&w->server, answer);
    snprintf(w->authority, sizeof w->authority, "127.0.0.1:%d", w->server.port);
    w->one = w->authority;
    w->allow = (mp_net_allow){&w->one, 1};
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

static mp_fetch fetch_of(world *w, const char *path)
{
    snprintf(w->url, sizeof w->url, "http://%s%s", w->authority, path);
    return (mp_fetch){
        .url = w->url, .max_bytes = 100000, .want_prefix = "image/", .allow = &w->allow};
}

static void assert_file(const world *w, const char *text)
{
    char got[64] = "";
    struct stat st;
    assert_int_equal(fstat(w->fd, &st), 0);
    assert_int_equal(st.st_size, strlen(text));
    assert_int_equal(pread(w->fd, got, sizeof got - 1, 0), strlen(text));
    assert_string_equal(got, text);
}

/* ---- arriving ---- */

static void a_body_arrives_whole(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/ok");
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_int_equal(out.status, 200);
    assert_int_equal(out.bytes, 5);
    assert_int_equal(out.tries, 1);
    assert_string_equal(out.content_type, "image/png");
    assert_file(w, "hello");
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "GET /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(heard, "\r\nUser-Agent: magpie\r\n"));
    assert_null(strcasestr(heard, "cookie"));
    assert_null(strcasestr(heard, "accept-encoding"));
    free(heard);
}

static void chunks_and_emptiness_are_bodies(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/chunked");
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_file(w, "hello");
    f = fetch_of(w, "/empty");
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_int_equal(out.bytes, 0);
    f = fetch_of(w, "/zip"); /* bytes as they came: nothing is unpacked */
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_int_equal(out.bytes, 5);
}

static void a_cap_that_is_just_reached_is_kept(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    static const char *const paths[] = {"/ok", "/chunked"};
    for (size_t i = 0; i < MP_COUNT(paths); i++) {
        mp_fetch f = fetch_of(w, paths[i]);
        f.max_bytes = 5;
        assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
        f.max_bytes = 4;
        assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_TOO_BIG);
        assert_int_equal(out.tries, 1);
    }
}

/* ---- failing ---- */

static void failures_have_their_code(void **state)
{
    world *w = *state;
    static const struct {
        const char *path;
        mp_err err;
        int status;
    } cases[] = {
        {"/short", MP_IO, 200},
        {"/declared", MP_TOO_BIG, 200},
        {"/stream", MP_TOO_BIG, 200},
        {"/absent", MP_NOT_FOUND, 404},
        {"/moved", MP_UNSUPPORTED, 302},
        {"/html", MP_UNSUPPORTED, 200},
        {"/untyped", MP_UNSUPPORTED, 200},
        {"/nothing", MP_IO, 0},
        {"/noise", MP_IO, 0},
        {"/heads", MP_TOO_BIG, 200},
        {"/interim", MP_TOO_BIG, 103},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_why why = {""};
        mp_fetched out;
        mp_fetch f = fetch_of(w, cases[i].path);
        int before = atomic_load(&w->server.accepted);
        mp_err err = mp_net_fetch(&f, w->fd, &out, &why);
        if (err != cases[i].err || out.status != cases[i].status || out.tries != 1 || !*why.text)
            fail_msg("%s: %s, status %d, %d tries: %s", cases[i].path, mp_err_word(err), out.status,
                     out.tries, why.text);
        assert_int_equal(atomic_load(&w->server.accepted), before + 1);
    }
}

static void a_refused_body_leaves_no_byte(void **state)
{
    world *w = *state;
    static const char *const paths[] = {"/declared", "/html", "/absent", "/moved"};
    for (size_t i = 0; i < MP_COUNT(paths); i++) {
        mp_why why;
        mp_fetched out;
        mp_fetch f = fetch_of(w, paths[i]);
        assert_int_not_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_OK);
        assert_file(w, "");
    }
}

static void a_redirect_is_not_followed(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/moved");
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_UNSUPPORTED);
    assert_non_null(strstr(why.text, "redirect"));
    char *heard = server_heard(&w->server);
    assert_null(strstr(heard, "GET /ok"));
    free(heard);
}

static void what_a_server_says_is_made_printable(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/html");
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_UNSUPPORTED);
    assert_string_equal(out.content_type, "text/html?");
    assert_non_null(strstr(why.text, "text/html?"));
}

/* ---- again ---- */

static void a_server_in_trouble_is_asked_again(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/flaky");
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_int_equal(out.tries, 3);
    assert_int_equal(out.status, 200);
    assert_file(w, "hello");
}

static void tries_end(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/flaky");
    f.tries = 2;
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_IO);
    assert_int_equal(out.tries, 2);
    assert_int_equal(out.status, 500);
    assert_file(w, "");
}

static void a_stalled_try_ends_and_its_bytes_go(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/cut");
    f.timeout_ms = 300;
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_int_equal(out.tries, 2);
    assert_file(w, "hello"); /* not HELhello */
}

static void a_silent_server_is_left(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/stall");
    f.timeout_ms = 200;
    f.tries = 2;
    double began = mp_monotonic_s();
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_TIMEOUT);
    double took = mp_monotonic_s() - began;
    assert_int_equal(out.tries, 2);
    assert_true(took >= 0.39 && took < 3);
}

static void a_dripping_server_is_left(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/drip");
    f.timeout_ms = 400;
    f.tries = 1;
    double began = mp_monotonic_s();
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_TIMEOUT);
    assert_true(mp_monotonic_s() - began < 2);
    assert_int_equal(out.status, 200);
}

static void retry_after_is_heeded(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    mp_fetch f = fetch_of(w, "/soon");
    double began = mp_monotonic_s();
    assert_ok(mp_net_fetch(&f, w->fd, &out, &why));
    assert_true(mp_monotonic_s() - began >= 1);
    assert_int_equal(out.tries, 2);
    assert_int_equal(out.retry_after_s, 0);
    f = fetch_of(w, "/late"); /* longer than anyone here waits */
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_IO);
    assert_int_equal(out.tries, 1);
    assert_int_equal(out.retry_after_s, 3600);
}

static void a_closed_port_is_tried_again(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    char authority[32], url[64];
    server gone;
    server_start(&gone, answer);
    server_stop(&gone);
    snprintf(authority, sizeof authority, "127.0.0.1:%d", gone.port);
    snprintf(url, sizeof url, "http://%s/", authority);
    const char *one = authority;
    mp_net_allow allow = {&one, 1};
    mp_fetch f = {.url = url, .allow = &allow};
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_IO);
    assert_int_equal(out.tries, 3);
    assert_int_equal(out.status, 0);
    assert_non_null(strstr(why.text, "cannot connect"));
}

static bool stop_at_once(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
    return true;
}

static void a_stop_is_obeyed(void **state)
{
    world *w = *state;
    mp_why why;
    mp_fetched out;
    _Atomic int asked = 0;
    mp_fetch f = fetch_of(w, "/stall");
    f.stop = (mp_net_stop){stop_at_once, &asked};
    double began = mp_monotonic_s();
    assert_int_equal(mp_net_fetch(&f, w->fd, &out, &why), MP_CANCELLED);
    assert_true(mp_monotonic_s() - began < 3);
    assert_true(asked > 0);
    assert_int_equal(out.tries, 1);
}

/* ---- many at once ---- */

static void *fetch_some(void *arg)
{
    world *w = arg;
    char url[64];
    snprintf(url, sizeof url, "http://%s/ok", w->authority);
    for (int i = 0; i < 5; i++) {
        mp_fetched out;
        mp_fetch f = {.url = url, .allow = &w->allow, .timeout_ms = 10000};
        int fd = memfd_create("part", MFD_CLOEXEC);
        mp_err err = mp_net_fetch(&f, fd, &out, NULL);
        close(fd);
        if (err || out.bytes != 5)
            return w;
        f.url = "http://localhost:1/";
        if (mp_net_fetch(&f, -1, &out, NULL) != MP_INVALID)
            return w;
    }
    return NULL;
}

static void threads_fetch_side_by_side(void **state)
{
    world *w = *state;
    pthread_t threads[6];
    for (size_t i = 0; i < MP_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_some, w), 0);
    for (size_t i = 0; i < MP_COUNT(threads); i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_body_arrives_whole),
        TEST(chunks_and_emptiness_are_bodies),
        TEST(a_cap_that_is_just_reached_is_kept),
        TEST(failures_have_their_code),
        TEST(a_refused_body_leaves_no_byte),
        TEST(a_redirect_is_not_followed),
        TEST(what_a_server_says_is_made_printable),
        TEST(a_server_in_trouble_is_asked_again),
        TEST(tries_end),
        TEST(a_stalled_try_ends_and_its_bytes_go),
        TEST(a_silent_server_is_left),
        TEST(a_dripping_server_is_left),
        TEST(retry_after_is_heeded),
        TEST(a_closed_port_is_tried_again),
        TEST(a_stop_is_obeyed),
        TEST(threads_fetch_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
