/* Manifests: read, written and read again; hostile ones. */
#include "../test.h"
#include "base/os.h"
#include "model/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILES                                                                                      \
    "[{\"name\":\"w.safetensors\",\"path\":\"a/b/w.safetensors\",\"bytes\":12,\"sha256\":\"" HASH  \
    "\"},{\"name\":\"merges.txt\"}]"
#define SHAPE                                                                                      \
    "{\"side\":224,\"patch\":32,\"vocabulary\":49408,\"dims\":512,"                                \
    "\"image\":{\"width\":768,\"layers\":12,\"heads\":12,\"hidden\":3072},"                        \
    "\"text\":{\"width\":512,\"layers\":12,\"heads\":8,\"hidden\":2048},"                          \
    "\"activation\":\"quick_gelu\",\"mean\":[0.48145466,0.4578275,0.40821073],"                    \
    "\"deviation\":[0.26862954,0.26130258,0.27577711]}"
#define WHOLE                                                                                      \
    "{\"magpie_model\":1,\"id\":\"clip-x\",\"family\":\"clip\",\"about\":\"\xC3\xA9\","            \
    "\"licence\":\"MIT\",\"source\":{\"repository\":\"a/b\",\"revision\":\"r1\"},"                 \
    "\"files\":" FILES ",\"architecture\":" SHAPE ",\"weights\":\"w.safetensors\","                \
    "\"tokenizer\":{\"merges\":\"merges.txt\"}}"

static mp_err read_one(mp_manifest *m, const char *text, mp_why *why)
{
    return mp_manifest_read(m, mp_str_of(text), why);
}

/* WHOLE with one thing in another's place. */
static char *with(const char *old, const char *new)
{
    mp_buf b = {0};
    const char *at = strstr(WHOLE, old);
    assert_non_null(at);
    mp_buf_add(&b, WHOLE, (size_t)(at - WHOLE));
    mp_buf_str(&b, new);
    mp_buf_str(&b, at + strlen(old));
    return b.p;
}

static void an_entry_is_read(void **state)
{
    (void)state;
    mp_manifest m;
    mp_why why;
    assert_ok(read_one(&m, WHOLE, &why));
    assert_string_equal(m.id, "clip-x");
    assert_string_equal(m.family, "clip");
    assert_string_equal(m.repository, "a/b");
    assert_string_equal(m.revision, "r1");
    assert_string_equal(m.sha256, "");
    assert_int_equal(m.n_files, 2);
    assert_int_equal(m.files[0].bytes, 12);
    assert_string_equal(m.files[0].sha256, HASH);
    assert_int_equal(m.files[1].bytes, 0);
    assert_string_equal(m.files[1].sha256, "");
    assert_int_equal(m.architecture.image.hidden, 3072);
    assert_int_equal(m.architecture.text.heads, 8);
    assert_string_equal(m.architecture.activation, "quick_gelu");
    assert_true(m.architecture.mean[1] == 0.4578275f);
    assert_true(m.architecture.deviation[2] == 0.27577711f);
    assert_string_equal(m.weights, "w.safetensors");
    assert_string_equal(m.merges, "merges.txt");
    assert_string_equal(m.vocabulary, "");
}

static void what_is_written_is_read_as_the_same(void **state)
{
    (void)state;
    mp_manifest m, again;
    mp_why why;
    mp_buf b = {0};
    assert_ok(read_one(&m, WHOLE, &why));
    mp_manifest_as_json(&m, &b);
    assert_ok(mp_manifest_read(&again, (mp_str){b.p, b.n}, &why));
    assert_memory_equal(&m, &again, sizeof m);
    mp_buf_free(&b);
}

static void what_cannot_be_computed_with_is_named(void **state)
{
    (void)state;
    static const char *const swaps[][3] = {
        {"\"width\":768,\"layers\":12,\"heads\":12", "\"width\":80,\"layers\":12,\"heads\":5",
         "the manifest's width of 80 is not a multiple of 32"},
        {"\"width\":512,\"layers\":12,\"heads\":8", "\"width\":512,\"layers\":49,\"heads\":8",
         "the manifest's layers are 49; there can be at most 48"},
        {"\"heads\":12", "\"heads\":7", "the manifest's width is not shared evenly by the heads"},
    };
    for (size_t i = 0; i < MP_COUNT(swaps); i++) {
        mp_manifest m;
        mp_why why;
        char *text = with(swaps[i][0], swaps[i][1]);
        assert_int_equal(read_one(&m, text, &why), MP_CORRUPT);
        assert_string_equal(why.text, swaps[i][2]);
        free(text);
    }
    char *most = with("\"layers\":12", "\"layers\":48");
    mp_manifest m;
    mp_why why;
    assert_ok(read_one(&m, most, &why));
    free(most);
}

