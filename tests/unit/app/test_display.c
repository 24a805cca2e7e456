/* Tables, the progress line, JSON objects, pages and result files. */
#include "../test.h"

#include "app/commands.h"
#include "app/map_page.h"
#include "app/outfile.h"
#include "base/os.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/magpie-display-XXXXXX";
static const char HOSTILE[] = "<script>alert(1)</script>\x1b[2J\n\xff";

static char *below(char out[PATH_MAX], const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return out;
}

static char *slurp(const char *path)
{
    uint8_t *data;
    size_t n;
    mp_why why = {0};
    assert_ok(mp_file_read(path, 1 << 24, &data, &n, &why));
    char *text = mp_xcalloc(n + 1, 1);
    memcpy(text, data, n);
    free(data);
    return text;
}

/* ---- tables ---- */

static char *printed(const table *t, int width)
{
    char *text = NULL;
    size_t n;
    term to = {.to = open_memstream(&text, &n), .width = width};
    table_print(t, &to, 1);
    fclose(to.to);
    return text;
}

static void test_table(void **state)
{
    static const column columns[] = {
        {"n", true, false}, {"path", false, true}, {"why", false, true}};
    table *t = table_new(columns, MP_COUNT(columns));
    (void)state;
    table_cellf(t, PAINT_NONE, "%d", 7);
    table_cell(t, PAINT_NONE, "/a/very/long/path/that/does/not/fit/picture.jpg");
    table_cell(t, PAINT_NONE, "short");
    table_cell(t, PAINT_BAD, "1234");
    table_cell(t, PAINT_NONE, "b\n.png");
    table_cell(t, PAINT_NONE, "");
    char *wide = printed(t, INT_MAX);
    assert_string_equal(wide, "    n  path                                             why\n"
                              "    7  /a/very/long/path/that/does/not/fit/picture.jpg  short\n"
                              " 1234  b\\n.png                                          \n");
    char *narrow = printed(t, 40);
    for (char *line = strtok(narrow, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(text_width(line) <= 40);
    free(wide);
    free(narrow);
    table_free(t);
}

static void test_an_empty_table(void **state)
{
    static const column columns[] = {{"id", true, false}, {"path", false, true}};
    table *t = table_new(columns, MP_COUNT(columns));
    (void)state;
    char *text = printed(t, 20);
    assert_string_equal(text, " id  path\n");
    free(text);
    table_free(t);
}

/* ---- progress ---- */

static void test_progress(void **state)
{
    progress p = {.unit = "pictures"};
    magpie_progress now = {
        .stage = "add", .done = 500, .total = 2000, .bytes = 104857600, .elapsed_s = 10};
    mp_buf b = {0};
    (void)state;
    progress_line(&b, &p, &now, 80, false);
    assert_string_equal(b.p, "adding 500/2,000 25 %  50 pictures/s  10.0 MB/s  30 s left");
    mp_buf_free(&b);
    progress_line(&b, &p, &now, 120, false);
    assert_non_null(strstr(b.p, "[######------------------]"));
    mp_buf_free(&b);
    now = (magpie_progress){.stage = "scan", .done = 12345};
    progress_line(&b, &p, &now, 80, false);
    assert_string_equal(b.p, "looking 12,345");
    mp_buf_free(&b);
}

/* ---- JSON ---- */

static void test_item_json(void **state)
{
    const char *tags[] = {"a", HOSTILE};
    magpie_item item = {.id = 3,
                        .path = HOSTILE,
                        .name = "",
                        .title = "",
                        .description = "",
                        .sha256 = "00",
                        .format = "png",
                        .mtime_ms = 1717158600000,
                        .sharpness = NAN,
                        .issues = MAGPIE_TOO_DARK | MAGPIE_BLURRED,
                        .tags = tags,
                        .n_tags = 2};
    (void)state;
    json_t *o = json_item(&item);
    char *text = json_dumps(o, 0);
    assert_non_null(text);
    json_t *again = json_loads(text, 0, NULL);
    assert_true(json_equal(o, again));
    assert_true(json_is_null(json_object_get(o, "sharpness")));
    assert_true(json_is_null(json_object_get(o, "taken")));
    assert_string_equal(json_string_value(json_object_get(o, "modified")), "2024-05-31T12:30:00Z");
    assert_int_equal(json_array_size(json_object_get(o, "issues")), 2);
    free(text);
    json_decref(o);
    json_decref(again);
}

/* ---- pages ---- */

static mp_app page_app(void)
{
    static char library[PATH_MAX], models[PATH_MAX];
    magpie_why why = {0};
    mp_app app = {.err = {.to = stderr, .width = 80}, .quiet = true};
    magpie_options o = {.library = below(library, "library"),
                        .models_dir = below(models, "models"),
                        .model = "builtin",
                        .create = true};
    if (magpie_open(&app.library, &o, &why) != MAGPIE_OK)
        fail_msg("%s", why.text);
    return app;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void test_contact_sheet(void **state)
{
    char path[PATH_MAX];
    mp_why why = {0};
    mp_app app = page_app();
    html h;
    (void)state;
    assert_ok(html_open(&h, &app, below(path, "page.html"), HOSTILE, &why));
    assert_int_equal(access(path, F_OK), -1); /* not there before it is whole */
    html_section(&h, "One", HOSTILE);
    html_group(&h, HOSTILE);
    html_card card = {.id = 1,
                      .path = HOSTILE,
                      .name = HOSTILE,
                      .badge = HOSTILE,
                      .score = "0.5",
                      .reason = HOSTILE,
                      .picture = (const uint8_t *)"foo",
                      .picture_n = 3,
                      .mime = "image/png"};
    html_add(&h, &card);
    card.picture = NULL; /* and the library has no item 1 */
    html_add(&h, &card);
    html_group(&h, "Another");
    html_add(&h, &card);
    html_section(&h, "Two", NULL);
    html_note(&h, "nothing");
    assert_ok(html_commit(&h, &why));
    char *text = slurp(path);
    assert_int_equal(count(text, "<script"), 0);
    assert_int_equal(count(text, "\x1b"), 0);
    assert_int_equal(count(text, "data:image/png;base64,Zm9v\""), 1);
    assert_int_equal(count(text, "no picture"), 2);
    assert_int_equal(count(text, "<section>"), count(text, "</section>"));
    assert_int_equal(count(text, "<div"), count(text, "</div>"));
    assert_int_equal(count(text, "<figure"), 3);
    free(text);
    magpie_close(app.library);
}

static void test_map_page(void **state)
{
    char path[PATH_MAX];
    char hostile[] = "</script><script>alert(1)</script>", plain[] = "a.jpg",
         at[] = "/x/hats/a.jpg";
    map_row rows[] = {{{1, 0.5f, -0.5f, 0}, at, plain}, {{2, -1, 1, 0}, hostile, hostile}};
    mp_app app = page_app();
    (void)state;
    assert_int_equal(map_page(&app, below(path, "map.html"), rows, 2, 2, 10), EXIT_DONE);
    char *text = slurp(path);
    assert_int_equal(count(text, "alert(1)"),
                     count(text, "alert(1)&lt;") + count(text, "alert(1)\\u003c"));
    assert_int_equal(count(text, "<script"), 2);
    assert_int_equal(count(text, "<circle "), 2);
    assert_int_equal(count(text, "hats"), 1);
    free(text);
    magpie_close(app.library);
}

/* ---- result files ---- */

static void test_outfile(void **state)
{
    char path[PATH_MAX];
    mp_why why = {0};
    outfile f;
    (void)state;
    assert_ok(outfile_open(&f, below(path, "out.txt"), &why));
    fputs("one", f.to);
    assert_ok(outfile_commit(&f, &why));
    assert_ok(outfile_open(&f, path, &why));
    fputs("half", f.to);
    outfile_abandon(&f);
    outfile_abandon(&f); /* twice does no harm */
    char *text = slurp(path);
    assert_string_equal(text, "one"); /* the old one stands */
    assert_int_equal(access(f.temporary, F_OK), -1);
    free(text);
    assert_int_equal(outfile_open(&f, below(path, "none/out.txt"), &why), MP_NOT_FOUND);
    assert_int_equal(outfile_open(&f, below(path, "."), &why), MP_OK);
    assert_int_not_equal(outfile_commit(&f, &why), MP_OK); /* a folder cannot be replaced */
    outfile_abandon(&f);
}

static void test_a_full_disk_is_told(void **state)
{
    mp_why why = {0};
    outfile f;
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_ok(outfile_open(&f, "/dev/full", &why));
    fputs("x", f.to);
    assert_int_equal(outfile_commit(&f, &why), MP_FULL);
    outfile_abandon(&f);
}

static int unlink_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_an_empty_table),
        cmocka_unit_test(test_progress),      cmocka_unit_test(test_item_json),
        cmocka_unit_test(test_contact_sheet), cmocka_unit_test(test_map_page),
        cmocka_unit_test(test_outfile),       cmocka_unit_test(test_a_full_disk_is_told),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nftw(folder, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
