/* rates.c - see rates.h. */
#include "http/rates.h"

#include "http/limits.h"
#include "http/proxies.h"
#include "http/route.h"

#include <stdio.h>
#include <stdlib.h>

static const double MORE_FOR_LINKS = 10;

struct mp_rates {
    mp_limits *strangers, *links, *users;
};

mp_rates *mp_rates_new(double per_s, double burst)
{
    if (per_s <= 0)
        return NULL;
    mp_rates *rates = mp_xcalloc(1, sizeof *rates);
    rates->strangers = mp_limits_new(per_s, burst);
    rates->links = mp_limits_new(per_s * MORE_FOR_LINKS, burst * MORE_FOR_LINKS);
    rates->users = mp_limits_new(per_s, burst);
    return rates;
}

void mp_rates_free(mp_rates *rates)
{
    if (!rates)
        return;
    mp_limits_free(rates->strangers);
    mp_limits_free(rates->links);
    mp_limits_free(rates->users);
    free(rates);
}

/* False with a 429 made in place of any other reply. */
static bool take(mp_request *r, mp_limits *limits, const char *key)
{
    int wait = mp_limits_take(limits, key);
    if (!wait)
        return true;
    r->reply.n_headers = 0;
    mp_reply_problem(r, 429, "too many requests; wait %d s", wait);
    mp_reply_header(r, "Retry-After", mp_request_text(r, "%d", wait));
    return false;
}

static bool take_address(mp_request *r, mp_limits *limits)
{
    char key[MP_ADDRESS_KEY];
    mp_address_key(r->address, key);
    return take(r, limits, key);
}

bool mp_rates_admit(mp_rates *rates, mp_request *r)
{
    const mp_route *route = r->route;
    if (!rates || (route && route->rate == MP_RATE_NONE))
        return true;
    bool preflight = r->method == MP_METHODS; /* as many as there are paths */
    if (preflight ||
        (route && (route->rate == MP_RATE_HIGH || (route->linked && mp_request_query(r, "sig")))))
        return take_address(r, rates->links);
    return (route && route->signed_in) || take_address(r, rates->strangers);
}

bool mp_rates_authorize(mp_rates *rates, mp_request *r)
{
    if (!mp_request_authorize(r)) {
        if (rates && r->reply.status == 401)
            (void)take_address(r, rates->strangers);
        return false;
    }
    if (!rates || r->by_link)
        return true;
    const char *key = r->key_id ? mp_request_text(r, "key %lld", (long long)r->key_id)
                                : mp_request_text(r, "user %lld", (long long)r->user.id);
    return take(r, rates->users, key);
}
