/* effnet.c - see effnet.h. Batch normalisation (eps 1e-3) is folded into the convolutions. */
#include "model/effnet.h"

#include "model/dnnl_conv.h"
#include "model/net8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16, MID_A_BLOCK = 4, MID_B_BLOCK = 10, PX = EFFNET_SIDE * EFFNET_SIDE };

static const struct block {
    int out, kernel, stride, expand;
} blocks[BLOCKS] = {
    {16, 3, 1, 1},  {24, 3, 2, 6},  {24, 3, 1, 6},  {40, 5, 2, 6},  {40, 5, 1, 6},  {80, 3, 2, 6},
    {80, 3, 1, 6},  {80, 3, 1, 6},  {112, 5, 1, 6}, {112, 5, 1, 6}, {112, 5, 1, 6}, {192, 5, 2, 6},
    {192, 5, 1, 6}, {192, 5, 1, 6}, {192, 5, 1, 6}, {320, 3, 1, 6},
};

struct mp_effnet {
    mp_net *net;   /* f32, or NULL */
    mp_net8 *net8; /* 8-bit products, or NULL */
    mp_conv_spec layers[EFFNET_LAYERS];
    int n;
    int block_end[BLOCKS]; /* layer whose output is the block's */
    float *input;          /* 224 x 224 x 3 */
};

/* ---- weights ---- */

typedef struct builder {
    mp_effnet *net;
    mp_tensors *weights;           /* NULL: only the layers' shapes are wanted */
    float mean[EFFNET_FEATURES];   /* of each channel that the last layer gives */
    float before[EFFNET_FEATURES]; /* that came into the block */
    mp_err err;
    mp_why *why;
} builder;

static const float *tensor(builder *b, const char *prefix, const char *name, size_t n)
{
    char key[96];
    mp_tensor t = {0};
    snprintf(key, sizeof key, "%s%s", prefix, name);
    if (!b->err)
        b->err = mp_tensors_get(b->weights, key, n, &t, b->why);
    return b->err ? NULL : t.data;
}

/* The mean of what a norm gives, were it normal: beta, or with ReLU6 that of the clipped normal
 * distribution with mean beta and deviation gamma. */
static float mean_of(float beta, float gamma, bool relu6)
{
    double m = (double)beta, d = fmax(fabs((double)gamma), 1e-6), low = -m / d, high = (6 - m) / d;
    double below = 0.5 * (1 + erf(low / sqrt(2))), under = 0.5 * (1 + erf(high / sqrt(2)));
    double slope = (exp(-low * low / 2) - exp(-high * high / 2)) / sqrt(2 * 3.14159265358979);
    return (float)(relu6 ? m * (under - below) + d * slope + 6 * (1 - under) : m);
}

static float *copy_means(const float *mean, size_t n)
{
    float *copy = mp_xmalloc(n * sizeof *copy);
    memcpy(copy, mean, n * sizeof *copy);
    return copy;
}

/* conv then norm is conv with w * g / s and a bias of beta - mean * g / s, s = sqrt(var + eps). */
static void add_layer(builder *b, mp_conv_spec spec, const char *conv, const char *norm)
{
    size_t out = (size_t)spec.out,
           per = (size_t)(spec.depthwise ? 1 : spec.in) * (size_t)(spec.kernel * spec.kernel);
    if (!b->weights) {
        b->net->layers[b->net->n++] = spec;
        return;
    }
    const float *w = tensor(b, conv, ".weight", out * per);
    const float *gamma = tensor(b, norm, ".weight", out), *beta = tensor(b, norm, ".bias", out);
    const float *mean = tensor(b, norm, ".running_mean", out);
    const float *var = tensor(b, norm, ".running_var", out);
    if (b->err)
        return;
    float *folded = mp_xmalloc(out * per * sizeof *folded), *bias = mp_xmalloc(out * sizeof *bias);
    for (size_t o = 0; o < out; o++) {
        double scale = (double)gamma[o] / sqrt((double)var[o] + 1e-3);
        bias[o] = (float)((double)beta[o] - (double)mean[o] * scale);
        for (size_t i = 0; i < per; i++)
            folded[o * per + i] = (float)((double)w[o * per + i] * scale);
    }
    spec.weights = folded;
    spec.bias = bias;
    spec.expected = copy_means(b->mean, (size_t)spec.in);
    for (size_t o = 0; o < out; o++)
        b->mean[o] = mean_of(beta[o], gamma[o], spec.relu6);
    b->net->layers[b->net->n++] = spec;
}

static int add_block(builder *b, int at, int in, int side, int last)
{
    const struct block *k = &blocks[at];
    int wide = in * k->expand, out_side = side / k->stride;
    bool residual = k->stride == 1 && in == k->out;
    char prefix[32], conv[64], norm[64];
    memcpy(b->before, b->mean, sizeof b->before);
    snprintf(prefix, sizeof prefix, "_blocks.%d.", at);
    if (k->expand != 1) {
        snprintf(conv, sizeof conv, "%s_expand_conv", prefix);
        snprintf(norm, sizeof norm, "%s_bn0", prefix);
        add_layer(b,
                  (mp_conv_spec){.in = in,
                                 .out = wide,
                                 .side = side,
                                 .kernel = 1,
                                 .stride = 1,
                                 .relu6 = true,
                                 .add_from = -1},
                  conv, norm);
    }
    snprintf(conv, sizeof conv, "%s_depthwise_conv", prefix);
    snprintf(norm, sizeof norm, "%s_bn1", prefix);
    add_layer(b,
              (mp_conv_spec){.in = wide,
                             .out = wide,
                             .side = side,
                             .kernel = k->kernel,
                             .stride = k->stride,
                             .depthwise = true,
                             .relu6 = true,
                             .add_from = -1},
              conv, norm);
    snprintf(conv, sizeof conv, "%s_project_conv", prefix);
    snprintf(norm, sizeof norm, "%s_bn2", prefix);
    add_layer(b,
              (mp_conv_spec){.in = wide,
                             .out = k->out,
                             .side = out_side,
                             .kernel = 1,
                             .stride = 1,
                             .keep = at == MID_A_BLOCK || at == MID_B_BLOCK,
                             .add_from = residual ? last : -1},
              conv, norm);
    for (int o = 0; residual && o < k->out; o++)
        b->mean[o] += b->before[o];
    b->net->block_end[at] = b->net->n - 1;
    return out_side;
}

