/* request.c - tries, with waits between them. See request.h. */
#include "net/transfer.h"
#include "net/wait.h"

enum { RETRY_AFTER_S = 10 };

static mp_err run(mp_transfer *t, const mp_net_url *url)
{
    int tries = MP_MAX(t->ask->tries, 1);
    for (;;) {
        mp_err err = mp_transfer_try(t, url);
        if (!t->again || t->out->tries >= tries || t->out->retry_after_s > RETRY_AFTER_S)
            return err;
        if (!mp_net_pause(&t->ask->stop, mp_net_wait_ms(t->out->tries, t->out->retry_after_s)))
            return mp_fail(t->why, MP_CANCELLED, "stopped");
    }
}

mp_err mp_net_request(const mp_net_ask *ask, const mp_net_sink *to, mp_net_answer *out, mp_why *why)
{
    mp_transfer t = {.ask = ask, .to = to ? *to : (mp_net_sink){.fd = -1}, .out = out, .why = why};
    mp_net_url url;
    *out = (mp_net_answer){0};
    mp_err err = mp_net_url_parse(&url, ask->url, mp_net_http, why);
    if (err)
        return err;
    err = mp_transfer_open(&t, &url);
    if (!err)
        err = run(&t, &url);
    mp_transfer_close(&t);
    mp_net_url_free(&url);
    return err;
}

/* The other 3xx lead nowhere. */
static bool is_redirect(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

mp_err mp_net_judge(int status, mp_why *why)
{
    if (status / 100 == 2)
        return MP_OK;
    if (status == 407)
        return mp_fail(why, MP_IO, "the proxy answered 407; it wants a user and a password");
    if (is_redirect(status))
        return mp_fail(why, MP_UNSUPPORTED,
                       "the server redirects (%d) and redirects are not followed: give the URL "
                       "that it leads to",
                       status);
    mp_err err = status == 404 || status == 410 ? MP_NOT_FOUND : status == 429 ? MP_BUSY : MP_IO;
    return mp_fail(why, err, "the server answered %d", status);
}
