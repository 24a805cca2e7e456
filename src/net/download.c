/* download.c - tries, the redirects of each, and the file that they fill. See download.h. */
#include "net/download.h"

#include "net/hop.h"
#include "net/part.h"
#include "net/request.h"
#include "net/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 6, TRIES_IN_ALL = 1000, RETRY_AFTER_S = 120 };
static const int64_t MAX_BYTES = (int64_t)64 << 30;

/* One file on its way. */
typedef struct getting {
    const mp_download *d;
    const char *sha256; /* never NULL */
    mp_part part;
    int64_t total; /* 0: not known */
    bool anew;     /* what is there is no beginning of what the server has */
    bool spoilt;   /* nor of what is wanted */
    mp_why *why;
} getting;

static void tell(const getting *g)
{
    if (g->d->on_bytes)
        g->d->on_bytes(g->d->arg, g->part.bytes, g->total);
}

/* ---- the answer ---- */

static mp_err check_total(getting *g, int64_t total)
{
    int64_t most = g->d->max_bytes ? g->d->max_bytes : MAX_BYTES;
    if (total >= 0 && g->d->bytes && total != g->d->bytes)
        return mp_fail(g->why, MP_CORRUPT,
                       "it has %lld bytes there, and %lld are expected: it is another file",
                       (long long)total, (long long)g->d->bytes);
    if (total > most)
        return mp_fail(g->why, MP_TOO_BIG, "it has %lld bytes, over the limit of %lld",
                       (long long)total, (long long)most);
    if (total > 0)
        g->total = total;
    return MP_OK;
}

/* The head of a 2xx is there: where do the bytes that follow belong? */
static mp_err on_begin(void *arg, const mp_hop *hop)
{
    getting *g = arg;
    long long from = -1, to = -1, total = -1;
    if (hop->status == 206) {
        int n = sscanf(hop->range, "bytes %lld-%lld/%lld", &from, &to, &total);
        g->anew = n < 2 || from != g->part.bytes;
        return g->anew ? mp_fail(g->why, MP_IO, "the server sent another part than was asked for")
                       : check_total(g, total);
    }
    mp_err err = check_total(g, hop->length);
    return err ? err : mp_part_begin(&g->part, g->d->url, hop->version, g->sha256, g->why);
}

static mp_err on_data(void *arg, const void *data, size_t n)
{
    getting *g = arg;
    int64_t most = g->total ? g->total : g->d->max_bytes ? g->d->max_bytes : MAX_BYTES;
    g->spoilt = (int64_t)n > most - g->part.bytes;
    if (g->spoilt)
        return g->d->bytes
                   ? mp_fail(g->why, MP_CORRUPT, "more than %lld bytes came", (long long)most)
                   : mp_fail(g->why, MP_TOO_BIG, "more than %lld bytes came", (long long)most);
    mp_err err = mp_part_add(&g->part, data, n, g->why);
    if (!err)
        tell(g);
    return err;
}

/* ---- tries ---- */

/* A redirect has been followed, if it says where to. */
static mp_err judge(const mp_hop *hop, mp_why *why)
{
    mp_err err = mp_net_judge(hop->status, why);
    if (err != MP_UNSUPPORTED)
        return err;
    return mp_fail(why, err, "the server redirects (%d) and does not say where to", hop->status);
}

static mp_err one_try(getting *g, mp_hop *hop)
{
    char range[32];
    snprintf(range, sizeof range, "%lld-", (long long)g->part.bytes);
    *hop = (mp_hop){.d = g->d,
                    .ask_range = g->part.bytes ? range : NULL,
                    .ask_version = g->part.bytes ? g->part.version : "",
                    .on_begin = on_begin,
                    .on_data = on_data,
                    .arg = g,
                    .why = g->why};
    mp_err err = mp_hop_run(hop);
    if (hop->status == 416)
        g->anew = true;
    if (g->anew) { /* the next try asks for the whole */
        mp_err failed = mp_part_begin(&g->part, g->d->url, "", g->sha256, g->why);
        hop->again = !failed;
        err = failed ? failed : err;
        g->anew = false;
    }
    return err ? err : judge(hop, g->why);
}

