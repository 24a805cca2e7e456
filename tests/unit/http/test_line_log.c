/* Lines that go out by themselves: none waits for who reads them. */
#include "../test.h"

#include "base/os.h"
#include "http/line_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 2000, THREADS = 4 };

static void *put_many(void *context)
{
    mp_line_log *l = context;
    for (int i = 0; i < LINES; i++)
        mp_line_log_put(l, mp_str_of("{\"msg\":\"request\"}\n"));
    return NULL;
}

static char *all_of(int fd, size_t *n)
{
    mp_buf text = {0};
    char piece[4096];
    for (ssize_t got; (got = read(fd, piece, sizeof piece)) > 0;)
        mp_buf_add(&text, piece, (size_t)got);
    *n = text.n;
    return text.p;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/magpie-log-XXXXXX", *text, *at;
    int fd = mkstemp(path), n_lines = 0;
    size_t n;
    pthread_t thread[THREADS];
    mp_line_log *l = mp_line_log_new(fd, 1024 * 1024);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, put_many, l), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    mp_line_log_free(l);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    text = all_of(fd, &n);
    for (at = text; *at; at = strchr(at, '\n') + 1, n_lines++)
        assert_int_equal(strncmp(at, "{\"msg\":\"request\"}\n", 18), 0);
    assert_int_equal(n_lines, LINES * THREADS);
    free(text);
    close(fd);
    unlink(path);
}

/* A pipe holds 64 KiB, and nobody reads it: what comes after 10 KiB more is counted, and said as
 * soon as somebody does. */
static void nobody_waits_for_a_reader(void **state)
{
    (void)state;
    int ends[2];
    char line[100], *text;
    size_t n;
    assert_int_equal(pipe(ends), 0);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    mp_line_log *l = mp_line_log_new(ends[1], 10 * 1024);
    for (int i = 0; i < 100; i++) { /* until both are full */
        for (int k = 0; k < 100; k++)
            mp_line_log_put(l, (mp_str){line, sizeof line});
        usleep(2000);
    }
    char *taken = malloc(64 * 1024);
    ssize_t got = read(ends[0], taken, 64 * 1024);
    assert_true(got > 0);
    usleep(300 * 1000);
    mp_line_log_put(l, (mp_str){line, sizeof line});
    usleep(300 * 1000);
    mp_line_log_free(l);
    close(ends[1]);
    text = all_of(ends[0], &n);
    assert_non_null(strstr(text, "lines were left out\",\"count\":"));
    free(taken);
    free(text);
    close(ends[0]);
}

static void a_reader_who_never_reads_does_not_hold_up_the_end(void **state)
{
    (void)state;
    int ends[2];
    char line[1000];
    assert_int_equal(pipe(ends), 0);
    memset(line, 'x', sizeof line);
    mp_line_log *l = mp_line_log_new(ends[1], 1024 * 1024);
    for (int i = 0; i < 500; i++)
        mp_line_log_put(l, (mp_str){line, sizeof line});
    double began = mp_monotonic_s();
    mp_line_log_free(l);
    assert_true(mp_monotonic_s() - began < 30);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_many_threads_stay_whole),
        cmocka_unit_test(nobody_waits_for_a_reader),
        cmocka_unit_test(a_reader_who_never_reads_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
