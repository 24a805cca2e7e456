/* Walking folders: order, hidden names, links, what is left out. */
#include "../test.h"
#include "core/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void touch(const char *dir, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

static void folder(const char *dir, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static size_t count(const char *dir, mp_walk_options opt, mp_walk_list *list)
{
    mp_why why;
    *list = (mp_walk_list){0};
    assert_ok(mp_walk_folder(dir, &opt, list, &why));
    mp_walk_sort(list);
    return list->n;
}

static void files_come_sorted_and_once(void **state)
{
    (void)state;
    char dir[] = "/tmp/magpie-walk-XXXXXX", path[256], target[256], command[64];
    mp_walk_list list;
    assert_non_null(mkdtemp(dir));
    folder(dir, "b");
    folder(dir, ".hidden");
    touch(dir, "c.jpg");
    touch(dir, "b/a.jpg");
    touch(dir, ".dot.jpg");
    touch(dir, ".hidden/x.jpg");
    snprintf(path, sizeof path, "%s/b/loop", dir);
    assert_int_equal(symlink(dir, path), 0);
    snprintf(path, sizeof path, "%s/link.jpg", dir);
    snprintf(target, sizeof target, "%s/c.jpg", dir);
    assert_int_equal(symlink(target, path), 0);
    snprintf(path, sizeof path, "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);

    assert_int_equal(count(dir, (mp_walk_options){0}, &list), 3);
    snprintf(path, sizeof path, "%s/b/a.jpg", dir);
    assert_string_equal(list.path[0], path);
    assert_true(mp_walk_has(&list, path));
    assert_false(mp_walk_has(&list, "/nowhere"));
    mp_walk_add(&list, path); /* given twice */
    mp_walk_sort(&list);
    assert_int_equal(list.n, 3);
    mp_walk_free(&list);
    assert_int_equal(count(dir, (mp_walk_options){.hidden = true}, &list), 5);
    mp_walk_free(&list);
    assert_int_equal(count(dir, (mp_walk_options){.no_recurse = true}, &list), 2);
    mp_walk_free(&list);
    snprintf(path, sizeof path, "%s/b", dir);
    assert_int_equal(count(dir, (mp_walk_options){.skip = path}, &list), 2);
    mp_walk_free(&list);
    assert_int_equal(count("/nowhere/at/all", (mp_walk_options){0}, &list), 0);
    assert_int_equal(list.n_unread, 1);
    mp_walk_free(&list);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_come_sorted_and_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
