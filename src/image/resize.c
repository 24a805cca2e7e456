/* resize.c - separable convolution resize, byte for byte what Pillow's Image.resize gives.
 *
 * The arithmetic that must be matched: an output sample's centre lies at (i + 0.5) * scale; the
 * kernel is stretched by the shrink factor; weights are computed in double, normalised to sum 1,
 * rounded to 22-bit fixed point away from zero; the horizontal pass comes first and its result is
 * rounded to 8 bits. Rows and columns are independent, so a window costs only its own share. */
#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys' cubic convolution with a = -0.5 (IEEE ASSP 29(6), 1981). */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static const struct kernel_row {
    double (*weight)(double);
    double support;
} kernel_rows[] = {[MP_BILINEAR] = {triangle, 1}, [MP_BICUBIC] = {cubic, 2}};

/* Taps for outputs first .. first + n - 1 of `out_size`; *weights holds them all. */
static mp_taps *make_taps(int in_size, int out_size, int first, int n, mp_kernel filter,
                          int32_t **weights)
{
    const struct kernel_row *kernel = &kernel_rows[filter];
    double scale = (double)in_size / out_size, stretch = scale < 1 ? 1 : scale;
    double support = kernel->support * stretch, inverse = 1 / stretch;
    int width = (int)ceil(support) * 2 + 1;
    mp_taps *taps = mp_try_array((size_t)n, sizeof *taps);
    *weights = mp_try_array((size_t)n * (size_t)width, sizeof **weights);
    double *exact = mp_try_array((size_t)width, sizeof *exact);
    if (!taps || !*weights || !exact) {
        free(exact);
        free(taps);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        double centre = (first + i + 0.5) * scale, sum = 0;
        int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
        low = MP_MAX(low, 0);
        high = MP_MIN(high, in_size);
        int32_t *to = *weights + (size_t)i * (size_t)width;
        for (int k = 0; k < high - low; k++)
            sum += exact[k] = kernel->weight((k + low - centre + 0.5) * inverse);
        for (int k = 0; k < high - low; k++) {
            double fixed = (sum != 0 ? exact[k] / sum : exact[k]) * (1 << MP_PIXEL_PRECISION);
            to[k] = (int32_t)(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
        }
        taps[i] = (mp_taps){low, high - low, to};
    }
    free(exact);
    return taps;
}

/* Rows that the vertical pass will read: [*first, *first + count). */
static int rows_needed(const mp_taps *taps, int n, int *first)
{
    int low = taps[0].first, high = low;
    for (int i = 0; i < n; i++) {
        low = MP_MIN(low, taps[i].first);
        high = MP_MAX(high, taps[i].first + taps[i].n);
    }
    *first = low;
    return high - low;
}

static void horizontal(const mp_image *in, const mp_resize_job *job, const mp_taps *taps,
                       const mp_pixel_kernels *kernels, int first_row, mp_image *out,
                       uint8_t *last_row)
{
    size_t stride = (size_t)in->w * (size_t)in->channels;
    for (int y = 0; y < out->h; y++) {
        const uint8_t *row = in->px + (size_t)(first_row + y) * stride;
        uint8_t *to = out->px + (size_t)y * (size_t)out->w * (size_t)out->channels;
        if (first_row + y == in->h - 1) { /* the kernel may read behind it: give it room */
            memcpy(last_row, row, stride);
            row = last_row;
        }
        if (in->channels == 3)
            kernels->row_rgb(row, taps, job->out_w, to);
        else
            kernels->row_grey(row, taps, job->out_w, to);
    }
}

mp_err mp_resize_window(const mp_image *in, const mp_resize_job *job, mp_image *out, mp_why *why)
{
    const mp_pixel_kernels *kernels = job->kernels ? job->kernels : mp_pixel_for(mp_simd_isa());
    mp_image narrow = {0};
    int32_t *wx = NULL, *wy = NULL;
    mp_taps *tx = NULL, *ty = NULL;
    uint8_t *last_row = NULL;
    int first_row = 0;
    *out = (mp_image){0};
    if (job->w < 1 || job->h < 1 || job->out_w < 1 || job->out_h < 1 || job->x < 0 || job->y < 0 ||
        job->x + job->out_w > job->w || job->y + job->out_h > job->h)
        return mp_fail(why, MP_INVALID, "cannot resize to %d x %d", job->w, job->h);
    mp_err err = MP_NOMEM;
    tx = make_taps(in->w, job->w, job->x, job->out_w, job->filter, &wx);
    ty = make_taps(in->h, job->h, job->y, job->out_h, job->filter, &wy);
    last_row = mp_try_array((size_t)in->w * (size_t)in->channels + 16, 1);
    if (!tx || !ty || !last_row) {
        err = mp_fail(why, MP_NOMEM, "no memory to resize");
        goto done;
    }
    int rows = rows_needed(ty, job->out_h, &first_row);
    err = mp_image_new(&narrow, job->out_w, rows, in->channels, why);
    if (!err)
        err = mp_image_new(out, job->out_w, job->out_h, in->channels, why);
    if (err)
        goto done;
    horizontal(in, job, tx, kernels, first_row, &narrow, last_row);
    size_t stride = (size_t)narrow.w * (size_t)narrow.channels;
    for (int y = 0; y < job->out_h; y++)
        kernels->column(narrow.px + (size_t)(ty[y].first - first_row) * stride, stride, &ty[y],
                        stride, out->px + (size_t)y * stride);
done:
    if (err)
        mp_image_free(out);
    mp_image_free(&narrow);
    free(last_row);
    free(tx);
    free(ty);
    free(wx);
    free(wy);
    return err;
}

mp_err mp_resize(const mp_image *in, int w, int h, mp_kernel filter, mp_image *out, mp_why *why)
{
    mp_resize_job job = {.w = w, .h = h, .out_w = w, .out_h = h, .filter = filter};
    return mp_resize_window(in, &job, out, why);
}
