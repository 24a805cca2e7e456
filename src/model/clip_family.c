/* clip_family.c - CLIP models as installed: a folder with a manifest, safetensors and the words'
 * vocabulary. clip.h computes.
 *
 * Pictures and words share one space, so WORD and COPY are LOOK under other names: one forward pass
 * and one vector for each picture. SENTENCE is the text tower again. */
#include "model/family.h"

#include "model/bpe.h"
#include "model/checked.h"
#include "model/clip.h"
#include "model/manifest.h"
#include "model/qualify.h"

#include "base/os.h"
#include "simd/distance.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of B/32 as trained by OpenAI, on published vectors: of 500 captions the right picture is below
 * 0.23 for 1 in 500, a wrong one above it for 1 in 8; of pairs of unlike pictures 1 in 10 is above
 * 0.75, none above 0.94. */
static const float WORD_FLOOR = 0.23f, LOOK_FLOOR = 0.75f, COPY_FLOOR = 0.93f;

typedef struct clip_model {
    mp_manifest manifest;
    mp_clip_shape shape;
    mp_tensors *weights;
    mp_clip *clip;
    mp_bpe *words;
    int threads;
} clip_model;

/* ---- what is known of one ---- */

/* Manifests whose strings an mp_model_info may point at; they stay for the process's life. */
typedef struct known {
    mp_manifest manifest;
    struct known *next;
} known;

static const mp_manifest *keep_manifest(const mp_manifest *m)
{
    static known *all;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    known *k = all;
    while (k && (strcmp(k->manifest.id, m->id) != 0 || strcmp(k->manifest.sha256, m->sha256) != 0))
        k = k->next;
    if (!k) {
        k = mp_xcalloc(1, sizeof *k);
        k->manifest = *m;
        k->next = all;
        all = k;
    }
    pthread_mutex_unlock(&mutex);
    return &k->manifest;
}

static void fill_info(mp_model_info *info, const mp_manifest *m)
{
    const mp_manifest_architecture *a = &m->architecture;
    const mp_view_spec crop = {.width = a->side,
                               .height = a->side,
                               .fit = MP_FIT_CROP,
                               .short_side = a->side,
                               .filter = MP_BICUBIC};
    const mp_manifest *kept = keep_manifest(m);
    *info = (mp_model_info){
        .id = kept->id, .sha256 = kept->sha256, .about = kept->about, .licence = kept->licence};
    info->space[MP_SPACE_LOOK] =
        (mp_space_info){.dims = a->dims, .eager = true, .floor = LOOK_FLOOR, .view = crop};
    info->space[MP_SPACE_WORD] =
        (mp_space_info){.dims = a->dims, .is_look = true, .floor = WORD_FLOOR, .view = crop};
    info->space[MP_SPACE_COPY] =
        (mp_space_info){.dims = a->dims, .is_look = true, .floor = COPY_FLOOR, .view = crop};
    info->space[MP_SPACE_SENTENCE] = (mp_space_info){.dims = a->dims};
}

static bool installed(const char *folder, mp_model_info *info)
{
    mp_manifest m;
    if (!mp_manifest_check(folder, NULL) || mp_manifest_load(&m, folder, NULL) ||
        strcmp(m.family, "clip") != 0)
        return false;
    fill_info(info, &m);
    return true;
}

/* ---- opening ---- */

static mp_clip_shape shape_of(const mp_manifest_architecture *a)
{
    mp_clip_shape s = {.side = a->side,
                       .patch = a->patch,
                       .image_width = a->image.width,
                       .image_layers = a->image.layers,
                       .image_heads = a->image.heads,
                       .image_hidden = a->image.hidden,
                       .text_width = a->text.width,
                       .text_layers = a->text.layers,
                       .text_heads = a->text.heads,
                       .text_hidden = a->text.hidden,
                       .vocabulary = a->vocabulary,
                       .dims = a->dims,
                       .activation =
                           strcmp(a->activation, "quick_gelu") == 0 ? MP_QUICK_GELU : MP_GELU};
    memcpy(s.mean, a->mean, sizeof s.mean);
    memcpy(s.deviation, a->deviation, sizeof s.deviation);
    return s;
}

static void close_clip(void *self)
{
    clip_model *m = self;
    mp_clip_close(m->clip);
    mp_bpe_close(m->words);
    mp_tensors_close(m->weights);
    free(m);
}

