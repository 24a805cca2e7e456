/* What every metadata store promises of jobs as people see them, and of schedules (jobs.h). */
#include "jobs_store.h"

/* ---- adding and reading ---- */

static void a_job_comes_back_whole(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job none;
    int64_t id = add(s, &(mp_job){.project_id = 3,
                                  .user_id = 4,
                                  .type = "export",
                                  .priority = -2,
                                  .params = "{\"a\":1}",
                                  .max_attempts = 7,
                                  .run_at_ms = T0 + 9,
                                  .key = "k"});
    mp_job got = get(s, id);
    assert_int_equal(got.id, id);
    assert_int_equal(got.project_id, 3);
    assert_int_equal(got.user_id, 4);
    assert_string_equal(got.type, "export");
    assert_int_equal(got.status, MP_JOB_QUEUED);
    assert_int_equal(got.priority, -2);
    assert_string_equal(got.params, "{\"a\":1}");
    assert_string_equal(got.result, "");
    assert_string_equal(got.error, "");
    assert_int_equal(got.attempts, 0);
    assert_int_equal(got.max_attempts, 7);
    assert_int_equal(got.run_at_ms, T0 + 9);
    assert_int_equal(got.created_ms, T0);
    assert_int_equal(got.started_ms, 0);
    assert_int_equal(got.finished_ms, 0);
    assert_string_equal(got.lease_owner, "");
    assert_string_equal(got.key, "k");
    got = get(s, add(s, &(mp_job){.priority = 0}));
    assert_int_equal(got.project_id, 0);
    assert_string_equal(got.params, "{}");
    assert_int_equal(got.run_at_ms, T0);
    assert_int_equal(mp_meta_get_job(s->m, 99, s->arena, &none, &why), MP_NOT_FOUND);
    assert_int_equal(none.id, 0);
}

static void bad_jobs_are_refused(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = 5;
    char *long_text = mp_xcalloc(1, MP_JOB_TEXT_MAX + 2);
    memset(long_text, '1', MP_JOB_TEXT_MAX + 1);
    const struct {
        mp_job job;
        mp_err err;
    } rows[] = {
        {{.type = ""}, MP_INVALID},
        {{.type = NULL}, MP_INVALID},
        {{.type = "a", .params = "{"}, MP_INVALID},
        {{.type = "a", .params = "a word"}, MP_INVALID},
        {{.type = "a", .params = long_text}, MP_TOO_BIG},
        {{.type = long_text}, MP_INVALID},
        {{.type = "a", .key = long_text}, MP_INVALID},
        {{.type = "a", .max_attempts = -1}, MP_INVALID},
        {{.type = "a", .project_id = -1}, MP_INVALID},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        why.text[0] = '\0';
        if (mp_meta_add_job(s->m, &rows[i].job, &id, NULL, &why) != rows[i].err)
            fail_msg("row %zu: %s", i, why.text);
        assert_int_equal(id, 0);
        assert_true(why.text[0] != '\0');
    }
    free(long_text);
    add(s, &(mp_job){.priority = 0}); /* usable after a failure */
}

static void a_key_names_one_job(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job job = {.user_id = 1, .type = "export", .params = "{\"a\":1}", .key = "k"};
    int64_t first, again;
    bool existed = true;
    assert_ok(mp_meta_add_job(s->m, &job, &first, &existed, &why));
    assert_false(existed);
    assert_ok(mp_meta_add_job(s->second, &job, &again, &existed, &why));
    assert_true(existed);
    assert_int_equal(again, first);
    job.params = "{\"a\":2}";
    assert_int_equal(mp_meta_add_job(s->m, &job, &again, &existed, &why), MP_EXISTS);
    assert_int_equal(again, 0);
    assert_false(existed);
    job.params = "{\"a\":1}";
    job.type = "cleanup";
    assert_int_equal(mp_meta_add_job(s->m, &job, &again, &existed, &why), MP_EXISTS);
    job.user_id = 2; /* another's keys are another's */
    assert_ok(mp_meta_add_job(s->m, &job, &again, &existed, &why));
    assert_false(existed);
    job.key = "";
    assert_ok(mp_meta_add_job(s->m, &job, &again, &existed, &why));
    assert_ok(mp_meta_add_job(s->m, &job, &first, &existed, &why));
    assert_true(first != again && !existed);
}

