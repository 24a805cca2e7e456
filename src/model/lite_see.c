/* lite_see.c - pictures to vectors.
 *
 * Each thread takes a network of its own from a pool. What networks give (1,280 pooled features per
 * picture) is projected for a whole group of pictures in one matrix product.
 *
 * A network that is taken belongs to the taker; the pool and `first` are under m->mutex. */
#include "model/lite_parts.h"

#include "model/spread.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { F = EFFNET_FEATURES, C = EFFNET_CLASSES, GRID = EFFNET_GRID * EFFNET_GRID, GROUP = 64 };
enum { MID_A = EFFNET_MID_A, MID_B = EFFNET_MID_B };
enum { MID_A_GRID = EFFNET_MID_A_GRID * EFFNET_MID_A_GRID };
enum { MID_B_GRID = EFFNET_MID_B_GRID * EFFNET_MID_B_GRID };
enum { ROOM = MP_MAX(F * GRID, MID_A *MID_A_GRID + MID_B * MID_B_GRID) };

struct mp_lite_net {
    mp_effnet *net;
    float features[ROOM]; /* the last layer's, or those of the two middle ones */
    mp_lite_net *next;
};

/* ---- networks ---- */

/* The first one brings the weights into oneDNN's layout: others wait for it. */
static mp_err make_net(mp_lite *m, mp_lite_net **out, mp_why *why)
{
    mp_lite_net *n = mp_xcalloc(1, sizeof *n);
    pthread_mutex_lock(&m->mutex);
    mp_lite_net *first = m->first;
    mp_err err = first ? MP_OK : mp_effnet_open(&n->net, m->image, NULL, m->precision, why);
    if (!first && !err)
        m->first = n;
    pthread_mutex_unlock(&m->mutex);
    if (first)
        err = mp_effnet_open(&n->net, m->image, first->net, m->precision, why);
    if (err) {
        free(n);
        n = NULL;
    }
    *out = n;
    return err;
}

static mp_err take_net(mp_lite *m, mp_lite_net **out, mp_why *why)
{
    pthread_mutex_lock(&m->mutex);
    *out = m->free;
    if (m->free)
        m->free = m->free->next;
    pthread_mutex_unlock(&m->mutex);
    return *out ? MP_OK : make_net(m, out, why);
}

static void give_net(mp_lite *m, mp_lite_net *n)
{
    pthread_mutex_lock(&m->mutex);
    n->next = m->free;
    m->free = n;
    pthread_mutex_unlock(&m->mutex);
}

static void close_net(mp_lite_net *n)
{
    if (!n)
        return;
    mp_effnet_close(n->net);
    free(n);
}

void mp_lite_close_nets(mp_lite *m)
{
    while (m->free) {
        mp_lite_net *n = m->free;
        m->free = n->next;
        if (n != m->first)
            close_net(n);
    }
    close_net(m->first);
    m->first = NULL;
}

/* ---- pooling: features are pixel by pixel ---- */

static void pool_mean(const float *features, float *out)
{
    memset(out, 0, F * sizeof *out);
    for (int i = 0; i < GRID; i++, features += F)
        for (int f = 0; f < F; f++)
            out[f] += features[f];
    for (int f = 0; f < F; f++)
        out[f] /= GRID;
}

static void pool_generalised(const float *features, float *out)
{
    memset(out, 0, F * sizeof *out);
    for (int i = 0; i < GRID; i++, features += F)
        for (int f = 0; f < F; f++)
            out[f] += features[f] * features[f] * features[f]; /* after ReLU6: never negative */
    for (int f = 0; f < F; f++)
        out[f] = cbrtf(out[f] / GRID);
}

