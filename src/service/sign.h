/* sign.h - links that carry their own permission: HMAC-SHA256 (RFC 2104) over what they allow.
 *
 * The key is made when first needed and kept in the library. Any thread. */
#ifndef MP_SIGN_H
#define MP_SIGN_H

#include "magpie.h"

#include "base/base.h"

#include <sodium.h>

typedef struct mp_signer {
    crypto_auth_hmacsha256_state keyed; /* the key has gone in; copied for each text */
} mp_signer;

enum { MP_SIGNATURE = 43 }; /* characters: base64url of 32 bytes, without padding */

MP_CHECK mp_err mp_signer_open(mp_signer *s, magpie *library, mp_why *why);
/* The whole text is signed; different kinds of links begin with different words. */
void mp_signer_sign(const mp_signer *s, const char *text, char out[MP_SIGNATURE + 1]);
/* In constant time. */
bool mp_signer_check(const mp_signer *s, const char *text, const char *signature);

#endif
