/* dedup_search.c - template matching over scales by FFT.
 *
 * One picture is laid out with a long side of BASE pixels in a SIDE x SIDE field, the other at each
 * of SCALES shrunken sizes, and both are flattened by their local mean and contrast. The circular
 * cross-correlation then has its maximum where one lies on the other; two sizes share a transform,
 * one as the real, one as the imaginary part. Done both ways round, since either may be the part.
 *
 * SIDE bounds what a shift can mean: shifts that leave too little overlap are not looked at, and
 * those that are looked at never wrap. */
#include "core/dedup_search.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 64, LOG_SIDE = 6, BASE = 40, SCALES = 14, RADIUS = 3, FOUND = 2 * SCALES };

static const float SCALE_STEP = 0.935f;  /* 0.935^13 = 0.42: a crop that keeps 42 % of a side */
static const float LEAST_OVERLAP = 0.3f; /* of the smaller one */

typedef struct field {
    float re[SIDE][SIDE], im[SIDE][SIDE];
} field;

/* ---- FFT: columns are independent, so that each butterfly runs over a row of them ---- */

static float twiddle_re[SIDE / 2], twiddle_im[SIDE / 2];
static int reversed[SIDE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
    for (int i = 0; i < SIDE / 2; i++) {
        twiddle_re[i] = (float)cos(2 * 3.14159265358979323846 * i / SIDE);
        twiddle_im[i] = (float)-sin(2 * 3.14159265358979323846 * i / SIDE);
    }
    for (int i = 0; i < SIDE; i++)
        for (int bit = 0; bit < LOG_SIDE; bit++)
            reversed[i] |= (i >> bit & 1) << (LOG_SIDE - 1 - bit);
}

static void swap_rows(float a[SIDE], float b[SIDE])
{
    float t[SIDE];
    memcpy(t, a, sizeof t);
    memcpy(a, b, sizeof t);
    memcpy(b, t, sizeof t);
}

static void butterfly(float *restrict ar, float *restrict ai, float *restrict br,
                      float *restrict bi, float wr, float wi)
{
    for (int i = 0; i < SIDE; i++) {
        float tr = br[i] * wr - bi[i] * wi, ti = br[i] * wi + bi[i] * wr;
        br[i] = ar[i] - tr;
        bi[i] = ai[i] - ti;
        ar[i] += tr;
        ai[i] += ti;
    }
}

static void fft_columns(field *f)
{
    for (int i = 0; i < SIDE; i++)
        if (reversed[i] > i) {
            swap_rows(f->re[i], f->re[reversed[i]]);
            swap_rows(f->im[i], f->im[reversed[i]]);
        }
    for (int half = 1; half < SIDE; half *= 2)
        for (int start = 0; start < SIDE; start += 2 * half)
            for (int k = 0; k < half; k++) {
                int a = start + k, b = a + half, t = k * (SIDE / 2 / half);
                butterfly(f->re[a], f->im[a], f->re[b], f->im[b], twiddle_re[t], twiddle_im[t]);
            }
}

static void transpose(float m[SIDE][SIDE])
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < y; x++) {
            float t = m[y][x];
            m[y][x] = m[x][y];
            m[x][y] = t;
        }
}

/* The spectrum, transposed: all that is done with it is pointwise, and a second call turns back. */
static void fft(field *f)
{
    fft_columns(f);
    transpose(f->re);
    transpose(f->im);
    fft_columns(f);
}

/* ---- the pictures in their fields ---- */

/* The level to sample for a long side of `unit`: the coarsest that is not smaller. */
static const mp_dedup_level *source_for(const mp_dedup_picture *p, float unit)
{
    int i = MP_DEDUP_COARSEST;
    while (i > MP_DEDUP_FINEST && p->level[i].unit < unit)
        i--;
    return &p->level[i];
}

static mp_dedup_level frame_of(const mp_dedup_picture *p, float unit)
{
    return (mp_dedup_level){.w = MP_MAX((int)lroundf(p->half_w * 2 * unit), 3),
                            .h = MP_MAX((int)lroundf(p->half_h * 2 * unit), 3),
                            .unit = unit};
}

/* Local mean taken off and local contrast divided out, over a window of 2 RADIUS + 1. */
static void flatten(const float *px, int w, int h, float to[SIDE][SIDE])
{
    double sum[BASE + 1][BASE + 1] = {{0}}, squares[BASE + 1][BASE + 1] = {{0}};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float v = px[y * w + x];
            sum[y + 1][x + 1] = v + sum[y][x + 1] + sum[y + 1][x] - sum[y][x];
            squares[y + 1][x + 1] = v * v + squares[y][x + 1] + squares[y + 1][x] - squares[y][x];
        }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int l = MP_MAX(x - RADIUS, 0), r = MP_MIN(x + RADIUS + 1, w);
            int t = MP_MAX(y - RADIUS, 0), b = MP_MIN(y + RADIUS + 1, h);
            double n = (r - l) * (b - t);
            double mean = (sum[b][r] - sum[t][r] - sum[b][l] + sum[t][l]) / n;
            double square = (squares[b][r] - squares[t][r] - squares[b][l] + squares[t][l]) / n;
            double deviation = sqrt(fmax(square - mean * mean, 0));
            to[y][x] = (float)((px[y * w + x] - mean) / (deviation + 6));
        }
}