/* Mean, deviation and maximum of each channel over n pixels. */
static float *channel_measures(const float *x, int channels, int n, float *out)
{
    for (int c = 0; c < channels; c++) {
        double sum = 0, square = 0;
        float top = -INFINITY;
        for (int i = 0; i < n; i++) {
            float v = x[(size_t)i * (size_t)channels + (size_t)c];
            sum += (double)v;
            square += (double)v * (double)v;
            top = MP_MAX(top, v);
        }
        double mean = sum / n;
        *out++ = (float)mean;
        *out++ = (float)sqrt(fmax(square / n - mean * mean, 0));
        *out++ = top;
    }
    return out;
}

/* ---- a group of pictures ---- */

typedef struct group {
    mp_lite *m;
    const mp_views *views;
    uint32_t mask;
    mp_team *team; /* of a picture alone */
    float *shown;  /* rows of F: mean-pooled centre crops */
    float *whole;  /* rows of F: generalised means of whole pictures */
    float *texture;
} group;

static bool wants(const group *g, mp_space s)
{
    return g->mask & (1u << s);
}

static mp_err see_one(const group *g, mp_lite_net *n, size_t i, mp_why *why)
{
    const uint8_t *const *px = g->views[i].px;
    mp_err err = MP_OK;
    if (g->shown) {
        err =
            mp_effnet_features(n->net, px[wants(g, MP_SPACE_LOOK) ? MP_SPACE_LOOK : MP_SPACE_WORD],
                               g->team, n->features, why);
        pool_mean(n->features, g->shown + i * F);
    }
    if (!err && g->whole) {
        err = mp_effnet_features(n->net, px[MP_SPACE_COPY], g->team, n->features, why);
        pool_generalised(n->features, g->whole + i * F);
    }
    if (!err && g->texture) {
        float *a = n->features, *b = a + MID_A * MID_A_GRID, *to = g->texture;
        err = mp_effnet_middle(n->net, px[MP_SPACE_TEXTURE], a, b, why);
        to = channel_measures(a, MID_A, MID_A_GRID, to + i * LITE_TEXTURE_DIMS);
        channel_measures(b, MID_B, MID_B_GRID, to);
    }
    return err;
}

static mp_err see_some(void *context, size_t from, size_t to, mp_why *why)
{
    const group *g = context;
    mp_lite_net *n;
    mp_err err = take_net(g->m, &n, why);
    for (size_t i = from; !err && i < to; i++)
        err = see_one(g, n, i, why);
    if (n)
        give_net(g->m, n);
    return err;
}

static void normalise_rows(float *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!mp_normalise(rows + i * LITE_DIMS, LITE_DIMS))
            rows[i * LITE_DIMS] += 1; /* a picture of nothing: no feature fires (NaN stays one) */
}

/* Features times the look projection, of unit length. */
static mp_err to_look(const mp_lite *m, const float *pooled, size_t n, float *out, mp_why *why)
{
    mp_err err = mp_linear_apply(&m->to_look, NULL, pooled, n, F, out, LITE_DIMS, why);
    normalise_rows(out, n);
    return err;
}

/* Class weights to softmax to its square root, times the word projection, of unit length. */
static mp_err to_word(const mp_lite *m, const float *pooled, size_t n, float *room, float *out,
                      mp_why *why)
{
    mp_err err = mp_linear_apply(&m->to_classes, NULL, pooled, n, F, room, C, why);
    for (size_t i = 0; !err && i < n; i++) {
        float *p = room + i * C, top = -INFINITY, sum = 0;
        for (int c = 0; c < C; c++)
            top = MP_MAX(top, p[c]);
        for (int c = 0; c < C; c++)
            sum += p[c] = expf(p[c] - top);
        for (int c = 0; c < C; c++)
            p[c] = sqrtf(p[c] / sum);
    }
    if (!err)
        err = mp_linear_apply(&m->to_word, NULL, room, n, C, out, LITE_DIMS, why);
    normalise_rows(out, n);
    return err;
}

typedef struct projection {
    const group *g;
    float *look, *word, *copy; /* NULL where not wanted */
    float *room;
} projection;

