/* pixel.h - kernels of the exact resize: fixed-point weighted sums of 8-bit samples.
 *
 * A weight has PRECISION bits behind the point; a sum starts at half and is shifted down and
 * clamped, so that scalar and vector kernels agree bit for bit (integer sums do not depend on
 * order). Any thread. */
#ifndef MP_PIXEL_H
#define MP_PIXEL_H

#include "simd/cpu.h"

enum {
    MP_PIXEL_PRECISION = 22,
    MP_PIXEL_HALF = 1 << (MP_PIXEL_PRECISION - 1),
    MP_PIXEL_SPLIT = 15, /* weight = high * 2^15 + low: both halves fit a 16-bit multiply */
    MP_PIXEL_ROWS = 4,
    MP_PIXEL_DIGITS = 3,    /* weight = sum of digit[d] * 256^d, digits of -128..127 */
    MP_PIXEL_GROUP = 16,    /* halves and digits are padded with zeros to a multiple of this */
    MP_PIXEL_SLACK = 48,    /* bytes that a row kernel may read behind its last tap */
    MP_PIXEL_MOST = 8355711 /* what three such digits reach: a weight's size is at most this */
};

/* Taps of one output sample: `n` weights from input position `first` on, whole, in halves and in
 * digits. */
typedef struct mp_taps {
    int first, n;
    const int32_t *weight;
    const int16_t *low, *high;
    const int8_t *digit[MP_PIXEL_DIGITS];
} mp_taps;

/* A weight in its parts. */
static inline void mp_pixel_split(int32_t w, int16_t *low, int16_t *high,
                                  int8_t *digit[MP_PIXEL_DIGITS], size_t at)
{
    low[at] = (int16_t)(w & ((1 << MP_PIXEL_SPLIT) - 1));
    high[at] = (int16_t)((w - low[at]) / (1 << MP_PIXEL_SPLIT));
    for (int d = 0; d < MP_PIXEL_DIGITS; d++) {
        int32_t low8 = ((w & 255) ^ 128) - 128;
        digit[d][at] = (int8_t)low8;
        w = (w - low8) / 256;
    }
}

typedef struct mp_pixel_kernels {
    /* One row: out[i] = sum over taps[i] of in. May read MP_PIXEL_SLACK bytes too far. */
    void (*row_rgb)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    void (*row_grey)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    /* The same of MP_PIXEL_ROWS rows, `stride` and `out_stride` bytes apart; NULL: it would be no
     * faster. */
    void (*rows_rgb)(const uint8_t *in, size_t stride, const mp_taps *taps, int n_out, uint8_t *out,
                     size_t out_stride);
    /* One output row of n bytes: weighted sum of t->n rows that lie `stride` bytes apart from in.
     * Reads and writes nothing else; of t, only n and weight are used. */
    void (*column)(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out);
} mp_pixel_kernels;

/* For an instruction set; falls back to the next lower one where there is none of its own. */
const mp_pixel_kernels *mp_pixel_for(mp_isa isa);

/* The sets themselves: pixel.c, pixel_avx2.c, pixel_avx512.c, pixel_neon.c. */
extern const mp_pixel_kernels mp_pixel_scalar;
#if defined(__x86_64__)
extern const mp_pixel_kernels mp_pixel_avx2, mp_pixel_avx512, mp_pixel_vnni;
#elif defined(__aarch64__)
extern const mp_pixel_kernels mp_pixel_neon;
#endif

#endif
