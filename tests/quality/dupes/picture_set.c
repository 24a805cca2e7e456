/* picture_set.c - see picture_set.h. Two threads load; each picture is one thread's alone. */
#include "picture_set.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THUMBNAIL = 256, MAX_THREADS = 16 };

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "quality_dupes: %s: %s\n", what, why);
    return false;
}

/* ---- the list ---- */

static int transform_number(picture_set *s, const char *name)
{
    if (!strcmp(name, "original") || !strcmp(name, "distractor"))
        return -1;
    for (int i = 0; i < s->n_transforms; i++)
        if (!strcmp(s->transform[i], name))
            return i;
    if (s->n_transforms == MAX_TRANSFORMS)
        return -1;
    snprintf(s->transform[s->n_transforms], sizeof s->transform[0], "%s", name);
    return s->n_transforms++;
}

static bool read_line(picture_set *s, char *line)
{
    line[strcspn(line, "\r\n")] = 0;
    char *second = strrchr(line, ',');
    if (!second)
        return false;
    *second = 0;
    char *first = strrchr(line, ',');
    if (!first)
        return false;
    *first = 0;
    picture p = {.path = mp_xstrdup(line),
                 .origin = atoi(first + 1),
                 .transform = transform_number(s, second + 1)};
    s->p = mp_xrealloc(s->p, (s->n + 1) * sizeof *s->p);
    s->p[s->n++] = p;
    s->n_base += p.transform < 0;
    return true;
}

static bool read_truth(picture_set *s, const char *path)
{
    char line[8192];
    FILE *f = fopen(path, "r");
    if (!f)
        return complain(path, strerror(errno));
    bool ok = fgets(line, sizeof line, f) != NULL; /* the head */
    while (ok && fgets(line, sizeof line, f))
        ok = read_line(s, line);
    fclose(f);
    for (size_t i = 0; ok && i < s->n; i++)
        ok = (i < s->n_base) == (s->p[i].transform < 0);
    return ok && s->n ? true : complain(path, "not a list of pictures");
}

/* ---- models ---- */

static void open_models(picture_set *s)
{
    static const char *const ids[MAX_MODELS] = {"lite", "builtin"};
    mp_model_options opt = {.models_dir = getenv("MAGPIE_MODELS"), .threads = 1};
    for (int i = 0; i < MAX_MODELS; i++) {
        mp_why why;
        mp_model *m;
        if (mp_model_open(&m, ids[i], &opt, &why) != MP_OK) {
            printf("%s: left out: %s\n", ids[i], why.text);
            continue;
        }
        s->dims[s->n_models] = mp_model_get_info(m)->space[MP_SPACE_COPY].dims;
        s->model[s->n_models++] = m;
    }
}

/* ---- pictures ---- */

typedef struct loader {
    picture_set *s;
    mp_decoder *decoder;
    atomic_size_t next;
    atomic_bool failed;
} loader;

/* What the library compares is the thumbnail, with its own coding noise. */
static mp_err small_of(mp_decoder *d, const mp_decoded *from, mp_image *out, mp_why *why)
{
    mp_decode_spec spec = {.fit_long_side = THUMBNAIL};
    mp_decoded thumb = {0};
    mp_err err =
        mp_decode_bytes(d, (mp_span){from->thumbnail, from->thumbnail_n}, &spec, &thumb, why);
    if (!err)
        err = mp_to_grey(&thumb.fitted, out, why);
    mp_decoded_free(&thumb);
    return err;
}

static mp_err encode(const picture_set *s, size_t i, const mp_decoded *d, mp_why *why)
{
    mp_err err = MP_OK;
    for (int m = 0; !err && m < s->n_models; m++) {
        mp_views views = {{0}};
        float *out[MP_SPACES] = {0};
        views.px[MP_SPACE_COPY] = d->view[m].px;
        out[MP_SPACE_COPY] = s->vector[m] + i * (size_t)s->dims[m];
        err = mp_model_encode_images(s->model[m], &views, 1, 1u << MP_SPACE_COPY, out, why);
    }
    return err;
}

static mp_err load_picture(loader *l, size_t i, mp_why *why)
{
    picture *p = &l->s->p[i];
    mp_decode_spec spec = {.analysis = true, .thumbnail = THUMBNAIL, .n_views = l->s->n_models};
    mp_decoded d = {0};
    for (int m = 0; m < l->s->n_models; m++)
        spec.view[m] = mp_model_get_info(l->s->model[m])->space[MP_SPACE_COPY].view;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "open");
    mp_err err = mp_decode_fd(l->decoder, fd, &spec, &d, why);
    close(fd);
    if (!err) {
        memcpy(p->phash, d.phash, sizeof p->phash);
        err = small_of(l->decoder, &d, &p->small, why);
    }
    if (!err)
        err = encode(l->s, i, &d, why);
    mp_decoded_free(&d);
    return err;
}

static void *load_some(void *context)
{
    loader *l = context;
    for (size_t i; !atomic_load(&l->failed) && (i = atomic_fetch_add(&l->next, 1)) < l->s->n;) {
        mp_why why;
        if (load_picture(l, i, &why) != MP_OK) {
            complain(l->s->p[i].path, why.text);
            atomic_store(&l->failed, true);
        }
    }
    return NULL;
}

static bool load_pictures(picture_set *s, const char *decoder)
{
    loader l = {.s = s};
    int threads = MP_MIN(mp_cpu_count(), MAX_THREADS), started = 0;
    mp_decoder_options opt = {.decoder = decoder,
                              .workers = threads,
                              .timeout_ms = 30000,
                              .max_pixels = 50000000,
                              .max_side = 16384};
    pthread_t thread[MAX_THREADS];
    mp_why why;
    if (mp_decoder_open(&l.decoder, &opt, &why) != MP_OK)
        return complain(decoder, why.text);
    while (started < threads && pthread_create(&thread[started], NULL, load_some, &l) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    mp_decoder_close(l.decoder);
    return started > 0 && !atomic_load(&l.failed);
}

bool picture_set_load(picture_set *s, const char *truth_csv)
{
    const char *decoder = getenv("MAGPIE_DECODER");
    *s = (picture_set){0};
    if (!decoder)
        return complain("MAGPIE_DECODER", "is not set");
    if (!read_truth(s, truth_csv))
        return false;
    open_models(s);
    for (int m = 0; m < s->n_models; m++)
        s->vector[m] = mp_xcalloc(s->n * (size_t)s->dims[m], sizeof *s->vector[m]);
    return load_pictures(s, decoder);
}

void picture_set_free(picture_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->p[i].path);
        mp_image_free(&s->p[i].small);
    }
    free(s->p);
    for (int m = 0; m < s->n_models; m++) {
        free(s->vector[m]);
        mp_model_close(s->model[m]);
    }
    *s = (picture_set){0};
}
