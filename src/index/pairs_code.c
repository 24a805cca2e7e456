/* pairs_code.c - the codes of rows: fine ones of all coordinates, each row on its own scale; coarse
 * ones of the leading directions, all rows on one scale, so that whole numbers can be compared. See
 * pairs_parts.h. All are of coordinates that were turned so that none is much larger than others:
 * an 8-bit code is as good as its largest number is small.
 *
 * Coarse: with a' = code / scale the row a is a' + e + r, e the error of the code within the
 * directions and r what is outside them. Then a b <= a' b' + |r_a| |r_b| + |e_a| + |e_b| + |e_a|
 * |e_b|, for rows of length 1. The second term is four more bytes of the code; the others are the
 * rows' slack, |e| + |e|^2 / 2 each. What of |r| four bytes cannot say is slack too. */
#include "index/pairs_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 127, REST_BYTES = MP_PAIRS8_GROUP };
/* Coordinates are like normal ones: hardly any is cut off, and the steps stay fine. */
static const float DEVIATIONS = 4;
/* Lengths are within 0.001 of 1, and sums in f32 are off by less than this. */
static const float LENGTH = 1.001f, ROUNDING = 4e-6f;

/* Codes as the stored side of products has them. */
static void flip(const int8_t *restrict code, size_t n, uint8_t *restrict to)
{
    for (size_t d = 0; d < n; d++)
        to[d] = (uint8_t)code[d] ^ 0x80;
}

static int32_t sum_of(const int8_t *code, size_t n)
{
    int32_t sum = 0;
    for (size_t d = 0; d < n; d++)
        sum += code[d];
    return sum;
}

/* ---- a turn of all coordinates ---- */

/* Fast Walsh-Hadamard transform of n (a power of two) numbers; keeps the length. */
static void hadamard(float *v, size_t n)
{
    for (size_t half = 1; half < n; half *= 2)
        for (size_t i = 0; i < n; i += 2 * half)
            for (size_t j = i; j < i + half; j++) {
                float a = v[j], b = v[j + half];
                v[j] = a + b;
                v[j + half] = a - b;
            }
    float scale = 1 / sqrtf((float)n);
    for (size_t i = 0; i < n; i++)
        v[i] *= scale;
}

/* Signs, then transforms of the powers of two that the dimensions are made of. */
static void turn(const pairs_run *p, const float *from, float *v)
{
    const size_t dims = p->dims;
    for (size_t d = 0; d < dims; d++)
        v[d] = from[d] * p->sign[d];
    for (size_t done = 0; done < dims;) {
        size_t n = 1;
        while (2 * n <= dims - done)
            n *= 2;
        hadamard(v + done, n);
        done += n;
    }
}

static const float *even_row(const pairs_run *p, size_t place, float *room)
{
    if (!p->uneven)
        return p->row[place];
    turn(p, p->row[place], room);
    return room;
}

/* ---- fine ---- */

static float largest(const float *v, size_t n)
{
    float lane[16] = {0}, most = 0; /* so that the compiler may use vectors */
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = MP_MAX(lane[i % 16], v[i] < 0 ? -v[i] : v[i]);
    for (size_t i = 0; i < 16; i++)
        most = MP_MAX(most, lane[i]);
    return most;
}

static void code_fine(pairs_run *p, size_t block, pairs_scratch *s, void *context)
{
    (void)context;
    size_t from = block * PAIRS_BLOCK;
    memset(s->query, 0, p->fine_bytes);
    for (size_t i = from; i < from + pairs_block_rows(p, block); i++) {
        const float *row = even_row(p, i, s->rows);
        float scale = TOP / largest(row, p->dims);
        float missed = p->pairs8->code(row, p->dims, scale, s->query);
        flip(s->query, p->fine_bytes, p->fine + i * p->fine_bytes);
        p->fine_how[i] = (fine_code){1 / scale, sqrtf(missed) / scale + ROUNDING,
                                     128 * sum_of(s->query, p->fine_bytes)};
    }
}

/* By the largest coordinates of a sample: of normal ones, a row's is 3 to 3.5 times their spread.
 */
static bool is_uneven(const pairs_run *p)
{
    enum { SAMPLE = 256 };
    static const float usual = 4;
    size_t n = MP_MIN(p->n, (size_t)SAMPLE);
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += largest(p->row[i * p->n / n], p->dims);
    return sum / (float)n * sqrtf((float)p->dims) > usual;
}

