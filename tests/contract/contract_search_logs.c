/* What every metadata store promises of the log of searches (search_logs.h). */
#include "product_store.h"
#include "base/os.h"
#include "meta/search_logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(store *s, mp_search_log log)
{
    mp_why why;
    assert_ok(mp_meta_add_search_logs(s->m, &log, 1, &why));
}

static void a_search_comes_back_whole(void **state)
{
    store *s = *state;
    mp_why why;
    mp_search_log *rows;
    size_t n;
    int64_t before = mp_now_ms();
    mp_search_log log = {.type = MP_QUERY_MIXED,
                         .text = "  Red  Shoe ",
                         .image_url = "https://x.example/a.jpg",
                         .results = 12,
                         .time_ms = 34,
                         .user_id = "7",
                         .session_id = "abc",
                         .project_id = 3};
    assert_ok(mp_meta_add_search_logs(s->m, &log, 1, &why));
    assert_ok(mp_meta_list_search_logs(s->m, 0, 0, 10, s->arena, &rows, &n, &why));
    assert_int_equal(n, 1);
    assert_true(rows[0].id > 0 && rows[0].created_ms >= before);
    assert_int_equal(rows[0].type, MP_QUERY_MIXED);
    assert_string_equal(rows[0].text, log.text);
    assert_string_equal(rows[0].image_url, log.image_url);
    assert_int_equal(rows[0].results, 12);
    assert_int_equal(rows[0].time_ms, 34);
    assert_string_equal(rows[0].user_id, "7");
    assert_string_equal(rows[0].session_id, "abc");
    assert_int_equal(rows[0].project_id, 3);
}

static void the_list_goes_back_in_time(void **state)
{
    store *s = *state;
    mp_why why;
    mp_search_log *rows, logs[7] = {{.text = "0"}};
    size_t n, seen = 0;
    int64_t before = 0;
    for (int i = 0; i < 7; i++)
        logs[i] = (mp_search_log){.results = i, .project_id = 1 + i % 2, .created_ms = 100 + i};
    assert_ok(mp_meta_add_search_logs(s->m, logs, 7, &why));
    do {
        assert_ok(mp_meta_list_search_logs(s->m, 0, before, 3, s->arena, &rows, &n, &why));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(rows[i].results, 6 - (int)seen++);
        before = n ? rows[n - 1].id : 0;
        add(s, (mp_search_log){.results = 99}); /* a newer one shifts nothing */
    } while (n == 3);
    assert_int_equal(seen, 7);
    assert_ok(mp_meta_list_search_logs(s->m, 2, 0, 10, s->arena, &rows, &n, &why));
    assert_int_equal(n, 3);
    assert_int_equal(mp_meta_list_search_logs(s->m, 0, 0, 0, s->arena, &rows, &n, &why),
                     MP_INVALID);
    assert_int_equal(mp_meta_list_search_logs(s->m, 0, 0, 1001, s->arena, &rows, &n, &why),
                     MP_INVALID);
}

static void what_is_no_log_is_refused_with_its_batch(void **state)
{
    store *s = *state;
    mp_why why;
    mp_search_log *rows;
    size_t n;
    char *text = of_length(MP_QUERY_TEXT_MAX + 1);
    const mp_search_log wrong[] = {{.type = (mp_query_type)4},
                                   {.type = (mp_query_type)-1},
                                   {.results = -1},
                                   {.time_ms = -1},
                                   {.text = "\xFF"},
                                   {.text = text}};
    for (size_t i = 0; i < MP_COUNT(wrong); i++) {
        mp_search_log two[] = {{.text = "good"}, wrong[i]};
        assert_int_equal(mp_meta_add_search_logs(s->m, two, 2, &why), MP_INVALID);
    }
    assert_ok(mp_meta_list_search_logs(s->m, 0, 0, 10, s->arena, &rows, &n, &why));
    assert_int_equal(n, 0);
    text[MP_QUERY_TEXT_MAX] = '\0';
    add(s, (mp_search_log){.text = text});
    free(text);
}

static void queries_are_counted_in_one_form(void **state)
{
    static const char *const pairs[][2] = {
        {"  Red\t\n Shoe  ", "red shoe"},
        {"", ""},
        {" \r\n ", ""},
        {"\xC3\x84PFEL \xC3\x97 \xC3\x9F", "\xC3\xA4pfel \xC3\x97 \xC3\x9F"},
        {"\xC5\x81\xC3\x93"
         "D\xC5\xB9",
         "\xC5\x82\xC3\xB3"
         "d\xC5\xBA"},
        {"\xC5\x82\xC3\xB3"
         "d\xC5\xBA",
         "\xC5\x82\xC3\xB3"
         "d\xC5\xBA"},
        {"\xCE\xA9\xCE\x91", "\xCF\x89\xCE\xB1"},
        {"\xD0\x9F\xD0\xA0\xD0\x81", "\xD0\xBF\xD1\x80\xD1\x91"},
        {"\xE4\xBA\xAC A", "\xE4\xBA\xAC a"},
        {"\xC3", "\xC3"}};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(pairs); i++) {
        mp_buf out = {0};
        mp_query_normalise(pairs[i][0], &out);
        assert_string_equal(out.p ? out.p : "", pairs[i][1]);
        mp_buf_free(&out);
    }
}

