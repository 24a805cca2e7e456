/* tick.h - tells the caller how far an export is, and asks whether to go on. */
#ifndef MP_PACK_TICK_H
#define MP_PACK_TICK_H

#include "base/base.h"
#include "magpie.h"

typedef struct mp_pack_tick {
    magpie_progress_fn fn; /* NULL: nobody listens */
    void *context;
    magpie_progress progress; /* elapsed_s is filled here */
    double began_s;           /* mp_monotonic_s */
} mp_pack_tick;

/* Errors: CANCELLED. */
MP_CHECK mp_err mp_pack_tell(mp_pack_tick *t, mp_why *why);

#endif
