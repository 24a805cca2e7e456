/* resize.c - separable convolution resize, byte for byte what Pillow's two passes give.
 *
 * The arithmetic that must be matched: an output sample's centre lies at (i + 0.5) * scale; the
 * kernel is stretched by the shrink factor; weights are computed in double, normalised to sum 1,
 * rounded to 22-bit fixed point away from zero; the result of the first pass is rounded to 8 bits.
 * The horizontal pass always comes first: so it did in Image.resize up to Pillow 12.1. Since 12.2
 * Pillow takes the vertical pass first for some shapes (height over 100 times the width; from 13.0
 * on, height shrunk much more than width), where its bytes differ from earlier versions' and from
 * ours. One fixed order keeps vectors and hashes comparable, and is what models were trained with.
 *
 * Rows and columns are independent, so a window costs only its own share. */
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

/* The taps of a pass and the weights that they point to. */
typedef struct pass {
    mp_taps *taps;
    int32_t *weight;
    int16_t *low, *high;
    int8_t *digit[MP_PIXEL_DIGITS];
} pass;

static void pass_free(pass *p)
{
    free(p->taps);
    free(p->weight);
    free(p->low);
    free(p->high);
    for (int d = 0; d < MP_PIXEL_DIGITS; d++)
        free(p->digit[d]);
}

