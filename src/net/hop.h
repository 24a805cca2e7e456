/* hop.h - one try of a download: the request, and those that redirects lead to. Inside the room
 * only.
 */
#ifndef MP_NET_HOP_H
#define MP_NET_HOP_H

#include "net/download.h"
#include "net/easy.h"

typedef struct mp_hop {
    /* ---- asked ---- */
    const mp_download *d;
    bool head;               /* HEAD, and not further than to where linked_... are said */
    const char *ask_range;   /* "100-"; NULL: the whole */
    const char *ask_version; /* for If-Range; "": none */
    /* For a 2xx of GET: its head, once, and its bytes. What they return ends the try. */
    mp_err (*on_begin)(void *arg, const struct mp_hop *hop);
    mp_err (*on_data)(void *arg, const void *data, size_t n);
    void *arg;
    mp_why *why;
    /* ---- answered, by the last request ---- */
    int status;
    int64_t length;               /* of the body; -1: not said */
    char range[96], version[256]; /* Content-Range; ETag, else Last-Modified */
    int64_t linked_bytes;         /* X-Linked-Size; 0: not said */
    char linked_sha256[65];       /* X-Linked-ETag */
    int retry_after_s;            /* 0: not said */
    bool again;                   /* another try may do better */
    /* ---- inside ---- */
    mp_easy easy;
    bool begun;
    int64_t head_bytes;
    mp_err err; /* what a callback met; why is said */
} mp_hop;

/* MP_OK for an answer that came whole; its status may be any. Errors: as mp_net_download. */
MP_CHECK mp_err mp_hop_run(mp_hop *hop);

#endif
