/* log.c - one line of JSON per request. See exchange.h. */
#include "http/exchange.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

void mp_exchange_log(const mp_exchange *x)
{
    const mp_request *r = &x->request;
    mp_service *s = r->service;
    json_t *line = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:f, s:s, s:I, s:s, s:s}", "ts",
        (json_int_t)mp_now_ms(), "level", x->status >= 500 ? "error" : "info", "msg", "request",
        "request_id", r->id, "method", x->method, "endpoint", r->route ? r->route->path : "",
        "status", x->status, "bytes", (json_int_t)x->bytes, "ms",
        (mp_monotonic_s() - r->began) * 1000, "remote", r->address, "user_id",
        (json_int_t)r->user.id, "trace_id", r->trace.trace_id, "span_id", r->trace.span_id);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    pthread_mutex_lock(&s->log_mutex);
    fprintf(stderr, "%s\n", text ? text : "{}");
    pthread_mutex_unlock(&s->log_mutex);
    free(text);
    json_decref(line);
}
