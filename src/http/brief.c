/* brief.c - see brief.h. */
#include "http/brief.h"

#include <stdatomic.h>
#include <stdlib.h>

struct mp_brief {
    _Atomic int *streak; /* quick runs in a row, by route; counts to MP_BRIEF_RUN */
};

mp_brief *mp_brief_new(void)
{
    mp_brief *b = mp_xcalloc(1, sizeof *b);
    b->streak = mp_xcalloc(mp_n_routes, sizeof *b->streak);
    return b;
}

void mp_brief_free(mp_brief *b)
{
    if (b)
        free(b->streak);
    free(b);
}

static _Atomic int *streak_of(mp_brief *b, const mp_route *route)
{
    return &b->streak[route - mp_routes];
}

bool mp_brief_is(mp_brief *b, const mp_route *route)
{
    return route->brief &&
           atomic_load_explicit(streak_of(b, route), memory_order_relaxed) >= MP_BRIEF_RUN;
}

void mp_brief_took(mp_brief *b, const mp_route *route, double seconds)
{
    if (!route->brief)
        return;
    _Atomic int *streak = streak_of(b, route);
    int n = atomic_load_explicit(streak, memory_order_relaxed);
    if (seconds * 1000 > MP_BRIEF_MS)
        atomic_store_explicit(streak, 0, memory_order_relaxed);
    else if (n < MP_BRIEF_RUN)
        atomic_store_explicit(streak, n + 1, memory_order_relaxed);
}
