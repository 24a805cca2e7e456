/* download.h - a large file that the operator wants, from a place of the operator's choice: kept in
 * part where it broke off, gone on with by the next try or the next run, and checked as it comes.
 *
 * The address policy of net.h does not hold, proxies of the environment are used. Redirects are
 * followed, at most 5 in a row and never from https to http. What has come lies in FILE.part
 * (part.h); FILE itself appears when its size and SHA-256 are right, and its bytes are durable.
 *
 * Asked with Range and, where the server named the version that the part is of, If-Range. A server
 * that answers with the whole file, or with another version, makes it begin anew. */
#ifndef MP_NET_DOWNLOAD_H
#define MP_NET_DOWNLOAD_H

#include "net/net.h"

typedef struct mp_download {
    const char *url;
    const char *file;   /* where it goes; its folder must be there */
    int64_t bytes;      /* that it must have; 0: not known */
    const char *sha256; /* that it must have, lower-case hex; "" or NULL: not known */
    int64_t max_bytes;  /* where `bytes` is not known; 0: 64 GiB */
    int connect_ms;     /* 0: 10 s */
    int stall_s;        /* a try with fewer than 1,000 bytes a second for so long; 0: 30 s */
    int tries;          /* in a row that bring nothing; 0: 6 */
    mp_net_stop stop;
    /* How many bytes are there, of how many (0: not known); from the caller's thread. */
    void (*on_bytes)(void *arg, int64_t done, int64_t total);
    void *arg;
} mp_download;

typedef struct mp_downloaded {
    int64_t bytes, resumed; /* of the whole, and of the part that was there before this call */
    char sha256[65];
    int tries;
} mp_downloaded;

/* A place that has a file of another size is left before anything is lost; what came is removed
 * only when the whole, or too much, is there and wrong.
 *
 * Tries are repeated as in request.h, and after connections that broke off or stalled; one that
 * brought something is not counted. Retry-After is heeded up to two minutes.
 * Errors: CORRUPT (size or SHA-256; both are told), NOT_FOUND, BUSY, IO,
 * TIMEOUT, FULL, UNSUPPORTED (a redirect that is not followed), INVALID (URL), TOO_BIG, CANCELLED.
 * After all but CORRUPT what came is kept for the next call. */
MP_CHECK mp_err mp_net_download(const mp_download *d, mp_downloaded *out, mp_why *why);

/* What the server itself says of the file, by HEAD: bytes (0: not said) and SHA-256 ("": not said).
 * Hubs that keep large files by their hash say both before they redirect: X-Linked-Size and
 * X-Linked-ETag. Errors: as above. */
MP_CHECK mp_err mp_net_facts(const mp_download *d, int64_t *bytes, char sha256[65], mp_why *why);

#endif
