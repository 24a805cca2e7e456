/* trace.h - whose trace a request belongs to (W3C Trace Context). Inside the http room. */
#ifndef MP_HTTP_TRACE_H
#define MP_HTTP_TRACE_H

#include "base/base.h"

typedef struct mp_request mp_request;

typedef struct mp_trace {
    char trace_id[33], span_id[17]; /* lower-case hex; the span is ours */
    char parent_id[17];             /* "": the trace begins here */
    bool sampled;                   /* the caller's wish; where it begins here, ours */
    const char *state;              /* tracestate, in the request's arena; NULL: none */
} mp_trace;

/* Reads a traceparent header. False for anything but the standard's form (version 00, or the known
 * beginning of a later one), with ids that are not all zero; *out is then untouched. */
bool mp_traceparent_read(const char *text, mp_trace *out);
/* Is this a tracestate header: 1 to 32 key=value members in at most 512 bytes? */
bool mp_tracestate_is_good(const char *text);

/* Fills r->trace from the request's headers: the trace goes on, or, where the headers are absent or
 * malformed, begins, sampled or not. */
void mp_trace_begin(mp_request *r, bool sampled);
/* The traceparent of our span, in the request's arena. */
const char *mp_trace_parent(mp_request *r);

#endif
