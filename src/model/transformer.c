/* transformer.c - see transformer.h.
 *
 * One thread leads through the layers; each step is cut by rows, by the outputs of a product, or by
 * heads, and a team does the pieces. Rows are padded to strides that
 * are no multiple of a page, which would fall on one set of the cache. */
#include "model/transformer.h"

#include "simd/rows.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PAD = 16, ALIGN = 64, ROWS_AT_ONCE = 2 };

typedef struct layer {
    mp_layer_weights from;
    mp_linear qkv, out, up, down;
} layer;

struct mp_stack {
    mp_stack_spec spec; /* without weights */
    mp_precision precision;
    const mp_dense_kernels *dense;
    const mp_rows_kernels *rows;
    pthread_mutex_t packing; /* held while the layers are packed */
    _Atomic bool packed;
    layer layers[]; /* spec.layers */
};

/* ---- packing ---- */

static bool pack(mp_linear *l, size_t n, size_t k, const mp_linear_weights *w,
                 mp_precision precision)
{
    if (!mp_linear_make(l, n, k, precision))
        return false;
    mp_linear_fill(l, 0, n, w->w, w->b);
    return true;
}

/* q, k and v as one product. */
static bool pack_qkv(mp_linear *l, size_t width, const mp_layer_weights *from,
                     mp_precision precision)
{
    const mp_linear_weights *parts[] = {&from->q, &from->k, &from->v};
    if (!mp_linear_make(l, 3 * width, width, precision))
        return false;
    for (size_t i = 0; i < MP_COUNT(parts); i++)
        mp_linear_fill(l, i * width, width, parts[i]->w, parts[i]->b);
    return true;
}

static bool pack_layer(const mp_stack *s, layer *l)
{
    size_t w = (size_t)s->spec.width, hidden = (size_t)s->spec.hidden;
    return pack_qkv(&l->qkv, w, &l->from, s->precision) &&
           pack(&l->out, w, w, &l->from.out, s->precision) &&
           pack(&l->up, hidden, w, &l->from.up, s->precision) &&
           pack(&l->down, w, hidden, &l->from.down, s->precision);
}

static void free_layer(layer *l)
{
    mp_linear_free(&l->qkv);
    mp_linear_free(&l->out);
    mp_linear_free(&l->up);
    mp_linear_free(&l->down);
}

static mp_err make_packed(mp_stack *s, mp_why *why)
{
    if (atomic_load_explicit(&s->packed, memory_order_acquire))
        return MP_OK;
    pthread_mutex_lock(&s->packing);
    bool done = atomic_load(&s->packed), fine = true;
    for (int i = 0; !done && fine && i < s->spec.layers; i++)
        fine = pack_layer(s, &s->layers[i]);
    for (int i = 0; !fine && i < s->spec.layers; i++)
        free_layer(&s->layers[i]);
    if (fine)
        atomic_store_explicit(&s->packed, true, memory_order_release);
    pthread_mutex_unlock(&s->packing);
    return fine ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the weights of the model");
}

mp_err mp_stack_open(mp_stack **out, const mp_stack_spec *spec, mp_precision precision, mp_why *why)
{
    *out = NULL;
    if (spec->layers < 1 || spec->heads < 1 || spec->hidden < 1)
        return mp_fail(why, MP_INVALID, "%d layers of %d heads and %d hidden numbers", spec->layers,
                       spec->heads, spec->hidden);
    if (spec->width < 1 || spec->width % MP_PANEL != 0)
        return mp_fail(why, MP_INVALID, "a width of %d is not a multiple of %d", spec->width,
                       MP_PANEL);
    if (spec->width % spec->heads != 0)
        return mp_fail(why, MP_INVALID, "a width of %d is not shared evenly by %d heads",
                       spec->width, spec->heads);
    mp_stack *s = mp_xcalloc(1, sizeof *s + (size_t)spec->layers * sizeof s->layers[0]);
    mp_isa isa = mp_simd_isa();
    s->spec = *spec;
    s->spec.weights = NULL;
    s->precision = precision;
    s->dense = mp_dense_for(isa);
    s->rows = mp_rows_for(isa);
    pthread_mutex_init(&s->packing, NULL);
    for (int i = 0; i < spec->layers; i++)
        s->layers[i].from = spec->weights[i];
    *out = s;
    return MP_OK;
}

