/* dnnl_conv.c - see dnnl_conv.h. The two versions of the API differ in how descriptors are made;
 * everything that differs is between the #if lines. */
#include "model/dnnl_conv.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t md_t;
typedef const_dnnl_memory_desc_t md_view;
#define MD_REF(md) (md)
static void md_free(md_t md)
{
    if (md)
        dnnl_memory_desc_destroy(md);
}
static dnnl_status_t md_make(md_t *md, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(md, rank, dims, dnnl_f32, tag);
}
static bool md_same(md_view a, md_view b)
{
    return dnnl_memory_desc_equal(a, b) != 0;
}
#else
typedef dnnl_memory_desc_t md_t;
typedef const dnnl_memory_desc_t *md_view;
#define MD_REF(md) (&(md))
static void md_free(md_t md)
{
    (void)md;
}
static dnnl_status_t md_make(md_t *md, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(md, rank, dims, dnnl_f32, tag);
}
static bool md_same(md_view a, md_view b)
{
    return dnnl_memory_desc_equal(a, b) != 0;
}
#endif

typedef struct layer {
    mp_conv_spec spec;
    int out_side;
    dnnl_primitive_t conv, bring_in, read_out; /* bring_in: NULL when layouts agree */
    dnnl_memory_t src, weights, bias, dst, plain;
    float *plain_data;
} layer;

struct mp_net {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_t input;
    layer *layers;
    int n;
};

static mp_err check(dnnl_status_t s, const char *what, mp_why *why)
{
    if (s == dnnl_success)
        return MP_OK;
    if (s == dnnl_out_of_memory)
        return mp_fail(why, MP_NOMEM, "oneDNN: no memory to %s", what);
    return mp_fail(why, MP_INTERNAL, "oneDNN cannot %s (status %d)", what, (int)s);
}

/* ---- what differs between versions 2 and 3 ---- */

typedef struct conv_shapes {
    md_t src, weights, bias, dst;
    dnnl_dims_t strides, dilates, low, high;
} conv_shapes;

static dnnl_status_t make_attr(const mp_conv_spec *s, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    if (status == dnnl_success)
        status = dnnl_post_ops_create(&ops);
#if DNNL_VERSION_MAJOR >= 3
    if (status == dnnl_success && s->add_from >= 0)
        status = dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
    if (status == dnnl_success && s->relu6)
        status = dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_clip, 0.0f, 6.0f);
#else
    if (status == dnnl_success && s->add_from >= 0)
        status = dnnl_post_ops_append_sum(ops, 1.0f);
    if (status == dnnl_success && s->relu6)
        status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_clip, 0.0f, 6.0f);
#endif
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    return status;
}

static dnnl_status_t make_conv_desc(dnnl_engine_t engine, const conv_shapes *c,
                                    dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_forward_primitive_desc_create(
        out, engine, dnnl_forward_inference, dnnl_convolution_direct, c->src, c->weights, c->bias,
        c->dst, c->strides, c->dilates, c->low, c->high, attr);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init(
        &desc, dnnl_forward_inference, dnnl_convolution_direct, &c->src, &c->weights, &c->bias,
        &c->dst, c->strides, c->dilates, c->low, c->high);
    return s == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, NULL) : s;
#endif
}

/* ---- building ---- */

static dnnl_status_t make_reorder(dnnl_engine_t engine, md_view from, md_view to,
                                  dnnl_primitive_t *out)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t s = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL);
    if (s == dnnl_success)
        s = dnnl_primitive_create(out, pd);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return s;
}

static dnnl_status_t run_reorder(mp_net *net, dnnl_primitive_t p, dnnl_memory_t from,
                                 dnnl_memory_t to)
{
    dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    return dnnl_primitive_execute(p, net->stream, 2, args);
}

static void shapes_of(const layer *l, conv_shapes *c, dnnl_dims_t weight_dims, int *weight_rank)
{
    const mp_conv_spec *s = &l->spec;
    /* SAME: what is needed in all, the smaller half before. */
    int need = (l->out_side - 1) * s->stride + s->kernel - s->side, before = MP_MAX(need, 0) / 2;
    dnnl_dims_t dense = {s->out, s->in, s->kernel, s->kernel};
    dnnl_dims_t grouped = {s->in, 1, 1, s->kernel, s->kernel};
    *weight_rank = s->depthwise ? 5 : 4;
    memcpy(weight_dims, s->depthwise ? grouped : dense, sizeof(dnnl_dims_t));
    for (int i = 0; i < 2; i++) {
        c->strides[i] = s->stride;
        c->dilates[i] = 0;
        c->low[i] = before;
        c->high[i] = MP_MAX(need, 0) - before;
    }
}

