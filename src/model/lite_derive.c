/* lite_derive.c - see lite_derive.h. */
#include "model/lite_derive.h"

#include "base/linalg.h"
#include "base/os.h"
#include "model/spread.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { C = EFFNET_CLASSES, F = EFFNET_FEATURES, D = LITE_DIMS };
enum { LOOK_N = D * F, WORD_N = D * C, CONCEPT_N = C * BERT_HIDDEN };
enum { ALL_N = LOOK_N + WORD_N + CONCEPT_N };

typedef struct file_head {
    char magic[8];
    uint64_t identity, checksum;
} file_head;

static uint64_t identity_of(const char *sha256)
{
    uint64_t sum = mp_checksum64(sha256, strlen(sha256), 2); /* 2: of this file's layout */
    for (int i = 0; i < C; i++)
        sum = mp_checksum64(mp_lite_concepts[i], strlen(mp_lite_concepts[i]), sum);
    return sum;
}

static void divide(mp_derived *d)
{
    d->word = d->look + LOOK_N;
    d->concept = d->word + WORD_N;
}

static bool read_file(const char *path, uint64_t identity, mp_derived *out)
{
    uint8_t *bytes;
    size_t n;
    file_head head;
    if (mp_file_read(path, sizeof head + ALL_N * sizeof(float), &bytes, &n, NULL) != MP_OK)
        return false;
    bool ok = n == sizeof head + ALL_N * sizeof(float);
    if (ok) {
        memcpy(&head, bytes, sizeof head);
        ok = memcmp(head.magic, "MAGPLITE", 8) == 0 && head.identity == identity &&
             head.checksum == mp_checksum64(bytes + sizeof head, n - sizeof head, 0);
    }
    if (ok) {
        out->look = mp_xmalloc(ALL_N * sizeof(float));
        memcpy(out->look, bytes + sizeof head, ALL_N * sizeof(float));
        divide(out);
    }
    free(bytes);
    return ok;
}

static void write_file(const char *path, uint64_t identity, const mp_derived *d)
{
    file_head head = {.identity = identity,
                      .checksum = mp_checksum64(d->look, ALL_N * sizeof(float), 0)};
    mp_buf all = {0};
    mp_why why;
    memcpy(head.magic, "MAGPLITE", 8);
    mp_buf_add(&all, &head, sizeof head);
    mp_buf_add(&all, d->look, ALL_N * sizeof(float));
    if (mp_file_replace(path, all.p, all.n, &why) != MP_OK)
        mp_log(MP_LOG_INFO, "what was derived from the model is not kept: %s", why.text);
    mp_buf_free(&all);
}

/* Row-normalised, then centred class weights. */
static double *class_directions(const float *fc)
{
    double *w = mp_try_array((size_t)C * F, sizeof *w), *mean = mp_try_array(F, sizeof *mean);
    for (int c = 0; w && mean && c < C; c++) {
        double square = 0;
        for (int f = 0; f < F; f++)
            square += (double)fc[(size_t)c * F + f] * (double)fc[(size_t)c * F + f];
        for (int f = 0; f < F; f++) {
            w[(size_t)c * F + f] = (double)fc[(size_t)c * F + f] / sqrt(square);
            mean[f] += w[(size_t)c * F + f] / C;
        }
    }
    for (size_t i = 0; w && mean && i < (size_t)C * F; i++)
        w[i] -= mean[i % F];
    free(mean);
    return w;
}

static void gram(const double *w, double *g)
{
    for (int i = 0; i < C; i++)
        for (int j = 0; j <= i; j++) {
            const double *a = w + (size_t)i * F, *b = w + (size_t)j * F;
            double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int f = 0; f < F; f += 4) {
                s0 += a[f] * b[f];
                s1 += a[f + 1] * b[f + 1];
                s2 += a[f + 2] * b[f + 2];
                s3 += a[f + 3] * b[f + 3];
            }
            g[(size_t)i * C + j] = g[(size_t)j * C + i] = s0 + s1 + s2 + s3;
        }
}

/* W = U S V': U from W W' (1000 x 1000, smaller than W' W), V = W' U / S. */
static mp_err project(const float *fc, mp_derived *d, mp_why *why)
{
    double *w = class_directions(fc);
    double *g = mp_try_array((size_t)C * C, sizeof *g), *u = mp_try_array((size_t)C * C, sizeof *u);
    double *values = mp_try_array(C, sizeof *values), *v = mp_try_array(F, sizeof *v);
    mp_err err = w && g && u && values && v ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
    if (!err) {
        gram(w, g);
        err = mp_eigen_symmetric(g, C, values, u, why);
    }
    for (int i = 0; !err && i < D; i++) {
        const double *left = u + (size_t)i * C;
        double scale = 1 / sqrt(fmax(values[i], 1e-12));
        memset(v, 0, F * sizeof *v);
        for (int c = 0; c < C; c++) {
            d->word[(size_t)i * C + c] = (float)left[c];
            for (int f = 0; f < F; f++)
                v[f] += left[c] * w[(size_t)c * F + f];
        }
        for (int f = 0; f < F; f++)
            d->look[(size_t)i * F + f] = (float)(v[f] * scale);
    }
    free(v);
    free(values);
    free(u);
    free(g);
    free(w);
    return err;
}

typedef struct naming {
    mp_bert *bert;
    const mp_tokenizer *tokens;
    float *concept;
} naming;

enum { NAMES_AT_ONCE = 20 };

static mp_err read_names(void *context, size_t from, size_t to, mp_why *why)
{
    const naming *n = context;
    int32_t ids[NAMES_AT_ONCE * MP_MAX_TOKENS];
    int length[NAMES_AT_ONCE];
    mp_sentences all = {.ids = ids, .length = length};
    for (size_t i = from; i < to; i++) {
        char text[160];
        snprintf(text, sizeof text, "a photo of a %s", mp_lite_concepts[i]);
        length[all.n] = mp_tokenize(n->tokens, mp_str_of(text), ids + all.tokens);
        all.tokens += length[all.n++];
    }
    return mp_bert_encode(n->bert, &all, NULL, n->concept + from * BERT_HIDDEN, why);
}

mp_err mp_derive(mp_derived *out, const char *folder, const char *sha256, const float *fc_weight,
                 mp_bert *bert, const mp_tokenizer *tokens, int threads, mp_why *why)
{
    char path[PATH_MAX];
    uint64_t identity = identity_of(sha256);
    *out = (mp_derived){0};
    snprintf(path, sizeof path, "%s/derived.bin", folder);
    if (read_file(path, identity, out))
        return MP_OK;
    out->look = mp_try_array(ALL_N, sizeof(float));
    if (!out->look)
        return mp_fail(why, MP_NOMEM, "no memory for the model");
    divide(out);
    mp_err err = project(fc_weight, out, why);
    if (!err)
        err = mp_spread(threads, C, NAMES_AT_ONCE, read_names,
                        &(naming){bert, tokens, out->concept}, why);
    if (err)
        mp_derived_free(out);
    else
        write_file(path, identity, out);
    return err;
}

void mp_derived_free(mp_derived *d)
{
    free(d->look);
    *d = (mp_derived){0};
}
