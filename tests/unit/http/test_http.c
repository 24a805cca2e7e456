/* The HTTP room from inside: escapes, queries, routes, and a live server under many threads. */
#include "../test.h"

#include "http/limits.h"
#include "http/route.h"
#include "service/auth.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static mp_request request_of(mp_arena *arena, mp_method method, const char *path, const char *query)
{
    return (mp_request){.arena = arena, .method = method, .path = path, .query = query};
}

static void routes_are_found(void **state)
{
    (void)state;
    static const struct {
        mp_method method;
        const char *path;
        int status;
    } cases[] = {
        {MP_GET, "/health", 200},         {MP_GET, "/health/ready", 200}, {MP_POST, "/health", 405},
        {MP_GET, "/health/", 404},        {MP_GET, "/healt", 404},        {MP_GET, "", 404},
        {MP_GET, "/health%2Fready", 404}, {MP_DELETE, "/metrics", 405},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_arena *arena = mp_arena_new(0);
        const char *allow;
        mp_request r = request_of(arena, cases[i].method, cases[i].path, "");
        if (mp_route_find(&r, &allow) != cases[i].status)
            fail_msg("%s: not %d", cases[i].path, cases[i].status);
        assert_true((allow != NULL) == (cases[i].status == 405));
        assert_true((r.route != NULL) == (cases[i].status == 200));
        mp_arena_free(arena);
    }
}

static void every_route_can_be_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < mp_n_routes; i++) {
        mp_arena *arena = mp_arena_new(0);
        const char *allow;
        mp_request r = request_of(arena, mp_routes[i].method, mp_routes[i].path, "");
        assert_int_equal(mp_route_find(&r, &allow), 200);
        assert_ptr_equal(r.route, &mp_routes[i]); /* none is hidden by one before it */
        mp_arena_free(arena);
    }
}

static void queries_are_decoded(void **state)
{
    (void)state;
    mp_arena *arena = mp_arena_new(0);
    mp_request r =
        request_of(arena, MP_GET, "/", "a=1&b=x%20y+z&flag&a=2&%63=%C3%A9&bad=%4&nul=%00&e=");
    assert_string_equal(mp_request_query(&r, "a"), "1");
    assert_string_equal(mp_request_query(&r, "b"), "x y z");
    assert_string_equal(mp_request_query(&r, "flag"), "");
    assert_string_equal(mp_request_query(&r, "c"), "\xC3\xA9");
    assert_string_equal(mp_request_query(&r, "e"), "");
    assert_null(mp_request_query(&r, "bad"));
    assert_null(mp_request_query(&r, "nul"));
    assert_null(mp_request_query(&r, "absent"));
    mp_arena_free(arena);
}

static void tries_are_counted_by_name(void **state)
{
    (void)state;
    mp_limits *l = mp_limits_new(0.01, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mp_limits_take(l, "ada"), 0);
    int wait = mp_limits_take(l, "ada");
    assert_true(wait >= 99 && wait <= 100); /* one more after 1 / 0.01 s */
    assert_int_equal(mp_limits_take(l, "bob"), 0);
    mp_limits_free(l);
}

static void roles_may_what_their_table_says(void **state)
{
    (void)state;
    assert_true(mp_role_may("admin", "audit.read"));
    assert_true(mp_role_may("operator", "assets.write"));
    assert_true(mp_role_may("operator", "users.read"));
    assert_false(mp_role_may("operator", "users.write"));
    assert_false(mp_role_may("operator", "projectsx.read"));
    assert_true(mp_role_may("user", "assets.own"));
    assert_true(mp_role_may("user", "assets.write")); /* its own: access.h asks whose it is */
    assert_false(mp_role_may("user", "assets.all"));
    assert_true(mp_role_may("operator", "assets.all"));
    assert_false(mp_role_may("user", "users.read"));
    assert_false(mp_role_may("guest", "assets.write"));
    assert_true(mp_role_may("guest", "assets.read"));
    assert_false(mp_role_may("guest", "assets.own"));
    assert_false(mp_role_may("nobody", "assets.read"));
}

static void scopes_narrow_what_a_role_may(void **state)
{
    (void)state;
    static const struct {
        const char *role, *scopes, *permission;
        bool may;
    } cases[] = {
        {"admin", NULL, "assets.write", true},
        {"admin", "assets.read", "assets.write", false},
        {"admin", "assets.read", "assets.read", true},
        {"admin", "assets.own", "assets.read", true},
        {"user", NULL, "assets.read", true},
        {"user", "*", "assets.read", true},
        {"user", "assets.read", "assets.read", true},
        {"user", "assets.read", "assets.write", false},
        {"user", "projects.*", "assets.read", false},
        {"guest", NULL, "assets.read", true},
        {"guest", "*", "assets.write", false},
        {"user", "", "assets.read", false},
        {"user", "*", "users.read", false},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_request r = {.user = {.role = cases[i].role}, .scopes = cases[i].scopes};
        if (mp_request_may(&r, cases[i].permission) != cases[i].may)
            fail_msg("case %zu", i);
    }
}