/* The user's row-major weights in the layout that the convolution wants. */
static dnnl_status_t bring_weights(mp_net *net, layer *l, int rank, const dnnl_dims_t dims,
                                   md_view wanted)
{
    md_t plain = {0};
    dnnl_memory_t from = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_status_t s = md_make(&plain, rank, dims, rank == 5 ? dnnl_goihw : dnnl_oihw);
    if (s == dnnl_success)
        s = dnnl_memory_create(&from, MD_REF(plain), net->engine,
                               (void *)(uintptr_t)l->spec.weights);
    if (s == dnnl_success)
        s = dnnl_memory_create(&l->weights, wanted, net->engine, DNNL_MEMORY_ALLOCATE);
    if (s == dnnl_success)
        s = make_reorder(net->engine, MD_REF(plain), wanted, &reorder);
    if (s == dnnl_success)
        s = run_reorder(net, reorder, from, l->weights);
    if (s == dnnl_success)
        s = dnnl_stream_wait(net->stream);
    if (reorder)
        dnnl_primitive_destroy(reorder);
    if (from)
        dnnl_memory_destroy(from);
    md_free(plain);
    return s;
}

static dnnl_status_t bring_bias(mp_net *net, layer *l, md_view desc)
{
    void *to = NULL;
    dnnl_status_t s = dnnl_memory_create(&l->bias, desc, net->engine, DNNL_MEMORY_ALLOCATE);
    if (s == dnnl_success)
        s = dnnl_memory_get_data_handle(l->bias, &to);
    if (s == dnnl_success)
        memcpy(to, l->spec.bias, (size_t)l->spec.out * sizeof(float));
    return s;
}

static md_view desc_of(dnnl_memory_t memory)
{
    md_view md = NULL;
    dnnl_memory_get_memory_desc(memory, &md);
    return md;
}

/* Memories of a layer: its input is the last output, reordered when the layouts differ. A layer that
 * adds an earlier output writes into a copy of it, which is what oneDNN's fused sum wants. */
static dnnl_status_t wire(mp_net *net, int at, dnnl_primitive_desc_t pd)
{
    layer *l = &net->layers[at];
    dnnl_memory_t from = at ? net->layers[at - 1].dst : net->input;
    md_view src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    md_view dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_status_t s = dnnl_memory_create(&l->dst, dst, net->engine, DNNL_MEMORY_ALLOCATE);
    if (s != dnnl_success)
        return s;
    if (md_same(src, desc_of(from))) {
        l->src = from;
        return dnnl_success;
    }
    s = dnnl_memory_create(&l->src, src, net->engine, DNNL_MEMORY_ALLOCATE);
    return s == dnnl_success ? make_reorder(net->engine, desc_of(from), src, &l->bring_in) : s;
}

static dnnl_status_t build_layer(mp_net *net, int at)
{
    layer *l = &net->layers[at];
    const mp_conv_spec *spec = &l->spec;
    conv_shapes c = {0};
    dnnl_dims_t weight_dims, src = {1, spec->in, spec->side, spec->side};
    dnnl_dims_t dst = {1, spec->out, l->out_side, l->out_side}, bias = {spec->out};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    int rank;
    shapes_of(l, &c, weight_dims, &rank);
    dnnl_status_t s = md_make(&c.src, 4, src, dnnl_format_tag_any);
    if (s == dnnl_success)
        s = md_make(&c.weights, rank, weight_dims, dnnl_format_tag_any);
    if (s == dnnl_success)
        s = md_make(&c.bias, 1, bias, dnnl_a);
    if (s == dnnl_success)
        s = md_make(&c.dst, 4, dst, dnnl_format_tag_any);
    if (s == dnnl_success)
        s = make_attr(spec, &attr);
    if (s == dnnl_success)
        s = make_conv_desc(net->engine, &c, attr, &pd);
    if (s == dnnl_success)
        s = dnnl_primitive_create(&l->conv, pd);
    if (s == dnnl_success)
        s = bring_weights(net, l, rank, weight_dims,
                          dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0));
    if (s == dnnl_success)
        s = bring_bias(net, l, MD_REF(c.bias));
    if (s == dnnl_success)
        s = wire(net, at, pd);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    md_free(c.src);
    md_free(c.weights);
    md_free(c.bias);
    md_free(c.dst);
    return s;
}

