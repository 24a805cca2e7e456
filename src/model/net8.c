/* net8.c - see net8.h.
 *
 * `map` holds what goes from block to block: pixel by pixel, channels innermost, f32. A block reads
 * one map and writes the other. What is wide (after the first product of a block) lies in rows with
 * empty pixels at both ends, as many as the depthwise kernel reaches beyond the picture.
 *
 * A large picture's block is cut by rows of the output: whoever makes some makes the wide rows that
 * they need in a ring of its own, a few at the borders twice. A small picture's block goes step by
 * step, each cut by its outputs. */
#include "model/net8.h"

#include "model/linear.h"
#include "simd/depthwise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 24, SMALL = 14, ALIGN = 64 };

typedef struct stage {
    mp_linear expand, project; /* n 0: none; the stem is block 0's expand */
    float *depth_weights, *depth_bias;
    int in, wide, out, side, out_side, kernel, stride;
    int before; /* pixels of padding before the first; as many rows above */
    int layer;  /* the last of the chain's layers that it holds */
    bool add, keep;
    bool stem; /* expand reads patches of the input */
    int stem_kernel, stem_stride, stem_side, stem_in;
} stage;

typedef struct shared { /* weights: of the first net */
    stage stages[MAX_STAGES];
    int n;
    size_t map, wide_row, wide_rows, codes, ring, pixels, patch; /* largest, in elements */
} shared;

struct mp_net8 {
    shared *weights;
    bool owner;
    float *map[2], *kept[MAX_STAGES];
    float *wide; /* of small blocks: all rows */
    uint8_t *codes, *wide_codes;
    mp_row8 *meant, *six; /* what codes mean; six: of what left a ReLU6 */
    float *zeros;
    uint8_t *room; /* of the members: ring, codes, patches */
    size_t room_each;
    int rooms, last; /* last: the stage that ran last; its output is map[last & 1] */
    const float *input;
};

/* ---- weights ---- */

static void *aligned(size_t bytes)
{
    return aligned_alloc(ALIGN, (bytes + ALIGN - 1) / ALIGN * ALIGN);
}

static bool fill(mp_linear *l, const mp_conv_spec *s, mp_precision precision)
{
    size_t k = (size_t)s->in * (size_t)(s->kernel * s->kernel), n = (size_t)s->out;
    if (!mp_linear_make(l, n, k, precision))
        return false;
    mp_linear_fill(l, 0, n, s->weights, s->bias);
    if (s->expected)
        mp_linear_correct(l, s->weights, s->expected);
    l->relu6 = s->relu6;
    return true;
}

/* out x in x ky x kx to out x ky x kx x in: as a patch of pixels lies. */
static bool fill_stem(mp_linear *l, const mp_conv_spec *s)
{
    size_t taps = (size_t)(s->kernel * s->kernel), in = (size_t)s->in, k = in * taps;
    float *w = mp_try_array((size_t)s->out * k, sizeof *w);
    bool fine = w && mp_linear_make(l, (size_t)s->out, k, MP_F32);
    for (size_t o = 0; fine && o < (size_t)s->out; o++)
        for (size_t c = 0; c < in; c++)
            for (size_t t = 0; t < taps; t++)
                w[o * k + t * in + c] = s->weights[o * k + c * taps + t];
    if (fine)
        mp_linear_fill(l, 0, (size_t)s->out, w, s->bias);
    l->relu6 = s->relu6;
    free(w);
    return fine;
}

static bool fill_depthwise(stage *g, const mp_conv_spec *s)
{
    size_t taps = (size_t)(s->kernel * s->kernel), wide = (size_t)s->out;
    g->depth_weights = aligned(taps * wide * sizeof(float));
    g->depth_bias = aligned(wide * sizeof(float));
    if (!g->depth_weights || !g->depth_bias)
        return false;
    for (size_t c = 0; c < wide; c++)
        for (size_t t = 0; t < taps; t++)
            g->depth_weights[t * wide + c] = s->weights[c * taps + t];
    memcpy(g->depth_bias, s->bias, wide * sizeof(float));
    return true;
}

