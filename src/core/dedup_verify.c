/* dedup_verify.c - do two pictures show the same picture? Registration at low resolution.
 *
 * 1. Coarse: one picture, in each of the eight symmetries, is looked for as a window of the other at
 *    many sizes, by normalised cross-correlation (NCC) at 24 x 24; both ways round.
 * 2. Fine: the best placement is refined as an affine map with gain and offset (inverse compositional
 *    Lucas-Kanade; Baker & Matthews, IJCV 56(3), 2004) at 64 x 64.
 * 3. Judgement: NCC over the overlap, and the share of textured 8 x 8 blocks that agree each on their
 *    own. Two photographs of one product agree in the large but not block by block; a caption or a
 *    watermark spoils a few blocks only.
 */
#include "core/dedup_sketch.h"

#include <math.h>
#include <string.h>

enum { W = SKETCH_WINDOW, FINE = SKETCH_FINE, BASE = SKETCH_BASE, BLOCK = 8, PARAMS = 6 };

/* Below this, coarse NCC has never led to a true pair on the calibration set. */
static const float COARSE_FLOOR = 0.50f;
static const float BLANK_DEVIATION = 3.0f, BLOCK_DEVIATION = 4.0f, BLOCK_AGREES = 0.60f;

/* Where the centre of a pixel of the fine picture (u, v in 0..1) lies in the other:
 * x = p0 + p1 u + p2 v, y = p3 + p4 u + p5 v, in 0..1. */
typedef struct map {
    double p[PARAMS];
} map;

typedef struct placement {
    float ncc;
    int turn, size, x, y;
} placement;

/* ---- coarse ---- */

static float window_ncc(const float *normal, const uint8_t *at, int stride)
{
    float dot = 0;
    int32_t sum = 0, square = 0;
    for (int y = 0; y < W; y++, at += stride, normal += W)
        for (int x = 0; x < W; x++) {
            int32_t v = at[x];
            dot += normal[x] * (float)v;
            sum += v;
            square += v * v;
        }
    double n = W * W, var = square - (double)sum * sum / n;
    return var > n * 1.0 ? dot / (float)sqrt(var) : 0;
}

static void search_size(const mp_sketch *small, int turn, const mp_sketch *large, int size,
                        placement *best)
{
    int w = mp_sketch_sizes[size].w, h = mp_sketch_sizes[size].h;
    for (int y = 0; y + W <= h; y++)
        for (int x = 0; x + W <= w; x++) {
            float ncc = window_ncc(small->window[turn], large->wide[size] + y * w + x, w);
            if (ncc > best->ncc)
                *best = (placement){ncc, turn, size, x, y};
        }
}

static placement search_turn(const mp_sketch *small, int turn, const mp_sketch *large)
{
    placement best = {.ncc = -1, .turn = turn};
    for (int size = 0; size < SKETCH_SIZES; size++)
        search_size(small, turn, large, size, &best);
    return best;
}

/* ---- fine ---- */

static map map_of(const placement *p)
{
    double w = mp_sketch_sizes[p->size].w, h = mp_sketch_sizes[p->size].h;
    return (map){{p->x / w, W / w, 0, p->y / h, 0, W / h}};
}

/* Bilinear sample at (x, y) in 0..1; false outside. */
static bool sample(const uint8_t *base, double x, double y, float *out)
{
    double px = x * BASE - 0.5, py = y * BASE - 0.5;
    if (px < 0 || py < 0 || px > BASE - 1 || py > BASE - 1)
        return false;
    int ix = MP_MIN((int)px, BASE - 2), iy = MP_MIN((int)py, BASE - 2);
    float fx = (float)(px - ix), fy = (float)(py - iy);
    const uint8_t *at = base + iy * BASE + ix;
    float top = (float)at[0] + fx * (float)(at[1] - at[0]);
    float bottom = (float)at[BASE] + fx * (float)(at[BASE + 1] - at[BASE]);
    *out = top + fy * (bottom - top);
    return true;
}

