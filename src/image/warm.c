/* warm.c - running every loader once. What libvips and the libraries below it open, read or
 * allocate when first used (plug-ins, built-in profiles, tables, threads) must be there before the
 * sandbox closes. */
#include "image/load.h"

#include "image/vips.h"

#include <vips/vips.h>

enum { SIDE = 16 };

static void load_once(mp_span bytes)
{
    const mp_load_limits limits = {1000, 100};
    mp_loaded loaded;
    if (mp_load(bytes, &limits, 0, 0, &loaded, NULL) == MP_OK)
        mp_image_free(&loaded.image);
}

static void round_trip(const char *suffix)
{
    uint8_t px[SIDE * SIDE * 3];
    void *data = NULL;
    size_t size = 0;
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 7);
    VipsImage *im = vips_image_new_from_memory(px, sizeof px, SIDE, SIDE, 3, VIPS_FORMAT_UCHAR);
    if (im && vips_image_write_to_buffer(im, suffix, &data, &size, NULL) == 0)
        load_once((mp_span){data, size});
    g_free(data);
    if (im)
        g_object_unref(im);
    vips_error_clear(); /* this libvips cannot write the format */
}

/* The CMYK and sRGB profiles are built in, but unpacked when first used. */
static void profiles(void)
{
    VipsImage *black = NULL, *cmyk = NULL, *rgb = NULL;
    if (vips_black(&black, 4, 4, "bands", 4, NULL) == 0 &&
        vips_copy(black, &cmyk, "interpretation", VIPS_INTERPRETATION_CMYK, NULL) == 0 &&
        vips_icc_transform(cmyk, &rgb, "srgb", "input_profile", "cmyk", NULL) == 0)
        g_free(vips_image_write_to_memory(rgb, &(size_t){0}));
    if (rgb)
        g_object_unref(rgb);
    if (cmyk)
        g_object_unref(cmyk);
    if (black)
        g_object_unref(black);
    vips_error_clear();
}

mp_err mp_load_warm_up(mp_why *why)
{
    static const char *const suffixes[] = {".jpg", ".png", ".webp", ".tiff", ".gif"};
    static const uint8_t grey16[] = {'P', '5', ' ', '1', ' ',  '1', ' ', '6',
                                     '5', '5', '3', '5', '\n', 0,   0};
    /* No picture, but enough for libheif to load its plug-ins; its encoders may be missing. */
    static const uint8_t heif[] = "\0\0\0\x18"
                                  "ftypavif\0\0\0\0mif1avif";
    mp_err err = mp_vips_start(why);
    if (err)
        return err;
    for (size_t i = 0; i < MP_COUNT(suffixes); i++)
        round_trip(suffixes[i]);
    load_once((mp_span){grey16, sizeof grey16});
    load_once((mp_span){heif, sizeof heif});
    profiles();
    return MP_OK;
}
