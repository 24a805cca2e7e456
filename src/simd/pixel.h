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
    MP_PIXEL_GROUP = 8,  /* low and high are padded with zeros to a multiple of this */
    MP_PIXEL_SLACK = 32  /* bytes that a row kernel may read behind its last tap */
};

/* Taps of one output sample: `n` weights from input position `first` on, whole and in halves. */
typedef struct mp_taps {
    int first, n;
    const int32_t *weight;
    const int16_t *low, *high;
} mp_taps;

typedef struct mp_pixel_kernels {
    /* One row: out[i] = sum over taps[i] of in. May read MP_PIXEL_SLACK bytes too far. */
    void (*row_rgb)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    void (*row_grey)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    /* One output row of n bytes: weighted sum of t->n rows that lie `stride` bytes apart from in.
     * Reads and writes nothing else; of t, only n and weight are used. */
    void (*column)(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out);
} mp_pixel_kernels;

/* For an instruction set; falls back to the next lower one where there is none of its own. */
const mp_pixel_kernels *mp_pixel_for(mp_isa isa);

/* The sets themselves: pixel.c, pixel_avx2.c, pixel_avx512.c, pixel_neon.c. */
extern const mp_pixel_kernels mp_pixel_scalar;
#if defined(__x86_64__)
extern const mp_pixel_kernels mp_pixel_avx2, mp_pixel_avx512;
#elif defined(__aarch64__)
extern const mp_pixel_kernels mp_pixel_neon;
#endif

#endif
