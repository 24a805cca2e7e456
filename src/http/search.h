/* search.h - questions in requests and hits in answers. Inside the http room. */
#ifndef MP_HTTP_SEARCH_H
#define MP_HTTP_SEARCH_H

#include "http/message.h"

enum { MP_TERMS = 16, MP_SEARCH_MOST = 10000 };

/* A question as it is gathered from a request. */
typedef struct mp_question {
    magpie_term term[MP_TERMS];
    size_t n;
    const char *scope;    /* what may be seen */
    size_t offset, limit; /* of this page */
    float threshold;      /* as magpie_query.min_score */
    bool exact;
    bool bare; /* hits without their payload */
} mp_question;

/* The reply for an error of what needs the model. Where that itself cannot be used, the request is
 * not at fault: 503, and what is wrong with the model is for the log. */
void mp_search_fail(mp_request *r, magpie_err err, const magpie_why *why);
/* Runs it; NULL with the reply made. Free with magpie_hits_free. *ms: how long it took. */
magpie_hits *mp_search_ask(mp_request *r, const mp_question *q, const char *kind, double *ms);
/* A JSON body, also of a route that takes files: from the one file of its type, or the field
 * "query" of a form. False with the reply made. */
bool mp_search_body(mp_request *r);
/* Words to search for, as core wants them. False with the reply made: 422. */
bool mp_search_words_fine(mp_request *r, const char *words);
/* limit, cursor, threshold, where, project_id, exact and with_payload of the JSON body. `floor`:
 * the threshold when none is given. */
bool mp_search_common(mp_request *r, mp_question *q, float floor);

#endif
