/* encode.h - which content coding a client takes, and gzip for what we write ourselves (RFC 9110,
 * 8.4 and 12.5.3). Inside the http room. Any thread. */
#ifndef MP_HTTP_ENCODE_H
#define MP_HTTP_ENCODE_H

#include "http/message.h"

typedef enum mp_coding { MP_IDENTITY, MP_GZIP, MP_BROTLI } mp_coding;
/* "gzip", "br"; static. */
const char *mp_coding_word(mp_coding c);

/* The coding to use of those `offered` (bits 1 << coding; identity is always there): what the
 * client weighs highest, brotli before gzip before none at the same weight. `accept` is the
 * header's value; NULL, or nothing acceptable: identity, as the RFC advises. */
mp_coding mp_coding_choose(const char *accept, unsigned offered);
/* Does the client say that it does not take identity? */
bool mp_coding_identity_refused(const char *accept);

/* Compresses the reply where that pays: text and JSON of at least MP_ENCODE_LEAST bytes (of any
 * size for a client that refuses identity), whole, for a client that takes gzip. An ETag becomes a
 * weak one, since the bytes are others. What the reply could have been is marked in reply.varies,
 * also of a 304. */
enum { MP_ENCODE_LEAST = 1024 };
void mp_encode_reply(mp_request *r);

#endif