/* Weights of one output: *tap points into the pass's room for it. */
static void weigh(double centre, double stretch, const struct kernel_row *kernel, int in_size,
                  double *exact, pass *p, size_t room, mp_taps *tap)
{
    double support = kernel->support * stretch, inverse = 1 / stretch, sum = 0;
    int first = MP_MAX((int)(centre - support + 0.5), 0);
    int n = MP_MIN((int)(centre + support + 0.5), in_size) - first;
    for (int k = 0; k < n; k++)
        sum += exact[k] = kernel->weight((k + first - centre + 0.5) * inverse);
    for (int k = 0; k < n; k++) {
        double fixed = (sum != 0 ? exact[k] / sum : exact[k]) * (1 << MP_PIXEL_PRECISION);
        int32_t w = (int32_t)(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
        p->weight[room + (size_t)k] = w;
        mp_pixel_split(w, p->low, p->high, p->digit, room + (size_t)k);
    }
    *tap = (mp_taps){first, n, p->weight + room, p->low + room, p->high + room, {0}};
    for (int d = 0; d < MP_PIXEL_DIGITS; d++)
        tap->digit[d] = p->digit[d] + room;
}

/* Taps for outputs first .. first + n - 1 of `out_size`. False: out of memory. */
static bool pass_make(pass *p, int in_size, int out_size, int first, int n, mp_kernel filter)
{
    const struct kernel_row *kernel = &kernel_rows[filter];
    double scale = (double)in_size / out_size, stretch = scale < 1 ? 1 : scale;
    size_t width = (size_t)ceil(kernel->support * stretch) * 2 + 1;
    width = (width + MP_PIXEL_GROUP - 1) / MP_PIXEL_GROUP * MP_PIXEL_GROUP;
    double *exact = mp_try_array(width, sizeof *exact);
    p->taps = mp_try_array((size_t)n, sizeof *p->taps);
    p->weight = mp_try_array((size_t)n * width, sizeof *p->weight);
    p->low = mp_try_array((size_t)n * width, sizeof *p->low);
    p->high = mp_try_array((size_t)n * width, sizeof *p->high);
    bool ok = exact && p->taps && p->weight && p->low && p->high;
    for (int d = 0; d < MP_PIXEL_DIGITS; d++) {
        p->digit[d] = mp_try_array((size_t)n * width, 1);
        ok = ok && p->digit[d];
    }
    for (int i = 0; ok && i < n; i++)
        weigh((first + i + 0.5) * scale, stretch, kernel, in_size, exact, p, (size_t)i * width,
              &p->taps[i]);
    free(exact);
    return ok;
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

/* Whether kernels may read behind this row without leaving the picture. */
static bool has_slack(const mp_image *in, int row, size_t stride)
{
    return (size_t)(in->h - 1 - row) * stride >= MP_PIXEL_SLACK;
}

/* `spare` has room for a row and the kernels' slack: rows near the end of the picture are read from
 * there, so that nothing behind the picture is touched. */
static void horizontal(const mp_image *in, const mp_taps *taps, const mp_pixel_kernels *kernels,
                       int first_row, mp_image *out, uint8_t *spare)
{
    size_t stride = (size_t)in->w * (size_t)in->channels;
    size_t out_stride = (size_t)out->w * (size_t)out->channels;
    bool together = in->channels == 3 && kernels->rows_rgb;
    for (int y = 0, step; y < out->h; y += step) {
        const uint8_t *row = in->px + (size_t)(first_row + y) * stride;
        uint8_t *to = out->px + (size_t)y * out_stride;
        step = together && y + MP_PIXEL_ROWS <= out->h &&
                       has_slack(in, first_row + y + MP_PIXEL_ROWS - 1, stride)
                   ? MP_PIXEL_ROWS
                   : 1;
        if (!has_slack(in, first_row + y, stride)) {
            memcpy(spare, row, stride);
            row = spare;
        }
        if (step > 1)
            kernels->rows_rgb(row, stride, taps, out->w, to, out_stride);
        else if (in->channels == 3)
            kernels->row_rgb(row, taps, out->w, to);
        else
            kernels->row_grey(row, taps, out->w, to);
    }
}

/* Sides above MAX_SIDE would overflow the tap's counts. */
enum { MAX_SIDE = 1 << 28 };

static bool possible(const mp_image *in, const mp_resize_job *job)
{
    return in->px && in->w >= 1 && in->h >= 1 && in->w <= MAX_SIDE && in->h <= MAX_SIDE &&
           job->w >= 1 && job->h >= 1 && job->w <= MAX_SIDE && job->h <= MAX_SIDE && job->x >= 0 &&
           job->y >= 0 && job->out_w >= 1 && job->out_h >= 1 && job->out_w <= job->w - job->x &&
           job->out_h <= job->h - job->y &&
           (job->filter == MP_BILINEAR || job->filter == MP_BICUBIC);
}

mp_err mp_resize_window(const mp_image *in, const mp_resize_job *job, mp_image *out, mp_why *why)
{
    const mp_pixel_kernels *kernels = job->kernels ? job->kernels : mp_pixel_for(mp_simd_isa());
    mp_image narrow = {0};
    pass across = {0}, down = {0};
    uint8_t *spare = NULL;
    *out = (mp_image){0};
    if (!possible(in, job))
        return mp_fail(why, MP_INVALID, "cannot resize %d x %d to %d x %d", in->w, in->h, job->w,
                       job->h);
    mp_err err = MP_OK;
    spare = mp_try_array((size_t)in->w * (size_t)in->channels + MP_PIXEL_SLACK, 1);
    if (!spare || !pass_make(&across, in->w, job->w, job->x, job->out_w, job->filter) ||
        !pass_make(&down, in->h, job->h, job->y, job->out_h, job->filter)) {
        err = mp_fail(why, MP_NOMEM, "no memory to resize");
        goto done;
    }
    int first_row, rows = rows_needed(down.taps, job->out_h, &first_row);
    err = mp_image_new(&narrow, job->out_w, rows, in->channels, why);
    if (!err)
        err = mp_image_new(out, job->out_w, job->out_h, in->channels, why);
    if (err)
        goto done;
    horizontal(in, across.taps, kernels, first_row, &narrow, spare);
    size_t stride = (size_t)narrow.w * (size_t)narrow.channels;
    for (int y = 0; y < job->out_h; y++)
        kernels->column(narrow.px + (size_t)(down.taps[y].first - first_row) * stride, stride,
                        &down.taps[y], stride, out->px + (size_t)y * stride);
done:
    if (err)
        mp_image_free(out);
    mp_image_free(&narrow);
    free(spare);
    pass_free(&across);
    pass_free(&down);
    return err;
}

mp_err mp_resize(const mp_image *in, int w, int h, mp_kernel filter, mp_image *out, mp_why *why)
{
    mp_resize_job job = {.w = w, .h = h, .out_w = w, .out_h = h, .filter = filter};
    return mp_resize_window(in, &job, out, why);
}
