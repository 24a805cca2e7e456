/* wire.h - what the pool and a decode worker say to each other.
 *
 * A SOCK_SEQPACKET pair; the worker's end is its descriptor 3. One message each way at a time:
 *
 *     parent                                  worker
 *     wire_hello + shared memory's descriptor
 *                                             (warms up, enters the sandbox)
 *                                             wire_ready
 *     wire_request + the picture's descriptor
 *                                             wire_reply            ... and so on, until the end
 *                                                                   of file on the socket
 *
 * The worker writes results into the shared memory (WIRE_SHARED bytes) in this order, each 64-byte
 * aligned: views, fitted picture, thumbnail. The parent trusts nothing of a reply: it computes all
 * places from its own request and checks the few numbers that the worker chose. */
#ifndef MP_WIRE_H
#define MP_WIRE_H

#include "image/decode.h"

enum {
    WIRE_FD = 3,
    WIRE_MAGIC = 0x4d505734, /* "MPW4": change it with the structs below */
    WIRE_SHARED = 16 * 1024 * 1024,
    WIRE_MAX_VIEW_SIDE = 1024,
    WIRE_MAX_FITTED = 1024,
    WIRE_MAX_THUMBNAIL = 4 * 1024 * 1024
};

typedef struct wire_hello {
    uint32_t magic, request_size; /* a binary of another version is noticed here */
    int64_t memory_bytes;
} wire_hello;

typedef struct wire_ready {
    uint32_t magic;
    int32_t err; /* why.text: what kept the worker from starting */
    mp_why why;
} wire_ready;

typedef struct wire_request {
    mp_decode_spec spec;
    int64_t max_pixels, bytes;
    int32_t max_side, timeout_ms;
} wire_request;

typedef struct wire_reply {
    int32_t err;
    mp_why why;
    int32_t format, width, height, frames, fitted_w, fitted_h;
    int64_t taken_ms, thumbnail_n;
    uint64_t phash[8];
    mp_quality quality;
    mp_exif exif;
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
