/* icc.c - is this profile sRGB? Most profiles in photographs are one of the many ways to write it,
 * and converting from sRGB to sRGB costs more than decoding.
 *
 * A profile (ICC.1:2010) has a 128-byte header, a count, and a table of (signature, offset, size).
 * A matrix profile is sRGB if its three primaries (adapted to D50) and its three tone curves are.
 * Curves come as a table of 16-bit values ('curv') or as the parametric function of type 3
 * ('para'). Numbers are big-endian; fractions are signed 16.16. */
#include "image/load.h"

#include <math.h>
#include <string.h>

enum { HEADER = 128, TAG = 12, MAX_TAGS = 100 };

static const double CURVE_TOLERANCE = 0.004, PRIMARY_TOLERANCE = 0.003;

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static double fixed(const uint8_t *p)
{
    return (double)(int32_t)be32(p) / 65536;
}

static bool find(mp_span profile, const char *signature, mp_span *out)
{
    uint32_t n = be32(profile.p + HEADER);
    if (n > MAX_TAGS || profile.n < HEADER + 4 + (size_t)n * TAG)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *tag = profile.p + HEADER + 4 + (size_t)i * TAG;
        uint32_t at = be32(tag + 4), size = be32(tag + 8);
        if (memcmp(tag, signature, 4) != 0)
            continue;
        if (at > profile.n || size > profile.n - at || size < 12)
            return false;
        *out = (mp_span){profile.p + at, size};
        return true;
    }
    return false;
}

static bool is_primary(mp_span tag, const double xyz[3])
{
    if (tag.n < 20 || memcmp(tag.p, "XYZ ", 4) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (fabs(fixed(tag.p + 8 + 4 * i) - xyz[i]) > PRIMARY_TOLERANCE)
            return false;
    return true;
}

/* IEC 61966-2-1: the share of light for a share of the code. */
static double srgb_light(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static bool is_table(mp_span tag)
{
    uint32_t n = be32(tag.p + 8);
    if (n < 64 || n > 65536 || tag.n < 12 + (size_t)n * 2)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = tag.p + 12 + (size_t)i * 2;
        if (fabs((p[0] << 8 | p[1]) / 65535.0 - srgb_light((double)i / (n - 1))) > CURVE_TOLERANCE)
            return false;
    }
    return true;
}

/* y = (a x + b)^g for x >= d, c x below. */
static bool is_function(mp_span tag)
{
    if (tag.n < 12 + 5 * 4 || tag.p[8] != 0 || tag.p[9] != 3)
        return false;
    double g = fixed(tag.p + 12), a = fixed(tag.p + 16), b = fixed(tag.p + 20),
           c = fixed(tag.p + 24), d = fixed(tag.p + 28);
    for (int i = 0; i <= 64; i++) {
        double x = i / 64.0, base = a * x + b;
        double y = x >= d ? (base > 0 ? pow(base, g) : 0) : c * x;
        if (!(fabs(y - srgb_light(x)) <= CURVE_TOLERANCE))
            return false;
    }
    return true;
}

static bool is_curve(mp_span tag)
{
    if (memcmp(tag.p, "curv", 4) == 0)
        return is_table(tag);
    return memcmp(tag.p, "para", 4) == 0 && is_function(tag);
}

bool mp_icc_is_srgb(mp_span profile)
{
    static const struct {
        const char *primary, *curve;
        double xyz[3];
    } channels[] = {{"rXYZ", "rTRC", {0.4361, 0.2225, 0.0139}},
                    {"gXYZ", "gTRC", {0.3851, 0.7169, 0.0971}},
                    {"bXYZ", "bTRC", {0.1431, 0.0606, 0.7141}}};
    mp_span tag;
    if (profile.n < HEADER + 4 || memcmp(profile.p + 36, "acsp", 4) != 0 ||
        memcmp(profile.p + 16, "RGB XYZ ", 8) != 0)
        return false;
    if (find(profile, "A2B0", &tag) || find(profile, "A2B1", &tag))
        return false; /* a lookup table goes before the matrix */
    for (size_t i = 0; i < MP_COUNT(channels); i++)
        if (!find(profile, channels[i].primary, &tag) || !is_primary(tag, channels[i].xyz) ||
            !find(profile, channels[i].curve, &tag) || !is_curve(tag))
            return false;
    return true;
}