/* ---- live ---- */

typedef struct live {
    magpie *library;
    mp_http *http;
    char folder[64];
} live;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static int start(void **state)
{
    mp_why why;
    magpie_why outer;
    live *l = mp_xcalloc(1, sizeof *l);
    snprintf(l->folder, sizeof l->folder, "/tmp/test-http-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    magpie_options opt = {.library = l->folder, .model = "builtin", .create = true};
    assert_int_equal(magpie_open(&l->library, &opt, &outer), MAGPIE_OK);
    mp_http_options o = {.address = "127.0.0.1", .workers = 2, .library = l->library};
    assert_ok(mp_http_open(&l->http, &o, &why));
    *state = l;
    return 0;
}

static int stop(void **state)
{
    live *l = *state;
    mp_http_close(l->http);
    magpie_close(l->library);
    nftw(l->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(l);
    return 0;
}

/* The status that a path gives; 0 when nothing comes back. */
static int ask(int port, const char *path)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char text[2048];
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    ssize_t got = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && write(fd, text, (size_t)n) == n)
        got = recv(fd, text, sizeof text - 1, MSG_WAITALL);
    text[MP_MAX(got, 0)] = '\0';
    if (sscanf(text, "HTTP/1.1 %d", &status) != 1)
        status = 0;
    close(fd);
    return status;
}

static void *ask_often(void *context)
{
    const live *l = context;
    static const char *const paths[] = {"/health", "/health/ready", "/health/dependencies",
                                        "/metrics"};
    size_t right = 0;
    for (size_t i = 0; i < 40; i++)
        right += ask(mp_http_port(l->http), paths[i % MP_COUNT(paths)]) == 200;
    return (void *)(uintptr_t)right;
}

static void many_ask_at_once(void **state)
{
    live *l = *state;
    pthread_t thread[6];
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_often, l), 0);
    for (size_t i = 0; i < MP_COUNT(thread); i++) {
        void *right;
        assert_int_equal(pthread_join(thread[i], &right), 0);
        assert_int_equal((uintptr_t)right, 40);
    }
}

static void draining_refuses_the_new(void **state)
{
    live *l = *state;
    assert_int_equal(ask(mp_http_port(l->http), "/health"), 200);
    assert_true(mp_http_drain(l->http, 5000));
    assert_int_equal(ask(mp_http_port(l->http), "/health"), 0);
    assert_true(mp_http_drain(l->http, 0)); /* again is fine */
}

/* In place of the C library's, also for libmicrohttpd: whoever takes a listening socket out of a
 * set is slow at it, so that who else does so at the same time meets it. */
__attribute__((visibility("default"))) int epoll_ctl(int set, int what, int fd,
                                                     struct epoll_event *event)
{
    int listening = 0;
    socklen_t n = sizeof listening;
    if (what == EPOLL_CTL_DEL && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 &&
        listening)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return (int)syscall(SYS_epoll_ctl, set, what, fd, event);
}

typedef struct crowd {
    int port;
    _Atomic bool over;
} crowd;

static void *ask_until_over(void *context)
{
    crowd *c = context;
    size_t answered = 0;
    while (!atomic_load(&c->over))
        answered += ask(c->port, "/health") == 200;
    return (void *)(uintptr_t)answered;
}

/* While connections come in, too. */
static void draining_while_many_come(void **state)
{
    enum { ROUNDS = 10, ASKERS = 4 };
    live *l = *state;
    mp_why why;
    size_t answered = 0;
    for (int round = 0; round < ROUNDS; round++) {
        mp_http_options o = {
            .address = "127.0.0.1", .workers = 2, .threads = 8, .library = l->library};
        pthread_t thread[ASKERS];
        mp_http_close(l->http);
        assert_ok(mp_http_open(&l->http, &o, &why));
        crowd c = {.port = mp_http_port(l->http)};
        for (size_t i = 0; i < ASKERS; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, ask_until_over, &c), 0);
        nanosleep(&(struct timespec){.tv_nsec = (5 + round % 7) * 1000000}, NULL);
        assert_true(mp_http_drain(l->http, 5000));
        assert_int_equal(ask(c.port, "/health"), 0);
        atomic_store(&c.over, true);
        for (size_t i = 0; i < ASKERS; i++) {
            void *n;
            assert_int_equal(pthread_join(thread[i], &n), 0);
            answered += (uintptr_t)n;
        }
    }
    assert_true(answered > 0);
}