static void hostile_ones_are_refused(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"magpie_model\":1", "\"magpie_model\":2"},
        {"\"magpie_model\":1", "\"magpie_model\":\"1\""},
        {"\"clip-x\"", "\"../x\""},
        {"\"clip-x\"", "\".hidden\""},
        {"\"clip-x\"", "\"a/b\""},
        {"\"clip-x\"", "\"\""},
        {"\"clip-x\"", "7"},
        {"\"clip-x\"", "\"x\\u0000y\""},
        {"\"clip-x\"",
         "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""},
        {"\"family\":\"clip\"", "\"family\":\"clipclipclipclipclip\""},
        {"\"about\":\"\xC3\xA9\"", "\"about\":\"a\\nb\""},
        {"\"MIT\"", "[]"},
        {"\"name\":\"merges.txt\"", "\"name\":\"/etc/passwd\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"..\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"manifest.json\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"a.part\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"-x\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"w.safetensors\""},
        {"\"name\":\"merges.txt\"", "\"name\":\"sub\\\\merges.txt\""},
        {"{\"name\":\"merges.txt\"}", "7"},
        {"a/b/w.safetensors", "/w.safetensors"},
        {"a/b/w.safetensors", "a/../../w"},
        {"a/b/w.safetensors", "a?b"},
        {"a/b/w.safetensors", "a/%2e%2e/w"},
        {"a/b/w.safetensors", "http://elsewhere/w"},
        {"\"bytes\":12", "\"bytes\":-1"},
        {"\"bytes\":12", "\"bytes\":0"},
        {"\"bytes\":12", "\"bytes\":9223372036854775807"},
        {"\"bytes\":12", "\"bytes\":99999999999999999999999999"},
        {"\"bytes\":12", "\"bytes\":1.5"},
        {"\"bytes\":12", "\"bytes\":\"12\""},
        {"\"sha256\":\"0123", "\"sha256\":\"012G"},
        {"\"sha256\":\"0123", "\"sha256\":\"012"},
        {"\"sha256\":\"0123", "\"sha256\":\"01234"},
        {"\"files\":" FILES, "\"files\":[]"},
        {"\"files\":" FILES, "\"files\":{}"},
        {"\"side\":224", "\"side\":-224"},
        {"\"side\":224", "\"side\":225"},
        {"\"side\":224", "\"side\":4294967520"},
        {"\"patch\":32", "\"patch\":0"},
        {"\"heads\":12", "\"heads\":7"},
        {"\"layers\":12", "\"layers\":1000000"},
        {"\"layers\":12", "\"layers\":49"},
        {"\"width\":768,\"layers\":12,\"heads\":12", "\"width\":80,\"layers\":12,\"heads\":5"},
        {"\"quick_gelu\"", "\"relu\""},
        {"0.4578275", "1e300"},
        {"0.26862954", "0"},
        {",0.27577711", ""},
        {"\"weights\":\"w.safetensors\"", "\"weights\":\"other\""},
        {"\"weights\":\"w.safetensors\",", ""},
        {"\"architecture\":" SHAPE ",", ""},
        {"\"architecture\":" SHAPE, "\"architecture\":[]"},
        {"\"weights\"", "\"id\":\"b\",\"weights\""},
    };
    for (size_t i = 0; i < MP_COUNT(swaps); i++) {
        mp_manifest m, nothing = {0};
        mp_why why = {0};
        char *text = with(swaps[i][0], swaps[i][1]);
        if (read_one(&m, text, &why) != MP_CORRUPT)
            fail_msg("taken: %s", text);
        assert_true(*why.text);
        assert_memory_equal(&m, &nothing, sizeof m);
        free(text);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "{", "[]", "7", "null", "{\"magpie_model\":1}", "\xFF"};
    mp_manifest m;
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        assert_int_equal(read_one(&m, rows[i], NULL), MP_CORRUPT);
    char *deep = mp_xmalloc(60001);
    memset(deep, '[', 60000);
    deep[60000] = '\0';
    assert_int_equal(read_one(&m, deep, NULL), MP_CORRUPT);
    free(deep);
    char *large = mp_xcalloc(1, MP_MANIFEST_BYTES + 2);
    memset(large, ' ', MP_MANIFEST_BYTES + 1);
    assert_int_equal(read_one(&m, large, NULL), MP_CORRUPT);
    free(large);
}