mp_err mp_net_open(mp_net **out, const mp_conv_spec *layers, int n, mp_why *why)
{
    mp_net *net = mp_xcalloc(1, sizeof *net);
    md_t input = {0};
    dnnl_dims_t dims = {1, layers[0].in, layers[0].side, layers[0].side};
    *out = NULL;
    net->n = n;
    net->layers = mp_xcalloc((size_t)n, sizeof *net->layers);
    dnnl_status_t s = dnnl_engine_create(&net->engine, dnnl_cpu, 0);
    if (s == dnnl_success)
        s = dnnl_stream_create(&net->stream, net->engine, dnnl_stream_default_flags);
    if (s == dnnl_success)
        s = md_make(&input, 4, dims, dnnl_nchw);
    if (s == dnnl_success)
        s = dnnl_memory_create(&net->input, MD_REF(input), net->engine, DNNL_MEMORY_NONE);
    md_free(input);
    for (int i = 0; i < n && s == dnnl_success; i++) {
        net->layers[i].spec = layers[i];
        net->layers[i].out_side = (layers[i].side + layers[i].stride - 1) / layers[i].stride;
        s = build_layer(net, i);
    }
    if (s != dnnl_success) {
        mp_net_close(net);
        return check(s, "build the network", why);
    }
    *out = net;
    return MP_OK;
}

static void close_layer(layer *l)
{
    dnnl_primitive_t primitives[] = {l->conv, l->bring_in, l->read_out};
    dnnl_memory_t memories[] = {l->bring_in ? l->src : NULL, l->weights, l->bias, l->dst, l->plain};
    for (size_t i = 0; i < MP_COUNT(primitives); i++)
        if (primitives[i])
            dnnl_primitive_destroy(primitives[i]);
    for (size_t i = 0; i < MP_COUNT(memories); i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
}

void mp_net_close(mp_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->n; i++)
        close_layer(&net->layers[i]);
    if (net->input)
        dnnl_memory_destroy(net->input);
    if (net->stream)
        dnnl_stream_destroy(net->stream);
    if (net->engine)
        dnnl_engine_destroy(net->engine);
    free(net->layers);
    free(net);
}

/* ---- running ---- */

static dnnl_status_t run_layer(mp_net *net, layer *l, dnnl_memory_t from)
{
    dnnl_status_t s = dnnl_success;
    if (l->bring_in)
        s = run_reorder(net, l->bring_in, from, l->src);
    if (s == dnnl_success && l->spec.add_from >= 0) {
        dnnl_memory_t other = net->layers[l->spec.add_from].dst;
        void *to = NULL, *data = NULL;
        /* Same channels and side, same primitive kind: oneDNN chose the same layout (checked). */
        if (!md_same(desc_of(l->dst), desc_of(other)))
            return dnnl_unimplemented;
        dnnl_memory_get_data_handle(l->dst, &to);
        dnnl_memory_get_data_handle(other, &data);
        memcpy(to, data, dnnl_memory_desc_get_size(desc_of(l->dst)));
    }
    dnnl_exec_arg_t args[4] = {{DNNL_ARG_SRC, l->src},
                               {DNNL_ARG_WEIGHTS, l->weights},
                               {DNNL_ARG_BIAS, l->bias},
                               {DNNL_ARG_DST, l->dst}};
    return s == dnnl_success ? dnnl_primitive_execute(l->conv, net->stream, 4, args) : s;
}

mp_err mp_net_run(mp_net *net, const float *input, int upto, mp_why *why)
{
    dnnl_status_t s = dnnl_memory_set_data_handle(net->input, (void *)(uintptr_t)input);
    for (int i = 0; i < MP_MIN(upto, net->n) && s == dnnl_success; i++)
        s = run_layer(net, &net->layers[i], i ? net->layers[i - 1].dst : net->input);
    if (s == dnnl_success)
        s = dnnl_stream_wait(net->stream);
    return check(s, "run the network", why);
}

mp_err mp_net_read(mp_net *net, int at, float *to, mp_why *why)
{
    layer *l = &net->layers[at];
    dnnl_status_t s = dnnl_success;
    if (!l->read_out) {
        md_t plain = {0};
        dnnl_dims_t dims = {1, l->spec.out, l->out_side, l->out_side};
        s = md_make(&plain, 4, dims, dnnl_nchw);
        if (s == dnnl_success)
            s = dnnl_memory_create(&l->plain, MD_REF(plain), net->engine, DNNL_MEMORY_NONE);
        if (s == dnnl_success)
            s = make_reorder(net->engine, desc_of(l->dst), MD_REF(plain), &l->read_out);
        md_free(plain);
    }
    if (s == dnnl_success)
        s = dnnl_memory_set_data_handle(l->plain, to);
    if (s == dnnl_success)
        s = run_reorder(net, l->read_out, l->dst, l->plain);
    if (s == dnnl_success)
        s = dnnl_stream_wait(net->stream);
    return check(s, "read a layer", why);
}

mp_err mp_gemm_nt(int m, int n, int k, const float *a, const float *b, const float *bias, float *c,
                  mp_why *why)
{
    for (int i = 0; i < m; i++)
        if (bias)
            memcpy(c + (size_t)i * (size_t)n, bias, (size_t)n * sizeof *c);
    return check(dnnl_sgemm('N', 'T', m, n, k, 1.0f, a, k, b, k, bias ? 1.0f : 0.0f, c, n),
                 "multiply", why);
}
