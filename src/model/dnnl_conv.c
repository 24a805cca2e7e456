/* dnnl_conv.c - see dnnl_conv.h. The two versions of oneDNN's API differ in how primitives are
 * described; everything that differs is between the #if lines and in dnnl_version.h. */
#include "model/dnnl_conv.h"

#include "model/dnnl_version.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SLOTS = 8, ALIGNMENT = 64 };

typedef struct layer {
    mp_conv_spec spec;
    int out_side;
    int slot;                                  /* whose memory the output lies in */
    int last_used;                             /* layer after which that memory is free again */
    dnnl_primitive_t conv, bring_in, read_out; /* bring_in: NULL when layouts agree */
    dnnl_memory_t src, dst, plain, scratch;
    dnnl_memory_t weights, bias; /* of `like` when there is one */
} layer;

/* Outputs share a few slots: what a layer writes is still cached when the next one reads it. */
typedef struct slot {
    void *data;
    size_t bytes;
    int busy_until;
} slot;

struct mp_net {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_t input;
    const mp_net *like; /* owner of the engine and the weights, or NULL */
    layer *layers;
    int n;
    slot slots[MAX_SLOTS];
    int n_slots;
};

/* ---- what differs between versions 2 and 3 ---- */

typedef struct conv_shapes {
    md_t src, weights, bias, dst;
    dnnl_dims_t strides, dilates, low, high;
} conv_shapes;

static dnnl_status_t make_attr(const mp_conv_spec *s, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);
    /* oneDNN's own scratchpad may belong to the thread that made the primitive; nets change
     * threads. */
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
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

/* ---- weights ---- */

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

/* ---- memory ---- */

/* A layer's output is read by the next one, by the one that adds it, and by the caller if kept. */
static void plan_lives(mp_net *net)
{
    for (int i = 0; i < net->n; i++) {
        layer *l = &net->layers[i];
        l->last_used = l->spec.keep ? net->n : i + 1;
        if (l->spec.add_from >= 0)
            net->layers[l->spec.add_from].last_used =
                MP_MAX(net->layers[l->spec.add_from].last_used, i);
    }
}

/* oneDNN's fused sum adds to what the output holds: the layer writes over the one that it adds,
 * whose last reader it is. */
static bool choose_slot(mp_net *net, int at, size_t bytes)
{
    layer *l = &net->layers[at];
    int chosen = -1;
    if (l->spec.add_from >= 0) {
        chosen = net->layers[l->spec.add_from].slot;
        if (net->slots[chosen].busy_until != at)
            return false;
    }
    for (int i = 0; i < net->n_slots && chosen < 0; i++)
        if (net->slots[i].busy_until < at)
            chosen = i;
    if (chosen < 0 && net->n_slots < MAX_SLOTS)
        chosen = net->n_slots++;
    if (chosen < 0)
        return false;
    slot *s = &net->slots[chosen];
    s->bytes = MP_MAX(s->bytes, bytes);
    s->busy_until = l->last_used;
    l->slot = chosen;
    return true;
}

static dnnl_status_t give_slots_memory(mp_net *net)
{
    dnnl_status_t s = dnnl_success;
    for (int i = 0; i < net->n_slots; i++) {
        size_t rounded = (net->slots[i].bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        net->slots[i].data = aligned_alloc(ALIGNMENT, rounded);
        if (!net->slots[i].data)
            return dnnl_out_of_memory;
    }
    for (int i = 0; i < net->n && s == dnnl_success; i++)
        s = dnnl_memory_set_data_handle(net->layers[i].dst, net->slots[net->layers[i].slot].data);
    return s;
}

/* Memories of a layer: its input is the last output, reordered when the layouts differ. */
static dnnl_status_t wire(mp_net *net, int at, dnnl_primitive_desc_t pd)
{
    layer *l = &net->layers[at];
    dnnl_memory_t from = at ? net->layers[at - 1].dst : net->input;
    md_view src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    md_view dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    if (l->spec.add_from >= 0 && !md_same(dst, desc_of(net->layers[l->spec.add_from].dst)))
        return dnnl_unimplemented;
    if (!choose_slot(net, at, dnnl_memory_desc_get_size(dst)))
        return dnnl_unimplemented;
    dnnl_status_t s = dnnl_memory_create(&l->dst, dst, net->engine, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_memory_create(&l->scratch,
                               dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0),
                               net->engine, DNNL_MEMORY_ALLOCATE);
    if (s != dnnl_success)
        return s;
    if (md_same(src, desc_of(from))) {
        l->src = from;
        return dnnl_success;
    }
    s = dnnl_memory_create(&l->src, src, net->engine, DNNL_MEMORY_ALLOCATE);
    return s == dnnl_success ? make_reorder(net->engine, desc_of(from), src, &l->bring_in) : s;
}

/* The same shapes and settings give the same layout, so that a second net can use the first's. */
static dnnl_status_t take_weights(mp_net *net, int at, int rank, const dnnl_dims_t dims,
                                  md_view wanted, md_view bias)
{
    layer *l = &net->layers[at];
    if (net->like) {
        const layer *theirs = &net->like->layers[at];
        l->weights = theirs->weights;
        l->bias = theirs->bias;
        return md_same(desc_of(l->weights), wanted) ? dnnl_success : dnnl_unimplemented;
    }
    dnnl_status_t s = bring_weights(net, l, rank, dims, wanted);
    return s == dnnl_success ? bring_bias(net, l, bias) : s;
}

/* ---- building, layer by layer ---- */

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
        s = take_weights(net, at, rank, weight_dims,
                         dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0),
                         MD_REF(c.bias));
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

