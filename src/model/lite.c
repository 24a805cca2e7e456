/* lite.c - the default model: EfficientNet-Lite0 sees, MiniLM reads, and the 1,000 concepts that the
 * image model knows join them (a sharpened ConSE, Norouzi et al., arXiv 1312.5650).
 *
 *   LOOK  mean-pooled features of the centre crop, projected to 512-d
 *   WORD  sqrt(softmax) over the concepts, projected to 512-d; a query is the softmax (temperature
 *         0.05) over the 50 nearest concept names, projected the same way
 *   COPY  generalised-mean pooled (p = 3; arXiv 1711.02512) features of the whole, squashed picture
 *   TEXTURE mean, deviation and maximum of the channels of blocks 4 and 10, on a per-picture scale
 *
 * Pictures are spread over threads, each with a network of its own: on few cores this is faster than
 * one network on many. Networks are kept in a pool. */
#include "model/family.h"

#include "model/lite_derive.h"
#include "model/manifest.h"
#include "simd/distance.h"

#include "base/os.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of the OpenMP runtime that oneDNN runs on; its header comes with GCC only. */
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);

enum { GRID = EFFNET_GRID * EFFNET_GRID, NEAREST = 50 };
enum { MID_A = EFFNET_MID_A, MID_B = EFFNET_MID_B };
enum { MID_A_GRID = EFFNET_MID_A_GRID * EFFNET_MID_A_GRID,
       MID_B_GRID = EFFNET_MID_B_GRID * EFFNET_MID_B_GRID };
enum { TEXTURE_DIMS = 3 * (MID_A + MID_B), MAX_THREADS = 64 };

static const float TEMPERATURE = 0.05f, KNOWN_FROM = 0.35f;
/* Calibrated by quality_model over the clothing and grocery pictures: see docs/benchmarks.md. */
static const float WORD_FLOOR = 0.12f, LOOK_FLOOR = 0.45f, COPY_FLOOR = 0.81f;

typedef struct net_node {
    mp_effnet *net;
    float *features; /* 1280 x 49, or the two middle layers */
    struct net_node *next;
} net_node;

typedef struct lite {
    mp_tensors *image, *text;
    const float *fc_weight, *fc_bias;
    mp_bert *bert;
    mp_tokenizer *tokens;
    mp_derived derived;
    mp_dot_fn dot;
    int threads;
    char sha256[65];
    pthread_mutex_t mutex; /* guards nets */
    net_node *nets;
} lite;

/* ---- the family's facts ---- */

