/* limits.c - see limits.h: a table of fixed size, so that nobody can fill the memory with names. */
#include "http/limits.h"

#include "base/os.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 65536 }; /* a megabyte, taken as it is touched */

typedef struct bucket {
    double tokens, at_s; /* at_s 0: full */
} bucket;

struct mp_limits {
    pthread_mutex_t mutex; /* guards the buckets */
    double per_s, burst;
    uint64_t seed; /* so that nobody can aim at another's bucket */
    bucket bucket[BUCKETS];
};

mp_limits *mp_limits_new(double per_s, double burst)
{
    mp_limits *l = mp_xcalloc(1, sizeof *l);
    l->per_s = per_s;
    l->burst = burst;
    mp_random_bytes(&l->seed, sizeof l->seed);
    pthread_mutex_init(&l->mutex, NULL);
    return l;
}

void mp_limits_free(mp_limits *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

int mp_limits_take(mp_limits *l, const char *key)
{
    double now = mp_monotonic_s() + 1;
    int wait = 0;
    pthread_mutex_lock(&l->mutex);
    bucket *b = &l->bucket[mp_checksum64(key, strlen(key), l->seed) % BUCKETS];
    b->tokens = b->at_s > 0 ? fmin(l->burst, b->tokens + (now - b->at_s) * l->per_s) : l->burst;
    b->at_s = now;
    if (b->tokens >= 1)
        b->tokens -= 1;
    else
        wait = (int)ceil((1 - b->tokens) / l->per_s);
    pthread_mutex_unlock(&l->mutex);
    return wait;
}
