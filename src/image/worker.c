/* worker.c - the decode worker: one request at a time, results into shared memory. See wire.h. */
#include "image/load.h"
#include "image/sandbox.h"
#include "image/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* One message of exactly n bytes with one descriptor. False: the parent is gone. */
static bool receive(void *to, size_t n, int *fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {to, n};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    ssize_t got;
    do
        got = recvmsg(WIRE_FD, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    struct cmsghdr *c = got == (ssize_t)n ? CMSG_FIRSTHDR(&message) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return false;
    memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return true;
}

/* How many pixels the sides must keep when the JPEG decoder shrinks: twice what anyone asked for.
 */
static void needed_sides(const mp_decode_spec *spec, int *shortest, int *longest)
{
    *shortest = *longest = 0;
    for (int i = 0; i < spec->n_views; i++) {
        const mp_view_spec *v = &spec->view[i];
        int side = v->fit == MP_FIT_CROP ? v->short_side : MP_MAX(v->width, v->height);
        *shortest = MP_MAX(*shortest, 2 * side);
    }
    int whole = MP_MAX(spec->thumbnail, spec->fit_long_side);
    if (spec->analysis)
        whole = MP_MAX(whole, 256);
    *longest = 2 * whole;
}

/* Long side at most `side`, aspect kept, never enlarged. */
static mp_err fit(const mp_image *in, int side, mp_image *out, mp_why *why)
{
    int longest = MP_MAX(in->w, in->h);
    int w = in->w, h = in->h;
    if (longest > side) {
        w = MP_MAX((int)((int64_t)in->w * side / longest), 1);
        h = MP_MAX((int)((int64_t)in->h * side / longest), 1);
    }
    return mp_resize(in, w, h, MP_BICUBIC, out, why);
}

typedef struct results {
    uint8_t *shared;
    size_t at;
} results;

static void place(results *r, const void *data, size_t n)
{
    memcpy(r->shared + r->at, data, n);
    r->at += wire_align(n);
}

static mp_err make_views(const mp_image *im, const mp_decode_spec *spec, results *r, mp_why *why)
{
    for (int i = 0; i < spec->n_views; i++) {
        mp_image view;
        mp_err err = mp_view_make(im, &spec->view[i], &view, why);
        if (err)
            return err;
        place(r, view.px, wire_view_bytes(&spec->view[i]));
        mp_image_free(&view);
    }
    return MP_OK;
}

static mp_err make_fitted(const mp_image *im, const mp_decode_spec *spec, results *r,
                          wire_reply *reply)
{
    mp_image fitted;
    if (!spec->fit_long_side)
        return MP_OK;
    mp_err err = fit(im, spec->fit_long_side, &fitted, &reply->why);
    if (err)
        return err;
    reply->fitted_w = fitted.w;
    reply->fitted_h = fitted.h;
    place(r, fitted.px, (size_t)fitted.w * (size_t)fitted.h * 3);
    mp_image_free(&fitted);
    return MP_OK;
}

static mp_err make_thumbnail(const mp_image *im, const mp_decode_spec *spec, results *r,
                             wire_reply *reply)
{
    mp_image small;
    uint8_t *webp = NULL;
    size_t n = 0;
    if (!spec->thumbnail)
        return MP_OK;
    mp_err err = fit(im, spec->thumbnail, &small, &reply->why);
    if (err)
        return err;
    err = mp_encode_webp(&small, 80, &webp, &n, &reply->why);
    if (!err && n > WIRE_MAX_THUMBNAIL)
        err = mp_fail(&reply->why, MP_TOO_BIG, "the thumbnail has %zu bytes", n);
    if (!err) {
        reply->thumbnail_n = (int64_t)n;
        place(r, webp, n);
    }
    free(webp);
    mp_image_free(&small);
    return err;
}

static void tell(const mp_loaded *loaded, wire_reply *reply)
{
    reply->format = (int32_t)loaded->format;
    reply->width = loaded->width;
    reply->height = loaded->height;
    reply->frames = loaded->frames;
    reply->taken_ms = loaded->taken_ms;
}

static mp_err decode(mp_span bytes, const wire_request *q, uint8_t *shared, wire_reply *reply)
{
    mp_load_limits limits = {q->max_pixels, q->max_side};
    mp_loaded loaded;
    results r = {shared, 0};
    int shortest, longest;
    needed_sides(&q->spec, &shortest, &longest);
    mp_err err = q->spec.header ? mp_load_header(bytes, &limits, &loaded, &reply->exif, &reply->why)
                                : mp_load(bytes, &limits, shortest, longest, &loaded, &reply->why);
    if (err)
        return err;
    tell(&loaded, reply);
    if (q->spec.header)
        return MP_OK;
    err = make_views(&loaded.image, &q->spec, &r, &reply->why);
    if (!err)
        err = make_fitted(&loaded.image, &q->spec, &r, reply);
    if (!err)
        err = make_thumbnail(&loaded.image, &q->spec, &r, reply);
    if (!err && q->spec.analysis) {
        mp_phash8(&loaded.image, reply->phash);
        mp_quality_measure(&loaded.image, &reply->quality);
    }
    mp_image_free(&loaded.image);
    return err;
}

/* While a picture is being decoded nothing can happen on the socket but the parent's end of it
 * closing: then SIGIO, whose default action it is, ends us at once. (PR_SET_PDEATHSIG would fire
 * when the *thread* that started us ends, which is no reason to.) */
static void die_with_parent(bool on)
{
    fcntl(WIRE_FD, F_SETFL, on ? O_ASYNC : 0);
}

/* A backstop behind the parent's deadline. */
static void set_alarm(int ms)
{
    struct itimerval timer = {.it_value = {ms / 1000, (ms % 1000) * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static bool serve(const wire_request *q, int fd, uint8_t *shared)
{
    wire_reply reply = {0};
    size_t n = (size_t)q->bytes;
    void *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        reply.err = mp_fail_errno(&reply.why, errno, "cannot map the picture");
    } else {
        die_with_parent(true);
        set_alarm(q->timeout_ms + 5000);
        reply.err = (int32_t)decode((mp_span){map, n}, q, shared, &reply);
        set_alarm(0);
        die_with_parent(false);
        munmap(map, n);
    }
    close(fd);
    return send(WIRE_FD, &reply, sizeof reply, MSG_NOSIGNAL) == (ssize_t)sizeof reply;
}

/* Everything that needs files happens here, before the first picture. NULL: told the parent why. */
static uint8_t *start(void)
{
    wire_hello hello;
    wire_ready ready = {.magic = WIRE_MAGIC};
    int memory;
    void *shared = MAP_FAILED;
    if (!receive(&hello, sizeof hello, &memory) || hello.magic != WIRE_MAGIC ||
        hello.request_size != sizeof(wire_request))
        return NULL; /* another version's parent would not understand an answer */
    ready.err = (int32_t)mp_load_warm_up(&ready.why);
    if (!ready.err) {
        shared = mmap(NULL, WIRE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (shared == MAP_FAILED || fcntl(WIRE_FD, F_SETOWN, getpid()) != 0)
            ready.err = mp_fail_errno(&ready.why, errno, "cannot map shared memory");
    }
    close(memory);
    if (!ready.err)
        ready.err = (int32_t)mp_sandbox_enter(hello.memory_bytes, WIRE_FD, &ready.why);
    if (send(WIRE_FD, &ready, sizeof ready, MSG_NOSIGNAL) != (ssize_t)sizeof ready || ready.err)
        return NULL;
    return shared;
}

int mp_decode_worker_main(void)
{
    wire_request request;
    int fd;
    uint8_t *shared = start();
    if (!shared)
        return 1;
    while (receive(&request, sizeof request, &fd))
        if (!serve(&request, fd, shared))
            break;
    return 0;
}