static void shape_block(stage *g, const mp_conv_spec *depth, const mp_conv_spec *project)
{
    int missing;
    g->wide = depth->out;
    g->side = depth->side;
    g->kernel = depth->kernel;
    g->stride = depth->stride;
    g->out_side = (g->side + g->stride - 1) / g->stride;
    g->out = project->out;
    missing = (g->out_side - 1) * g->stride + g->kernel - g->side;
    g->before = MP_MAX(missing, 0) / 2;
    g->add = project->add_from >= 0;
    g->keep = project->keep;
}

static bool is_pointwise(const mp_conv_spec *s)
{
    return s->kernel == 1 && s->stride == 1 && !s->depthwise;
}

static bool is_depthwise(const mp_conv_spec *s)
{
    return s->depthwise && s->relu6 && (s->kernel == 3 || s->kernel == 5) &&
           (s->stride == 1 || s->stride == 2) && s->out % MP_DEPTHWISE_GROUP == 0;
}

/* Takes in a block from layer `at` on; returns how many layers it has, 0: none of our kind. */
static int take_block(shared *w, const mp_conv_spec *l, int at, int n, bool *room)
{
    stage *g = &w->stages[w->n];
    int first = at;
    if (w->n == 0) {
        g->stem = true;
        g->stem_kernel = l[at].kernel;
        g->stem_stride = l[at].stride;
        g->stem_side = l[at].side;
        g->stem_in = l[at].in;
        *room = *room && fill_stem(&g->expand, &l[at++]);
    } else if (is_pointwise(&l[at]) && l[at].relu6) {
        g->in = l[at].in;
        *room = *room && fill(&g->expand, &l[at++], MP_INT8);
    } else
        return 0;
    if (at + 1 >= n || !is_depthwise(&l[at]) || !is_pointwise(&l[at + 1]) || l[at + 1].relu6)
        return 0;
    shape_block(g, &l[at], &l[at + 1]);
    *room = *room && fill_depthwise(g, &l[at]) && fill(&g->project, &l[at + 1], MP_INT8);
    g->layer = at + 1;
    w->n++;
    return at + 2 - first;
}

static bool take_head(shared *w, const mp_conv_spec *l, int at, bool *room)
{
    stage *g = &w->stages[w->n++];
    if (!is_pointwise(l) || !l->relu6)
        return false;
    *g = (stage){.in = l->in, .out = l->out, .side = l->side, .out_side = l->side, .layer = at};
    *room = *room && fill(&g->expand, l, MP_INT8);
    return true;
}

static mp_err take_all(shared *w, const mp_conv_spec *l, int n, mp_why *why)
{
    bool room = true, ours = n > 0;
    int at = 0;
    while (ours && at < n && w->n < MAX_STAGES) {
        int taken = at + 1 == n ? take_head(w, &l[at], at, &room) : take_block(w, l, at, n, &room);
        ours = taken > 0;
        at += taken;
    }
    if (!ours || at < n)
        return mp_fail(why, MP_INVALID, "layer %d is not of a kind that 8-bit products can do", at);
    return room ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the model");
}

static void free_weights(shared *w)
{
    for (int i = 0; w && i < MAX_STAGES; i++) {
        stage *g = &w->stages[i];
        mp_linear_free(&g->expand);
        mp_linear_free(&g->project);
        free(g->depth_weights);
        free(g->depth_bias);
    }
    free(w);
}

/* ---- room ---- */

static size_t row_pixels(const stage *g)
{
    return (size_t)(g->side + g->kernel - 1);
}

static bool by_steps(const stage *g)
{
    return g->side <= SMALL;
}

