/* transfer.h - one try of a request. Inside the room only. */
#ifndef MP_NET_TRANSFER_H
#define MP_NET_TRANSFER_H

#include "net/easy.h"
#include "net/request.h"

#include <sys/types.h>

typedef struct mp_transfer {
    mp_easy easy;
    const mp_net_ask *ask;
    mp_net_sink to;
    mp_net_answer *out;
    mp_why *why;
    struct curl_slist *headers;
    off_t upload_at, sink_at; /* where the descriptors stood; -1: they cannot go back */
    int64_t sent, head;       /* bytes */
    mp_err err;               /* what a callback met; why is said */
    bool begun;               /* the head has been judged */
    bool good;                /* 2xx */
    bool enough;              /* no more of the body is wanted */
    bool again;               /* another try may do better */
} mp_transfer;

/* Sets the handle up. Released by mp_transfer_close in either case. */
MP_CHECK mp_err mp_transfer_open(mp_transfer *t, const mp_net_url *url);
void mp_transfer_close(mp_transfer *t);
/* One try; repeatable. */
MP_CHECK mp_err mp_transfer_try(mp_transfer *t, const mp_net_url *url);

#endif