static void fill_info(mp_model_info *info, const char *sha256)
{
    const mp_view_spec crop = {.width = EFFNET_SIDE, .height = EFFNET_SIDE, .fit = MP_FIT_CROP,
                               .short_side = 256, .filter = MP_BICUBIC};
    const mp_view_spec squash = {.width = EFFNET_SIDE, .height = EFFNET_SIDE,
                                 .fit = MP_FIT_SQUASH, .filter = MP_BICUBIC};
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
    info->space[MP_SPACE_TEXTURE] = (mp_space_info){.dims = TEXTURE_DIMS, .view = squash};
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

static void close_lite(void *self)
{
    lite *m = self;
    while (m->nets) {
        net_node *next = m->nets->next;
        mp_effnet_close(m->nets->net);
        free(m->nets->features);
        free(m->nets);
        m->nets = next;
    }
    mp_derived_free(&m->derived);
    mp_bert_close(m->bert);
    mp_tokenizer_close(m->tokens);
    mp_tensors_close(m->image);
    mp_tensors_close(m->text);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

static mp_err open_parts(lite *m, const char *folder, mp_why *why)
{
    char path[PATH_MAX];
    mp_tensor weight, bias;
    snprintf(path, sizeof path, "%s/image.safetensors", folder);
    mp_err err = mp_tensors_open(&m->image, path, why);
    if (!err)
        err = mp_tensors_get(m->image, "_fc.weight", EFFNET_CLASSES * EFFNET_FEATURES, &weight, why);
    if (!err)
        err = mp_tensors_get(m->image, "_fc.bias", EFFNET_CLASSES, &bias, why);
    if (err)
        return err;
    m->fc_weight = weight.data;
    m->fc_bias = bias.data;
    snprintf(path, sizeof path, "%s/text.safetensors", folder);
    err = mp_tensors_open(&m->text, path, why);
    if (!err)
        err = mp_bert_open(&m->bert, m->text, why);
    snprintf(path, sizeof path, "%s/vocab.txt", folder);
    if (!err)
        err = mp_tokenizer_open(&m->tokens, path, why);
    if (!err)
        err = mp_derive(&m->derived, folder, m->sha256, m->fc_weight, m->bert, m->tokens,
                        m->threads, why);
    return err;
}

static mp_err open_lite(void **self, const char *folder, const mp_model_options *opt,
                        mp_model_info *info, mp_why *why)
{
    lite *m = mp_xcalloc(1, sizeof *m);
    *self = NULL;
    pthread_mutex_init(&m->mutex, NULL);
    m->threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    m->dot = mp_dot_for(mp_simd_isa());
    mp_err err = mp_manifest_check(folder, m->sha256)
                     ? open_parts(m, folder, why)
                     : mp_fail(why, MP_NOT_FOUND,
                               "the model lite is not installed in %s (get it with: magpie model "
                               "pull lite)",
                               folder);
    if (err) {
        close_lite(m);
        return err;
    }
    fill_info(info, m->sha256);
    *self = m;
    return MP_OK;
}

/* ---- networks ---- */

static mp_err take_net(lite *m, net_node **out, mp_why *why)
{
    pthread_mutex_lock(&m->mutex);
    *out = m->nets;
    if (m->nets)
        m->nets = m->nets->next;
    pthread_mutex_unlock(&m->mutex);
    if (*out)
        return MP_OK;
    net_node *n = mp_xcalloc(1, sizeof *n);
    size_t room = MP_MAX((size_t)EFFNET_FEATURES * GRID,
                         (size_t)MID_A * MID_A_GRID + (size_t)MID_B * MID_B_GRID);
    n->features = mp_xmalloc(room * sizeof *n->features);
    mp_err err = mp_effnet_open(&n->net, m->image, why);
    if (err) {
        free(n->features);
        free(n);
        return err;
    }
    *out = n;
    return MP_OK;
}

static void give_net(lite *m, net_node *n)
{
    pthread_mutex_lock(&m->mutex);
    n->next = m->nets;
    m->nets = n;
    pthread_mutex_unlock(&m->mutex);
}

/* ---- pictures ---- */

/* out = the projection of 1280 pooled features, of unit length. */
static void to_look(const lite *m, const float *pooled, float *out)
{
    for (int i = 0; i < LITE_DIMS; i++)
        out[i] = m->dot(m->derived.look + (size_t)i * EFFNET_FEATURES, pooled, EFFNET_FEATURES);
    if (!mp_normalise(out, LITE_DIMS))
        out[0] = 1; /* features are all zero: a picture of nothing */
}

static void to_word(const lite *m, const float *pooled, float *out)
{
    float p[EFFNET_CLASSES], top = -INFINITY, sum = 0;
    for (int c = 0; c < EFFNET_CLASSES; c++) {
        p[c] = m->dot(m->fc_weight + (size_t)c * EFFNET_FEATURES, pooled, EFFNET_FEATURES) +
               m->fc_bias[c];
        top = MP_MAX(top, p[c]);
    }
    for (int c = 0; c < EFFNET_CLASSES; c++)
        sum += p[c] = expf(p[c] - top);
    for (int c = 0; c < EFFNET_CLASSES; c++)
        p[c] = sqrtf(p[c] / sum);
    for (int i = 0; i < LITE_DIMS; i++)
        out[i] = m->dot(m->derived.word + (size_t)i * EFFNET_CLASSES, p, EFFNET_CLASSES);
    if (!mp_normalise(out, LITE_DIMS))
        out[0] = 1;
}

static void pool_mean(const float *features, float *out)
{
    for (int f = 0; f < EFFNET_FEATURES; f++) {
        float sum = 0;
        for (int i = 0; i < GRID; i++)
            sum += features[f * GRID + i];
        out[f] = sum / GRID;
    }
}

static void pool_generalised(const float *features, float *out)
{
    for (int f = 0; f < EFFNET_FEATURES; f++) {
        float sum = 0;
        for (int i = 0; i < GRID; i++) {
            float x = MP_MAX(features[f * GRID + i], 1e-6f);
            sum += x * x * x;
        }
        out[f] = cbrtf(sum / GRID);
    }
}

static float *channel_measures(const float *x, int channels, int n, float *out)
{
    for (int c = 0; c < channels; c++, x += n) {
        double sum = 0, square = 0;
        float top = -INFINITY;
        for (int i = 0; i < n; i++) {
            sum += (double)x[i];
            square += (double)x[i] * (double)x[i];
            top = MP_MAX(top, x[i]);
        }
        double mean = sum / n;
        *out++ = (float)mean;
        *out++ = (float)sqrt(fmax(square / n - mean * mean, 0));
        *out++ = top;
    }
    return out;
}

static mp_err encode_texture(net_node *n, const uint8_t *px, float *out, mp_why *why)
{
    float *a = n->features, *b = a + MID_A * MID_A_GRID;
    mp_err err = mp_effnet_middle(n->net, px, a, b, why);
    if (!err) {
        out = channel_measures(a, MID_A, MID_A_GRID, out);
        channel_measures(b, MID_B, MID_B_GRID, out);
    }
    return err;
}

typedef struct job {
    lite *m;
    const mp_views *views;
    size_t n;
    uint32_t mask;
    float *const *out;
    _Atomic size_t next;
    _Atomic int err;
    mp_why why;
    pthread_mutex_t mutex; /* guards why */
} job;

static float *row(const job *j, mp_space s, size_t i, int dims)
{
    return j->mask & (1u << s) ? j->out[s] + i * (size_t)dims : NULL;
}

static mp_err encode_one(const job *j, net_node *n, size_t i, mp_why *why)
{
    float pooled[EFFNET_FEATURES];
    float *look = row(j, MP_SPACE_LOOK, i, LITE_DIMS), *word = row(j, MP_SPACE_WORD, i, LITE_DIMS);
    float *copy = row(j, MP_SPACE_COPY, i, LITE_DIMS);
    float *texture = row(j, MP_SPACE_TEXTURE, i, TEXTURE_DIMS);
    mp_err err = MP_OK;
    if (look || word) {
        const uint8_t *px = j->views[i].px[look ? MP_SPACE_LOOK : MP_SPACE_WORD];
        err = mp_effnet_features(n->net, px, n->features, why);
        pool_mean(n->features, pooled);
        if (!err && look)
            to_look(j->m, pooled, look);
        if (!err && word)
            to_word(j->m, pooled, word);
    }
    if (!err && copy) {
        err = mp_effnet_features(n->net, j->views[i].px[MP_SPACE_COPY], n->features, why);
        pool_generalised(n->features, pooled);
        if (!err)
            to_look(j->m, pooled, copy);
    }
    if (!err && texture)
        err = encode_texture(n, j->views[i].px[MP_SPACE_TEXTURE], texture, why);
    return err;
}

static void *work(void *context)
{
    job *j = context;
    net_node *n = NULL;
    mp_why why = {0};
    omp_set_num_threads(1); /* of this thread alone: the parallelism is ours */
    mp_err err = take_net(j->m, &n, &why);
    while (!err && !atomic_load(&j->err)) {
        size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->n)
            break;
        err = encode_one(j, n, i, &why);
    }
    if (n)
        give_net(j->m, n);
    if (err) {
        pthread_mutex_lock(&j->mutex);
        j->why = why;
        atomic_store(&j->err, (int)err);
        pthread_mutex_unlock(&j->mutex);
    }
    return NULL;
}

static mp_err images(void *self, const mp_views *views, size_t n, uint32_t mask,
                     float *const out[MP_SPACES], mp_why *why)
{
    lite *m = self;
    job j = {.m = m, .views = views, .n = n, .mask = mask, .out = out};
    pthread_t ids[MAX_THREADS];
    int started = 0, before = omp_get_max_threads();
    int want = MP_MIN(MP_MIN(m->threads, MAX_THREADS), (int)MP_MIN(n, (size_t)MAX_THREADS));
    pthread_mutex_init(&j.mutex, NULL);
    while (started < want - 1 && pthread_create(&ids[started], NULL, work, &j) == 0)
        started++;
    work(&j);
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    omp_set_num_threads(before);
    pthread_mutex_destroy(&j.mutex);
    mp_err err = (mp_err)atomic_load(&j.err);
    return err ? mp_fail(why, err, "%s", j.why.text) : MP_OK;
}

/* Block 10's 14 x 14 grid: fine enough to point at a spot, deep enough to know what it is. */
static mp_err patches(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    lite *m = self;
    net_node *n;
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    mp_err err = take_net(m, &n, why);
    if (!err) {
        float *a = n->features, *b = a + MID_A * MID_A_GRID;
        err = mp_effnet_middle(n->net, look_px, a, b, why);
        *out = (mp_patches){.v = mp_try_array(MID_B_GRID * MID_B, sizeof(float)),
                            .rows = EFFNET_MID_B_GRID,
                            .cols = EFFNET_MID_B_GRID,
                            .dims = MID_B};
        if (!err && !out->v)
            err = mp_fail(why, MP_NOMEM, "no memory for patches");
        for (int i = 0; !err && i < MID_B_GRID; i++) {
            for (int c = 0; c < MID_B; c++)
                out->v[i * MID_B + c] = b[c * MID_B_GRID + i];
            (void)mp_normalise(out->v + i * MID_B, MID_B);
        }
        give_net(m, n);
    }
    omp_set_num_threads(before);
    if (err) {
        free(out->v);
        *out = (mp_patches){0};
    }
    return err;
}

/* ---- words ---- */

static mp_err sentence(void *self, mp_str text, float *out, mp_why *why)
{
    lite *m = self;
    int32_t ids[MP_MAX_TOKENS];
    int before = omp_get_max_threads(), n = mp_tokenize(m->tokens, text, ids);
    omp_set_num_threads(1);
    mp_err err = mp_bert_encode(m->bert, ids, n, out, why);
    omp_set_num_threads(before);
    return err;
}

typedef struct near_concept {
    int at;
    float cosine;
} near_concept;

static int by_cosine(const void *a, const void *b)
{
    const near_concept *x = a, *y = b;
    return (x->cosine < y->cosine) - (x->cosine > y->cosine);
}

/* "a photo of a dog" and "dog" should mean the same: the bank was made with the phrase. A sentence
 * stands for itself. */
static mp_str as_photo(mp_str text, mp_buf *room)
{
    static const char head[] = "a photo of";
    int spaces = 0;
    for (size_t i = 0; i < text.n; i++)
        spaces += text.p[i] == ' ';
    if (spaces > 6 || (text.n >= sizeof head - 1 && strncasecmp(text.p, head, sizeof head - 1) == 0))
        return text;
    mp_buf_printf(room, "a photo of a %.*s", (int)text.n, text.p);
    return (mp_str){room->p, room->n};
}

static mp_err text_vector(void *self, mp_str text, float *out, mp_text_info *info, mp_why *why)
{
    lite *m = self;
    float query[BERT_HIDDEN], weight[NEAREST], sum = 0;
    near_concept all[EFFNET_CLASSES];
    mp_buf room = {0};
    mp_err err = sentence(m, as_photo(text, &room), query, why);
    mp_buf_free(&room);
    if (err)
        return err;
    for (int c = 0; c < EFFNET_CLASSES; c++)
        all[c] = (near_concept){
            c, m->dot(m->derived.concept + (size_t)c * BERT_HIDDEN, query, BERT_HIDDEN)};
    qsort(all, EFFNET_CLASSES, sizeof *all, by_cosine);
    for (int i = 0; i < NEAREST; i++)
        sum += weight[i] = expf((all[i].cosine - all[0].cosine) / TEMPERATURE);
    for (int d = 0; d < LITE_DIMS; d++) {
        float x = 0;
        for (int i = 0; i < NEAREST; i++)
            x += weight[i] / sum * m->derived.word[(size_t)d * EFFNET_CLASSES + (size_t)all[i].at];
        out[d] = x;
    }
    info->nearest = all[0].cosine;
    info->known = all[0].cosine >= KNOWN_FROM;
    for (int i = 0; i < MP_MAX_CONCEPTS && weight[i] / sum > 0.02f; i++) {
        info->concept[i] = mp_lite_concepts[all[i].at];
        info->weight[i] = weight[i] / sum;
    }
    return MP_OK;
}

const mp_family mp_family_lite = {
    .id = "lite",
    .installed = installed,
    .open = open_lite,
    .close = close_lite,
    .images = images,
    .patches = patches,
    .text = text_vector,
    .sentence = sentence,
};
