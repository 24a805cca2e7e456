/* url.h - a URL taken apart by the very parser that the transfer uses. Inside the room only. */
#ifndef MP_NET_URL_H
#define MP_NET_URL_H

#include "net/net.h"

#include <curl/curl.h>

enum { MP_NET_URL_MAX = 8192, MP_NET_AUTHORITY = 300 };

typedef struct mp_net_url {
    CURLU *parsed;                    /* owned */
    char scheme[8];                   /* lower case */
    char host[MP_NET_AUTHORITY - 8];  /* lower case, IPv6 in brackets */
    char authority[MP_NET_AUTHORITY]; /* host:port, the port always said */
} mp_net_url;

/* `schemes`: the two that are taken ("http", "https"). INVALID; then nothing is to be freed. */
MP_CHECK mp_err mp_net_url_parse(mp_net_url *out, const char *url, const char *const schemes[2],
                                 mp_why *why);
void mp_net_url_free(mp_net_url *url);
/* Is the authority among the exceptions? `allow` may be NULL. */
bool mp_net_url_excepted(const mp_net_url *url, const mp_net_allow *allow);
/* The one text for an address outside the policy: INVALID. It never says which address it was. */
mp_err mp_net_refuse(mp_why *why);

extern const char *const mp_net_http[2];

#endif
