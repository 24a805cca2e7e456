/* The exchange behind everything: methods, headers, bodies both ways; and the signed webhook. */
#include "../test.h"

#include "net/hook.h"
#include "server.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The path says what to answer: /<status>, /big, /stall. */
static void answer(server *s, int c)
{
    static const char block[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char head[1 << 16], path[64] = "";
    if (!server_request(s, c, head, sizeof head) || sscanf(head, "%*s %63s", path) != 1)
        return;
    int nth = atomic_fetch_add(&s->asked, 1);
    if (strcmp(path, "/stall") == 0) {
        server_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
        server_wait(s, c);
    } else if (strcmp(path, "/big") == 0) {
        server_say(c, "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n");
        for (int i = 0; i < 3000; i++)
            server_say(c, "%s", block);
    } else if (strcmp(path, "/then") == 0 && nth == 0)
        server_say(c, "HTTP/1.1 503 No\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlater");
    else
        server_say(c,
                   "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
                   "Connection: close\r\n\r\n%s",
                   path[1] >= '1' && path[1] <= '9' ? atoi(path + 1) : 200,
                   strncmp(head, "HEAD", 4) == 0 ? "" : "body");
}

typedef struct world {
    server server;
    char authority[32], url[64];
    const char *one;
    mp_net_allow allow;
    mp_buf text;
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
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    server_stop(&w->server);
    mp_buf_free(&w->text);
    free(w);
    mp_net_exit();
    return 0;
}

static mp_net_ask ask_of(world *w, const char *method, const char *path)
{
    snprintf(w->url, sizeof w->url, "http://%s%s", w->authority, path);
    return (mp_net_ask){.method = method, .url = w->url, .any_address = true, .timeout_ms = 5000};
}

static mp_span span_of(const char *text)
{
    return (mp_span){(const uint8_t *)text, strlen(text)};
}

static int file_of(const char *text)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void methods_and_headers_go_out(void **state)
{
    world *w = *state;
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "PUT", "PATCH"};
    static const char *const headers[] = {"Authorization: Bearer abc", "User-Agent: other/1"};
    for (size_t i = 0; i < MP_COUNT(methods); i++) {
        mp_why why;
        mp_net_answer out;
        char line[64];
        mp_net_sink to = {.fd = -1, .text = &w->text};
        mp_net_ask ask = ask_of(w, methods[i], "/x?y=z#part");
        ask.headers = headers;
        ask.n_headers = MP_COUNT(headers);
        assert_ok(mp_net_request(&ask, &to, &out, &why));
        assert_int_equal(out.status, 200);
        assert_string_equal(out.content_type, "text/plain");
        assert_string_equal(w->text.p ? w->text.p : "", i == 1 ? "" : "body");
        snprintf(line, sizeof line, "%s /x?y=z HTTP/1.1\r\n", methods[i]);
        char *heard = server_heard(&w->server);
        assert_int_equal(strncmp(heard, line, strlen(line)), 0);
        assert_non_null(strstr(heard, "\r\nAuthorization: Bearer abc\r\n"));
        assert_non_null(strstr(heard, "\r\nUser-Agent: other/1\r\n"));
        free(heard);
        mp_buf_free(&w->text);
    }
}

static void what_could_split_a_request_is_refused(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    static const char *const headers[] = {"A: b\r\nC: d", "A: b\nC: d", "A: b\r", "no colon",
                                          ": no name",    "",           "A: \x7F"};
    static const char *const methods[] = {"", "get", "GET /x", "GET\r\n", "G\xC3\xA9T"};
    for (size_t i = 0; i < MP_COUNT(headers); i++) {
        mp_net_ask ask = ask_of(w, "GET", "/");
        ask.headers = &headers[i];
        ask.n_headers = 1;
        assert_int_equal(mp_net_request(&ask, NULL, &out, &why), MP_INVALID);
    }
    for (size_t i = 0; i < MP_COUNT(methods); i++) {
        mp_net_ask ask = ask_of(w, methods[i], "/");
        assert_int_equal(mp_net_request(&ask, NULL, &out, &why), MP_INVALID);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 0);
}

