/* The pool against workers that hang, crash, lie or are none; the sandbox from inside; threads;
 * what is left behind. */
#include "fixture.h"

#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const mp_decode_spec spec = {.analysis = true, .thumbnail = 64, .fit_long_side = 32};

static mp_bytes good_picture(void)
{
    mp_image im = fixture_image(90, 60);
    mp_bytes b;
    assert_true(fixture_encode(&im, ".png", &b));
    mp_image_free(&im);
    return b;
}

static mp_err commit(mp_decoder *d, const char *crime, mp_why *why)
{
    char ppm[100];
    mp_decoded out;
    int n = snprintf(ppm, sizeof ppm, "P6\n#%s\n1 1\n255\nabc", crime);
    mp_err err = mp_decode_bytes(d, (mp_span){(uint8_t *)ppm, (size_t)n}, &spec, &out, why);
    mp_decoded_free(&out);
    return err;
}

/* Processes whose parent we are; *pid: the last of them. */
static int children(pid_t *pid)
{
    int n = 0;
    DIR *dir = opendir("/proc");
    struct dirent *e;
    while ((e = readdir(dir))) {
        char path[300], state;
        int parent, id = atoi(e->d_name);
        snprintf(path, sizeof path, "/proc/%d/stat", id);
        FILE *f = id > 0 ? fopen(path, "re") : NULL;
        if (!f)
            continue;
        if (fscanf(f, "%*d (%*[^)]) %c %d", &state, &parent) == 2 && parent == getpid()) {
            n++;
            *pid = id;
        }
        fclose(f);
    }
    closedir(dir);
    return n;
}

static void the_sandbox_holds(void **state)
{
    (void)state;
    static const char *const crimes[] = {
        "open_read",   "open_write", "make_socket", "start_process", "signal_parent", "make_code",
        "raise_limit", "write_fd",   "remove_file", "take_memory",   "thread",        "old_thread"};
    mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 1, 20000);
    mp_why why;
    if (SANITIZED) {
        print_message("sanitizer builds have no seccomp filter: not tested\n");
    } else {
        for (size_t i = 0; i < MP_COUNT(crimes); i++) {
            assert_int_equal(commit(d, crimes[i], &why), MP_CORRUPT);
            if (!strstr(why.text, "held"))
                fail_msg("%s: %s", crimes[i], why.text);
        }
        assert_int_equal(commit(d, "run_program", &why), MP_CORRUPT);
        assert_non_null(strstr(why.text, "died: signal 31"));
    }
    mp_decoder_close(d);
}

/* All threads of a worker that has served are under the filter; it cannot be traced or dumped. */
static void every_thread_is_inside(void **state)
{
    (void)state;
    mp_bytes b = good_picture();
    mp_decoder *d = fixture_decoder(DECODE_WORKER, 1, 20000);
    mp_decoded out;
    mp_why why;
    pid_t pid = 0;
    assert_ok(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why));
    mp_decoded_free(&out);
    assert_int_equal(children(&pid), 1);
    char path[100], line[200];
    int threads = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    struct dirent *e;
    while (!SANITIZED && dir && (e = readdir(dir))) {
        char status[400];
        snprintf(status, sizeof status, "%s/%s/status", path, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(status, "re");
        while (f && fgets(line, sizeof line, f)) {
            int mode;
            if (sscanf(line, "Seccomp: %d", &mode) == 1) {
                assert_int_equal(mode, 2);
                threads++;
            }
            if (sscanf(line, "NoNewPrivs: %d", &mode) == 1)
                assert_int_equal(mode, 1);
        }
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    if (!SANITIZED)
        assert_true(threads >= 1);
    print_message("%d threads inside\n", threads);
    free(b.p);
    mp_decoder_close(d);
}

static void a_hanging_child_is_ended_at_its_deadline(void **state)
{
    (void)state;
    mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 1, 400);
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    pid_t pid = 0;
    mp_err err = MP_TIMEOUT; /* a slow machine may need longer than 0.4 s for the honest one */
    for (int i = 0; i < 20 && err == MP_TIMEOUT; i++)
        err = mp_decode_bytes(d, fixture_span(b), &spec, &out, &why);
    assert_ok(err);
    mp_decoded_free(&out);
    static const char *const ways[] = {"hang", "spin"};
    for (size_t i = 0; i < MP_COUNT(ways); i++) {
        double start = mp_monotonic_s();
        assert_int_equal(commit(d, ways[i], &why), MP_TIMEOUT);
        double took = mp_monotonic_s() - start;
        if (took < 0.39 || took > 3)
            fail_msg("%s took %.2f s", ways[i], took);
        assert_int_equal(children(&pid), 0);
        err = MP_TIMEOUT;
        for (int k = 0; k < 20 && err == MP_TIMEOUT; k++)
            err = mp_decode_bytes(d, fixture_span(b), &spec, &out, &why);
        assert_ok(err);
        mp_decoded_free(&out);
    }
    free(b.p);
    mp_decoder_close(d);
}

