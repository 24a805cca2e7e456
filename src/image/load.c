/* load.c - see load.h. First frame or page; orientation applied; to sRGB through the embedded
 * profile where there is one; alpha composed on white; 8 bits. */
#include "image/load.h"

#include "image/vips.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* ---- facts ---- */

/* "2024:05:01 12:30:00" as UTC; 0 when absent or senseless. */
static int64_t exif_time(VipsImage *im)
{
    static const char *const fields[] = {"exif-ifd2-DateTimeOriginal", "exif-ifd2-DateTimeDigitized",
                                         "exif-ifd0-DateTime"};
    const char *text = NULL;
    struct tm t = {0};
    for (size_t i = 0; i < MP_COUNT(fields) && !text; i++)
        if (vips_image_get_typeof(im, fields[i]) && vips_image_get_string(im, fields[i], &text))
            text = NULL;
    if (!text || sscanf(text, "%d:%d:%d %d:%d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
                        &t.tm_min, &t.tm_sec) < 3)
        return 0;
    if (t.tm_year < 1826 || t.tm_year > 9999 || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 ||
        t.tm_mday > 31)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)timegm(&t) * 1000;
}

static mp_err check_size(VipsImage *im, const mp_load_limits *limits, mp_why *why)
{
    int64_t w = vips_image_get_width(im), h = vips_image_get_height(im);
    if (w > limits->max_side || h > limits->max_side)
        return mp_fail(why, MP_TOO_BIG, "%lld x %lld pixels: a side is over the limit of %d",
                       (long long)w, (long long)h, limits->max_side);
    if (w * h > limits->max_pixels)
        return mp_fail(why, MP_TOO_BIG, "%lld x %lld pixels are over the limit of %lld",
                       (long long)w, (long long)h, (long long)limits->max_pixels);
    return MP_OK;
}

/* The largest of 8, 4, 2 that leaves both sides with what is needed. JPEG's decoder scales while it
 * decodes, by averaging in the DCT: keeping twice the target keeps the final resize in charge. */
