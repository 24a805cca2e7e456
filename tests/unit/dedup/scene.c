/* scene.c - see scene.h. */
#include "scene.h"

#include "base/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mp_image blank(int w, int h)
{
    mp_image im;
    mp_why why;
    if (mp_image_new(&im, w, h, 1, &why) != MP_OK)
        abort();
    return im;
}

mp_image scene_blank(int w, int h, uint8_t level)
{
    mp_image im = blank(w, h);
    memset(im.px, level, (size_t)w * (size_t)h);
    return im;
}

static uint8_t level_of(double v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
}

static void add_ellipse(double *px, int w, int h, mp_rng *r)
{
    double cx = mp_rng_unit(r) * w, cy = mp_rng_unit(r) * h,
           size = w * (0.03 + 0.15 * mp_rng_unit(r));
    double flat = 0.4 + mp_rng_unit(r), level = 220 * (mp_rng_unit(r) - 0.5);
    int left = (int)(cx - 2 * size), right = (int)(cx + 2 * size); /* beyond, nothing is left */
    int top = (int)(cy - 2 * size * flat), bottom = (int)(cy + 2 * size * flat);
    for (int y = MP_MAX(top, 0); y < MP_MIN(bottom, h); y++)
        for (int x = MP_MAX(left, 0); x < MP_MIN(right, w); x++) {
            double d = hypot((x - cx) / size, (y - cy) / size / flat);
            px[y * w + x] += level / (1 + exp((d - 1) * 12));
        }
}

mp_image scene_new(uint64_t seed, int w, int h)
{
    mp_rng r = {seed * 1000003 + 17};
    mp_image im = blank(w, h);
    double *px = calloc((size_t)w * (size_t)h, sizeof *px);
    if (!px)
        abort();
    for (int i = 0; i < 45; i++)
        add_ellipse(px, w, h, &r);
    for (int i = 0; i < w * h; i++)
        im.px[i] = level_of(128 + px[i]);
    free(px);
    return im;
}

mp_image scene_crop(const mp_image *in, double left, double top, double right, double bottom)
{
    int x0 = (int)(in->w * left), y0 = (int)(in->h * top);
    int x1 = (int)(in->w * (1 - right)), y1 = (int)(in->h * (1 - bottom));
    mp_image out = blank(x1 - x0, y1 - y0);
    for (int y = y0; y < y1; y++)
        memcpy(out.px + (size_t)(y - y0) * (size_t)out.w, in->px + (size_t)y * (size_t)in->w + x0,
               (size_t)out.w);
    return out;
}

mp_image scene_resize(const mp_image *in, int w, int h)
{
    mp_image out = {0};
    if (mp_resize(in, w, h, MP_BILINEAR, &out, NULL) != MP_OK)
        abort();
    return out;
}

static mp_image quarter(const mp_image *in)
{
    mp_image out = blank(in->h, in->w);
    for (int y = 0; y < in->h; y++)
        for (int x = 0; x < in->w; x++)
            out.px[x * out.w + (in->h - 1 - y)] = in->px[y * in->w + x];
    return out;
}

mp_image scene_turn(const mp_image *in, int quarters, bool mirror)
{
    mp_image out = scene_crop(in, 0, 0, 0, 0);
    for (int y = 0; mirror && y < in->h; y++)
        for (int x = 0; x < in->w; x++)
            out.px[y * in->w + x] = in->px[y * in->w + in->w - 1 - x];
    for (int i = 0; i < quarters; i++) {
        mp_image next = quarter(&out);
        mp_image_free(&out);
        out = next;
    }
    return out;
}

static mp_image paste(const mp_image *in, int left, int top, int right, int bottom, uint8_t level)
{
    mp_image out = scene_blank(in->w + left + right, in->h + top + bottom, level);
    for (int y = 0; y < in->h; y++)
        memcpy(out.px + (y + top) * out.w + left, in->px + y * in->w, (size_t)in->w);
    return out;
}

mp_image scene_border(const mp_image *in, int px, uint8_t level)
{
    return paste(in, px, px, px, px, level);
}

mp_image scene_caption(const mp_image *in, int px)
{
    mp_image out = paste(in, 0, 0, 0, px, 255);
    for (int y = in->h + px / 4; y < in->h + px * 3 / 4; y++)
        for (int x = in->w / 8; x < in->w * 3 / 4; x++)
            if (x / 3 % 4 == 0)
                out.px[y * out.w + x] = 0;
    return out;
}

mp_image scene_tone(const mp_image *in, double gain, double offset, double noise, uint64_t seed)
{
    mp_rng r = {seed};
    mp_image out = scene_crop(in, 0, 0, 0, 0);
    for (int i = 0; i < in->w * in->h; i++)
        out.px[i] = level_of(gain * in->px[i] + offset + noise * mp_rng_gauss(&r));
    return out;
}

mp_image scene_mark(const mp_image *in)
{
    mp_image out = scene_crop(in, 0, 0, 0, 0);
    for (int y = in->h * 2 / 5; y < in->h / 2; y++)
        for (int x = in->w / 3; x < in->w * 2 / 3; x++)
            out.px[y * in->w + x] =
                (uint8_t)((in->px[y * in->w + x] + 3 * ((x / 4 ^ y / 8) % 2 ? 230 : 90)) / 4);
    return out;
}