void mp_stack_close(mp_stack *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->spec.layers; i++)
        free_layer(&s->layers[i]);
    pthread_mutex_destroy(&s->packing);
    free(s);
}

/* ---- one run ---- */

typedef struct span { /* one sequence: its rows, and those of them that are asked about the others
                       */
    size_t at, n;
    size_t first, asked;
} span;

typedef struct run {
    mp_stack *s;
    mp_team *team;
    const mp_sequences *all;
    int layers;
    size_t rows, longest;
    span *spans;
    float *x;          /* rows x width, dense: the residual stream */
    float *part;       /* rows x part_stride: what a product reads, in f32 */
    uint8_t *code;     /* the same as codes */
    mp_row8 *code_row; /* and what they mean */
    float *qkv;        /* rows x qkv_stride */
    float *wide;       /* rows x wide_stride */
    float *attention;  /* of each member: packed keys and values, scores */
    size_t part_stride, code_stride, qkv_stride, wide_stride, attention_each;
} run;

/* What a product reads: rows of x with their codes. */
static mp_rows_in rows_of(const run *r, const float *x, size_t stride)
{
    return (mp_rows_in){x, stride, r->code, r->code_stride, r->code_row};
}

/* Softmax of scores: with `causal` row i of the sequence has i + 1 of them, and the others count
 * for nothing. */
static void weigh(const run *r, const span *one, float *score, size_t stride, size_t depth)
{
    float scale = 1 / sqrtf((float)depth);
    if (!r->s->spec.causal) {
        r->s->rows->softmax(score, one->asked, one->n, stride, scale);
        return;
    }
    for (size_t i = 0; i < one->asked; i++, score += stride) {
        size_t some = one->first + i + 1;
        r->s->rows->softmax(score, 1, some, stride, scale);
        memset(score + some, 0, (one->n - some) * sizeof *score);
    }
}

/* softmax(q k' / sqrt(d)) v of one head in one sequence, into the head's columns of `part`. */
static void attend(run *r, const span *one, size_t head, float *room)
{
    size_t width = (size_t)r->s->spec.width, depth = width / (size_t)r->s->spec.heads, n = one->n;
    size_t stride = (n + PAD - 1) / PAD * PAD, row = one->at + one->first;
    float *keys = room, *values = keys + mp_dense_packed(r->longest, depth);
    float *score = values + mp_dense_packed(depth, r->longest);
    const float *q = r->qkv + one->at * r->qkv_stride + head * depth;
    mp_matrix k = {keys, n, depth}, v = {values, depth, n};
    mp_dense_pack(q + width, n, depth, r->qkv_stride, keys);
    mp_dense_pack_across(q + 2 * width, depth, n, r->qkv_stride, values);
    mp_dense_out scores = {.y = score, .y_stride = stride};
    mp_dense_out mixed = {.y = r->part + row * r->part_stride + head * depth,
                          .y_stride = r->part_stride};
    r->s->dense->multiply(q + one->first * r->qkv_stride, one->asked, r->qkv_stride, &k, 0, n,
                          &scores);
    weigh(r, one, score, stride, depth);
    r->s->dense->multiply(score, one->asked, stride, &v, 0, depth, &mixed);
}

static void attend_part(void *context, int member, size_t from, size_t to)
{
    run *r = context;
    size_t heads = (size_t)r->s->spec.heads;
    for (size_t i = from; i < to; i++)
        attend(r, &r->spans[i / heads], i % heads,
               r->attention + (size_t)member * r->attention_each);
}

static void activate(const run *r, float *x, size_t rows, size_t n)
{
    if (r->s->spec.activation == MP_GELU)
        r->s->rows->gelu(x, rows, n, r->wide_stride);
    else
        r->s->rows->quick_gelu(x, rows, n, r->wide_stride);
}

/* Norms of rows [from, to) of the stream, to `part`, and what a product needs of them; `after` the
 * normed rows are the stream itself. */