static mp_err project(void *context, size_t from, size_t to, mp_why *why)
{
    const projection *p = context;
    const mp_lite *m = p->g->m;
    size_t n = to - from;
    mp_err err = MP_OK;
    if (p->look)
        err = to_look(m, p->g->shown + from * F, n, p->look + from * LITE_DIMS, why);
    if (!err && p->word)
        err = to_word(m, p->g->shown + from * F, n, p->room + from * C, p->word + from * LITE_DIMS,
                      why);
    if (!err && p->copy)
        err = to_look(m, p->g->whole + from * F, n, p->copy + from * LITE_DIMS, why);
    return err;
}

static float *row_of(float *const out[MP_SPACES], uint32_t mask, mp_space s, size_t at, size_t dims)
{
    return mask & (1u << s) ? out[s] + at * dims : NULL;
}

mp_err mp_lite_images(void *self, const mp_views *views, size_t n, uint32_t mask,
                      float *const out[MP_SPACES], mp_why *why)
{
    mp_lite *m = self;
    size_t most = MP_MIN(n, (size_t)GROUP);
    bool shown = mask & (1u << MP_SPACE_LOOK | 1u << MP_SPACE_WORD),
         whole = mask & 1u << MP_SPACE_COPY;
    float *room = mp_try_array(most * (F + F + C), sizeof *room);
    mp_team *team = n == 1 && m->precision == MP_INT8 ? mp_team_open(m->threads) : NULL;
    mp_err err = room ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu pictures", most);
    for (size_t at = 0; !err && at < n; at += GROUP) {
        size_t count = MP_MIN(n - at, (size_t)GROUP);
        group g = {.m = m,
                   .views = views + at,
                   .mask = mask,
                   .team = n == 1 ? team : NULL,
                   .shown = shown ? room : NULL,
                   .whole = whole ? room + most * F : NULL,
                   .texture = row_of(out, mask, MP_SPACE_TEXTURE, at, LITE_TEXTURE_DIMS)};
        projection p = {.g = &g,
                        .look = row_of(out, mask, MP_SPACE_LOOK, at, LITE_DIMS),
                        .word = row_of(out, mask, MP_SPACE_WORD, at, LITE_DIMS),
                        .copy = row_of(out, mask, MP_SPACE_COPY, at, LITE_DIMS),
                        .room = room + most * (F + F)};
        err = mp_spread(m->threads, count, 1, see_some, &g, why);
        if (!err)
            err = mp_spread(1, count, count, project, &p, why);
    }
    mp_team_close(team);
    free(room);
    return err;
}

/* ---- patches ---- */

typedef struct patch_job {
    mp_lite *m;
    const uint8_t *px;
    float *to;
} patch_job;

static mp_err see_patches(void *context, size_t from, size_t to, mp_why *why)
{
    const patch_job *j = context;
    mp_lite_net *n;
    (void)from, (void)to;
    mp_err err = take_net(j->m, &n, why);
    if (err)
        return err;
    err = mp_effnet_middle(n->net, j->px, n->features, j->to, why);
    give_net(j->m, n);
    return err;
}

/* Block 10's 14 x 14 grid: fine enough to point at a spot, deep enough to know what it is. */
mp_err mp_lite_patches(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    patch_job j = {self, look_px, mp_try_array(MID_B_GRID * MID_B, sizeof(float))};
    mp_err err = j.to ? mp_spread(1, 1, 1, see_patches, &j, why)
                      : mp_fail(why, MP_NOMEM, "no memory for patches");
    for (size_t i = 0; !err && i < MID_B_GRID; i++)
        (void)mp_normalise(j.to + i * MID_B, MID_B);
    if (err) {
        free(j.to);
        return err;
    }
    *out = (mp_patches){j.to, EFFNET_MID_B_GRID, EFFNET_MID_B_GRID, MID_B};
    return MP_OK;
}
