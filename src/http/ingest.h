/* ingest.h - what became of a picture that was given. Inside the http room. */
#ifndef MP_HTTP_INGEST_H
#define MP_HTTP_INGEST_H

#include "http/message.h"

/* The picture as a resource, with its status: "added" or "known". */
json_t *mp_taken_json(mp_request *r, int64_t id, magpie_outcome outcome);

#endif
