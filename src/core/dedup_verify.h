/* dedup_verify.h - are these two one picture? Hypotheses, registration, measures, score.
 *
 * Pure; any thread. */
#ifndef MP_DEDUP_VERIFY_H
#define MP_DEDUP_VERIFY_H

#include "core/dedup.h"
#include "core/dedup_register.h"

/* What is measured once two pictures lie on each other; the score is a function of these alone. */
typedef struct mp_dedup_measures {
    float ncc;      /* correlation over the overlap */
    float block;    /* mean correlation of the textured blocks, by their weight */
    float agree;    /* share of the textured blocks that correlate well, by weight */
    float median;   /* of the textured blocks' correlations, by weight */
    float quarter;  /* a quarter of them, by weight, is below */
    float textured; /* textured blocks, as a number */
    float part;     /* overlap as a share of the smaller picture */
    float whole;    /* overlap as a share of the larger one */
    float residual; /* root mean square of what brightness and contrast do not explain, levels */
    float gain;     /* contrast of the one over that of the other, the smaller over the larger */
    float shift;    /* difference of the means over the overlap, levels */
} mp_dedup_measures;

/* warp: from A to B. */
mp_dedup_measures mp_dedup_measure(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                   mp_dedup_warp warp);
/* 0..1; mp_dedup_threshold is where "same picture" begins. */
float mp_dedup_score(const mp_dedup_measures *m);
/* What became of the one to make the other; only means something for the same picture. *added: see
 * mp_pair. */
mp_relation_kind mp_dedup_kind_of(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                  mp_dedup_warp warp, const mp_dedup_measures *m, float *added);

typedef struct mp_dedup_verdict {
    float score;
    mp_relation_kind kind;
    float added;        /* see mp_pair */
    mp_dedup_warp warp; /* from A to B */
    mp_dedup_measures measures;
} mp_dedup_verdict;

/* hint: a warp to try first (NULL: none). thorough: also look for one as a part of the other.
 * The same for (b, a), with the warp the other way round. */
mp_dedup_verdict mp_dedup_verify(const mp_dedup_picture *a, const mp_dedup_picture *b,
                                 const mp_dedup_warp *hint, bool thorough);

#endif