/* The base holds twice the detail of the fine picture: four samples average to one pixel. */
static bool sample_pixel(const uint8_t *base, const map *m, int x, int y, float *out)
{
    static const double off[2] = {0.25, 0.75};
    float sum = 0, one;
    for (int k = 0; k < 4; k++) {
        double u = (x + off[k & 1]) / FINE, v = (y + off[k >> 1]) / FINE;
        if (!sample(base, m->p[0] + m->p[1] * u + m->p[2] * v,
                    m->p[3] + m->p[4] * u + m->p[5] * v, &one))
            return false;
        sum += one;
    }
    *out = sum / 4;
    return true;
}

typedef struct overlap {
    float value[FINE * FINE];
    bool inside[FINE * FINE];
    int n;
    double mean_f, mean_o, var_f, var_o, cov;
    float ncc;
} overlap;

static void take_overlap(const uint8_t *fine, const uint8_t *base, const map *m, overlap *o)
{
    double sf = 0, so = 0, ff = 0, oo = 0, fo = 0;
    o->n = 0;
    for (int y = 0; y < FINE; y++)
        for (int x = 0; x < FINE; x++) {
            int i = y * FINE + x;
            o->inside[i] = sample_pixel(base, m, x, y, &o->value[i]);
            if (!o->inside[i])
                continue;
            double f = fine[i], v = (double)o->value[i];
            o->n++;
            sf += f, so += v, ff += f * f, oo += v * v, fo += f * v;
        }
    double n = MP_MAX(o->n, 1);
    o->mean_f = sf / n;
    o->mean_o = so / n;
    o->var_f = ff / n - o->mean_f * o->mean_f;
    o->var_o = oo / n - o->mean_o * o->mean_o;
    o->cov = fo / n - o->mean_f * o->mean_o;
    o->ncc = o->var_f > 1 && o->var_o > 1 ? (float)(o->cov / sqrt(o->var_f * o->var_o)) : 0;
}

/* Solves the symmetric system in place; false when it is singular. */
static bool solve(double a[PARAMS][PARAMS + 1])
{
    for (int i = 0; i < PARAMS; i++) {
        int pivot = i;
        for (int r = i + 1; r < PARAMS; r++)
            if (fabs(a[r][i]) > fabs(a[pivot][i]))
                pivot = r;
        if (fabs(a[pivot][i]) < 1e-9)
            return false;
        for (int c = i; c <= PARAMS; c++) {
            double t = a[i][c];
            a[i][c] = a[pivot][c];
            a[pivot][c] = t;
        }
        for (int r = 0; r < PARAMS; r++) {
            double f = a[r][i] / a[i][i];
            for (int c = i; r != i && c <= PARAMS; c++)
                a[r][c] -= f * a[i][c];
        }
    }
    return true;
}

/* One Gauss-Newton step of the six parameters on gain-normalised grey values. */
static bool improve(const uint8_t *fine, const overlap *o, const map *m, map *next)
{
    double a[PARAMS][PARAMS + 1] = {{0}};
    double gain = o->cov / fmax(o->var_o, 1); /* fine = gain * other + offset */
    double offset = o->mean_f - gain * o->mean_o;
    for (int y = 1; y + 1 < FINE; y++)
        for (int x = 1; x + 1 < FINE; x++) {
            int i = y * FINE + x;
            if (!o->inside[i] || !o->inside[i - 1] || !o->inside[i + 1] || !o->inside[i - FINE] ||
                !o->inside[i + FINE])
                continue;
            /* Gradients of the warped picture by u and v; errors weighted down where they are large
             * (captions). */
            double gu = gain * (double)(o->value[i + 1] - o->value[i - 1]) * FINE / 2;
            double gv = gain * (double)(o->value[i + FINE] - o->value[i - FINE]) * FINE / 2;
            double u = (x + 0.5) / FINE, v = (y + 0.5) / FINE;
            double error = fine[i] - gain * (double)o->value[i] - offset;
            double weight = 1 / (1 + error * error / 400);
            double j[PARAMS] = {gu, gu * u, gu * v, gv, gv * u, gv * v};
            for (int r = 0; r < PARAMS; r++) {
                for (int c = 0; c < PARAMS; c++)
                    a[r][c] += weight * j[r] * j[c];
                a[r][PARAMS] += weight * j[r] * error;
            }
        }
    for (int r = 0; r < PARAMS; r++)
        a[r][r] *= 1.001;
    if (!solve(a))
        return false;
    /* The step d is in (u, v): the new map is m after (u + d0 + d1 u + d2 v, v + ...). */
    double d[PARAMS];
    for (int r = 0; r < PARAMS; r++)
        d[r] = a[r][PARAMS] / a[r][r];
    next->p[0] = m->p[0] + m->p[1] * d[0] + m->p[2] * d[3];
    next->p[1] = m->p[1] * (1 + d[1]) + m->p[2] * d[4];
    next->p[2] = m->p[1] * d[2] + m->p[2] * (1 + d[5]);
    next->p[3] = m->p[3] + m->p[4] * d[0] + m->p[5] * d[3];
    next->p[4] = m->p[4] * (1 + d[1]) + m->p[5] * d[4];
    next->p[5] = m->p[4] * d[2] + m->p[5] * (1 + d[5]);
    return true;
}

