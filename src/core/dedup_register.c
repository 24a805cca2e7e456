/* dedup_register.c - affine registration by inverse-compositional Gauss-Newton.
 *
 * With W the warp so far and D a small one, B(W(x)) = alpha A(D(x)) + beta is linearised in D,
 * alpha and beta at once (eight unknowns), so that brightness and contrast never matter; then
 * W becomes W o D^-1 (Baker & Matthews, Lucas-Kanade 20 Years On, 2004). Pixels are weighted by
 * how well the last step explained them (Cauchy weights), so that captions, marks and borders do
 * not pull. */
#include "core/dedup_register.h"

#include <math.h>
#include <stdlib.h>

enum { UNKNOWNS = 8 };

/* A step that moves no corner by more than this share of a pixel ends the refinement. */
static const float SETTLED_PX = 0.02f;
static const float LEAST_OVERLAP = 0.1f;
/* Ridge on the six motion unknowns, as a share of their mean diagonal: flat pictures stay put. */
static const double RIDGE = 1e-3;

mp_dedup_warp mp_dedup_warp_then(mp_dedup_warp f, mp_dedup_warp s)
{
    return (mp_dedup_warp){{s.m[0] * f.m[0] + s.m[1] * f.m[3], s.m[0] * f.m[1] + s.m[1] * f.m[4],
                            s.m[0] * f.m[2] + s.m[1] * f.m[5] + s.m[2],
                            s.m[3] * f.m[0] + s.m[4] * f.m[3], s.m[3] * f.m[1] + s.m[4] * f.m[4],
                            s.m[3] * f.m[2] + s.m[4] * f.m[5] + s.m[5]}};
}

float mp_dedup_warp_det(mp_dedup_warp w)
{
    return w.m[0] * w.m[4] - w.m[1] * w.m[3];
}

bool mp_dedup_warp_invert(mp_dedup_warp w, mp_dedup_warp *out)
{
    float det = mp_dedup_warp_det(w);
    if (!(fabsf(det) > 1e-4f))
        return false;
    float a = w.m[4] / det, b = -w.m[1] / det, d = -w.m[3] / det, e = w.m[0] / det;
    *out = (mp_dedup_warp){{a, b, -(a * w.m[2] + b * w.m[5]), d, e, -(d * w.m[2] + e * w.m[5])}};
    return true;
}

/* The warp in pixels of two levels. */
typedef struct pixel_warp {
    float xx, xy, x0, yx, yy, y0;
} pixel_warp;

static pixel_warp in_pixels(const mp_dedup_level *a, const mp_dedup_level *b, mp_dedup_warp w)
{
    float scale = b->unit / a->unit;
    float cx = 0.5f - (float)a->w / 2, cy = 0.5f - (float)a->h / 2;
    pixel_warp p = {
        .xx = w.m[0] * scale, .xy = w.m[1] * scale, .yx = w.m[3] * scale, .yy = w.m[4] * scale};
    p.x0 = p.xx * cx + p.xy * cy + w.m[2] * b->unit + (float)b->w / 2 - 0.5f;
    p.y0 = p.yx * cx + p.yy * cy + w.m[5] * b->unit + (float)b->h / 2 - 0.5f;
    return p;
}

/* Which x of 0..n-1 keep low <= at + step x <= high, as [*first, *end). */
static void clip(float step, float at, float low, float high, int *first, int *end)
{
    if (fabsf(step) < 1e-6f) {
        if (!(at >= low && at <= high))
            *end = *first;
        return;
    }
    float from = (low - at) / step, to = (high - at) / step;
    if (from > to) {
        float t = from;
        from = to;
        to = t;
    }
    /* Beyond any picture's size they need no exact value, and must not overflow an int. */
    from = from < -1 ? -1 : from > MP_DEDUP_LONG ? MP_DEDUP_LONG : from;
    to = to < -1 ? -1 : to > MP_DEDUP_LONG ? MP_DEDUP_LONG : to;
    *first = MP_MAX(*first, (int)ceilf(from));
    *end = MP_MIN(*end, (int)floorf(to) + 1);
}

static float clamp(float v, float high)
{
    return v < 0 ? 0 : v > high ? high : v;
}

