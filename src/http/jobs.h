/* jobs.h - jobs in requests and answers. Inside the http room. */
#ifndef MP_HTTP_JOBS_H
#define MP_HTTP_JOBS_H

#include "http/message.h"

#include "meta/jobs.h"

/* The job that the path names, when who asks reaches its project (or, of none, made it). False with
 * a 404 or 403 made. */
bool mp_job_asked(mp_request *r, bool write, mp_job *out);
json_t *mp_job_json(mp_request *r, const mp_job *job);
/* Params as people may read them: secrets of webhooks are for the worker alone. */
json_t *mp_job_params_json(const char *text);
/* Does it look for duplicates? Then GET /api/deduplicate/{id} has its clusters. */
bool mp_job_is_dedup(const mp_job *job);
/* The request's Idempotency-Key, NULL when there is none. 422. */
bool mp_job_key(mp_request *r, const char **out);
/* Adds it for r's user under the request's Idempotency-Key and answers 202 (200: it is there
 * already). False with the problem made. */
bool mp_job_start(mp_request *r, mp_job *job, int64_t *id);

#endif
