/* What every metadata store promises of assets and their versions (assets.h), and that what is no
 * picture stays out of everything that is about items. */
#include "../unit/test.h"
#include "base/os.h"
#include "meta/assets.h"
#include "meta/projects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct store {
    char dir[64], url[128];
    mp_meta *m;
    mp_arena *arena;
} store;

static int set_up(void **state)
{
    mp_why why;
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    store *s = mp_xcalloc(1, sizeof *s);
    *state = s;
    s->arena = mp_arena_new(0);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-assets-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    return mp_meta_open(&s->m, s->url, &opt, &why) ? -1 : 0;
}

static int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_meta_close(s->m);
    mp_arena_free(s->arena);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s);
    return code;
}

static mp_sha256 hash_of(int number)
{
    mp_sha256 h = {{(uint8_t)number, (uint8_t)(number >> 8), 7}};
    return h;
}

static mp_asset sample(const char *name, int number)
{
    return (mp_asset){.project_id = 1,
                      .user_id = 5,
                      .added_ms = 1000,
                      .type = "document",
                      .name = name,
                      .title = "T",
                      .description = "D",
                      .metadata = "{\"a\":1}",
                      .version = {.sha256 = hash_of(number), .bytes = 10 + number}};
}

static int64_t must_add(store *s, const char *name, int number)
{
    mp_why why;
    int64_t id;
    bool known;
    mp_asset a = sample(name, number);
    assert_ok(mp_meta_add_asset(s->m, &a, &id, &known, &why));
    assert_false(known);
    return id;
}

static int64_t must_add_item(store *s, const char *name, int number)
{
    mp_why why;
    mp_sha256 h = hash_of(number);
    const float unit[] = {1, 0};
    mp_vector vectors[] = {{"m", "w", "look", 2, unit}, {"m", "w", "sentence", 2, unit}};
    mp_put put = {.item = {.copied = true,
                           .path = "",
                           .name = name,
                           .title = "",
                           .description = "",
                           .format = "jpeg",
                           .width = 4,
                           .height = 3,
                           .frames = 1,
                           .bytes = 10 + number,
                           .added_ms = 2000,
                           .metadata = "{\"k\":[]}"},
                  .vectors = vectors,
                  .n_vectors = 2};
    memcpy(put.item.sha256, h.byte, 32);
    assert_ok(mp_meta_put_items(s->m, &put, 1, &why));
    return put.item.id;
}

static void replace_item(store *s, int64_t id, int number)
{
    mp_why why;
    mp_sha256 h = hash_of(number);
    mp_put put = {.item = {.id = id,
                           .copied = true,
                           .path = "",
                           .name = "",
                           .title = "",
                           .description = "",
                           .format = "png",
                           .width = 8,
                           .height = 6,
                           .frames = 1,
                           .bytes = 10 + number,
                           .added_ms = 3000}};
    memcpy(put.item.sha256, h.byte, 32);
    assert_ok(mp_meta_put_items(s->m, &put, 1, &why));
}

static mp_asset get(store *s, int64_t id)
{
    mp_why why;
    mp_asset a;
    assert_ok(mp_meta_get_asset(s->m, id, s->arena, &a, &why));
    return a;
}

/* ---- one ---- */

