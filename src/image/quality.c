/* quality.c - is this a good picture? Measures at a long side of 256 px, so that they compare
 * between sizes. tests/unit/image/test_quality.c prints how the thresholds do on real photographs
 * and on their darkened, overexposed, blurred, faded and emptied copies. */
#include "image/image.h"

#include <math.h>

enum { LONG_SIDE = 256 };

static const float DARK = 0.13f, BRIGHT = 0.975f, BLURRED = 22.0f, BLANK_CONTRAST = 0.012f,
                   BLANK_ENTROPY = 0.6f, LOW_CONTRAST = 0.055f;

static mp_err small_grey(const mp_image *im, mp_image *out)
{
    int longest = MP_MAX(im->w, im->h);
    mp_image small = {0};
    if (longest <= LONG_SIDE)
        return mp_to_grey(im, out, NULL);
    int w = MP_MAX(im->w * LONG_SIDE / longest, 1), h = MP_MAX(im->h * LONG_SIDE / longest, 1);
    mp_err err = mp_resize(im, w, h, MP_BILINEAR, &small, NULL);
    if (!err)
        err = mp_to_grey(&small, out, NULL);
    mp_image_free(&small);
    return err;
}

static float laplacian_variance(const mp_image *g)
{
    double sum = 0, square = 0;
    size_t n = 0;
    for (int y = 1; y + 1 < g->h; y++) {
        const uint8_t *row = g->px + (size_t)y * (size_t)g->w;
        for (int x = 1; x + 1 < g->w; x++, n++) {
            int l = 4 * row[x] - row[x - 1] - row[x + 1] - row[x - g->w] - row[x + g->w];
            sum += l;
            square += (double)l * l;
        }
    }
    if (!n)
        return 0;
    double mean = sum / (double)n;
    return (float)(square / (double)n - mean * mean);
}

static void histogram_measures(const mp_image *g, mp_quality *out)
{
    size_t counts[256] = {0}, n = (size_t)g->w * (size_t)g->h;
    double mean = 0, square = 0, entropy = 0;
    for (size_t i = 0; i < n; i++)
        counts[g->px[i]]++;
    for (int v = 0; v < 256; v++) {
        double p = (double)counts[v] / (double)n;
        mean += p * v;
        square += p * v * v;
        if (p > 0)
            entropy -= p * log2(p);
    }
    out->brightness = (float)(mean / 255);
    out->contrast = (float)(sqrt(fmax(square - mean * mean, 0)) / 255);
    out->entropy = (float)entropy;
}

static uint32_t issues_of(const mp_quality *q)
{
    if (q->contrast < BLANK_CONTRAST || q->entropy < BLANK_ENTROPY)
        return 8; /* blank: the others say nothing more of it */
    uint32_t issues = 0;
    if (q->brightness < DARK)
        issues |= 1;
    if (q->brightness > BRIGHT)
        issues |= 2;
    if (q->sharpness < BLURRED)
        issues |= 4;
    if (q->contrast < LOW_CONTRAST)
        issues |= 16;
    return issues;
}

void mp_quality_measure(const mp_image *im, mp_quality *out)
{
    mp_image grey = {0};
    *out = (mp_quality){0};
    if (small_grey(im, &grey) != MP_OK) /* no memory for 64 kB */
        return;
    histogram_measures(&grey, out);
    out->sharpness = laplacian_variance(&grey);
    out->issues = issues_of(out);
    mp_image_free(&grey);
}
