/* metrics.h - counters and histograms in Prometheus' text format 0.0.4. Inside the http room.
 *
 * Series are made when first counted; there are as many as routes times statuses, so one mutex and
 * a short list do. Any thread. */
#ifndef MP_HTTP_METRICS_H
#define MP_HTTP_METRICS_H

#include "base/base.h"

typedef struct mp_metrics mp_metrics; /* opaque */

mp_metrics *mp_metrics_new(void);
void mp_metrics_free(mp_metrics *m); /* NULL allowed */
/* One request: endpoint is the route's path ("" when there is none), static. */
void mp_metrics_request(mp_metrics *m, const char *method, const char *endpoint, int status,
                        double seconds);
/* Appends every series. */
void mp_metrics_write(mp_metrics *m, mp_buf *out);

#endif
