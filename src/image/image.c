/* image.c - owned pixels and luma. */
#include "image/image.h"

#include <stdlib.h>

/* Vector loads may touch a few bytes behind the last pixel. */
enum { SLACK = 32 };
static const size_t MAX_PIXELS = (size_t)1 << 36; /* a mistake, not a picture */

mp_err mp_image_new(mp_image *out, int w, int h, int channels, mp_why *why)
{
    *out = (mp_image){0};
    if (w < 1 || h < 1 || (channels != 1 && channels != 3))
        return mp_fail(why, MP_INVALID, "no picture has %d x %d pixels of %d channels", w, h,
                       channels);
    size_t pixels = (size_t)w * (size_t)h;
    if (pixels > MAX_PIXELS)
        return mp_fail(why, MP_TOO_BIG, "%d x %d pixels are too many", w, h);
    uint8_t *px = mp_try_array(pixels * (size_t)channels + SLACK, 1);
    if (!px)
        return mp_fail(why, MP_NOMEM, "no memory for %d x %d pixels", w, h);
    *out = (mp_image){px, w, h, channels};
    return MP_OK;
}

void mp_image_free(mp_image *im)
{
    if (!im)
        return;
    free(im->px);
    *im = (mp_image){0};
}

mp_err mp_to_grey(const mp_image *in, mp_image *out, mp_why *why)
{
    mp_err err = mp_image_new(out, in->w, in->h, 1, why);
    if (err)
        return err;
    size_t n = (size_t)in->w * (size_t)in->h;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = in->px + i * (size_t)in->channels;
        out->px[i] = in->channels == 1
                         ? p[0]
                         : (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000) >> 16);
    }
    return MP_OK;
}