static void lay_out(const mp_dedup_picture *p, const mp_dedup_level *frame, float to[SIDE][SIDE])
{
    static const mp_dedup_warp identity = {{1, 0, 0, 0, 1, 0}};
    float px[BASE * BASE];
    mp_dedup_sample(frame, source_for(p, frame->unit), identity, px);
    flatten(px, frame->w, frame->h, to);
}

/* ---- peaks ---- */

/* The best shift of `part` within `whole`, judged against chance: a sum over n pixels of two
 * flattened pictures has a deviation in proportion to sqrt(n). */
static float best_shift(float r[SIDE][SIDE], const mp_dedup_level *whole,
                        const mp_dedup_level *part, int *best_x, int *best_y)
{
    float best = 0;
    float least = LEAST_OVERLAP * (float)(part->w * part->h);
    for (int sy = 0; sy < SIDE; sy++) {
        int dy = sy < whole->h ? sy : sy - SIDE;
        int rows = MP_MIN(whole->h, dy + part->h) - MP_MAX(dy, 0);
        if (rows < part->h / 3 || rows < 1)
            continue;
        for (int sx = 0; sx < SIDE; sx++) {
            int dx = sx < whole->w ? sx : sx - SIDE;
            int columns = MP_MIN(whole->w, dx + part->w) - MP_MAX(dx, 0);
            float area = (float)(rows * columns);
            if (columns < 1 || area < least)
                continue;
            float z = r[sy][sx] / sqrtf(area);
            if (z > best) {
                best = z;
                *best_x = dx;
                *best_y = dy;
            }
        }
    }
    return best;
}

/* Pixel (x, y) of `part` lies at (x + dx, y + dy) of `whole`: the warp from whole to part. */
static mp_dedup_warp warp_of(const mp_dedup_level *whole, const mp_dedup_level *part, int dx,
                             int dy)
{
    float scale = whole->unit / part->unit;
    return (mp_dedup_warp){{scale, 0, ((float)(whole->w - part->w) / 2 - (float)dx) / part->unit, 0,
                            scale, ((float)(whole->h - part->h) / 2 - (float)dy) / part->unit}};
}

/* Looks for `small`, in sizes [first, SCALES), within `large`. */
static size_t search_one_way(const mp_dedup_picture *large, const mp_dedup_picture *small,
                             int first, bool swapped, mp_dedup_place *out)
{
    field whole = {0}, both, product;
    size_t n = 0;
    mp_dedup_level frame = frame_of(large, BASE);
    lay_out(large, &frame, whole.re);
    fft(&whole);
    for (int k = first; k < SCALES; k += 2) {
        mp_dedup_level part[2];
        memset(&both, 0, sizeof both);
        for (int j = 0; j < 2; j++) {
            part[j] = frame_of(small, BASE * powf(SCALE_STEP, (float)MP_MIN(k + j, SCALES - 1)));
            lay_out(small, &part[j], j ? both.im : both.re);
        }
        fft(&both);
        /* whole x conj(both), conjugated, so that the forward transform does for the inverse. */
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                float wr = whole.re[y][x], wi = whole.im[y][x];
                float br = both.re[y][x], bi = both.im[y][x];
                product.re[y][x] = wr * br + wi * bi;
                product.im[y][x] = wr * bi - wi * br;
            }
        fft(&product);
        for (int j = 0; j < 2 && k + j < SCALES; j++) {
            int dx = 0, dy = 0;
            float z = best_shift(j ? product.im : product.re, &frame, &part[j], &dx, &dy);
            mp_dedup_warp warp = warp_of(&frame, &part[j], dx, dy);
            if (z > 0 && (!swapped || mp_dedup_warp_invert(warp, &warp)))
                out[n++] = (mp_dedup_place){.warp = warp, .peak = z / (SIDE * SIDE)};
        }
    }
    return n;
}

static int by_peak(const void *x, const void *y)
{
    const mp_dedup_place *a = x, *b = y;
    return (a->peak < b->peak) - (a->peak > b->peak);
}

size_t mp_dedup_search(const mp_dedup_picture *a, const mp_dedup_picture *b, mp_dedup_place *out,
                       size_t cap)
{
    mp_dedup_place found[FOUND];
    pthread_once(&once, fill_tables);
    size_t n = search_one_way(a, b, 0, false, found);
    n += search_one_way(b, a, 1, true, found + n);
    qsort(found, n, sizeof *found, by_peak);
    n = MP_MIN(n, cap);
    memcpy(out, found, n * sizeof *out);
    return n;
}