static size_t list(store *s, const mp_job_query *q, mp_job **out)
{
    mp_why why;
    size_t n;
    assert_ok(mp_meta_list_jobs(s->second, q, s->arena, out, &n, &why));
    return n;
}

static void lists_choose_and_come_in_pages(void **state)
{
    store *s = *state;
    mp_job *rows;
    int64_t ids[6];
    for (int i = 0; i < 6; i++)
        ids[i] = add(s, &(mp_job){.project_id = i % 3, .type = i < 4 ? "export" : "cleanup"});
    assert_int_equal(mp_meta_cancel_job(s->m, ids[1], T0, NULL), MP_OK);
    assert_int_equal(list(s, &(mp_job_query){.limit = 4}, &rows), 4);
    assert_int_equal(rows[0].id, ids[5]);
    assert_int_equal(rows[3].id, ids[2]);
    assert_int_equal(list(s, &(mp_job_query){.limit = 4, .before = ids[2]}, &rows), 2);
    assert_int_equal(rows[1].id, ids[0]);
    assert_int_equal(list(s, &(mp_job_query){.limit = 9, .type = "cleanup"}, &rows), 2);
    assert_int_equal(list(s, &(mp_job_query){.limit = 9, .status = MP_JOB_CANCELLED}, &rows), 1);
    assert_int_equal(rows[0].id, ids[1]);
    mp_job_query both = {.limit = 9, .status = MP_JOB_QUEUED, .type = "export"};
    assert_int_equal(list(s, &both, &rows), 3);
    int64_t some[] = {0, 2};
    mp_job_query projects = {.limit = 9, .projects = some, .n_projects = 2};
    assert_int_equal(list(s, &projects, &rows), 4);
    projects.n_projects = 0; /* of no project at all: not the same as any */
    assert_int_equal(list(s, &projects, &rows), 0);
    assert_int_equal(list(s, &(mp_job_query){.limit = SIZE_MAX}, &rows), 6);
    assert_int_equal(list(s, &(mp_job_query){.limit = 9, .type = "' OR 1 --"}, &rows), 0);
}

static void figures_count_types_and_states(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job_count *counts;
    size_t n;
    int64_t age;
    assert_ok(mp_meta_oldest_job(s->m, T0, &age, &why));
    assert_int_equal(age, 0);
    add(s, &(mp_job){.type = "export"});
    add(s, &(mp_job){.type = "export", .run_at_ms = T0 - 70});
    add(s, &(mp_job){.type = "cleanup", .run_at_ms = T0 + 1000});
    int64_t cancelled = add(s, &(mp_job){.type = "export", .run_at_ms = T0 - 900});
    assert_ok(mp_meta_cancel_job(s->m, cancelled, T0, &why));
    assert_ok(mp_meta_count_jobs(s->m, s->arena, &counts, &n, &why));
    assert_int_equal(n, 3);
    assert_string_equal(counts[0].type, "cleanup");
    assert_int_equal(counts[0].n, 1);
    assert_int_equal(counts[1].status, MP_JOB_CANCELLED);
    assert_int_equal(counts[2].status, MP_JOB_QUEUED);
    assert_int_equal(counts[2].n, 2);
    assert_ok(mp_meta_oldest_job(s->m, T0, &age, &why));
    assert_int_equal(age, 70);
    assert_ok(mp_meta_oldest_job(s->m, T0 - 100, &age, &why)); /* none is due yet */
    assert_int_equal(age, 0);
}

static void words_and_states_match(void **state)
{
    (void)state;
    for (int i = MP_JOB_QUEUED; i <= MP_JOB_DEAD; i++)
        assert_int_equal(mp_job_status_of(mp_job_status_word((mp_job_status)i)), i);
    assert_int_equal(mp_job_status_of("asleep"), 0);
    assert_int_equal(mp_job_status_of(""), 0);
    assert_string_equal(mp_job_status_word((mp_job_status)99), "");
}

