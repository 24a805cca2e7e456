/* server.h - what all requests share. Inside the http room. */
#ifndef MP_HTTP_SERVER_H
#define MP_HTTP_SERVER_H

#include "http/metrics.h"
#include "http/route.h"
#include "http/work.h"

#include <pthread.h>
#include <stdatomic.h>

struct mp_service {
    magpie *library;
    mp_metrics *metrics;
    mp_work *work;
    _Atomic int active;        /* requests begun and not yet answered */
    _Atomic bool draining;     /* readiness says no */
    pthread_mutex_t log_mutex; /* one line at a time */
};

#endif
