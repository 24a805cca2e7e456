/* Versions of pictures: what becomes of the bytes of all of them. */
#include "../test.h"
#include "base/os.h"
#include "core/ports.h"
#include "magpie.h"
#include "meta/assets.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct fixture {
    char dir[64], file[96];
    magpie *m;
} fixture;

#define assert_fine(call)                                                                          \
    do {                                                                                           \
        magpie_err err_ = (call);                                                                  \
        if (err_ != MAGPIE_OK)                                                                     \
            fail_msg("%s: %s: %s", #call, magpie_err_word(err_), why.text);                        \
    } while (0)

static int set_up(void **state)
{
    magpie_why why;
    fixture *f = mp_xcalloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/magpie-versions-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->file, sizeof f->file, "%s/outside.ppm", f->dir);
    magpie_options opt = {.library = f->dir, .create = true, .model = "builtin", .threads = 2};
    *state = f;
    return magpie_open(&f->m, &opt, &why) ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[96];
    magpie_close(f->m);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int code = system(command);
    free(f);
    return code;
}

/* A PPM of blobs; different seeds look different. Caller frees. */
static uint8_t *picture(uint64_t seed, size_t *n)
{
    static const char head[] = "P6 96 64 255\n";
    mp_rng rng = {seed};
    *n = sizeof head - 1 + 96 * 64 * 3;
    uint8_t *ppm = mp_xcalloc(*n, 1);
    memcpy(ppm, head, sizeof head - 1);
    for (int blob = 0; blob < 30; blob++) {
        int x0 = (int)(mp_rng_unit(&rng) * 80), y0 = (int)(mp_rng_unit(&rng) * 50);
        uint64_t colour = mp_rng_u64(&rng);
        for (int y = y0; y < y0 + 14; y++)
            for (int x = x0; x < x0 + 16; x++)
                memcpy(ppm + sizeof head - 1 + 3 * (y * 96 + x), &colour, 3);
    }
    return ppm;
}

static void write_picture(const char *path, uint64_t seed)
{
    mp_why why;
    size_t n;
    uint8_t *ppm = picture(seed, &n);
    assert_ok(mp_file_replace(path, ppm, n, &why));
    free(ppm);
}

static bool count_one(void *context, const char *key, uint64_t bytes)
{
    (void)key, (void)bytes;
    ++*(size_t *)context;
    return false;
}

static size_t blobs(fixture *f, const char *prefix)
{
    mp_why why;
    size_t n = 0;
    assert_ok(mp_blob_list(mp_core_blobs(f->m), prefix, count_one, &n, &why));
    return n;
}

static int64_t only_item(fixture *f)
{
    magpie_why why;
    magpie_item **items;
    size_t n;
    assert_fine(magpie_list(f->m, NULL, 0, 0, &items, &n, &why));
    assert_int_equal(n, 1);
    int64_t id = items[0]->id;
    magpie_items_free(items, n);
    return id;
}

/* A file that was added, changed and added again leaves nothing behind when it is removed. */
static void removal_takes_the_bytes_of_all_versions(void **state)
{
    fixture *f = *state;
    magpie_why why;
    const char *paths[] = {f->file};
    magpie_add_options opt = {.copy = true};
    magpie_add_report report;
    write_picture(f->file, 1);
    assert_fine(magpie_add(f->m, paths, 1, &opt, &report, &why));
    write_picture(f->file, 2);
    assert_fine(magpie_add(f->m, paths, 1, &opt, &report, &why));
    assert_int_equal(report.outcomes[MAGPIE_CHANGED], 1);
    assert_int_equal(blobs(f, "originals/"), 2);
    assert_int_equal(blobs(f, "thumbs/"), 2);
    int64_t id = only_item(f);
    size_t missing;
    assert_fine(magpie_remove(f->m, (int64_t[]){id, id + 100}, 2, &missing, &why));
    assert_int_equal(missing, 1);
    assert_int_equal(blobs(f, "originals/"), 0);
    assert_int_equal(blobs(f, "thumbs/"), 0);
}

