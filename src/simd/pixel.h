/* pixel.h - kernels of the exact resize: fixed-point weighted sums of 8-bit samples.
 *
 * A weight has PRECISION bits behind the point; a sum starts at half and is shifted down and
 * clamped, so that scalar and vector kernels agree bit for bit (integer sums do not depend on
 * order). Any thread. */
#ifndef MP_PIXEL_H
#define MP_PIXEL_H

#include "simd/cpu.h"

enum { MP_PIXEL_PRECISION = 22 };

/* Taps of one output sample: `n` weights from input position `first` on. */
typedef struct mp_taps {
    int first, n;
    const int32_t *weight;
} mp_taps;

typedef struct mp_pixel_kernels {
    /* One row: out[i] = sum over taps[i] of in. RGB reads up to one byte behind the last pixel. */
    void (*row_rgb)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    void (*row_grey)(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out);
    /* One output row of n bytes: weighted sum of t->n rows that lie `stride` bytes apart from in. */
    void (*column)(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out);
} mp_pixel_kernels;

/* For an instruction set; falls back to scalar where there is none of its own. */
const mp_pixel_kernels *mp_pixel_for(mp_isa isa);

#endif