static void add_all(builder *b)
{
    int side = EFFNET_SIDE / 2, in = 32;
    add_layer(b,
              (mp_conv_spec){.in = 3,
                             .out = 32,
                             .side = EFFNET_SIDE,
                             .kernel = 3,
                             .stride = 2,
                             .relu6 = true,
                             .add_from = -1},
              "_conv_stem", "_bn0");
    for (int i = 0; i < BLOCKS; i++) {
        side = add_block(b, i, in, side, b->net->n - 1);
        in = blocks[i].out;
    }
    add_layer(b,
              (mp_conv_spec){.in = in,
                             .out = EFFNET_FEATURES,
                             .side = side,
                             .kernel = 1,
                             .stride = 1,
                             .relu6 = true,
                             .add_from = -1},
              "_conv_head", "_bn1");
}

mp_err mp_effnet_open(mp_effnet **out, mp_tensors *weights, const mp_effnet *like,
                      mp_precision precision, mp_why *why)
{
    mp_effnet *net = mp_xcalloc(1, sizeof *net);
    builder b = {.net = net, .weights = like ? NULL : weights, .why = why};
    *out = NULL;
    net->input = mp_xmalloc(3 * PX * sizeof *net->input);
    add_all(&b);
    mp_err err = b.err;
    if (!err && precision == MP_F32)
        err = mp_net_open(&net->net, net->layers, net->n, like ? like->net : NULL, why);
    else if (!err)
        err = mp_net8_open(&net->net8, net->layers, net->n, like ? like->net8 : NULL, why);
    for (int i = 0; i < net->n; i++) {
        free((void *)(uintptr_t)net->layers[i].weights);
        free((void *)(uintptr_t)net->layers[i].bias);
        free((void *)(uintptr_t)net->layers[i].expected);
    }
    if (err) {
        mp_effnet_close(net);
        return err;
    }
    *out = net;
    return MP_OK;
}

void mp_effnet_close(mp_effnet *net)
{
    if (!net)
        return;
    mp_net_close(net->net);
    mp_net8_close(net->net8);
    free(net->input);
    free(net);
}

/* ---- running ---- */

static void fill_input(mp_effnet *net, const uint8_t *px, float mean, float scale)
{
    for (int i = 0; i < 3 * PX; i++)
        net->input[i] = ((float)px[i] - mean) * scale;
}

static mp_err run(mp_effnet *net, int upto, mp_team *team, mp_why *why)
{
    return net->net8 ? mp_net8_run(net->net8, net->input, upto, team, why)
                     : mp_net_run(net->net, net->input, upto, why);
}

static mp_err read_layer(const mp_effnet *net, int layer, float *to, mp_why *why)
{
    return net->net8 ? mp_net8_read(net->net8, layer, to, why)
                     : mp_net_read(net->net, layer, to, why);
}

mp_err mp_effnet_features(mp_effnet *net, const uint8_t *px, mp_team *team, float *features,
                          mp_why *why)
{
    fill_input(net, px, 127, 1.0f / 128);
    mp_err err = run(net, net->n, team, why);
    return err ? err : read_layer(net, net->n - 1, features, why);
}

mp_err mp_effnet_middle(mp_effnet *net, const uint8_t *px, float *a, float *b, mp_why *why)
{
    uint64_t sum = 0, square = 0;
    for (int i = 0; i < 3 * PX; i++) {
        sum += px[i];
        square += (uint64_t)px[i] * px[i];
    }
    double n = 3 * PX, mean = (double)sum / n, variance = (double)square / n - mean * mean;
    double deviation = sqrt(fmax(variance, 64)); /* 8 levels: flat pictures stay flat */
    fill_input(net, px, (float)mean, (float)(1 / deviation));
    mp_err err = run(net, net->block_end[MID_B_BLOCK] + 1, NULL, why);
    if (!err)
        err = read_layer(net, net->block_end[MID_A_BLOCK], a, why);
    return err ? err : read_layer(net, net->block_end[MID_B_BLOCK], b, why);
}

mp_err mp_effnet_probe(mp_effnet *net, const float *input, int layer, float *to, int *channels,
                       int *side, mp_why *why)
{
    if (layer < 0 || layer >= net->n || !net->net)
        return mp_fail(why, MP_INVALID, "no layer %d", layer);
    const mp_conv_spec *s = &net->layers[layer];
    *channels = s->out;
    *side = (s->side + s->stride - 1) / s->stride;
    mp_err err = mp_net_run(net->net, input, layer + 1, why);
    return err ? err : mp_net_read(net->net, layer, to, why);
}