/* Half a pixel of slack: what counts is the frame's edge, not the outermost pixel's centre. */
static void sample_row(const pixel_warp *p, const mp_dedup_level *b, int y, int w, float *out)
{
    float right = (float)(b->w - 1), bottom = (float)(b->h - 1);
    float x0 = p->xy * (float)y + p->x0, y0 = p->yy * (float)y + p->y0;
    int first = 0, end = w;
    clip(p->xx, x0, -0.5f, right + 0.5f, &first, &end);
    clip(p->yx, y0, -0.5f, bottom + 0.5f, &first, &end);
    for (int x = 0; x < w; x++) {
        if (x < first || x >= end) {
            out[x] = -1;
            continue;
        }
        float bx = clamp(p->xx * (float)x + x0, right), by = clamp(p->yx * (float)x + y0, bottom);
        int ix = MP_MIN((int)bx, b->w - 2), iy = MP_MIN((int)by, b->h - 2);
        float fx = bx - (float)ix, fy = by - (float)iy;
        const float *q = b->px + iy * b->w + ix;
        float top = q[0] + fx * (q[1] - q[0]);
        float low = q[b->w] + fx * (q[b->w + 1] - q[b->w]);
        out[x] = top + fy * (low - top);
    }
}

void mp_dedup_sample(const mp_dedup_level *a, const mp_dedup_level *b, mp_dedup_warp w, float *out)
{
    pixel_warp p = in_pixels(a, b, w);
    for (int y = 0; y < a->h; y++)
        sample_row(&p, b, y, a->w, out + y * a->w);
}

static mp_dedup_fit correlate(const float *a, const float *b, size_t n)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (b[i] < 0)
            continue;
        sa += a[i];
        sb += b[i];
        saa += (double)a[i] * a[i];
        sbb += (double)b[i] * b[i];
        sab += (double)a[i] * b[i];
        count++;
    }
    if (count < 16)
        return (mp_dedup_fit){0};
    double va = saa - sa * sa / count, vb = sbb - sb * sb / count;
    mp_dedup_fit fit = {.overlap = (float)(count / (double)n)};
    if (va > count * 0.25 && vb > count * 0.25) /* half a grey level of deviation */
        fit.ncc = (float)((sab - sa * sb / count) / sqrt(va * vb));
    return fit;
}

mp_dedup_fit mp_dedup_fit_of(const mp_dedup_level *a, const mp_dedup_level *b, mp_dedup_warp w)
{
    float seen[MP_DEDUP_LONG * MP_DEDUP_LONG];
    mp_dedup_sample(a, b, w, seen);
    return correlate(a->px, seen, (size_t)a->w * (size_t)a->h);
}

/* ---- Gauss-Newton ---- */

typedef struct equations {
    double h[UNKNOWNS][UNKNOWNS], g[UNKNOWNS];
    double weight;
    int n;
} equations;

/* The eight derivatives at a pixel: six of the motion, of alpha and of beta. */
static void derivatives(const mp_dedup_level *a, int x, int y, float out[UNKNOWNS])
{
    const float *q = a->px + y * a->w + x;
    float gx = (q[1] - q[-1]) / 2 * a->unit, gy = (q[a->w] - q[-a->w]) / 2 * a->unit;
    float u = ((float)x + 0.5f - (float)a->w / 2) / a->unit;
    float v = ((float)y + 0.5f - (float)a->h / 2) / a->unit;
    out[0] = gx * u;
    out[1] = gx * v;
    out[2] = gx;
    out[3] = gy * u;
    out[4] = gy * v;
    out[5] = gy;
    out[6] = q[0];
    out[7] = 1;
}

static void gather(const mp_dedup_level *a, const float *seen, const float *weight, equations *e)
{
    *e = (equations){0};
    for (int y = 1; y < a->h - 1; y++) {
        float h[UNKNOWNS][UNKNOWNS] = {{0}}, g[UNKNOWNS] = {0};
        for (int x = 1; x < a->w - 1; x++) {
            int i = y * a->w + x;
            float d[UNKNOWNS], wd[UNKNOWNS];
            if (seen[i] < 0)
                continue;
            derivatives(a, x, y, d);
            for (int r = 0; r < UNKNOWNS; r++) {
                wd[r] = d[r] * weight[i];
                g[r] += wd[r] * seen[i];
            }
            for (int r = 0; r < UNKNOWNS; r++)
                for (int c = 0; c < UNKNOWNS; c++)
                    h[r][c] += wd[r] * d[c];
            e->weight += weight[i];
            e->n++;
        }
        for (int r = 0; r < UNKNOWNS; r++) {
            e->g[r] += g[r];
            for (int c = 0; c < UNKNOWNS; c++)
                e->h[r][c] += h[r][c];
        }
    }
}