/* A map that a copy could have: not torn, not mirrored again, not shrunk to a spot. */
static bool plausible(const map *m)
{
    double det = m->p[1] * m->p[5] - m->p[2] * m->p[4];
    double sx = hypot(m->p[1], m->p[4]), sy = hypot(m->p[2], m->p[5]);
    return det > 0.2 && det < 2.2 && sx > 0.4 && sx < 1.6 && sy > 0.4 && sy < 1.6 &&
           det / (sx * sy) > 0.9;
}

static void refine(const uint8_t *fine, const uint8_t *base, map *m, overlap *o)
{
    enum { ROUNDS = 14 };
    overlap trial;
    take_overlap(fine, base, m, o);
    for (int i = 0; i < ROUNDS; i++) {
        map next;
        if (!improve(fine, o, m, &next) || !plausible(&next))
            return;
        take_overlap(fine, base, &next, &trial);
        if (trial.ncc <= o->ncc + 1e-4f || trial.n < FINE * FINE / 3)
            return;
        *m = next;
        *o = trial;
    }
}

/* ---- judgement ---- */

typedef struct agreement {
    float share;   /* of textured blocks that agree */
    int textured;
} agreement;

static float block_ncc(const uint8_t *fine, const overlap *o, int x0, int y0, float *texture)
{
    double sf = 0, so = 0, ff = 0, oo = 0, fo = 0;
    int n = 0;
    for (int y = y0; y < y0 + BLOCK; y++)
        for (int x = x0; x < x0 + BLOCK; x++) {
            int i = y * FINE + x;
            if (!o->inside[i])
                continue;
            double f = fine[i], v = (double)o->value[i];
            n++;
            sf += f, so += v, ff += f * f, oo += v * v, fo += f * v;
        }
    *texture = 0;
    if (n < BLOCK * BLOCK / 2)
        return 0;
    double vf = ff / n - sf / n * sf / n, vo = oo / n - so / n * so / n;
    *texture = (float)sqrt(fmax(fmax(vf, vo), 0));
    if (vf < 0.5 || vo < 0.5)
        return 0;
    return (float)((fo / n - sf / n * so / n) / sqrt(vf * vo));
}

static agreement judge_blocks(const uint8_t *fine, const overlap *o)
{
    agreement out = {0};
    int agree = 0;
    /* Contrast may have been lowered on either side: texture is relative to the whole. */
    double gain = sqrt(fmax(o->var_f, o->var_o)) / 50;
    float floor = BLOCK_DEVIATION * (float)fmin(fmax(gain, 0.4), 1.0);
    for (int y = 0; y < FINE; y += BLOCK)
        for (int x = 0; x < FINE; x += BLOCK) {
            float texture, ncc = block_ncc(fine, o, x, y, &texture);
            if (texture < floor)
                continue;
            out.textured++;
            agree += ncc >= BLOCK_AGREES;
        }
    out.share = out.textured ? (float)agree / (float)out.textured : 0;
    return out;
}

