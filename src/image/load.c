/* load.c - see load.h. First frame or page; to sRGB through the embedded profile where there is
 * one; alpha composed on white; 8 bits; then turned upright.
 *
 * The loader is chosen by our own sniffing, never by libvips: of its many loaders only those named
 * here can be reached. The pixels stream through the conversions into our memory, so that a picture
 * is never held twice except while it is turned. */
#include "image/load.h"

#include "image/jpeg.h"
#include "image/vips.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

static pthread_once_t started = PTHREAD_ONCE_INIT;
static bool usable;

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer unused)
{
    (void)domain, (void)level, (void)text, (void)unused; /* errors come back by vips_error_buffer */
}

static void start(void)
{
    usable = vips_init("magpie") == 0;
    if (!usable)
        return;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    g_log_set_handler("VIPS", (GLogLevelFlags)(G_LOG_LEVEL_MASK | G_LOG_FLAG_RECURSION), quiet,
                      NULL);
}

mp_err mp_vips_start(mp_why *why)
{
    pthread_once(&started, start);
    return usable ? MP_OK : mp_fail(why, MP_INTERNAL, "libvips does not start");
}

mp_err mp_vips_fail(mp_why *why, mp_err err, const char *what)
{
    char text[400];
    snprintf(text, sizeof text, "%s", vips_error_buffer());
    vips_error_clear();
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        text[--n] = '\0';
    char *line = strrchr(text, '\n');
    return mp_fail(why, err, "%s%s%s", what, n ? ": " : "", line ? line + 1 : text);
}

/* ---- opening ---- */

static const char *const loaders[] = {
    [MP_JPEG] = "jpegload_source", [MP_PNG] = "pngload_source",   [MP_WEBP] = "webpload_source",
    [MP_GIF] = "gifload_source",   [MP_TIFF] = "tiffload_source", [MP_AVIF] = "heifload_source",
    [MP_HEIC] = "heifload_source", [MP_PPM] = "ppmload_source",
};

