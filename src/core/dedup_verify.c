/* dedup_verify.c - from cheap to dear: turned as a whole, then one as a part of the other.
 *
 * A hypothesis is refined level by level and dropped as soon as it stays behind. */
#include "core/dedup_verify.h"

#include "core/dedup_search.h"

#include <math.h>
#include <string.h>

enum { TURNS = 8, WHOLES = 2, PLACES = 6 };

/* Correlations at 32 and at 64 pixels below which a hypothesis is not followed. Of 4,400 true pairs
 * (tests/quality/dupes) hardly one in a thousand is lower there, three of four strangers are. A
 * picture that may be whole gets more patience, since a mark on it lowers its correlation. */
typedef struct patience {
    float coarse, fine;
} patience;
static const patience FOR_WHOLES = {0.65f, 0.70f}, FOR_PARTS = {0.80f, 0.88f};
static const float LEAST_OVERLAP = 0.15f, OVERLAP_PRICE = 0.15f;
/* Scores from which on no further hypothesis is tried. */
static const float SETTLED = 0.8f;

/* A picture whose grey deviates less than PLAIN levels is plain. */
static const float PLAIN = 2.0f, PLAIN_COLOUR = 2.5f, PLAIN_NOISE = 1.5f, PLAIN_SCORE = 0.97f;

/* The eight symmetries in the order of mp_phash8, as matrices on frame units (v points down). */
static const float TURN[TURNS][4] = {{1, 0, 0, 1},  {0, -1, 1, 0},  {-1, 0, 0, -1}, {0, 1, -1, 0},
                                     {-1, 0, 0, 1}, {0, -1, -1, 0}, {1, 0, 0, -1},  {0, 1, 1, 0}};

typedef struct hypothesis {
    mp_dedup_warp warp;
    float ncc;
} hypothesis;

/* A's frame squeezed into B's, after a symmetry. */
static mp_dedup_warp whole_warp(const mp_dedup_picture *a, const mp_dedup_picture *b, int turn)
{
    const float *t = TURN[turn];
    return (mp_dedup_warp){{t[0] * b->half_w / a->half_w, t[1] * b->half_w / a->half_h, 0,
                            t[2] * b->half_h / a->half_w, t[3] * b->half_h / a->half_h, 0}};
}

static void keep_best(hypothesis *best, size_t *n, size_t cap, hypothesis h)
{
    size_t at = *n < cap ? (*n)++ : cap;
    while (at > 0 && best[at - 1].ncc < h.ncc) {
        if (at < cap)
            best[at] = best[at - 1];
        at--;
    }
    if (at < cap)
        best[at] = h;
}

/* Refines at one level and returns the correlation there. A step that gives up overlap must gain
 * correlation: else pictures of soft shades slide apart. */
static float follow(const mp_dedup_picture *a, const mp_dedup_picture *b, int level, int steps,
                    mp_dedup_warp *warp)
{
    const mp_dedup_level *la = &a->level[level], *lb = &b->level[level];
    mp_dedup_warp moved = *warp;
    mp_dedup_fit before = mp_dedup_fit_of(la, lb, *warp), after = {0};
    if (mp_dedup_refine(la, lb, steps, &moved))
        after = mp_dedup_fit_of(la, lb, moved);
    float price = OVERLAP_PRICE * fmaxf(before.overlap - after.overlap, 0);
    if (after.overlap < LEAST_OVERLAP || after.ncc < before.ncc + price)
        return before.ncc;
    *warp = moved;
    return after.ncc;
}

static mp_dedup_verdict judge(const mp_dedup_picture *a, const mp_dedup_picture *b,
                              mp_dedup_warp warp, float least)
{
    mp_dedup_verdict v = {.warp = warp};
    if (follow(a, b, 1, 5, &v.warp) < least)
        return v;
    follow(a, b, MP_DEDUP_FINEST, 4, &v.warp);
    v.measures = mp_dedup_measure(a, b, v.warp);
    v.score = mp_dedup_score(&v.measures);
    if (v.score > 0 || v.measures.textured > 0)
        return v;
    /* Where there is no texture, soft shades slide over each other: as they lay is better. */
    v.warp = warp;
    v.measures = mp_dedup_measure(a, b, warp);
    v.score = mp_dedup_score(&v.measures);
    return v;
}

static void judge_better(const mp_dedup_picture *a, const mp_dedup_picture *b, const hypothesis *h,
                         size_t n, patience p, mp_dedup_verdict *best)
{
    for (size_t i = 0; i < n && best->score < SETTLED; i++) {
        if (h[i].ncc < p.coarse)
            break;
        mp_dedup_verdict v = judge(a, b, h[i].warp, p.fine);
        if (v.score > best->score)
            *best = v;
    }
}