/* Gaussian elimination with the ridge; the matrix is symmetric and positive. */
static bool solve(equations *e, double out[UNKNOWNS])
{
    double trace = 0;
    for (int i = 0; i < 6; i++)
        trace += e->h[i][i];
    for (int i = 0; i < 6; i++)
        e->h[i][i] += trace / 6 * RIDGE + 1e-6;
    for (int k = 0; k < UNKNOWNS; k++) {
        if (!(e->h[k][k] > 1e-9))
            return false;
        for (int r = k + 1; r < UNKNOWNS; r++) {
            double f = e->h[r][k] / e->h[k][k];
            for (int c = k; c < UNKNOWNS; c++)
                e->h[r][c] -= f * e->h[k][c];
            e->g[r] -= f * e->g[k];
        }
    }
    for (int k = UNKNOWNS - 1; k >= 0; k--) {
        double sum = e->g[k];
        for (int c = k + 1; c < UNKNOWNS; c++)
            sum -= e->h[k][c] * out[c];
        out[k] = sum / e->h[k][k];
    }
    return true;
}

/* Weights from the residuals under alpha, beta alone; their scale is the mean absolute one, with a
 * floor of two grey levels. */
static void reweigh(const mp_dedup_level *a, const float *seen, double alpha, double beta,
                    float *weight)
{
    size_t n = (size_t)a->w * (size_t)a->h;
    double sum = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        if (seen[i] >= 0) {
            weight[i] = fabsf(seen[i] - (float)(alpha * a->px[i] + beta));
            sum += weight[i];
            count++;
        }
    float scale = (float)(count > 0 ? sum / count : 0) * 1.5f + 2;
    for (size_t i = 0; i < n; i++) {
        float r = weight[i] / scale;
        weight[i] = 1 / (1 + r * r);
    }
}

/* alpha and beta of the overlap, by least squares. */
static bool gain_of(const mp_dedup_level *a, const float *seen, double *alpha, double *beta)
{
    double sa = 0, sb = 0, saa = 0, sab = 0, n = 0;
    for (int i = 0; i < a->w * a->h; i++)
        if (seen[i] >= 0) {
            sa += a->px[i];
            sb += seen[i];
            saa += (double)a->px[i] * a->px[i];
            sab += (double)a->px[i] * seen[i];
            n++;
        }
    double variance = saa - sa * sa / fmax(n, 1);
    if (n < LEAST_OVERLAP * a->w * a->h || variance < n)
        return false;
    *alpha = (sab - sa * sb / n) / variance;
    *beta = (sb - *alpha * sa) / n;
    return true;
}

static float corner_motion(const mp_dedup_level *a, const double d[6])
{
    float u = (float)a->w / a->unit / 2, v = (float)a->h / a->unit / 2;
    float x = fabsf((float)d[0]) * u + fabsf((float)d[1]) * v + fabsf((float)d[2]);
    float y = fabsf((float)d[3]) * u + fabsf((float)d[4]) * v + fabsf((float)d[5]);
    return MP_MAX(x, y) * a->unit;
}

bool mp_dedup_refine(const mp_dedup_level *a, const mp_dedup_level *b, int steps, mp_dedup_warp *w)
{
    float seen[MP_DEDUP_LONG * MP_DEDUP_LONG], weight[MP_DEDUP_LONG * MP_DEDUP_LONG];
    equations e;
    double alpha, beta, x[UNKNOWNS];
    for (int step = 0; step < steps; step++) {
        mp_dedup_sample(a, b, *w, seen);
        if (!gain_of(a, seen, &alpha, &beta))
            return false;
        reweigh(a, seen, MP_MAX(alpha, 0), alpha > 0 ? beta : 0, weight);
        gather(a, seen, weight, &e);
        if (e.n < 32 || !solve(&e, x) || !(x[6] > 0.02))
            return false;
        double d[6];
        for (int i = 0; i < 6; i++)
            d[i] = x[i] / x[6];
        float motion = corner_motion(a, d);
        if (!(motion < 1000)) /* also when not a number */
            return false;
        /* A linear model is good for a pixel or two; longer steps are cut. */
        double cut = motion > 3 ? 3 / motion : 1;
        mp_dedup_warp small = {{1 + (float)(d[0] * cut), (float)(d[1] * cut), (float)(d[2] * cut),
                                (float)(d[3] * cut), 1 + (float)(d[4] * cut), (float)(d[5] * cut)}};
        mp_dedup_warp back;
        if (!mp_dedup_warp_invert(small, &back))
            return false;
        *w = mp_dedup_warp_then(back, *w);
        float det = fabsf(mp_dedup_warp_det(*w));
        if (!(det > 0.05f && det < 20))
            return false;
        if (motion < SETTLED_PX)
            break;
    }
    return true;
}
