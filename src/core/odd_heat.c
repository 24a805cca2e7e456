/* odd_heat.c - where in a picture the oddness lies, and how to show it.
 *
 * A patch is compared with the normals' patches near its own place, where the same part of a thing
 * is expected, and with all others at a small penalty, because things move. The colours rise
 * evenly in CIELAB lightness, so that more is brighter for every eye and in grey print; they are
 * laid over the picture the more opaquely the odder it is. */
#include "core/odd.h"

#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>

enum { REACH = 2 /* patches in each direction */, RAMP = 256 };
static const float ELSEWHERE = 0.05f; /* of cosine */
static const float OPAQUE = 0.8f;

/* ---- patches ---- */

static bool is_near(int row, int col, int r, int c)
{
    return abs(row - r) <= REACH && abs(col - c) <= REACH;
}

/* Best cosine of one patch with a normal's, those elsewhere penalised. */
static float best_match(const mp_patches *test, int row, int col, const mp_patches *normal,
                        mp_dot_fn dot)
{
    const float *v =
        test->v + ((size_t)row * (size_t)test->cols + (size_t)col) * (size_t)test->dims;
    float best = -1;
    /* another grid's place for this patch */
    int row_there = row * normal->rows / test->rows, col_there = col * normal->cols / test->cols;
    for (int r = 0; r < normal->rows; r++)
        for (int c = 0; c < normal->cols; c++) {
            const float *w =
                normal->v + ((size_t)r * (size_t)normal->cols + (size_t)c) * (size_t)normal->dims;
            float cosine = dot(v, w, (size_t)test->dims);
            if (!is_near(row_there, col_there, r, c))
                cosine -= ELSEWHERE;
            best = MP_MAX(best, cosine);
        }
    return best;
}

void mp_odd_patches(const mp_patches *test, const mp_patches *normals, size_t n, float *out)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        used += normals[i].dims == test->dims;
    for (int row = 0; row < test->rows; row++)
        for (int col = 0; col < test->cols; col++) {
            float best = used ? -1.0f : 1.0f;
            for (size_t i = 0; i < n; i++)
                if (normals[i].dims == test->dims)
                    best = MP_MAX(best, best_match(test, row, col, &normals[i], dot));
            out[row * test->cols + col] = MP_MAX(1 - best, 0.0f);
        }
}

/* ---- colours ---- */

typedef struct lab {
    double l, a, b;
} lab;

/* Violet, magenta, orange, pale yellow: lightness rises in equal steps. */
static const lab stops[] = {{24, 36, -50}, {45, 66, -22}, {66, 46, 50}, {87, 2, 66}};

static double from_lab(double t)
{
    return t > 6.0 / 29 ? t * t * t : 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0 / 29);
}

static uint8_t to_srgb(double linear)
{
    double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
    return (uint8_t)lrint(fmin(fmax(v, 0), 1) * 255);
}

/* CIE 1976 L*a*b* (D65) to sRGB (IEC 61966-2-1). */
static void lab_to_rgb(lab c, uint8_t rgb[3])
{
    double fy = (c.l + 16) / 116;
    double x = 0.95047 * from_lab(fy + c.a / 500), y = from_lab(fy);
    double z = 1.08883 * from_lab(fy - c.b / 200);
    rgb[0] = to_srgb(3.2406 * x - 1.5372 * y - 0.4986 * z);
    rgb[1] = to_srgb(-0.9689 * x + 1.8758 * y + 0.0415 * z);
    rgb[2] = to_srgb(0.0557 * x - 0.2040 * y + 1.0570 * z);
}

static void make_ramp(uint8_t ramp[RAMP][3])
{
    for (int i = 0; i < RAMP; i++) {
        double t = (double)i / (RAMP - 1) * (MP_COUNT(stops) - 1);
        size_t at = MP_MIN((size_t)t, MP_COUNT(stops) - 2);
        double f = t - (double)at;
        lab p = stops[at], q = stops[at + 1];
        lab_to_rgb((lab){p.l + f * (q.l - p.l), p.a + f * (q.a - p.a), p.b + f * (q.b - p.b)},
                   ramp[i]);
    }
}

/* ---- overlay ---- */

typedef struct tap {
    int at, next;
    float part; /* of next */
} tap;

/* Where pixel i of `size` falls between the centres of `cells`. */
static tap tap_of(int i, int size, int cells)
{
    float at = ((float)i + 0.5f) * (float)cells / (float)size - 0.5f;
    at = MP_MIN(MP_MAX(at, 0.0f), (float)(cells - 1));
    int low = (int)at;
    return (tap){low, MP_MIN(low + 1, cells - 1), at - (float)low};
}

static float sample(const float *heat, int cols, tap y, tap x)
{
    const float *up = heat + (size_t)y.at * (size_t)cols;
    const float *down = heat + (size_t)y.next * (size_t)cols;
    float top = up[x.at] + (up[x.next] - up[x.at]) * x.part;
    float bottom = down[x.at] + (down[x.next] - down[x.at]) * x.part;
    return top + (bottom - top) * y.part;
}

static void paint(const uint8_t *in, int channels, const uint8_t colour[3], float cover,
                  uint8_t *out)
{
    for (int c = 0; c < 3; c++) {
        float own = in[channels == 3 ? c : 0];
        out[c] = (uint8_t)lrintf(own + ((float)colour[c] - own) * cover);
    }
}

mp_err mp_odd_overlay(const mp_image *picture, const float *heat, int rows, int cols, float low,
                      float high, mp_image *out, mp_why *why)
{
    uint8_t ramp[RAMP][3];
    *out = (mp_image){0};
    if (rows < 1 || cols < 1 || !(low < high) || picture->w < 1 || picture->h < 1)
        return mp_fail(why, MP_INVALID, "there is no heat map to draw");
    mp_err err = mp_image_new(out, picture->w, picture->h, 3, why);
    if (err)
        return err;
    make_ramp(ramp);
    for (int y = 0; y < picture->h; y++) {
        tap row = tap_of(y, picture->h, rows);
        for (int x = 0; x < picture->w; x++) {
            size_t at = (size_t)y * (size_t)picture->w + (size_t)x;
            float t = (sample(heat, cols, row, tap_of(x, picture->w, cols)) - low) / (high - low);
            t = t > 0 ? MP_MIN(t, 1.0f) : 0; /* also for a value that is not a number */
            paint(picture->px + at * (size_t)picture->channels, picture->channels,
                  ramp[(int)(t * (RAMP - 1))], OPAQUE * sqrtf(t), out->px + at * 3);
        }
    }
    return MP_OK;
}
