/* The files of an installed model beside its manifest: what differs is named, what was read once is
 * not read again until it changes. */
#include "../test.h"
#include "base/os.h"
#include "base/sha256.h"
#include "model/checked.h"
#include "model/model.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct fixture {
    char folder[64];
    mp_manifest m;
} fixture;

static void path_of(const fixture *f, const char *name, char out[200])
{
    snprintf(out, 200, "%s/%s", f->folder, name);
}

/* Long ago, so that what is found of it is kept. The inode's own time cannot be set: see wait_old.
 */
static void put(const fixture *f, const char *name, const char *text)
{
    char path[200];
    path_of(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(futimens(fd, old), 0);
    close(fd);
}

static void name_file(fixture *f, size_t i, const char *name, const char *text)
{
    mp_sha256 h;
    mp_manifest_file *row = &f->m.files[i];
    snprintf(row->name, sizeof row->name, "%s", name);
    row->bytes = (int64_t)strlen(text);
    mp_sha256_start(&h);
    mp_sha256_add(&h, text, strlen(text));
    mp_sha256_end(&h, row->sha256);
    put(f, name, text);
}

static int set_up(void **state)
{
    fixture *f = mp_xcalloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/magpie-checked-XXXXXX");
    *state = f;
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->m.id, sizeof f->m.id, "small");
    f->m.n_files = 2;
    name_file(f, 0, "w.safetensors", "the weights");
    name_file(f, 1, "merges.txt", "the words");
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"w.safetensors", "merges.txt", ".checked.json",
                                        "manifest.json"};
    char path[200];
    for (size_t i = 0; i < MP_COUNT(names); i++) {
        path_of(f, names[i], path);
        if (remove(path) != 0)
            continue;
    }
    rmdir(f->folder);
    free(f);
    return 0;
}

static bool is_kept(const fixture *f)
{
    char path[200];
    path_of(f, ".checked.json", path);
    return access(path, F_OK) == 0;
}

static mp_err look(fixture *f, mp_checked *c, mp_why *why)
{
    mp_err err = mp_checked_look(c, f->folder, &f->m, why);
    if (!err)
        mp_checked_keep(c, f->folder, &f->m);
    return err;
}

static void wait_old(void)
{
    usleep(2100 * 1000);
}

static void what_differs_is_named(void **state)
{
    fixture *f = *state;
    mp_checked c;
    mp_why why = {0};
    char path[200];
    assert_ok(look(f, &c, &why));
    put(f, "w.safetensors", "the weightz");
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "w.safetensors"));
    assert_non_null(strstr(why.text, f->m.files[0].sha256)); /* what it should be */
    assert_non_null(strstr(why.text, c.file[0].sha256));     /* what it is */
    assert_non_null(strstr(why.text, "magpie model pull small"));
    put(f, "w.safetensors", "the weights and more");
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "20 bytes instead of 11"));
    path_of(f, "w.safetensors", path);
    unlink(path);
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "w.safetensors"));
    assert_non_null(strstr(why.text, "missing"));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_int_equal(rmdir(path), 0);
}

/* A file that is still young may change again unseen: nothing is kept of it. */
static void what_is_old_is_read_once(void **state)
{
    fixture *f = *state;
    mp_checked c;
    mp_why why = {0};
    assert_ok(look(f, &c, &why));
    assert_true(c.news);
    assert_false(is_kept(f));
    wait_old();
    assert_ok(look(f, &c, &why));
    assert_true(c.news && is_kept(f));
    assert_ok(look(f, &c, &why));
    assert_false(c.news);
    assert_string_equal(c.file[1].sha256, f->m.files[1].sha256);
    /* Another manifest asks for other bytes: what is kept tells so without reading. */
    memcpy(f->m.files[1].sha256, NO_HASH, sizeof NO_HASH);
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_false(c.news);
}

/* Also when its size and its own time are made to look the same. */
static void a_change_is_noticed_after_that(void **state)
{
    fixture *f = *state;
    mp_checked c;
    mp_why why = {0};
    wait_old();
    assert_ok(look(f, &c, &why));
    assert_true(is_kept(f));
    put(f, "merges.txt", "the wordz");
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "merges.txt"));
    put(f, "merges.txt", "the words");
    assert_ok(look(f, &c, &why));
    assert_true(c.news);
}

static void damage_is_remembered_until_it_is_mended(void **state)
{
    fixture *f = *state;
    mp_checked c;
    mp_why why = {0};
    put(f, "w.safetensors", "the weightz");
    wait_old();
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_true(c.news && is_kept(f));
    assert_int_equal(look(f, &c, &why), MP_CORRUPT);
    assert_false(c.news);
    put(f, "w.safetensors", "the weights");
    assert_ok(look(f, &c, &why));
}

static void what_is_kept_is_not_trusted(void **state)
{
    fixture *f = *state;
    static const char *const junk[] = {
        "",
        "{",
        "[]",
        "7",
        "{\"files\":7}",
        "{\"files\":[7,{}]}",
        "{\"magpie_checked\":1,\"files\":[{\"name\":\"w.safetensors\",\"sha256\":\"short\","
        "\"bytes\":11}]}",
        "{\"magpie_checked\":1,\"files\":[{\"name\":\"w.safetensors\",\"sha256\":\"" NO_HASH "\","
        "\"bytes\":11,\"mtime_ns\":1,\"ctime_ns\":1,\"inode\":1}]}",
    };
    for (size_t i = 0; i < MP_COUNT(junk); i++) {
        mp_checked c;
        mp_why why = {0};
        put(f, ".checked.json", junk[i]);
        assert_ok(mp_checked_look(&c, f->folder, &f->m, &why));
        assert_true(c.news);
    }
}

static void why_a_model_is_absent(void **state)
{
    fixture *f = *state;
    mp_why why = {0};
    const char *name = strrchr(f->folder, '/') + 1;
    static const char *const no_names[] = {"nobody-made-this", "", "..", "../x", "a/b", ".hidden"};
    for (size_t i = 0; i < MP_COUNT(no_names); i++) {
        assert_int_equal(mp_model_absent(no_names[i], "/tmp", &why), MP_NOT_FOUND);
        assert_non_null(strstr(why.text, "no model is called"));
        assert_non_null(strstr(why.text, "magpie model list"));
    }
    assert_int_equal(mp_model_absent("clip-vit-b32", "/nowhere", &why), MP_NOT_FOUND);
    assert_non_null(strstr(why.text, "magpie model pull clip-vit-b32"));
    put(f, "manifest.json", "{\"magpie_model\": 1,");
    assert_int_equal(mp_model_absent(name, "/tmp", &why), MP_CORRUPT);
    assert_non_null(strstr(why.text, "manifest.json is damaged"));
    assert_non_null(strstr(why.text, "magpie model pull"));
    put(f, "manifest.json",
        "{\"magpie_model\":1,\"id\":\"x\",\"family\":\"owl\",\"sha256\":\"" NO_HASH "\",\"files\":"
        "[{\"name\":\"merges.txt\",\"bytes\":9,\"sha256\":\"" NO_HASH "\"}]}");
    assert_int_equal(mp_model_absent(name, "/tmp", &why), MP_UNSUPPORTED);
    assert_non_null(strstr(why.text, "'owl'"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_differs_is_named),          EACH(what_is_old_is_read_once),
        EACH(a_change_is_noticed_after_that), EACH(damage_is_remembered_until_it_is_mended),
        EACH(what_is_kept_is_not_trusted),    EACH(why_a_model_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
