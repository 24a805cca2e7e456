/* bert.c - see bert.h. Products with the weights by simd/dense.h, those of attention and GELU by
 * oneDNN; the rest is plain loops over rows.
 *
 * Sentences are packed: their tokens lie behind each other, without padding, and go through each
 * matrix product together. Only attention looks at one sentence at a time. The weights are packed
 * once: oneDNN's sgemm would do so each time, which for a query takes longer than the product. */
#include "model/bert.h"

#include "model/dnnl_dense.h"
#include "simd/dense.h"
#include "simd/distance.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
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
    int out, in;
    size_t packed_at; /* where its packed form begins */
} linear;

typedef struct encoder_layer {
    linear q, k, v, attended, up, down;
    norm after_attention, after_ffn;
} encoder_layer;

struct mp_bert {
    const float *words, *positions, *types;
    norm embedding;
    encoder_layer layers[LAYERS];
    mp_gelu *gelu;
    const mp_dense_kernels *dense;
    size_t packed_floats;
    pthread_mutex_t packing; /* held while `packed` is made */
    float *_Atomic packed;   /* every linear's matrix; NULL until first needed */
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
    return (linear){.w = get(l, prefix, w, out * in),
                    .b = get(l, prefix, b, out),
                    .out = (int)out,
                    .in = (int)in};
}

static norm get_norm(loader *l, const char *prefix, const char *name)
{
    linear both = get_linear(l, prefix, name, H, 1);
    return (norm){both.w, both.b};
}

enum { LINEARS = 6 };

static void list_linears(encoder_layer *e, linear *out[LINEARS])
{
    linear *all[LINEARS] = {&e->q, &e->k, &e->v, &e->attended, &e->up, &e->down};
    memcpy(out, all, sizeof all);
}

static void place_packed(mp_bert *b)
{
    linear *l[LINEARS];
    for (int i = 0; i < LAYERS; i++) {
        list_linears(&b->layers[i], l);
        for (int k = 0; k < LINEARS; k++) {
            l[k]->packed_at = b->packed_floats;
            b->packed_floats += mp_dense_packed((size_t)l[k]->out, (size_t)l[k]->in);
        }
    }
}

mp_err mp_bert_open(mp_bert **out, const mp_tensors *weights, mp_why *why)
{
    loader l = {.weights = weights, .why = why};
    mp_bert *b = mp_xcalloc(1, sizeof *b);
    *out = NULL;
    pthread_mutex_init(&b->packing, NULL);
    b->dense = mp_dense_for(mp_simd_isa());
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
    place_packed(b);
    if (!l.err)
        l.err = mp_gelu_open(&b->gelu, FFN, why);
    if (l.err) {
        mp_bert_close(b);
        return l.err;
    }
    *out = b;
    return MP_OK;
}

void mp_bert_close(mp_bert *b)
{
    if (!b)
        return;
    mp_gelu_close(b->gelu);
    pthread_mutex_destroy(&b->packing);
    free(atomic_load(&b->packed));
    free(b);
}

/* ---- forward ---- */

enum { LANES = 8 };

/* In LANES partial sums, which the compiler can keep in vector registers. */
static float sum_of(const float *x, float shift, bool squared)
{
    float part[LANES] = {0}, sum = 0;
    for (int i = 0; i < H; i += LANES)
        for (int k = 0; k < LANES; k++) {
            float v = x[i + k] - shift;
            part[k] += squared ? v * v : v;
        }
    for (int k = 0; k < LANES; k++)
        sum += part[k];
    return sum;
}

/* x = norm(x + y); y may be NULL. eps 1e-12 as trained. */
static void add_and_norm(float *x, const float *y, int n, norm g)
{
    for (int t = 0; t < n; t++, x += H) {
        for (int i = 0; y && i < H; i++)
            x[i] += y[(size_t)t * H + (size_t)i];
        float mean = sum_of(x, 0, false) / H;
        float scale = 1 / sqrtf(sum_of(x, mean, true) / H + 1e-12f);
        for (int i = 0; i < H; i++)
            x[i] = (x[i] - mean) * scale * g.gamma[i] + g.beta[i];
    }
}

