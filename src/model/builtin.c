/* builtin.c - a 512-d descriptor without weights, so that everything but words works before any
 * download.
 *
 *   96   colour layout: mean and deviation of L, a, b on a 4 x 4 grid
 *   288  gradient orientations: 8 bins on a 6 x 6 grid (Dalal & Triggs, 2005)
 *   64   colour histogram: 4 x 4 x 4 bins of L, a, b
 *   64   local binary patterns: 59 uniform ones (Ojala et al., 2002), 5 unused
 *
 * Histograms take their square roots (Hellinger), each block is normalised and weighted, and the
 * whole is of unit length. */
#include "model/family.h"

#include "base/os.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 128, DIMS = 512, GRID = 4, CELLS = 6, BINS = 8, PATCH_GRID = 14, PATCH_DIMS = 16 };

static const float WEIGHT_LAYOUT = 0.8f, WEIGHT_GRADIENT = 1.0f, WEIGHT_COLOUR = 0.7f,
                   WEIGHT_PATTERN = 0.5f;

typedef struct planes {
    float l[SIDE * SIDE], a[SIDE * SIDE], b[SIDE * SIDE];
} planes;

static float cube_root_ish(float t)
{
    return t > 0.008856f ? cbrtf(t) : 7.787f * t + 16.0f / 116;
}

/* sRGB (D65) to CIELAB, scaled to about -1..1. */
static void to_lab(const uint8_t *px, planes *out)
{
    float linear[256];
    for (int i = 0; i < 256; i++) {
        float c = (float)i / 255;
        linear[i] = c <= 0.04045f ? c / 12.92f : powf((c + 0.055f) / 1.055f, 2.4f);
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        float r = linear[px[3 * i]], g = linear[px[3 * i + 1]], b = linear[px[3 * i + 2]];
        float x = cube_root_ish((0.4124f * r + 0.3576f * g + 0.1805f * b) / 0.9505f);
        float y = cube_root_ish(0.2126f * r + 0.7152f * g + 0.0722f * b);
        float z = cube_root_ish((0.0193f * r + 0.1192f * g + 0.9505f * b) / 1.089f);
        out->l[i] = (116 * y - 16) / 100;
        out->a[i] = 500 * (x - y) / 100;
        out->b[i] = 200 * (y - z) / 100;
    }
}

static void layout(const planes *p, float *out)
{
    const float *const channel[3] = {p->l, p->a, p->b};
    enum { CELL = SIDE / GRID };
    for (int c = 0; c < 3; c++)
        for (int cell = 0; cell < GRID * GRID; cell++) {
            double sum = 0, square = 0;
            int y0 = cell / GRID * CELL, x0 = cell % GRID * CELL;
            for (int y = y0; y < y0 + CELL; y++)
                for (int x = x0; x < x0 + CELL; x++) {
                    double v = (double)channel[c][y * SIDE + x];
                    sum += v;
                    square += v * v;
                }
            double mean = sum / (CELL * CELL);
            *out++ = (float)mean;
            *out++ = (float)sqrt(fmax(square / (CELL * CELL) - mean * mean, 0));
        }
}

/* Unsigned orientation, votes shared between the two nearest bins; cells of SIDE / n. */
static void orientations(const float *l, int n, int bins, float *out)
{
    memset(out, 0, (size_t)n * (size_t)n * (size_t)bins * sizeof *out);
    for (int y = 1; y + 1 < SIDE; y++)
        for (int x = 1; x + 1 < SIDE; x++) {
            const float *at = l + y * SIDE + x;
            float dx = at[1] - at[-1], dy = at[SIDE] - at[-SIDE];
            float size = sqrtf(dx * dx + dy * dy);
            if (size < 0.01f)
                continue;
            float angle = atan2f(dy, dx) / 3.14159265f; /* -1..1 */
            float bin = (angle < 0 ? angle + 1 : angle) * (float)bins;
            int low = (int)bin % bins;
            float share = bin - floorf(bin);
            float *cell = out + (size_t)((y * n / SIDE) * n + x * n / SIDE) * (size_t)bins;
            cell[low] += size * (1 - share);
            cell[(low + 1) % bins] += size * share;
        }
}

static void colours(const planes *p, float *out)
{
    memset(out, 0, 64 * sizeof *out);
    for (int i = 0; i < SIDE * SIDE; i++) {
        int l = (int)(p->l[i] * 4), a = (int)((p->a[i] + 0.4f) * 5),
            b = (int)((p->b[i] + 0.4f) * 5);
        l = MP_MIN(MP_MAX(l, 0), 3);
        a = MP_MIN(MP_MAX(a, 0), 3);
        b = MP_MIN(MP_MAX(b, 0), 3);
        out[l * 16 + a * 4 + b]++;
    }
}

/* Number of each 8-bit pattern among the 58 with at most two changes around the circle; 58: rest.
 */
static void uniform_numbers(uint8_t number[256])
{
    uint8_t next = 0;
    for (int v = 0; v < 256; v++) {
        int turned = (v >> 1) | ((v & 1) << 7);
        number[v] = __builtin_popcount((unsigned)(v ^ turned)) <= 2 ? next++ : 58;
    }
}

static void patterns(const float *l, float *out)
{
    static const int dx[8] = {1, 1, 0, -1, -1, -1, 0, 1}, dy[8] = {0, 1, 1, 1, 0, -1, -1, -1};
    uint8_t number[256];
    uniform_numbers(number);
    memset(out, 0, 64 * sizeof *out);
    for (int y = 1; y + 1 < SIDE; y++)
        for (int x = 1; x + 1 < SIDE; x++) {
            int code = 0;
            float centre = l[y * SIDE + x] + 0.01f;
            for (int k = 0; k < 8; k++)
                code |= (l[(y + dy[k]) * SIDE + x + dx[k]] > centre) << k;
            out[number[code]]++;
        }
}