static void norm_rows(run *r, mp_norm_weights g, size_t from, size_t to)
{
    const mp_stack_spec *spec = &r->s->spec;
    size_t w = (size_t)spec->width;
    float *y = spec->after ? r->x + from * w : r->part + from * r->part_stride;
    r->s->rows->norm(r->x + from * w, to - from, w, w, g.gamma, g.beta, spec->eps, y,
                     spec->after ? w : r->part_stride);
}

/* What a layer's first product and its hidden one read: the normed rows. */
static mp_rows_in stream_of(const run *r)
{
    return r->s->spec.after ? rows_of(r, r->x, (size_t)r->s->spec.width)
                            : rows_of(r, r->part, r->part_stride);
}

/* A step over rows: normed or activated where it says so, and then what the next product reads. */
typedef struct row_step {
    run *r;
    const mp_norm_weights *norm; /* of the stream, or NULL */
    bool activate;               /* the hidden rows */
    const mp_linear *next;       /* reads `in`; NULL: nothing does yet */
    mp_rows_in in;
} row_step;

/* Few rows at a time: they are in the first cache for all that is done to them. */
static void step_rows(void *context, int member, size_t from, size_t to)
{
    const row_step *s = context;
    run *r = s->r;
    (void)member;
    for (size_t next; from < to; from = next) {
        next = MP_MIN(from + ROWS_AT_ONCE, to);
        if (s->norm)
            norm_rows(r, *s->norm, from, next);
        if (s->activate)
            activate(r, r->wide + from * r->wide_stride, next - from, (size_t)r->s->spec.hidden);
        if (s->next)
            mp_linear_enter(s->next, &s->in, from, next);
    }
}

static void do_rows(run *r, size_t rows, row_step s)
{
    s.r = r;
    if (s.norm || s.activate || (s.next && s.next->codes))
        mp_team_do(r->team, rows, 1, step_rows, &s);
}

/* Queries, keys and values. In a last layer of which one row of each sequence is wanted, there is
 * one query of each. */
static void ask(run *r, const layer *l, const mp_rows_in *in, bool last)
{
    size_t w = (size_t)r->s->spec.width;
    mp_linear_multiply_by(&l->qkv, r->team, last ? w : 0, 3 * w, in, r->rows, false, r->qkv,
                          r->qkv_stride);
    for (int i = 0; last && i < r->all->n; i++) {
        span *one = &r->spans[i];
        size_t row = one->at + (size_t)r->all->keep[i];
        mp_rows_in alone = {in->x + row * in->stride, in->stride, in->code + row * in->code_stride,
                            in->code_stride, in->meant + row};
        one->first = row - one->at;
        one->asked = 1;
        mp_linear_multiply_by(&l->qkv, r->team, 0, w, &alone, 1, false,
                              r->qkv + row * r->qkv_stride, r->qkv_stride);
    }
}

/* Only the wanted row of each sequence goes on: its attention and its place in the stream. Rows
 * move towards the front, in order. */
static void keep_rows(run *r)
{
    size_t w = (size_t)r->s->spec.width;
    for (int i = 0; i < r->all->n; i++) {
        size_t row = r->spans[i].at + r->spans[i].first, to = (size_t)i;
        memmove(r->x + to * w, r->x + row * w, w * sizeof *r->x);
        memmove(r->part + to * r->part_stride, r->part + row * r->part_stride, w * sizeof *r->part);
    }
}

/* After attention: its output product, the hidden layer, and the sums around both. */
static void finish_layer(run *r, const layer *l, size_t rows)
{
    const mp_stack_spec *spec = &r->s->spec;
    size_t w = (size_t)spec->width;
    mp_rows_in mixed = rows_of(r, r->part, r->part_stride), stream = stream_of(r);
    mp_rows_in wide = rows_of(r, r->wide, r->wide_stride);
    const mp_norm_weights *between = spec->after ? &l->from.first : &l->from.second;
    do_rows(r, rows, (row_step){.next = &l->out, .in = mixed});
    mp_linear_multiply_all(&l->out, r->team, &mixed, rows, true, r->x, w);
    do_rows(r, rows, (row_step){.norm = between, .next = &l->up, .in = stream});
    mp_linear_multiply_all(&l->up, r->team, &stream, rows, false, r->wide, r->wide_stride);
    do_rows(r, rows, (row_step){.activate = true, .next = &l->down, .in = wide});
    mp_linear_multiply_all(&l->down, r->team, &wide, rows, true, r->x, w);
    if (spec->after)
        do_rows(r, rows, (row_step){.norm = &l->from.second});
}

