/* tick.c - see tick.h. */
#include "pack/tick.h"

#include "base/os.h"

mp_err mp_pack_tell(mp_pack_tick *t, mp_why *why)
{
    t->progress.elapsed_s = mp_monotonic_s() - t->began_s;
    if (t->fn && t->fn(t->context, &t->progress))
        return mp_fail(why, MP_CANCELLED, "the export was stopped");
    return MP_OK;
}