/* exp(x) for x <= 0, within 3e-7 of itself: 2^f by its Taylor series for |f| <= 1/2, 2^n by the
 * exponent's bits. Without branches, so that loops over it become vector code. */
static inline float exp_of(float x)
{
    float z = x * 1.44269504f;
    z = z < -126 ? -126 : z;
    int32_t n = (int32_t)(z - 0.5f); /* truncates towards zero: rounds what is not positive */
    float f = z - (float)n, scale;
    float p =
        1.0f + f * (0.693147181f +
                    f * (0.240226507f +
                         f * (0.0555041087f +
                              f * (0.00961812911f + f * (0.00133335581f + f * 0.000154035304f)))));
    int32_t bits = (n + 127) << 23;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static void softmax(float *w, int n)
{
    float top = w[0], sum = 0;
    for (int i = 1; i < n; i++)
        top = MP_MAX(top, w[i]);
    for (int i = 0; i < n; i++)
        w[i] = exp_of(w[i] - top);
    for (int i = 0; i < n; i++)
        sum += w[i];
    for (int i = 0; i < n; i++)
        w[i] /= sum;
}

typedef struct scratch {
    float *x, *q, *k, *v, *y, *wide; /* rows of all tokens */
    float *score;                    /* the longest sentence, squared */
} scratch;

/* Scaled dot-product attention in one sentence that starts at row `at`: softmax(q k' / sqrt(d)) v,
 * head by head, into s->y. */
static mp_err attend(const scratch *s, size_t at, int n, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t h = 0; !err && h < HEADS; h++) {
        size_t from = at * H + h * HEAD;
        mp_product near = {s->q + from, s->k + from, s->score,        n, n, HEAD, H, H,
                           n,           true,        1 / sqrtf(HEAD), 0};
        mp_product mix = {s->score, s->v + from, s->y + from, n, HEAD, n, n, H, H, false, 1, 0};
        err = mp_multiply(&near, why);
        for (int i = 0; !err && i < n; i++)
            softmax(s->score + (size_t)i * (size_t)n, n);
        if (!err)
            err = mp_multiply(&mix, why);
    }
    return err;
}

/* 42 MB that only those who read words need. NULL: no memory for it. */
static const float *packed_matrices(mp_bert *b)
{
    float *all = atomic_load_explicit(&b->packed, memory_order_acquire);
    linear *l[LINEARS];
    if (all)
        return all;
    pthread_mutex_lock(&b->packing);
    all = atomic_load(&b->packed);
    bool made = all != NULL;
    if (!all)
        all = aligned_alloc(64, (b->packed_floats * sizeof *all + 63) / 64 * 64);
    for (int i = 0; all && !made && i < LAYERS; i++) {
        list_linears(&b->layers[i], l);
        for (int k = 0; k < LINEARS; k++)
            mp_dense_pack(l[k]->w, (size_t)l[k]->out, (size_t)l[k]->in, (size_t)l[k]->in,
                          all + l[k]->packed_at);
    }
    atomic_store_explicit(&b->packed, all, memory_order_release);
    pthread_mutex_unlock(&b->packing);
    return all;
}

static void apply(const mp_bert *b, const linear *l, const float *x, int rows, float *y)
{
    const float *packed = atomic_load_explicit(&b->packed, memory_order_relaxed) + l->packed_at;
    mp_matrix w = {packed, (size_t)l->out, (size_t)l->in};
    b->dense->multiply(x, (size_t)rows, w.k, &w, 0, w.n, l->b, false, y, w.n);
}

