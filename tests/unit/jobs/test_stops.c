/* The worker: jobs that are cancelled, take too long, are given back, or lose their worker. */
#include "jobs_room.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- handlers ---- */

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

/* Notices that it should stop, but is slow to. */
static mp_err slow_to_stop(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)result, (void)why;
    while (!mp_job_progress(run, 0, 0))
        usleep(2000);
    atomic_fetch_add(&r->stopped, 1);
    while (!atomic_load(&r->release))
        usleep(2000);
    return MP_CANCELLED;
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
    assert_string_equal(cancelled.error, ""); /* no failure */
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

/* Its place was taken: a thread that comes back at last works no more. */
static void a_thread_that_hung_is_replaced_once(void **state)
{
    room *r = *state;
    mp_why why;
    mp_job_handler handlers[] = {
        {.type = "deaf", .run = deaf, .context = r, .hard_ms = 500},
        {.type = "long", .run = slow_to_stop, .context = r, .soft_ms = 1, .max_attempts = 1}};
    mp_jobs_options opt = options(r, handlers);
    opt.n_handlers = 2;
    opt.threads = 1;
    assert_ok(mp_jobs_open(&r->jobs, &opt, &why));
    int64_t id = add(r, "deaf", "");
    wait_for(r, id, MP_JOB_COMPLETED);
    atomic_store(&r->release, true);
    wait_until(atomic_load(&r->stopped) == 1 && mp_jobs_running(r->jobs) == 0);
    atomic_store(&r->release, false);
    int64_t one = add(r, "long", ""), two = add(r, "long", "");
    wait_until(atomic_load(&r->stopped) == 2);
    usleep(200000); /* long enough for a second thread to take the other */
    assert_int_equal(get(r, one).status + get(r, two).status, MP_JOB_PROCESSING + MP_JOB_QUEUED);
    atomic_store(&r->release, true);
    wait_for(r, one, MP_JOB_DEAD);
    wait_for(r, two, MP_JOB_DEAD);
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

/* It had its time: the drain only came later. */
static void a_drain_does_not_excuse_the_soft_limit(void **state)
{
    room *r = *state;
    mp_why why;
    start(r, (mp_job_handler){.type = "long", .run = slow_to_stop, .soft_ms = 10});
    int64_t id = add(r, "long", "");
    wait_until(atomic_load(&r->stopped) == 1);
    assert_int_equal(mp_jobs_drain(r->jobs, 10, &why), MP_TIMEOUT);
    atomic_store(&r->release, true);
    assert_ok(mp_jobs_drain(r->jobs, 10000, &why));
    assert_int_equal(get(r, id).status, MP_JOB_QUEUED);
    assert_int_equal(get(r, id).attempts, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_job_of_a_killed_process_runs_again), /* first: it forks before there are threads */
        EACH(a_running_job_is_cancelled),
        EACH(a_lease_is_kept_while_the_handler_runs),
        EACH(the_soft_limit_asks_and_tries_again),
        EACH(the_hard_limit_takes_the_job_away),
        EACH(a_thread_that_hung_is_replaced_once),
        EACH(a_drain_gives_jobs_back),
        EACH(a_drain_does_not_excuse_the_soft_limit),
        EACH(a_drain_waits_for_those_that_finish),
        EACH(a_worker_that_lost_its_lease_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
