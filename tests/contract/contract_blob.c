/* What every blob store promises (blob.h). The store's URL comes from open_store: another back end
 * runs the same suite. */
#include "../unit/test.h"
#include "base/os.h"
#include "blob/blob.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct store {
    char dir[64];
    mp_blob *b;
} store;

static int set_up(void **state)
{
    mp_why why;
    char url[96];
    store *s = mp_xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-blob-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(url, sizeof url, "fs:%s", s->dir);
    *state = s;
    return mp_blob_open(&s->b, url, &why) ? -1 : 0;
}

static int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_blob_close(s->b);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s);
    return code;
}

static mp_span span_of(const char *text)
{
    return (mp_span){(const uint8_t *)text, strlen(text)};
}

static void what_is_put_is_got(void **state)
{
    store *s = *state;
    mp_why why;
    uint8_t *data;
    size_t n;
    uint64_t bytes;
    assert_ok(mp_blob_put(s->b, "thumbs/ab/x-256.webp", span_of("one"), MP_DERIVABLE, &why));
    assert_ok(mp_blob_put(s->b, "thumbs/ab/x-256.webp", span_of("three"), MP_DURABLE, &why));
    assert_ok(mp_blob_get(s->b, "thumbs/ab/x-256.webp", 0, &data, &n, &why));
    assert_int_equal(n, 5);
    assert_memory_equal(data, "three", 5);
    free(data);
    assert_ok(mp_blob_stat(s->b, "thumbs/ab/x-256.webp", &bytes, &why));
    assert_int_equal(bytes, 5);
    assert_int_equal(mp_blob_get(s->b, "thumbs/ab/x-256.webp", 4, &data, &n, &why), MP_TOO_BIG);
    assert_int_equal(mp_blob_get(s->b, "thumbs/ab/y", 0, &data, &n, &why), MP_NOT_FOUND);
    assert_null(data);
    assert_ok(mp_blob_delete(s->b, "thumbs/ab/x-256.webp", &why));
    assert_int_equal(mp_blob_delete(s->b, "thumbs/ab/x-256.webp", &why), MP_NOT_FOUND);
    assert_int_equal(mp_blob_stat(s->b, "thumbs/ab/x-256.webp", &bytes, &why), MP_NOT_FOUND);
}

static void empty_and_large_objects(void **state)
{
    store *s = *state;
    mp_why why;
    enum { LARGE = 3 * 1024 * 1024 + 7 };
    uint8_t *large = mp_xmalloc(LARGE), *back;
    size_t n;
    mp_random_bytes(large, LARGE);
    assert_ok(mp_blob_put(s->b, "empty", (mp_span){0}, MP_DURABLE, &why));
    assert_ok(mp_blob_get(s->b, "empty", 0, &back, &n, &why));
    assert_int_equal(n, 0);
    free(back);
    assert_ok(mp_blob_put(s->b, "large", (mp_span){large, LARGE}, MP_DURABLE, &why));
    int fd;
    uint64_t copied;
    assert_ok(mp_blob_open_fd(s->b, "large", &fd, &why));
    assert_ok(mp_blob_put_fd(s->b, "copy/of/large", fd, &copied, &why));
    close(fd);
    assert_int_equal(copied, LARGE);
    assert_ok(mp_blob_get(s->b, "copy/of/large", 0, &back, &n, &why));
    assert_int_equal(n, LARGE);
    assert_memory_equal(back, large, LARGE);
    free(back);
    free(large);
}

static void holds(store *s, const char *key, const char *text)
{
    mp_why why;
    uint8_t *data;
    size_t n;
    assert_ok(mp_blob_get(s->b, key, 0, &data, &n, &why));
    assert_int_equal(n, strlen(text));
    assert_memory_equal(data, text, n);
    free(data);
}

/* A file that is given is kept, whatever it is; its descriptor stays open. */
static void give(store *s, const char *key, int fd, const char *text)
{
    mp_why why;
    uint64_t bytes;
    char first = 0;
    assert_true(fd >= 0);
    assert_ok(mp_write_all(fd, text, strlen(text), "a file", &why));
    assert_ok(mp_blob_give_fd(s->b, key, fd, &bytes, &why));
    assert_int_equal(bytes, strlen(text));
    holds(s, key, text);
    assert_int_equal(pread(fd, &first, 1, 0), 1);
    assert_int_equal(first, text[0]);
}

static bool count_one(void *context, const char *key, uint64_t bytes)
{
    (void)key, (void)bytes;
    ++*(size_t *)context;
    return false;
}

