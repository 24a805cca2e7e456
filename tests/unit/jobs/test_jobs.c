/* The worker: outcomes, attempts, limits over several workers, schedules, options. */
#include "jobs_room.h"

/* ---- handlers ---- */

static mp_err fail_with(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)run, (void)result;
    atomic_fetch_add(&r->runs, 1);
    return r->err == MP_CANCELLED ? r->err : mp_fail(why, r->err, "no luck");
}

static mp_err succeed_third(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)run, (void)result;
    return atomic_fetch_add(&r->runs, 1) == 2 ? MP_OK : mp_fail(why, MP_IO, "not yet");
}

static mp_err bad_result(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    (void)run, (void)context, (void)why;
    mp_buf_str(result, "no JSON");
    return MP_OK;
}

/* ---- outcomes ---- */

static void a_job_runs_and_its_result_is_kept(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job_line *lines;
    size_t n;
    start(r, (mp_job_handler){.type = "echo", .run = echo});
    int64_t id = add(r, "echo", "{\"a\":[1,2]}");
    int64_t other = add(r, "unknown", "{}");
    mp_jobs_wake(r->jobs);
    mp_job done = wait_for(r, id, MP_JOB_COMPLETED);
    assert_string_equal(done.result, "{\"a\":[1,2]}");
    assert_int_equal(done.attempts, 1);
    assert_string_equal(done.lease_owner, "");
    assert_ok(mp_meta_list_job_log(r->second, id, 0, 10, r->arena, &lines, &n, &why));
    assert_int_equal(n, 1);
    assert_string_equal(lines[0].text, "attempt 1");
    assert_string_equal(lines[0].level, "info");
    assert_int_equal(get(r, other).status, MP_JOB_QUEUED); /* another's handler may know it */
    wait_until(mp_jobs_running(r->jobs) == 0);
}

static void failures_are_tried_again(void **state)
{
    room *r = *state;
    start(r, (mp_job_handler){.type = "flaky", .run = succeed_third});
    int64_t id = add(r, "flaky", "");
    mp_job done = wait_for(r, id, MP_JOB_COMPLETED);
    assert_int_equal(done.attempts, 3);
    assert_int_equal(atomic_load(&r->runs), 3);
    assert_string_equal(done.error, "");
}

static void attempts_have_an_end(void **state)
{
    room *r = *state;
    r->err = MP_IO;
    start(r, (mp_job_handler){.type = "broken", .run = fail_with, .max_attempts = 3});
    int64_t id = add(r, "broken", "");
    mp_job dead = wait_for(r, id, MP_JOB_DEAD);
    assert_int_equal(dead.attempts, 3);
    assert_int_equal(atomic_load(&r->runs), 3);
    assert_string_equal(dead.error, "no luck");
}

static void a_wrong_input_is_tried_once(void **state)
{
    room *r = *state;
    r->err = MP_CORRUPT;
    start(r, (mp_job_handler){.type = "broken", .run = fail_with});
    int64_t id = add(r, "broken", "");
    mp_job failed = wait_for(r, id, MP_JOB_FAILED);
    assert_int_equal(failed.attempts, 1);
    assert_string_equal(failed.error, "no luck");
}

/* A handler that says CANCELLED though nobody asked it to stop has failed. */
static void stopping_unasked_is_a_failure(void **state)
{
    room *r = *state;
    r->err = MP_CANCELLED;
    start(r, (mp_job_handler){.type = "broken", .run = fail_with, .max_attempts = 2});
    int64_t id = add(r, "broken", "");
    mp_job dead = wait_for(r, id, MP_JOB_DEAD);
    assert_string_equal(dead.error, mp_err_word(MP_CANCELLED));
}

static void a_result_that_is_not_json_fails(void **state)
{
    room *r = *state;
    start(r, (mp_job_handler){.type = "odd", .run = bad_result});
    int64_t id = add(r, "odd", "");
    mp_job failed = wait_for(r, id, MP_JOB_FAILED);
    assert_non_null(strstr(failed.error, "not JSON"));
    assert_string_equal(failed.result, "");
}

/* ---- several at once ---- */

static void kinds_keep_their_limits(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job_handler handlers[] = {
        {.type = "long", .run = polite, .context = r, .limit = 2, .soft_ms = 20},
        {.type = "echo", .run = echo, .context = r}};
    mp_jobs_options opt = options(r, handlers);
    mp_jobs *second;
    opt.n_handlers = 2;
    opt.threads = 4;
    int64_t echoes[6];
    for (size_t i = 0; i < MP_COUNT(echoes); i++) {
        add(r, "long", "");
        echoes[i] = add(r, "echo", "1");
    }
    assert_ok(mp_jobs_open(&r->jobs, &opt, &why));
    opt.meta = r->second; /* as another process would */
    assert_ok(mp_jobs_open(&second, &opt, &why));
    for (size_t i = 0; i < MP_COUNT(echoes); i++)
        assert_int_equal(wait_for(r, echoes[i], MP_JOB_COMPLETED).attempts, 1);
    wait_until(atomic_load(&r->runs) > 20);
    mp_jobs_close(second);
    assert_true(atomic_load(&r->most_at_once) <= 2);
}

static void schedules_are_fired(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job *jobs;
    size_t n;
    mp_schedule schedule = {"often", "echo", "{\"s\":1}", 1, mp_now_ms(), true};
    assert_ok(mp_meta_put_schedule(r->second, &schedule, mp_now_ms(), &why));
    start(r, (mp_job_handler){.type = "echo", .run = echo});
    wait_until(atomic_load(&r->runs) >= 2);
    mp_job_query q = {.type = "echo", .status = MP_JOB_COMPLETED, .limit = 10};
    wait_until(mp_meta_list_jobs(r->second, &q, r->arena, &jobs, &n, &why) == MP_OK && n >= 2);
    assert_string_equal(jobs[0].result, "{\"s\":1}");
    assert_true(jobs[0].created_ms - jobs[n - 1].created_ms >= 500); /* not both at once */
}

static void bad_options_are_refused(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job_handler handlers[] = {{.type = "a", .run = echo}, {.type = "a", .run = echo}};
    mp_jobs_options good = options(r, handlers), bad;
    mp_jobs *jobs;
#define REFUSED(change)                                                                            \
    bad = good;                                                                                    \
    change;                                                                                        \
    assert_int_equal(mp_jobs_open(&jobs, &bad, &why), MP_INVALID);                                 \
    assert_null(jobs)
    REFUSED(bad.threads = 0);
    REFUSED(bad.threads = 65);
    REFUSED(bad.owner = "");
    REFUSED(bad.meta = NULL);
    REFUSED(bad.lease_ms = -1);
    REFUSED(bad.n_handlers = 2);
    REFUSED(bad.n_handlers = 65);
    handlers[0].run = NULL;
    REFUSED(bad.n_handlers = 1);
    mp_jobs_close(NULL);
    bad = good;
    bad.n_handlers = 0; /* fires schedules alone */
    assert_ok(mp_jobs_open(&jobs, &bad, &why));
    mp_jobs_close(jobs); /* at once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_job_runs_and_its_result_is_kept),
        EACH(failures_are_tried_again),
        EACH(attempts_have_an_end),
        EACH(a_wrong_input_is_tried_once),
        EACH(stopping_unasked_is_a_failure),
        EACH(a_result_that_is_not_json_fails),
        EACH(kinds_keep_their_limits),
        EACH(schedules_are_fired),
        EACH(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