static mp_err wait_for_next(getting *g, const mp_hop *hop, int idle)
{
    if (mp_net_pause(&g->d->stop, mp_net_wait_ms(idle, hop->retry_after_s)))
        return MP_OK;
    return mp_fail(g->why, MP_CANCELLED, "stopped");
}

static mp_err try_until_whole(getting *g, int *tries)
{
    int most = g->d->tries ? g->d->tries : TRIES, idle = 0;
    for (;;) {
        mp_hop hop;
        int64_t before = g->part.bytes;
        mp_err err = one_try(g, &hop);
        ++*tries;
        idle = g->part.bytes > before ? 1 : idle + 1;
        if (!err || !hop.again || idle >= most || *tries >= TRIES_IN_ALL ||
            hop.retry_after_s > RETRY_AFTER_S)
            return err;
        err = wait_for_next(g, &hop, idle);
        if (err)
            return err;
    }
}

/* ---- the whole ---- */

static mp_err check_whole(getting *g, mp_downloaded *out)
{
    mp_sha256 hash = g->part.hash;
    mp_sha256_end(&hash, out->sha256);
    out->bytes = g->part.bytes;
    g->spoilt = true;
    if (g->d->bytes && g->part.bytes != g->d->bytes)
        return mp_fail(g->why, MP_CORRUPT, "%lld bytes came, and %lld are expected",
                       (long long)g->part.bytes, (long long)g->d->bytes);
    if (*g->sha256 && strcmp(out->sha256, g->sha256) != 0)
        return mp_fail(g->why, MP_CORRUPT, "its SHA-256 is %s, and %s is expected", out->sha256,
                       g->sha256);
    return MP_OK;
}

static mp_err get(getting *g, mp_downloaded *out)
{
    mp_err err = mp_part_open(&g->part, g->d->file, g->d->url, g->sha256, &g->d->stop, g->why);
    if (err)
        return err;
    out->resumed = g->part.bytes;
    g->total = g->d->bytes;
    tell(g);
    if (!g->total || g->part.bytes < g->total)
        err = try_until_whole(g, &out->tries);
    if (!err)
        err = check_whole(g, out);
    if (err == MP_CORRUPT && g->spoilt)
        mp_part_drop(&g->part);
    return err ? err : mp_part_keep(&g->part, g->d->file, g->why);
}

mp_err mp_net_download(const mp_download *d, mp_downloaded *out, mp_why *why)
{
    getting g = {.d = d, .sha256 = d->sha256 ? d->sha256 : "", .why = why};
    *out = (mp_downloaded){0};
    mp_err err = get(&g, out);
    mp_part_close(&g.part);
    return err;
}

/* ---- what the server says of it ---- */

mp_err mp_net_facts(const mp_download *d, int64_t *bytes, char sha256[65], mp_why *why)
{
    int most = d->tries ? d->tries : TRIES;
    getting g = {.d = d, .why = why};
    mp_err err = MP_OK;
    *bytes = 0;
    *sha256 = '\0';
    for (int tries = 1; tries <= most; tries++) {
        mp_hop hop = {.d = d, .head = true, .why = why};
        err = mp_hop_run(&hop);
        if (!err && (hop.linked_bytes || *hop.linked_sha256 || hop.status / 100 == 2)) {
            *bytes = hop.linked_bytes ? hop.linked_bytes : MP_MAX(hop.length, 0);
            memcpy(sha256, hop.linked_sha256, sizeof hop.linked_sha256);
            return MP_OK;
        }
        if (!err && hop.status == 405) /* HEAD is not known there */
            return MP_OK;
        if (!err)
            err = judge(&hop, why);
        if (!hop.again || hop.retry_after_s > RETRY_AFTER_S || tries == most)
            break;
        mp_err stopped = wait_for_next(&g, &hop, tries);
        if (stopped)
            return stopped;
    }
    return err;
}
