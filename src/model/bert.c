/* bert.c - see bert.h. Matrix products by oneDNN; the rest is a few plain loops over at most 256
 * tokens. */
#include "model/bert.h"

#include "model/dnnl_conv.h"
#include "simd/distance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 6, HEADS = 12, HEAD = 32, FFN = 1536, VOCAB = 30522, POSITIONS = 512 };
enum { H = BERT_HIDDEN };

typedef struct norm {
    const float *gamma, *beta;
} norm;

typedef struct linear {
    const float *w, *b; /* out x in */
} linear;

typedef struct encoder_layer {
    linear q, k, v, attended, up, down;
    norm after_attention, after_ffn;
} encoder_layer;

struct mp_bert {
    const float *words, *positions, *types;
    norm embedding;
    encoder_layer layers[LAYERS];
    mp_dot_fn dot;
};

typedef struct loader {
    const mp_tensors *weights;
    mp_err err;
    mp_why *why;
} loader;

static const float *get(loader *l, const char *prefix, const char *name, size_t n)
{
    char key[128];
    mp_tensor t = {0};
    snprintf(key, sizeof key, "%s%s", prefix, name);
    if (!l->err)
        l->err = mp_tensors_get(l->weights, key, n, &t, l->why);
    return t.data;
}

static linear get_linear(loader *l, const char *prefix, const char *name, size_t out, size_t in)
{
    char w[96], b[96];
    snprintf(w, sizeof w, "%s.weight", name);
    snprintf(b, sizeof b, "%s.bias", name);
    return (linear){get(l, prefix, w, out * in), get(l, prefix, b, out)};
}

static norm get_norm(loader *l, const char *prefix, const char *name)
{
    linear both = get_linear(l, prefix, name, H, 1);
    return (norm){both.w, both.b};
}

mp_err mp_bert_open(mp_bert **out, const mp_tensors *weights, mp_why *why)
{
    loader l = {.weights = weights, .why = why};
    mp_bert *b = mp_xcalloc(1, sizeof *b);
    *out = NULL;
    b->dot = mp_dot_for(mp_simd_isa());
    b->words = get(&l, "", "embeddings.word_embeddings.weight", (size_t)VOCAB * H);
    b->positions = get(&l, "", "embeddings.position_embeddings.weight", (size_t)POSITIONS * H);
    b->types = get(&l, "", "embeddings.token_type_embeddings.weight", 2 * H);
    b->embedding = get_norm(&l, "embeddings.", "LayerNorm");
    for (int i = 0; i < LAYERS; i++) {
        encoder_layer *e = &b->layers[i];
        char prefix[32];
        snprintf(prefix, sizeof prefix, "encoder.layer.%d.", i);
        e->q = get_linear(&l, prefix, "attention.self.query", H, H);
        e->k = get_linear(&l, prefix, "attention.self.key", H, H);
        e->v = get_linear(&l, prefix, "attention.self.value", H, H);
        e->attended = get_linear(&l, prefix, "attention.output.dense", H, H);
        e->after_attention = get_norm(&l, prefix, "attention.output.LayerNorm");
        e->up = get_linear(&l, prefix, "intermediate.dense", FFN, H);
        e->down = get_linear(&l, prefix, "output.dense", H, FFN);
        e->after_ffn = get_norm(&l, prefix, "output.LayerNorm");
    }
    if (l.err) {
        free(b);
        return l.err;
    }
    *out = b;
    return MP_OK;
}

void mp_bert_close(mp_bert *b)
{
    free(b);
}

/* ---- forward ---- */

/* x = norm(x + y); y may be NULL. eps 1e-12 as trained. */
static void add_and_norm(float *x, const float *y, int n, norm g)
{
    for (int t = 0; t < n; t++) {
        float *row = x + (size_t)t * H;
        double sum = 0, square = 0;
        for (int i = 0; i < H; i++) {
            if (y)
                row[i] += y[(size_t)t * H + (size_t)i];
            sum += (double)row[i];
            square += (double)row[i] * (double)row[i];
        }
        double mean = sum / H, scale = 1 / sqrt(square / H - mean * mean + 1e-12);
        for (int i = 0; i < H; i++)
            row[i] = (float)(((double)row[i] - mean) * scale) * g.gamma[i] + g.beta[i];
    }
}

