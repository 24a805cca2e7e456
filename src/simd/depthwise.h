/* depthwise.h - depthwise convolution of a row of pixels, channels innermost, with what follows it
 * in EfficientNet-Lite: ReLU6, and codes for an 8-bit product (simd/dense8.h).
 *
 * Input and weights are f32. An output of 6 becomes the code `top`, 0 becomes 0: what a code means
 * is known beforehand, {6 / top, 0}. Sums of the sets differ in order: codes agree within one. Any
 * thread. */
#ifndef MP_DEPTHWISE_H
#define MP_DEPTHWISE_H

#include "simd/cpu.h"

enum { MP_DEPTHWISE_GROUP = 16 }; /* channels are a multiple of this */

typedef struct mp_depthwise {
    const float *const *rows; /* `kernel` input rows, each from the first pixel that is read */
    int kernel, stride;       /* 3 or 5; 1 or 2 */
    size_t channels;
    const float *weights; /* kernel * kernel x channels */
    const float *bias;
    int top;
} mp_depthwise;

typedef struct mp_depthwise_kernels {
    const char *word;
    /* Channels [from, to), multiples of MP_DEPTHWISE_GROUP, of n output pixels. */
    void (*row)(const mp_depthwise *d, size_t from, size_t to, size_t n, uint8_t *codes);
} mp_depthwise_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_depthwise_kernels *mp_depthwise_for(mp_isa isa);

extern const mp_depthwise_kernels mp_depthwise_scalar;
#if defined(__x86_64__)
extern const mp_depthwise_kernels mp_depthwise_avx2, mp_depthwise_avx512;
#elif defined(__aarch64__)
extern const mp_depthwise_kernels mp_depthwise_neon;
#endif

#endif
