/* What every metadata store promises of events, subscribers and daily figures (events.h). */
#include "jobs_store.h"

static void say(store *s, const char *type, int64_t project_id)
{
    mp_why why;
    mp_event e = {.at_ms = T0, .type = type, .project_id = project_id, .subject = "7"};
    assert_ok(mp_meta_add_events(s->m, &e, 1, &why));
}

static size_t hear(store *s, const mp_event_query *q, mp_event **out)
{
    mp_why why;
    size_t n;
    assert_ok(mp_meta_list_events(s->second, q, s->arena, out, &n, &why));
    return n;
}

static void events_come_in_order(void **state)
{
    store *s = *state;
    mp_why why;
    mp_event *rows;
    int64_t last;
    assert_ok(mp_meta_last_event(s->m, &last, &why));
    assert_int_equal(last, 0);
    mp_event two[] = {
        {.at_ms = T0, .type = "image.added", .project_id = 1, .user_id = 2, .data = "{\"n\":1}"},
        {.at_ms = T0, .type = "image.removed", .project_id = 2, .subject = "5"}};
    assert_ok(mp_meta_add_events(s->m, two, 2, &why));
    say(s, "imageless", 0);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9}, &rows), 3);
    assert_string_equal(rows[0].type, "image.added");
    assert_string_equal(rows[0].data, "{\"n\":1}");
    assert_int_equal(rows[0].user_id, 2);
    assert_string_equal(rows[1].subject, "5");
    assert_string_equal(rows[1].data, "{}");
    assert_true(rows[0].id < rows[1].id && rows[1].id < rows[2].id);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 1, .after = rows[0].id}, &rows), 1);
    assert_string_equal(rows[0].type, "image.removed");
    assert_int_equal(hear(s, &(mp_event_query){.limit = 2, .newest_first = true}, &rows), 2);
    assert_string_equal(rows[0].type, "imageless");
    int64_t middle = rows[1].id;
    mp_event_query older = {.limit = 2, .newest_first = true, .before = middle};
    assert_int_equal(hear(s, &older, &rows), 1);
    assert_string_equal(rows[0].type, "image.added");
    older.before = rows[0].id;
    assert_int_equal(hear(s, &older, &rows), 0);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9, .before = middle}, &rows), 1);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9, .prefix = "image."}, &rows), 2);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9, .prefix = "%"}, &rows), 0);
    int64_t some[] = {2, 0};
    mp_event_query q = {.limit = 9, .projects = some, .n_projects = 2};
    assert_int_equal(hear(s, &q, &rows), 2);
    q.n_projects = 0;
    assert_int_equal(hear(s, &q, &rows), 0);
    assert_ok(mp_meta_last_event(s->m, &last, &why));
    assert_int_equal(last, 3);
    two[1].data = "{";
    assert_int_equal(mp_meta_add_events(s->m, two, 2, &why), MP_INVALID);
    two[1].data = NULL;
    two[1].type = "";
    assert_int_equal(mp_meta_add_events(s->m, two, 2, &why), MP_INVALID);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9}, &rows), 3); /* all or none */
}

static void cursors_only_advance(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t at;
    assert_ok(mp_meta_get_cursor(s->m, "audit", &at, &why));
    assert_int_equal(at, 0);
    assert_ok(mp_meta_advance_cursor(s->m, "audit", 7, &why));
    assert_ok(mp_meta_advance_cursor(s->second, "audit", 5, &why));
    assert_ok(mp_meta_get_cursor(s->m, "audit", &at, &why));
    assert_int_equal(at, 7);
    assert_ok(mp_meta_get_cursor(s->m, "notification", &at, &why));
    assert_int_equal(at, 0);
    assert_int_equal(mp_meta_advance_cursor(s->m, "", 1, &why), MP_INVALID);
}

