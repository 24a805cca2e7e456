/* metrics.h - counters, gauges and histograms in Prometheus' text format 0.0.4. Inside the http
 * room.
 *
 * Series are made when first counted; there are as many as routes times statuses, so one mutex and
 * a short list do. Any thread. */
#ifndef MP_HTTP_METRICS_H
#define MP_HTTP_METRICS_H

#include "base/base.h"

typedef struct mp_metrics mp_metrics; /* opaque */

/* What is timed beside requests; each has one label. */
typedef enum mp_timed {
    MP_IMAGE_PROCESSING, /* image_processing_duration_seconds{operation} */
    MP_VECTOR_SEARCH,    /* vector_search_duration_seconds{search_type} */
    MP_JOB_TIME,         /* job_duration_seconds{type} */
    MP_TIMED
} mp_timed;
/* What is counted beside requests; each has one label. */
typedef enum mp_counted {
    MP_UPLOADS,      /* image_uploads_total{outcome} */
    MP_SEARCHES,     /* search_queries_total{search_type} */
    MP_JOB_FAILURES, /* job_failures_total{type} */
    MP_COUNTED
} mp_counted;

mp_metrics *mp_metrics_new(void);
void mp_metrics_free(mp_metrics *m); /* NULL allowed */
/* One request: endpoint is the route's path ("" when there is none), static. */
void mp_metrics_request(mp_metrics *m, const char *method, const char *endpoint, int status,
                        double seconds);
/* Labels are copied; they are our own words, never a client's. */
void mp_metrics_observe(mp_metrics *m, mp_timed what, const char *label, double seconds);
void mp_metrics_count(mp_metrics *m, mp_counted what, const char *label, uint64_t more);
/* Appends every series. */
void mp_metrics_write(mp_metrics *m, mp_buf *out);
/* One counter, one gauge of the text format. */
void mp_metrics_counter(mp_buf *out, const char *name, const char *help, uint64_t value);
void mp_metrics_gauge(mp_buf *out, const char *name, const char *help, double value);

#endif
