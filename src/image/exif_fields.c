/* exif_fields.c - what libvips and libexif make of a picture's EXIF. Runs in the sandboxed child.
 *
 * libvips tells each field as text: "value (the value for people, type, n components, n bytes)".
 * Of numbers the value is "1/125 " or "400 ", of texts the text itself, which may hold anything. */
#include "image/vips.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static const char *field(VipsImage *im, const char *name)
{
    const char *text = NULL;
    if (vips_image_get_typeof(im, name) != VIPS_TYPE_REF_STRING ||
        vips_image_get_string(im, name, &text) != 0)
        return NULL;
    return text;
}

/* How much of it is the text: up to a " (" behind which the text stands again, else the first. */
static size_t text_length(const char *text)
{
    const char *first = strstr(text, " (");
    for (const char *at = first; at; at = strstr(at + 1, " (")) {
        size_t n = (size_t)(at - text);
        if (strncmp(at + 2, text, n) == 0 && at[2 + n] == ',')
            return n;
    }
    return first ? (size_t)(first - text) : strlen(text);
}

static void read_text(VipsImage *im, const char *name, char *to, size_t cap)
{
    const char *text = field(im, name);
    if (text && !*to)
        snprintf(to, cap, "%.*s", (int)MP_MIN(text_length(text), cap), text);
}

/* Up to n numbers, each "3" or "3/2"; NAN where there is none. */
static void read_numbers(VipsImage *im, const char *name, double *to, int n)
{
    const char *at = field(im, name);
    for (int i = 0; i < n; i++) {
        char *end = NULL;
        to[i] = NAN;
        double value = at ? strtod(at, &end) : 0;
        if (!end || end == at) {
            at = NULL;
            continue;
        }
        if (*end == '/') {
            double under = strtod(end + 1, &end);
            value = under != 0 ? value / under : (double)NAN;
        }
        to[i] = value;
        at = end;
    }
}

static double number(VipsImage *im, const char *name)
{
    double value;
    read_numbers(im, name, &value, 1);
    return value;
}

/* Degrees, minutes and seconds; the hemisphere stands in a field of its own. */
static double angle(VipsImage *im, const char *name, const char *side, char negative)
{
    double part[3];
    const char *where = field(im, side);
    read_numbers(im, name, part, 3);
    if (isnan(part[0]) || !where)
        return (double)NAN;
    double minutes = isnan(part[1]) ? 0 : part[1], seconds = isnan(part[2]) ? 0 : part[2];
    double degrees = part[0] + minutes / 60 + seconds / 3600;
    return *where == negative ? -degrees : degrees;
}

void mp_vips_exif(VipsImage *im, mp_exif *out)
{
    static const struct {
        const char *name;
        size_t at, cap;
    } texts[] = {
        {"exif-ifd0-Make", offsetof(mp_exif, make), sizeof out->make},
        {"exif-ifd0-Model", offsetof(mp_exif, model), sizeof out->model},
        {"exif-ifd2-LensModel", offsetof(mp_exif, lens), sizeof out->lens},
        {"exif-ifd0-Software", offsetof(mp_exif, software), sizeof out->software},
        {"exif-ifd0-Artist", offsetof(mp_exif, artist), sizeof out->artist},
        {"exif-ifd0-Copyright", offsetof(mp_exif, copyright), sizeof out->copyright},
        {"exif-ifd2-DateTimeOriginal", offsetof(mp_exif, taken), sizeof out->taken},
        {"exif-ifd2-DateTimeDigitized", offsetof(mp_exif, taken), sizeof out->taken},
    };
    *out = (mp_exif){0};
    for (size_t i = 0; i < MP_COUNT(texts); i++)
        read_text(im, texts[i].name, (char *)out + texts[i].at, texts[i].cap);
    out->exposure_s = number(im, "exif-ifd2-ExposureTime");
    out->f_number = number(im, "exif-ifd2-FNumber");
    out->iso = number(im, "exif-ifd2-ISOSpeedRatings");
    out->focal_mm = number(im, "exif-ifd2-FocalLength");
    out->focal_35mm = number(im, "exif-ifd2-FocalLengthIn35mmFilm");
    out->bias_ev = number(im, "exif-ifd2-ExposureBiasValue");
    out->flash = number(im, "exif-ifd2-Flash");
    out->latitude = angle(im, "exif-ifd3-GPSLatitude", "exif-ifd3-GPSLatitudeRef", 'S');
    out->longitude = angle(im, "exif-ifd3-GPSLongitude", "exif-ifd3-GPSLongitudeRef", 'W');
    out->altitude_m = number(im, "exif-ifd3-GPSAltitude");
    if (number(im, "exif-ifd3-GPSAltitudeRef") == 1)
        out->altitude_m = -out->altitude_m;
}