static void measure(shared *w)
{
    for (int i = 0; i < w->n; i++) {
        const stage *g = &w->stages[i];
        size_t side = (size_t)g->side, out = (size_t)g->out_side, wide = (size_t)g->wide;
        size_t code = mp_linear_code_stride((size_t)g->in);
        w->map = MP_MAX(w->map, out * out * (size_t)g->out);
        w->pixels = MP_MAX(w->pixels, side * side);
        if (by_steps(g)) {
            w->wide_rows = MP_MAX(w->wide_rows, side * row_pixels(g) * wide);
            w->codes = MP_MAX(w->codes, side * side * code);
            w->wide_row = MP_MAX(w->wide_row, out * out * wide);
        } else {
            w->ring = MP_MAX(w->ring, (size_t)g->kernel * row_pixels(g) * wide);
            w->codes = MP_MAX(w->codes, side * code);
            w->wide_row = MP_MAX(w->wide_row, out * wide);
        }
        if (g->stem)
            w->patch = side * (g->expand.k + 1);
    }
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* A member's ring, codes going in and coming out, what they mean, patches. */
typedef struct bench {
    float *ring, *patch;
    uint8_t *codes, *wide_codes;
    mp_row8 *meant;
} bench;

static size_t lay_out(const shared *w, uint8_t *at, bench *b)
{
    size_t sizes[] = {w->ring * sizeof(float), w->patch * sizeof(float), w->codes, w->wide_row,
                      w->pixels * sizeof(mp_row8)};
    uint8_t *part[MP_COUNT(sizes)];
    size_t all = 0;
    for (size_t i = 0; i < MP_COUNT(sizes); i++) {
        part[i] = at ? at + all : NULL;
        all += padded(sizes[i]);
    }
    *b = (bench){(float *)(void *)part[0], (float *)(void *)part[1], part[2], part[3],
                 (mp_row8 *)(void *)part[4]};
    return all;
}

static bool make_room(mp_net8 *net)
{
    const shared *w = net->weights;
    bench unused;
    size_t row = 0;
    for (int i = 0; i < w->n; i++)
        row = MP_MAX(row, row_pixels(&w->stages[i]) * (size_t)w->stages[i].wide);
    for (int i = 0; i < 2; i++)
        net->map[i] = aligned(w->map * sizeof(float));
    net->wide = aligned(w->wide_rows * sizeof(float));
    net->codes = aligned(w->codes);
    net->wide_codes = aligned(w->wide_row);
    net->meant = mp_try_array(w->pixels, sizeof *net->meant);
    net->six = mp_try_array(w->pixels, sizeof *net->six);
    net->zeros = calloc(row, sizeof *net->zeros);
    net->room_each = lay_out(w, NULL, &unused);
    bool fine = net->map[0] && net->map[1] && net->wide && net->codes && net->wide_codes &&
                net->meant && net->six && net->zeros;
    for (int i = 0; fine && i < w->n; i++)
        if (w->stages[i].keep) {
            const stage *g = &w->stages[i];
            net->kept[i] = mp_try_array((size_t)g->out_side * (size_t)g->out_side * (size_t)g->out,
                                        sizeof(float));
            fine = net->kept[i];
        }
    float top = (float)mp_dense8_for(mp_simd_isa())->top;
    for (size_t i = 0; fine && i < w->pixels; i++)
        net->six[i] = (mp_row8){6 / top, 0};
    return fine;
}

mp_err mp_net8_open(mp_net8 **out, const mp_conv_spec *layers, int n, const mp_net8 *like,
                    mp_why *why)
{
    mp_net8 *net = mp_xcalloc(1, sizeof *net);
    mp_err err = MP_OK;
    *out = NULL;
    net->owner = !like;
    net->last = -1;
    net->weights = like ? like->weights : mp_xcalloc(1, sizeof *net->weights);
    if (!like) {
        err = take_all(net->weights, layers, n, why);
        measure(net->weights);
    }
    if (!err && !make_room(net))
        err = mp_fail(why, MP_NOMEM, "no memory for the model");
    if (err) {
        mp_net8_close(net);
        return err;
    }
    *out = net;
    return MP_OK;
}

void mp_net8_close(mp_net8 *net)
{
    if (!net)
        return;
    if (net->owner)
        free_weights(net->weights);
    for (int i = 0; i < MAX_STAGES; i++)
        free(net->kept[i]);
    free(net->map[0]);
    free(net->map[1]);
    free(net->wide);
    free(net->codes);
    free(net->wide_codes);
    free(net->meant);
    free(net->six);
    free(net->zeros);
    free(net->room);
    free(net);
}

/* ---- wide rows ---- */

/* The patches of one row of the stem's output; what lies beyond the picture is 0. */
static void cut_row(const stage *g, const float *input, int y, float *to)
{
    int kernel = g->stem_kernel, stride = g->stem_stride, side = g->stem_side, in = g->stem_in;
    int missing = (g->side - 1) * stride + kernel - side, before = MP_MAX(missing, 0) / 2;
    size_t row = (size_t)(kernel * in);
    for (int x = 0; x < g->side; x++, to += g->expand.k + 1)
        for (int ky = 0; ky < kernel; ky++) {
            int from_y = y * stride - before + ky, from_x = x * stride - before;
            int left = MP_MAX(-from_x, 0), right = MP_MIN(kernel, side - from_x);
            float *at = to + (size_t)ky * row;
            bool inside = from_y >= 0 && from_y < side && right > left;
            memset(at, 0, row * sizeof *at);
            if (inside)
                memcpy(at + left * in,
                       input +
                           ((size_t)from_y * (size_t)side + (size_t)(from_x + left)) * (size_t)in,
                       (size_t)((right - left) * in) * sizeof *at);
        }
}

/* Empty pixels at both ends of a wide row. */
static void clear_ends(const stage *g, float *row)
{
    size_t wide = (size_t)g->wide, before = (size_t)g->before;
    size_t after = (size_t)(g->kernel - 1) - before;
    memset(row, 0, before * wide * sizeof *row);
    memset(row + (before + (size_t)g->side) * wide, 0, after * wide * sizeof *row);
}

/* Wide row y, by one member alone. */
static void make_row(const mp_net8 *net, const stage *g, const float *from, int y, const bench *b,
                     float *row)
{
    size_t side = (size_t)g->side, in = (size_t)g->in;
    mp_rows_in rows = {from + (size_t)y * side * in, in, b->codes, mp_linear_code_stride(in),
                       b->meant};
    if (g->stem) {
        cut_row(g, net->input, y, b->patch);
        rows = (mp_rows_in){.x = b->patch, .stride = g->expand.k + 1};
    }
    clear_ends(g, row);
    mp_linear_enter(&g->expand, &rows, 0, side);
    mp_linear_multiply(&g->expand, 0, g->expand.n, &rows, side, false,
                       row + (size_t)g->before * (size_t)g->wide, (size_t)g->wide);
}

static void depthwise_row(const mp_net8 *net, const stage *g, const float *wide, int ring, int y,
                          size_t from, size_t to, uint8_t *codes)
{
    const float *rows[5];
    size_t row = row_pixels(g) * (size_t)g->wide;
    for (int k = 0; k < g->kernel; k++) {
        int at = y * g->stride - g->before + k;
        rows[k] = at < 0 || at >= g->side ? net->zeros : wide + (size_t)(at % ring) * row;
    }
    mp_depthwise d = {rows,
                      g->kernel,
                      g->stride,
                      (size_t)g->wide,
                      g->depth_weights,
                      g->depth_bias,
                      mp_dense8_for(mp_simd_isa())->top};
    mp_depthwise_for(mp_simd_isa())->row(&d, from, to, (size_t)g->out_side, codes);
}

/* ---- blocks ---- */

/* A block in a run: where it reads and where it writes. */
typedef struct pass {
    const mp_net8 *net;
    const stage *g;
    const float *from;
    float *to;
} pass;

/* Rows [first, end) of the output. */
static void run_rows(void *context, int member, size_t first, size_t end)
{
    const pass *p = context;
    const stage *g = p->g;
    size_t side = (size_t)g->out_side, out = (size_t)g->out;
    size_t row = row_pixels(g) * (size_t)g->wide;
    int made = MP_MAX((int)first * g->stride - g->before, 0); /* wide rows below it are there */
    bench b;
    lay_out(p->net->weights, p->net->room + (size_t)member * p->net->room_each, &b);
    for (size_t y = first; y < end; y++) {
        int need = MP_MIN((int)y * g->stride - g->before + g->kernel, g->side);
        float *to = p->to + y * side * out;
        mp_rows_in rows = {NULL, 0, b.wide_codes, (size_t)g->wide, p->net->six};
        for (; made < need; made++)
            make_row(p->net, g, p->from, made, &b, b.ring + (size_t)(made % g->kernel) * row);
        depthwise_row(p->net, g, b.ring, g->kernel, (int)y, 0, (size_t)g->wide, b.wide_codes);
        if (g->add)
            memcpy(to, p->from + y * side * out, side * out * sizeof *to);
        mp_linear_multiply(&g->project, 0, g->project.n, &rows, side, g->add, to, out);
    }
}

/* What the first product of a small block, or the head, reads. */
static mp_rows_in entered(const pass *p)
{
    size_t in = (size_t)p->g->in;
    return (mp_rows_in){p->from, in, p->net->codes, mp_linear_code_stride(in), p->net->meant};
}

static void enter_pixels(void *context, int member, size_t from, size_t to)
{
    const pass *p = context;
    mp_rows_in rows = entered(p);
    (void)member;
    mp_linear_enter(&p->g->expand, &rows, from, to);
}

/* Outputs [from, to) of the first product, row by row into the wide rows. */
static void expand_part(void *context, int member, size_t from, size_t to)
{
    const pass *p = context;
    const stage *g = p->g;
    size_t side = (size_t)g->side, wide = (size_t)g->wide;
    (void)member;
    for (size_t y = 0; y < side; y++) {
        mp_rows_in rows = entered(p);
        rows.code += y * side * rows.code_stride;
        rows.meant += y * side;
        mp_linear_multiply(&g->expand, from, to, &rows, side, false,
                           p->net->wide + (y * row_pixels(g) + (size_t)g->before) * wide, wide);
    }
}

static void depthwise_part(void *context, int member, size_t from, size_t to)
{
    const pass *p = context;
    size_t out = (size_t)p->g->out_side;
    (void)member;
    for (size_t y = 0; y < out; y++)
        depthwise_row(p->net, p->g, p->net->wide, p->g->side, (int)y, from, to,
                      p->net->wide_codes + y * out * (size_t)p->g->wide);
}

static void run_steps(pass *p, mp_team *team)
{
    const stage *g = p->g;
    size_t side = (size_t)g->side, out = (size_t)g->out_side, wide = (size_t)g->wide;
    mp_rows_in rows = {NULL, 0, p->net->wide_codes, wide, p->net->six};
    for (size_t y = 0; y < side; y++)
        clear_ends(g, p->net->wide + y * row_pixels(g) * wide);
    if (g->add)
        memcpy(p->to, p->from, out * out * (size_t)g->out * sizeof *p->to);
    mp_team_do(team, side * side, 1, enter_pixels, p);
    mp_team_do(team, wide, MP_PANEL, expand_part, p);
    mp_team_do(team, wide, MP_DEPTHWISE_GROUP, depthwise_part, p);
    mp_linear_multiply_all(&g->project, team, &rows, out * out, g->add, p->to, (size_t)g->out);
}

static void run_head(pass *p, mp_team *team)
{
    size_t pixels = (size_t)p->g->side * (size_t)p->g->side;
    mp_rows_in rows = entered(p);
    mp_team_do(team, pixels, 1, enter_pixels, p);
    mp_linear_multiply_all(&p->g->expand, team, &rows, pixels, false, p->to, (size_t)p->g->out);
}

/* ---- a run ---- */

static void run_stages(mp_net8 *net, int upto, mp_team *team)
{
    const shared *w = net->weights;
    for (int i = 0; i < w->n && w->stages[i].layer < upto; i++) {
        const stage *g = &w->stages[i];
        pass p = {net, g, net->map[(i + 1) & 1], net->map[i & 1]};
        if (!g->project.n)
            run_head(&p, team);
        else if (by_steps(g))
            run_steps(&p, team);
        else
            mp_team_do(team, (size_t)g->out_side, 1, run_rows, &p);
        if (net->kept[i])
            memcpy(net->kept[i], p.to,
                   (size_t)g->out_side * (size_t)g->out_side * (size_t)g->out * sizeof *p.to);
        net->last = i;
    }
}

static bool make_benches(mp_net8 *net, int threads)
{
    if (net->rooms >= threads)
        return true;
    free(net->room);
    net->room = aligned((size_t)threads * net->room_each);
    net->rooms = net->room ? threads : 0;
    return net->room;
}

mp_err mp_net8_run(mp_net8 *net, const float *input, int upto, mp_team *team, mp_why *why)
{
    if (!make_benches(net, mp_team_members(team)))
        return mp_fail(why, MP_NOMEM, "no memory to run the model");
    net->input = input;
    net->last = -1;
    run_stages(net, upto, team);
    return MP_OK;
}

mp_err mp_net8_read(const mp_net8 *net, int layer, float *to, mp_why *why)
{
    for (int i = 0; i <= net->last; i++) {
        const stage *g = &net->weights->stages[i];
        const float *from = i == net->last ? net->map[i & 1] : net->kept[i];
        if (g->layer != layer || !from)
            continue;
        memcpy(to, from, (size_t)g->out_side * (size_t)g->out_side * (size_t)g->out * sizeof *to);
        return MP_OK;
    }
    return mp_fail(why, MP_INVALID, "the output of layer %d is not kept", layer);
}