static void a_crash_ends_only_its_picture(void **state)
{
    (void)state;
    mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 2, 20000);
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(commit(d, "crash", &why), MP_CORRUPT);
        assert_non_null(strstr(why.text, SANITIZED ? "died" : "died: signal 11"));
        assert_int_equal(commit(d, "leave", &why), MP_CORRUPT);
        assert_non_null(strstr(why.text, "died: exit code 7"));
        assert_ok(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why));
        mp_decoded_free(&out);
    }
    free(b.p);
    mp_decoder_close(d);
}

/* A worker that the system kills while it idles must not cost the next picture. */
static void an_idle_child_may_die(void **state)
{
    (void)state;
    mp_decoder *d = fixture_decoder(DECODE_WORKER, 1, 20000);
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    pid_t pid = 0, second = 0;
    for (int i = 0; i < 3; i++) {
        assert_ok(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why));
        mp_decoded_free(&out);
        assert_int_equal(children(&pid), 1);
        assert_true(pid != second);
        second = pid;
        kill(pid, SIGKILL);
    }
    free(b.p);
    mp_decoder_close(d);
}

/* ---- liars ---- */

static char lies_dir[] = "/tmp/magpie-lies-XXXXXX";

static mp_decoder *liar(const char *name, int timeout_ms)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", lies_dir, name);
    unlink(path);
    assert_int_equal(symlink(LYING_WORKER, path), 0);
    return fixture_decoder(path, 1, timeout_ms);
}

static void lies_are_noticed(void **state)
{
    (void)state;
    static const char *const lies[] = {"wide",
                                       "flat",
                                       "negative",
                                       "no_format",
                                       "odd_format",
                                       "no_frames",
                                       "big_fitted",
                                       "minus_fitted",
                                       "nan",
                                       "year",
                                       "big_thumbnail",
                                       "minus_thumbnail",
                                       "thumbnail_is_no_webp",
                                       "short",
                                       "long",
                                       "hang_up"};
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(lies); i++) {
        mp_decoder *d = liar(lies[i], 20000);
        double start = mp_monotonic_s();
        mp_err err = mp_decode_bytes(d, fixture_span(b), &spec, &out, &why);
        if (err != MP_CORRUPT || !strstr(why.text, "nonsense"))
            fail_msg("%s: %s %s", lies[i], mp_err_word(err), why.text);
        assert_true(mp_monotonic_s() - start < 10);
        assert_true(!out.fitted.px && !out.thumbnail);
        mp_decoder_close(d);
    }
    free(b.p);
}

static void exif_of_a_child_is_harmless(void **state)
{
    (void)state;
    static const mp_decode_spec header = {.header = true};
    mp_bytes b = good_picture();
    mp_decoder *d = liar("exif", 20000);
    mp_decoded out;
    mp_why why;
    assert_ok(mp_decode_bytes(d, fixture_span(b), &header, &out, &why));
    assert_int_equal(strlen(out.exif.make), sizeof out.exif.make - 1);
    assert_string_equal(out.exif.model, "A[1m\xc3\xa9");
    assert_string_equal(out.exif.lens, "");
    assert_string_equal(out.exif.copyright, "");
    assert_true(isnan(out.exif.f_number) && isnan(out.exif.iso) && isnan(out.exif.altitude_m));
    assert_true(isnan(out.exif.latitude) && isnan(out.exif.longitude));
    assert_true(out.exif.exposure_s > 0.49 && out.exif.exposure_s < 0.51);
    mp_decoder_close(d);
    free(b.p);
}

