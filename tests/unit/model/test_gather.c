/* Calls that are made together: who goes alone, who goes with whom, and that each gets its own. */
#include "../test.h"
#include "model/gather.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MOST = 8, CALLERS = 12 };

typedef struct bench {
    mp_gather gather;
    sem_t begun, go; /* the first run waits for `go` */
    _Atomic int runs;
    size_t largest;
    bool hold, fail;
} bench;

typedef struct call {
    bench *b;
    uint64_t kind;
    size_t n;
    int in, out;
    mp_err err;
} call;

/* Doubles; notes how many came together, and that all are of one kind. */
static mp_err run(void *context, mp_gathered *first, size_t pieces, mp_why *why)
{
    bench *b = context;
    size_t sum = 0;
    if (atomic_fetch_add(&b->runs, 1) == 0 && b->hold) {
        sem_post(&b->begun);
        sem_wait(&b->go);
    }
    for (mp_gathered *g = first; g; g = g->next) {
        call *c = g->work;
        if (g->kind != first->kind)
            return mp_fail(why, MP_INTERNAL, "two kinds in one run");
        c->out = 2 * c->in;
        sum += g->n;
    }
    if (sum != pieces)
        return mp_fail(why, MP_INTERNAL, "%zu pieces are said to be %zu", sum, pieces);
    b->largest = MP_MAX(b->largest, pieces);
    return b->fail ? mp_fail(why, MP_NOMEM, "no memory") : MP_OK;
}

static void *caller(void *context)
{
    call *c = context;
    mp_why why = {0};
    c->err = mp_gather_do(&c->b->gather, c->kind, c->n, c, &why);
    return NULL;
}

static void open_bench(bench *b)
{
    *b = (bench){.hold = true};
    sem_init(&b->begun, 0, 0);
    sem_init(&b->go, 0, 0);
    mp_gather_init(&b->gather, MOST, run, b);
}

static void close_bench(bench *b)
{
    mp_gather_destroy(&b->gather);
    sem_destroy(&b->begun);
    sem_destroy(&b->go);
}

static size_t queued(bench *b)
{
    size_t n = 0;
    pthread_mutex_lock(&b->gather.mutex);
    for (mp_gathered *g = b->gather.first; g; g = g->next)
        n++;
    pthread_mutex_unlock(&b->gather.mutex);
    return n;
}

/* One call that is held while the others queue up behind it. */
static void crowd(bench *b, call *calls, int n)
{
    pthread_t ids[CALLERS];
    for (int i = 0; i < n; i++) {
        calls[i].b = b;
        assert_int_equal(pthread_create(&ids[i], NULL, caller, &calls[i]), 0);
        if (i == 0)
            sem_wait(&b->begun);
    }
    while (queued(b) < (size_t)n - 1)
        sched_yield();
    sem_post(&b->go);
    for (int i = 0; i < n; i++)
        pthread_join(ids[i], NULL);
}

static void who_waits_goes_together(void **state)
{
    (void)state;
    bench b;
    call calls[7] = {0};
    open_bench(&b);
    for (int i = 0; i < 7; i++)
        calls[i] = (call){.n = 1, .in = i + 1};
    crowd(&b, calls, 7);
    assert_int_equal(b.runs, 2); /* the one that was held, and all others */
    assert_int_equal(b.largest, 6);
    for (int i = 0; i < 7; i++)
        assert_true(calls[i].err == MP_OK && calls[i].out == 2 * calls[i].in);
    close_bench(&b);
}

static void kinds_and_the_limit_keep_calls_apart(void **state)
{
    (void)state;
    bench b;
    call calls[CALLERS] = {0};
    open_bench(&b);
    for (int i = 0; i < CALLERS; i++)
        calls[i] = (call){.kind = (uint64_t)(i % 2), .n = 3, .in = i};
    calls[3].n = 50; /* more than go together: alone */
    crowd(&b, calls, CALLERS);
    assert_int_equal(b.largest, 50);
    assert_true(b.runs >= 7); /* 3 and 3 at most go with each other */
    for (int i = 0; i < CALLERS; i++)
        assert_true(calls[i].err == MP_OK && calls[i].out == 2 * i);
    close_bench(&b);
}

static void a_failure_is_everybodys(void **state)
{
    (void)state;
    bench b;
    call calls[4] = {0};
    open_bench(&b);
    b.fail = true;
    for (int i = 0; i < 4; i++)
        calls[i] = (call){.n = 1, .in = i};
    crowd(&b, calls, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(calls[i].err, MP_NOMEM);
    close_bench(&b);
}

static void *many_calls(void *context)
{
    call *c = context;
    for (int i = 0; i < 200; i++) {
        call one = {.b = c->b, .kind = (uint64_t)(i % 3), .n = 1 + (size_t)i % 4, .in = c->in + i};
        mp_why why;
        c->err = mp_gather_do(&c->b->gather, one.kind, one.n, &one, &why);
        if (c->err || one.out != 2 * one.in)
            c->out++;
    }
    return NULL;
}

static void a_crowd_gets_its_own(void **state)
{
    (void)state;
    bench b;
    pthread_t ids[CALLERS];
    call calls[CALLERS] = {0};
    open_bench(&b);
    b.hold = false;
    for (int i = 0; i < CALLERS; i++) {
        calls[i] = (call){.b = &b, .in = i * 1000};
        assert_int_equal(pthread_create(&ids[i], NULL, many_calls, &calls[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(ids[i], NULL);
        assert_int_equal(calls[i].out, 0);
    }
    assert_true(b.largest <= MOST && b.runs <= CALLERS * 200);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_waits_goes_together),
                                       cmocka_unit_test(kinds_and_the_limit_keep_calls_apart),
                                       cmocka_unit_test(a_failure_is_everybodys),
                                       cmocka_unit_test(a_crowd_gets_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