static void what_is_added_is_there(void **state)
{
    store *s = *state;
    mp_why why;
    mp_asset missing;
    int64_t id = must_add(s, "Blatt ä.txt", 300);
    mp_asset a = get(s, id);
    assert_int_equal(a.id, id);
    assert_int_equal(a.project_id, 1);
    assert_int_equal(a.user_id, 5);
    assert_int_equal(a.added_ms, 1000);
    assert_string_equal(a.type, "document");
    assert_string_equal(a.name, "Blatt ä.txt");
    assert_string_equal(a.title, "T");
    assert_string_equal(a.description, "D");
    assert_string_equal(a.metadata, "{\"a\":1}");
    assert_int_equal(a.state, MP_PRESENT);
    assert_int_equal(a.version.asset_id, id);
    assert_int_equal(a.version.number, 1);
    assert_true(a.version.current);
    assert_true(a.version.copied);
    assert_int_equal(a.version.bytes, 310);
    assert_int_equal(a.version.user_id, 5);
    assert_int_equal(a.version.created_ms, 1000);
    assert_string_equal(a.version.format, "");
    assert_string_equal(a.version.name, a.name);
    assert_string_equal(a.version.metadata, a.metadata);
    mp_sha256 h = hash_of(300);
    assert_memory_equal(&a.version.sha256, &h, sizeof h);
    assert_int_equal(mp_meta_get_asset(s->m, id + 1, s->arena, &missing, &why), MP_NOT_FOUND);
    assert_int_equal(missing.id, 0);
}

static void what_is_refused(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id;
    bool known;
    mp_asset a = sample("x", 1);
    a.type = "image";
    assert_int_equal(mp_meta_add_asset(s->m, &a, &id, &known, &why), MP_INVALID);
    a = sample("x", 1);
    a.project_id = 99;
    assert_int_equal(mp_meta_add_asset(s->m, &a, &id, &known, &why), MP_NOT_FOUND);
    assert_int_equal(id, 0);
    mp_sha256 h = hash_of(1);
    assert_int_equal(mp_meta_add_version(s->m, 99, &h, 1, 0, 1, &known, &why), MP_NOT_FOUND);
    int64_t item = must_add_item(s, "a.jpg", 2);
    assert_int_equal(mp_meta_add_version(s->m, item, &h, 1, 0, 1, &known, &why), MP_INVALID);
    assert_int_equal(get(s, item).version.number, 1);
}

/* A client that heard no answer asks again: the same bytes of the same name and type are one. */
static void the_same_again_is_known(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = must_add(s, "a", 1), again;
    bool known;
    mp_asset a = sample("a", 1);
    a.title = "other";
    assert_ok(mp_meta_add_asset(s->m, &a, &again, &known, &why));
    assert_true(known);
    assert_int_equal(again, id);
    assert_string_equal(get(s, id).title, "T");
    assert_int_not_equal(must_add(s, "b", 1), id);
    assert_int_not_equal(must_add(s, "a", 2), id);
    a = sample("a", 1);
    a.type = "model";
    assert_ok(mp_meta_add_asset(s->m, &a, &again, &known, &why));
    assert_false(known);
    /* Only what the bytes are now counts. */
    mp_sha256 h = hash_of(9);
    assert_ok(mp_meta_add_version(s->m, id, &h, 9, 0, 1, &known, &why));
    assert_int_not_equal(must_add(s, "a", 1), id);
}

/* ---- versions ---- */

