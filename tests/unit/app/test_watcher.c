/* The watcher on a real folder: files, new folders, removals, bursts, what is left out. */
#include "../test.h"

#include "app/watcher.h"
#include "base/os.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/magpie-watch-XXXXXX";
static double deadline;

static bool late(void)
{
    return mp_monotonic_s() > deadline;
}

static char *below(char out[PATH_MAX], const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", root, name);
    return out;
}

static void touch(const char *name)
{
    char path[PATH_MAX];
    FILE *f = fopen(below(path, name), "w");
    assert_non_null(f);
    fputs("x", f);
    fclose(f);
}

static watcher *start(const watcher_options *opt)
{
    const char *roots[] = {root};
    watcher *w;
    mp_why why = {0};
    assert_ok(watcher_open(&w, roots, 1, opt, &why));
    return w;
}

static bool wait_for_news(watcher *w, double seconds, watcher_news *news)
{
    deadline = mp_monotonic_s() + seconds;
    return watcher_wait(w, late, news);
}

static bool has(const watcher_news *news, const char *name)
{
    char path[PATH_MAX];
    below(path, name);
    for (size_t i = 0; i < news->n; i++)
        if (strcmp(news->path[i], path) == 0)
            return true;
    return false;
}

static const watcher_options quick = {.quiet_ms = 100};

static void test_files(void **state)
{
    char a[PATH_MAX], b[PATH_MAX];
    watcher_news news;
    watcher *w = start(&quick);
    (void)state;
    for (int i = 0; i < 20; i++)
        touch("one.jpg");
    touch("two.jpg");
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "one.jpg") && has(&news, "two.jpg"));
    assert_int_equal(news.n, 2); /* a burst is one answer without repeats */
    rename(below(a, "one.jpg"), below(b, "three.jpg"));
    unlink(below(a, "two.jpg"));
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "one.jpg") && has(&news, "two.jpg") && has(&news, "three.jpg"));
    assert_false(wait_for_news(w, 0.5, &news)); /* quiet */
    watcher_close(w);
}

static void test_folders(void **state)
{
    char a[PATH_MAX], b[PATH_MAX];
    watcher_news news;
    watcher *w = start(&quick);
    (void)state;
    mkdir(below(a, "new"), 0755);
    mkdir(below(a, "new/deep"), 0755);
    touch("new/deep/x.jpg");
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "new"));
    assert_int_equal(watcher_folders(w), 3);
    touch("new/deep/y.jpg"); /* the folder that came later is watched, too */
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "new/deep/y.jpg"));
    rename(below(a, "new"), below(b, "renamed"));
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "renamed"));
    touch("renamed/deep/z.jpg"); /* under its new name */
    assert_true(wait_for_news(w, 5, &news));
    assert_true(has(&news, "renamed/deep/z.jpg"));
    watcher_close(w);
}

static void test_what_is_left_out(void **state)
{
    char path[PATH_MAX], skip_path[PATH_MAX];
    watcher_news news;
    mkdir(below(path, "library"), 0755);
    mkdir(below(path, ".hidden"), 0755);
    watcher_options o = {.quiet_ms = 50, .skip = below(skip_path, "library")};
    watcher *w = start(&o);
    (void)state;
    touch("library/magpie.db");
    touch(".hidden/x.jpg");
    touch(".dot.jpg");
    assert_false(wait_for_news(w, 0.6, &news));
    assert_false(watcher_is_partial(w));
    watcher_close(w);
}

static void test_rescans_where_events_cannot_be_had(void **state)
{
    char path[PATH_MAX];
    watcher_news news;
    watcher *w;
    mp_why why = {0};
    watcher_options o = {.quiet_ms = 50, .rescan_s = 1};
    (void)state;
    touch("single.jpg");
    const char *roots[] = {below(path, "single.jpg")};
    assert_ok(watcher_open(&w, roots, 1, &o, &why));
    assert_true(watcher_is_partial(w));
    assert_true(wait_for_news(w, 5, &news));
    assert_true(news.everything);
    watcher_close(w);
}

static void test_too_many_changes_mean_everything(void **state)
{
    watcher_news news;
    char path[PATH_MAX];
    watcher *w = start(&quick);
    (void)state;
    for (int i = 0; i < 12000; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%05d", i);
        FILE *f = fopen(below(path, name), "w");
        assert_non_null(f);
        fclose(f);
    }
    assert_true(wait_for_news(w, 20, &news));
    assert_true(news.everything || news.n >= 10000 || wait_for_news(w, 20, &news));
    watcher_close(w);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    return at->level == 0 ? 0 : remove(path);
}

static int empty(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    if (!mkdtemp(root))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_files, empty),
        cmocka_unit_test_teardown(test_folders, empty),
        cmocka_unit_test_teardown(test_what_is_left_out, empty),
        cmocka_unit_test_teardown(test_rescans_where_events_cannot_be_had, empty),
        cmocka_unit_test_teardown(test_too_many_changes_mean_everything, empty),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(root);
    return failed;
}