/* news: their files were not read before. */
static mp_err open_parts(clip_model *m, const char *folder, mp_precision_choice wanted, bool news,
                         mp_why *why)
{
    char path[PATH_MAX];
    mp_qualified how = mp_precision_for(folder, m->manifest.sha256, wanted);
    m->shape = shape_of(&m->manifest.architecture);
    snprintf(path, sizeof path, "%s/%s", folder, m->manifest.weights);
    mp_err err = mp_tensors_open(&m->weights, path, why);
    if (!err && news)
        err = mp_tensors_check(m->weights, why);
    if (!err)
        err = mp_clip_open(&m->clip, m->weights, &m->shape, how.image, how.text, why);
    if (!err)
        err = mp_bpe_open(&m->words, folder, why);
    if (!err && mp_bpe_tokens(m->words) != m->shape.vocabulary)
        err = mp_fail(why, MP_CORRUPT, "the vocabulary has %d tokens, the weights %d",
                      mp_bpe_tokens(m->words), m->shape.vocabulary);
    return err;
}

static mp_err open_clip(void **self, const char *folder, const mp_model_options *opt,
                        mp_model_info *info, mp_why *why)
{
    clip_model *m = mp_xcalloc(1, sizeof *m);
    *self = NULL;
    m->threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    mp_checked files;
    mp_err err = mp_manifest_load(&m->manifest, folder, why);
    if (!err)
        err = mp_checked_look(&files, folder, &m->manifest, why);
    if (!err)
        err = open_parts(m, folder, opt->precision, files.news, why);
    if (err) {
        close_clip(m);
        return err;
    }
    mp_checked_keep(&files, folder, &m->manifest);
    fill_info(info, &m->manifest);
    *self = m;
    return MP_OK;
}

/* ---- pictures ---- */

/* One pass serves every space that was asked for. */
static mp_err images(void *self, const mp_views *views, size_t n, uint32_t mask,
                     float *const out[MP_SPACES], mp_why *why)
{
    clip_model *m = self;
    int first = 0;
    while (!(mask & (1u << first)))
        first++;
    const uint8_t **px = mp_try_array(n, sizeof *px);
    if (!px)
        return mp_fail(why, MP_NOMEM, "no memory for %zu pictures", n);
    for (size_t i = 0; i < n; i++)
        px[i] = views[i].px[first];
    mp_err err = mp_clip_images(m->clip, px, n, m->threads, out[first], why);
    for (int s = first + 1; !err && s < MP_SPACES; s++)
        if (mask & (1u << s))
            memcpy(out[s], out[first], n * (size_t)m->shape.dims * sizeof(float));
    free(px);
    return err;
}

static mp_err patches(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    clip_model *m = self;
    int grid = m->shape.side / m->shape.patch, dims = m->shape.image_width;
    size_t row = (size_t)dims, rows = (size_t)grid * (size_t)grid;
    float *v = mp_try_array((rows + 1) * row, sizeof *v);
    mp_err err = v ? mp_clip_probe_image(m->clip, look_px, m->shape.image_layers, v, why)
                   : mp_fail(why, MP_NOMEM, "no memory for patches");
    if (err) {
        free(v);
        return err;
    }
    memmove(v, v + row, rows * row * sizeof *v); /* the class token has no place */
    for (size_t i = 0; i < rows; i++)
        (void)mp_normalise(v + i * row, row);
    *out = (mp_patches){v, grid, grid, dims};
    return MP_OK;
}

/* ---- words ---- */

static mp_err sentences(void *self, const mp_str *texts, size_t n, float *out, mp_why *why)
{
    clip_model *m = self;
    int32_t *ids = mp_try_array(n * MP_CLIP_CONTEXT, sizeof *ids);
    int *length = mp_try_array(n, sizeof *length);
    mp_err err = ids && length ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu texts", n);
    for (size_t i = 0; !err && i < n; i++)
        length[i] = mp_bpe_encode(m->words, texts[i], ids + i * MP_CLIP_CONTEXT, NULL);
    if (!err)
        err = mp_clip_texts(m->clip, ids, length, n, m->threads, out, why);
    free(ids);
    free(length);
    return err;
}

static bool cuts(void *self, mp_str text)
{
    const clip_model *m = self;
    int32_t ids[MP_BPE_MOST];
    size_t dropped;
    mp_bpe_encode(m->words, text, ids, &dropped);
    return dropped > 0;
}

const mp_family mp_family_clip = {
    .id = "clip",
    .words_are_sentences = true, /* CLIP has seen words of every kind: none is beyond it */
    .installed = installed,
    .open = open_clip,
    .close = close_clip,
    .images = images,
    .patches = patches,
    .sentences = sentences,
    .cuts = cuts,
};
