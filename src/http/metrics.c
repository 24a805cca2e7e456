/* metrics.c - see metrics.h. */
#include "http/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bucket bounds that Prometheus' clients use by default, in seconds. */
static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
enum { BOUNDS = MP_COUNT(bounds), LABEL = 40 };

typedef struct times {
    uint64_t count, bucket[BOUNDS];
    double seconds;
} times;

typedef struct series {
    const char *method, *endpoint; /* static */
    int status;
    times times;
} series;

typedef struct labelled {
    int what;
    char label[LABEL];
    times times;
    uint64_t count;
} labelled;

typedef struct label_list {
    labelled *list;
    size_t n, cap;
} label_list;

struct mp_metrics {
    pthread_mutex_t mutex; /* guards all below */
    series *list;
    size_t n, cap;
    label_list timed, counted;
};

static const struct family {
    const char *name, *label, *help;
} timed[MP_TIMED] =
    {
        [MP_IMAGE_PROCESSING] = {"image_processing_duration_seconds", "operation",
                                 "Time spent on pictures."},
        [MP_VECTOR_SEARCH] = {"vector_search_duration_seconds", "search_type",
                              "Time spent on searches."},
        [MP_JOB_TIME] = {"job_duration_seconds", "type", "Time that jobs took."},
},
  counted[MP_COUNTED] = {
      [MP_UPLOADS] = {"image_uploads_total", "outcome", "Pictures that were sent."},
      [MP_SEARCHES] = {"search_queries_total", "search_type", "Searches that were answered."},
      [MP_JOB_FAILURES] = {"job_failures_total", "type", "Attempts at jobs that failed."},
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
    free(m->timed.list);
    free(m->counted.list);
    free(m);
}

static void add_time(times *t, double seconds)
{
    t->count++;
    t->seconds += seconds;
    for (size_t i = 0; i < BOUNDS; i++)
        t->bucket[i] += seconds <= bounds[i];
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

static labelled *labelled_of(label_list *l, int what, const char *label)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].what == what && strncmp(l->list[i].label, label, LABEL - 1) == 0)
            return &l->list[i];
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 32;
        l->list = mp_xrealloc(l->list, l->cap * sizeof *l->list);
    }
    l->list[l->n] = (labelled){.what = what};
    snprintf(l->list[l->n].label, LABEL, "%s", label);
    return &l->list[l->n++];
}

void mp_metrics_request(mp_metrics *m, const char *method, const char *endpoint, int status,
                        double seconds)
{
    pthread_mutex_lock(&m->mutex);
    add_time(&series_of(m, method, endpoint, status)->times, seconds);
    pthread_mutex_unlock(&m->mutex);
}

void mp_metrics_observe(mp_metrics *m, mp_timed what, const char *label, double seconds)
{
    pthread_mutex_lock(&m->mutex);
    add_time(&labelled_of(&m->timed, what, label)->times, seconds);
    pthread_mutex_unlock(&m->mutex);
}

void mp_metrics_count(mp_metrics *m, mp_counted what, const char *label, uint64_t more)
{
    pthread_mutex_lock(&m->mutex);
    labelled_of(&m->counted, what, label)->count += more;
    pthread_mutex_unlock(&m->mutex);
}

/* ---- the text format ---- */

static void write_head(mp_buf *out, const char *name, const char *help, const char *type)
{
    mp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_times(mp_buf *out, const char *name, const char *labels, const times *t)
{
    for (size_t i = 0; i < BOUNDS; i++)
        mp_buf_printf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, bounds[i],
                      (unsigned long long)t->bucket[i]);
    mp_buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels,
                  (unsigned long long)t->count);
    mp_buf_printf(out, "%s_sum{%s} %.6f\n%s_count{%s} %llu\n", name, labels, t->seconds, name,
                  labels, (unsigned long long)t->count);
}

static void request_labels(const series *s, char *out, size_t cap)
{
    snprintf(out, cap, "method=\"%s\",endpoint=\"%s\",status=\"%d\"", s->method, s->endpoint,
             s->status);
}

static void write_requests(const mp_metrics *m, mp_buf *out)
{
    char labels[256];
    write_head(out, "http_requests_total", "Requests that were answered.", "counter");
    for (size_t i = 0; i < m->n; i++) {
        request_labels(&m->list[i], labels, sizeof labels);
        mp_buf_printf(out, "http_requests_total{%s} %llu\n", labels,
                      (unsigned long long)m->list[i].times.count);
    }
    write_head(out, "http_request_duration_seconds", "From the first byte to the answer.",
               "histogram");
    for (size_t i = 0; i < m->n; i++) {
        request_labels(&m->list[i], labels, sizeof labels);
        write_times(out, "http_request_duration_seconds", labels, &m->list[i].times);
    }
}

static void write_family(mp_buf *out, const struct family *f, const label_list *l, int what,
                         bool histogram)
{
    char label[LABEL + 32];
    write_head(out, f->name, f->help, histogram ? "histogram" : "counter");
    for (size_t i = 0; i < l->n; i++) {
        if (l->list[i].what != what)
            continue;
        snprintf(label, sizeof label, "%s=\"%s\"", f->label, l->list[i].label);
        if (histogram)
            write_times(out, f->name, label, &l->list[i].times);
        else
            mp_buf_printf(out, "%s{%s} %llu\n", f->name, label,
                          (unsigned long long)l->list[i].count);
    }
}

void mp_metrics_write(mp_metrics *m, mp_buf *out)
{
    pthread_mutex_lock(&m->mutex);
    write_requests(m, out);
    for (int i = 0; i < MP_TIMED; i++)
        write_family(out, &timed[i], &m->timed, i, true);
    for (int i = 0; i < MP_COUNTED; i++)
        write_family(out, &counted[i], &m->counted, i, false);
    pthread_mutex_unlock(&m->mutex);
}

void mp_metrics_counter(mp_buf *out, const char *name, const char *help, uint64_t value)
{
    write_head(out, name, help, "counter");
    mp_buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

void mp_metrics_gauge(mp_buf *out, const char *name, const char *help, double value)
{
    write_head(out, name, help, "gauge");
    mp_buf_printf(out, "%s %.9g\n", name, value);
}