static size_t wholes(const mp_dedup_picture *a, const mp_dedup_picture *b, hypothesis *out)
{
    hypothesis turned[WHOLES];
    size_t n = 0, kept = 0;
    for (int t = 0; t < TURNS; t++) {
        hypothesis h = {.warp = whole_warp(a, b, t)};
        h.ncc =
            mp_dedup_fit_of(&a->level[MP_DEDUP_COARSEST], &b->level[MP_DEDUP_COARSEST], h.warp).ncc;
        keep_best(turned, &n, WHOLES, h);
    }
    for (size_t i = 0; i < n; i++) {
        hypothesis h = turned[i];
        follow(a, b, MP_DEDUP_COARSEST, 6, &h.warp);
        h.ncc = follow(a, b, 2, 8, &h.warp);
        keep_best(out, &kept, WHOLES, h);
    }
    return kept;
}

static size_t parts(const mp_dedup_picture *a, const mp_dedup_picture *b, hypothesis *out)
{
    mp_dedup_place place[PLACES];
    size_t n = mp_dedup_search(a, b, place, PLACES), kept = 0;
    for (size_t i = 0; i < n; i++) {
        hypothesis h = {.warp = place[i].warp};
        h.ncc = follow(a, b, 2, 6, &h.warp);
        keep_best(out, &kept, PLACES, h);
    }
    return MP_MIN(kept, 2);
}

/* ---- plain pictures, in which there is nothing to register ---- */

static bool plain(const mp_dedup_picture *p)
{
    return p->deviation < PLAIN;
}

/* Two plain pictures are the same only when they are equal: shape, colour and what little is in
 * them. A plain one is never a part of another. */
static mp_dedup_verdict compare_plain(const mp_dedup_picture *a, const mp_dedup_picture *b)
{
    mp_dedup_verdict v = {.kind = MP_SAME_EXACT, .warp = whole_warp(a, b, 0)};
    const mp_dedup_level *la = &a->level[2], *lb = &b->level[2];
    float seen[MP_DEDUP_LONG * MP_DEDUP_LONG], worst = 0;
    double sum = 0;
    int n = la->w * la->h;
    if (!plain(a) || !plain(b) || la->w != lb->w || la->h != lb->h)
        return v;
    for (int c = 0; c < 3; c++)
        worst = fmaxf(worst, fabsf(a->colour[c] - b->colour[c]));
    mp_dedup_sample(la, lb, v.warp, seen);
    for (int i = 0; i < n; i++)
        sum += ((double)seen[i] - la->px[i]) * ((double)seen[i] - la->px[i]);
    if (worst <= PLAIN_COLOUR && sqrt(sum / n) <= PLAIN_NOISE)
        v.score = PLAIN_SCORE;
    return v;
}

/* ---- the whole ---- */

static int content_order(const mp_dedup_picture *a, const mp_dedup_picture *b)
{
    const mp_dedup_level *la = &a->level[MP_DEDUP_COARSEST], *lb = &b->level[MP_DEDUP_COARSEST];
    int sizes = la->w * la->h - lb->w * lb->h;
    return sizes ? sizes : memcmp(la->px, lb->px, (size_t)(la->w * la->h) * sizeof *la->px);
}

static mp_dedup_verdict verify_ordered(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                       const mp_dedup_warp *hint, bool thorough)
{
    mp_dedup_verdict best = {0};
    hypothesis h[PLACES];
    if (plain(a) || plain(b))
        return compare_plain(a, b);
    if (hint) {
        h[0] = (hypothesis){.warp = *hint, .ncc = 1};
        judge_better(a, b, h, 1, FOR_WHOLES, &best);
    }
    judge_better(a, b, h, wholes(a, b, h), FOR_WHOLES, &best);
    if (thorough && best.score < SETTLED)
        judge_better(a, b, h, parts(a, b, h), FOR_PARTS, &best);
    if (best.score > 0)
        best.kind = mp_dedup_kind_of(a, b, best.warp, &best.measures, &best.added);
    return best;
}

mp_dedup_verdict mp_dedup_verify(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                 const mp_dedup_warp *hint, bool thorough)
{
    mp_dedup_warp back;
    if (content_order(a, b) <= 0)
        return verify_ordered(a, b, hint, thorough);
    bool hinted = hint && mp_dedup_warp_invert(*hint, &back);
    mp_dedup_verdict v = verify_ordered(b, a, hinted ? &back : NULL, thorough);
    if (!mp_dedup_warp_invert(v.warp, &back))
        v.score = 0;
    v.warp = back;
    v.added = -v.added;
    return v;
}
