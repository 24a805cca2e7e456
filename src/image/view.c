/* view.c - the pixels as a model wants them. */
#include "image/image.h"

#include "image/resize.h"

bool mp_view_spec_eq(const mp_view_spec *a, const mp_view_spec *b)
{
    return a->width == b->width && a->height == b->height && a->fit == b->fit &&
           a->filter == b->filter && (a->fit == MP_FIT_SQUASH || a->short_side == b->short_side);
}

/* round() of Python: halves go to the even neighbour. */
static int half_even(int twice)
{
    int down = twice / 2;
    return twice % 2 == 0 ? down : down + (down & 1);
}

mp_err mp_view_make(const mp_image *in, const mp_view_spec *spec, mp_image *out, mp_why *why)
{
    if (spec->fit == MP_FIT_SQUASH)
        return mp_resize(in, spec->width, spec->height, spec->filter, out, why);
    bool tall = in->w <= in->h;
    if (in->w < 1 || in->h < 1)
        return mp_fail(why, MP_INVALID, "no pixels to look at");
    int64_t side = spec->short_side;
    mp_resize_job job = {
        .w = tall ? spec->short_side : (int)(side * in->w / in->h),
        .h = tall ? (int)(side * in->h / in->w) : spec->short_side,
        .out_w = spec->width,
        .out_h = spec->height,
        .filter = spec->filter,
    };
    job.x = half_even(job.w - spec->width);
    job.y = half_even(job.h - spec->height);
    return mp_resize_window(in, &job, out, why);
}
