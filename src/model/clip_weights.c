/* clip_weights.c - see clip_weights.h. */
#include "model/clip_weights.h"

#include <stdio.h>
#include <string.h>

typedef struct tower_names {
    const char *layer; /* of all tensors of a layer: a format with its number */
    const char *positions, *last, *projection;
} tower_names;

typedef struct school {
    tower_names image, text;
    const char *class_token, *patch, *first, *tokens;
    const char *norm1, *norm2, *out, *up, *down;
    const char *q, *k, *v; /* NULL where they are one tensor: */
    const char *joined_w, *joined_b;
    bool across; /* projections are stored as width x dims */
} school;

static const school transformers = {
    .image = {"vision_model.encoder.layers.%d.",
              "vision_model.embeddings.position_embedding.weight", "vision_model.post_layernorm",
              "visual_projection.weight"},
    .text = {"text_model.encoder.layers.%d.", "text_model.embeddings.position_embedding.weight",
             "text_model.final_layer_norm", "text_projection.weight"},
    .class_token = "vision_model.embeddings.class_embedding",
    .patch = "vision_model.embeddings.patch_embedding.weight",
    .first = "vision_model.pre_layrnorm", /* as it is spelt there */
    .tokens = "text_model.embeddings.token_embedding.weight",
    .norm1 = "layer_norm1",
    .norm2 = "layer_norm2",
    .q = "self_attn.q_proj",
    .k = "self_attn.k_proj",
    .v = "self_attn.v_proj",
    .out = "self_attn.out_proj",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
};

static const school open_clip = {
    .image = {"visual.transformer.resblocks.%d.", "visual.positional_embedding", "visual.ln_post",
              "visual.proj"},
    .text = {"transformer.resblocks.%d.", "positional_embedding", "ln_final", "text_projection"},
    .class_token = "visual.class_embedding",
    .patch = "visual.conv1.weight",
    .first = "visual.ln_pre",
    .tokens = "token_embedding.weight",
    .norm1 = "ln_1",
    .norm2 = "ln_2",
    .joined_w = "attn.in_proj_weight",
    .joined_b = "attn.in_proj_bias",
    .out = "attn.out_proj",
    .up = "mlp.c_fc",
    .down = "mlp.c_proj",
    .across = true,
};

typedef struct reading {
    mp_tensors *t;
    const school *names;
    mp_err err;
    mp_why *why;
} reading;

/* A tensor of this very shape; a side of 0 ends it. */
static const float *get(reading *r, const char *name, size_t a, size_t b, size_t c, size_t d)
{
    const size_t want[4] = {a, b, c, d};
    size_t n = 1;
    int rank = 0;
    mp_tensor t;
    for (; rank < 4 && want[rank]; rank++)
        n *= want[rank];
    if (!r->err)
        r->err = mp_tensors_get(r->t, name, n, &t, r->why);
    bool same = !r->err && t.rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = (size_t)t.shape[i] == want[i];
    if (!r->err && !same)
        r->err = mp_fail(r->why, MP_CORRUPT, "the shape of %s is not the model's", name);
    return r->err ? NULL : t.data;
}

static const float *get_part(reading *r, const char *prefix, const char *name, const char *end,
                             size_t a, size_t b)
{
    char key[160];
    snprintf(key, sizeof key, "%s%s%s", prefix, name, end);
    return get(r, key, a, b, 0, 0);
}

static mp_norm_weights get_norm(reading *r, const char *prefix, const char *name, size_t n)
{
    return (mp_norm_weights){get_part(r, prefix, name, ".weight", n, 0),
                             get_part(r, prefix, name, ".bias", n, 0)};
}

static mp_linear_weights get_linear(reading *r, const char *prefix, const char *name, size_t out,
                                    size_t in)
{
    return (mp_linear_weights){get_part(r, prefix, name, ".weight", out, in),
                               get_part(r, prefix, name, ".bias", out, 0)};
}

static void get_attention(reading *r, const char *prefix, size_t w, mp_layer_weights *l)
{
    const school *n = r->names;
    if (n->q) {
        l->q = get_linear(r, prefix, n->q, w, w);
        l->k = get_linear(r, prefix, n->k, w, w);
        l->v = get_linear(r, prefix, n->v, w, w);
    } else {
        const float *weight = get_part(r, prefix, n->joined_w, "", 3 * w, w);
        const float *bias = get_part(r, prefix, n->joined_b, "", 3 * w, 0);
        if (r->err)
            return;
        l->q = (mp_linear_weights){weight, bias};
        l->k = (mp_linear_weights){weight + w * w, bias + w};
        l->v = (mp_linear_weights){weight + 2 * w * w, bias + 2 * w};
    }
    l->out = get_linear(r, prefix, n->out, w, w);
}

static void get_tower(reading *r, const tower_names *names, const int sizes[3], size_t rows,
                      size_t dims, mp_tower_weights *out)
{
    size_t layers = (size_t)sizes[0], w = (size_t)sizes[1], hidden = (size_t)sizes[2];
    char prefix[96];
    if (layers > MP_CLIP_MAX_LAYERS && !r->err)
        r->err = mp_fail(r->why, MP_CORRUPT, "a model of %zu layers", layers);
    for (size_t i = 0; !r->err && i < layers; i++) {
        mp_layer_weights *l = &out->layer[i];
        char number[24];
        const char *at = strstr(names->layer, "%d");
        snprintf(number, sizeof number, "%zu", i);
        snprintf(prefix, sizeof prefix, "%.*s%s%s", (int)(at - names->layer), names->layer, number,
                 at + 2);
        l->first = get_norm(r, prefix, r->names->norm1, w);
        l->second = get_norm(r, prefix, r->names->norm2, w);
        get_attention(r, prefix, w, l);
        l->up = get_linear(r, prefix, r->names->up, hidden, w);
        l->down = get_linear(r, prefix, r->names->down, w, hidden);
    }
    out->positions = get(r, names->positions, rows, w, 0, 0);
    out->last = get_norm(r, "", names->last, w);
    out->projection = r->names->across ? get(r, names->projection, w, dims, 0, 0)
                                       : get(r, names->projection, dims, w, 0, 0);
}

mp_err mp_clip_weights_get(mp_tensors *t, const mp_clip_shape *s, mp_clip_weights *out, mp_why *why)
{
    reading r = {
        .t = t,
        .names = mp_tensors_has(t, open_clip.class_token) ? &open_clip : &transformers,
        .why = why,
    };
    size_t w = (size_t)s->image_width, patch = (size_t)s->patch,
           grid = (size_t)(s->side / s->patch);
    int image[3] = {s->image_layers, s->image_width, s->image_hidden};
    int text[3] = {s->text_layers, s->text_width, s->text_hidden};
    *out = (mp_clip_weights){.across = r.names->across};
    out->class_token = get(&r, r.names->class_token, w, 0, 0, 0);
    out->patch = get(&r, r.names->patch, w, 3, patch, patch);
    out->first = get_norm(&r, "", r.names->first, w);
    out->tokens = get(&r, r.names->tokens, (size_t)s->vocabulary, (size_t)s->text_width, 0, 0);
    get_tower(&r, &r.names->image, image, grid * grid + 1, (size_t)s->dims, &out->image);
    get_tower(&r, &r.names->text, text, MP_CLIP_CONTEXT, (size_t)s->dims, &out->text);
    return r.err;
}