static void the_report_sums_up(void **state)
{
    store *s = *state;
    mp_why why;
    mp_search_report r;
    for (int i = 1; i <= 100; i++) /* 1 to 100 ms */
        add(s, (mp_search_log){.type = MP_QUERY_IMAGE,
                               .results = 5,
                               .time_ms = i,
                               .created_ms = 1000,
                               .project_id = 1});
    add(s, (mp_search_log){.text = "Shoe", .results = 10, .time_ms = 10, .created_ms = 1001});
    add(s, (mp_search_log){.text = " shoe ", .results = 0, .time_ms = 30, .created_ms = 1003});
    add(s, (mp_search_log){.text = "SHOE", .results = 20, .time_ms = 20, .created_ms = 1002});
    add(s, (mp_search_log){.text = "unicorn", .time_ms = 4, .created_ms = 1004, .project_id = 1});
    add(s, (mp_search_log){.text = "unicorn", .time_ms = 5, .created_ms = 1005, .project_id = 1});
    add(s, (mp_search_log){.text = "too late", .created_ms = 2000});
    add(s, (mp_search_log){.text = "too early", .created_ms = 999});
    mp_search_report_options opt = {.from_ms = 1000, .to_ms = 2000, .limit = 10};
    assert_ok(mp_meta_search_report(s->m, &opt, s->arena, &r, &why));
    assert_int_equal(r.n_top, 2);
    assert_string_equal(r.top[0].query, "shoe");
    assert_int_equal(r.top[0].count, 3);
    assert_true(r.top[0].mean_results == 10 && r.top[0].mean_ms == 20);
    assert_int_equal(r.top[0].last_ms, 1003);
    assert_int_equal(r.n_empty, 2);
    assert_string_equal(r.empty[0].query, "unicorn");
    assert_int_equal(r.empty[0].count, 2);
    assert_int_equal(r.empty[1].count, 1);
    assert_int_equal(r.type[MP_QUERY_TEXT].count, 5);
    assert_int_equal(r.type[MP_QUERY_TEXT].empty, 3);
    assert_int_equal(r.type[MP_QUERY_TEXT].p95_ms, 30);
    assert_int_equal(r.type[MP_QUERY_IMAGE].count, 100);
    assert_int_equal(r.type[MP_QUERY_IMAGE].p95_ms, 95);
    assert_true(r.type[MP_QUERY_IMAGE].mean_ms == 50.5);
    assert_int_equal(r.type[MP_QUERY_SIMILAR].count, 0);
    opt.project_id = 1;
    opt.limit = 1;
    assert_ok(mp_meta_search_report(s->m, &opt, s->arena, &r, &why));
    assert_int_equal(r.n_top, 1);
    assert_string_equal(r.top[0].query, "unicorn");
    assert_int_equal(r.type[MP_QUERY_TEXT].count, 2);
    opt.limit = 0;
    assert_int_equal(mp_meta_search_report(s->m, &opt, s->arena, &r, &why), MP_INVALID);
    opt = (mp_search_report_options){.from_ms = 5000, .to_ms = 4000, .limit = 5};
    assert_ok(mp_meta_search_report(s->m, &opt, s->arena, &r, &why));
    assert_int_equal(r.n_top + r.n_empty + r.type[MP_QUERY_TEXT].count, 0);
}

static void old_searches_are_forgotten(void **state)
{
    enum { MANY = 25000 };
    store *s = *state;
    mp_why why;
    mp_search_log *rows;
    size_t n;
    uint64_t removed;
    mp_search_log *logs = mp_xcalloc(MANY, sizeof *logs);
    for (int i = 0; i < MANY; i++)
        logs[i].created_ms = 1 + i;
    assert_ok(mp_meta_add_search_logs(s->m, logs, MANY, &why));
    free(logs);
    assert_ok(mp_meta_prune_search_logs(s->m, 1, &removed, &why));
    assert_int_equal(removed, 0);
    assert_ok(mp_meta_prune_search_logs(s->m, MANY - 1, &removed, &why));
    assert_int_equal(removed, MANY - 2);
    assert_ok(mp_meta_list_search_logs(s->m, 0, 0, 10, s->arena, &rows, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(rows[1].created_ms, MANY - 1);
    assert_ok(mp_meta_prune_search_logs(s->m, INT64_MAX, NULL, &why));
    assert_ok(mp_meta_list_search_logs(s->m, 0, 0, 10, s->arena, &rows, &n, &why));
    assert_int_equal(n, 0);
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_search_comes_back_whole),
        WITH_STORE(the_list_goes_back_in_time),
        WITH_STORE(what_is_no_log_is_refused_with_its_batch),
        cmocka_unit_test(queries_are_counted_in_one_form),
        WITH_STORE(the_report_sums_up),
        WITH_STORE(old_searches_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
