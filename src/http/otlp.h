/* otlp.h - spans of requests to an OpenTelemetry collector: OTLP over HTTP, in JSON. Inside the
 * http room.
 *
 * Spans wait in a ring of fixed size for a thread that sends them about once a second. Whoever adds
 * one never waits for the network: when the ring is full, or a batch is not taken after some tries,
 * spans are dropped and counted. Any thread. */
#ifndef MP_HTTP_OTLP_H
#define MP_HTTP_OTLP_H

#include "base/base.h"

typedef struct mp_otlp mp_otlp; /* opaque */

typedef struct mp_span_of_request {
    char trace_id[33], span_id[17], parent_id[17]; /* as in mp_trace */
    const char *method, *route; /* our own words, static; route "": none was found */
    int status;                 /* 0: the client went away */
    int64_t began_ns, ended_ns; /* Unix epoch */
} mp_span_of_request;

/* `url` is the collector's for traces ("http://127.0.0.1:4318/v1/traces"), on any network: it is
 * the operator's own word. INVALID (not http or https), INTERNAL (no thread). */
MP_CHECK mp_err mp_otlp_open(mp_otlp **out, const char *url, mp_why *why);
void mp_otlp_add(mp_otlp *o, const mp_span_of_request *span);
uint64_t mp_otlp_dropped(mp_otlp *o);
/* Sends what waits, for at most two seconds or so. NULL allowed. */
void mp_otlp_close(mp_otlp *o);

#endif
