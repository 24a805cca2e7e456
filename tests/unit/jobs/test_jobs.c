/* The worker on a real store: outcomes, retries, cancelling, limits, draining, death. Times are
 * short and nothing depends on being quick: every wait is for a state, with a long deadline. */
#include "../test.h"
#include "jobs/jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEASE_MS = 1500 }; /* so that a stalled machine does not lose any */

typedef struct room {
    char dir[64], url[128];
    mp_meta *m, *second;
    mp_jobs *jobs;
    mp_arena *arena;
    /* What the handlers see and do. */
    atomic_int runs, at_once, most_at_once, stopped;
    atomic_bool release;
    mp_err err;
} room;

static mp_err open_meta(const room *r, mp_meta **m)
{
    mp_why why;
    mp_meta_options opt = {.create = true, .busy_ms = 10000};
    return mp_meta_open(m, r->url, &opt, &why);
}

static int set_up(void **state)
{
    room *r = mp_xcalloc(1, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/magpie-work-XXXXXX");
    if (!mkdtemp(r->dir))
        return -1;
    snprintf(r->url, sizeof r->url, "sqlite:%s/magpie.db", r->dir);
    r->arena = mp_arena_new(0);
    *state = r;
    return open_meta(r, &r->m) || open_meta(r, &r->second) ? -1 : 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    char command[96];
    atomic_store(&r->release, true); /* a test that failed may have left a handler waiting */
    mp_jobs_close(r->jobs);
    mp_meta_close(r->m);
    mp_meta_close(r->second);
    mp_arena_free(r->arena);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    int code = system(command);
    free(r);
    return code;
}

/* ---- handlers ---- */

/* Writes its parameters back. */
static mp_err echo(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)why;
    atomic_fetch_add(&r->runs, 1);
    mp_job_progress(run, 3, 4);
    mp_job_log(run, MP_LOG_INFO, "attempt %d", mp_job_of(run)->attempts);
    mp_buf_str(result, mp_job_of(run)->params);
    return MP_OK;
}

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

/* Works until it is asked to stop or released. */
static mp_err polite(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)result, (void)why;
    int now = atomic_fetch_add(&r->at_once, 1) + 1, most = atomic_load(&r->most_at_once);
    while (now > most && !atomic_compare_exchange_weak(&r->most_at_once, &most, now))
        ;
    atomic_fetch_add(&r->runs, 1);
    bool stop = false;
    for (int64_t i = 0; !stop && !atomic_load(&r->release); i++) {
        stop = mp_job_progress(run, i, i + 1);
        usleep(2000);
    }
    atomic_fetch_add(&r->stopped, stop);
    atomic_fetch_sub(&r->at_once, 1);
    return stop ? MP_CANCELLED : MP_OK;
}

/* Hangs until it is released, deaf to all else; only the first run does. */
static mp_err deaf(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)run, (void)why;
    if (atomic_fetch_add(&r->runs, 1) > 0)
        return MP_OK;
    while (!atomic_load(&r->release))
        usleep(2000);
    atomic_fetch_add(&r->stopped, 1);
    mp_buf_str(result, "\"too late\"");
    return MP_OK;
}

/* ---- shorthands; each asserts ---- */

static mp_jobs_options options(room *r, mp_job_handler *handler)
{
    handler->context = r;
    return (mp_jobs_options){.meta = r->m,
                             .owner = "test",
                             .handlers = handler,
                             .n_handlers = 1,
                             .threads = 2,
                             .lease_ms = LEASE_MS,
                             .poll_ms = 10,
                             .retry_base_ms = 5,
                             .retry_cap_ms = 20};
}

static void start(room *r, mp_job_handler handler)
{
    mp_why why;
    mp_jobs_options opt = options(r, &handler);
    assert_ok(mp_jobs_open(&r->jobs, &opt, &why));
}

static int64_t add(room *r, const char *type, const char *params)
{
    mp_why why;
    int64_t id;
    mp_job job = {.type = type, .params = params};
    assert_ok(mp_meta_add_job(r->second, &job, &id, NULL, &why));
    return id;
}

