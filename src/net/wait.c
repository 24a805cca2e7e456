/* wait.c - see wait.h. */
#include "net/wait.h"

#include "base/os.h"

#include <time.h>

enum { FIRST_WAIT_MS = 200, LONGEST_WAIT_MS = 5000, SLICE_MS = 50 };

static bool stopped(const mp_net_stop *stop)
{
    return stop->asked && stop->asked(stop->arg);
}

int64_t mp_net_wait_ms(int tries, int retry_after_s)
{
    int64_t most = LONGEST_WAIT_MS;
    uint64_t dice;
    if (tries < 6)
        most = MP_MIN(most, (int64_t)FIRST_WAIT_MS << (tries - 1));
    mp_random_bytes(&dice, sizeof dice);
    return (int64_t)retry_after_s * 1000 + (int64_t)(dice % (uint64_t)(most + 1));
}

bool mp_net_pause(const mp_net_stop *stop, int64_t ms)
{
    for (; ms > 0; ms -= SLICE_MS) {
        struct timespec slice = {.tv_nsec = MP_MIN(ms, (int64_t)SLICE_MS) * 1000000};
        if (stopped(stop))
            return false;
        nanosleep(&slice, NULL);
    }
    return !stopped(stop);
}
