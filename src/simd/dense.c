/* dense.c - packing, the scalar reference, the choice of a set. See dense.h. */
#include "simd/dense.h"

#include <string.h>

static void pack(const float *w, size_t n, size_t k, size_t w_stride, float *packed)
{
    for (size_t from = 0; from < n; from += MP_PANEL)
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < MP_PANEL; c++)
                *packed++ = from + c < n ? w[(from + c) * w_stride + i] : 0;
}

void mp_dense_pack_across(const float *w, size_t n, size_t k, size_t w_stride, float *packed)
{
    for (size_t from = 0; from < n; from += MP_PANEL)
        for (size_t i = 0; i < k; i++, packed += MP_PANEL) {
            size_t some = MP_MIN(n - from, (size_t)MP_PANEL);
            if (some == MP_PANEL) { /* a constant, which needs no call */
                memcpy(packed, w + i * w_stride + from, MP_PANEL * sizeof *w);
                continue;
            }
            memcpy(packed, w + i * w_stride + from, some * sizeof *w);
            memset(packed + some, 0, (MP_PANEL - some) * sizeof *w);
        }
}

static void multiply(const float *x, size_t m, size_t x_stride, const mp_matrix *w, size_t from,
                     size_t to, const mp_dense_out *out)
{
    for (; from < to; from += MP_PANEL) {
        const float *packed = w->packed + from * w->k;
        size_t some = MP_MIN(to - from, (size_t)MP_PANEL);
        for (size_t r = 0; r < m; r++) {
            float sum[MP_PANEL] = {0}, *y = out->y + r * out->y_stride + from;
            for (size_t i = 0; i < w->k; i++)
                for (size_t c = 0; c < MP_PANEL; c++)
                    sum[c] += x[r * x_stride + i] * packed[i * MP_PANEL + c];
            for (size_t c = 0; c < some; c++) {
                float v = (out->add ? y[c] : 0) + sum[c] + (out->bias ? out->bias[from + c] : 0);
                y[c] = out->relu6 ? MP_MIN(MP_MAX(v, 0), 6) : v;
            }
        }
    }
}

const mp_dense_kernels mp_dense_scalar = {"scalar", pack, multiply};

const mp_dense_kernels *mp_dense_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512)
        return &mp_dense_avx512;
    if (isa == MP_ISA_AVX2)
        return &mp_dense_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return &mp_dense_neon;
#endif
    (void)isa;
    return &mp_dense_scalar;
}

void mp_dense_pack(const float *w, size_t n, size_t k, size_t w_stride, float *packed)
{
    mp_dense_for(mp_simd_isa())->pack(w, n, k, w_stride, packed);
}
