/* sign.c - see sign.h. */
#include "service/sign.h"

#include "base/os.h"
#include "core/ports.h"

#include <sodium.h>
#include <string.h>

mp_err mp_signer_open(mp_signer *s, magpie *library, mp_why *why)
{
    mp_meta *meta = mp_core_meta(library);
    uint8_t key[32];
    char hex[2 * sizeof key + 1];
    size_t n = 0;
    mp_err err = mp_meta_get_setting(meta, "link_key", hex, sizeof hex, why);
    if (err == MP_NOT_FOUND) {
        randombytes_buf(key, sizeof key);
        mp_hex(key, sizeof key, hex);
        err = mp_meta_set_setting(meta, "link_key", hex, why);
    } else if (!err && (sodium_hex2bin(key, sizeof key, hex, strlen(hex), NULL, &n, NULL) ||
                        n != sizeof key)) {
        err = mp_fail(why, MP_CORRUPT, "the key of the library's links is damaged");
    }
    crypto_auth_hmacsha256_init(&s->keyed, key, sizeof key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    return err;
}

void mp_signer_sign(const mp_signer *s, const char *text, char out[MP_SIGNATURE + 1])
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state = s->keyed;
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2base64(out, MP_SIGNATURE + 1, mac, sizeof mac,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool mp_signer_check(const mp_signer *s, const char *text, const char *signature)
{
    char right[MP_SIGNATURE + 1];
    mp_signer_sign(s, text, right);
    return signature && strlen(signature) == MP_SIGNATURE &&
           sodium_memcmp(right, signature, MP_SIGNATURE) == 0;
}
