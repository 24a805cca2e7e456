/* What every metadata store promises of leases (jobs.h): one worker has a job at a time, and
 * whoever dies, another goes on. */
#include "jobs_store.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_best_due_job_is_taken(void **state)
{
    store *s = *state;
    int64_t plain = add(s, &(mp_job){.run_at_ms = T0 - 5});
    int64_t earlier = add(s, &(mp_job){.run_at_ms = T0 - 9});
    int64_t urgent = add(s, &(mp_job){.priority = 5});
    int64_t twin = add(s, &(mp_job){.priority = 5});
    int64_t later = add(s, &(mp_job){.priority = 9, .run_at_ms = T0 + 100});
    int64_t other = add(s, &(mp_job){.type = "cleanup", .priority = 99});
    assert_int_equal(lease(s, "w1", T0), urgent);
    assert_int_equal(lease(s, "w2", T0), twin);
    assert_int_equal(lease(s, "w3", T0), earlier);
    assert_int_equal(lease(s, "w4", T0), plain);
    assert_int_equal(lease(s, "w5", T0 + 99), 0);
    assert_int_equal(lease(s, "w6", T0 + 100), later);
    mp_job_kind kinds[] = {{.type = "export"}, {.type = "cleanup"}};
    mp_job got = lease_kinds(s, kinds, 2, "w7", T0 + 100);
    assert_int_equal(got.id, other);
    assert_int_equal(got.status, MP_JOB_PROCESSING);
    assert_int_equal(got.attempts, 1);
    assert_int_equal(got.max_attempts, MP_JOB_ATTEMPTS);
    assert_string_equal(got.lease_owner, "w7");
    assert_int_equal(got.lease_until_ms, T0 + 100 + LEASE);
    assert_int_equal(got.started_ms, T0 + 100);
    assert_int_equal(lease_kinds(s, kinds, 0, "w8", T0 + 100).id, 0);
}

static void bad_asks_are_refused(void **state)
{
    store *s = *state;
    mp_job job;
    mp_job_kind kind = {.type = "export"};
    mp_job_ask no_name = {&kind, 1, "", T0, LEASE}, no_time = {&kind, 1, "w", T0, 0};
    add(s, &(mp_job){.priority = 0});
    assert_int_equal(mp_meta_lease_job(s->m, &no_name, s->arena, &job, NULL), MP_INVALID);
    assert_int_equal(mp_meta_lease_job(s->m, &no_time, s->arena, &job, NULL), MP_INVALID);
    mp_arena *tiny = mp_arena_new(16); /* no room for the job: it must stay in the queue */
    mp_job_ask ask = {&kind, 1, "w", T0, LEASE};
    assert_int_equal(mp_meta_lease_job(s->m, &ask, tiny, &job, NULL), MP_NOMEM);
    assert_int_equal(job.id, 0);
    mp_arena_free(tiny);
    assert_true(lease(s, "w2", T0) > 0);
}

static void kinds_have_limits_over_all_workers(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job_kind kind = {.type = "export", .limit = 2, .max_attempts = 3};
    mp_job_ask ask = {&kind, 1, "other", T0, LEASE};
    mp_job job;
    for (int i = 0; i < 4; i++)
        add(s, &(mp_job){.priority = 0});
    mp_job first = lease_kinds(s, &kind, 1, "w1", T0);
    assert_int_equal(first.max_attempts, 3);
    assert_ok(mp_meta_lease_job(s->second, &ask, s->arena, &job, &why));
    assert_true(job.id > 0);
    ask.owner = "third";
    assert_ok(mp_meta_lease_job(s->second, &ask, s->arena, &job, &why));
    assert_int_equal(job.id, 0);
    assert_int_equal(end(s, first.id, "w1", MP_JOB_DONE, "", T0), MP_OK);
    assert_ok(mp_meta_lease_job(s->second, &ask, s->arena, &job, &why));
    assert_true(job.id > 0);
    /* Leases that ran out leave room: one of the lost is taken again. */
    assert_int_equal(lease_kinds(s, &kind, 1, "w4", T0 + 10 * LEASE).attempts, 2);
}

