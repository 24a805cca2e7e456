/* otlp.c - see otlp.h. The JSON is written by hand: all of its strings are hex or our own words. */
#include "http/otlp.h"

#include "base/os.h"
#include "magpie.h"
#include "net/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, BATCH = 512, TRIES = 3, TIMEOUT_MS = 10000 };
/* After the end began: a request under way is asked to stop, which it hears within a second; and
 * nothing more is sent. */
static const double LEAVE_S = 1.0, END_S = 1.8;

struct mp_otlp {
    pthread_mutex_t mutex; /* guards the ring and ending */
    pthread_cond_t news;
    pthread_t thread;
    char *url;
    mp_span_of_request ring[RING];
    size_t first, n;
    bool ending;
    _Atomic double ending_s; /* when; 0: not yet */
    _Atomic uint64_t dropped;
    bool failing; /* of the thread alone: said once */
};

static double ending_for(mp_otlp *o)
{
    double since = atomic_load(&o->ending_s);
    return since > 0 ? mp_monotonic_s() - since : 0;
}

static bool must_leave(void *context)
{
    return ending_for(context) > LEAVE_S;
}

/* ---- the text ---- */

static void write_text(mp_buf *out, const char *key, const char *value)
{
    mp_buf_printf(out, "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}", key, value);
}

static void write_span(mp_buf *out, const mp_span_of_request *s)
{
    const char *method = *s->method ? s->method : "_OTHER"; /* the conventions' word */
    mp_buf_printf(out, "{\"traceId\":\"%s\",\"spanId\":\"%s\",", s->trace_id, s->span_id);
    if (*s->parent_id)
        mp_buf_printf(out, "\"parentSpanId\":\"%s\",", s->parent_id);
    mp_buf_printf(out,
                  "\"name\":\"%s%s%s\",\"kind\":2,\"startTimeUnixNano\":\"%lld\","
                  "\"endTimeUnixNano\":\"%lld\",\"attributes\":[",
                  method, *s->route ? " " : "", s->route, (long long)s->began_ns,
                  (long long)s->ended_ns);
    write_text(out, "http.request.method", method);
    if (*s->route) { /* never the path itself, whose ids are nobody else's business */
        mp_buf_str(out, ",");
        write_text(out, "url.path", s->route);
        mp_buf_str(out, ",");
        write_text(out, "http.route", s->route);
    }
    if (s->status)
        mp_buf_printf(out,
                      ",{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"%d\"}}",
                      s->status);
    mp_buf_printf(out, "],\"status\":{%s}}", s->status >= 500 ? "\"code\":2" : "");
}