static void events_stay_until_every_subscriber_has_seen_them(void **state)
{
    store *s = *state;
    mp_why why;
    uint64_t n;
    mp_event *rows;
    for (int i = 0; i < 4; i++)
        say(s, "image.added", 1);
    assert_ok(mp_meta_advance_cursor(s->m, "audit", 4, &why));
    assert_ok(mp_meta_advance_cursor(s->m, "slow", 1, &why));
    assert_ok(mp_meta_drop_events(s->m, T0, 99, &n, &why));
    assert_int_equal(n, 0); /* not older than that */
    assert_ok(mp_meta_drop_events(s->m, T0 + 1, 99, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_drop_cursor(s->m, "slow", &why));
    assert_ok(mp_meta_drop_events(s->m, T0 + 1, 2, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(hear(s, &(mp_event_query){.limit = 9}, &rows), 1);
    assert_int_equal(rows[0].id, 4);
}

static int64_t figure(store *s, const char *name)
{
    mp_why why;
    mp_daily *rows;
    size_t n;
    int64_t sum = 0;
    mp_daily_query q = {.from = "2024-05-01", .to = "2024-05-31", .name = name};
    assert_ok(mp_meta_list_daily(s->second, &q, s->arena, &rows, &n, &why));
    for (size_t i = 0; i < n; i++)
        sum += rows[i].value;
    return sum;
}

static void daily_figures_add_up(void **state)
{
    store *s = *state;
    mp_why why;
    mp_daily *rows;
    size_t n;
    mp_daily day[] = {{"2024-05-02", 1, "added", 3},
                      {"2024-05-01", 1, "added", 2},
                      {"2024-05-01", 2, "added", 5},
                      {"2024-05-01", 1, "removed", 1}};
    assert_ok(mp_meta_add_daily(s->m, day, 4, &why));
    assert_ok(mp_meta_add_daily(s->m, day, 1, &why));
    assert_int_equal(figure(s, "added"), 13);
    assert_int_equal(figure(s, NULL), 14);
    int64_t one = 1;
    mp_daily_query q = {
        .from = "2024-05-01", .to = "2024-05-02", .projects = &one, .n_projects = 1};
    assert_ok(mp_meta_list_daily(s->m, &q, s->arena, &rows, &n, &why));
    assert_int_equal(n, 3);
    assert_string_equal(rows[0].day, "2024-05-01");
    assert_string_equal(rows[1].name, "removed");
    assert_int_equal(rows[2].value, 6);
    q.to = "2024-04-30";
    assert_ok(mp_meta_list_daily(s->m, &q, s->arena, &rows, &n, &why));
    assert_int_equal(n, 0);
    static const char *const bad[] = {"2024-5-01",  "2024-13-01", "2024-00-10", "2024-01-32",
                                      "01.01.2024", "",           "2024-05-011"};
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        mp_daily both[] = {{"2024-05-01", 1, "added", 100}, {bad[i], 1, "added", 1}};
        assert_int_equal(mp_meta_add_daily(s->m, both, 2, &why), MP_INVALID);
    }
    assert_int_equal(figure(s, "added"), 13);
}

static void events_are_counted_exactly_once(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t at;
    mp_daily row = {"2024-05-01", 1, "added", 10};
    mp_tally tally = {"analytics", 0, 10, &row, 1};
    assert_ok(mp_meta_count_events(s->m, &tally, &why));
    assert_int_equal(mp_meta_count_events(s->second, &tally, &why), MP_EXISTS);
    assert_int_equal(figure(s, "added"), 10);
    row.day = "never";
    tally.from_id = 10;
    tally.to_id = 20;
    assert_int_equal(mp_meta_count_events(s->m, &tally, &why), MP_INVALID);
    assert_ok(mp_meta_get_cursor(s->m, "analytics", &at, &why));
    assert_int_equal(at, 10); /* both or none */
    row.day = "2024-05-01";
    tally.to_id = 9;
    assert_int_equal(mp_meta_count_events(s->m, &tally, &why), MP_INVALID);
    tally.to_id = 20;
    tally.n = 0; /* events that nobody counts */
    assert_ok(mp_meta_count_events(s->m, &tally, &why));
    assert_ok(mp_meta_get_cursor(s->m, "analytics", &at, &why));
    assert_int_equal(at, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(events_come_in_order),
        EACH(cursors_only_advance),
        EACH(events_stay_until_every_subscriber_has_seen_them),
        EACH(daily_figures_add_up),
        EACH(events_are_counted_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