/* Bytes that another picture has now stay, also when they are an older version's here. */
static void removal_leaves_what_others_need(void **state)
{
    fixture *f = *state;
    magpie_why why;
    const char *paths[] = {f->file};
    magpie_add_options opt = {.copy = true};
    size_t n;
    int64_t other;
    uint8_t *data, *ppm = picture(1, &n);
    write_picture(f->file, 1);
    assert_fine(magpie_add(f->m, paths, 1, &opt, NULL, &why));
    write_picture(f->file, 2);
    assert_fine(magpie_add(f->m, paths, 1, &opt, NULL, &why));
    int64_t id = only_item(f);
    assert_fine(magpie_add_bytes(f->m, ppm, n, "other.ppm", &other, NULL, &why));
    assert_int_not_equal(other, id);
    assert_fine(magpie_remove(f->m, &id, 1, NULL, &why));
    assert_int_equal(blobs(f, "originals/"), 1);
    size_t got;
    assert_fine(magpie_content(f->m, other, &data, &got, &why));
    assert_int_equal(got, n);
    assert_memory_equal(data, ppm, n);
    magpie_free(data);
    free(ppm);
}

/* Its own failure, not that of what is written beside it. */
static void a_project_that_is_not_there(void **state)
{
    fixture *f = *state;
    magpie_why why;
    mp_why inner;
    int64_t id;
    int fd;
    size_t n;
    uint8_t *ppm = picture(1, &n);
    assert_int_equal(mp_temp_file(f->dir, &fd, &inner), MP_OK);
    assert_int_equal(mp_write_all(fd, ppm, n, "a picture", &inner), MP_OK);
    magpie_put put = {.name = "a.ppm", .project = 99};
    assert_int_equal(magpie_add_fd(f->m, fd, &put, &id, NULL, &why), MAGPIE_NOT_FOUND);
    assert_non_null(strstr(why.text, "project"));
    assert_int_equal(id, 0);
    put.project = 0;
    assert_fine(magpie_add_fd(f->m, fd, &put, &id, NULL, &why));
    close(fd);
    free(ppm);
}

static int picture_file(fixture *f, uint64_t seed)
{
    mp_why why;
    size_t n;
    int fd;
    uint8_t *ppm = picture(seed, &n);
    assert_ok(mp_temp_file(f->dir, &fd, &why));
    assert_ok(mp_write_all(fd, ppm, n, "a picture", &why));
    free(ppm);
    return fd;
}

static magpie_err put_picture(fixture *f, uint64_t seed, const magpie_put *put, int64_t *id,
                              magpie_outcome *outcome, magpie_why *why)
{
    int fd = picture_file(f, seed);
    magpie_err err = magpie_add_fd(f->m, fd, put, id, outcome, why);
    close(fd);
    return err;
}

