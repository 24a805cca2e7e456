/* body.h - JSON bodies, held against what a route takes. Inside the http room. */
#ifndef MP_HTTP_BODY_H
#define MP_HTTP_BODY_H

#include "http/message.h"

/* One member of a route's JSON object. Members that are not listed are refused. */
enum { MP_JSON_ANY = -1 };
typedef struct mp_member {
    const char *name;
    int type; /* JSON_STRING, JSON_INTEGER, ...; JSON_TRUE: either boolean; MP_JSON_ANY */
    bool required;
    double least, most; /* of a number; of a string's bytes */
} mp_member;

/* Reads the body into r->json. False with the reply made: 415 (not JSON by its type), 400
 * (malformed), 422 (another shape). */
bool mp_body_read(mp_request *r, const mp_member *fields, size_t n);
/* A string member; "" when it is absent. */
const char *mp_body_text(const mp_request *r, const char *name);

#endif
