/* dedup_kind.c - in words: what was done to the one picture to make the other. */
#include "core/dedup_verify.h"

#include <math.h>

static const float TILT = 0.02f;     /* radians: 1.1 degrees */
static const float COMPLETE = 0.95f; /* share of the larger picture that is covered */
enum { SPREAD = 4 };
static const float EVEN = 0.4f; /* share of an added bar that is of its colour */
static const float EXACT_NOISE = 2.0f, EXACT_GAIN = 0.98f, EXACT_SHIFT = 1.5f;
/* A mark spoils some blocks and leaves the others as they were. */
static const float MARK_AGREE = 0.97f, MARK_MEDIAN = 0.985f;

/* The rotation in the warp, after a mirror where there is one, in radians. */
const char *mp_relation_word(mp_relation_kind kind)
{
    static const char *const words[] = {
        [MP_SAME_EXACT] = "exact",
        [MP_SAME_RECODED] = "recoded",
        [MP_SAME_TURNED] = "turned",
        [MP_SAME_CROPPED] = "cropped",
        [MP_SAME_FRAMED] = "framed",
        [MP_SAME_TILTED] = "tilted",
        [MP_ALIKE] = "",
    };
    return words[kind];
}

static float angle_of(mp_dedup_warp w)
{
    float side = mp_dedup_warp_det(w) < 0 ? -1 : 1;
    return atan2f(side * w.m[3] - w.m[1], side * w.m[0] + w.m[4]);
}

/* The share of the values that lie within SPREAD of the commonest one. */
static float evenness(const float *v, int n)
{
    int count[256 + 2 * SPREAD] = {0}, around = 0, most = 0;
    for (int i = 0; i < n; i++)
        count[SPREAD + (int)fminf(fmaxf(v[i], 0), 255)]++;
    for (int i = 0; i < 256 + 2 * SPREAD; i++) {
        around += count[i] - (i > 2 * SPREAD ? count[i - 2 * SPREAD - 1] : 0);
        most = MP_MAX(most, around);
    }
    return (float)most / (float)n;
}

/* Is what A has beyond B one even colour, but for some writing on it? */
static bool flat_outside(const mp_dedup_picture *a, const mp_dedup_picture *b, mp_dedup_warp warp)
{
    const mp_dedup_level *la = &a->level[MP_DEDUP_FINEST];
    float seen[MP_DEDUP_LONG * MP_DEDUP_LONG], outside[MP_DEDUP_LONG * MP_DEDUP_LONG];
    int n = 0;
    mp_dedup_sample(la, &b->level[MP_DEDUP_FINEST], warp, seen);
    for (int i = 0; i < la->w * la->h; i++)
        if (seen[i] < 0)
            outside[n++] = la->px[i];
    if (n == 0)
        return false;
    return evenness(outside, n) >= EVEN;
}

static mp_relation_kind kind_of_part(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                     mp_dedup_warp warp, float *added)
{
    mp_dedup_warp back;
    float of_a = mp_dedup_fit_of(&a->level[2], &b->level[2], warp).overlap;
    if (!mp_dedup_warp_invert(warp, &back))
        return MP_SAME_CROPPED;
    float of_b = mp_dedup_fit_of(&b->level[2], &a->level[2], back).overlap;
    bool a_is_larger = of_a < of_b;
    if (!(a_is_larger ? flat_outside(a, b, warp) : flat_outside(b, a, back)))
        return MP_SAME_CROPPED;
    *added = a_is_larger ? of_a - 1 : 1 - of_b;
    return MP_SAME_FRAMED;
}

mp_relation_kind mp_dedup_kind_of(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                  mp_dedup_warp warp, const mp_dedup_measures *m, float *added)
{
    static const float quarter = 1.57079633f;
    float angle = angle_of(warp), turns = roundf(angle / quarter);
    *added = 0;
    if (mp_dedup_warp_det(warp) < 0 || turns != 0)
        return MP_SAME_TURNED;
    if (fabsf(angle) > TILT)
        return MP_SAME_TILTED;
    if (m->whole < COMPLETE)
        return kind_of_part(a, b, warp, added);
    if (m->residual <= EXACT_NOISE && m->gain >= EXACT_GAIN && m->shift <= EXACT_SHIFT)
        return MP_SAME_EXACT;
    return m->agree < MARK_AGREE && m->median > MARK_MEDIAN ? MP_SAME_FRAMED : MP_SAME_RECODED;
}
