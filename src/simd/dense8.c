/* dense8.c - packing, the scalar reference, the choice of a set. See dense8.h. */
#include "simd/dense8.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 127, GROUP = MP_DENSE8_GROUP };

static float largest(const float *v, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(v[i]));
    return most;
}

void mp_dense8_pack(const float *w, size_t n, size_t k, int8_t *packed, float *scale, int32_t *sum)
{
    size_t depth = mp_dense8_depth(k), width = mp_dense8_width(n);
    memset(packed, 0, width * depth);
    for (size_t o = 0; o < width; o++) {
        float most = o < n ? largest(w + o * k, k) : 0;
        int8_t *to = packed + o / MP_PANEL * MP_PANEL * depth + o % MP_PANEL * GROUP;
        scale[o] = most / LARGEST;
        sum[o] = 0;
        for (size_t i = 0; most > 0 && i < k; i++) {
            int code = (int)lrintf(w[o * k + i] / most * LARGEST);
            to[i / GROUP * MP_PANEL * GROUP + i % GROUP] = (int8_t)code;
            sum[o] += code;
        }
    }
}

enum { TOP = 255 };

static void quantise(const float *x, size_t m, size_t k, size_t x_stride, uint8_t *q,
                     size_t q_stride, mp_row8 *rows)
{
    for (size_t r = 0; r < m; r++, x += x_stride, q += q_stride) {
        float low = 0, high = 0;
        for (size_t i = 0; i < k; i++) {
            low = fminf(low, x[i]);
            high = fmaxf(high, x[i]);
        }
        float scale = (high - low) / TOP, inverse = scale > 0 ? 1 / scale : 0;
        int zero = (int)lrintf(-low * inverse);
        rows[r] = (mp_row8){scale, zero};
        for (size_t i = 0; i < k; i++) {
            int code = (int)lrintf(x[i] * inverse) + zero;
            q[i] = (uint8_t)MP_MIN(MP_MAX(code, 0), TOP);
        }
        memset(q + k, 0, mp_dense8_depth(k) - k);
    }
}

static void multiply(const uint8_t *q, size_t m, size_t q_stride, const mp_row8 *rows,
                     const mp_matrix8 *w, size_t from, size_t to, const mp_dense_out *out)
{
    size_t depth = mp_dense8_depth(w->k);
    for (size_t r = 0; r < m; r++)
        for (size_t o = from; o < to; o++) {
            const int8_t *code = w->packed + o / MP_PANEL * MP_PANEL * depth + o % MP_PANEL * GROUP;
            const uint8_t *row = q + r * q_stride;
            int32_t sum = 0;
            for (size_t i = 0; i < depth; i++)
                sum += row[i] * code[i / GROUP * MP_PANEL * GROUP + i % GROUP];
            float v = (float)(sum - rows[r].zero * w->sum[o]) * (rows[r].scale * w->scale[o]) +
                      (out->bias ? out->bias[o] : 0);
            float *y = out->y + r * out->y_stride + o;
            v += out->add ? *y : 0;
            *y = out->relu6 ? MP_MIN(MP_MAX(v, 0), 6) : v;
        }
}

const mp_dense8_kernels mp_dense8_scalar = {"scalar", TOP, quantise, multiply};

const mp_dense8_kernels *mp_dense8_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512 && __builtin_cpu_supports("avx512vnni"))
        return &mp_dense8_vnni;
    if (isa == MP_ISA_AVX512 || isa == MP_ISA_AVX2)
        return &mp_dense8_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return mp_has_dotprod() ? &mp_dense8_dotprod : &mp_dense8_neon;
#endif
    (void)isa;
    return &mp_dense8_scalar;
}