static void what_is_given_is_kept(void **state)
{
    store *s = *state;
    mp_why why;
    int nameless, again, memory = memfd_create("given", MFD_CLOEXEC);
    char path[96];
    size_t n = 0;
    assert_ok(mp_temp_file(s->dir, &nameless, &why));
    give(s, "given/ab/one", nameless, "of its own");
    assert_ok(mp_temp_file(s->dir, &again, &why));
    give(s, "given/ab/one", again, "in its place");
    give(s, "given/cd/memory", memory, "from elsewhere");
    /* Given twice, it has a name already: the second is a copy. */
    assert_ok(mp_blob_give_fd(s->b, "given/ab/two", again, NULL, &why));
    assert_ok(mp_blob_delete(s->b, "given/ab/one", &why));
    holds(s, "given/ab/two", "in its place");
    snprintf(path, sizeof path, "%s/.named", s->dir);
    int named = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    give(s, "given/named", named, "before");
    assert_int_equal(pwrite(named, "after!", 6, 0), 6); /* a file with a name stays its owner's */
    holds(s, "given/named", "before");
    assert_int_equal(mp_blob_give_fd(s->b, "../given", again, NULL, &why), MP_INVALID);
    assert_ok(mp_blob_list(s->b, "", count_one, &n, &why));
    assert_int_equal(n, 3);
    close(nameless);
    close(again);
    close(memory);
    close(named);
}

static void bad_keys_are_refused(void **state)
{
    store *s = *state;
    mp_why why;
    char lengthy[260];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    const char *const bad[] = {"",        "/a",  "a/", "a//b", "../a", "a/../b",
                               ".hidden", "a b", "A",  "a\nb", "a/.b", lengthy};
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        assert_int_equal(mp_blob_put(s->b, bad[i], span_of("x"), MP_DURABLE, &why), MP_INVALID);
}

static bool collect(void *context, const char *key, uint64_t bytes)
{
    mp_buf *all = context;
    mp_buf_printf(all, "%s=%llu;", key, (unsigned long long)bytes);
    return false;
}

static void a_list_is_sorted_and_filtered(void **state)
{
    store *s = *state;
    mp_why why;
    mp_buf all = {0};
    assert_ok(mp_blob_put(s->b, "b/2", span_of("22"), MP_DURABLE, &why));
    assert_ok(mp_blob_put(s->b, "b/1", span_of("1"), MP_DURABLE, &why));
    assert_ok(mp_blob_put(s->b, "a/1", span_of("1"), MP_DURABLE, &why));
    assert_ok(mp_blob_list(s->b, "b/", collect, &all, &why));
    assert_string_equal(all.p, "b/1=1;b/2=2;");
    mp_buf_free(&all);
}

static void what_a_crash_left_is_no_blob_and_is_swept(void **state)
{
    store *s = *state;
    mp_why why;
    mp_buf all = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/.tmp-0123456789abcdef", s->dir);
    assert_ok(mp_file_replace(path, "torn", 4, &why));
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_ok(mp_blob_list(s->b, "", collect, &all, &why));
    assert_null(all.p);
    assert_ok(mp_blob_sweep(s->b, &why));
    assert_int_equal(access(path, F_OK), -1);
    mp_buf_free(&all);
}

static void *put_often(void *context)
{
    mp_blob *b = context;
    char text[4096];
    mp_why why;
    for (int i = 0; i < 200; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        if (mp_blob_put(b, "shared", (mp_span){(uint8_t *)text, sizeof text}, MP_DERIVABLE, &why))
            abort();
    }
    return NULL;
}

static void a_reader_sees_whole_objects(void **state)
{
    store *s = *state;
    mp_why why;
    pthread_t writers[2];
    assert_ok(mp_blob_put(s->b, "shared", span_of(""), MP_DERIVABLE, &why));
    for (int i = 0; i < 2; i++)
        pthread_create(&writers[i], NULL, put_often, s->b);
    for (int i = 0; i < 500; i++) {
        uint8_t *data;
        size_t n;
        assert_ok(mp_blob_get(s->b, "shared", 0, &data, &n, &why));
        assert_true(n == 0 || n == 4096);
        for (size_t k = 1; k < n; k++)
            assert_int_equal(data[k], data[0]);
        free(data);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_is_put_is_got),
        EACH(empty_and_large_objects),
        EACH(what_is_given_is_kept),
        EACH(bad_keys_are_refused),
        EACH(a_list_is_sorted_and_filtered),
        EACH(what_a_crash_left_is_no_blob_and_is_swept),
        EACH(a_reader_sees_whole_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