static mp_job get(room *r, int64_t id)
{
    mp_why why;
    mp_job job;
    assert_ok(mp_meta_get_job(r->second, id, r->arena, &job, &why));
    return job;
}

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int tries_ = 0;                                                                            \
        while (!(condition) && ++tries_ < 4000)                                                    \
            usleep(2500);                                                                          \
        if (!(condition))                                                                          \
            fail_msg("in vain: %s", #condition);                                                   \
    } while (0)

static mp_job wait_for(room *r, int64_t id, mp_job_status status)
{
    wait_until(get(r, id).status == status);
    return get(r, id);
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

/* ---- stopping ---- */

static void a_running_job_is_cancelled(void **state)
{
    room *r = *state;
    mp_why why;
    start(r, (mp_job_handler){.type = "long", .run = polite});
    int64_t id = add(r, "long", "");
    wait_for(r, id, MP_JOB_PROCESSING);
    wait_until(get(r, id).progress_total > 0); /* written down while it runs */
    assert_ok(mp_meta_cancel_job(r->second, id, mp_now_ms(), &why));
    mp_job cancelled = wait_for(r, id, MP_JOB_CANCELLED);
    assert_int_equal(cancelled.attempts, 1);
    assert_int_equal(atomic_load(&r->stopped), 1);
}

static void a_lease_is_kept_while_the_handler_runs(void **state)
{
    room *r = *state;
    start(r, (mp_job_handler){.type = "long", .run = polite});
    int64_t id = add(r, "long", "");
    mp_job first = wait_for(r, id, MP_JOB_PROCESSING);
    wait_until(mp_now_ms() > first.started_ms + 2 * LEASE_MS); /* two leases long */
    atomic_store(&r->release, true);
    assert_int_equal(wait_for(r, id, MP_JOB_COMPLETED).attempts, 1);
    assert_int_equal(atomic_load(&r->runs), 1);
}

static void the_soft_limit_asks_and_tries_again(void **state)
{
    room *r = *state;
    start(r, (mp_job_handler){.type = "long", .run = polite, .soft_ms = 30, .max_attempts = 2});
    int64_t id = add(r, "long", "");
    mp_job dead = wait_for(r, id, MP_JOB_DEAD);
    assert_int_equal(atomic_load(&r->stopped), 2);
    assert_string_equal(dead.error, "it took too long");
}

/* One thread: only its replacement can run the second attempt. */
static void the_hard_limit_takes_the_job_away(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job_handler handler = {.type = "deaf", .run = deaf, .hard_ms = 500};
    mp_jobs_options opt = options(r, &handler);
    opt.threads = 1;
    assert_ok(mp_jobs_open(&r->jobs, &opt, &why));
    int64_t id = add(r, "deaf", "");
    mp_job done = wait_for(r, id, MP_JOB_COMPLETED);
    assert_int_equal(done.attempts, 2);
    wait_until(mp_jobs_running(r->jobs) == 1); /* it still hangs */
    assert_int_equal(mp_jobs_drain(r->jobs, 20, &why), MP_TIMEOUT);
    atomic_store(&r->release, true);
    assert_ok(mp_jobs_drain(r->jobs, 10000, &why));
    assert_int_equal(atomic_load(&r->stopped), 1);
    done = get(r, id);
    assert_string_equal(done.result, ""); /* what came at last is nobody's */
    assert_int_equal(done.status, MP_JOB_COMPLETED);
}

static void a_drain_gives_jobs_back(void **state)
{
    room *r = *state;
    mp_why why;
    start(r, (mp_job_handler){.type = "long", .run = polite});
    int64_t ids[] = {add(r, "long", ""), add(r, "long", ""), add(r, "long", "")};
    wait_until(atomic_load(&r->runs) == 2);
    assert_ok(mp_jobs_drain(r->jobs, 10000, &why));
    assert_int_equal(mp_jobs_running(r->jobs), 0);
    for (size_t i = 0; i < MP_COUNT(ids); i++) {
        mp_job job = get(r, ids[i]);
        assert_int_equal(job.status, MP_JOB_QUEUED);
        assert_int_equal(job.attempts, 0);
    }
    mp_jobs_wake(r->jobs);
    usleep(50000);
    assert_int_equal(atomic_load(&r->runs), 2); /* nothing is begun any more */
}

/* What was done at the drain is done. */
static void a_drain_waits_for_those_that_finish(void **state)
{
    room *r = *state;
    mp_why why;
    start(r, (mp_job_handler){.type = "deaf", .run = deaf});
    int64_t id = add(r, "deaf", "");
    wait_until(atomic_load(&r->runs) == 1);
    assert_int_equal(mp_jobs_drain(r->jobs, 10, &why), MP_TIMEOUT);
    assert_int_equal(get(r, id).status, MP_JOB_PROCESSING);
    atomic_store(&r->release, true);
    assert_ok(mp_jobs_drain(r->jobs, 10000, &why));
    assert_string_equal(get(r, id).result, "\"too late\"");
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

/* ---- death ---- */

/* A worker that is killed leaves its job to the next. */
static void the_job_of_a_killed_process_runs_again(void **state)
{
    room *r = *state;
    int64_t id = add(r, "echo", "\"x\"");
    mp_meta_close(r->m);
    mp_meta_close(r->second);
    r->m = r->second = NULL;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        mp_job_handler handler = {.type = "echo", .run = polite};
        if (open_meta(r, &r->m))
            _exit(1);
        mp_jobs_options opt = options(r, &handler);
        if (mp_jobs_open(&r->jobs, &opt, NULL))
            _exit(1);
        while (atomic_load(&r->runs) == 0)
            usleep(1000);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(open_meta(r, &r->m), MP_OK);
    assert_int_equal(open_meta(r, &r->second), MP_OK);
    assert_int_equal(get(r, id).status, MP_JOB_PROCESSING);
    start(r, (mp_job_handler){.type = "echo", .run = echo});
    mp_job done = wait_for(r, id, MP_JOB_COMPLETED);
    assert_int_equal(done.attempts, 2);
    assert_string_equal(done.result, "\"x\"");
}

/* Another took the job while this worker could not extend its lease: its handler is asked to stop,
 * and its outcome changes nothing. */
static void a_worker_that_lost_its_lease_stops(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job taken;
    start(r, (mp_job_handler){.type = "long", .run = polite});
    int64_t id = add(r, "long", "");
    wait_until(atomic_load(&r->runs) == 1);
    mp_job_kind kind = {.type = "long"};
    /* From far in the future every lease has run out. */
    mp_job_ask ask = {&kind, 1, "thief", mp_now_ms() + 1000000, 1000};
    assert_ok(mp_meta_lease_job(r->second, &ask, r->arena, &taken, &why));
    assert_int_equal(taken.id, id);
    wait_until(atomic_load(&r->stopped) == 1);
    wait_until(mp_jobs_running(r->jobs) == 0);
    mp_job_end end = {id, "thief", MP_JOB_DONE, "\"mine\"", 0, mp_now_ms()};
    assert_ok(mp_meta_end_job(r->second, &end, &why));
    assert_string_equal(get(r, id).result, "\"mine\"");
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

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_job_of_a_killed_process_runs_again), /* first: it forks before there are threads */
        EACH(a_job_runs_and_its_result_is_kept),
        EACH(failures_are_tried_again),
        EACH(attempts_have_an_end),
        EACH(a_wrong_input_is_tried_once),
        EACH(stopping_unasked_is_a_failure),
        EACH(a_result_that_is_not_json_fails),
        EACH(a_running_job_is_cancelled),
        EACH(a_lease_is_kept_while_the_handler_runs),
        EACH(the_soft_limit_asks_and_tries_again),
        EACH(the_hard_limit_takes_the_job_away),
        EACH(a_drain_gives_jobs_back),
        EACH(a_drain_waits_for_those_that_finish),
        EACH(kinds_keep_their_limits),
        EACH(schedules_are_fired),
        EACH(a_worker_that_lost_its_lease_stops),
        EACH(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