static void a_lost_lease_is_taken_again_until_it_is_dead(void **state)
{
    store *s = *state;
    mp_why why;
    mp_job_line *lines;
    size_t n;
    int64_t id = add(s, &(mp_job){.max_attempts = 2});
    assert_int_equal(lease(s, "w1", T0), id);
    assert_int_equal(lease(s, "w2", T0 + LEASE - 1), 0);
    assert_int_equal(lease(s, "w2", T0 + LEASE), id);
    assert_int_equal(get(s, id).attempts, 2);
    assert_string_equal(get(s, id).lease_owner, "w2");
    assert_int_equal(lease(s, "w3", T0 + 2 * LEASE), 0);
    mp_job dead = get(s, id);
    assert_int_equal(dead.status, MP_JOB_DEAD);
    assert_int_equal(dead.finished_ms, T0 + 2 * LEASE);
    assert_string_equal(dead.error, "the worker was lost");
    assert_ok(mp_meta_list_job_log(s->m, id, 0, 10, s->arena, &lines, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(lines[1].text, "the worker w2 was lost in attempt 2");
    assert_string_equal(lines[1].level, "warn");
}

/* Also where nobody asks for their type any more. */
static void lost_jobs_of_other_kinds_are_swept(void **state)
{
    store *s = *state;
    int64_t id = add(s, &(mp_job){.max_attempts = 1});
    assert_int_equal(lease(s, "w1", T0), id);
    mp_job_kind kind = {.type = "cleanup"};
    assert_int_equal(lease_kinds(s, &kind, 1, "w2", T0 + LEASE).id, 0);
    assert_status(s, id, MP_JOB_DEAD);
}

static void a_beat_keeps_the_lease(void **state)
{
    store *s = *state;
    mp_why why;
    bool cancel = true;
    int64_t id = add(s, &(mp_job){.priority = 0});
    assert_int_equal(lease(s, "w1", T0), id);
    mp_job_beat beat = {id, "w1", T0 + 3 * LEASE, 4, 10};
    assert_ok(mp_meta_beat_job(s->m, &beat, &cancel, &why));
    assert_false(cancel);
    assert_int_equal(get(s, id).progress_done, 4);
    assert_int_equal(get(s, id).progress_total, 10);
    assert_int_equal(lease(s, "w2", T0 + 2 * LEASE), 0);
    beat.lease_until_ms = T0; /* a clock that went back takes nothing away */
    assert_ok(mp_meta_beat_job(s->m, &beat, &cancel, &why));
    assert_int_equal(get(s, id).lease_until_ms, T0 + 3 * LEASE);
    assert_ok(mp_meta_cancel_job(s->second, id, T0, &why));
    assert_ok(mp_meta_beat_job(s->m, &beat, &cancel, &why));
    assert_true(cancel);
    beat.owner = "w2";
    assert_int_equal(mp_meta_beat_job(s->m, &beat, &cancel, &why), MP_NOT_FOUND);
    assert_false(cancel);
    beat = (mp_job_beat){99, "w1", T0, 0, 0};
    assert_int_equal(mp_meta_beat_job(s->m, &beat, &cancel, &why), MP_NOT_FOUND);
}

static void a_late_worker_is_refused(void **state)
{
    store *s = *state;
    mp_why why;
    bool cancel;
    int64_t id = add(s, &(mp_job){.priority = 0});
    assert_int_equal(lease(s, "w1", T0), id);
    assert_int_equal(lease(s, "w2", T0 + LEASE), id);
    for (int outcome = MP_JOB_DONE; outcome <= MP_JOB_GIVE_BACK; outcome++)
        assert_int_equal(end(s, id, "w1", (mp_job_outcome)outcome, "1", T0 + LEASE), MP_NOT_FOUND);
    mp_job_beat beat = {id, "w1", T0 + 9 * LEASE, 1, 1};
    assert_int_equal(mp_meta_beat_job(s->m, &beat, &cancel, &why), MP_NOT_FOUND);
    assert_int_equal(end(s, id, "w2", MP_JOB_DONE, "\"second\"", T0 + LEASE), MP_OK);
    assert_int_equal(end(s, id, "w2", MP_JOB_FAIL, "twice", T0 + LEASE), MP_NOT_FOUND);
    assert_string_equal(get(s, id).result, "\"second\"");
    assert_status(s, id, MP_JOB_COMPLETED);
}

/* Nobody took the job meanwhile: the work that was done counts. */
static void late_but_unchallenged_is_in_time(void **state)
{
    store *s = *state;
    int64_t id = add(s, &(mp_job){.priority = 0});
    assert_int_equal(lease(s, "w1", T0), id);
    assert_int_equal(end(s, id, "w1", MP_JOB_DONE, "{}", T0 + 50 * LEASE), MP_OK);
    assert_status(s, id, MP_JOB_COMPLETED);
}

static void every_outcome_leaves_its_state(void **state)
{
    store *s = *state;
    static const struct {
        mp_job_outcome outcome;
        bool cancel;
        mp_job_status status;
        int attempts;
    } rows[] = {
        {MP_JOB_DONE, false, MP_JOB_COMPLETED, 1},
        {MP_JOB_DONE, true, MP_JOB_COMPLETED, 1}, /* it was quicker */
        {MP_JOB_RETRY, false, MP_JOB_QUEUED, 1},
        {MP_JOB_RETRY, true, MP_JOB_CANCELLED, 1},
        {MP_JOB_FAIL, false, MP_JOB_FAILED, 1},
        {MP_JOB_FAIL, true, MP_JOB_FAILED, 1},
        {MP_JOB_STOP, true, MP_JOB_CANCELLED, 1},
        {MP_JOB_GIVE_BACK, false, MP_JOB_QUEUED, 0},
        {MP_JOB_GIVE_BACK, true, MP_JOB_CANCELLED, 0},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_why why;
        bool error = rows[i].outcome == MP_JOB_RETRY || rows[i].outcome == MP_JOB_FAIL;
        int64_t id = add(s, &(mp_job){.type = "export", .priority = 10 + (int)i});
        assert_int_equal(lease(s, "w", T0), id);
        if (rows[i].cancel)
            assert_ok(mp_meta_cancel_job(s->m, id, T0, &why));
        assert_int_equal(end(s, id, "w", rows[i].outcome, error ? "no luck" : "{}", T0 + 7), MP_OK);
        mp_job got = get(s, id);
        if (got.status != rows[i].status || got.attempts != rows[i].attempts)
            fail_msg("row %zu: %s after %d attempts", i, mp_job_status_word(got.status),
                     got.attempts);
        assert_string_equal(got.error, error ? "no luck" : "");
        assert_string_equal(got.lease_owner, "");
        assert_int_equal(got.finished_ms, got.status == MP_JOB_QUEUED ? 0 : T0 + 7);
        if (rows[i].outcome == MP_JOB_RETRY)
            assert_int_equal(got.run_at_ms, T0 + 507);
        if (got.status == MP_JOB_QUEUED) /* out of the way of the next row */
            assert_ok(mp_meta_cancel_job(s->m, id, T0, &why));
    }
}

static void used_up_attempts_are_a_dead_letter(void **state)
{
    store *s = *state;
    mp_why why;
    uint64_t n;
    int64_t id = add(s, &(mp_job){.max_attempts = 2}), now = T0;
    for (int i = 0; i < 2; i++, now += 500) {
        assert_int_equal(lease(s, "w", now), id);
        assert_int_equal(end(s, id, "w", MP_JOB_RETRY, "no luck", now), MP_OK);
        assert_int_equal(lease(s, "w", now + 499), 0);
    }
    assert_status(s, id, MP_JOB_DEAD);
    assert_int_equal(lease(s, "w", now + 99999), 0);
    assert_ok(mp_meta_retry_job(s->m, id, now, &why));
    mp_job again = get(s, id);
    assert_int_equal(again.status, MP_JOB_QUEUED);
    assert_int_equal(again.attempts, 0);
    assert_int_equal(again.finished_ms, 0);
    assert_string_equal(again.error, "");
    assert_int_equal(mp_meta_retry_job(s->m, id, now, &why), MP_EXISTS);
    assert_int_equal(mp_meta_retry_job(s->m, 99, now, &why), MP_NOT_FOUND);
    for (int i = 0; i < 2; i++, now += 500) {
        assert_int_equal(lease(s, "w", now), id);
        assert_int_equal(end(s, id, "w", MP_JOB_RETRY, "no luck", now), MP_OK);
    }
    assert_ok(mp_meta_replay_jobs(s->m, "cleanup", now, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_replay_jobs(s->m, "export", now, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_replay_jobs(s->m, NULL, now, &n, &why));
    assert_int_equal(n, 0);
    assert_int_equal(lease(s, "w", now), id);
}

static void bad_results_change_nothing(void **state)
{
    store *s = *state;
    int64_t id = add(s, &(mp_job){.priority = 0});
    char *long_text = mp_xcalloc(1, MP_JOB_TEXT_MAX + 2);
    memset(long_text, '1', MP_JOB_TEXT_MAX + 1);
    assert_int_equal(lease(s, "w", T0), id);
    assert_int_equal(end(s, id, "w", MP_JOB_DONE, "{not json", T0), MP_INVALID);
    assert_int_equal(end(s, id, "w", MP_JOB_DONE, long_text, T0), MP_TOO_BIG);
    assert_int_equal(end(s, id, "w", 0, "", T0), MP_INVALID);
    assert_int_equal(end(s, id, "w", (mp_job_outcome)9, "", T0), MP_INVALID);
    assert_status(s, id, MP_JOB_PROCESSING);
    assert_int_equal(end(s, id, "w", MP_JOB_FAIL, long_text, T0), MP_OK);
    assert_int_equal(strlen(get(s, id).error), 4000);
    free(long_text);
}

/* ---- several workers, and those that die ---- */

enum { RACE_JOBS = 80, RACERS = 4 };

typedef struct racer {
    mp_meta *m;
    int number;
    int ran[RACE_JOBS + 1]; /* by id */
    bool over_limit;
} racer;

static void *race(void *context)
{
    racer *r = context;
    mp_job_kind kinds[] = {{.type = "export", .limit = 2}, {.type = "cleanup"}};
    mp_arena *arena = mp_arena_new(0);
    for (int turn = 0;; turn++) {
        char owner[32];
        mp_job job;
        mp_job_count *counts;
        size_t n;
        snprintf(owner, sizeof owner, "racer-%d-%d", r->number, turn);
        mp_job_ask ask = {kinds, 2, owner, T0, LEASE};
        if (mp_meta_lease_job(r->m, &ask, arena, &job, NULL) ||
            mp_meta_count_jobs(r->m, arena, &counts, &n, NULL))
            abort();
        uint64_t waiting = 0;
        for (size_t i = 0; i < n; i++) {
            waiting += counts[i].status == MP_JOB_QUEUED ? counts[i].n : 0;
            r->over_limit |= counts[i].status == MP_JOB_PROCESSING && counts[i].n > 2 &&
                             strcmp(counts[i].type, "export") == 0;
        }
        if (!job.id && !waiting)
            break;
        if (!job.id)
            continue; /* the limit: another will be through soon */
        r->ran[job.id]++;
        mp_job_end e = {job.id, owner, MP_JOB_DONE, "{}", 0, T0};
        if (mp_meta_end_job(r->m, &e, NULL))
            abort();
        mp_arena_reset(arena);
    }
    mp_arena_free(arena);
    return NULL;
}

static void of_many_workers_one_gets_a_job(void **state)
{
    store *s = *state;
    pthread_t threads[RACERS];
    racer *racers = mp_xcalloc(RACERS, sizeof *racers);
    for (int i = 0; i < RACE_JOBS; i++)
        add(s, &(mp_job){.type = i % 2 ? "export" : "cleanup", .priority = i % 3});
    for (int i = 0; i < RACERS; i++) {
        racers[i].m = i % 2 ? s->m : s->second;
        racers[i].number = i;
        pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (int64_t id = 1; id <= RACE_JOBS; id++) {
        int runs = 0;
        for (int i = 0; i < RACERS; i++)
            runs += racers[i].ran[id];
        assert_int_equal(runs, 1);
        assert_status(s, id, MP_JOB_COMPLETED);
    }
    for (int i = 0; i < RACERS; i++)
        assert_false(racers[i].over_limit);
    free(racers);
}

/* A child of its own adds, takes and ends jobs and is killed at any moment; then every job that it
 * said was added is there, in a state that somebody can go on from. */
static void jobs_survive_sigkill(void **state)
{
    store *s = *state;
    mp_why why;
    mp_rng rng = {7};
    int64_t said = 0;
    mp_meta_close(s->m);
    mp_meta_close(s->second);
    s->m = s->second = NULL;
    for (int round = 0; round < 8; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        if (pid == 0) {
            if (open_store(s, &s->m, &why))
                _exit(1);
            for (int i = 0;; i++) {
                char owner[32];
                mp_job job = {.type = "export", .created_ms = T0, .max_attempts = 1000}, taken;
                mp_job_kind kind = {.type = "export"};
                int64_t id;
                snprintf(owner, sizeof owner, "child-%d-%d", round, i);
                mp_job_ask ask = {&kind, 1, owner, T0 + round * LEASE, LEASE};
                if (mp_meta_add_job(s->m, &job, &id, NULL, &why) ||
                    write(pipes[1], &id, sizeof id) != sizeof id ||
                    mp_meta_lease_job(s->m, &ask, s->arena, &taken, &why))
                    _exit(1);
                mp_job_end e = {taken.id, owner, MP_JOB_DONE, "{}", 0, T0};
                if (i % 2 && mp_meta_end_job(s->m, &e, &why))
                    _exit(1);
            }
        }
        close(pipes[1]);
        usleep(30000 + (useconds_t)(mp_rng_unit(&rng) * 60000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        int64_t id;
        while (read(pipes[0], &id, sizeof id) == sizeof id)
            said = MP_MAX(said, id);
        close(pipes[0]);
    }
    assert_ok(open_store(s, &s->m, &why));
    assert_ok(open_store(s, &s->second, &why));
    assert_true(said > 0);
    for (int64_t id = 1; id <= said; id++)
        assert_int_equal(get(s, id).id, id);
    int64_t now = T0 + 100 * LEASE;
    for (int i = 0;; i++) {
        char owner[32];
        snprintf(owner, sizeof owner, "parent-%d", i);
        int64_t id = lease(s, owner, now);
        if (!id)
            break;
        assert_int_equal(end(s, id, owner, MP_JOB_DONE, "", now), MP_OK);
    }
    for (int64_t id = 1; id <= said; id++)
        assert_status(s, id, MP_JOB_COMPLETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(jobs_survive_sigkill), /* first: it forks before there are threads */
        EACH(the_best_due_job_is_taken),
        EACH(bad_asks_are_refused),
        EACH(kinds_have_limits_over_all_workers),
        EACH(a_lost_lease_is_taken_again_until_it_is_dead),
        EACH(lost_jobs_of_other_kinds_are_swept),
        EACH(a_beat_keeps_the_lease),
        EACH(a_late_worker_is_refused),
        EACH(late_but_unchallenged_is_in_time),
        EACH(every_outcome_leaves_its_state),
        EACH(used_up_attempts_are_a_dead_letter),
        EACH(bad_results_change_nothing),
        EACH(of_many_workers_one_gets_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
