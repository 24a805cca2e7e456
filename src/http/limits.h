/* limits.h - how often somebody may try: token buckets by name. Inside the http room. Any thread.
 */
#ifndef MP_HTTP_LIMITS_H
#define MP_HTTP_LIMITS_H

#include "base/base.h"

typedef struct mp_limits mp_limits; /* opaque */

/* `burst` tries at once, then `per_s` per second, for each key. */
mp_limits *mp_limits_new(double per_s, double burst);
void mp_limits_free(mp_limits *l); /* NULL allowed */
/* 0: go on; else the seconds to wait. Keys are told apart by a hash: two may share a bucket, so a
 * limit can come too early, never too late. */
int mp_limits_take(mp_limits *l, const char *key);

#endif
