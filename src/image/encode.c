/* encode.c - our own pixels to WebP by libwebp and to PNG by libvips. */
#include "image/image.h"

#include "image/vips.h"

#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>
#include <webp/encode.h>

static mp_err wrap(const mp_image *im, VipsImage **out, mp_why *why)
{
    *out = NULL;
    mp_err err = mp_vips_start(why);
    if (err)
        return err;
    *out = vips_image_new_from_memory(im->px, (size_t)im->w * (size_t)im->h * (size_t)im->channels,
                                      im->w, im->h, im->channels, VIPS_FORMAT_UCHAR);
    if (!*out)
        return mp_vips_fail(why, MP_NOMEM, "cannot encode");
    (*out)->Type = im->channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    return MP_OK;
}

/* glib's memory to malloc's, which is what callers free. */
static mp_err hand_over(int failed, void *data, size_t size, uint8_t **out, size_t *n, mp_why *why)
{
    if (failed)
        return mp_vips_fail(why, MP_INTERNAL, "cannot encode");
    *out = malloc(size ? size : 1);
    if (*out)
        memcpy(*out, data, size);
    *n = *out ? size : 0;
    g_free(data);
    return *out ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu bytes", size);
}

static bool import(WebPPicture *p, const mp_image *im)
{
    if (im->channels == 3)
        return WebPPictureImportRGB(p, im->px, im->w * 3);
    size_t n = (size_t)im->w * (size_t)im->h;
    uint8_t *rgb = mp_xmalloc(n * 3);
    for (size_t i = 0; i < n; i++)
        memset(rgb + i * 3, im->px[i], 3);
    bool done = WebPPictureImportRGB(p, rgb, im->w * 3);
    free(rgb);
    return done;
}

/* libvips would do it, too, at three times the cost for a thumbnail. Method 0 of 6: on photographs
 * at 256 px half the time of method 1 for the same PSNR and 6 % more bytes. */
mp_err mp_encode_webp(const mp_image *im, int quality, uint8_t **out, size_t *n, mp_why *why)
{
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter memory;
    *out = NULL;
    *n = 0;
    if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, (float)quality) ||
        !WebPPictureInit(&picture))
        return mp_fail(why, MP_INTERNAL, "cannot encode: another libwebp than this was built for");
    config.method = 0;
    picture.width = im->w;
    picture.height = im->h;
    WebPMemoryWriterInit(&memory);
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &memory;
    bool done = import(&picture, im) && WebPEncode(&config, &picture);
    WebPPictureFree(&picture);
    if (!done) {
        WebPMemoryWriterClear(&memory);
        return mp_fail(why, MP_INTERNAL, "cannot encode %d x %d pixels as WebP: error %d", im->w,
                       im->h, (int)picture.error_code);
    }
    *out = memory.mem; /* by malloc, as callers free it */
    *n = memory.size;
    return MP_OK;
}

mp_err mp_encode_png(const mp_image *im, uint8_t **out, size_t *n, mp_why *why)
{
    VipsImage *wrapped;
    void *data = NULL;
    size_t size = 0;
    *out = NULL;
    *n = 0;
    mp_err err = wrap(im, &wrapped, why);
    if (err)
        return err;
    int failed = vips_pngsave_buffer(wrapped, &data, &size, "compression", 6, "strip", TRUE, NULL);
    g_object_unref(wrapped);
    return hand_over(failed, data, size, out, n, why);
}
