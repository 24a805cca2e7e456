/* decode.c - the pool of decode workers, seen from the parent. See decode.h and wire.h.
 *
 * `mutex` guards the list of idle workers and the count of started ones; a worker in use belongs to
 * the thread that took it. A worker that failed in any way is killed, reaped by its pid and
 * forgotten; the next caller starts a fresh one. */
#include "image/decode.h"

#include "base/os.h"
#include "image/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct worker {
    pid_t pid;
    int sock, memory; /* memory: -1 once it has been sent */
    uint8_t *shared;
    struct worker *next;
} worker;

struct mp_decoder {
    mp_decoder_options opt;
    char *path;
    pthread_mutex_t mutex;
    pthread_cond_t given_back;
    worker *idle;
    int started;
};

static const int64_t DEFAULT_MEMORY = (int64_t)1 << 30;

mp_err mp_decoder_open(mp_decoder **out, const mp_decoder_options *opt, mp_why *why)
{
    *out = NULL;
    if (!opt->decoder || opt->workers < 1 || opt->timeout_ms < 1)
        return mp_fail(why, MP_INVALID, "a decoder needs a binary, a worker and a deadline");
    mp_decoder *d = mp_xcalloc(1, sizeof *d);
    d->opt = *opt;
    d->path = mp_xstrdup(opt->decoder);
    if (!d->opt.memory_bytes)
        d->opt.memory_bytes = DEFAULT_MEMORY;
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->given_back, NULL);
    *out = d;
    return MP_OK;
}

/* ---- a worker's life ---- */

static void worker_free(worker *w)
{
    if (w->shared)
        munmap(w->shared, WIRE_SHARED);
    if (w->memory >= 0)
        close(w->memory);
    if (w->sock >= 0)
        close(w->sock);
    free(w);
}

/* Kills and reaps; returns the wait status. */
static int worker_end(worker *w, bool kill_it)
{
    int status = 0;
    if (kill_it)
        kill(w->pid, SIGKILL);
    close(w->sock);
    w->sock = -1;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    worker_free(w);
    return status;
}

/* The child gets descriptors 0 to 3 and nothing else of ours, a group of its own (Ctrl-C is for the
 * parent to handle) and default signals. */
static mp_err spawn(const char *path, int child_sock, pid_t *pid, mp_why *why)
{
    char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "decode-worker", NULL};
    static char locale[] = "LC_ALL=C", vectors[] = "VIPS_WARNING=0";
    char *const env[] = {locale, vectors, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    /* Standard streams first: the socket may itself be one of the low numbers. */
    int code = posix_spawn_file_actions_adddup2(&files, child_sock, WIRE_FD);
    for (int fd = 0; code == 0 && fd < WIRE_FD; fd++)
        code = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(&files, WIRE_FD + 1);
    if (code == 0)
        code = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    if (code == 0)
        code = posix_spawn(pid, path, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return code == 0 ? MP_OK
                     : mp_fail(why, MP_INTERNAL, "cannot start the decoder %s: %s", path,
                               strerrordesc_np(code));
}

static mp_err worker_start(const mp_decoder *d, worker **out, mp_why *why)
{
    int pair[2] = {-1, -1};
    worker *w = mp_xcalloc(1, sizeof *w);
    *w = (worker){.sock = -1};
    *out = NULL;
    w->memory = memfd_create("magpie-pixels", MFD_CLOEXEC);
    mp_err err = MP_OK;
    if (w->memory < 0 || ftruncate(w->memory, WIRE_SHARED) != 0)
        err = mp_fail_errno(why, errno, "no shared memory for decoding");
    void *map = err ? MAP_FAILED
                    : mmap(NULL, WIRE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, w->memory, 0);
    if (!err && map == MAP_FAILED)
        err = mp_fail_errno(why, errno, "no shared memory for decoding");
    if (map != MAP_FAILED)
        w->shared = map;
    if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        err = mp_fail_errno(why, errno, "no socket for decoding");
    if (!err && pair[1] <= WIRE_FD) { /* out of the way of the child's own numbers */
        int moved = fcntl(pair[1], F_DUPFD_CLOEXEC, WIRE_FD + 1);
        close(pair[1]);
        pair[1] = moved;
    }
    w->sock = pair[0];
    if (!err)
        err = spawn(d->path, pair[1], &w->pid, why);
    if (pair[1] >= 0)
        close(pair[1]);
    if (err) {
        worker_free(w);
        return err;
    }
    *out = w;
    return MP_OK;
}

static mp_err take_worker(mp_decoder *d, worker **out, mp_why *why)
{
    *out = NULL;
    pthread_mutex_lock(&d->mutex);
    while (!d->idle && d->started >= d->opt.workers)
        pthread_cond_wait(&d->given_back, &d->mutex);
    if (d->idle) {
        *out = d->idle;
        d->idle = d->idle->next;
    } else {
        d->started++;
    }
    pthread_mutex_unlock(&d->mutex);
    if (*out)
        return MP_OK;
    mp_err err = worker_start(d, out, why);
    if (err) {
        pthread_mutex_lock(&d->mutex);
        d->started--;
        pthread_cond_signal(&d->given_back);
        pthread_mutex_unlock(&d->mutex);
    }
    return err;
}

static void give_back(mp_decoder *d, worker *w) /* NULL: it has ended */
{
    pthread_mutex_lock(&d->mutex);
    if (w) {
        w->next = d->idle;
        d->idle = w;
    } else {
        d->started--;
    }
    pthread_cond_signal(&d->given_back);
    pthread_mutex_unlock(&d->mutex);
}

/* ---- one request ---- */

static bool send_request(worker *w, const wire_request *q, int fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    int fds[2] = {fd, w->memory};
    size_t n = w->memory >= 0 ? 2 : 1;
    struct iovec part = {(void *)(uintptr_t)q, sizeof *q};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    ssize_t sent;
    do
        sent = sendmsg(w->sock, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)sizeof *q && w->memory >= 0) {
        close(w->memory);
        w->memory = -1;
    }
    return sent == (ssize_t)sizeof *q;
}

