/* station.c - see station.h. */
#include "station.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void need(mp_err err, const mp_why *why, const char *what)
{
    if (!err)
        return;
    fprintf(stderr, "quality_odd: %s: %s\n", what, why->text);
    exit(err == MP_NOT_FOUND ? 77 : 1);
}

void station_open(station *s)
{
    mp_why why;
    mp_decoder_options decoder = {.decoder = getenv("MAGPIE_DECODER"),
                                  .workers = 1,
                                  .timeout_ms = 10000,
                                  .max_pixels = 50000000,
                                  .max_side = 16384};
    mp_model_options model = {.models_dir = getenv("MAGPIE_MODELS")};
    if (!decoder.decoder || !model.models_dir) {
        fprintf(stderr, "quality_odd: MAGPIE_DECODER and MAGPIE_MODELS are not set\n");
        exit(77);
    }
    need(mp_model_open(&s->model, "lite", &model, &why), &why, "the lite model");
    need(mp_decoder_open(&s->decoder, &decoder, &why), &why, decoder.decoder);
    const mp_model_info *info = mp_model_get_info(s->model);
    s->look_view = info->space[MP_SPACE_LOOK].view;
    s->look_dims = info->space[MP_SPACE_LOOK].dims;
    s->texture_view = info->space[MP_SPACE_TEXTURE].view;
    s->texture_dims = info->space[MP_SPACE_TEXTURE].dims;
}

void station_close(station *s)
{
    mp_decoder_close(s->decoder);
    mp_model_close(s->model);
}

mp_image station_decode(const station *s, const char *path)
{
    mp_why why = {{0}};
    mp_decoded decoded = {0};
    mp_decode_spec spec = {.fit_long_side = 1024};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    need(mp_decode_fd(s->decoder, fd, &spec, &decoded, &why), &why, path);
    close(fd);
    mp_image picture = decoded.fitted;
    decoded.fitted = (mp_image){0};
    mp_decoded_free(&decoded);
    return picture;
}

static void grow(const station *s, vectors *v, size_t n)
{
    if (v->n + n <= v->room)
        return;
    v->room = MP_MAX(2 * v->room, v->n + n);
    v->look = mp_xrealloc(v->look, v->room * (size_t)s->look_dims * sizeof(float));
    v->texture = mp_xrealloc(v->texture, v->room * (size_t)s->texture_dims * sizeof(float));
}

static void encode_batch(const station *s, const mp_image *pictures, size_t n, vectors *to)
{
    mp_why why;
    mp_views views[MP_STATION_BATCH] = {{{0}}};
    mp_image look[MP_STATION_BATCH], texture[MP_STATION_BATCH];
    float *out[MP_SPACES] = {0};
    for (size_t i = 0; i < n; i++) {
        need(mp_view_make(&pictures[i], &s->look_view, &look[i], &why), &why, "a view");
        need(mp_view_make(&pictures[i], &s->texture_view, &texture[i], &why), &why, "a view");
        views[i].px[MP_SPACE_LOOK] = look[i].px;
        views[i].px[MP_SPACE_TEXTURE] = texture[i].px;
    }
    grow(s, to, n);
    out[MP_SPACE_LOOK] = to->look + to->n * (size_t)s->look_dims;
    out[MP_SPACE_TEXTURE] = to->texture + to->n * (size_t)s->texture_dims;
    need(mp_model_encode_images(s->model, views, n, 1u << MP_SPACE_LOOK | 1u << MP_SPACE_TEXTURE,
                                out, &why),
         &why, "encoding");
    to->n += n;
    for (size_t i = 0; i < n; i++) {
        mp_image_free(&look[i]);
        mp_image_free(&texture[i]);
    }
}

void station_encode(const station *s, const mp_image *pictures, size_t n, vectors *to)
{
    for (size_t i = 0; i < n; i += MP_STATION_BATCH)
        encode_batch(s, pictures + i, MP_MIN((size_t)MP_STATION_BATCH, n - i), to);
}

mp_patches station_patches(const station *s, const mp_image *picture)
{
    mp_why why;
    mp_image view;
    mp_patches patches;
    mp_view_spec squash = s->look_view;
    squash.fit = MP_FIT_SQUASH;
    need(mp_view_make(picture, &squash, &view, &why), &why, "a view");
    need(mp_model_patches(s->model, view.px, &patches, &why), &why, "patches");
    mp_image_free(&view);
    return patches;
}

void vectors_free(vectors *v)
{
    free(v->look);
    free(v->texture);
}
