/* Threads that are kept: they do what they are given, are the same the next time, end with the last
 * hold, and a child of a fork makes its own. */
#include "../test.h"
#include "model/helper.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct order {
    _Atomic int done;
    pthread_t by;
} order;

static void note(void *arg)
{
    order *o = arg;
    o->by = pthread_self();
    atomic_fetch_add(&o->done, 1);
}

static pthread_t ask(void)
{
    order o = {0};
    mp_helper *h = mp_helper_start(note, &o);
    assert_non_null(h);
    mp_helper_wait(h);
    assert_int_equal(o.done, 1);
    return o.by;
}

static void one_thread_serves_again(void **state)
{
    (void)state;
    mp_helpers_hold();
    pthread_t first = ask();
    for (int i = 0; i < 100; i++)
        assert_true(pthread_equal(ask(), first));
    mp_helpers_release();
}

static void without_a_hold_none_is_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        (void)ask();
    mp_helpers_hold();
    mp_helpers_hold();
    (void)ask();
    mp_helpers_release();
    (void)ask();
    mp_helpers_release();
}

static void compare_cores(void *arg)
{
    cpu_set_t *cores = arg, mine;
    if (pthread_getaffinity_np(pthread_self(), sizeof mine, &mine) || !CPU_EQUAL(&mine, cores))
        CPU_ZERO(cores);
}

/* It wakes on another core, and then may run wherever its caller may. */
static void no_core_is_kept_from_it(void **state)
{
    (void)state;
    mp_helpers_hold();
    for (int i = 0; i < 50; i++) {
        cpu_set_t cores;
        assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof cores, &cores), 0);
        mp_helper *h = mp_helper_start(compare_cores, &cores);
        assert_non_null(h);
        mp_helper_wait(h);
        assert_true(CPU_COUNT(&cores) > 0);
    }
    mp_helpers_release();
}

enum { ASKERS = 4, TIMES = 200, EACH = 8 };

static void *ask_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < TIMES; i++) {
        order o[EACH] = {0};
        mp_helper *h[EACH];
        for (int k = 0; k < EACH; k++)
            h[k] = mp_helper_start(note, &o[k]);
        for (int k = EACH; k-- > 0;)
            if (h[k])
                mp_helper_wait(h[k]);
        for (int k = 0; k < EACH; k++)
            if (o[k].done != (h[k] != NULL))
                return arg;
    }
    return NULL;
}

/* More are asked for than are kept, while others come and go. */
static void many_ask_at_once(void **state)
{
    (void)state;
    pthread_t ids[ASKERS];
    static char wrong;
    mp_helpers_hold();
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, ask_often, &wrong), 0);
    for (int i = 0; i < ASKERS; i++) {
        void *answer;
        pthread_join(ids[i], &answer);
        assert_null(answer);
    }
    mp_helpers_release();
}

static void a_child_makes_its_own(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it lets no child of a process with threads start one */
#endif
    mp_helpers_hold();
    (void)ask();
    pid_t child = fork();
    if (child == 0) {
        order o = {0};
        alarm(20); /* waiting for a thread that did not follow would last for ever */
        mp_helper *h = mp_helper_start(note, &o);
        if (h)
            mp_helper_wait(h);
        _exit(o.done == 1 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    mp_helpers_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_serves_again), cmocka_unit_test(without_a_hold_none_is_kept),
        cmocka_unit_test(no_core_is_kept_from_it), cmocka_unit_test(many_ask_at_once),
        cmocka_unit_test(a_child_makes_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
