/* metrics.c - see metrics.h. */
#include "http/metrics.h"

#include "http/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bucket bounds that Prometheus' clients use by default, in seconds. */
static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
enum { BOUNDS = MP_COUNT(bounds) };

typedef struct series {
    const char *method, *endpoint; /* static */
    int status;
    uint64_t count, bucket[BOUNDS];
    double seconds;
} series;

struct mp_metrics {
    pthread_mutex_t mutex; /* guards the series */
    series *list;
    size_t n, cap;
};

mp_metrics *mp_metrics_new(void)
{
    mp_metrics *m = mp_xcalloc(1, sizeof *m);
    pthread_mutex_init(&m->mutex, NULL);
    return m;
}

void mp_metrics_free(mp_metrics *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->mutex);
    free(m->list);
    free(m);
}

static series *series_of(mp_metrics *m, const char *method, const char *endpoint, int status)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].status == status && strcmp(m->list[i].method, method) == 0 &&
            strcmp(m->list[i].endpoint, endpoint) == 0)
            return &m->list[i];
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 32;
        m->list = mp_xrealloc(m->list, m->cap * sizeof *m->list);
    }
    m->list[m->n] = (series){.method = method, .endpoint = endpoint, .status = status};
    return &m->list[m->n++];
}

void mp_metrics_request(mp_metrics *m, const char *method, const char *endpoint, int status,
                        double seconds)
{
    pthread_mutex_lock(&m->mutex);
    series *s = series_of(m, method, endpoint, status);
    s->count++;
    s->seconds += seconds;
    for (size_t i = 0; i < BOUNDS; i++)
        s->bucket[i] += seconds <= bounds[i];
    pthread_mutex_unlock(&m->mutex);
}

static void write_labels(mp_buf *out, const series *s, const char *more)
{
    mp_buf_printf(out, "{method=\"%s\",endpoint=\"%s\",status=\"%d\"%s}", s->method, s->endpoint,
                  s->status, more);
}

static void write_histogram(mp_buf *out, const series *s)
{
    char le[48];
    for (size_t i = 0; i <= BOUNDS; i++) {
        if (i < BOUNDS)
            snprintf(le, sizeof le, ",le=\"%g\"", bounds[i]);
        mp_buf_str(out, "http_request_duration_seconds_bucket");
        write_labels(out, s, i < BOUNDS ? le : ",le=\"+Inf\"");
        mp_buf_printf(out, " %llu\n", (unsigned long long)(i < BOUNDS ? s->bucket[i] : s->count));
    }
    mp_buf_str(out, "http_request_duration_seconds_sum");
    write_labels(out, s, "");
    mp_buf_printf(out, " %.6f\nhttp_request_duration_seconds_count", s->seconds);
    write_labels(out, s, "");
    mp_buf_printf(out, " %llu\n", (unsigned long long)s->count);
}

void mp_metrics_write(mp_metrics *m, mp_buf *out)
{
    pthread_mutex_lock(&m->mutex);
    mp_buf_str(out, "# HELP http_requests_total Requests that were answered.\n"
                    "# TYPE http_requests_total counter\n");
    for (size_t i = 0; i < m->n; i++) {
        mp_buf_str(out, "http_requests_total");
        write_labels(out, &m->list[i], "");
        mp_buf_printf(out, " %llu\n", (unsigned long long)m->list[i].count);
    }
    mp_buf_str(out, "# HELP http_request_duration_seconds From the first byte to the answer.\n"
                    "# TYPE http_request_duration_seconds histogram\n");
    for (size_t i = 0; i < m->n; i++)
        write_histogram(out, &m->list[i]);
    pthread_mutex_unlock(&m->mutex);
}

static void gauge(mp_buf *out, const char *name, const char *help, uint64_t value)
{
    mp_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
                  (unsigned long long)value);
}

void mp_handle_metrics(mp_request *r)
{
    mp_service *s = r->service;
    mp_buf out = {0};
    mp_metrics_write(s->metrics, &out);
    gauge(&out, "http_requests_in_flight", "Requests being answered.",
          (uint64_t)atomic_load(&s->active));
    gauge(&out, "http_work_queue_length", "Slow requests that wait for a worker.",
          mp_work_waiting(s->work));
    mp_reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", (mp_str){out.p, out.n});
    mp_buf_free(&out);
}
