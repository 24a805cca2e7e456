/* account.h - what the handlers of accounts share. Inside the http room. */
#ifndef MP_HTTP_ACCOUNT_H
#define MP_HTTP_ACCOUNT_H

#include "http/server.h"

enum { MP_NAME_BYTES = 254, MP_PASSWORD_BYTES = 1024 }; /* the most that a body may bring */

/* Who asks, for the session list and the audit log; in the request's arena. */
mp_caller mp_caller_of(const mp_request *r);
/* False with 429 when this name was tried too often from this address. */
bool mp_may_try(mp_request *r, const char *name);
/* The same of any limits and key. */
bool mp_within(mp_request *r, mp_limits *limits, const char *key);
/* False with 403 when an API key asks: some things only a person may do. */
bool mp_by_person(mp_request *r);

/* The same, but NOT_FOUND is 401: who asks has not shown who they are. */
void mp_refuse(mp_request *r, mp_err err, const mp_why *why);
/* 204, or the failure. */
void mp_reply_done(mp_request *r, mp_err err, const mp_why *why);

json_t *mp_user_json(const mp_user *u);
/* Seconds; null for 0. */
json_t *mp_seconds_json(int64_t at_ms);

/* The {id} of the path; false with 404 when it is no number of ours. */
bool mp_path_id(mp_request *r, int64_t *out);
/* A whole number of the query within its range; `otherwise` when it is absent. False: 422. */
bool mp_query_number(mp_request *r, const char *name, int64_t least, int64_t most,
                     int64_t otherwise, int64_t *out);
/* A whole number of the body, or `otherwise`. */
int64_t mp_body_number(const mp_request *r, const char *name, int64_t otherwise);

#endif