static void versions_are_numbered_and_stay(void **state)
{
    store *s = *state;
    mp_why why;
    mp_version *list, one;
    size_t n;
    bool unchanged;
    int64_t id = must_add(s, "first", 1);
    must_add(s, "between", 77); /* others' versions do not count */
    mp_sha256 h = hash_of(1);
    assert_ok(mp_meta_add_version(s->m, id, &h, 11, 6, 2000, &unchanged, &why));
    assert_true(unchanged);
    h = hash_of(2);
    assert_ok(mp_meta_change_asset(s->m, id, "second", NULL, NULL, "{\"a\":2}", &why));
    assert_ok(mp_meta_add_version(s->m, id, &h, 12, 6, 2000, &unchanged, &why));
    assert_false(unchanged);
    assert_ok(mp_meta_change_asset(s->m, id, "third", NULL, NULL, "{\"a\":3}", &why));
    h = hash_of(1); /* the way back is a version, too */
    assert_ok(mp_meta_add_version(s->m, id, &h, 11, 0, 3000, &unchanged, &why));
    assert_ok(mp_meta_change_asset(s->m, id, NULL, NULL, NULL, "{\"a\":4}", &why));
    assert_ok(mp_meta_list_versions(s->m, id, 0, 10, s->arena, &list, &n, &why));
    assert_int_equal(n, 3);
    static const char *const names[] = {"second", "third", "third"};
    static const char *const metadata[] = {"{\"a\":2}", "{\"a\":3}", "{\"a\":4}"};
    static const int hashes[] = {1, 2, 1};
    for (size_t i = 0; i < n; i++) {
        h = hash_of(hashes[i]);
        assert_int_equal(list[i].number, i + 1);
        assert_int_equal(list[i].current, i == 2);
        assert_string_equal(list[i].name, names[i]);
        assert_string_equal(list[i].metadata, metadata[i]);
        assert_memory_equal(&list[i].sha256, &h, sizeof h);
        assert_ok(mp_meta_get_version(s->m, id, (int64_t)i + 1, s->arena, &one, &why));
        assert_int_equal(one.number, i + 1);
        assert_int_equal(one.created_ms, 1000 * (i + 1));
    }
    assert_ok(mp_meta_list_versions(s->m, id, 1, 1, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].number, 2);
    assert_int_equal(list[0].user_id, 6);
    for (int64_t bad = -1; bad <= 4; bad += bad == 0 ? 4 : 1)
        assert_int_equal(mp_meta_get_version(s->m, id, bad, s->arena, &one, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_get_version(s->m, id, INT64_MAX, s->arena, &one, &why), MP_NOT_FOUND);
    assert_int_equal(get(s, id).version.number, 3);
}

static void pictures_have_versions(void **state)
{
    store *s = *state;
    mp_why why;
    mp_version *list;
    size_t n;
    float look[2], words[2];
    int64_t id = must_add_item(s, "a.jpg", 1);
    mp_asset a = get(s, id);
    assert_string_equal(a.type, "image");
    assert_string_equal(a.metadata, "{\"k\":[]}");
    assert_string_equal(a.version.metadata, a.metadata);
    replace_item(s, id, 2);
    a = get(s, id);
    assert_string_equal(a.name, "a.jpg"); /* "" left it */
    assert_string_equal(a.metadata, "{\"k\":[]}");
    assert_string_equal(a.version.format, "png");
    assert_int_equal(a.version.width, 8);
    assert_ok(mp_meta_list_versions(s->m, id, 0, 10, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].format, "jpeg");
    assert_int_equal(list[0].created_ms, 2000);
    assert_string_equal(list[1].name, "a.jpg");
    /* What was computed of the old bytes is gone; its words are the same and keep their vector. */
    mp_vector_key key = {"m", "w", "look", 2};
    assert_ok(mp_meta_get_vectors(s->m, &key, &id, 1, look, &why));
    key.space = "sentence";
    assert_ok(mp_meta_get_vectors(s->m, &key, &id, 1, words, &why));
    assert_true(look[0] == 0);
    assert_true(words[0] == 1);
    assert_ok(mp_meta_change_asset(s->m, id, NULL, "new words", NULL, NULL, &why));
    assert_ok(mp_meta_get_vectors(s->m, &key, &id, 1, words, &why));
    assert_true(words[0] == 0);
}

static void the_trash_takes_no_versions(void **state)
{
    store *s = *state;
    mp_why why;
    bool unchanged;
    mp_asset *list;
    size_t n;
    int64_t id = must_add_item(s, "a.jpg", 1);
    assert_ok(mp_meta_set_state(s->m, &id, 1, MP_TRASHED, &why));
    mp_sha256 h = hash_of(2);
    assert_int_equal(mp_meta_add_version(s->m, id, &h, 1, 0, 1, &unchanged, &why), MP_NOT_FOUND);
    assert_int_equal(get(s, id).state, MP_TRASHED);
    assert_ok(mp_meta_list_assets(s->m, 1, NULL, NULL, 0, 10, s->arena, &list, &n, &why));
    assert_int_equal(n, 0);
}

/* ---- changes and lists ---- */

static void changes_leave_what_is_not_named(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = must_add(s, "a", 1);
    assert_ok(mp_meta_change_asset(s->m, id, NULL, "title", NULL, NULL, &why));
    assert_ok(mp_meta_change_asset(s->m, id, NULL, NULL, "", "{}", &why));
    mp_asset a = get(s, id);
    assert_string_equal(a.name, "a");
    assert_string_equal(a.title, "title");
    assert_string_equal(a.description, "");
    assert_string_equal(a.metadata, "{}");
    assert_int_equal(mp_meta_change_asset(s->m, 99, "x", NULL, NULL, NULL, &why), MP_NOT_FOUND);
}

static void lists_are_of_one_project(void **state)
{
    store *s = *state;
    mp_why why;
    mp_asset *list;
    size_t n;
    int64_t other, ids[6];
    bool known;
    mp_project p = {.name = "p", .description = "", .config = "{}", .status = "active"};
    assert_ok(mp_meta_add_project(s->m, &p, &other, &why));
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.%s", i, i % 2 ? "TXT" : "csv");
        ids[i] = must_add(s, name, i);
    }
    ids[5] = must_add_item(s, "p.jpg", 50);
    mp_asset a = sample("elsewhere.txt", 1);
    a.project_id = other;
    int64_t id;
    assert_ok(mp_meta_add_asset(s->m, &a, &id, &known, &why));
    assert_false(known); /* the same bytes in another project */
    assert_ok(mp_meta_list_assets(s->m, 1, NULL, NULL, 0, 10, s->arena, &list, &n, &why));
    assert_int_equal(n, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(list[i].id, ids[i]);
    assert_ok(mp_meta_list_assets(s->m, 1, NULL, NULL, ids[1], 2, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(list[0].id, ids[2]);
    assert_ok(mp_meta_list_assets(s->m, 1, "image", NULL, 0, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(
        mp_meta_list_assets(s->m, 1, "document", "[13].t?t", 0, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_ok(mp_meta_list_assets(s->m, other, NULL, "*.TXT", 0, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].id, id);
}

/* ---- what is about pictures leaves the others out ---- */

static void items_are_pictures_alone(void **state)
{
    store *s = *state;
    mp_why why;
    mp_item item, *items;
    mp_text_hit *hits;
    int64_t *ids, found, id = must_add(s, "word.txt", 1), picture = must_add_item(s, "word.jpg", 2);
    size_t n;
    uint64_t count;
    mp_sha256 h = hash_of(1);
    mp_meta_stats stats;
    assert_int_equal(mp_meta_get_item(s->m, id, s->arena, &item, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_list(s->m, NULL, 0, 0, s->arena, &items, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_count(s->m, NULL, &count, &why));
    assert_int_equal(count, 1);
    assert_ok(mp_meta_ids(s->m, NULL, &ids, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], picture);
    free(ids);
    assert_ok(mp_meta_find_sha256(s->m, 1, h.byte, &found, &why));
    assert_int_equal(found, 0);
    assert_ok(mp_meta_search_text(s->m, "word", NULL, 10, &hits, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(hits[0].id, picture);
    free(hits);
    mp_vector_key key = {"none", "w", "look", 2};
    assert_ok(mp_meta_lacking(s->m, &key, &ids, &n, &why));
    assert_int_equal(n, 1);
    free(ids);
    assert_ok(mp_meta_stats_get(s->m, &stats, &why));
    assert_int_equal(stats.items, 1);
    const char *tag = "red";
    assert_int_equal(mp_meta_tag(s->m, &id, 1, &tag, 1, NULL, 0, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_describe(s->m, id, "x", NULL, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_set_state(s->m, &id, 1, MP_TRASHED, &why), MP_NOT_FOUND);
    mp_verdict v = {.kind = 1, .a = id, .b = picture, .note = ""};
    assert_int_equal(mp_meta_set_verdict(s->m, &v, &why), MP_NOT_FOUND);
}

static void count_problem(void *context, int64_t id, const char *what)
{
    (void)id, (void)what;
    ++*(int *)context;
}

static bool count_copy(void *context, const mp_version *v)
{
    assert_true(v->copied);
    return ++*(int *)context == 3;
}

static void removal_and_checks(void **state)
{
    store *s = *state;
    mp_why why;
    mp_sha256 h = hash_of(2), *hashes;
    bool unchanged, used;
    size_t n, removed;
    int problems = 0, copies = 0;
    int64_t *ids, id = must_add(s, "a", 1), item = must_add_item(s, "b.jpg", 3);
    assert_ok(mp_meta_add_version(s->m, id, &h, 1, 0, 1, &unchanged, &why));
    replace_item(s, item, 4);
    assert_ok(mp_meta_check(s->m, count_problem, &problems, &why));
    assert_int_equal(problems, 0);
    assert_ok(mp_meta_each_copy(s->m, count_copy, &copies, &why));
    assert_int_equal(copies, 3); /* all but the picture's current one */
    assert_ok(mp_meta_asset_ids(s->m, 1, 10, s->arena, &ids, &n, &why));
    assert_int_equal(n, 2);
    assert_ok(
        mp_meta_asset_hashes(s->m, (int64_t[]){item, 99, id}, 3, s->arena, &hashes, &n, &why));
    assert_int_equal(n, 4);
    for (int i = 1; i <= 4; i++) {
        int times = 0;
        h = hash_of(i);
        for (size_t k = 0; k < n; k++)
            times += memcmp(&hashes[k], &h, sizeof h) == 0;
        assert_int_equal(times, 1);
    }
    assert_ok(mp_meta_remove(s->m, (int64_t[]){id, item}, 2, &removed, &why));
    assert_int_equal(removed, 2);
    for (int i = 1; i <= 4; i++) {
        h = hash_of(i);
        assert_ok(mp_meta_uses_sha256(s->m, h.byte, &used, &why));
        assert_false(used);
    }
    assert_ok(mp_meta_check(s->m, count_problem, &problems, &why));
    assert_int_equal(problems, 0);
}

/* ---- many at once ---- */

typedef struct writer {
    store *s;
    int64_t id;
    int first;
    mp_err err;
} writer;

enum { WRITERS = 4, EACH = 10 };

static void *write_versions(void *context)
{
    writer *w = context;
    mp_why why;
    bool unchanged;
    for (int i = 0; !w->err && i < EACH; i++) {
        mp_sha256 h = hash_of(w->first + i);
        w->err = mp_meta_add_version(w->s->m, w->id, &h, 1, 0, 1, &unchanged, &why);
    }
    return NULL;
}

static void many_write_versions(void **state)
{
    store *s = *state;
    mp_why why;
    writer w[WRITERS];
    pthread_t t[WRITERS];
    mp_version *list;
    size_t n;
    int64_t id = must_add(s, "a", 1);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (writer){.s = s, .id = id, .first = 100 * (i + 1)};
        assert_int_equal(pthread_create(&t[i], NULL, write_versions, &w[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(w[i].err, MP_OK);
    assert_ok(mp_meta_list_versions(s->m, id, 0, 1000, s->arena, &list, &n, &why));
    assert_int_equal(n, 1 + WRITERS * EACH);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(list[i].current, i == n - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_there),
        TEST(what_is_refused),
        TEST(the_same_again_is_known),
        TEST(versions_are_numbered_and_stay),
        TEST(pictures_have_versions),
        TEST(the_trash_takes_no_versions),
        TEST(changes_leave_what_is_not_named),
        TEST(lists_are_of_one_project),
        TEST(items_are_pictures_alone),
        TEST(removal_and_checks),
        TEST(many_write_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