static void a_replacement_is_looked_at_anew(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_item *before, *after;
    magpie_outcome outcome;
    int64_t id, same, other;
    const char *tags[] = {"red"};
    magpie_put put = {
        .name = "a.ppm", .title = "T", .tags = tags, .n_tags = 1, .metadata = "{\"k\":1}"};
    assert_fine(put_picture(f, 1, &put, &id, &outcome, &why));
    assert_int_equal(outcome, MAGPIE_ADDED);
    assert_fine(put_picture(f, 2, &(magpie_put){.name = "b.ppm"}, &other, NULL, &why));
    assert_fine(magpie_get(f->m, id, &before, &why));
    magpie_put replace = {.name = "ignored.ppm", .replace = id};
    assert_fine(put_picture(f, 1, &replace, &same, &outcome, &why));
    assert_int_equal(outcome, MAGPIE_UNCHANGED);
    assert_int_equal(same, id);
    assert_fine(put_picture(f, 2, &replace, &same, &outcome, &why)); /* though another has them */
    assert_int_equal(outcome, MAGPIE_CHANGED);
    assert_int_equal(same, id);
    assert_fine(magpie_get(f->m, id, &after, &why));
    assert_string_equal(after->name, "a.ppm");
    assert_string_equal(after->title, "T");
    assert_int_equal(after->n_tags, 1);
    assert_true(after->phash != before->phash);
    assert_true(after->copied);
    magpie_item_free(before);
    magpie_item_free(after);
    /* Its vectors are those of the new bytes, in every space. */
    magpie_comparison c;
    assert_fine(magpie_compare(f->m, id, other, &c, NULL, NULL, &why));
    assert_true(c.same_bytes);
    assert_true(c.cosine > 0.9999f);
    magpie_verify_report report;
    assert_fine(magpie_verify(f->m, true, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    assert_int_equal(blobs(f, "originals/"), 2);
}

static void what_cannot_be_replaced(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_outcome outcome;
    int64_t id, got;
    assert_fine(put_picture(f, 1, &(magpie_put){.name = "a.ppm"}, &id, &outcome, &why));
    magpie_put replace = {.name = "a.ppm", .replace = id + 1};
    assert_int_equal(put_picture(f, 2, &replace, &got, &outcome, &why), MAGPIE_NOT_FOUND);
    assert_int_equal(got, 0);
    assert_fine(magpie_remove(f->m, &id, 1, NULL, &why));
    replace.replace = id;
    assert_int_equal(put_picture(f, 2, &replace, &got, &outcome, &why), MAGPIE_NOT_FOUND);
}

/* Many at once share a commit; one item's come one after the other, equal ones once. */
typedef struct replacer {
    fixture *f;
    int64_t id;
    int fd;
    magpie_err err;
    magpie_outcome outcome;
} replacer;

static void *replace_one(void *context)
{
    replacer *r = context;
    int64_t id;
    magpie_why why;
    magpie_put put = {.name = "x.ppm", .replace = r->id};
    r->err = magpie_add_fd(r->f->m, r->fd, &put, &id, &r->outcome, &why);
    close(r->fd);
    return NULL;
}

static void many_replace_at_once(void **state)
{
    enum { MANY = 16 };
    fixture *f = *state;
    magpie_why why;
    mp_why inner;
    replacer r[MANY];
    pthread_t t[MANY];
    int64_t ids[2];
    size_t changed[2] = {0}, n;
    mp_version *versions;
    assert_fine(put_picture(f, 100, &(magpie_put){.name = "a.ppm"}, &ids[0], NULL, &why));
    assert_fine(put_picture(f, 101, &(magpie_put){.name = "b.ppm"}, &ids[1], NULL, &why));
    for (int i = 0; i < MANY; i++)
        r[i] = (replacer){.f = f, .id = ids[i % 2], .fd = picture_file(f, (uint64_t)(i / 4))};
    for (int i = 0; i < MANY; i++)
        assert_int_equal(pthread_create(&t[i], NULL, replace_one, &r[i]), 0);
    for (int i = 0; i < MANY; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(r[i].err, MAGPIE_OK);
        changed[i % 2] += r[i].outcome == MAGPIE_CHANGED;
    }
    mp_arena *arena = mp_arena_new(0);
    for (int i = 0; i < 2; i++) {
        int differ = 0;
        assert_int_equal(
            mp_meta_list_versions(mp_core_meta(f->m), ids[i], 0, 100, arena, &versions, &n, &inner),
            MP_OK);
        for (size_t k = 1; k < n; k++)
            differ += memcmp(&versions[k].sha256, &versions[k - 1].sha256, 32) != 0;
        assert_int_equal(n, changed[i] + 1);
        assert_int_equal(differ, n - 1); /* never the same twice in a row */
    }
    mp_arena_free(arena);
    magpie_verify_report report;
    assert_fine(magpie_verify(f->m, true, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

/* The bytes of every version are looked at, not only of the current one. */
static void lost_versions_are_found(void **state)
{
    fixture *f = *state;
    magpie_why why;
    mp_why inner;
    magpie_item *first;
    magpie_verify_report report;
    char key[96];
    int64_t id;
    assert_fine(put_picture(f, 1, &(magpie_put){.name = "a.ppm"}, &id, NULL, &why));
    assert_fine(magpie_get(f->m, id, &first, &why));
    assert_fine(put_picture(f, 2, &(magpie_put){.name = "a", .replace = id}, &id, NULL, &why));
    snprintf(key, sizeof key, "originals/%.2s/%s", first->sha256, first->sha256);
    magpie_item_free(first);
    assert_int_equal(mp_blob_put(mp_core_blobs(f->m), key, (mp_span){(const uint8_t *)"x", 1},
                                 MP_DURABLE, &inner),
                     MP_OK);
    assert_fine(magpie_verify(f->m, false, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 1);
    assert_int_equal(mp_blob_delete(mp_core_blobs(f->m), key, &inner), MP_OK);
    assert_fine(magpie_verify(f->m, false, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(removal_takes_the_bytes_of_all_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removal_leaves_what_others_need, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_project_that_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replacement_is_looked_at_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_replace_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_versions_are_found, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
