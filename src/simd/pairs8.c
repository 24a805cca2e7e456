/* pairs8.c - the scalar reference, the packing, the choice of a set. See pairs8.h. */
#include "simd/pairs8.h"

#include <math.h>
#include <string.h>

enum { GROUP = MP_PAIRS8_GROUP, TOP = 127 };

void mp_pairs8_put(const int8_t *code, size_t depth, size_t column, int8_t *packed)
{
    int8_t *to = packed + column / MP_PANEL * MP_PANEL * depth + column % MP_PANEL * GROUP;
    for (size_t i = 0; i < depth; i += GROUP, to += MP_PANEL * GROUP)
        memcpy(to, code + i, GROUP);
}

static int32_t dot(const uint8_t *row, const int8_t *column, size_t depth)
{
    int32_t sum = 0;
    for (size_t i = 0; i < depth; i++)
        sum += ((int)row[i] - 128) * column[i / GROUP * MP_PANEL * GROUP + i % GROUP];
    return sum;
}

static size_t find(const mp_pairs8 *t, uint32_t *out)
{
    uint32_t *to = out;
    for (size_t p = 0; p < t->width; p += MP_PANEL)
        for (size_t r = 0; r < t->n_rows; r++)
            for (size_t c = p; c < p + MP_PANEL; c++) {
                const int8_t *column = t->column + p * t->depth + (c - p) * GROUP;
                int32_t score = dot(t->row + r * t->depth, column, t->depth) + t->column_slack[c];
                if (score >= MP_MIN(t->row_least[r], t->column_least[c]) - t->row_slack[r])
                    *to++ = mp_pair8(r, c);
            }
    return (size_t)(to - out);
}

static float code_numbers(const float *v, size_t n, float scale, int8_t *code)
{
    float missed = 0;
    for (size_t i = 0; i < n; i++) {
        float x = v[i] * scale;
        float c = nearbyintf(MP_MIN(MP_MAX(x, (float)-TOP), (float)TOP));
        code[i] = (int8_t)c;
        missed += (x - c) * (x - c);
    }
    return missed;
}

const mp_pairs8_kernels mp_pairs8_scalar = {"scalar", find, code_numbers};

const mp_pairs8_kernels *mp_pairs8_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa == MP_ISA_AVX512 && __builtin_cpu_supports("avx512vnni"))
        return &mp_pairs8_vnni;
    if (isa == MP_ISA_AVX512 || isa == MP_ISA_AVX2)
        return &mp_pairs8_avx2;
#elif defined(__aarch64__)
    if (isa == MP_ISA_NEON)
        return mp_has_dotprod() ? &mp_pairs8_dotprod : &mp_pairs8_neon;
#endif
    (void)isa;
    return &mp_pairs8_scalar;
}