static void jobs_are_cancelled_in_every_state(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = add(s, &(mp_job){.priority = 0});
    assert_ok(mp_meta_cancel_job(s->m, id, T0 + 3, &why));
    assert_status(s, id, MP_JOB_CANCELLED);
    assert_int_equal(get(s, id).finished_ms, T0 + 3);
    assert_ok(mp_meta_cancel_job(s->m, id, T0 + 9, &why));
    assert_int_equal(get(s, id).finished_ms, T0 + 3);
    assert_int_equal(lease(s, "w", T0), 0);
    assert_ok(mp_meta_retry_job(s->m, id, T0, &why));
    assert_false(get(s, id).cancel_requested);
    assert_int_equal(lease(s, "w", T0), id);
    assert_ok(mp_meta_cancel_job(s->m, id, T0, &why));
    assert_status(s, id, MP_JOB_PROCESSING);
    assert_true(get(s, id).cancel_requested);
    assert_int_equal(lease(s, "w2", T0 + LEASE), 0); /* its worker died: nobody need go on */
    assert_status(s, id, MP_JOB_CANCELLED);
    assert_ok(mp_meta_retry_job(s->m, id, T0, &why));
    assert_int_equal(lease(s, "w3", T0), id);
    assert_int_equal(end(s, id, "w3", MP_JOB_DONE, "", T0), MP_OK);
    assert_int_equal(mp_meta_cancel_job(s->m, id, T0, &why), MP_EXISTS);
    assert_non_null(strstr(why.text, "completed"));
    assert_int_equal(mp_meta_retry_job(s->m, id, T0, &why), MP_EXISTS);
    assert_int_equal(mp_meta_cancel_job(s->m, 99, T0, &why), MP_NOT_FOUND);
}

