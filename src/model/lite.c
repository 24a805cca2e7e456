/* lite.c - the default model: EfficientNet-Lite0 sees, MiniLM reads, and the 1,000 concepts that
 * the image model knows join them (a sharpened ConSE, Norouzi et al., arXiv 1312.5650).
 *
 *   LOOK  mean-pooled features of the centre crop, projected to 512-d
 *   WORD  sqrt(softmax) over the concepts, projected to 512-d; a query is the softmax (temperature
 *         0.05) over the 50 nearest concept names, projected the same way
 *   COPY  generalised-mean pooled (p = 3; arXiv 1711.02512) features of the whole, squashed picture
 *   TEXTURE mean, deviation and maximum of the channels of blocks 4 and 10, on a per-picture scale
 *
 * Pictures are spread over threads, each with a network of its own: on few cores this is faster
 * than one network on many. lite_see.c sees, lite_read.c reads, lite_derive.c makes the
 * projections. */
#include "model/lite_parts.h"

#include "model/checked.h"
#include "model/helper.h"
#include "model/qualify.h"

#include "base/os.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calibrated by quality_model over the clothing and grocery pictures: see docs/benchmarks.md. */
static const float WORD_FLOOR = 0.12f, LOOK_FLOOR = 0.45f, COPY_FLOOR = 0.81f;

/* ---- the family's facts ---- */

static void fill_info(mp_model_info *info, const char *sha256)
{
    const mp_view_spec crop = {.width = EFFNET_SIDE,
                               .height = EFFNET_SIDE,
                               .fit = MP_FIT_CROP,
                               .short_side = 256,
                               .filter = MP_BICUBIC};
    const mp_view_spec squash = {
        .width = EFFNET_SIDE, .height = EFFNET_SIDE, .fit = MP_FIT_SQUASH, .filter = MP_BICUBIC};
    *info = (mp_model_info){
        .id = "lite",
        .sha256 = sha256,
        .about = "concept search with a limited vocabulary: EfficientNet-Lite0 and MiniLM-L6-v2",
        .licence = "Apache-2.0",
    };
    info->space[MP_SPACE_LOOK] =
        (mp_space_info){.dims = LITE_DIMS, .eager = true, .floor = LOOK_FLOOR, .view = crop};
    info->space[MP_SPACE_WORD] =
        (mp_space_info){.dims = LITE_DIMS, .eager = true, .floor = WORD_FLOOR, .view = crop};
    info->space[MP_SPACE_COPY] =
        (mp_space_info){.dims = LITE_DIMS, .eager = true, .floor = COPY_FLOOR, .view = squash};
    info->space[MP_SPACE_TEXTURE] = (mp_space_info){.dims = LITE_TEXTURE_DIMS, .view = squash};
    info->space[MP_SPACE_SENTENCE] = (mp_space_info){.dims = BERT_HIDDEN};
}

static bool installed(const char *folder, mp_model_info *info)
{
    /* One per process is enough: the hash of the pinned weights does not change under us. */
    static char known[65];
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    char sha256[65];
    if (!mp_manifest_check(folder, sha256))
        return false;
    pthread_mutex_lock(&mutex);
    memcpy(known, sha256, sizeof known);
    pthread_mutex_unlock(&mutex);
    fill_info(info, known);
    return true;
}

static void describe(mp_model_info *info)
{
    fill_info(info, "");
}

static void close_lite(void *self)
{
    mp_lite *m = self;
    mp_lite_close_nets(m);
    mp_linear_free(&m->to_classes);
    mp_linear_free(&m->to_look);
    mp_linear_free(&m->to_word);
    mp_derived_free(&m->derived);
    mp_bert_close(m->bert);
    mp_tokenizer_close(m->tokens);
    mp_tensors_close(m->image);
    mp_tensors_close(m->text);
    pthread_mutex_destroy(&m->mutex);
    mp_helpers_release();
    free(m);
}

static void take_mean(mp_lite *m)
{
    for (int c = 0; c < EFFNET_CLASSES; c++)
        for (int f = 0; f < EFFNET_FEATURES; f++)
            m->fc_mean[f] += m->fc_weight[(size_t)c * EFFNET_FEATURES + (size_t)f] / EFFNET_CLASSES;
}

