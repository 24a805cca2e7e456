/* clip.c - see clip.h.
 *
 * Pixels go into the first product as they are, 0 to 255: the channels' mean and deviation are
 * folded into its weights. As codes they are then exact or nearly so.
 *
 * Pictures are spread over threads in small groups, each thread on its own; one picture or text
 * alone is worked on by all threads together. */
#include "model/clip.h"

#include "model/clip_weights.h"
#include "model/helper.h"
#include "model/spread.h"
#include "simd/distance.h"
#include "simd/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES_AT_ONCE = 4, TEXTS_AT_ONCE = 8, PAD = 16 };
static const float EPS = 1e-5f;

struct mp_clip {
    mp_clip_shape shape;
    mp_clip_weights weights;
    mp_precision precision;
    mp_stack *image, *text;
    size_t patches, patch_values; /* of a picture; of a patch */
    pthread_mutex_t packing;      /* held while the next is packed */
    _Atomic bool packed;
    mp_linear patch;
};

/* ---- opening ---- */

static mp_stack_spec image_spec(const mp_clip *c)
{
    const mp_clip_shape *s = &c->shape;
    return (mp_stack_spec){.layers = s->image_layers,
                           .width = s->image_width,
                           .heads = s->image_heads,
                           .hidden = s->image_hidden,
                           .activation = s->activation,
                           .eps = EPS,
                           .weights = c->weights.image.layer};
}

static mp_stack_spec text_spec(const mp_clip *c)
{
    const mp_clip_shape *s = &c->shape;
    return (mp_stack_spec){.layers = s->text_layers,
                           .width = s->text_width,
                           .heads = s->text_heads,
                           .hidden = s->text_hidden,
                           .causal = true,
                           .activation = s->activation,
                           .eps = EPS,
                           .weights = c->weights.text.layer};
}

mp_err mp_clip_open(mp_clip **out, mp_tensors *weights, const mp_clip_shape *shape,
                    mp_precision image, mp_precision text, mp_why *why)
{
    mp_clip *c = mp_xcalloc(1, sizeof *c);
    size_t grid = (size_t)(shape->side / shape->patch);
    *out = NULL;
    c->shape = *shape;
    c->precision = image;
    c->patches = grid * grid;
    c->patch_values = 3 * (size_t)shape->patch * (size_t)shape->patch;
    pthread_mutex_init(&c->packing, NULL);
    mp_helpers_hold();
    mp_err err = mp_clip_weights_get(weights, shape, &c->weights, why);
    mp_stack_spec see = image_spec(c), read = text_spec(c);
    if (!err)
        err = mp_stack_open(&c->image, &see, image, why);
    if (!err)
        err = mp_stack_open(&c->text, &read, text, why);
    if (err) {
        mp_clip_close(c);
        return err;
    }
    *out = c;
    return MP_OK;
}

void mp_clip_close(mp_clip *c)
{
    if (!c)
        return;
    mp_stack_close(c->image);
    mp_stack_close(c->text);
    mp_linear_free(&c->patch);
    pthread_mutex_destroy(&c->packing);
    mp_helpers_release();
    free(c);
}

/* w (p / 255 - mean) / deviation = (w / (255 deviation)) p - w mean / deviation, and the bias that
 * this makes. The weights come by channel, row, column, and go by row, column, channel as pixels
 * do. */
static bool fold_patch(mp_clip *c)
{
    size_t w = (size_t)c->shape.image_width, n = c->patch_values, plane = n / 3;
    float *folded = mp_try_array(w * n, sizeof *folded), *bias = mp_try_array(w, sizeof *bias);
    bool fine = folded && bias && mp_linear_make(&c->patch, w, n, c->precision);
    for (size_t o = 0; fine && o < w; o++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            float mean = c->shape.mean[i / plane], deviation = c->shape.deviation[i / plane];
            float v = c->weights.patch[o * n + i];
            folded[o * n + i % plane * 3 + i / plane] = v / (255 * deviation);
            sum -= (double)v * (double)mean / (double)deviation;
        }
        bias[o] = (float)sum;
    }
    if (fine)
        mp_linear_fill(&c->patch, 0, w, folded, bias);
    else
        mp_linear_free(&c->patch);
    free(folded);
    free(bias);
    return fine;
}

static mp_err pack_patch(mp_clip *c, mp_why *why)
{
    if (atomic_load_explicit(&c->packed, memory_order_acquire))
        return MP_OK;
    pthread_mutex_lock(&c->packing);
    bool fine = atomic_load(&c->packed) || fold_patch(c);
    atomic_store_explicit(&c->packed, fine, memory_order_release);
    pthread_mutex_unlock(&c->packing);
    return fine ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the weights of the model");
}