static void write_batch(mp_buf *out, const mp_span_of_request *span, size_t n)
{
    mp_buf_str(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    write_text(out, "service.name", "magpie");
    mp_buf_str(out, ",");
    write_text(out, "service.version", magpie_version());
    mp_buf_printf(out,
                  "]},\"scopeSpans\":[{\"scope\":{\"name\":\"magpie.http\",\"version\":\"%s\"},"
                  "\"spans\":[",
                  magpie_version());
    for (size_t i = 0; i < n; i++) {
        if (i)
            mp_buf_str(out, ",");
        write_span(out, &span[i]);
    }
    mp_buf_str(out, "]}]}]}");
}

/* ---- the thread ---- */

static mp_err post(mp_otlp *o, const mp_buf *body, mp_why *why)
{
    static const char *const headers[] = {"Content-Type: application/json"};
    double left_s = END_S - ending_for(o);
    mp_net_ask ask = {.method = "POST",
                      .url = o->url,
                      .headers = headers,
                      .n_headers = MP_COUNT(headers),
                      .body = {(const uint8_t *)body->p, body->n},
                      .any_address = true,
                      .timeout_ms = TIMEOUT_MS,
                      .tries = TRIES,
                      .stop = {must_leave, o}};
    mp_net_answer answer;
    if (ending_for(o) > 0) {
        ask.timeout_ms = MP_MAX(1, (int)(left_s * 1000));
        ask.tries = 1;
    }
    mp_err err = mp_net_request(&ask, NULL, &answer, why);
    return err ? err : mp_net_judge(answer.status, why);
}

static void send_batch(mp_otlp *o, const mp_span_of_request *span, size_t n)
{
    mp_buf body = {0};
    mp_why why = {0};
    write_batch(&body, span, n);
    mp_err err = ending_for(o) < END_S ? post(o, &body, &why)
                                       : mp_fail(&why, MP_CANCELLED, "the service ends");
    mp_buf_free(&body);
    if (err) {
        atomic_fetch_add(&o->dropped, n);
        if (!o->failing)
            mp_log(MP_LOG_WARN, "traces are not taken at %s: %s", o->url, why.text);
    }
    o->failing = err != MP_OK;
}

/* Under the mutex: waits for spans, then up to a second for more to go with them. */
static void wait_for_batch(mp_otlp *o)
{
    while (o->n == 0 && !o->ending)
        pthread_cond_wait(&o->news, &o->mutex);
    double until = mp_monotonic_s() + 1;
    while (o->n < BATCH && !o->ending && mp_cond_wait_until(&o->news, &o->mutex, until))
        ;
}

static void *run(void *context)
{
    mp_otlp *o = context;
    mp_span_of_request *batch = mp_xcalloc(BATCH, sizeof *batch);
    pthread_mutex_lock(&o->mutex);
    for (;;) {
        wait_for_batch(o);
        if (o->n == 0)
            break;
        size_t n = MP_MIN(o->n, (size_t)BATCH);
        for (size_t i = 0; i < n; i++)
            batch[i] = o->ring[(o->first + i) % RING];
        o->first = (o->first + n) % RING;
        o->n -= n;
        pthread_mutex_unlock(&o->mutex);
        send_batch(o, batch, n);
        pthread_mutex_lock(&o->mutex);
    }
    pthread_mutex_unlock(&o->mutex);
    free(batch);
    return NULL;
}

/* ---- the outside ---- */

void mp_otlp_add(mp_otlp *o, const mp_span_of_request *span)
{
    pthread_mutex_lock(&o->mutex);
    bool room = o->n < RING && !o->ending;
    if (room) {
        o->ring[(o->first + o->n++) % RING] = *span;
        if (o->n == 1 || o->n == BATCH)
            pthread_cond_signal(&o->news);
    }
    pthread_mutex_unlock(&o->mutex);
    if (!room)
        atomic_fetch_add(&o->dropped, 1);
}

uint64_t mp_otlp_dropped(mp_otlp *o)
{
    return atomic_load(&o->dropped);
}

static void free_all(mp_otlp *o)
{
    pthread_cond_destroy(&o->news);
    pthread_mutex_destroy(&o->mutex);
    free(o->url);
    free(o);
}

mp_err mp_otlp_open(mp_otlp **out, const char *url, mp_why *why)
{
    *out = NULL;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return mp_fail(why, MP_INVALID, "'%.200s' is not the http or https URL of a collector",
                       url);
    mp_err err = mp_net_init(why);
    if (err)
        return err;
    mp_otlp *o = mp_xcalloc(1, sizeof *o);
    o->url = mp_xstrdup(url);
    pthread_mutex_init(&o->mutex, NULL);
    mp_cond_open(&o->news);
    if (pthread_create(&o->thread, NULL, run, o) != 0) {
        free_all(o);
        mp_net_exit();
        return mp_fail(why, MP_INTERNAL, "no thread for traces");
    }
    *out = o;
    return MP_OK;
}

void mp_otlp_close(mp_otlp *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->mutex);
    o->ending = true;
    atomic_store(&o->ending_s, mp_monotonic_s());
    pthread_cond_signal(&o->news);
    pthread_mutex_unlock(&o->mutex);
    pthread_join(o->thread, NULL);
    free_all(o);
    mp_net_exit();
}