mp_err mp_pairs_code_fine(pairs_run *p, mp_why *why)
{
    p->uneven = is_uneven(p);
    for (size_t d = 0; d < p->dims; d++)
        p->sign[d] = mp_mix64(d) & 1 ? -1 : 1;
    return mp_pairs_each(p, pairs_blocks(p), code_fine, NULL, why);
}

/* ---- coarse ---- */

/* The four bytes of a rest: as a product of two rows' they come to at least scale^2 |r| |r'|, but
 * for what is returned, a length that they cannot say. */
static float code_rest(float rest, float scale, int8_t *code)
{
    float wanted = ceilf(rest * scale / 2), said = MP_MIN(wanted, (float)TOP);
    memset(code, (int)said, REST_BYTES);
    return wanted > said ? rest - 2 * said / scale : 0;
}

static void put_row(pairs_run *p, size_t place, const int8_t *code, float missed, float beyond)
{
    uint8_t *row = p->coarse_row + place * p->depth;
    flip(code, p->depth, row);
    mp_pairs8_put(code, p->depth, place, p->coarse_column);
    float slack = LENGTH * (missed + beyond) + missed * missed;
    p->sum[place] = sum_of(code, p->depth);
    p->slack[place] = (int32_t)ceilf(slack * p->scale * p->scale);
}

static void code_images(pairs_run *p, size_t place, const float *row, const float *image,
                        int8_t *code)
{
    size_t n = p->leading;
    float length2 = p->distance->dot(row, row, p->dims);
    float rest = sqrtf(MP_MAX(length2 - p->distance->dot(image, image, n), 0.0f) + ROUNDING);
    float missed = sqrtf(p->pairs8->code(image, n, p->scale, code)) / p->scale;
    float beyond = code_rest(rest, p->scale, code + n);
    put_row(p, place, code, missed, beyond);
}

static void code_leading(pairs_run *p, size_t chunk, pairs_scratch *s, void *context)
{
    (void)context;
    mp_matrix w = {p->directions, p->leading, p->dims};
    size_t from = chunk * PAIRS_CHUNK, n = MP_MIN(p->n - from, (size_t)PAIRS_CHUNK);
    for (size_t i = 0; i < n; i++)
        memcpy(s->rows + i * p->dims, p->row[from + i], p->dims * sizeof(float));
    p->dense->multiply(s->rows, n, p->dims, &w, 0, p->leading,
                       &(mp_dense_out){.y = s->images, .y_stride = p->leading});
    for (size_t i = 0; i < n; i++)
        code_images(p, from + i, s->rows + i * p->dims, s->images + i * p->leading, s->code);
}

static void code_all(pairs_run *p, size_t chunk, pairs_scratch *s, void *context)
{
    (void)context;
    size_t from = chunk * PAIRS_CHUNK, n = MP_MIN(p->n - from, (size_t)PAIRS_CHUNK);
    memset(s->code, 0, p->depth);
    for (size_t i = from; i < from + n; i++) {
        const float *row = even_row(p, i, s->rows);
        float missed = sqrtf(p->pairs8->code(row, p->dims, p->scale, s->code)) / p->scale;
        put_row(p, i, s->code, missed, ROUNDING);
    }
}

static void fill_last_panel(pairs_run *p, size_t width)
{
    for (size_t i = p->n; i < width; i++) {
        p->slack[i] = MP_PAIRS8_NEVER_SLACK;
        p->sum[i] = 0;
    }
}

mp_err mp_pairs_code_coarse(pairs_run *p, mp_why *why)
{
    size_t numbers = p->leading ? p->leading + REST_BYTES : p->dims;
    size_t width = (p->n + MP_PANEL - 1) / MP_PANEL * MP_PANEL;
    p->depth = (numbers + MP_PAIRS8_GROUP - 1) / MP_PAIRS8_GROUP * MP_PAIRS8_GROUP;
    p->scale = TOP / DEVIATIONS * sqrtf((float)(p->leading ? p->leading : p->dims));
    p->coarse_row = mp_try_array(p->n, p->depth);
    p->coarse_column = aligned_alloc(64, width * p->depth);
    p->slack = mp_try_array(width, sizeof *p->slack);
    p->sum = mp_try_array(width, sizeof *p->sum);
    if (!p->coarse_row || !p->coarse_column || !p->slack || !p->sum)
        return mp_fail(why, MP_NOMEM, "no memory for the codes of %zu rows", p->n);
    memset(p->coarse_column + (width - MP_PANEL) * p->depth, 0, MP_PANEL * p->depth);
    fill_last_panel(p, width);
    return mp_pairs_each(p, (p->n + PAIRS_CHUNK - 1) / PAIRS_CHUNK,
                         p->leading ? code_leading : code_all, NULL, why);
}
