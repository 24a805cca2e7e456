/* sniff.c - what a file is, by its first bytes. */
#include "image/image.h"

#include <string.h>

static const struct magic {
    const char *bytes;
    size_t at, n;
    mp_format format;
} magics[] = {
    {"\xFF\xD8\xFF", 0, 3, MP_JPEG}, {"\x89PNG\r\n\x1A\n", 0, 8, MP_PNG},
    {"GIF87a", 0, 6, MP_GIF},        {"GIF89a", 0, 6, MP_GIF},
    {"II*\0", 0, 4, MP_TIFF},        {"MM\0*", 0, 4, MP_TIFF},
    {"II+\0", 0, 4, MP_TIFF}, /* BigTIFF */
    {"MM\0+", 0, 4, MP_TIFF},
};

static const struct brand {
    const char name[5];
    mp_format format;
} brands[] = {{"avif", MP_AVIF}, {"avis", MP_AVIF}, {"heic", MP_HEIC}, {"heix", MP_HEIC},
              {"hevc", MP_HEIC}, {"heim", MP_HEIC}, {"heis", MP_HEIC}, {"mif1", MP_HEIC}};

static bool has(mp_span s, size_t at, const char *bytes, size_t n)
{
    return s.n >= at + n && memcmp(s.p + at, bytes, n) == 0;
}

/* ISO base media: the major brand, or for the neutral mif1 the first compatible ones. */
static mp_format sniff_brand(mp_span s)
{
    static const size_t places[] = {8, 16, 20, 24, 28};
    if (!has(s, 4, "ftyp", 4))
        return MP_FORMAT_NONE;
    mp_format found = MP_FORMAT_NONE;
    for (size_t p = 0; p < MP_COUNT(places); p++)
        for (size_t i = 0; i < MP_COUNT(brands); i++)
            if (has(s, places[p], brands[i].name, 4) &&
                (found == MP_FORMAT_NONE || brands[i].format == MP_AVIF))
                found = brands[i].format;
    return found;
}

/* Netpbm's two bytes are weak, so that more of the header must look right: white space, then the
 * width or a comment. A text that begins with "P1 " is none. */
static bool is_netpbm(mp_span s)
{
    if (s.n < 3 || s.p[0] != 'P' || s.p[1] < '1' || s.p[1] > '6')
        return false;
    size_t i = 2;
    while (i < s.n && i < MP_SNIFF_BYTES && memchr(" \t\r\n", s.p[i], 4))
        i++;
    return i < s.n && (s.p[i] == '#' || (i > 2 && s.p[i] >= '0' && s.p[i] <= '9'));
}

mp_format mp_sniff(mp_span head)
{
    for (size_t i = 0; i < MP_COUNT(magics); i++)
        if (has(head, magics[i].at, magics[i].bytes, magics[i].n))
            return magics[i].format;
    if (has(head, 0, "RIFF", 4) && has(head, 8, "WEBP", 4))
        return MP_WEBP;
    if (is_netpbm(head))
        return MP_PPM;
    return sniff_brand(head);
}

const char *mp_format_word(mp_format f)
{
    static const char *const words[] = {"none", "jpeg", "png",  "webp", "gif",
                                        "tiff", "avif", "heic", "ppm"};
    return (unsigned)f < MP_COUNT(words) ? words[f] : "none";
}
