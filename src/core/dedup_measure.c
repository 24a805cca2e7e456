/* dedup_measure.c - how well two registered pictures agree, overall and block by block.
 *
 * Everything is measured in the frame of the one that the other has more pixels for, and the other
 * is blurred to the same sharpness first. Blocks tell copies with a caption or a mark (a few blocks
 * disagree wholly, the others agree perfectly) from two photos of one scene (all agree a little).
 */
#include "core/dedup_verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, MAX_PIXELS = MP_DEDUP_LONG * MP_DEDUP_LONG };

/* A block counts as textured from this deviation on, in grey levels of the stronger picture. */
static const float TEXTURE = 3.0f;
static const float AGREES = 0.75f;

/* Blurs by [1 2 1] / 4 in both directions, `times` times. */
static void smooth(const mp_dedup_level *from, int times, float *to)
{
    int w = from->w, h = from->h;
    float row[MP_DEDUP_LONG];
    memcpy(to, from->px, (size_t)w * (size_t)h * sizeof *to);
    for (int t = 0; t < times; t++) {
        for (int y = 0; y < h; y++) {
            float *p = to + y * w;
            memcpy(row, p, (size_t)w * sizeof *row);
            for (int x = 1; x < w - 1; x++)
                p[x] = (row[x - 1] + 2 * row[x] + row[x + 1]) / 4;
        }
        for (int x = 0; x < w; x++) {
            float above = to[x];
            for (int y = 1; y < h - 1; y++) {
                float here = to[y * w + x];
                to[y * w + x] = (above + 2 * here + to[(y + 1) * w + x]) / 4;
                above = here;
            }
        }
    }
}

typedef struct sums {
    double a, b, aa, bb, ab, n;
} sums;

static void add(sums *s, float a, float b)
{
    s->a += a;
    s->b += b;
    s->aa += (double)a * a;
    s->bb += (double)b * b;
    s->ab += (double)a * b;
    s->n++;
}

static double variance(double squares, double sum, double n)
{
    return n > 0 ? fmax(squares / n - sum / n * (sum / n), 0) : 0;
}

static double correlation(const sums *s)
{
    double va = variance(s->aa, s->a, s->n), vb = variance(s->bb, s->b, s->n);
    if (va < 0.25 || vb < 0.25)
        return 0;
    return (s->ab / s->n - s->a / s->n * (s->b / s->n)) / sqrt(va * vb);
}

typedef struct block {
    float correlation, weight;
} block;

static int by_correlation(const void *x, const void *y)
{
    const block *a = x, *b = y;
    return (a->correlation > b->correlation) - (a->correlation < b->correlation);
}

/* The correlation below which `share` of the weight lies; blocks are sorted. */
static float quantile(const block *blocks, size_t n, double weight, double share)
{
    double below = 0;
    size_t i = 0;
    while (i + 1 < n && (below += blocks[i].weight) < weight * share)
        i++;
    return blocks[i].correlation;
}

static block measure_block(const mp_dedup_level *a, const float *seen, int bx, int by, double gain)
{
    sums s = {0};
    for (int y = by; y < by + BLOCK; y++)
        for (int x = bx; x < bx + BLOCK; x++)
            if (seen[y * a->w + x] >= 0)
                add(&s, a->px[y * a->w + x], seen[y * a->w + x]);
    double da = sqrt(variance(s.aa, s.a, s.n)), db = sqrt(variance(s.bb, s.b, s.n)) * gain;
    double texture = fmax(da, db);
    if (s.n < BLOCK * BLOCK || texture < TEXTURE)
        return (block){0};
    return (block){(float)correlation(&s), (float)fmin(texture, 4 * TEXTURE)};
}

/* The blocks wholly within the overlap; gain brings B's contrast to A's. */
static void measure_blocks(const mp_dedup_level *a, const float *seen, float gain,
                           mp_dedup_measures *m)
{
    block blocks[MAX_PIXELS / BLOCK / BLOCK];
    size_t n = 0;
    double weight = 0, good = 0, sum = 0;
    for (int y = 0; y + BLOCK <= a->h; y += BLOCK)
        for (int x = 0; x + BLOCK <= a->w; x += BLOCK) {
            block b = measure_block(a, seen, x, y, gain);
            if (b.weight == 0)
                continue;
            blocks[n++] = b;
            weight += b.weight;
            sum += b.weight * b.correlation;
            good += b.correlation >= AGREES ? b.weight : 0;
        }
    m->textured = (float)n;
    if (n == 0)
        return;
    qsort(blocks, n, sizeof *blocks, by_correlation);
    m->block = (float)(sum / weight);
    m->agree = (float)(good / weight);
    m->median = quantile(blocks, n, weight, 0.5);
    m->quarter = quantile(blocks, n, weight, 0.25);
}

mp_dedup_measures mp_dedup_measure(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                   mp_dedup_warp warp)
{
    mp_dedup_measures m = {0};
    mp_dedup_warp back;
    if (!mp_dedup_warp_invert(warp, &back))
        return m;
    float area_a = a->half_w * a->half_h, area_b = b->half_w * b->half_h;
    float step = fabsf(mp_dedup_warp_det(warp));
    if (step < 1)
        return mp_dedup_measure(b, a, back);
    const mp_dedup_level *la = &a->level[MP_DEDUP_FINEST], *lb = &b->level[MP_DEDUP_FINEST];
    float smoothed[MAX_PIXELS], base[MAX_PIXELS], seen[MAX_PIXELS];
    smooth(la, 1, base);
    smooth(lb, MP_MIN((int)lroundf(2 * step - 1), 8), smoothed);
    mp_dedup_level from = *lb, to = *la;
    from.px = smoothed;
    to.px = base;
    mp_dedup_sample(&to, &from, warp, seen);
    sums s = {0};
    for (int i = 0; i < la->w * la->h; i++)
        if (seen[i] >= 0)
            add(&s, base[i], seen[i]);
    if (s.n < 64)
        return m;
    float covered = (float)(s.n / (double)(la->w * la->h)) * area_a;
    float in_b = fminf(covered * step / area_b, 1);
    m.part = fmaxf(covered / area_a, in_b);
    m.whole = fminf(covered / area_a, in_b);
    m.ncc = (float)correlation(&s);
    double va = variance(s.aa, s.a, s.n), vb = variance(s.bb, s.b, s.n);
    m.shift = (float)fabs(s.a - s.b) / (float)s.n;
    float gain = (float)sqrt((va + 1) / (vb + 1));
    m.gain = fminf(gain, 1 / gain);
    m.residual = (float)sqrt(fmax(va, vb) * fmax(1 - m.ncc * (double)m.ncc, 0));
    measure_blocks(&to, seen, gain, &m);
    return m;
}