static void a_status_is_the_callers_to_judge(void **state)
{
    world *w = *state;
    static const struct {
        int status;
        mp_err err;
    } cases[] = {{200, MP_OK},          {204, MP_OK},   {301, MP_UNSUPPORTED},
                 {308, MP_UNSUPPORTED}, {304, MP_IO},   {400, MP_IO},
                 {401, MP_IO},          {407, MP_IO},   {404, MP_NOT_FOUND},
                 {410, MP_NOT_FOUND},   {429, MP_BUSY}, {500, MP_IO}};
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_why why;
        mp_net_answer out;
        char path[16];
        snprintf(path, sizeof path, "/%d", cases[i].status);
        mp_net_ask ask = ask_of(w, "GET", path);
        assert_ok(mp_net_request(&ask, NULL, &out, &why));
        assert_int_equal(out.status, cases[i].status);
        assert_int_equal(mp_net_judge(out.status, &why), cases[i].err);
    }
}

static void a_file_takes_what_is_good_and_text_the_rest(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    int fd = file_of("old ");
    char got[16] = "";
    assert_int_equal(lseek(fd, 0, SEEK_END), 4);
    mp_net_sink to = {.fd = fd, .text = &w->text};
    mp_net_ask ask = ask_of(w, "GET", "/404");
    assert_ok(mp_net_request(&ask, &to, &out, &why));
    assert_string_equal(w->text.p, "body");
    assert_int_equal(lseek(fd, 0, SEEK_END), 4);
    ask = ask_of(w, "GET", "/then"); /* once 503, then 200 */
    ask.tries = 2;
    atomic_store(&w->server.asked, 0);
    assert_ok(mp_net_request(&ask, &to, &out, &why));
    assert_int_equal(out.tries, 2);
    assert_string_equal(w->text.p, "");
    assert_int_equal(pread(fd, got, sizeof got - 1, 0), 8);
    assert_string_equal(got, "old body");
    close(fd);
}

static void of_a_failure_only_the_beginning_is_kept(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    mp_net_sink to = {.fd = -1, .text = &w->text};
    mp_net_ask ask = ask_of(w, "GET", "/big");
    assert_ok(mp_net_request(&ask, &to, &out, &why));
    assert_int_equal(out.status, 400);
    assert_int_equal(w->text.n, 64 * 1024);
    ask = ask_of(w, "GET", "/200");
    to.max_bytes = 3;
    assert_int_equal(mp_net_request(&ask, &to, &out, &why), MP_TOO_BIG);
    assert_int_equal(w->text.n, 0);
}

static void a_stall_ends_a_transfer_without_a_deadline(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    mp_net_ask ask = ask_of(w, "GET", "/stall");
    ask.timeout_ms = -1;
    ask.stall_s = 1;
    assert_int_equal(mp_net_request(&ask, NULL, &out, &why), MP_TIMEOUT);
}

/* ---- uploads ---- */

static void bodies_go_out_from_memory_and_files(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    static const char *const json[] = {"Content-Type: application/json"};
    mp_net_ask ask = ask_of(w, "POST", "/");
    ask.headers = json;
    ask.n_headers = 1;
    ask.body = span_of("{\"a\":1}");
    assert_ok(mp_net_request(&ask, NULL, &out, &why));
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "POST / HTTP/1.1\r\n"));
    assert_non_null(strstr(heard, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(heard, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(heard, "\r\n\r\n{\"a\":1}"));
    free(heard);

    mp_net_upload up = {.fd = file_of("skipped, sent, not sent"), .bytes = 4};
    assert_int_equal(lseek(up.fd, 9, SEEK_SET), 9);
    ask.body = (mp_span){0};
    ask.upload = &up;
    assert_ok(mp_net_request(&ask, NULL, &out, &why));
    heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "POST / HTTP/1.1\r\n"));
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\nsent");
    free(heard);
    close(up.fd);
}

static void an_upload_is_sent_again_from_its_start(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    mp_net_upload up = {.fd = file_of("..twice"), .bytes = 5};
    assert_int_equal(lseek(up.fd, 2, SEEK_SET), 2);
    mp_net_ask ask = ask_of(w, "PUT", "/then");
    ask.upload = &up;
    ask.tries = 2;
    assert_ok(mp_net_request(&ask, NULL, &out, &why));
    assert_int_equal(out.tries, 2);
    char *heard = server_heard(&w->server), *first = strstr(heard, "\r\n\r\ntwice");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "\r\n\r\ntwice"));
    free(heard);
    close(up.fd);
}

