/* progress.c - how long work tells its caller, and hears that it should stop. */
#include "core/core.h"

static const double POLL_EVERY_S = 0.1;

mp_ticker mp_ticker_new(magpie_progress_fn fn, void *context, const char *stage)
{
    return (mp_ticker){.fn = fn, .context = context, .stage = stage, .began = mp_monotonic_s()};
}

bool mp_ticker_poll(mp_ticker *t, uint64_t done, uint64_t total, uint64_t bytes)
{
    if (t->stopped || !t->fn)
        return t->stopped;
    double now = mp_monotonic_s();
    bool last = total && done == total;
    if (!last && now - t->last < POLL_EVERY_S)
        return false;
    t->last = now;
    magpie_progress p = {.stage = t->stage,
                         .done = done,
                         .total = total,
                         .bytes = bytes,
                         .elapsed_s = now - t->began};
    t->stopped = t->fn(t->context, &p);
    return t->stopped;
}

bool mp_ticker_stop(void *ticker, size_t done, size_t total)
{
    return mp_ticker_poll(ticker, done, total, 0);
}