static int jpeg_shrink(VipsImage *im, int min_short, int min_long)
{
    int w = vips_image_get_width(im), h = vips_image_get_height(im);
    int shortest = MP_MIN(w, h), longest = MP_MAX(w, h);
    if (!min_short && !min_long)
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

static bool to_srgb(VipsImage **im)
{
    VipsImage *out = NULL;
    VipsInterpretation kind = vips_image_guess_interpretation(*im);
    bool cmyk = kind == VIPS_INTERPRETATION_CMYK;
    bool profile = vips_image_get_typeof(*im, VIPS_META_ICC_NAME) != 0;
    if (profile || cmyk) {
        /* A broken profile is no reason to refuse the picture. */
        if (vips_icc_transform(*im, &out, "srgb", "embedded", TRUE, "intent",
                               VIPS_INTENT_RELATIVE, "input_profile", cmyk ? "cmyk" : "srgb",
                               NULL) == 0 &&
            step(im, out))
            return true;
        vips_error_clear();
        out = NULL;
        if (!*im)
            return false;
    }
    if (kind == VIPS_INTERPRETATION_sRGB && vips_image_get_format(*im) == VIPS_FORMAT_UCHAR)
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

static bool three_bytes(VipsImage **im)
{
    VipsImage *out = NULL;
    if (vips_image_get_format(*im) != VIPS_FORMAT_UCHAR &&
        (vips_cast_uchar(*im, &out, NULL) || !step(im, out)))
        return false;
    out = NULL;
    int bands = vips_image_get_bands(*im);
    if (bands == 3)
        return true;
    if (bands > 3)
        return vips_extract_band(*im, &out, 0, "n", 3, NULL) == 0 && step(im, out);
    VipsImage *same[3] = {*im, *im, *im};
    if (bands == 2) {
        if (vips_extract_band(*im, &out, 0, NULL) || !step(im, out))
            return false;
        same[0] = same[1] = same[2] = *im;
        out = NULL;
    }
    return vips_bandjoin(same, &out, 3, NULL) == 0 && step(im, out);
}

static mp_err copy_pixels(VipsImage *im, mp_image *out, mp_why *why)
{
    size_t size = 0;
    uint8_t *px = vips_image_write_to_memory(im, &size);
    if (!px)
        return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    mp_err err = mp_image_new(out, vips_image_get_width(im), vips_image_get_height(im), 3, why);
    if (!err && size != (size_t)out->w * (size_t)out->h * 3)
        err = mp_fail(why, MP_INTERNAL, "unexpected pixel layout");
    if (!err)
        memcpy(out->px, px, size);
    else
        mp_image_free(out);
    g_free(px);
    return err;
}

static mp_err convert(VipsImage **im, mp_loaded *out, mp_why *why)
{
    VipsImage *upright = NULL, *whole = NULL;
    /* Turning reads in another order than decoding: the pixels must be in memory first. */
    if (vips_image_wio_input(*im) || (whole = vips_image_copy_memory(*im), !whole))
        return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    step(im, whole);
    if (!to_srgb(im) || !on_white(im) || !three_bytes(im))
        return mp_vips_fail(why, MP_CORRUPT, "cannot convert the colours");
    if (vips_autorot(*im, &upright, NULL) || !step(im, upright))
        return mp_vips_fail(why, MP_CORRUPT, "cannot turn the picture");
    return copy_pixels(*im, &out->image, why);
}

static VipsImage *open_bytes(mp_span bytes, const char *options)
{
    return vips_image_new_from_buffer(bytes.p, bytes.n, options, "access", VIPS_ACCESS_SEQUENTIAL,
                                      "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

mp_err mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
               mp_loaded *out, mp_why *why)
{
    *out = (mp_loaded){.format = mp_sniff(bytes)};
    if (out->format == MP_FORMAT_NONE)
        return mp_fail(why, MP_UNSUPPORTED, "not a picture");
    mp_err err = mp_vips_start(why);
    if (err)
        return err;
    VipsImage *im = open_bytes(bytes, "");
    if (!im)
        return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    err = check_size(im, limits, why);
    bool turned = vips_image_get_orientation_swap(im);
    int w = vips_image_get_width(im), h = vips_image_get_height(im);
    out->width = turned ? h : w;
    out->height = turned ? w : h;
    out->frames = vips_image_get_n_pages(im);
    out->taken_ms = exif_time(im);
    int shrink = out->format == MP_JPEG && !err ? jpeg_shrink(im, min_short, min_long) : 1;
    if (!err && shrink > 1) {
        char options[32];
        snprintf(options, sizeof options, "[shrink=%d]", shrink);
        if (!step(&im, open_bytes(bytes, options)))
            return mp_vips_fail(why, MP_CORRUPT, "broken picture");
    }
    if (!err)
        err = convert(&im, out, why);
    if (im)
        g_object_unref(im);
    return err;
}

/* ---- warm up ---- */

static void round_trip(const char *suffix)
{
    uint8_t px[16 * 16 * 3];
    void *data = NULL;
    size_t size = 0;
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 7);
    VipsImage *im =
        vips_image_new_from_memory(px, sizeof px, 16, 16, 3, VIPS_FORMAT_UCHAR);
    if (im && vips_image_write_to_buffer(im, suffix, &data, &size, NULL) == 0) {
        mp_loaded loaded;
        mp_load_limits limits = {1000, 100};
        if (mp_load((mp_span){data, size}, &limits, 0, 0, &loaded, NULL) == MP_OK)
            mp_image_free(&loaded.image);
    }
    g_free(data);
    if (im)
        g_object_unref(im);
    vips_error_clear(); /* a format that this libvips cannot write */
}

void mp_load_warm_up(void)
{
    static const char *const suffixes[] = {".jpg",  ".png", ".webp",
                                           ".tiff", ".gif", ".avif[effort=0]"};
    static const uint8_t grey16[] = {'P', '5', ' ', '1', ' ', '1', ' ', '6', '5',
                                     '5', '3', '5', '\n', 0,   0};
    mp_loaded loaded;
    mp_load_limits limits = {1000, 100};
    if (mp_vips_start(NULL) != MP_OK)
        return;
    for (size_t i = 0; i < MP_COUNT(suffixes); i++)
        round_trip(suffixes[i]);
    if (mp_load((mp_span){grey16, sizeof grey16}, &limits, 0, 0, &loaded, NULL) == MP_OK)
        mp_image_free(&loaded.image);
    /* The CMYK and sRGB profiles are built in, but read when first used. */
    VipsImage *cmyk = NULL, *black = NULL, *rgb = NULL;
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