/* What every group of pictures is multiplied with. */
static mp_err pack_projections(mp_lite *m, mp_why *why)
{
    if (!mp_linear_make(&m->to_classes, EFFNET_CLASSES, EFFNET_FEATURES, MP_F32) ||
        !mp_linear_make(&m->to_look, LITE_DIMS, EFFNET_FEATURES, MP_F32) ||
        !mp_linear_make(&m->to_word, LITE_DIMS, EFFNET_CLASSES, MP_F32))
        return mp_fail(why, MP_NOMEM, "no memory for the model");
    mp_linear_fill(&m->to_classes, 0, EFFNET_CLASSES, m->fc_weight, m->fc_bias);
    mp_linear_fill(&m->to_look, 0, LITE_DIMS, m->derived.look, NULL);
    mp_linear_fill(&m->to_word, 0, LITE_DIMS, m->derived.word, NULL);
    return MP_OK;
}

static mp_err open_tensors(mp_tensors **out, const char *folder, const char *name, bool news,
                           mp_why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    mp_err err = mp_tensors_open(out, path, why);
    return err || !news ? err : mp_tensors_check(*out, why);
}

/* news: their files were not read before. */
static mp_err open_parts(mp_lite *m, const char *folder, mp_precision_choice wanted, bool news,
                         mp_why *why)
{
    mp_qualified how = mp_precision_for(folder, m->sha256, wanted);
    m->precision = how.image;
    char path[PATH_MAX];
    mp_tensor weight, bias;
    mp_err err = open_tensors(&m->image, folder, "image.safetensors", news, why);
    if (!err)
        err =
            mp_tensors_get(m->image, "_fc.weight", EFFNET_CLASSES * EFFNET_FEATURES, &weight, why);
    if (!err)
        err = mp_tensors_get(m->image, "_fc.bias", EFFNET_CLASSES, &bias, why);
    if (err)
        return err;
    m->fc_weight = weight.data;
    take_mean(m);
    m->fc_bias = bias.data;
    err = open_tensors(&m->text, folder, "text.safetensors", news, why);
    if (!err)
        err = mp_bert_open(&m->bert, m->text, how.text, why);
    snprintf(path, sizeof path, "%s/vocab.txt", folder);
    if (!err)
        err = mp_tokenizer_open(&m->tokens, path, why);
    if (!err)
        err = mp_derive(&m->derived, folder, m->sha256, m->fc_weight, m->bert, m->tokens,
                        m->threads, why);
    return err ? err : pack_projections(m, why);
}

static mp_err open_lite(void **self, const char *folder, const mp_model_options *opt,
                        mp_model_info *info, mp_why *why)
{
    mp_lite *m = mp_xcalloc(1, sizeof *m);
    mp_manifest *manifest = mp_xmalloc(sizeof *manifest);
    mp_checked files;
    *self = NULL;
    pthread_mutex_init(&m->mutex, NULL);
    mp_helpers_hold();
    m->threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    mp_err err = mp_manifest_load(manifest, folder, why);
    if (err == MP_NOT_FOUND)
        err = mp_fail(why, err,
                      "the model lite is not installed in %.300s (get it with: magpie model pull "
                      "lite)",
                      folder);
    if (!err)
        err = mp_checked_look(&files, folder, manifest, why);
    memcpy(m->sha256, manifest->sha256, sizeof m->sha256);
    if (!err)
        err = open_parts(m, folder, opt->precision, files.news, why);
    if (!err)
        mp_checked_keep(&files, folder, manifest);
    free(manifest);
    if (err) {
        close_lite(m);
        return err;
    }
    fill_info(info, m->sha256);
    *self = m;
    return MP_OK;
}

const mp_family mp_family_lite = {
    .id = "lite",
    .installed = installed,
    .describe = describe,
    .open = open_lite,
    .close = close_lite,
    .images = mp_lite_images,
    .patches = mp_lite_patches,
    .text = mp_lite_text,
    .sentences = mp_lite_sentences,
};
