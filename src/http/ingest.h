/* ingest.h - what became of a picture that was given. Inside the http room. */
#ifndef MP_HTTP_INGEST_H
#define MP_HTTP_INGEST_H

#include "http/message.h"

/* The picture as a resource, with its status: "added" or "known". */
json_t *mp_taken_json(mp_request *r, int64_t id, magpie_outcome outcome);

/* Whether a picture that shows the same as one of the project is refused: `said` (keep or refuse),
 * or, where it is NULL, near_duplicates of the project's config. False with a 422 made. */
bool mp_gate_wanted(mp_request *r, const char *said, int64_t project_id, bool *refuse);
/* INVALID: near_duplicates is there and neither keep nor refuse. */
MP_CHECK mp_err mp_gate_check(const json_t *config, mp_why *why);
/* What such a picture is refused for. */
json_t *mp_match_json(mp_request *r, const magpie_copy *copy);

#endif
