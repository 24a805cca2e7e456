/* easy.h - what every transfer of this room has in common. Inside the room only. */
#ifndef MP_NET_EASY_H
#define MP_NET_EASY_H

#include "net/url.h"

/* One handle and what its sockets met; lives as long as the handle. */
typedef struct mp_easy {
    CURL *curl;
    bool any_address; /* the policy does not hold */
    bool proxies;     /* those of the environment are used */
    bool refused;     /* the policy kept a socket from being opened, and none was */
    bool opened;
    mp_net_stop stop;
    char detail[CURL_ERROR_SIZE]; /* may name addresses: never for users who are strangers */
} mp_easy;

/* A handle with the socket policy, no signals, TLS 1.2 or newer.
 * NOMEM. Closed by the caller in either case. */
MP_CHECK mp_err mp_easy_open(mp_easy *e, const mp_net_url *url, mp_why *why);
void mp_easy_close(mp_easy *e);
/* Runs it, with SIGPIPE held back from this thread. */
CURLcode mp_easy_perform(mp_easy *e);
/* The status with which a proxy has not connected where it was asked to; 0: it has, or there is
 * none. */
int mp_easy_refused_by_proxy(const mp_easy *e);
/* What a failed code means; `who` begins the text. */
mp_err mp_easy_fail(const mp_easy *e, CURLcode code, const char *who, mp_why *why);

/* Sets an option unless one before could not be set. `code` must be in scope. */
#define MP_EASY_SET(e, option, value)                                                              \
    do {                                                                                           \
        if (code == CURLE_OK)                                                                      \
            code = curl_easy_setopt((e)->curl, option, value);                                     \
    } while (0)

#endif