static void logs_come_in_pages_and_have_a_cap(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job_line *lines;
    size_t n;
    int64_t id = add(s, &(mp_job){.priority = 0});
    mp_job_line line = {.job_id = id, .at_ms = T0, .level = "info", .text = "hello"};
    for (int i = 0; i < 3; i++)
        assert_ok(mp_meta_log_job(s->m, &line, &why));
    assert_ok(mp_meta_list_job_log(s->m, id, 0, 2, s->arena, &lines, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(lines[0].text, "hello");
    assert_int_equal(lines[0].at_ms, T0);
    assert_ok(mp_meta_list_job_log(s->m, id, lines[1].id, 2, s->arena, &lines, &n, &why));
    assert_int_equal(n, 1);
    for (int i = 0; i < MP_JOB_LOG_MAX; i++)
        assert_ok(mp_meta_log_job(s->m, &line, &why));
    assert_ok(mp_meta_list_job_log(s->m, id, 0, SIZE_MAX, s->arena, &lines, &n, &why));
    assert_int_equal(n, MP_JOB_LOG_MAX);
    line.level = "loud";
    assert_int_equal(mp_meta_log_job(s->m, &line, &why), MP_INVALID);
    line.level = NULL;
    assert_int_equal(mp_meta_log_job(s->m, &line, &why), MP_INVALID);
    line.level = "info";
    line.job_id = 99;
    assert_int_equal(mp_meta_log_job(s->m, &line, &why), MP_NOT_FOUND);
}

static void old_jobs_go_with_their_logs_and_keys(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job_line *lines;
    size_t n_lines;
    uint64_t n;
    int64_t old = add(s, &(mp_job){.key = "k"}), recent = add(s, &(mp_job){.priority = 0});
    int64_t waiting = add(s, &(mp_job){.priority = 0});
    mp_job_line line = {.job_id = old, .level = "info", .text = "x"};
    assert_ok(mp_meta_log_job(s->m, &line, &why));
    assert_ok(mp_meta_cancel_job(s->m, old, T0 + 1, &why));
    assert_ok(mp_meta_cancel_job(s->m, recent, T0 + 5, &why));
    assert_ok(mp_meta_drop_jobs(s->m, T0 + 5, 0, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_drop_jobs(s->m, T0 + 5, SIZE_MAX, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_list_job_log(s->m, old, 0, 9, s->arena, &lines, &n_lines, &why));
    assert_int_equal(n_lines, 0);
    assert_status(s, recent, MP_JOB_CANCELLED);
    assert_status(s, waiting, MP_JOB_QUEUED);
    assert_true(add(s, &(mp_job){.key = "k"}) > waiting); /* the key is free, the id is not */
}

/* ---- schedules ---- */

static void schedules_fire_once_per_slot(void **state)
{
    store *s = *state;
    mp_why why;
    mp_schedule *list_of;
    mp_job *jobs;
    size_t n;
    mp_schedule each = {"sweep", "cleanup", "{\"days\":3}", 60, 0, true};
    assert_ok(mp_meta_put_schedule(s->m, &each, T0, &why));
    mp_schedule off = {"off", "cleanup", NULL, 1, T0, false};
    assert_ok(mp_meta_put_schedule(s->m, &off, T0, &why));
    assert_ok(mp_meta_fire_schedules(s->m, T0 + 59999, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_fire_schedules(s->m, T0 + 60000, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_fire_schedules(s->second, T0 + 60000, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_fire_schedules(s->second, T0 + 605000, &n, &why)); /* nine were missed */
    assert_int_equal(n, 1);
    assert_ok(mp_meta_list_schedules(s->m, s->arena, &list_of, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(list_of[1].name, "sweep");
    assert_int_equal(list_of[1].next_ms, T0 + 660000); /* its rhythm stays */
    assert_true(list_of[1].enabled && !list_of[0].enabled);
    assert_int_equal(list(s, &(mp_job_query){.limit = 9, .type = "cleanup"}, &jobs), 2);
    assert_string_equal(jobs[0].params, "{\"days\":3}");
    assert_int_equal(jobs[0].user_id, 0);
}

static void a_schedule_that_is_put_again_keeps_its_time(void **state)
{
    store *s = *state;
    mp_why why;
    mp_schedule *all, each = {"sweep", "cleanup", "", 60, 0, true};
    size_t n;
    assert_ok(mp_meta_put_schedule(s->m, &each, T0, &why));
    assert_ok(mp_meta_put_schedule(s->m, &each, T0 + 50000, &why)); /* as each start does */
    assert_ok(mp_meta_list_schedules(s->m, s->arena, &all, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(all[0].next_ms, T0 + 60000);
    each.every_s = 5; /* shorter: not only after the long wait */
    assert_ok(mp_meta_put_schedule(s->m, &each, T0 + 50000, &why));
    assert_ok(mp_meta_list_schedules(s->m, s->arena, &all, &n, &why));
    assert_int_equal(all[0].next_ms, T0 + 55000);
    each.next_ms = T0 + 51000;
    assert_ok(mp_meta_put_schedule(s->m, &each, T0 + 50000, &why));
    assert_ok(mp_meta_fire_schedules(s->m, T0 + 51000, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_put_schedule(s->m, &each, T0 + 50000, &why)); /* set back: fired already */
    assert_ok(mp_meta_fire_schedules(s->m, T0 + 51000, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_drop_schedule(s->m, "sweep", &why));
    assert_int_equal(mp_meta_drop_schedule(s->m, "sweep", &why), MP_NOT_FOUND);
    each.every_s = 0;
    assert_int_equal(mp_meta_put_schedule(s->m, &each, T0, &why), MP_INVALID);
    each = (mp_schedule){"", "cleanup", "", 60, 0, true};
    assert_int_equal(mp_meta_put_schedule(s->m, &each, T0, &why), MP_INVALID);
    each = (mp_schedule){"a", "cleanup", "{", 60, 0, true};
    assert_int_equal(mp_meta_put_schedule(s->m, &each, T0, &why), MP_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_job_comes_back_whole),
        EACH(bad_jobs_are_refused),
        EACH(a_key_names_one_job),
        EACH(lists_choose_and_come_in_pages),
        EACH(figures_count_types_and_states),
        cmocka_unit_test(words_and_states_match),
        EACH(jobs_are_cancelled_in_every_state),
        EACH(logs_come_in_pages_and_have_a_cap),
        EACH(old_jobs_go_with_their_logs_and_keys),
        EACH(schedules_fire_once_per_slot),
        EACH(a_schedule_that_is_put_again_keeps_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
