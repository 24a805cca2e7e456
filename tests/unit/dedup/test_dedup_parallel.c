/* The crew: each step once, the caller's thread alone is asked, stopping stops. */
#include "../test.h"

#include "core/dedup_parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { STEPS = 5000 };

typedef struct count {
    atomic_int seen[STEPS];
    atomic_int worst_worker;
    pthread_t caller;
    int asked;
    bool foreign, say_stop;
    size_t last_done;
} count;

static void touch(void *context, int worker, size_t i)
{
    count *c = context;
    atomic_fetch_add(&c->seen[i], 1);
    if (worker > atomic_load(&c->worst_worker))
        atomic_store(&c->worst_worker, worker);
}

static bool ask(void *context, size_t done, size_t total)
{
    count *c = context;
    c->asked++;
    c->foreign |= !pthread_equal(pthread_self(), c->caller) || done > total || done < c->last_done;
    c->last_done = done;
    return c->say_stop && c->asked > 1;
}

static void each_step_runs_once(void **state)
{
    (void)state;
    static count c;
    mp_why why;
    for (int workers = 1; workers <= 4; workers++) {
        memset(&c, 0, sizeof c);
        c.caller = pthread_self();
        mp_dedup_steps steps = {.n = STEPS,
                                .batch = 7,
                                .workers = workers,
                                .step = touch,
                                .context = &c,
                                .stop = ask,
                                .stop_context = &c};
        assert_ok(mp_dedup_parallel(&steps, &why));
        for (int i = 0; i < STEPS; i++)
            assert_int_equal(c.seen[i], 1);
        assert_true(c.worst_worker < workers);
        assert_true(c.asked > 0);
        assert_false(c.foreign);
    }
}

static void linger(void *context, int worker, size_t i)
{
    touch(context, worker, i);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void stopping_leaves_the_rest(void **state)
{
    (void)state;
    static count c;
    mp_why why;
    int done = 0;
    memset(&c, 0, sizeof c);
    c.caller = pthread_self();
    c.say_stop = true;
    mp_dedup_steps steps = {
        .n = STEPS, .workers = 2, .step = linger, .context = &c, .stop = ask, .stop_context = &c};
    assert_int_equal(mp_dedup_parallel(&steps, &why), MP_CANCELLED);
    for (int i = 0; i < STEPS; i++)
        done += c.seen[i];
    assert_true(done < STEPS / 2);
}

static void nothing_to_do_is_done(void **state)
{
    (void)state;
    mp_dedup_steps steps = {.n = 0, .workers = 3, .step = touch};
    mp_why why;
    assert_ok(mp_dedup_parallel(&steps, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_runs_once),
        cmocka_unit_test(stopping_leaves_the_rest),
        cmocka_unit_test(nothing_to_do_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