static mp_err run_layer(const mp_bert *b, const encoder_layer *e, const mp_sentences *all,
                        scratch *s, mp_why *why)
{
    int rows = all->tokens;
    size_t at = 0;
    mp_err err = MP_OK;
    apply(b, &e->q, s->x, rows, s->q);
    apply(b, &e->k, s->x, rows, s->k);
    apply(b, &e->v, s->x, rows, s->v);
    for (int i = 0; !err && i < all->n; at += (size_t)all->length[i++])
        err = attend(s, at, all->length[i], why);
    if (err)
        return err;
    apply(b, &e->attended, s->y, rows, s->q);
    add_and_norm(s->x, s->q, rows, e->after_attention);
    apply(b, &e->up, s->x, rows, s->wide);
    err = mp_gelu_run(b->gelu, s->wide, rows, why);
    if (err)
        return err;
    apply(b, &e->down, s->wide, rows, s->y);
    add_and_norm(s->x, s->y, rows, e->after_ffn);
    return MP_OK;
}

static void embed(const mp_bert *b, const mp_sentences *all, float *x)
{
    const int32_t *id = all->ids;
    for (int s = 0; s < all->n; s++)
        for (int t = 0; t < all->length[s]; t++, id++, x += H) {
            const float *word = b->words + (size_t)*id * H, *place = b->positions + (size_t)t * H;
            for (int i = 0; i < H; i++)
                x[i] = word[i] + place[i] + b->types[i];
            add_and_norm(x, NULL, 1, b->embedding);
        }
}

static bool fits(const mp_sentences *all, int *longest)
{
    int tokens = 0;
    *longest = 0;
    for (int s = 0; s < all->n; s++) {
        if (all->length[s] < 1 || all->length[s] > MP_MAX_TOKENS)
            return false;
        tokens += all->length[s];
        *longest = MP_MAX(*longest, all->length[s]);
    }
    for (int t = 0; t < all->tokens; t++)
        if (all->ids[t] < 0 || all->ids[t] >= VOCAB)
            return false;
    return tokens == all->tokens;
}

/* All tokens after the first `layers` layers: *block is freed by the caller, *x lies in it. */
static mp_err forward(mp_bert *b, const mp_sentences *all, int layers, float **block, float **x,
                      mp_why *why)
{
    int longest;
    *block = NULL;
    if (!fits(all, &longest))
        return mp_fail(why, MP_CORRUPT, "the vocabulary does not fit the weights");
    if (!packed_matrices(b))
        return mp_fail(why, MP_NOMEM, "no memory for the weights of the text model");
    size_t rows = (size_t)all->tokens * H, square = (size_t)longest * (size_t)longest;
    float *p = mp_try_array(rows * 5 + (size_t)all->tokens * FFN + square, sizeof *p);
    if (!p)
        return mp_fail(why, MP_NOMEM, "no memory to read the words");
    scratch s = {p,
                 p + rows,
                 p + 2 * rows,
                 p + 3 * rows,
                 p + 4 * rows,
                 p + 5 * rows,
                 p + 5 * rows + (size_t)all->tokens * FFN};
    mp_err err = MP_OK;
    embed(b, all, s.x);
    for (int i = 0; !err && i < layers; i++)
        err = run_layer(b, &b->layers[i], all, &s, why);
    *block = p;
    *x = s.x;
    return err;
}

mp_err mp_bert_encode(mp_bert *b, const mp_sentences *all, float *out, mp_why *why)
{
    float *block, *x;
    mp_err err = forward(b, all, LAYERS, &block, &x, why);
    for (int s = 0; !err && s < all->n; s++, out += H) {
        memset(out, 0, H * sizeof *out);
        for (int t = 0; t < all->length[s]; t++, x += H)
            for (int i = 0; i < H; i++)
                out[i] += x[i];
        if (!mp_normalise(out, H))
            err = mp_fail(why, MP_INTERNAL, "the words have no direction");
    }
    free(block);
    return err;
}

mp_err mp_bert_probe(mp_bert *b, const mp_sentences *all, int layers, float *to, mp_why *why)
{
    float *block, *x;
    if (layers < 0 || layers > LAYERS)
        return mp_fail(why, MP_INVALID, "no layer %d", layers);
    mp_err err = forward(b, all, layers, &block, &x, why);
    if (!err)
        memcpy(to, x, (size_t)all->tokens * H * sizeof *to);
    free(block);
    return err;
}