static void a_file_that_shrank_is_an_error(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    mp_net_upload up = {.fd = file_of("few"), .bytes = 4000};
    mp_net_ask ask = ask_of(w, "PUT", "/");
    ask.upload = &up;
    assert_int_equal(mp_net_request(&ask, NULL, &out, &why), MP_IO);
    assert_non_null(strstr(why.text, "shorter"));
    close(up.fd);
}

static void a_pipe_cannot_be_sent_again(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    mp_net_upload up = {.fd = ends[0], .bytes = 5};
    mp_net_ask ask = ask_of(w, "PUT", "/then");
    ask.upload = &up;
    ask.tries = 3;
    assert_int_equal(mp_net_request(&ask, NULL, &out, &why), MP_IO);
    assert_int_equal(out.tries, 1);
    assert_int_equal(out.status, 503);
    close(ends[0]);
}

static void a_stream_without_a_length_goes_in_chunks(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    mp_net_upload up = {.fd = ends[0], .bytes = -1};
    mp_net_ask ask = ask_of(w, "PUT", "/");
    ask.upload = &up;
    assert_ok(mp_net_request(&ask, NULL, &out, &why));
    assert_int_equal(out.status, 200);
    char *heard = server_heard(&w->server);
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\n5\r\npiped\r\n0\r\n\r\n");
    free(heard);
    close(ends[0]);
}

/* A client must not die of SIGPIPE, nor change what the process does about it. */
static void signals_are_as_before(void **state)
{
    world *w = *state;
    mp_net_answer out;
    sigset_t before, after;
    struct sigaction action;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    mp_net_ask ask = ask_of(w, "GET", "/");
    assert_int_equal(mp_net_request(&ask, NULL, &out, NULL), MP_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
}

/* ---- webhooks ---- */

/* RFC 2104 by the letter, from the hash alone. */
static void hmac(mp_span key, const char *text, char hex[65])
{
    uint8_t block[64] = {0}, inner[32], outer[32], pad[64];
    crypto_hash_sha256_state state;
    if (key.n > sizeof block)
        crypto_hash_sha256(block, key.p, key.n);
    else
        memcpy(block, key.p, key.n);
    for (int i = 0; i < 64; i++)
        pad[i] = block[i] ^ 0x36;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, pad, 64);
    crypto_hash_sha256_update(&state, (const uint8_t *)text, strlen(text));
    crypto_hash_sha256_final(&state, inner);
    for (int i = 0; i < 64; i++)
        pad[i] = block[i] ^ 0x5C;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, pad, 64);
    crypto_hash_sha256_update(&state, inner, 32);
    crypto_hash_sha256_final(&state, outer);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", outer[i]);
}

static mp_hook hook_of(world *w, const char *path)
{
    snprintf(w->url, sizeof w->url, "http://%s%s", w->authority, path);
    return (mp_hook){.url = w->url,
                     .secret = span_of("a secret"),
                     .event = "asset.created",
                     .delivery = "d-1",
                     .body = span_of("{\"id\":7}"),
                     .allow = &w->allow};
}

/* The value of a header that was heard. */
static void value_of(const char *heard, const char *name, char out[128])
{
    char format[64];
    const char *at = strcasestr(heard, name);
    assert_non_null(at);
    snprintf(format, sizeof format, "%s: %%127[^\r]", name);
    assert_int_equal(sscanf(at, format, out), 1);
}

static void a_hook_is_signed_by_its_secret(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    char stamp[128], signature[128], text[256], hex[65], expected[128];
    mp_hook hook = hook_of(w, "/200");
    assert_ok(mp_net_post(&hook, &out, &why));
    assert_int_equal(out.status, 200);
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "POST /200 HTTP/1.1\r\n"));
    assert_non_null(strstr(heard, "\r\nX-Magpie-Event: asset.created\r\n"));
    assert_non_null(strstr(heard, "\r\nX-Magpie-Delivery: d-1\r\n"));
    assert_non_null(strstr(heard, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(heard, "\r\n\r\n{\"id\":7}"));
    value_of(heard, "X-Magpie-Timestamp", stamp);
    value_of(heard, "X-Magpie-Signature", signature);
    free(heard);
    assert_true(llabs(atoll(stamp) - (long long)time(NULL)) < 60);
    snprintf(text, sizeof text, "%s.{\"id\":7}", stamp);
    hmac(hook.secret, text, hex);
    snprintf(expected, sizeof expected, "sha256=%s", hex);
    assert_string_equal(signature, expected);
}

