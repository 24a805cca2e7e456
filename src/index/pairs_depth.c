/* pairs_depth.c - how many leading directions to code. Few are quick to multiply but let more pairs
 * pass, which are scored one by one; a sample of pairs, held against what their rows already have,
 * says which costs least. See pairs_parts.h. */
#include "index/pairs_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, COLUMNS = 1024, STEP = 32 };
/* Cycles of this code on a processor with VNNI: per four bytes of depth and pair of registers, per
 * pair whatever the depth, per pair that passes. Where products are slower, so is scoring. */
static const double PER_BYTE = 1.0 / 60, PER_PAIR = 0.5, PER_PASS = 70;
/* What the codes' errors add to a score, about. */
static const float ERRORS = 0.018f;

typedef struct looked_at {
    float *image; /* n x b->n */
    float *least; /* n */
    size_t n;
} looked_at;

static mp_err look_at(const pairs_run *p, const mp_matrix *w, size_t n, size_t offset,
                      looked_at *out, mp_why *why)
{
    *out = (looked_at){mp_try_array(n * w->n, sizeof(float)), mp_try_array(n, sizeof(float)), n};
    if (!out->image || !out->least)
        return mp_fail(why, MP_NOMEM, "no memory for a sample");
    for (size_t i = 0; i < n; i++) {
        size_t at = (i * p->n / n + offset) % p->n;
        p->dense->multiply(p->row[at], 1, p->dims, w, 0, w->n,
                           &(mp_dense_out){.y = out->image + i * w->n, .y_stride = w->n});
        out->least[i] = p->worst[at];
    }
    return MP_OK;
}

static float rest_of(const float *image, size_t n, const pairs_run *p)
{
    return sqrtf(MP_MAX(1 - p->distance->dot(image, image, n), 0.0f));
}

/* passed[d / STEP]: how many pairs d directions would let through. */
static void count(const pairs_run *p, const looked_at *a, const looked_at *b, size_t n,
                  size_t *passed)
{
    for (size_t d = STEP; d <= n; d += STEP) {
        float rest[COLUMNS];
        for (size_t j = 0; j < b->n; j++)
            rest[j] = rest_of(b->image + j * n, d, p);
        passed[d / STEP] = 0;
        for (size_t i = 0; i < a->n; i++) {
            const float *image = a->image + i * n;
            float mine = rest_of(image, d, p);
            for (size_t j = 0; j < b->n; j++) {
                float most = p->distance->dot(image, b->image + j * n, d) + mine * rest[j] + ERRORS;
                passed[d / STEP] += most >= MP_MIN(a->least[i], b->least[j]);
            }
        }
    }
}

static size_t cheapest(const pairs_run *p, size_t n, const size_t *passed)
{
    size_t best = 0;
    double least = (double)p->dims * PER_BYTE + PER_PAIR;
    for (size_t d = STEP; d <= n; d += STEP) {
        double share = (double)passed[d / STEP] / ((double)ROWS * COLUMNS);
        double cost = (double)(d + MP_PAIRS8_GROUP) * PER_BYTE + PER_PAIR + share * PER_PASS;
        if (cost < least) {
            least = cost;
            best = d;
        }
    }
    return best;
}

mp_err mp_pairs_choose_depth(const pairs_run *p, const mp_basis *b, size_t *leading, mp_why *why)
{
    size_t passed[PAIRS_MOST_LEADING / STEP + 1];
    looked_at rows = {0}, columns = {0};
    *leading = 0;
    if (!b->n)
        return MP_OK;
    float *packed = aligned_alloc(64, mp_dense_packed(b->n, p->dims) * sizeof(float));
    mp_err err = packed ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for a sample");
    mp_matrix w = {packed, b->n, p->dims};
    if (!err) {
        mp_dense_pack(b->direction, b->n, p->dims, p->dims, packed);
        err = look_at(p, &w, ROWS, 0, &rows, why);
    }
    if (!err) /* an offset, so that no row meets itself */
        err = look_at(p, &w, COLUMNS, p->n / (2 * COLUMNS) + 1, &columns, why);
    if (!err) {
        count(p, &rows, &columns, b->n, passed);
        *leading = cheapest(p, b->n, passed);
    }
    free(packed);
    free(rows.image);
    free(rows.least);
    free(columns.image);
    free(columns.least);
    return err;
}
