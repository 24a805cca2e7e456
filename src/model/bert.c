/* bert.c - see bert.h. The layers are a stack (transformer.h); here are the words before it and the
 * mean after it. */
#include "model/bert.h"

#include "model/transformer.h"
#include "simd/distance.h"
#include "simd/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = BERT_LAYERS, HEADS = 12, FFN = 1536, VOCAB = 30522, POSITIONS = 512 };
enum { H = BERT_HIDDEN };
static const float EPS = 1e-12f; /* as trained */

struct mp_bert {
    const float *words, *positions, *types;
    mp_norm_weights embedding;
    mp_stack *stack;
};

typedef struct loader {
    mp_tensors *weights;
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

static mp_linear_weights get_linear(loader *l, const char *prefix, const char *name, size_t out,
                                    size_t in)
{
    char w[96], b[96];
    snprintf(w, sizeof w, "%s.weight", name);
    snprintf(b, sizeof b, "%s.bias", name);
    return (mp_linear_weights){get(l, prefix, w, out * in), get(l, prefix, b, out)};
}

static mp_norm_weights get_norm(loader *l, const char *prefix, const char *name)
{
    mp_linear_weights both = get_linear(l, prefix, name, H, 1);
    return (mp_norm_weights){both.w, both.b};
}

static void get_layer(loader *l, int i, mp_layer_weights *e)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "encoder.layer.%d.", i);
    e->q = get_linear(l, prefix, "attention.self.query", H, H);
    e->k = get_linear(l, prefix, "attention.self.key", H, H);
    e->v = get_linear(l, prefix, "attention.self.value", H, H);
    e->out = get_linear(l, prefix, "attention.output.dense", H, H);
    e->first = get_norm(l, prefix, "attention.output.LayerNorm");
    e->up = get_linear(l, prefix, "intermediate.dense", FFN, H);
    e->down = get_linear(l, prefix, "output.dense", H, FFN);
    e->second = get_norm(l, prefix, "output.LayerNorm");
}

mp_err mp_bert_open(mp_bert **out, mp_tensors *weights, mp_precision precision, mp_why *why)
{
    loader l = {.weights = weights, .why = why};
    mp_bert *b = mp_xcalloc(1, sizeof *b);
    mp_layer_weights layers[LAYERS];
    mp_stack_spec spec = {.layers = LAYERS,
                          .width = H,
                          .heads = HEADS,
                          .hidden = FFN,
                          .after = true,
                          .activation = MP_GELU,
                          .eps = EPS,
                          .weights = layers};
    *out = NULL;
    b->words = get(&l, "", "embeddings.word_embeddings.weight", (size_t)VOCAB * H);
    b->positions = get(&l, "", "embeddings.position_embeddings.weight", (size_t)POSITIONS * H);
    b->types = get(&l, "", "embeddings.token_type_embeddings.weight", 2 * H);
    b->embedding = get_norm(&l, "embeddings.", "LayerNorm");
    for (int i = 0; i < LAYERS; i++)
        get_layer(&l, i, &layers[i]);
    if (!l.err)
        l.err = mp_stack_open(&b->stack, &spec, precision, why);
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
    mp_stack_close(b->stack);
    free(b);
}

/* ---- forward ---- */

static void embed(const mp_bert *b, const mp_sentences *all, float *x)
{
    const int32_t *id = all->ids;
    float *row = x;
    for (int s = 0; s < all->n; s++)
        for (int t = 0; t < all->length[s]; t++, id++, row += H) {
            const float *word = b->words + (size_t)*id * H, *place = b->positions + (size_t)t * H;
            for (int i = 0; i < H; i++)
                row[i] = word[i] + place[i] + b->types[i];
        }
    mp_rows_for(mp_simd_isa())
        ->norm(x, (size_t)all->tokens, H, H, b->embedding.gamma, b->embedding.beta, EPS, x, H);
}

static bool fits(const mp_sentences *all)
{
    int tokens = 0;
    for (int s = 0; s < all->n; s++) {
        if (all->length[s] < 1 || all->length[s] > MP_MAX_TOKENS)
            return false;
        tokens += all->length[s];
    }
    for (int t = 0; t < all->tokens; t++)
        if (all->ids[t] < 0 || all->ids[t] >= VOCAB)
            return false;
    return tokens == all->tokens;
}

/* All tokens after the first `layers` layers, tokens x H. */
static mp_err forward(const mp_bert *b, const mp_sentences *all, int layers, mp_team *team,
                      float *x, mp_why *why)
{
    mp_sequences rows = {x, all->length, all->n, all->tokens, NULL};
    if (!fits(all))
        return mp_fail(why, MP_CORRUPT, "the vocabulary does not fit the weights");
    embed(b, all, x);
    return mp_stack_run(b->stack, &rows, layers, team, why);
}

mp_err mp_bert_encode(const mp_bert *b, const mp_sentences *all, mp_team *team, float *out,
                      mp_why *why)
{
    float *x = mp_try_array((size_t)all->tokens * H, sizeof *x), *row = x;
    mp_err err = x ? forward(b, all, LAYERS, team, x, why)
                   : mp_fail(why, MP_NOMEM, "no memory to read the words");
    for (int s = 0; !err && s < all->n; s++, out += H) {
        memset(out, 0, H * sizeof *out);
        for (int t = 0; t < all->length[s]; t++, row += H)
            for (int i = 0; i < H; i++)
                out[i] += row[i];
        if (!mp_normalise(out, H))
            err = mp_fail(why, MP_CORRUPT, "the words have no direction: the weights are damaged");
    }
    free(x);
    return err;
}

mp_err mp_bert_probe(const mp_bert *b, const mp_sentences *all, int layers, float *to, mp_why *why)
{
    return forward(b, all, layers, NULL, to, why);
}