static void finish_block(float *v, size_t n, bool root, float weight)
{
    for (size_t i = 0; root && i < n; i++)
        v[i] = sqrtf(v[i]);
    if (mp_normalise(v, n))
        for (size_t i = 0; i < n; i++)
            v[i] *= weight;
}

static void describe(const uint8_t *px, float *out)
{
    planes *p = mp_xmalloc(sizeof *p);
    to_lab(px, p);
    layout(p, out);
    orientations(p->l, CELLS, BINS, out + 96);
    colours(p, out + 384);
    patterns(p->l, out + 448);
    finish_block(out, 96, false, WEIGHT_LAYOUT);
    finish_block(out + 96, 288, true, WEIGHT_GRADIENT);
    finish_block(out + 384, 64, true, WEIGHT_COLOUR);
    finish_block(out + 448, 64, true, WEIGHT_PATTERN);
    if (!mp_normalise(out, DIMS)) /* black on black still has a colour histogram: unreachable */
        out[0] = 1;
    free(p);
}

/* ---- the family ---- */

static void fill_info(mp_model_info *info)
{
    const mp_view_spec view = {
        .width = SIDE, .height = SIDE, .fit = MP_FIT_SQUASH, .filter = MP_BILINEAR};
    *info = (mp_model_info){
        .id = "builtin",
        .sha256 = "builtin-1",
        .about = "colour, gradients and texture; no weights, no words",
        .licence = "Apache-2.0",
    };
    info->space[MP_SPACE_LOOK] =
        (mp_space_info){.dims = DIMS, .eager = true, .floor = 0.80f, .view = view};
    info->space[MP_SPACE_COPY] =
        (mp_space_info){.dims = DIMS, .eager = true, .floor = 0.85f, .view = view};
}

static bool installed(const char *folder, mp_model_info *info)
{
    (void)folder;
    fill_info(info);
    return true;
}

static mp_err open_builtin(void **self, const char *folder, const mp_model_options *opt,
                           mp_model_info *info, mp_why *why)
{
    (void)folder, (void)opt, (void)why;
    *self = NULL;
    fill_info(info);
    return MP_OK;
}

static void close_builtin(void *self)
{
    (void)self;
}

static mp_err images(void *self, const mp_views *views, size_t n, uint32_t mask,
                     float *const out[MP_SPACES], mp_why *why)
{
    (void)self, (void)why;
    for (size_t i = 0; i < n; i++) {
        float *look = mask & (1u << MP_SPACE_LOOK) ? out[MP_SPACE_LOOK] + i * DIMS : NULL;
        float *copy = mask & (1u << MP_SPACE_COPY) ? out[MP_SPACE_COPY] + i * DIMS : NULL;
        const uint8_t *px = views[i].px[look ? MP_SPACE_LOOK : MP_SPACE_COPY];
        if (!look && !copy)
            continue;
        describe(px, look ? look : copy);
        if (look && copy)
            memcpy(copy, look, DIMS * sizeof *copy);
    }
    return MP_OK;
}

/* Per cell: mean and deviation of L, a, b (5 of them), and 8 orientations. */
static mp_err patches(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    enum { CELLS_ALL = PATCH_GRID * PATCH_GRID };
    planes *p = mp_xmalloc(sizeof *p);
    float *turns = mp_xcalloc(CELLS_ALL * BINS, sizeof *turns), *counts;
    (void)self;
    *out = (mp_patches){.v = mp_try_array(CELLS_ALL * PATCH_DIMS, sizeof(float)),
                        .rows = PATCH_GRID,
                        .cols = PATCH_GRID,
                        .dims = PATCH_DIMS};
    counts = mp_xcalloc(CELLS_ALL, sizeof *counts);
    if (out->v) {
        to_lab(look_px, p);
        orientations(p->l, PATCH_GRID, BINS, turns);
        for (int i = 0; i < SIDE * SIDE; i++) {
            int cell = (i / SIDE * PATCH_GRID / SIDE) * PATCH_GRID + i % SIDE * PATCH_GRID / SIDE;
            float *v = out->v + cell * PATCH_DIMS;
            v[0] += p->l[i];
            v[1] += p->a[i];
            v[2] += p->b[i];
            v[3] += p->l[i] * p->l[i];
            counts[cell]++;
        }
        for (int cell = 0; cell < CELLS_ALL; cell++) {
            float *v = out->v + cell * PATCH_DIMS;
            for (int k = 0; k < 4; k++)
                v[k] /= counts[cell];
            v[3] = 4 * sqrtf(MP_MAX(v[3] - v[0] * v[0], 0.0f));
            v[1] *= 2;
            v[2] *= 2;
            v[4] = 0.3f; /* a constant keeps dark, flat patches comparable */
            for (int k = 0; k < BINS; k++)
                v[5 + k] = 2 * turns[cell * BINS + k] / counts[cell];
            (void)mp_normalise(v, PATCH_DIMS);
        }
    }
    free(counts);
    free(turns);
    free(p);
    return out->v ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for patches");
}

const mp_family mp_family_builtin = {
    .id = "builtin",
    .installed = installed,
    .open = open_builtin,
    .close = close_builtin,
    .images = images,
    .patches = patches,
};
