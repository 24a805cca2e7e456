/* log.c - one line of JSON per request. See exchange.h. */
#include "http/exchange.h"

#include "base/os.h"
#include "http/json_sink.h"
#include "http/line_log.h"

void mp_exchange_log(const mp_exchange *x)
{
    const mp_request *r = &x->request;
    mp_buf line = {0};
    mp_sink s = mp_sink_to_text(&line);
    mp_sink_object(&s, NULL);
    mp_sink_integer(&s, "ts", mp_now_ms());
    mp_sink_text(&s, "level", x->status >= 500 ? "error" : "info");
    mp_sink_text(&s, "msg", "request");
    mp_sink_text(&s, "request_id", r->id);
    mp_sink_text(&s, "method", x->method);
    mp_sink_text(&s, "endpoint", r->route ? r->route->path : "");
    mp_sink_integer(&s, "status", x->status);
    mp_sink_integer(&s, "bytes", (int64_t)x->bytes);
    mp_sink_real(&s, "ms", (mp_monotonic_s() - r->began) * 1000);
    mp_sink_text(&s, "remote", r->address);
    mp_sink_integer(&s, "user_id", r->user.id);
    mp_sink_text(&s, "trace_id", r->trace.trace_id);
    mp_sink_text(&s, "span_id", r->trace.span_id);
    mp_sink_end(&s);
    mp_buf_add(&line, "\n", 1);
    mp_line_log_put(r->service->log, (mp_str){line.p, line.n});
    mp_buf_free(&line);
}
