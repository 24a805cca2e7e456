/* wire.h - what the pool and a decode worker say to each other.
 *
 * A SOCK_SEQPACKET pair on descriptor 3 of the child. A request carries the picture's descriptor;
 * the first one also that of the shared memory, WIRE_SHARED bytes. The child writes results there in
 * this order, each 64-byte aligned: views, fitted picture, thumbnail. The parent trusts nothing of a
 * reply: it computes all sizes from its own request and checks the few that the child chose. */
#ifndef MP_WIRE_H
#define MP_WIRE_H

#include "image/decode.h"

enum {
    WIRE_FD = 3,
    WIRE_SHARED = 16 * 1024 * 1024,
    WIRE_MAX_VIEW_SIDE = 1024,
    WIRE_MAX_FITTED = 1024,
    WIRE_MAX_THUMBNAIL = 4 * 1024 * 1024
};

typedef struct wire_request {
    mp_decode_spec spec;
    int64_t max_pixels, bytes, memory_bytes;
    int32_t max_side, timeout_ms;
} wire_request;

typedef struct wire_reply {
    int32_t err;
    mp_why why;
    int32_t format, width, height, frames, fitted_w, fitted_h;
    int64_t taken_ms, thumbnail_n;
    uint64_t phash[8];
    mp_quality quality;
} wire_reply;

static inline size_t wire_align(size_t n)
{
    return (n + 63) / 64 * 64;
}

static inline size_t wire_view_bytes(const mp_view_spec *v)
{
    return (size_t)v->width * (size_t)v->height * 3;
}

#endif