mp_err mp_net_open(mp_net **out, const mp_conv_spec *layers, int n, const mp_net *like, mp_why *why)
{
    mp_net *net = mp_xcalloc(1, sizeof *net);
    md_t input = {0};
    dnnl_dims_t dims = {1, layers[0].in, layers[0].side, layers[0].side};
    *out = NULL;
    net->n = n;
    net->like = like;
    net->layers = mp_xcalloc((size_t)n, sizeof *net->layers);
    dnnl_status_t s = dnnl_success;
    if (like)
        net->engine = like->engine;
    else
        s = dnnl_engine_create(&net->engine, dnnl_cpu, 0);
    if (s == dnnl_success)
        s = dnnl_stream_create(&net->stream, net->engine, dnnl_stream_default_flags);
    if (s == dnnl_success)
        s = md_make(&input, 4, dims, dnnl_nhwc);
    if (s == dnnl_success)
        s = dnnl_memory_create(&net->input, MD_REF(input), net->engine, DNNL_MEMORY_NONE);
    md_free(input);
    for (int i = 0; i < n; i++) {
        net->layers[i].spec = layers[i];
        net->layers[i].out_side = (layers[i].side + layers[i].stride - 1) / layers[i].stride;
    }
    plan_lives(net);
    for (int i = 0; i < n && s == dnnl_success; i++)
        s = build_layer(net, i);
    if (s == dnnl_success)
        s = give_slots_memory(net);
    if (s != dnnl_success) {
        mp_net_close(net);
        return dnnl_check(s, "build the network", why);
    }
    *out = net;
    return MP_OK;
}

static void close_layer(layer *l, bool owns_weights)
{
    dnnl_primitive_t primitives[] = {l->conv, l->bring_in, l->read_out};
    dnnl_memory_t memories[] = {l->bring_in ? l->src : NULL,
                                owns_weights ? l->weights : NULL,
                                owns_weights ? l->bias : NULL,
                                l->dst,
                                l->plain,
                                l->scratch};
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
        close_layer(&net->layers[i], !net->like);
    for (int i = 0; i < net->n_slots; i++)
        free(net->slots[i].data);
    if (net->input)
        dnnl_memory_destroy(net->input);
    if (net->stream)
        dnnl_stream_destroy(net->stream);
    if (net->engine && !net->like)
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
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, l->src},
                               {DNNL_ARG_WEIGHTS, l->weights},
                               {DNNL_ARG_BIAS, l->bias},
                               {DNNL_ARG_DST, l->dst},
                               {DNNL_ARG_SCRATCHPAD, l->scratch}};
    return s == dnnl_success ? dnnl_primitive_execute(l->conv, net->stream, 5, args) : s;
}

mp_err mp_net_run(mp_net *net, const float *input, int upto, mp_why *why)
{
    dnnl_status_t s = dnnl_memory_set_data_handle(net->input, (void *)(uintptr_t)input);
    for (int i = 0; i < MP_MIN(upto, net->n) && s == dnnl_success; i++)
        s = run_layer(net, &net->layers[i], i ? net->layers[i - 1].dst : net->input);
    if (s == dnnl_success)
        s = dnnl_stream_wait(net->stream);
    return dnnl_check(s, "run the network", why);
}

static dnnl_status_t prepare_reading(mp_net *net, layer *l)
{
    md_t plain = {0};
    dnnl_dims_t dims = {1, l->spec.out, l->out_side, l->out_side};
    dnnl_status_t s = md_make(&plain, 4, dims, dnnl_nhwc);
    if (s == dnnl_success)
        s = dnnl_memory_create(&l->plain, MD_REF(plain), net->engine, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = make_reorder(net->engine, desc_of(l->dst), MD_REF(plain), &l->read_out);
    md_free(plain);
    return s;
}

mp_err mp_net_read(mp_net *net, int at, float *to, mp_why *why)
{
    layer *l = &net->layers[at];
    dnnl_status_t s = l->read_out ? dnnl_success : prepare_reading(net, l);
    if (s == dnnl_success)
        s = dnnl_memory_set_data_handle(l->plain, to);
    if (s == dnnl_success)
        s = run_reorder(net, l->read_out, l->dst, l->plain);
    if (s == dnnl_success)
        s = dnnl_stream_wait(net->stream);
    return dnnl_check(s, "read a layer", why);
}