/* The status of a JSON post; the answer in `out`. */
static int post(int port, const char *path, const char *body, char *out, size_t cap)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char text[1024];
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    ssize_t got = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int n = snprintf(text, sizeof text,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "X-Request-Id: same\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     path, strlen(body), body);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && write(fd, text, (size_t)n) == n)
        got = recv(fd, out, cap - 1, MSG_WAITALL);
    out[MP_MAX(got, 0)] = '\0';
    if (sscanf(out, "HTTP/1.1 %d", &status) != 1)
        status = 0;
    char *end = strstr(out, "\r\n\r\n");
    memmove(out, end ? end + 4 : "", strlen(end ? end + 4 : "") + 1);
    close(fd);
    return status;
}

typedef struct mailbox {
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t came;
    char text[1024];
} mailbox;

static mp_err deliver(void *context, const char *to, const char *subject, const char *text,
                      mp_why *why)
{
    mailbox *box = context;
    (void)why;
    pthread_mutex_lock(&box->mutex);
    snprintf(box->text, sizeof box->text, "%s|%s|%s", to, subject, text);
    pthread_cond_signal(&box->came);
    pthread_mutex_unlock(&box->mutex);
    return MP_OK;
}

/* One answer whether the address is somebody's or not; the mail's token sets a password, once. */
static void a_forgotten_password_is_renewed_by_mail(void **state)
{
    live *l = *state;
    mp_why why;
    mailbox box = {.mutex = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    char known[4096], unknown[4096], body[256];
    mp_http_options o = {.address = "127.0.0.1",
                         .workers = 2,
                         .library = l->library,
                         .send_mail = deliver,
                         .mail_context = &box,
                         .reset_url = "#"};
    mp_http_close(l->http);
    assert_ok(mp_http_open(&l->http, &o, &why));
    int port = mp_http_port(l->http);
    static const char ada[] =
        "{\"username\":\"ada\",\"email\":\"ada@x.org\",\"password\":\"long enough\"}";
    assert_int_equal(post(port, "/api/auth/register", ada, known, sizeof known), 201);
    static const char forgot[] = "/api/auth/password/forgot", reset[] = "/api/auth/password/reset";
    assert_int_equal(post(port, forgot, "{\"email\":\"no@x.org\"}", unknown, sizeof unknown), 202);
    assert_int_equal(post(port, forgot, "{\"email\":\"ada@x.org\"}", known, sizeof known), 202);
    assert_string_equal(known, unknown);
    pthread_mutex_lock(&box.mutex);
    while (!*box.text)
        pthread_cond_wait(&box.came, &box.mutex);
    assert_int_equal(strncmp(box.text, "ada@x.org|", 10), 0);
    snprintf(body, sizeof body, "{\"token\":\"%.64s\",\"new_password\":\"another one\"}",
             strchr(box.text, '#') + 1);
    pthread_mutex_unlock(&box.mutex);
    assert_int_equal(post(port, reset, body, known, sizeof known), 204);
    assert_int_equal(post(port, reset, body, known, sizeof known), 403);
    static const char login[] = "{\"username\":\"ada\",\"password\":\"another one\"}";
    assert_int_equal(post(port, "/api/auth/login", login, known, sizeof known), 200);
}

static void bad_addresses_are_refused(void **state)
{
    (void)state;
    mp_http *h;
    mp_why why;
    mp_http_options o = {.address = "localhost"};
    assert_int_equal(mp_http_open(&h, &o, &why), MP_INVALID);
    assert_null(h);
    o.address = "192.0.2.1"; /* of no machine (RFC 5737) */
    assert_int_equal(mp_http_open(&h, &o, &why), MP_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(every_route_can_be_reached),
        cmocka_unit_test(queries_are_decoded),
        cmocka_unit_test(tries_are_counted_by_name),
        cmocka_unit_test(roles_may_what_their_table_says),
        cmocka_unit_test(scopes_narrow_what_a_role_may),
        cmocka_unit_test_setup_teardown(many_ask_at_once, start, stop),
        cmocka_unit_test_setup_teardown(draining_refuses_the_new, start, stop),
        cmocka_unit_test_setup_teardown(draining_while_many_come, start, stop),
        cmocka_unit_test_setup_teardown(a_forgotten_password_is_renewed_by_mail, start, stop),
        cmocka_unit_test(bad_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