/* Made once with another implementation: secret, 1700000000 and body fixed. */
static void a_signature_is_what_others_compute(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    char signature[128], key[200];
    mp_hook hook = hook_of(w, "/200");
    hook.timestamp_s = 1700000000;
    assert_ok(mp_net_post(&hook, &out, &why));
    char *heard = server_heard(&w->server);
    value_of(heard, "X-Magpie-Signature", signature);
    free(heard);
    assert_string_equal(signature,
                        "sha256="
                        "9728aeda60cfbffa04eb4cdb7a0962c0fd3b831b408baf38153c6a5bdf68079a");
    memset(key, 'k', sizeof key);
    hook.secret = (mp_span){(const uint8_t *)key, sizeof key};
    hook.body = (mp_span){0};
    assert_ok(mp_net_post(&hook, &out, &why));
    heard = server_heard(&w->server);
    value_of(heard, "X-Magpie-Signature", signature);
    assert_non_null(strstr(heard, "\r\nContent-Length: 0\r\n"));
    free(heard);
    assert_string_equal(signature,
                        "sha256="
                        "d348becc6ab58b6da28783a0101148c37b4bf2bb189204217d18ddaba4e2bf5b");
}

static void a_hook_fails_by_its_status(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    mp_hook hook = hook_of(w, "/410");
    assert_int_equal(mp_net_post(&hook, &out, &why), MP_NOT_FOUND);
    hook = hook_of(w, "/500");
    assert_int_equal(mp_net_post(&hook, &out, &why), MP_IO);
    assert_int_equal(out.tries, 1);
    hook = hook_of(w, "/302");
    assert_int_equal(mp_net_post(&hook, &out, &why), MP_UNSUPPORTED);
    hook = hook_of(w, "/then");
    hook.tries = 2;
    atomic_store(&w->server.asked, 0);
    assert_ok(mp_net_post(&hook, &out, &why));
    assert_int_equal(out.tries, 2);
}

static void a_hook_is_held_to_the_policy_and_its_words(void **state)
{
    world *w = *state;
    mp_why why;
    mp_net_answer out;
    static const char *const bad[] = {"", "a b", "a\r\nX: y", "\xC3\xA9"};
    mp_hook hook = hook_of(w, "/200");
    hook.allow = NULL;
    assert_int_equal(mp_net_post(&hook, &out, &why), MP_INVALID);
    hook = hook_of(w, "/200");
    hook.secret = (mp_span){0};
    assert_int_equal(mp_net_post(&hook, &out, &why), MP_INVALID);
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        hook = hook_of(w, "/200");
        hook.event = bad[i];
        assert_int_equal(mp_net_post(&hook, &out, &why), MP_INVALID);
        hook = hook_of(w, "/200");
        hook.delivery = bad[i];
        assert_int_equal(mp_net_post(&hook, &out, &why), MP_INVALID);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(methods_and_headers_go_out),
        TEST(what_could_split_a_request_is_refused),
        TEST(a_status_is_the_callers_to_judge),
        TEST(a_file_takes_what_is_good_and_text_the_rest),
        TEST(of_a_failure_only_the_beginning_is_kept),
        TEST(a_stall_ends_a_transfer_without_a_deadline),
        TEST(bodies_go_out_from_memory_and_files),
        TEST(an_upload_is_sent_again_from_its_start),
        TEST(a_file_that_shrank_is_an_error),
        TEST(a_pipe_cannot_be_sent_again),
        TEST(a_stream_without_a_length_goes_in_chunks),
        TEST(signals_are_as_before),
        TEST(a_hook_is_signed_by_its_secret),
        TEST(a_signature_is_what_others_compute),
        TEST(a_hook_fails_by_its_status),
        TEST(a_hook_is_held_to_the_policy_and_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
