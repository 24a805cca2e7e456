/* server.h - what all requests share. Inside the http room. */
#ifndef MP_HTTP_SERVER_H
#define MP_HTTP_SERVER_H

#include "http/limits.h"
#include "http/metrics.h"
#include "http/route.h"
#include "http/work.h"
#include "service/auth.h"

#include <pthread.h>
#include <stdatomic.h>

struct mp_service {
    magpie *library;
    mp_metrics *metrics;
    mp_work *work;
    mp_auth *auth;
    mp_limits *logins; /* by address and name */
    bool open_registration;
    char setup_token[33]; /* makes the first account; "" once there is one */
    pthread_mutex_t setup_mutex;
    _Atomic int active;        /* requests begun and not yet answered */
    _Atomic bool draining;     /* readiness says no */
    pthread_mutex_t log_mutex; /* one line at a time */
};

#endif