static void words_of_a_child_are_harmless(void **state)
{
    (void)state;
    mp_bytes b = good_picture();
    mp_decoder *d = liar("words", 20000);
    mp_decoded out;
    mp_why why;
    assert_int_equal(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why), MP_CORRUPT);
    for (const char *p = why.text; *p; p++)
        assert_true(*p >= 0x20 && *p <= 0x7e);
    mp_decoder_close(d);
    free(b.p);
}

static void a_death_in_a_used_child_is_tried_again(void **state)
{
    (void)state;
    mp_bytes b = good_picture();
    mp_decoder *d = liar("second", 20000);
    mp_decoded out;
    mp_why why;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why), MP_TOO_BIG);
        assert_string_equal(why.text, "served");
    }
    mp_decoder_close(d);
    free(b.p);
}

static void what_is_no_decoder(void **state)
{
    (void)state;
    static const char *const paths[] = {"/bin/true", "/bin/cat", "/nonexistent/magpie", "/etc"};
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(paths); i++) {
        mp_decoder *d = fixture_decoder(paths[i], 1, 20000);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why), MP_INTERNAL);
            assert_non_null(strstr(why.text, paths[i]));
        }
        mp_decoder_close(d);
    }
    static const char *const liars[] = {"other_version", "no_sandbox"};
    for (size_t i = 0; i < MP_COUNT(liars); i++) {
        mp_decoder *d = liar(liars[i], 20000);
        assert_int_equal(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why), MP_INTERNAL);
        mp_decoder_close(d);
    }
    assert_non_null(strstr(why.text, "seccomp: not here"));
    free(b.p);
    mp_decoder *d;
    mp_decoder_options bad = {.decoder = "/bin/true", .workers = 0, .timeout_ms = 1};
    assert_int_equal(mp_decoder_open(&d, &bad, &why), MP_INVALID);
    assert_null(d);
    mp_decoder_close(NULL);
}

/* ---- hosts ---- */

typedef struct job {
    mp_decoder *d;
    mp_bytes b;
    uint64_t hash;
    int wrong, crashes, rounds;
} job;

static void *decode_many(void *context)
{
    job *j = context;
    mp_decoded out;
    mp_why why;
    for (int i = 0; i < j->rounds; i++) {
        mp_err err = mp_decode_bytes(j->d, fixture_span(j->b), &spec, &out, &why);
        if (err || out.phash[0] != j->hash)
            j->wrong++;
        mp_decoded_free(&out);
        if (i % 10 == 3 && commit(j->d, "crash", &why) == MP_CORRUPT)
            j->crashes++;
    }
    return NULL;
}

/* More threads than workers, and workers that crash between the good pictures. */
static void many_threads(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 3, 60000);
    mp_bytes b = good_picture();
    mp_image im = fixture_image(90, 60);
    pthread_t thread[THREADS];
    job jobs[THREADS];
    pid_t pid;
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){d, b, mp_phash(&im), 0, 0, SANITIZED ? 6 : 20};
        assert_int_equal(pthread_create(&thread[i], NULL, decode_many, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(jobs[i].wrong, 0);
        assert_int_equal(jobs[i].crashes, SANITIZED ? 1 : 2);
    }
    assert_true(children(&pid) <= 3);
    mp_decoder_close(d);
    assert_int_equal(children(&pid), 0);
    free(b.p);
    mp_image_free(&im);
}

/* The thread that started a worker may end before it. */
static void workers_outlive_the_thread_that_started_them(void **state)
{
    (void)state;
    mp_image im = fixture_image(90, 60);
    mp_decoder *d = fixture_decoder(DECODE_WORKER, 1, 20000);
    job j = {d, good_picture(), mp_phash(&im), 0, 0, 1};
    pid_t first = 0, later = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, decode_many, &j), 0);
    pthread_join(thread, NULL);
    assert_int_equal(children(&first), 1);
    usleep(50000);
    decode_many(&j);
    assert_int_equal(children(&later), 1);
    assert_true(first == later && j.wrong == 0);
    mp_decoder_close(d);
    free(j.b.p);
    mp_image_free(&im);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    int before = fixture_open_descriptors();
    for (int i = 0; i < 5; i++) {
        mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 2, 20000);
        assert_ok(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why));
        mp_decoded_free(&out);
        commit(d, "crash", &why);
        mp_decoder_close(d);
        d = fixture_decoder("/bin/true", 1, 20000);
        assert_int_equal(mp_decode_bytes(d, fixture_span(b), &spec, &out, &why), MP_INTERNAL);
        mp_decoder_close(d);
    }
    assert_int_equal(fixture_open_descriptors(), before);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    free(b.p);
}

