/* dedup_sketch.c - preparing a picture for comparison. See dedup_sketch.h. */
#include "core/dedup_sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Squares: a uniform crop keeps 24/n of each side. Oblongs: something was added on one side only. */
const mp_sketch_size mp_sketch_sizes[SKETCH_SIZES] = {
    {24, 24}, {25, 25}, {27, 27}, {29, 29}, {31, 31}, {34, 34}, {37, 37}, {41, 41},
    {24, 26}, {24, 28}, {24, 30}, {24, 33}, {26, 24}, {28, 24}, {30, 24}, {33, 24},
};

void mp_turn_square(const uint8_t *in, int n, int turn, uint8_t *out)
{
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            int sy = y, sx = x;
            switch (turn & 3) { /* clockwise: where a pixel of the result comes from */
            case 1:
                sy = n - 1 - x, sx = y;
                break;
            case 2:
                sy = n - 1 - y, sx = n - 1 - x;
                break;
            case 3:
                sy = x, sx = n - 1 - y;
                break;
            default:
                break;
            }
            if (turn & 4) /* mirrored before it was turned */
                sx = n - 1 - sx;
            out[y * n + x] = in[sy * n + sx];
        }
}

static void normalise(const uint8_t *in, size_t n, float *out, float *mean, float *deviation)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += in[i];
        square += (double)in[i] * in[i];
    }
    double m = sum / (double)n, var = fmax(square / (double)n - m * m, 0);
    double scale = var > 0 ? 1 / sqrt(var * (double)n) : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((in[i] - m) * scale);
    *mean = (float)m;
    *deviation = (float)sqrt(var);
}

static mp_err resized(const mp_image *in, int w, int h, uint8_t *to)
{
    mp_image out;
    mp_err err = mp_resize(in, w, h, MP_BILINEAR, &out, NULL);
    if (!err)
        memcpy(to, out.px, (size_t)w * (size_t)h);
    mp_image_free(&out);
    return err;
}

static size_t area(int i)
{
    return (size_t)mp_sketch_sizes[i].w * (size_t)mp_sketch_sizes[i].h;
}

mp_err mp_sketch_make(mp_sketch *out, const mp_image *picture)
{
    mp_image grey = {0}, base = {0};
    size_t total = SKETCH_FINE * SKETCH_FINE + SKETCH_BASE * SKETCH_BASE;
    *out = (mp_sketch){0};
    for (int i = 0; i < SKETCH_SIZES; i++)
        total += area(i);
    uint8_t *block = mp_try_array(total, 1);
    mp_err err = block ? mp_to_grey(picture, &grey, NULL) : MP_NOMEM;
    if (!err)
        err = mp_resize(&grey, SKETCH_BASE, SKETCH_BASE, MP_BILINEAR, &base, NULL);
    for (int i = 0; !err && i < SKETCH_SIZES; i++) {
        out->wide[i] = block;
        err = resized(&base, mp_sketch_sizes[i].w, mp_sketch_sizes[i].h, block);
        block += area(i);
    }
    if (!err) {
        out->fine = block;
        out->base = block + SKETCH_FINE * SKETCH_FINE;
        err = resized(&base, SKETCH_FINE, SKETCH_FINE, out->fine);
        memcpy(out->base, base.px, SKETCH_BASE * SKETCH_BASE);
    }
    for (int turn = 0; !err && turn < 8; turn++) {
        uint8_t turned[SKETCH_WINDOW * SKETCH_WINDOW];
        mp_turn_square(out->wide[0], SKETCH_WINDOW, turn, turned);
        normalise(turned, sizeof turned, out->window[turn], &out->mean, &out->deviation);
    }
    mp_image_free(&grey);
    mp_image_free(&base);
    if (err && !out->wide[0])
        free(block);
    if (err)
        mp_sketch_free(out);
    return err;
}

void mp_sketch_free(mp_sketch *s)
{
    free(s->wide[0]);
    *s = (mp_sketch){0};
}
