/* exif_clean.c - what is believed of EXIF: see mp_exif. The input is whatever a worker sent, which
 * is whatever a picture made of it. */
#include "image/load.h"

#include <math.h>
#include <string.h>

/* The character at p, of at most `left` bytes; 0: none that is valid. *n: its bytes. */
static uint32_t character(const unsigned char *p, size_t left, size_t *n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = p[0];
    *n = c < 0x80             ? 1
         : (c & 0xE0) == 0xC0 ? 2
         : (c & 0xF0) == 0xE0 ? 3
         : (c & 0xF8) == 0xF0 ? 4
                              : 0;
    if (*n < 2)
        return *n ? c : 0;
    if (*n > left)
        return 0;
    c &= 0x7Fu >> *n;
    for (size_t i = 1; i < *n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    return c < least[*n] || c > 0x10FFFF || surrogate ? 0 : c;
}

/* Also those that turn the direction of what stands beside them. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void clean_text(char *text, size_t cap)
{
    unsigned char *p = (unsigned char *)text;
    size_t n = strnlen(text, cap - 1), to = 0;
    for (size_t at = 0; at < n;) {
        size_t bytes;
        uint32_t c = character(p + at, n - at, &bytes);
        if (c && !is_control(c)) {
            memmove(p + to, p + at, bytes);
            to += bytes;
        }
        at += c ? bytes : 1;
    }
    while (to && p[to - 1] == ' ')
        to--;
    memset(p + to, 0, cap - to);
}

static void within(double *value, double low, double high)
{
    if (!isfinite(*value) || *value < low || *value > high)
        *value = (double)NAN;
}

void mp_exif_clean(mp_exif *exif)
{
    clean_text(exif->make, sizeof exif->make);
    clean_text(exif->model, sizeof exif->model);
    clean_text(exif->lens, sizeof exif->lens);
    clean_text(exif->software, sizeof exif->software);
    clean_text(exif->artist, sizeof exif->artist);
    clean_text(exif->copyright, sizeof exif->copyright);
    clean_text(exif->taken, sizeof exif->taken);
    within(&exif->exposure_s, 1e-7, 1e6);
    within(&exif->f_number, 0.1, 1000);
    within(&exif->iso, 1, 1e8);
    within(&exif->focal_mm, 0.01, 1e5);
    within(&exif->focal_35mm, 0.1, 1e5);
    within(&exif->bias_ev, -100, 100);
    within(&exif->flash, 0, 255);
    within(&exif->latitude, -90, 90);
    within(&exif->longitude, -180, 180);
    within(&exif->altitude_m, -20000, 1e6);
    if (isnan(exif->latitude) || isnan(exif->longitude)) /* one alone is no place */
        exif->latitude = exif->longitude = (double)NAN;
}
