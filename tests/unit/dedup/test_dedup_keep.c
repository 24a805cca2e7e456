/* Which copy to keep, and the words for it. */
#include "../test.h"

#include "core/dedup.h"

#include <string.h>

static mp_keep_candidate plain(int64_t id)
{
    return (mp_keep_candidate){.id = id,
                               .width = 400,
                               .height = 300,
                               .bytes = 50000,
                               .format = "jpeg",
                               .sharpness = 100,
                               .mtime_ms = 1000};
}

static void expect(const mp_keep_candidate *c, size_t n, size_t keep, const char *words)
{
    char reason[128];
    assert_int_equal(mp_dedup_keep(c, n, reason, sizeof reason), keep);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
}

static void each_question_decides(void **state)
{
    (void)state;
    mp_keep_candidate c[3] = {plain(1), plain(2), plain(3)};
    expect(c, 3, 0, "added first");
    c[1].mtime_ms = 500;
    expect(c, 3, 1, "oldest");
    c[2].taken_ms = 100;
    expect(c, 3, 2, "oldest");
    c[0].sharpness = 120;
    expect(c, 3, 0, "sharpest");
    c[0].issues = 4;
    expect(c, 3, 2, "fewest flaws");
    c[1].bytes = 60000;
    expect(c, 3, 1, "least compressed");
    c[2].format = "png";
    expect(c, 3, 2, "best format (png)");
    c[0].width = 800;
    expect(c, 3, 0, "most pixels (800 x 300)");
    c[0].missing = true;
    expect(c, 3, 2, "still there");
}

static void a_frame_adds_no_pixels(void **state)
{
    (void)state;
    mp_keep_candidate c[2] = {plain(1), plain(2)};
    c[0].width = 440;
    c[0].height = 330;
    c[0].added = 0.17f;
    expect(c, 2, 1, "no frame or caption");
    c[0].width = 880;
    c[0].height = 660;
    expect(c, 2, 0, "most pixels");
}

static void colours_are_kept(void **state)
{
    (void)state;
    mp_keep_candidate c[2] = {plain(1), plain(2)};
    c[0].dull = true;
    c[0].format = "png";
    expect(c, 2, 1, "in colour");
}

static void alone(void **state)
{
    (void)state;
    mp_keep_candidate c = plain(9);
    expect(&c, 1, 0, "the only one");
}

static void small_differences_do_not_count(void **state)
{
    (void)state;
    mp_keep_candidate c[2] = {plain(1), plain(2)};
    c[1].bytes = 50400; /* under 2 % */
    c[1].sharpness = 102;
    c[0].mtime_ms = 10;
    expect(c, 2, 0, "oldest");
}

static void an_unknown_format_and_time_come_last(void **state)
{
    (void)state;
    mp_keep_candidate c[2] = {plain(1), plain(2)};
    c[0].format = "";
    expect(c, 2, 1, "best format");
    c[0].format = "jpeg";
    c[0].mtime_ms = 0;
    expect(c, 2, 1, "oldest");
}

static void a_short_buffer_is_cut(void **state)
{
    (void)state;
    mp_keep_candidate c[2] = {plain(1), plain(2)};
    char reason[6];
    c[1].width = 900;
    assert_int_equal(mp_dedup_keep(c, 2, reason, sizeof reason), 1);
    assert_string_equal(reason, "most ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_decides),
        cmocka_unit_test(a_frame_adds_no_pixels),
        cmocka_unit_test(colours_are_kept),
        cmocka_unit_test(alone),
        cmocka_unit_test(small_differences_do_not_count),
        cmocka_unit_test(an_unknown_format_and_time_come_last),
        cmocka_unit_test(a_short_buffer_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
