/* Exports that are refused, stopped, out of room, or not alone. */
#include "library.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static mp_err export_fails(fixture *f, const mp_export_options *opt, int fd)
{
    mp_why why = {""};
    mp_export_report report;
    mp_err err = mp_export_write(f->m, opt, fd, &report, &why);
    assert_true(err == MP_OK || *why.text);
    assert_scratch_is_empty(f);
    return err;
}

static void senseless_options_are_refused(void **state)
{
    fixture *f = *state;
    int64_t id = 1;
    mp_export_options opt = {.scratch = f->scratch};
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID); /* nothing to export */
    opt.manifests = 64;
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.manifests = MP_EXPORT_JSON;
    opt.where = "nonsense:";
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.where = "tag:a";
    opt.ids = &id;
    opt.n_ids = 1;
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.ids = NULL;
    opt.scratch = "/tmp/magpie-no-such-folder";
    assert_int_equal(mp_export_write(f->m, &opt, f->fd, NULL, NULL), MP_NOT_FOUND);
    assert_int_equal(lseek(f->fd, 0, SEEK_END), 0); /* not a byte was written */
}

typedef struct stopper {
    uint64_t calls, stop_at;
    magpie_progress last;
} stopper;

static bool stop_at(void *context, const magpie_progress *p)
{
    stopper *s = context;
    assert_true(p->done >= s->last.done && p->bytes >= s->last.bytes);
    s->last = *p;
    return ++s->calls == s->stop_at;
}

/* Every call may be the one that stops it. */
static void an_export_can_be_stopped(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_err err = MP_CANCELLED;
    uint64_t calls = 0;
    static unzip u;
    opt.on_progress = stop_at;
    while (err == MP_CANCELLED) {
        stopper s = {.stop_at = ++calls};
        opt.context = &s;
        assert_int_equal(ftruncate(f->fd, 0), 0);
        assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
        err = export_fails(f, &opt, f->fd);
        assert_string_equal(s.last.stage, "export");
        bool whole = unzip_read(&u, f->fd);
        assert_true(whole == (err == MP_OK));
        unzip_free(&u);
        if (err == MP_OK)
            assert_int_equal(s.last.done, f->n);
    }
    assert_int_equal(err, MP_OK);
    assert_true(calls > f->n + 3);
}

static void a_full_disk_is_told(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_int_equal(export_fails(f, &opt, full), MP_FULL);
    close(full);
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(export_fails(f, &opt, closed), MP_IO);
    close(closed);
}

/* At each size the file may reach: an error, never a crash, and then the whole. */
static void a_file_that_may_not_grow(void **state)
{
    fixture *f = *state;
    mp_export_options opt = {.vectors = true,
                             .thumbnails = true,
                             .manifests = MP_EXPORT_JSON | MP_EXPORT_COCO,
                             .scratch = f->scratch};
    struct rlimit before, now;
    mp_err err = MP_FULL;
    int failed = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(export_fails(f, &opt, f->fd), MP_OK); /* the thumbnails are kept by now */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t limit = 0; err != MP_OK; limit += 9973) {
        assert_int_equal(ftruncate(f->fd, 0), 0);
        assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
        now = before;
        now.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        mp_why why = {""};
        err = mp_export_write(f->m, &opt, f->fd, NULL, &why);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (err && err != MP_FULL)
            fail_msg("at %llu: %s", (unsigned long long)limit, why.text);
        failed += err != MP_OK;
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_true(failed > 3);
}

/* ---- beside others ---- */

static void *drain(void *context)
{
    char chunk[4096];
    size_t *bytes = context;
    ssize_t got;
    int fd = (int)*bytes;
    *bytes = 0;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        *bytes += (size_t)got;
    return NULL;
}

static void a_pipe_will_do(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_export_report report;
    mp_why why;
    int ends[2];
    pthread_t reader;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    size_t bytes = (size_t)ends[0];
    assert_int_equal(pthread_create(&reader, NULL, drain, &bytes), 0);
    assert_ok(mp_export_write(f->m, &opt, ends[1], &report, &why));
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    assert_int_equal(bytes, report.bytes);
}

static void *export_again(void *context)
{
    fixture *f = context;
    mp_export_options opt = everything(f);
    mp_export_report report;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 5; i++)
        if (mp_export_write(f->m, &opt, null, &report, NULL) || report.images + report.skipped < 4)
            return f;
    close(null);
    return NULL;
}

static void exports_run_beside_each_other_and_writers(void **state)
{
    fixture *f = *state;
    magpie_why outer;
    pthread_t thread[3];
    static const char *const tag = "added";
    void *failed;
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, export_again, f), 0);
    for (int64_t id = f->first; id < f->first + 6; id++) {
        assert_fine(magpie_tag(f->m, &id, 1, &tag, 1, NULL, 0, &outer));
        assert_fine(magpie_remove(f->m, &id, 1, NULL, &outer));
    }
    for (size_t i = 0; i < MP_COUNT(thread); i++) {
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(senseless_options_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_export_can_be_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_may_not_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exports_run_beside_each_other_and_writers, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
