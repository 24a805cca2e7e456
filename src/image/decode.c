/* decode.c - the pool of decode workers and what is believed of their answers. See decode.h.
 *
 * `mutex` guards the list of idle children and the count of places in use (idle or lent); a lent
 * child belongs to the thread that took it. A child that failed in any way is ended and its place
 * freed; the next caller starts a fresh one. A death counts against the picture only if it happened
 * in a child that had served no other before: an earlier picture may have left damage behind, or
 * the system may have killed an idle child. */
#include "image/child.h"
#include "image/load.h"

#include "base/os.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mp_decoder {
    mp_decoder_options opt;
    char *path;
    pthread_mutex_t mutex;
    pthread_cond_t given_back;
    mp_child *idle;
    int places;
};

static const int64_t DEFAULT_MEMORY = (int64_t)1 << 30;

mp_err mp_decoder_open(mp_decoder **out, const mp_decoder_options *opt, mp_why *why)
{
    *out = NULL;
    if (!opt->decoder || opt->workers < 1 || opt->timeout_ms < 1 || opt->max_pixels < 1 ||
        opt->max_side < 1 || opt->memory_bytes < 0)
        return mp_fail(why, MP_INVALID, "a decoder needs a binary, a worker and limits");
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

void mp_decoder_close(mp_decoder *d)
{
    if (!d)
        return;
    while (d->idle) {
        mp_child *c = d->idle;
        d->idle = c->next;
        mp_child_end(c);
    }
    pthread_cond_destroy(&d->given_back);
    pthread_mutex_destroy(&d->mutex);
    free(d->path);
    free(d);
}

/* ---- lending ---- */

static void give_back(mp_decoder *d, mp_child *c) /* NULL: it has ended */
{
    pthread_mutex_lock(&d->mutex);
    if (c) {
        c->next = d->idle;
        d->idle = c;
    } else {
        d->places--;
    }
    pthread_cond_signal(&d->given_back);
    pthread_mutex_unlock(&d->mutex);
}

/* fresh: one that has served nobody yet. Children start outside the lock, side by side. */
static mp_err take_child(mp_decoder *d, bool fresh, mp_child **out, mp_why *why)
{
    mp_child *c = NULL;
    *out = NULL;
    pthread_mutex_lock(&d->mutex);
    while (!d->idle && d->places >= d->opt.workers)
        pthread_cond_wait(&d->given_back, &d->mutex);
    if (d->idle) {
        c = d->idle;
        d->idle = c->next;
    } else {
        d->places++;
    }
    pthread_mutex_unlock(&d->mutex);
    if (c && (!fresh || !c->served)) {
        *out = c;
        return MP_OK;
    }
    if (c)
        mp_child_end(c);
    mp_err err = mp_child_start(d->path, d->opt.memory_bytes, out, why);
    if (err)
        give_back(d, NULL);
    return err;
}

/* ---- results, none of them trusted ---- */

static bool sane_measures(const mp_quality *q)
{
    return q->sharpness >= 0 && isfinite(q->sharpness) && q->brightness >= 0 &&
           q->brightness <= 1 && q->contrast >= 0 && q->contrast <= 1 && q->entropy >= 0 &&
           q->entropy <= 8 && q->issues < 32;
}

static bool sane(const wire_reply *r, const mp_decode_spec *spec, const mp_decoder_options *opt)
{
    static const int64_t year_10000_ms = 253402300800000;
    bool size = r->width >= 1 && r->height >= 1 && r->width <= opt->max_side &&
                r->height <= opt->max_side && (int64_t)r->width * r->height <= opt->max_pixels &&
                r->frames >= 1;
    bool fitted = spec->fit_long_side == 0 ||
                  (r->fitted_w >= 1 && r->fitted_h >= 1 && r->fitted_w <= spec->fit_long_side &&
                   r->fitted_h <= spec->fit_long_side);
    bool thumbnail =
        spec->thumbnail == 0 || (r->thumbnail_n > 0 && r->thumbnail_n <= WIRE_MAX_THUMBNAIL);
    bool time = r->taken_ms > -year_10000_ms && r->taken_ms < year_10000_ms;
    return size && fitted && thumbnail && time && sane_measures(&r->quality) &&
           r->format > MP_FORMAT_NONE && r->format <= MP_PPM;
}

static mp_err copy_image(const uint8_t *from, int w, int h, mp_image *to, mp_why *why)
{
    mp_err err = mp_image_new(to, w, h, 3, why);
    if (!err)
        memcpy(to->px, from, (size_t)w * (size_t)h * 3);
    return err;
}

static mp_err take_thumbnail(const uint8_t *from, size_t n, mp_decoded *out, mp_why *why)
{
    out->thumbnail = mp_try_array(n, 1);
    if (!out->thumbnail)
        return mp_fail(why, MP_NOMEM, "no memory for a thumbnail");
    memcpy(out->thumbnail, from, n);
    out->thumbnail_n = n;
    /* It will be handed to browsers as WebP: it must at least be nothing else. */
    if (mp_sniff((mp_span){out->thumbnail, n}) != MP_WEBP)
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder answered nonsense");
    return MP_OK;
}

static mp_err take_results(const mp_child *c, const mp_decode_spec *spec, const wire_reply *r,
                           mp_decoded *out, mp_why *why)
{
    const uint8_t *at = c->shared;
    mp_err err = MP_OK;
    for (int i = 0; !err && i < spec->n_views; i++) {
        const mp_view_spec *v = &spec->view[i];
        err = copy_image(at, v->width, v->height, &out->view[i], why);
        at += wire_align(wire_view_bytes(v));
    }
    if (!err && spec->fit_long_side) {
        err = copy_image(at, r->fitted_w, r->fitted_h, &out->fitted, why);
        at += wire_align((size_t)r->fitted_w * (size_t)r->fitted_h * 3);
    }
    if (!err && spec->thumbnail)
        err = take_thumbnail(at, (size_t)r->thumbnail_n, out, why);
    out->format = (mp_format)r->format;
    out->width = r->width;
    out->height = r->height;
    out->frames = r->frames;
    out->taken_ms = r->taken_ms;
    out->quality = r->quality;
    memcpy(out->phash, r->phash, sizeof out->phash);
    out->exif = r->exif;
    mp_exif_clean(&out->exif);
    return err;
}

/* What a worker says of a picture is believed only as far as it harms that picture alone. */
static mp_err said_error(const wire_reply *r, mp_why *why)
{
    char text[sizeof r->why.text];
    for (size_t i = 0; i < sizeof text; i++) {
        unsigned char ch = (unsigned char)r->why.text[i];
        text[i] = ch != 0 && (ch < 0x20 || ch > 0x7e) ? '?' : (char)ch;
    }
    switch (r->err) {
    case MP_UNSUPPORTED:
    case MP_TOO_BIG:
    case MP_CORRUPT:
        return mp_fail(why, (mp_err)r->err, "%s", text);
    case MP_NOMEM:
        return mp_fail(why, MP_TOO_BIG, "%s", text);
    default:
        return mp_fail(why, MP_CORRUPT, "broken picture: %s", text);
    }
}

/* ---- requests ---- */

static bool possible_view(const mp_view_spec *v)
{
    bool size = v->width >= 1 && v->height >= 1 && v->width <= WIRE_MAX_VIEW_SIDE &&
                v->height <= WIRE_MAX_VIEW_SIDE;
    bool crop = v->fit == MP_FIT_CROP && v->short_side >= MP_MAX(v->width, v->height) &&
                v->short_side <= WIRE_MAX_VIEW_SIDE;
    return size && (crop || v->fit == MP_FIT_SQUASH) &&
           (v->filter == MP_BILINEAR || v->filter == MP_BICUBIC);
}

static mp_err check_spec(const mp_decode_spec *spec, mp_why *why)
{
    size_t need = WIRE_MAX_THUMBNAIL;
    if (spec->n_views < 0 || spec->n_views > MP_MAX_VIEWS || spec->fit_long_side < 0 ||
        spec->fit_long_side > WIRE_MAX_FITTED || spec->thumbnail < 0 ||
        spec->thumbnail > WIRE_MAX_FITTED ||
        (spec->header &&
         (spec->n_views || spec->analysis || spec->fit_long_side || spec->thumbnail)))
        return mp_fail(why, MP_INVALID, "no such decode request");
    need += wire_align((size_t)spec->fit_long_side * (size_t)spec->fit_long_side * 3);
    for (int i = 0; i < spec->n_views; i++) {
        if (!possible_view(&spec->view[i]))
            return mp_fail(why, MP_INVALID, "no such view");
        need += wire_align(wire_view_bytes(&spec->view[i]));
    }
    return need <= WIRE_SHARED ? MP_OK : mp_fail(why, MP_INVALID, "the views are too large");
}

/* *again: the child's death may not be the picture's fault. */
static mp_err try_once(mp_decoder *d, const wire_request *q, int fd, bool fresh, bool *again,
                       mp_decoded *out, mp_why *why)
{
    mp_child *c;
    wire_reply reply;
    *again = false;
    mp_err err = take_child(d, fresh, &c, why);
    if (err)
        return err;
    bool used = c->served > 0;
    mp_answer answer = mp_child_ask(c, q, fd, &reply, &err, why);
    if (answer == MP_ANSWERED && !reply.err && !sane(&reply, &q->spec, &d->opt)) {
        err = mp_fail(why, MP_CORRUPT, "broken picture: its decoder answered nonsense");
        answer = MP_DIED;
    }
    *again = answer == MP_DIED && used;
    if (answer == MP_ANSWERED) {
        err = reply.err ? said_error(&reply, why) : take_results(c, &q->spec, &reply, out, why);
        give_back(d, c);
    } else {
        mp_child_end(c);
        give_back(d, NULL);
    }
    if (err)
        mp_decoded_free(out);
    return err;
}

mp_err mp_decode_fd(mp_decoder *d, int fd, const mp_decode_spec *spec, mp_decoded *out, mp_why *why)
{
    struct stat st;
    bool again;
    *out = (mp_decoded){0};
    mp_err err = check_spec(spec, why);
    if (err)
        return err;
    if (fstat(fd, &st) != 0)
        return mp_fail_errno(why, errno, "cannot stat the picture");
    if (!S_ISREG(st.st_mode) || st.st_size < 1)
        return mp_fail(why, MP_UNSUPPORTED, st.st_size < 1 ? "the file is empty" : "not a picture");
    wire_request q = {.spec = *spec,
                      .max_pixels = d->opt.max_pixels,
                      .max_side = d->opt.max_side,
                      .bytes = st.st_size,
                      .timeout_ms = d->opt.timeout_ms};
    err = try_once(d, &q, fd, false, &again, out, why);
    if (again)
        err = try_once(d, &q, fd, true, &again, out, why);
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