/* Signals ignored or blocked, children reaped by someone else, standard streams closed. */
static void odd_hosts(void **state)
{
    (void)state;
    mp_bytes b = good_picture();
    mp_decoded out;
    mp_why why;
    sigset_t all, old;
    int keep[3];
    struct sigaction before;
    sigaction(SIGCHLD, NULL, &before);
    signal(SIGCHLD, SIG_IGN);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    for (int fd = 0; fd < 3; fd++) {
        keep[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        close(fd);
    }
    mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 1, 20000);
    mp_err first = mp_decode_bytes(d, fixture_span(b), &spec, &out, &why);
    mp_decoded_free(&out);
    mp_err crash = commit(d, "crash", &why);
    mp_err second = mp_decode_bytes(d, fixture_span(b), &spec, &out, &why);
    mp_decoded_free(&out);
    mp_decoder_close(d);
    for (int fd = 0; fd < 3; fd++) {
        dup2(keep[fd], fd);
        close(keep[fd]);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    sigaction(SIGCHLD, &before, NULL);
    assert_int_equal(first, MP_OK);
    assert_int_equal(crash, MP_CORRUPT);
    assert_int_equal(second, MP_OK);
    free(b.p);
}

/* A child in the midst of a picture ends as soon as its parent is gone. */
static void children_die_with_their_parent(void **state)
{
    (void)state;
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t host = fork();
    if (host == 0) {
        mp_decoder *d = fixture_decoder(HOSTILE_WORKER, 1, 600000);
        pthread_t thread;
        job j = {.d = d, .rounds = 0};
        mp_why why;
        pid_t pid = 0;
        commit(d, "open_read", &why); /* it has started now */
        children(&pid);
        (void)!write(told[1], &pid, sizeof pid);
        pthread_create(&thread, NULL, decode_many, &j);
        commit(d, "hang", &why);
        _exit(0);
    }
    pid_t child = 0;
    assert_int_equal(read(told[0], &child, sizeof child), sizeof child);
    assert_true(child > 0 && kill(child, 0) == 0);
    usleep(300000); /* it hangs now */
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    char path[64];
    bool gone = false;
    snprintf(path, sizeof path, "/proc/%d/exe", child);
    for (int i = 0; i < 200 && !gone; i++) {
        char exe[8];
        usleep(10000);
        gone = readlink(path, exe, sizeof exe) < 0; /* a zombie has none either */
    }
    assert_true(gone);
    close(told[0]);
    close(told[1]);
}

static int make_lies_dir(void **state)
{
    (void)state;
    return mkdtemp(lies_dir) ? 0 : 1;
}

static int remove_lies_dir(void **state)
{
    (void)state;
    DIR *dir = opendir(lies_dir);
    struct dirent *e;
    while (dir && (e = readdir(dir)))
        unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    return rmdir(lies_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sandbox_holds),
        cmocka_unit_test(every_thread_is_inside),
        cmocka_unit_test(a_hanging_child_is_ended_at_its_deadline),
        cmocka_unit_test(a_crash_ends_only_its_picture),
        cmocka_unit_test(an_idle_child_may_die),
        cmocka_unit_test(lies_are_noticed),
        cmocka_unit_test(exif_of_a_child_is_harmless),
        cmocka_unit_test(words_of_a_child_are_harmless),
        cmocka_unit_test(a_death_in_a_used_child_is_tried_again),
        cmocka_unit_test(what_is_no_decoder),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(workers_outlive_the_thread_that_started_them),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(odd_hosts),
        cmocka_unit_test(children_die_with_their_parent),
    };
    return cmocka_run_group_tests(tests, make_lies_dir, remove_lies_dir);
}
