/* retry.c - see retry.h. */
#include "jobs/retry.h"

int64_t mp_retry_delay_ms(int attempt, int64_t base_ms, int64_t cap_ms, double unit)
{
    int64_t most = MP_MIN(base_ms, cap_ms);
    for (int i = 1; i < attempt && most > 0 && most < cap_ms; i++)
        most = most > cap_ms / 2 ? cap_ms : most * 2;
    return most > 0 ? (int64_t)((double)most * unit) : 0;
}

bool mp_retry_is_useless(mp_err err)
{
    return err == MP_INVALID || err == MP_UNSUPPORTED || err == MP_NOT_FOUND || err == MP_CORRUPT;
}
