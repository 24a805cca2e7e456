/* distance.h - dot products of f32 vectors. Any alignment, any length. Any thread.
 *
 * The sums of the vector kernels are ordered differently from the scalar one's: they agree within
 * 4e-7 * n relative to the sum of absolute products (tested). */
#ifndef MP_DISTANCE_H
#define MP_DISTANCE_H

#include "simd/cpu.h"

typedef float (*mp_dot_fn)(const float *a, const float *b, size_t n);

/* For an instruction set; falls back to scalar where there is none of its own. */
mp_dot_fn mp_dot_for(mp_isa isa);
/* v becomes v / |v|; false (and v untouched) when its length is zero or not finite. */
bool mp_normalise(float *v, size_t n);

#endif
