/* resize.h - resizing with a window, for views that keep only a part. */
#ifndef MP_RESIZE_H
#define MP_RESIZE_H

#include "image/image.h"
#include "simd/pixel.h"

typedef struct mp_resize_job {
    int w, h;               /* size of the whole result */
    int x, y, out_w, out_h; /* the part of it that is wanted */
    mp_kernel filter;
    const mp_pixel_kernels *kernels; /* NULL: the best */
} mp_resize_job;
MP_CHECK mp_err mp_resize_window(const mp_image *in, const mp_resize_job *job, mp_image *out,
                                 mp_why *why);

#endif
