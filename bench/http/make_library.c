/* make_library.c - a large library without a picture: rows and vectors go in by the metadata port.
 *
 *     http_library LIBRARY ITEMS [PROJECT]     the library is made where there is none
 *
 * The vectors are clusters in a low-dimensional subspace with a little noise, as in bench/index: a
 * graph over uniform noise would measure nothing that happens. Only the space of look-alikes is
 * filled. At the end the index is built and its snapshot written, so that who opens the library
 * next has only to load it. */
#include "core/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, CENTRES = 400, INTRINSIC = 48, TAGS = 40 };

typedef struct maker {
    mp_rng rng;
    size_t dims;
    float *basis, *centre;
    float *vectors; /* of a batch */
    mp_put *puts;
    mp_vector *vector;
    char (*name)[32];
    const char *tags[TAGS];
    int64_t project;
    mp_vector_key key;
} maker;

static void fill(float *to, size_t n, mp_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)mp_rng_gauss(rng);
}

static void open_maker(maker *k, const mp_model *model, int64_t project)
{
    static char words[TAGS][16];
    k->rng = (mp_rng){11};
    k->key = mp_core_key(model, MP_SPACE_LOOK);
    k->dims = (size_t)k->key.dims;
    k->project = project;
    k->basis = mp_xcalloc(INTRINSIC * k->dims, sizeof(float));
    k->centre = mp_xcalloc((size_t)CENTRES * INTRINSIC, sizeof(float));
    k->vectors = mp_xcalloc(BATCH * k->dims, sizeof(float));
    k->puts = mp_xcalloc(BATCH, sizeof *k->puts);
    k->vector = mp_xcalloc(BATCH, sizeof *k->vector);
    k->name = mp_xcalloc(BATCH, sizeof *k->name);
    fill(k->basis, INTRINSIC * k->dims, &k->rng);
    fill(k->centre, (size_t)CENTRES * INTRINSIC, &k->rng);
    for (size_t i = 0; i < TAGS; i++) {
        snprintf(words[i], sizeof words[i], "tag%zu", i);
        k->tags[i] = words[i];
    }
}

static void close_maker(maker *k)
{
    free(k->basis);
    free(k->centre);
    free(k->vectors);
    free(k->puts);
    free(k->vector);
    free(k->name);
}

static void make_vector(maker *k, float *to)
{
    const float *c = k->centre + (mp_rng_u64(&k->rng) % CENTRES) * INTRINSIC;
    double sum = 0;
    for (size_t d = 0; d < k->dims; d++)
        to[d] = 0.4f * (float)mp_rng_gauss(&k->rng);
    for (size_t i = 0; i < INTRINSIC; i++) {
        float low = c[i] + 0.8f * (float)mp_rng_gauss(&k->rng);
        for (size_t d = 0; d < k->dims; d++)
            to[d] += low * k->basis[i * k->dims + d];
    }
    for (size_t d = 0; d < k->dims; d++)
        sum += (double)to[d] * to[d];
    for (size_t d = 0; d < k->dims; d++)
        to[d] = (float)(to[d] / sqrt(sum));
}

/* What a photograph's row holds. */
static void make_item(maker *k, size_t at, size_t number)
{
    float *v = k->vectors + at * k->dims;
    snprintf(k->name[at], sizeof k->name[at], "photo-%06zu.jpg", number);
    make_vector(k, v);
    k->vector[at] = (mp_vector){.model = k->key.model,
                                .model_sha256 = k->key.model_sha256,
                                .space = k->key.space,
                                .dims = k->key.dims,
                                .data = v};
    mp_item item = {.project_id = k->project,
                    .copied = true,
                    .path = "",
                    .name = k->name[at],
                    .title = "",
                    .description = "",
                    .format = "jpeg",
                    .width = 1024,
                    .height = 768,
                    .frames = 1,
                    .bytes = 200000,
                    .added_ms = mp_now_ms(),
                    .sharpness = 120.5f,
                    .brightness = 0.5f,
                    .contrast = 0.25f,
                    .entropy = 7.5f,
                    .tags = &k->tags[number % (TAGS - 2)],
                    .n_tags = 2};
    for (size_t i = 0; i < sizeof item.sha256; i++)
        item.sha256[i] = (uint8_t)mp_rng_u64(&k->rng);
    for (size_t i = 0; i < MP_COUNT(item.phash); i++)
        item.phash[i] = mp_rng_u64(&k->rng);
    k->puts[at] = (mp_put){.item = item, .vectors = &k->vector[at], .n_vectors = 1};
}

static mp_err put_all(magpie *m, maker *k, size_t items, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t done = 0, n; !err && done < items; done += n) {
        n = MP_MIN((size_t)BATCH, items - done);
        for (size_t i = 0; i < n; i++)
            make_item(k, i, done + i);
        err = mp_meta_put_items(m->meta, k->puts, n, why);
    }
    return err;
}

static mp_err make(magpie *m, size_t items, int64_t project, mp_why *why)
{
    maker k = {0};
    mp_model *model;
    mp_index *index;
    mp_err err = mp_core_model(m, &model, why);
    if (err)
        return err;
    open_maker(&k, model, project);
    err = put_all(m, &k, items, why);
    if (!err)
        err = mp_core_index(m, NULL, MP_SPACE_LOOK, NULL, NULL, &index, why);
    close_maker(&k);
    return err;
}

int main(int argc, char **argv)
{
    magpie *m = NULL;
    magpie_why why = {0};
    size_t items = argc >= 3 ? strtoul(argv[2], NULL, 10) : 0;
    int64_t project = argc == 4 ? strtoll(argv[3], NULL, 10) : 1;
    if (argc > 4 || !items || project < 1) {
        fprintf(stderr, "usage: http_library LIBRARY ITEMS [PROJECT]\n");
        return 2;
    }
    magpie_options opt = {.library = argv[1], .create = true};
    magpie_err err = magpie_open(&m, &opt, &why);
    if (!err)
        err = OUTER(make(m, items, project, INNER(&why)));
    if (err)
        fprintf(stderr, "http_library: %s\n", why.text);
    magpie_close(m); /* writes the snapshot */
    return err ? 1 : 0;
}