static void run_layers(run *r)
{
    const mp_stack_spec *spec = &r->s->spec;
    size_t rows = r->rows, n = (size_t)r->all->n;
    mp_rows_in stream = stream_of(r);
    for (int i = 0; i < r->layers; i++) {
        const layer *l = &r->s->layers[i];
        do_rows(
            r, rows,
            (row_step){.norm = spec->after ? NULL : &l->from.first, .next = &l->qkv, .in = stream});
        bool last = r->all->keep && i + 1 == spec->layers;
        ask(r, l, &stream, last);
        mp_team_do(r->team, n * (size_t)spec->heads, 1, attend_part, r);
        if (last) {
            keep_rows(r);
            rows = n;
        }
        finish_layer(r, l, rows);
    }
}

/* ---- room for a run ---- */

static void find_spans(run *r)
{
    size_t at = 0;
    for (int i = 0; i < r->all->n; i++) {
        size_t n = (size_t)r->all->length[i];
        r->spans[i] = (span){at, n, 0, n};
        r->longest = MP_MAX(r->longest, n);
        at += n;
    }
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* One block for all of it; NULL when there is no memory. */
static uint8_t *make_scratch(run *r, int threads)
{
    const mp_stack_spec *spec = &r->s->spec;
    size_t w = (size_t)spec->width, hidden = (size_t)spec->hidden, depth = w / (size_t)spec->heads;
    size_t score = r->longest * ((r->longest + PAD - 1) / PAD * PAD);
    r->part_stride = w + PAD;
    r->qkv_stride = 3 * w + PAD;
    r->wide_stride = hidden + PAD;
    r->code_stride = mp_linear_code_stride(MP_MAX(w, hidden));
    r->attention_each =
        padded((mp_dense_packed(r->longest, depth) + mp_dense_packed(depth, r->longest) + score) *
               sizeof(float)) /
        sizeof(float);
    size_t sizes[] = {r->rows * r->part_stride * sizeof(float),
                      r->rows * r->qkv_stride * sizeof(float),
                      r->rows * r->wide_stride * sizeof(float),
                      (size_t)threads * r->attention_each * sizeof(float),
                      r->rows * r->code_stride,
                      r->rows * sizeof(mp_row8)};
    size_t all = 0, at[MP_COUNT(sizes)];
    for (size_t i = 0; i < MP_COUNT(sizes); i++) {
        at[i] = all;
        all += padded(sizes[i]);
    }
    uint8_t *block = aligned_alloc(ALIGN, all);
    if (!block)
        return NULL;
    r->part = (float *)(void *)(block + at[0]);
    r->qkv = (float *)(void *)(block + at[1]);
    r->wide = (float *)(void *)(block + at[2]);
    r->attention = (float *)(void *)(block + at[3]);
    r->code = block + at[4];
    r->code_row = (mp_row8 *)(void *)(block + at[5]);
    return block;
}

mp_err mp_stack_run(mp_stack *s, const mp_sequences *all, int layers, mp_team *team, mp_why *why)
{
    run r = {
        .s = s, .team = team, .all = all, .layers = layers, .rows = (size_t)all->rows, .x = all->x};
    if (layers < 0 || layers > s->spec.layers)
        return mp_fail(why, MP_INVALID, "no layer %d", layers);
    mp_err err = make_packed(s, why);
    if (err)
        return err;
    r.spans = mp_try_array((size_t)all->n, sizeof *r.spans);
    if (!r.spans)
        return mp_fail(why, MP_NOMEM, "no memory to run the model");
    find_spans(&r);
    uint8_t *block = make_scratch(&r, mp_team_members(team));
    if (block)
        run_layers(&r);
    free(block);
    free(r.spans);
    return block ? MP_OK : mp_fail(why, MP_NOMEM, "no memory to run the model");
}
