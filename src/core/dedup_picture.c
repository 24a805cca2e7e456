/* dedup_picture.c - grey pyramid of a small picture. */
#include "core/dedup_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mp_err to_level(const mp_image *grey, mp_dedup_level *out, mp_why *why)
{
    size_t n = (size_t)grey->w * (size_t)grey->h;
    out->px = mp_try_array(n, sizeof *out->px);
    if (!out->px)
        return mp_fail(why, MP_NOMEM, "no memory for a picture of %d x %d", grey->w, grey->h);
    out->w = grey->w;
    out->h = grey->h;
    out->unit = (float)MP_MAX(grey->w, grey->h);
    for (size_t i = 0; i < n; i++)
        out->px[i] = grey->px[i];
    return MP_OK;
}

static void measure(mp_dedup_picture *p)
{
    const mp_dedup_level *l = &p->level[MP_DEDUP_FINEST];
    double sum = 0, squares = 0, n = (double)l->w * l->h;
    for (int i = 0; i < l->w * l->h; i++) {
        sum += l->px[i];
        squares += (double)l->px[i] * l->px[i];
    }
    p->mean = (float)(sum / n);
    p->deviation = (float)sqrt(fmax(0, squares / n - sum / n * (sum / n)));
    p->half_w = (float)l->w / l->unit / 2;
    p->half_h = (float)l->h / l->unit / 2;
}

static void measure_colour(const mp_image *small, float mean, float colour[3])
{
    size_t n = (size_t)small->w * (size_t)small->h;
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t i = 0; small->channels == 3 && i < n; i++)
            sum += small->px[i * 3 + (size_t)c];
        colour[c] = small->channels == 3 ? (float)(sum / (double)n) : mean;
    }
}

/* Sides of the level whose long side is `side`: the aspect is that of the small picture. */
static int side_of(int mine, int longest, int side)
{
    int scaled = (int)lround((double)mine * side / longest);
    return MP_MAX(scaled, 4);
}

mp_err mp_dedup_picture_make(const mp_image *small, mp_dedup_picture *out, mp_why *why)
{
    mp_image grey = {0}, scaled = {0};
    mp_err err;
    *out = (mp_dedup_picture){0};
    if (!small->px || small->w < 1 || small->h < 1)
        return mp_fail(why, MP_INVALID, "an empty picture cannot be compared");
    err = mp_to_grey(small, &grey, why);
    int longest = MP_MAX(small->w, small->h);
    for (int i = 0; !err && i < MP_DEDUP_LEVELS; i++) {
        int side = MP_DEDUP_LONG >> i;
        err = mp_resize(&grey, side_of(small->w, longest, side), side_of(small->h, longest, side),
                        MP_BILINEAR, &scaled, why);
        if (!err)
            err = to_level(&scaled, &out->level[i], why);
        mp_image_free(&scaled);
    }
    mp_image_free(&grey);
    if (err) {
        mp_dedup_picture_free(out);
        return err;
    }
    measure(out);
    measure_colour(small, out->mean, out->colour);
    return MP_OK;
}

void mp_dedup_picture_free(mp_dedup_picture *p)
{
    for (int i = 0; i < MP_DEDUP_LEVELS; i++)
        free(p->level[i].px);
    *p = (mp_dedup_picture){0};
}
