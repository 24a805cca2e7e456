/* health.c - is it alive, is it ready, and are the parts it stands on there? */
#include "http/server.h"

#include "base/os.h"

void mp_handle_health(mp_request *r)
{
    mp_reply_json(r, 200,
                  json_pack("{s:s, s:I, s:s}", "status", "healthy", "timestamp",
                            (json_int_t)(mp_now_ms() / 1000), "version", magpie_version()));
}

void mp_handle_live(mp_request *r)
{
    mp_reply_json(r, 200, json_pack("{s:s}", "status", "alive"));
}

/* The library answers a question that its database must be read for. */
static magpie_err ask_library(mp_request *r, magpie_stats *stats, double *ms)
{
    magpie_why why = {0};
    double began = mp_monotonic_s();
    magpie_err err = magpie_get_stats(r->service->library, stats, &why);
    *ms = (mp_monotonic_s() - began) * 1000;
    if (err)
        mp_log(MP_LOG_ERROR, "request %s: the library does not answer: %s", r->id, why.text);
    return err;
}

void mp_handle_ready(mp_request *r)
{
    magpie_stats stats;
    double ms;
    const char *trouble = atomic_load(&r->service->draining) ? "stopping"
                          : ask_library(r, &stats, &ms)      ? "database"
                                                             : NULL;
    if (!trouble) {
        mp_reply_json(r, 200, json_pack("{s:s}", "status", "ready"));
        return;
    }
    mp_reply_json(r, 503, json_pack("{s:s, s:s}", "status", "not ready", "error", trouble));
    mp_reply_header(r, "Retry-After", "5");
}

void mp_handle_dependencies(mp_request *r)
{
    magpie_stats stats = {0};
    double ms;
    bool up = ask_library(r, &stats, &ms) == MAGPIE_OK;
    json_t *library = json_pack("{s:s, s:s, s:s, s:f}", "name", "library", "kind", "sqlite",
                                "status", up ? "up" : "down", "latency_ms", ms);
    mp_reply_json(
        r, up ? 200 : 503,
        json_pack("{s:s, s:[o]}", "status", up ? "healthy" : "unhealthy", "dependencies", library));
}