typedef enum heard { HEARD, LATE, DEAD } heard;

static heard receive_reply(worker *w, int timeout_ms, wire_reply *reply)
{
    double until = mp_monotonic_s() + timeout_ms / 1000.0;
    for (;;) {
        double left = until - mp_monotonic_s();
        struct pollfd p = {.fd = w->sock, .events = POLLIN};
        if (left <= 0)
            return LATE;
        int ready = poll(&p, 1, (int)(left * 1000) + 1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return LATE;
        ssize_t n = recv(w->sock, reply, sizeof *reply, 0);
        if (n < 0 && errno == EINTR)
            continue;
        reply->why.text[sizeof reply->why.text - 1] = '\0';
        return n == (ssize_t)sizeof *reply ? HEARD : DEAD;
    }
}

static mp_err explain_death(int status, mp_why *why)
{
    if (WIFSIGNALED(status))
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder died of signal %d (%s)",
                       WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    return mp_fail(why, MP_CORRUPT, "broken picture: its decoder ended with %d",
                   WEXITSTATUS(status));
}

/* ---- results, none of them trusted ---- */

static mp_err copy_image(const uint8_t *from, int w, int h, mp_image *to, mp_why *why)
{
    mp_err err = mp_image_new(to, w, h, 3, why);
    if (!err)
        memcpy(to->px, from, (size_t)w * (size_t)h * 3);
    return err;
}

static bool sane(const wire_reply *r, const mp_decode_spec *spec, const mp_decoder_options *opt)
{
    bool size = r->width >= 1 && r->height >= 1 && r->width <= opt->max_side &&
                r->height <= opt->max_side &&
                (int64_t)r->width * r->height <= opt->max_pixels && r->frames >= 1;
    bool fitted = spec->fit_long_side == 0 ||
                  (r->fitted_w >= 1 && r->fitted_h >= 1 && r->fitted_w <= spec->fit_long_side &&
                   r->fitted_h <= spec->fit_long_side);
    bool thumbnail = spec->thumbnail == 0 ||
                     (r->thumbnail_n > 0 && r->thumbnail_n <= WIRE_MAX_THUMBNAIL);
    return size && fitted && thumbnail && r->format > MP_FORMAT_NONE && r->format <= MP_PPM;
}

static mp_err take_results(const worker *w, const mp_decode_spec *spec, const wire_reply *r,
                           mp_decoded *out, mp_why *why)
{
    size_t at = 0;
    mp_err err = MP_OK;
    for (int i = 0; !err && i < spec->n_views; i++) {
        err = copy_image(w->shared + at, spec->view[i].width, spec->view[i].height, &out->view[i],
                         why);
        at += wire_align(wire_view_bytes(&spec->view[i]));
    }
    if (!err && spec->fit_long_side) {
        err = copy_image(w->shared + at, r->fitted_w, r->fitted_h, &out->fitted, why);
        at += wire_align((size_t)r->fitted_w * (size_t)r->fitted_h * 3);
    }
    if (!err && spec->thumbnail) {
        out->thumbnail = mp_try_array((size_t)r->thumbnail_n, 1);
        if (!out->thumbnail)
            return mp_fail(why, MP_NOMEM, "no memory for a thumbnail");
        memcpy(out->thumbnail, w->shared + at, (size_t)r->thumbnail_n);
        out->thumbnail_n = (size_t)r->thumbnail_n;
    }
    out->format = (mp_format)r->format;
    out->width = r->width;
    out->height = r->height;
    out->frames = r->frames;
    out->taken_ms = r->taken_ms;
    out->quality = r->quality;
    memcpy(out->phash, r->phash, sizeof out->phash);
    return err;
}

static mp_err check_spec(const mp_decode_spec *spec, mp_why *why)
{
    size_t need = wire_align((size_t)spec->fit_long_side * (size_t)spec->fit_long_side * 3) +
                  WIRE_MAX_THUMBNAIL;
    if (spec->n_views < 0 || spec->n_views > MP_MAX_VIEWS || spec->fit_long_side < 0 ||
        spec->fit_long_side > WIRE_MAX_FITTED || spec->thumbnail < 0 ||
        spec->thumbnail > WIRE_MAX_FITTED)
        return mp_fail(why, MP_INVALID, "no such decode request");
    for (int i = 0; i < spec->n_views; i++) {
        const mp_view_spec *v = &spec->view[i];
        bool crop = v->fit == MP_FIT_CROP;
        if (v->width < 1 || v->height < 1 || v->width > WIRE_MAX_VIEW_SIDE ||
            v->height > WIRE_MAX_VIEW_SIDE ||
            (crop && (v->short_side < MP_MAX(v->width, v->height) ||
                      v->short_side > WIRE_MAX_VIEW_SIDE)))
            return mp_fail(why, MP_INVALID, "no such view");
        need += wire_align(wire_view_bytes(v));
    }
    return need <= WIRE_SHARED ? MP_OK : mp_fail(why, MP_INVALID, "the views are too large");
}

/* What a worker says of a picture is believed only as far as it harms the picture alone. */
static mp_err said_error(const wire_reply *r, mp_why *why)
{
    switch (r->err) {
    case MP_UNSUPPORTED:
    case MP_TOO_BIG:
    case MP_CORRUPT:
    case MP_NOMEM:
        return mp_fail(why, r->err == MP_NOMEM ? MP_TOO_BIG : (mp_err)r->err, "%s", r->why.text);
    default:
        return mp_fail(why, MP_CORRUPT, "broken picture: %s", r->why.text);
    }
}

static mp_err run(mp_decoder *d, worker *w, const wire_request *q, int fd, mp_decoded *out,
                  bool *alive, mp_why *why)
{
    wire_reply reply;
    *alive = false;
    heard result = send_request(w, q, fd) ? receive_reply(w, q->timeout_ms, &reply) : DEAD;
    if (result == LATE) {
        worker_end(w, true);
        return mp_fail(why, MP_TIMEOUT, "decoding took longer than %d ms", q->timeout_ms);
    }
    if (result == DEAD)
        return explain_death(worker_end(w, false), why);
    if (!reply.err && !sane(&reply, &q->spec, &d->opt)) {
        worker_end(w, true);
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder answered nonsense");
    }
    *alive = true;
    return reply.err ? said_error(&reply, why) : take_results(w, &q->spec, &reply, out, why);
}

mp_err mp_decode_fd(mp_decoder *d, int fd, const mp_decode_spec *spec, mp_decoded *out,
                    mp_why *why)
{
    struct stat st;
    worker *w;
    bool alive;
    *out = (mp_decoded){0};
    mp_err err = check_spec(spec, why);
    if (err)
        return err;
    if (fstat(fd, &st) != 0)
        return mp_fail_errno(why, errno, "cannot stat the picture");
    if (!S_ISREG(st.st_mode) || st.st_size < 1)
        return mp_fail(why, MP_UNSUPPORTED, "not a picture");
    wire_request q = {.spec = *spec,
                      .max_pixels = d->opt.max_pixels,
                      .max_side = d->opt.max_side,
                      .bytes = st.st_size,
                      .memory_bytes = d->opt.memory_bytes,
                      .timeout_ms = d->opt.timeout_ms};
    err = take_worker(d, &w, why);
    if (err)
        return err;
    err = run(d, w, &q, fd, out, &alive, why);
    give_back(d, alive ? w : NULL);
    if (err)
        mp_decoded_free(out);
    return err;
}

mp_err mp_decode_bytes(mp_decoder *d, mp_span bytes, const mp_decode_spec *spec, mp_decoded *out,
                       mp_why *why)
{
    *out = (mp_decoded){0};
    int fd = memfd_create("magpie-picture", MFD_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "no memory file for the picture");
    mp_err err = mp_write_all(fd, bytes.p, bytes.n, "a memory file", why);
    if (!err)
        err = mp_decode_fd(d, fd, spec, out, why);
    close(fd);
    return err;
}

void mp_decoded_free(mp_decoded *d)
{
    for (int i = 0; i < MP_MAX_VIEWS; i++)
        mp_image_free(&d->view[i]);
    mp_image_free(&d->fitted);
    free(d->thumbnail);
    *d = (mp_decoded){0};
}

void mp_decoder_close(mp_decoder *d)
{
    if (!d)
        return;
    while (d->idle) {
        worker *w = d->idle;
        d->idle = w->next;
        worker_end(w, true);
    }
    pthread_cond_destroy(&d->given_back);
    pthread_mutex_destroy(&d->mutex);
    free(d->path);
    free(d);
}
