/* fetch.c - see fetch.h. */
#include "net/fetch.h"

enum { TIMEOUT_MS = 5000, TRIES = 3 };

mp_err mp_net_fetch(const mp_fetch *f, int fd, mp_fetched *out, mp_why *why)
{
    mp_net_ask ask = {.url = f->url,
                      .allow = f->allow,
                      .timeout_ms = f->timeout_ms ? f->timeout_ms : TIMEOUT_MS,
                      .connect_ms = f->connect_ms,
                      .tries = f->tries ? f->tries : TRIES,
                      .want_prefix = f->want_prefix,
                      .stop = f->stop};
    mp_net_sink to = {.fd = fd, .max_bytes = f->max_bytes};
    mp_err err = mp_net_request(&ask, &to, out, why);
    return err ? err : mp_net_judge(out->status, why);
}