/* Reads the header only. shrink: for JPEG alone. NULL: see vips_error_buffer. */
static VipsImage *open_bytes(mp_span bytes, mp_format format, int shrink)
{
    VipsImage *im = NULL;
    VipsSource *source = vips_source_new_from_memory(bytes.p, bytes.n);
    if (!source)
        return NULL;
    int failed = shrink > 1
                     ? vips_call(loaders[format], source, &im, "access", VIPS_ACCESS_SEQUENTIAL,
                                 "fail_on", VIPS_FAIL_ON_TRUNCATED, "shrink", shrink, NULL)
                     : vips_call(loaders[format], source, &im, "access", VIPS_ACCESS_SEQUENTIAL,
                                 "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
    g_object_unref(source);
    return failed ? NULL : im;
}

static mp_err check_size(int64_t w, int64_t h, const mp_load_limits *limits, mp_why *why)
{
    if (w > limits->max_side || h > limits->max_side)
        return mp_fail(why, MP_TOO_BIG, "%lld x %lld pixels: a side is over the limit of %d",
                       (long long)w, (long long)h, limits->max_side);
    if (w * h > limits->max_pixels)
        return mp_fail(why, MP_TOO_BIG, "%lld x %lld pixels are over the limit of %lld",
                       (long long)w, (long long)h, (long long)limits->max_pixels);
    return MP_OK;
}

static int64_t taken_ms(VipsImage *im)
{
    static const char *const fields[] = {"exif-ifd2-DateTimeOriginal",
                                         "exif-ifd2-DateTimeDigitized", "exif-ifd0-DateTime"};
    int64_t ms = 0;
    const char *text;
    for (size_t i = 0; i < MP_COUNT(fields) && !ms; i++)
        if (vips_image_get_typeof(im, fields[i]) == VIPS_TYPE_REF_STRING &&
            vips_image_get_string(im, fields[i], &text) == 0)
            ms = mp_exif_time_ms(text);
    return ms;
}

/* The largest of 8, 4, 2 that leaves both sides with what is needed. JPEG's decoder scales while it
 * decodes, by averaging in the DCT: keeping twice the target keeps the final resize in charge. */
static int jpeg_shrink(const mp_loaded *l, int min_short, int min_long)
{
    int shortest = MP_MIN(l->width, l->height), longest = MP_MAX(l->width, l->height);
    if (l->format != MP_JPEG || (!min_short && !min_long))
        return 1;
    for (int shrink = 8; shrink > 1; shrink /= 2)
        if (shortest / shrink >= min_short && longest / shrink >= min_long)
            return shrink;
    return 1;
}

/* ---- pixels ---- */

/* Replaces *im by the result of a step; NULL result is a failure. */
static bool step(VipsImage **im, VipsImage *result)
{
    g_object_unref(*im);
    *im = result;
    return result != NULL;
}

static bool needs_profile(VipsImage *im)
{
    const void *data;
    size_t n;
    if (vips_image_guess_interpretation(im) == VIPS_INTERPRETATION_CMYK)
        return true; /* ours is used where the picture has none */
    if (vips_image_get_typeof(im, VIPS_META_ICC_NAME) == 0 ||
        vips_image_get_blob(im, VIPS_META_ICC_NAME, &data, &n) != 0)
        return false;
    return vips_image_get_bands(im) < 3 || !mp_icc_is_srgb((mp_span){data, n});
}

static bool by_profile(VipsImage **im)
{
    VipsImage *out = NULL;
    bool cmyk = vips_image_guess_interpretation(*im) == VIPS_INTERPRETATION_CMYK;
    if (vips_icc_transform(*im, &out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                           "input_profile", cmyk ? "cmyk" : "srgb", NULL) == 0)
        return step(im, out);
    vips_error_clear(); /* a broken profile is no reason to refuse the picture */
    return vips_colourspace(*im, &out, VIPS_INTERPRETATION_sRGB, NULL) == 0 && step(im, out);
}

/* 16 bits to 8 before anything else: libvips' conversion by profile leaves alpha in its old range.
 */
static bool eight_bits(VipsImage **im)
{
    VipsImage *high = NULL, *named = NULL;
    VipsInterpretation kind = vips_image_guess_interpretation(*im);
    bool grey = kind == VIPS_INTERPRETATION_GREY16;
    if (vips_image_get_format(*im) != VIPS_FORMAT_USHORT ||
        (!grey && kind != VIPS_INTERPRETATION_RGB16))
        return true;
    if (vips_msb(*im, &high, NULL) || !step(im, high))
        return false;
    return vips_copy(*im, &named, "interpretation",
                     grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, NULL) == 0 &&
           step(im, named);
}

static bool to_srgb(VipsImage **im)
{
    VipsImage *out = NULL;
    if (!eight_bits(im))
        return false;
    if (needs_profile(*im))
        return by_profile(im);
    if (vips_image_guess_interpretation(*im) == VIPS_INTERPRETATION_sRGB &&
        vips_image_get_format(*im) == VIPS_FORMAT_UCHAR)
        return true;
    return vips_colourspace(*im, &out, VIPS_INTERPRETATION_sRGB, NULL) == 0 && step(im, out);
}

static bool on_white(VipsImage **im)
{
    VipsImage *out = NULL;
    if (!vips_image_hasalpha(*im))
        return true;
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
    int failed = vips_flatten(*im, &out, "background", white, "max_alpha", 255.0, NULL);
    vips_area_unref(VIPS_AREA(white));
    return failed == 0 && step(im, out);
}

/* Bands beyond colour and alpha are dropped; one band is shown as grey. */
static bool three_bytes(VipsImage **im)
{
    VipsImage *out = NULL;
    if (vips_image_get_format(*im) != VIPS_FORMAT_UCHAR &&
        (vips_cast_uchar(*im, &out, NULL) || !step(im, out)))
        return false;
    int bands = vips_image_get_bands(*im);
    if (bands == 3)
        return true;
    if (bands > 3)
        return vips_extract_band(*im, &out, 0, "n", 3, NULL) == 0 && step(im, out);
    if (bands == 2 && (vips_extract_band(*im, &out, 0, NULL) || !step(im, out)))
        return false;
    VipsImage *same[3] = {*im, *im, *im};
    return vips_bandjoin(same, &out, 3, NULL) == 0 && step(im, out);
}

/* Strip by strip on this thread: for pictures of this size libvips' own pool of threads costs more
 * than it does, and a sequential source wants to be read from the top anyway. */
static mp_err stream_pixels(VipsImage *im, mp_image *out, mp_why *why)
{
    enum { STRIP = 64 };
    int w = vips_image_get_width(im), h = vips_image_get_height(im);
    mp_err err = mp_image_new(out, w, h, 3, why);
    if (err)
        return err;
    VipsRegion *region = vips_region_new(im);
    for (int y = 0; !err && y < h; y += STRIP) {
        VipsRect strip = {0, y, w, MP_MIN(STRIP, h - y)};
        if (!region || vips_region_prepare(region, &strip) != 0)
            err = mp_vips_fail(why, MP_CORRUPT, "broken picture");
        for (int row = y; !err && row < y + strip.height; row++)
            memcpy(out->px + (size_t)row * (size_t)w * 3, VIPS_REGION_ADDR(region, 0, row),
                   (size_t)w * 3);
    }
    if (region)
        g_object_unref(region);
    if (err)
        mp_image_free(out);
    return err;
}

/* Nothing to convert: libvips is not needed for the pixels. */
static bool is_plain_jpeg(const mp_loaded *l, VipsImage *im)
{
    int bands = vips_image_get_bands(im);
    return l->format == MP_JPEG && (bands == 1 || bands == 3) && !needs_profile(im);
}

static mp_err by_libvips(VipsImage **im, mp_span bytes, int shrink, mp_loaded *out, mp_why *why)
{
    if (shrink > 1 && !step(im, open_bytes(bytes, out->format, shrink)))
        return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    if (!to_srgb(im) || !on_white(im) || !three_bytes(im))
        return mp_vips_fail(why, MP_CORRUPT, "cannot convert the colours");
    return stream_pixels(*im, &out->image, why);
}

/* Everything but the pixels. *im: the caller's, on success alone. */
static mp_err open_header(mp_span bytes, const mp_load_limits *limits, mp_loaded *out,
                          VipsImage **im, mp_why *why)
{
    *out = (mp_loaded){.format = mp_sniff(bytes)};
    *im = NULL;
    if (out->format == MP_FORMAT_NONE)
        return mp_fail(why, MP_UNSUPPORTED, "not a picture");
    mp_err err = mp_vips_start(why);
    if (err)
        return err;
    int64_t w = 1, h = 1;
    if (out->format == MP_PPM && !mp_netpbm_size(bytes, &w, &h))
        return mp_fail(why, MP_CORRUPT, "broken picture: no size in its header");
    err = check_size(w, h, limits, why);
    if (err)
        return err;
    *im = open_bytes(bytes, out->format, 1);
    if (!*im)
        return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    int orientation = vips_image_get_orientation(*im);
    bool swap = orientation >= 5 && orientation <= 8;
    out->width = swap ? vips_image_get_height(*im) : vips_image_get_width(*im);
    out->height = swap ? vips_image_get_width(*im) : vips_image_get_height(*im);
    out->frames = vips_image_get_n_pages(*im);
    out->taken_ms = taken_ms(*im);
    err = check_size(out->width, out->height, limits, why);
    if (err) {
        g_object_unref(*im);
        *im = NULL;
    }
    return err;
}

mp_err mp_load_header(mp_span bytes, const mp_load_limits *limits, mp_loaded *out, mp_exif *exif,
                      mp_why *why)
{
    VipsImage *im;
    mp_err err = open_header(bytes, limits, out, &im, why);
    if (err)
        return err;
    mp_vips_exif(im, exif);
    g_object_unref(im);
    return MP_OK;
}

mp_err mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
               mp_loaded *out, mp_why *why)
{
    VipsImage *im;
    mp_err err = open_header(bytes, limits, out, &im, why);
    if (err)
        return err;
    int orientation = vips_image_get_orientation(im);
    int shrink = jpeg_shrink(out, min_short, min_long);
    if (is_plain_jpeg(out, im))
        err = mp_jpeg_pixels(bytes, shrink, &out->image, why);
    else
        err = by_libvips(&im, bytes, shrink, out, why);
    if (!err)
        err = mp_image_orient(&out->image, orientation, why);
    if (err)
        mp_image_free(&out->image);
    if (im)
        g_object_unref(im);
    return err;
}