static void an_installed_model_is_whole(void **state)
{
    (void)state;
    char folder[] = "/tmp/magpie-manifest-XXXXXX", path[200], sha256[65];
    mp_manifest m;
    mp_why why;
    mp_buf b = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    assert_int_equal(mp_manifest_load(&m, folder, &why), MP_NOT_FOUND);
    assert_ok(mp_file_replace(path, WHOLE, strlen(WHOLE), &why));
    assert_int_equal(mp_manifest_load(&m, folder, &why), MP_CORRUPT); /* of a catalogue */
    assert_ok(read_one(&m, WHOLE, &why));
    m.n_files = 1;
    snprintf(m.merges, sizeof m.merges, "w.safetensors");
    memcpy(m.sha256, HASH, 65);
    mp_manifest_as_json(&m, &b);
    assert_ok(mp_file_replace(path, b.p, b.n, &why));
    assert_ok(mp_manifest_load(&m, folder, &why));
    assert_false(mp_manifest_check(folder, NULL)); /* its file is not there */
    snprintf(path, sizeof path, "%s/w.safetensors", folder);
    assert_ok(mp_file_replace(path, "twelve bytes", 12, &why));
    assert_true(mp_manifest_check(folder, sha256));
    assert_string_equal(sha256, HASH);
    assert_ok(mp_file_replace(path, "eleven byte", 11, &why));
    assert_false(mp_manifest_check(folder, NULL));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(mp_manifest_check(folder, NULL));
    rmdir(path);
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    unlink(path);
    rmdir(folder);
    mp_buf_free(&b);
}

/* Files of the catalogue that are not pinned in all ways, each with what it lacks. Nothing else may
 * be, and what is pinned at last goes from here. B/16 is at a moving revision, by its hash alone.
 */
static const struct unpinned {
    const char *id, *name;
    bool size, commit;
} unpinned[] = {
    {"clip-vit-b16", "model.safetensors", true, true},
};

static struct unpinned known_lack(const mp_manifest *m, const mp_manifest_file *f)
{
    for (size_t i = 0; i < MP_COUNT(unpinned); i++)
        if (strcmp(unpinned[i].id, m->id) == 0 && strcmp(unpinned[i].name, f->name) == 0)
            return unpinned[i];
    return (struct unpinned){m->id, f->name, false, false};
}

/* ".../resolve/COMMIT/...", of 40 hexadecimal digits. */
static bool names_commit(const char *path)
{
    const char *at = strstr(path, "/resolve/");
    if (!at)
        return false;
    at += strlen("/resolve/");
    return strspn(at, "0123456789abcdef") == 40 && at[40] == '/';
}

static void check_pins(const mp_manifest *m)
{
    for (size_t i = 0; i < m->n_files; i++) {
        const mp_manifest_file *f = &m->files[i];
        struct unpinned lacks = known_lack(m, f);
        if (strlen(f->sha256) != 64)
            fail_msg("%s: %s has no SHA-256", m->id, f->name);
        if ((f->bytes == 0) != lacks.size)
            fail_msg("%s: %s has %s size", m->id, f->name, lacks.size ? "now a" : "no");
        if (names_commit(f->path) == lacks.commit)
            fail_msg("%s: %s is %s at a commit", m->id, f->name, lacks.commit ? "now" : "not");
    }
}

static void the_catalogue_is_sound(void **state)
{
    (void)state;
    mp_manifest m;
    mp_why why;
    assert_non_null(mp_catalogue_ids[0]);
    for (size_t i = 0; i < MP_COUNT(unpinned); i++)
        assert_non_null(mp_catalogue_find(unpinned[i].id));
    for (size_t i = 0; mp_catalogue_ids[i]; i++) {
        assert_ok(read_one(&m, mp_catalogue_texts[i], &why));
        assert_string_equal(m.id, mp_catalogue_ids[i]);
        assert_memory_equal(mp_catalogue_find(m.id), &m, sizeof m);
        assert_true(*m.about && *m.licence && *m.repository && *m.revision);
        check_pins(&m);
    }
    assert_null(mp_catalogue_find("no-such-model"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read),
        cmocka_unit_test(what_is_written_is_read_as_the_same),
        cmocka_unit_test(what_cannot_be_computed_with_is_named),
        cmocka_unit_test(hostile_ones_are_refused),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(an_installed_model_is_whole),
        cmocka_unit_test(the_catalogue_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
