/* Trace context: what is taken over from headers and what is not; spans to a collector that is not
 * there. */
#include "../test.h"
#include "asking.h"

#include "base/os.h"
#include "http/otlp.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static void parents_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good, sampled;
    } cases[] = {
        {"00-" TRACE "-" SPAN "-01", true, true},
        {"00-" TRACE "-" SPAN "-00", true, false},
        {"00-" TRACE "-" SPAN "-03", true, true}, /* flags of later levels */
        {"01-" TRACE "-" SPAN "-01", true, true},
        {"cc-" TRACE "-" SPAN "-01-what-comes-later", true, true},
        {"cc-" TRACE "-" SPAN "-01x", false, false},
        {"ff-" TRACE "-" SPAN "-01", false, false},
        {"00-" TRACE "-" SPAN "-01-more", false, false},
        {"00-" TRACE "-" SPAN "-0", false, false},
        {"00-" TRACE "-" SPAN "-0G", false, false},
        {"00-" TRACE "-" SPAN, false, false},
        {"00-00000000000000000000000000000000-" SPAN "-01", false, false},
        {"00-" TRACE "-0000000000000000-01", false, false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false, false},
        {"00_" TRACE "-" SPAN "-01", false, false},
        {"0-" TRACE "-" SPAN "-011", false, false},
        {" 00-" TRACE "-" SPAN "-01", false, false},
        {"00-" TRACE "-" SPAN "-01, 00-" TRACE "-" SPAN "-01", false, false},
        {"", false, false},
        {"00", false, false},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_trace t = {0};
        if (mp_traceparent_read(cases[i].text, &t) != cases[i].good)
            fail_msg("'%s' is %s", cases[i].text, cases[i].good ? "good" : "bad");
        assert_string_equal(t.trace_id, cases[i].good ? TRACE : "");
        assert_string_equal(t.parent_id, cases[i].good ? SPAN : "");
        assert_int_equal(t.sampled, cases[i].sampled);
    }
}

static void states_are_read_strictly(void **state)
{
    (void)state;
    static const char *const good[] = {"a=1",
                                       "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                                       "tenant@system=x",
                                       " a=1 ,\tb=2",
                                       "a=1,,b=2",
                                       "0a_-*/=! ~",
                                       "a= b"};
    static const char *const bad[] = {"",      "a",     "=1", "a=",     "A=1",        "_a=1",
                                      "a=1=2", "a b=1", ",",  "a=\x01", "a=\xC3\xA4", "a=1,b"};
    char many[33 * 6 + 1], lengthy[600];
    size_t n = 0;
    for (size_t i = 0; i < MP_COUNT(good); i++)
        if (!mp_tracestate_is_good(good[i]))
            fail_msg("'%s' is good", good[i]);
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        if (mp_tracestate_is_good(bad[i]))
            fail_msg("'%s' is bad", bad[i]);
    for (int i = 0; i < 33; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "k%02d=v,", i);
    assert_false(mp_tracestate_is_good(many));
    many[32 * 6] = '\0';
    assert_true(mp_tracestate_is_good(many));
    memset(lengthy, 'v', sizeof lengthy);
    lengthy[0] = 'k';
    lengthy[1] = '=';
    lengthy[2 + 256] = '\0';
    assert_true(mp_tracestate_is_good(lengthy));
    lengthy[2 + 256] = 'v';
    lengthy[2 + 257] = '\0';
    assert_false(mp_tracestate_is_good(lengthy));
}

typedef struct expected {
    const char *trace_id, *parent_id, *state; /* trace_id NULL: a new one */
    bool sampled;
} expected;

static void begin_it(mp_request *r, const void *context)
{
    const expected *e = context;
    mp_trace_begin(r, true);
    if (e->trace_id)
        assert_string_equal(r->trace.trace_id, e->trace_id);
    assert_string_equal(r->trace.parent_id, e->parent_id);
    assert_string_equal(r->trace.state ? r->trace.state : "", e->state);
    assert_int_equal(r->trace.sampled, e->sampled);
    mp_trace again = {0}; /* what we say is what another would take over */
    assert_true(mp_traceparent_read(mp_trace_parent(r), &again));
    assert_string_equal(again.trace_id, r->trace.trace_id);
    assert_string_equal(again.parent_id, r->trace.span_id);
    assert_string_not_equal(r->trace.span_id, SPAN);
}

static void traces_go_on_or_begin(void **state)
{
    asking *a = asking_start();
    (void)state;
    const expected begun = {NULL, "", "", true};
    asking_do(a, "traceparent: 00-" TRACE "-" SPAN "-00\r\ntracestate: a=1\r\nTraceState: b=2\r\n",
              begin_it, &(expected){TRACE, SPAN, "a=1, b=2", false});
    asking_do(a, "traceparent: 00-" TRACE "-" SPAN "-01\r\ntracestate: A=1\r\n", begin_it,
              &(expected){TRACE, SPAN, "", true});
    asking_do(a, "", begin_it, &begun);
    asking_do(a, "traceparent: nonsense\r\ntracestate: a=1\r\n", begin_it, &begun);
    asking_do(a,
              "traceparent: 00-" TRACE "-" SPAN "-01\r\ntraceparent: 00-" TRACE "-" SPAN "-01\r\n",
              begin_it, &begun); /* twice is not once */
    asking_stop(a);
}

static void *add_many(void *context)
{
    mp_span_of_request span = {.trace_id = TRACE, .span_id = SPAN, .method = "GET", .route = "/a"};
    for (int i = 0; i < 5000; i++)
        mp_otlp_add(context, &span);
    return NULL;
}

/* Nobody listens at this port: adding stays quick, what is too much is counted, the end is near. */
static void a_missing_collector_holds_nobody_up(void **state)
{
    mp_otlp *o;
    mp_why why;
    pthread_t thread[4];
    (void)state;
    assert_int_equal(mp_otlp_open(&o, "ftp://127.0.0.1/", &why), MP_INVALID);
    assert_null(o);
    assert_ok(mp_otlp_open(&o, "http://127.0.0.1:1/v1/traces", &why));
    double began = mp_monotonic_s();
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, add_many, o), 0);
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_true(mp_monotonic_s() - began < 2);
    assert_true(mp_otlp_dropped(o) >= 10000); /* of 20,000, a ring of 4,096 and what was taken */
    began = mp_monotonic_s();
    mp_otlp_close(o);
    assert_true(mp_monotonic_s() - began < 3);
    mp_otlp_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_are_read_strictly),
        cmocka_unit_test(states_are_read_strictly),
        cmocka_unit_test(traces_go_on_or_begin),
        cmocka_unit_test(a_missing_collector_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