static mp_relation_kind kind_of(const placement *p, const map *m, const agreement *g, float ncc)
{
    double angle = atan2(m->p[4], m->p[1]) * 57.29578;
    double area = m->p[1] * m->p[5] - m->p[2] * m->p[4];
    bool shifted = fabs(m->p[0]) > 0.02 || fabs(m->p[3]) > 0.02;
    if (p->turn)
        return MP_SAME_TURNED;
    if (fabs(angle) > 1.5)
        return MP_SAME_TILTED;
    if (fabs(m->p[1] - m->p[5]) > 0.04 || (g->share < 0.95f && area > 0.75))
        return MP_SAME_FRAMED;
    if (area < 0.96 || shifted)
        return MP_SAME_CROPPED;
    return ncc > 0.9995f ? MP_SAME_EXACT : MP_SAME_RECODED;
}

/* One number from both measures. Few textured blocks prove little, so they count for less. */
static float score_of(float ncc, const agreement *g)
{
    float trust = (float)MP_MIN(g->textured, 12) / 12;
    float share = g->share * trust + MP_MIN(g->share, 0.8f) * (1 - trust);
    float score = 0.4f * ncc + 0.6f * share;
    return MP_MIN(MP_MAX(score, 0.0f), 1.0f);
}

static float try_placement(const mp_sketch *small, const mp_sketch *large, const placement *p,
                           mp_relation_kind *kind)
{
    uint8_t fine[FINE * FINE];
    overlap o;
    map m = map_of(p);
    mp_turn_square(small->fine, FINE, p->turn, fine);
    refine(fine, large->base, &m, &o);
    agreement g = judge_blocks(fine, &o);
    *kind = kind_of(p, &m, &g, o.ncc);
    return score_of(o.ncc, &g);
}

/* The inverse symmetry: what undoes `turn` when the pictures change places. */
static float both_ways(const mp_sketch *a, const mp_sketch *b, int turn, float enough,
                       mp_relation_kind *kind)
{
    static const int inverse[8] = {0, 3, 2, 1, 4, 5, 6, 7};
    mp_relation_kind one, other;
    placement first = search_turn(a, turn, b);
    float best = first.ncc >= COARSE_FLOOR ? try_placement(a, b, &first, &one) : 0;
    if (best > 0)
        *kind = one;
    if (best >= enough)
        return best;
    placement second = search_turn(b, inverse[turn], a);
    float score = second.ncc >= COARSE_FLOOR ? try_placement(b, a, &second, &other) : 0;
    if (score > best) {
        best = score;
        *kind = other;
    }
    return best;
}

float mp_sketch_compare(const mp_sketch *a, const mp_sketch *b, mp_relation_kind *kind)
{
    static const float ENOUGH = 0.93f;
    static const int order[8] = {0, 4, 2, 1, 3, 5, 6, 7};
    float best = 0;
    *kind = MP_SAME_RECODED;
    if (a->deviation < BLANK_DEVIATION || b->deviation < BLANK_DEVIATION) {
        bool both = a->deviation < BLANK_DEVIATION && b->deviation < BLANK_DEVIATION;
        return both && fabsf(a->mean - b->mean) < 4 ? 0.95f : 0;
    }
    for (int i = 0; i < 8 && best < ENOUGH; i++) {
        mp_relation_kind k = MP_SAME_RECODED;
        float score = both_ways(a, b, order[i], ENOUGH, &k);
        if (score > best) {
            best = score;
            *kind = k;
        }
    }
    return best;
}

float mp_dedup_compare(const mp_image *a, const mp_image *b, mp_relation_kind *kind)
{
    mp_sketch x, y;
    float score = 0;
    *kind = MP_SAME_RECODED;
    if (mp_sketch_make(&x, a) != MP_OK)
        return 0;
    if (mp_sketch_make(&y, b) == MP_OK) {
        score = mp_sketch_compare(&x, &y, kind);
        mp_sketch_free(&y);
    }
    mp_sketch_free(&x);
    return score;
}