static mp_err apply(linear l, const float *x, int n, int out, int in, float *y, mp_why *why)
{
    return mp_gemm_nt(n, out, in, x, l.w, l.b, y, why);
}

/* Scaled dot-product attention of one head; results go to its columns of `out`. */
static void attend(const mp_bert *b, const float *q, const float *k, const float *v, int n,
                   int head, float *out)
{
    float weight[MP_MAX_TOKENS];
    const float scale = 1 / sqrtf((float)HEAD);
    size_t at = (size_t)head * HEAD;
    for (int i = 0; i < n; i++) {
        float top = -INFINITY, sum = 0;
        for (int j = 0; j < n; j++) {
            weight[j] = b->dot(q + (size_t)i * H + at, k + (size_t)j * H + at, HEAD) * scale;
            top = MP_MAX(top, weight[j]);
        }
        for (int j = 0; j < n; j++)
            sum += weight[j] = expf(weight[j] - top);
        float *to = out + (size_t)i * H + at;
        memset(to, 0, HEAD * sizeof *to);
        for (int j = 0; j < n; j++) {
            float w = weight[j] / sum;
            const float *from = v + (size_t)j * H + at;
            for (int d = 0; d < HEAD; d++)
                to[d] += w * from[d];
        }
    }
}

static void gelu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 0.5f * x[i] * (1 + erff(x[i] * 0.70710678f));
}

typedef struct scratch {
    float *x, *q, *k, *v, *y, *wide;
} scratch;

static mp_err run_layer(const mp_bert *b, const encoder_layer *e, int n, scratch *s, mp_why *why)
{
    mp_err err = apply(e->q, s->x, n, H, H, s->q, why);
    if (!err)
        err = apply(e->k, s->x, n, H, H, s->k, why);
    if (!err)
        err = apply(e->v, s->x, n, H, H, s->v, why);
    for (int h = 0; !err && h < HEADS; h++)
        attend(b, s->q, s->k, s->v, n, h, s->y);
    if (!err)
        err = apply(e->attended, s->y, n, H, H, s->q, why);
    if (err)
        return err;
    add_and_norm(s->x, s->q, n, e->after_attention);
    err = apply(e->up, s->x, n, FFN, H, s->wide, why);
    if (err)
        return err;
    gelu(s->wide, (size_t)n * FFN);
    err = apply(e->down, s->wide, n, H, FFN, s->y, why);
    if (!err)
        add_and_norm(s->x, s->y, n, e->after_ffn);
    return err;
}

static void embed(const mp_bert *b, const int32_t *ids, int n, float *x)
{
    for (int t = 0; t < n; t++)
        for (int i = 0; i < H; i++)
            x[(size_t)t * H + (size_t)i] = b->words[(size_t)ids[t] * H + (size_t)i] +
                                           b->positions[(size_t)t * H + (size_t)i] + b->types[i];
    add_and_norm(x, NULL, n, b->embedding);
}

mp_err mp_bert_encode(const mp_bert *b, const int32_t *ids, int n, float *out, mp_why *why)
{
    for (int t = 0; t < n; t++)
        if (ids[t] < 0 || ids[t] >= VOCAB)
            return mp_fail(why, MP_CORRUPT, "the vocabulary does not fit the weights");
    size_t rows = (size_t)n * H;
    float *all = mp_try_array(rows * 5 + (size_t)n * FFN, sizeof *all);
    if (!all || n < 1 || n > MP_MAX_TOKENS) {
        free(all);
        return mp_fail(why, MP_NOMEM, "no memory to read the words");
    }
    scratch s = {all, all + rows, all + 2 * rows, all + 3 * rows, all + 4 * rows, all + 5 * rows};
    embed(b, ids, n, s.x);
    mp_err err = MP_OK;
    for (int i = 0; !err && i < LAYERS; i++)
        err = run_layer(b, &b->layers[i], n, &s, why);
    memset(out, 0, H * sizeof *out);
    for (int t = 0; !err && t < n; t++)
        for (int i = 0; i < H; i++)
            out[i] += s.x[(size_t)t * H + (size_t)i];
    if (!err && !mp_normalise(out, H))
        err = mp_fail(why, MP_INTERNAL, "the words have no direction");
    free(all);
    return err;
}
