/* dense.c - packing, the scalar reference, the choice of a set. See dense.h. */
#include "simd/dense.h"

#include <string.h>

void mp_dense_pack(const float *w, size_t n, size_t k, float *packed)
{
    for (size_t from = 0; from < n; from += MP_PANEL)
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < MP_PANEL; c++)
                *packed++ = from + c < n ? w[(from + c) * k + i] : 0;
}

static void multiply(const float *x, size_t m, size_t k, const float *packed, size_t n,
                     const float *bias, float *y, size_t y_stride)
{
    for (size_t from = 0; from < n; from += MP_PANEL, packed += MP_PANEL * k) {
        size_t some = MP_MIN(n - from, (size_t)MP_PANEL);
        for (size_t r = 0; r < m; r++) {
            float sum[MP_PANEL] = {0};
            for (size_t i = 0; i < k; i++)
                for (size_t c = 0; c < MP_PANEL; c++)
                    sum[c] += x[r * k + i] * packed[i * MP_PANEL + c];
            for (size_t c = 0; bias && c < some; c++)
                sum[c] += bias[from + c];
            memcpy(y + r * y_stride + from, sum, some * sizeof *y);
        }
    }
}

const mp_dense_kernels mp_dense_scalar = {"scalar", multiply};

const mp_dense_kernels *mp_dense_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return &mp_dense_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_dense_avx2;
#endif
    (void)isa;
    return &mp_dense_scalar;
}
