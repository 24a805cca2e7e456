/* What every metadata store promises of folders (meta.h): which there are, how many pictures lie in
 * each, and that `folder:` finds these. */
#include "../unit/test.h"
#include "base/os.h"
#include "meta/meta.h"

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
    store *s = mp_xcalloc(1, sizeof *s);
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    *state = s;
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-folders-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    s->arena = mp_arena_new(0);
    assert_ok(mp_meta_open(&s->m, s->url, &opt, &why));
    return 0;
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

static int64_t put(store *s, const char *path, const char *folder)
{
    static int number;
    mp_why why;
    mp_put p = {.item = {.path = path,
                         .name = "x.jpg",
                         .title = "",
                         .description = "",
                         .folder = folder,
                         .format = "jpeg",
                         .width = 100,
                         .height = 50,
                         .frames = 1,
                         .bytes = 1000}};
    number++;
    memcpy(p.item.sha256, &number, sizeof number);
    assert_ok(mp_meta_put_items(s->m, &p, 1, &why));
    return p.item.id;
}

/* "path=count path=count", with "+" behind it where there are more. */
static const char *told(store *s, const char *where, bool files, size_t most)
{
    mp_why why;
    mp_folders got;
    const mp_filter *filter;
    mp_buf text = {0};
    assert_ok(mp_filter_parse(where, s->arena, &filter, &why));
    assert_ok(mp_meta_list_folders(s->m, filter, files, most, s->arena, &got, &why));
    for (size_t i = 0; i < got.n; i++)
        mp_buf_printf(&text, "%s%s=%lld", i ? " " : "", got.list[i].path,
                      (long long)got.list[i].count);
    mp_buf_str(&text, got.more ? "+" : "");
    const char *out = mp_arena_strdup(s->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return out;
}

static size_t count_where(store *s, const char *where)
{
    mp_why why;
    const mp_filter *filter;
    uint64_t n;
    assert_ok(mp_filter_parse(where, s->arena, &filter, &why));
    assert_ok(mp_meta_count(s->m, filter, &n, &why));
    return (size_t)n;
}

static void both_kinds_are_told_apart(void **state)
{
    store *s = *state;
    put(s, "/disk/a/1.jpg", NULL);
    put(s, "/disk/a/2.jpg", NULL);
    put(s, "/disk/3.jpg", NULL);
    put(s, "/4.jpg", NULL);
    put(s, "", "holiday/rome");
    put(s, "", "holiday/rome");
    put(s, "", "holiday");
    put(s, "", "");
    assert_string_equal(told(s, "", false, 100), "/holiday=1 /holiday/rome=2");
    assert_string_equal(told(s, "", true, 100), "/=1 /disk=1 /disk/a=2 /holiday=1 /holiday/rome=2");
    assert_string_equal(told(s, "", true, 2), "/=1 /disk=1+");
    assert_string_equal(told(s, "project:1", true, 5),
                        "/=1 /disk=1 /disk/a=2 /holiday=1 /holiday/rome=2");
    assert_string_equal(told(s, "project:2", true, 5), "");
    static const struct {
        const char *where;
        size_t n;
    } rows[] = {
        {"folder:rome", 2},          {"folder:holiday", 3},
        {"folder:/holiday", 3},      {"folder:/rome", 0},
        {"folder:/holiday/rome", 2}, {"folder:/disk", 3},
        {"folder:/disk/a/", 2},      {"folder:a", 2},
        {"folder:/holi", 0},         {"-folder:holiday", 5},
        {"-folder:/holiday", 5},     {"folder:/HOLIDAY", 0},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        if (count_where(s, rows[i].where) != rows[i].n)
            fail_msg("%s: %zu, not %zu", rows[i].where, count_where(s, rows[i].where), rows[i].n);
}

static void neighbours_of_the_same_beginning_come_behind_what_lies_below(void **state)
{
    store *s = *state;
    static const char *const folders[] = {"a-b", "a", "a/c", "a b", "a.b/c", "ab", "a/c/d"};
    for (size_t i = 0; i < MP_COUNT(folders); i++)
        put(s, "", folders[i]);
    assert_string_equal(told(s, "", false, 100),
                        "/a=1 /a/c=1 /a/c/d=1 /a b=1 /a-b=1 /a.b/c=1 /ab=1");
    assert_int_equal(count_where(s, "folder:/a"), 3);
    assert_int_equal(count_where(s, "folder:\"/a b\""), 1);
}

static void copies_and_the_trash_are_not_counted_twice(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = put(s, "/p/a.jpg", NULL), gone = put(s, "/q/b.jpg", "told");
    mp_source_change more[] = {
        {.kind = MP_SOURCE_EXTRA, .path = "/p/copy.jpg", .item_id = id, .bytes = 1000},
        {.kind = MP_SOURCE_EXTRA, .path = "/r/copy.jpg", .item_id = id, .bytes = 1000}};
    assert_ok(mp_meta_change_sources(s->m, more, MP_COUNT(more), &why));
    assert_string_equal(told(s, "", true, 100), "/p=1 /q=1 /r=1 /told=1");
    assert_ok(mp_meta_set_state(s->m, &gone, 1, MP_TRASHED, &why));
    assert_string_equal(told(s, "", true, 100), "/p=1 /r=1");
}

static void a_folder_is_given_once(void **state)
{
    store *s = *state;
    mp_why why;
    mp_generation before, after;
    int64_t id = put(s, "", NULL);
    assert_ok(mp_meta_give_folder(s->m, id, "first", &why));
    assert_ok(mp_meta_generation(s->m, &before, &why));
    assert_ok(mp_meta_give_folder(s->m, id, "second", &why));
    assert_ok(mp_meta_generation(s->m, &after, &why));
    assert_int_equal(before.changes, after.changes);
    assert_string_equal(told(s, "", false, 100), "/first=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_kinds_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            neighbours_of_the_same_beginning_come_behind_what_lies_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_and_the_trash_are_not_counted_twice, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_given_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
