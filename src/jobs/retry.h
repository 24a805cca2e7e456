/* retry.h - when a job that failed is tried again. Pure: no clock, no generator. */
#ifndef MP_JOBS_RETRY_H
#define MP_JOBS_RETRY_H

#include "base/base.h"

/* Exponential back-off with full jitter: evenly spread over 0 and base_ms * 2^(attempt - 1), or
 * cap_ms where that is less, so that jobs that failed together do not come back together. attempt
 * counts from 1; unit is a random number of [0, 1). */
int64_t mp_retry_delay_ms(int attempt, int64_t base_ms, int64_t cap_ms, double unit);

/* Whether another attempt would fail the same way: the input is what is wrong. */
bool mp_retry_is_useless(mp_err err);

#endif
