/* defects.c - see defects.h. Everything is drawn by coverage (0..1 per pixel) and blended, so that
 * edges are smooth and no defect is found by its aliasing alone. */
#include "defects.h"

#include "base/os.h"

#include <math.h>

enum { WAVES = 4, CURVE_STEPS = 48 };
/* A scratch thinner than the pixels would not be there at all. */
static const double LEAST_HALF_WIDTH = 0.9;

static double between(mp_rng *r, double low, double high)
{
    return low + (high - low) * mp_rng_unit(r);
}

static void blend(uint8_t *px, const double colour[3], double cover)
{
    for (int c = 0; c < 3; c++)
        px[c] = (uint8_t)lrint(px[c] + (colour[c] - px[c]) * cover);
}

static double clamp_unit(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* ---- scratch: a thin bent line, much lighter or darker than what it crosses ---- */

typedef struct point {
    double x, y;
} point;

static point curve_at(const point p[3], double t)
{
    double a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
    return (point){a * p[0].x + b * p[1].x + c * p[2].x, a * p[0].y + b * p[1].y + c * p[2].y};
}

static double distance_to_segment(point q, point a, point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? clamp_unit(((q.x - a.x) * dx + (q.y - a.y) * dy) / length) : 0;
    return hypot(q.x - a.x - t * dx, q.y - a.y - t * dy);
}

static double distance_to_curve(point q, const point joint[CURVE_STEPS + 1])
{
    double best = HUGE_VAL;
    for (int i = 0; i < CURVE_STEPS; i++)
        best = fmin(best, distance_to_segment(q, joint[i], joint[i + 1]));
    return best;
}

static double mean_luma(const mp_image *im, int x, int y)
{
    const uint8_t *px = im->px + ((size_t)y * (size_t)im->w + (size_t)x) * 3;
    return 0.3 * px[0] + 0.59 * px[1] + 0.11 * px[2];
}

static void draw_scratch(mp_image *im, mp_rng *r)
{
    double side = MP_MIN(im->w, im->h);
    double length = side * between(r, 0.25, 0.5), angle = between(r, 0, 2 * 3.14159265358979);
    double half = fmax(side * between(r, 0.004, 0.008), LEAST_HALF_WIDTH),
           bend = length * between(r, -0.15, 0.15);
    point mid = {im->w * between(r, 0.35, 0.65), im->h * between(r, 0.35, 0.65)};
    double ux = cos(angle), uy = sin(angle);
    point control[3] = {{mid.x - ux * length / 2, mid.y - uy * length / 2},
                        {mid.x - uy * bend, mid.y + ux * bend},
                        {mid.x + ux * length / 2, mid.y + uy * length / 2}};
    point joint[CURVE_STEPS + 1];
    for (int i = 0; i <= CURVE_STEPS; i++)
        joint[i] = curve_at(control, (double)i / CURVE_STEPS);
    double level =
        mean_luma(im, (int)mid.x, (int)mid.y) > 128 ? between(r, 10, 60) : between(r, 195, 245);
    double colour[3] = {level, level, level}, strength = between(r, 0.6, 0.9);
    for (int y = 0; y < im->h; y++)
        for (int x = 0; x < im->w; x++) {
            double away = distance_to_curve((point){x + 0.5, y + 0.5}, joint);
            double cover = clamp_unit(half + 0.5 - away) * strength;
            if (cover > 0)
                blend(im->px + ((size_t)y * (size_t)im->w + (size_t)x) * 3, colour, cover);
        }
}

/* ---- stain: a blob with a wavy, soft rim; it tints, so that the cloth's texture stays ---- */

static void draw_stain(mp_image *im, mp_rng *r)
{
    static const double tints[][3] = {{60, 38, 20}, {30, 26, 24}, {110, 20, 24}, {70, 74, 24}};
    const double *tint = tints[mp_rng_u64(r) % MP_COUNT(tints)];
    double side = MP_MIN(im->w, im->h), radius = side * between(r, 0.05, 0.10);
    double cx = im->w * between(r, 0.33, 0.67), cy = im->h * between(r, 0.33, 0.67);
    double strength = between(r, 0.55, 0.8), wave[WAVES], phase[WAVES];
    for (int i = 0; i < WAVES; i++) {
        wave[i] = between(r, 0.03, 0.12);
        phase[i] = between(r, 0, 2 * 3.14159265358979);
    }
    for (int y = 0; y < im->h; y++)
        for (int x = 0; x < im->w; x++) {
            double dx = x + 0.5 - cx, dy = y + 0.5 - cy, angle = atan2(dy, dx), rim = 1;
            for (int i = 0; i < WAVES; i++)
                rim += wave[i] * sin((i + 2) * angle + phase[i]);
            double inside = clamp_unit((radius * rim - hypot(dx, dy)) / (0.15 * radius) + 0.5);
            if (inside > 0)
                blend(im->px + ((size_t)y * (size_t)im->w + (size_t)x) * 3, tint,
                      inside * strength);
        }
}

/* ---- missing corner: a straight cut, and flat grey where the picture was ---- */

static void draw_missing_corner(mp_image *im, mp_rng *r)
{
    uint64_t corner = mp_rng_u64(r) % 4;
    double a = im->w * between(r, 0.25, 0.4), b = im->h * between(r, 0.25, 0.4);
    double level = between(r, 90, 160), colour[3] = {level, level, level};
    double slope = hypot(1 / a, 1 / b);
    for (int y = 0; y < im->h; y++)
        for (int x = 0; x < im->w; x++) {
            double dx = corner & 1 ? im->w - x - 0.5 : x + 0.5;
            double dy = corner & 2 ? im->h - y - 0.5 : y + 0.5;
            double cover = clamp_unit((1 - dx / a - dy / b) / slope + 0.5);
            if (cover > 0)
                blend(im->px + ((size_t)y * (size_t)im->w + (size_t)x) * 3, colour, cover);
        }
}

/* ---- all kinds ---- */

static const struct {
    const char *word;
    void (*draw)(mp_image *im, mp_rng *r);
} kinds[MP_DEFECTS] = {
    [MP_SCRATCH] = {"scratch", draw_scratch},
    [MP_STAIN] = {"stain", draw_stain},
    [MP_MISSING_CORNER] = {"missing corner", draw_missing_corner},
};

const char *mp_defect_word(mp_defect kind)
{
    return kinds[kind].word;
}

void mp_defect_draw(mp_image *im, mp_defect kind, uint64_t seed)
{
    mp_rng r = {seed};
    kinds[kind].draw(im, &r);
}
