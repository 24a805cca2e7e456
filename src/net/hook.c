/* hook.c - see hook.h. */
#include "net/hook.h"

#include "base/os.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, FIELD = 128, LINE = 192 };

static void sign(const mp_hook *hook, const char *timestamp, char hex[65])
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, hook->secret.p, hook->secret.n);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)timestamp, strlen(timestamp));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
    crypto_auth_hmacsha256_update(&state, hook->body.p, hook->body.n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    mp_hex(mac, sizeof mac, hex);
}

/* An empty header would be left out, a long or odd one cut or misread. */
static bool fine(const char *field)
{
    size_t n = strlen(field);
    for (size_t i = 0; i < n; i++)
        if (field[i] <= ' ' || field[i] >= 0x7F)
            return false;
    return n > 0 && n <= FIELD;
}

mp_err mp_net_post(const mp_hook *hook, mp_net_answer *out, mp_why *why)
{
    char event[LINE], delivery[LINE], when[LINE], signature[LINE], timestamp[24], hex[65];
    int64_t now = hook->timestamp_s ? hook->timestamp_s : mp_now_ms() / 1000;
    *out = (mp_net_answer){0};
    if (hook->secret.n == 0)
        return mp_fail(why, MP_INVALID, "a webhook needs a secret");
    if (!fine(hook->event) || !fine(hook->delivery))
        return mp_fail(why, MP_INVALID, "event and delivery have 1 to %d visible characters",
                       FIELD);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)now);
    sign(hook, timestamp, hex);
    snprintf(event, sizeof event, "X-Magpie-Event: %s", hook->event);
    snprintf(delivery, sizeof delivery, "X-Magpie-Delivery: %s", hook->delivery);
    snprintf(when, sizeof when, "X-Magpie-Timestamp: %s", timestamp);
    snprintf(signature, sizeof signature, "X-Magpie-Signature: sha256=%s", hex);
    const char *headers[] = {"Content-Type: application/json", event, delivery, when, signature};
    mp_net_ask ask = {.method = "POST",
                      .url = hook->url,
                      .headers = headers,
                      .n_headers = MP_COUNT(headers),
                      .body = hook->body.p ? hook->body : (mp_span){(const uint8_t *)"", 0},
                      .allow = hook->allow,
                      .timeout_ms = hook->timeout_ms ? hook->timeout_ms : TIMEOUT_MS,
                      .tries = hook->tries,
                      .stop = hook->stop};
    mp_err err = mp_net_request(&ask, NULL, out, why);
    return err ? err : mp_net_judge(out->status, why);
}