/* ---- pictures ---- */

/* A picture's pixels, patch by patch, in the picture's own order. */
static void cut_patches(const mp_clip *c, const uint8_t *px, float *to, size_t stride)
{
    size_t side = (size_t)c->shape.side, patch = (size_t)c->shape.patch, grid = side / patch;
    for (size_t p = 0; p < c->patches; p++, to += stride) {
        const uint8_t *corner = px + (p / grid * patch * side + p % grid * patch) * 3;
        for (size_t y = 0; y < patch; y++)
            for (size_t i = 0; i < patch * 3; i++)
                to[y * patch * 3 + i] = corner[y * side * 3 + i];
    }
}

/* What the first layer reads: the class token and the patches, each with its place, normed. x: n
 * times (patches + 1) rows. */
static mp_err embed_pictures(mp_clip *c, const uint8_t *const *px, size_t n, mp_team *team,
                             float *x, mp_why *why)
{
    size_t w = (size_t)c->shape.image_width, rows = c->patches + 1, stride = c->patch_values + PAD;
    float *patches = mp_try_array(n * c->patches * stride, sizeof *patches);
    float *seen = mp_try_array(n * c->patches * w, sizeof *seen);
    mp_err err = patches && seen ? pack_patch(c, why)
                                 : mp_fail(why, MP_NOMEM, "no memory for %zu pictures", n);
    for (size_t i = 0; !err && i < n; i++)
        cut_patches(c, px[i], patches + i * c->patches * stride, stride);
    if (!err)
        err = mp_linear_apply(&c->patch, team, patches, n * c->patches, stride, seen, w, why);
    for (size_t r = 0; !err && r < n * rows; r++) {
        size_t place = r % rows;
        const float *from =
            place ? seen + (r / rows * c->patches + place - 1) * w : c->weights.class_token;
        for (size_t i = 0; i < w; i++)
            x[r * w + i] = from[i] + c->weights.image.positions[place * w + i];
    }
    if (!err)
        mp_rows_for(mp_simd_isa())
            ->norm(x, n * rows, w, w, c->weights.first.gamma, c->weights.first.beta, EPS, x, w);
    free(patches);
    free(seen);
    return err;
}

/* ---- the last steps of both towers ---- */

/* One row, normed, to a vector of unit length. */
static mp_err project(const mp_clip *c, const mp_tower_weights *tower, size_t w, float *row,
                      float *out, mp_why *why)
{
    size_t dims = (size_t)c->shape.dims;
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    mp_rows_for(mp_simd_isa())
        ->norm(row, 1, w, w, tower->last.gamma, tower->last.beta, EPS, row, w);
    for (size_t d = 0; !c->weights.across && d < dims; d++)
        out[d] = dot(tower->projection + d * w, row, w);
    if (c->weights.across) {
        memset(out, 0, dims * sizeof *out);
        for (size_t i = 0; i < w; i++)
            for (size_t d = 0; d < dims; d++)
                out[d] += row[i] * tower->projection[i * dims + d];
    }
    return mp_normalise(out, dims) ? MP_OK
                                   : mp_fail(why, MP_CORRUPT,
                                             "the model gives no direction: its "
                                             "weights are damaged");
}

static mp_err see(mp_clip *c, const uint8_t *const *px, size_t n, mp_team *team, float *out,
                  mp_why *why)
{
    size_t w = (size_t)c->shape.image_width, rows = c->patches + 1, dims = (size_t)c->shape.dims;
    int length[PICTURES_AT_ONCE], keep[PICTURES_AT_ONCE] = {0};
    float *x = mp_try_array(n * rows * w, sizeof *x);
    mp_sequences all = {x, length, (int)n, (int)(n * rows), keep};
    for (size_t i = 0; i < n; i++)
        length[i] = (int)rows;
    mp_err err = x ? embed_pictures(c, px, n, team, x, why)
                   : mp_fail(why, MP_NOMEM, "no memory for %zu pictures", n);
    if (!err)
        err = mp_stack_run(c->image, &all, c->shape.image_layers, team, why);
    for (size_t i = 0; !err && i < n; i++)
        err = project(c, &c->weights.image, w, x + i * w, out + i * dims, why);
    free(x);
    return err;
}

typedef struct seeing {
    mp_clip *c;
    const uint8_t *const *px;
    mp_team *team; /* of one alone */
    float *out;
} seeing;

static mp_err see_some(void *context, size_t from, size_t to, mp_why *why)
{
    const seeing *s = context;
    return see(s->c, s->px + from, to - from, s->team, s->out + from * (size_t)s->c->shape.dims,
               why);
}

