/* dedup_score.c - from measures to one number.
 *
 * A logistic function of seven measures, none of which counts against likeness. Weights and offset
 * were fitted by tests/quality/dupes/fit_score.py on copies of 200 pictures (seed 8; the gate
 * looks at others) and on the hardest strangers: pictures near by vector or hash, among them
 * series of photos of one shelf. Half the logit goes into the score, which spreads it: untouched
 * copies reach 0.97, heavy crops and marks 0.9, neighbours in a series stay below 0.5. */
#include "core/dedup_verify.h"

#include <math.h>

static const float OFFSET = -31.18f, BLOCK = 9.21f, AGREE = 4.82f, MEDIAN = 2.23f, NCC = 1.92f,
                   TEXTURED = 0.14f, WHOLE = 2.19f, PART = 2.58f;
/* Correlations near 1 are told apart on a logarithmic scale, down to this distance from 1. */
static const float NEAREST = 0.01f;
enum { FEW_TEXTURE = 4, ENOUGH_TEXTURE = 60, SOME_TEXTURE = 16 };

static float nearness(float correlation)
{
    return -logf(fmaxf(1 - correlation, NEAREST));
}

/* Pictures of soft shades without any texture are the same when nothing is left between them. */
static float score_of_shades(const mp_dedup_measures *m)
{
    bool equal = m->whole >= 0.95f && m->residual <= 1.5f && m->gain >= 0.9f && m->shift <= 3;
    return equal ? 0.95f : 0;
}

float mp_dedup_score(const mp_dedup_measures *m)
{
    /* A few blocks that agree prove something of a plain picture as a whole, nothing of a corner.
     */
    if (m->textured < FEW_TEXTURE)
        return score_of_shades(m);
    if (!(m->ncc > 0) || (m->textured < SOME_TEXTURE && m->whole < 0.6f))
        return 0;
    float z = OFFSET + BLOCK * m->block + AGREE * m->agree + MEDIAN * nearness(m->median) +
              NCC * nearness(m->ncc) + TEXTURED * logf(1 + fminf(m->textured, ENOUGH_TEXTURE)) +
              WHOLE * m->whole + PART * m->part;
    return 1 / (1 + expf(-z / 2));
}