/* How many go together: as many as help, and no fewer threads at work than there could be. */
static size_t group_of(size_t n, int threads, size_t most)
{
    size_t each = (n + (size_t)threads - 1) / (size_t)threads;
    return MP_MAX(MP_MIN(each, most), (size_t)1);
}

mp_err mp_clip_images(mp_clip *c, const uint8_t *const *px, size_t n, int threads, float *out,
                      mp_why *why)
{
    threads = MP_MAX(threads, 1);
    bool together = n == 1;
    seeing s = {c, px, together ? mp_team_open(threads) : NULL, out};
    mp_err err = mp_spread(together ? 1 : threads, n, group_of(n, threads, PICTURES_AT_ONCE),
                           see_some, &s, why);
    mp_team_close(s.team);
    return err;
}

/* ---- texts ---- */

static mp_err embed_texts(const mp_clip *c, const int32_t *ids, const int *length, size_t n,
                          float *x, mp_why *why)
{
    size_t w = (size_t)c->shape.text_width;
    for (size_t t = 0; t < n; t++, ids += MP_CLIP_CONTEXT)
        for (int i = 0; i < length[t]; i++, x += w) {
            if (ids[i] < 0 || ids[i] >= c->shape.vocabulary)
                return mp_fail(why, MP_CORRUPT, "the vocabulary does not fit the weights");
            const float *token = c->weights.tokens + (size_t)ids[i] * w;
            const float *place = c->weights.text.positions + (size_t)i * w;
            for (size_t k = 0; k < w; k++)
                x[k] = token[k] + place[k];
        }
    return MP_OK;
}

static mp_err read(mp_clip *c, const int32_t *ids, const int *length, size_t n, mp_team *team,
                   float *out, mp_why *why)
{
    size_t w = (size_t)c->shape.text_width, dims = (size_t)c->shape.dims;
    int keep[TEXTS_AT_ONCE], rows = 0;
    for (size_t i = 0; i < n; i++) {
        if (length[i] < 1 || length[i] > MP_CLIP_CONTEXT)
            return mp_fail(why, MP_INVALID, "a text of %d tokens", length[i]);
        rows += length[i];
        keep[i] = length[i] - 1;
    }
    float *x = mp_try_array((size_t)rows * w, sizeof *x);
    mp_sequences all = {x, length, (int)n, rows, keep};
    mp_err err =
        x ? embed_texts(c, ids, length, n, x, why) : mp_fail(why, MP_NOMEM, "no memory for words");
    if (!err)
        err = mp_stack_run(c->text, &all, c->shape.text_layers, team, why);
    for (size_t i = 0; !err && i < n; i++)
        err = project(c, &c->weights.text, w, x + i * w, out + i * dims, why);
    free(x);
    return err;
}

typedef struct reading {
    mp_clip *c;
    const int32_t *ids;
    const int *length;
    mp_team *team; /* of one alone */
    float *out;
} reading;

static mp_err read_some(void *context, size_t from, size_t to, mp_why *why)
{
    const reading *r = context;
    return read(r->c, r->ids + from * MP_CLIP_CONTEXT, r->length + from, to - from, r->team,
                r->out + from * (size_t)r->c->shape.dims, why);
}

mp_err mp_clip_texts(mp_clip *c, const int32_t *ids, const int *length, size_t n, int threads,
                     float *out, mp_why *why)
{
    threads = MP_MAX(threads, 1);
    bool together = n == 1;
    reading r = {c, ids, length, together ? mp_team_open(threads) : NULL, out};
    mp_err err = mp_spread(together ? 1 : threads, n, group_of(n, threads, TEXTS_AT_ONCE),
                           read_some, &r, why);
    mp_team_close(r.team);
    return err;
}

/* ---- probes ---- */

mp_err mp_clip_probe_image(mp_clip *c, const uint8_t *px, int layers, float *to, mp_why *why)
{
    int length = (int)c->patches + 1;
    mp_sequences all = {to, &length, 1, length, NULL};
    mp_err err = embed_pictures(c, &px, 1, NULL, to, why);
    return err ? err : mp_stack_run(c->image, &all, layers, NULL, why);
}

mp_err mp_clip_probe_text(mp_clip *c, const int32_t *ids, int length, int layers, float *to,
                          mp_why *why)
{
    mp_sequences all = {to, &length, 1, length, NULL};
    mp_err err = embed_texts(c, ids, &length, 1, to, why);
    return err ? err : mp_stack_run(c->text, &all, layers, NULL, why);
}
