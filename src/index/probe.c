/* probe.c - comparing one vector with stored ones. See store.h. */
#include "index/store.h"

#include <math.h>

probe mp_probe_of_vector(const mp_index *ix, const float *unit, int8_t *code)
{
    probe p = {.unit = unit};
    if (ix->code_bytes) {
        p.code = code;
        p.how = mp_code_vector(ix, unit, code);
    }
    return p;
}

probe mp_probe_of_node(const mp_index *ix, uint32_t node, int8_t *code)
{
    probe p = {.unit = ix->half ? NULL : vector_of(ix, node)};
    if (!ix->code_bytes)
        return p;
    p.code = code;
    p.how = coding_of(ix, node);
    flip_code(code_of(ix, node), ix->code_bytes, code);
    return p;
}

/* The kernel takes four rows; the lines of as many more are on their way meanwhile. More than that
 * at a time does not come sooner. */
enum { AT_ONCE = 4 };

static void prefetch_codes(const mp_index *ix, const uint32_t *nodes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        prefetch_lines(code_of(ix, nodes[i]), ix->code_bytes);
        __builtin_prefetch((const coding *)(const void *)ix->codings.at + nodes[i]);
    }
}

static void score_by_code(const mp_index *ix, const probe *p, const uint32_t *nodes, size_t n,
                          float *out)
{
    const uint8_t *rows[AT_ONCE];
    int32_t sum[AT_ONCE];
    prefetch_codes(ix, nodes, 0, MP_MIN(n, (size_t)AT_ONCE));
    for (size_t i = 0; i < n; i += AT_ONCE) {
        size_t some = MP_MIN(n - i, (size_t)AT_ONCE), next = i + AT_ONCE;
        prefetch_codes(ix, nodes, next, MP_MIN(n, next + AT_ONCE));
        for (size_t k = 0; k < some; k++)
            rows[k] = code_of(ix, nodes[i + k]);
        ix->kernels->dot_codes(p->code, rows, some, ix->code_bytes, sum);
        for (size_t k = 0; k < some; k++)
            out[i + k] =
                (float)(sum[k] - p->how.shift) * p->how.scale * coding_of(ix, nodes[i + k]).scale;
    }
}

void mp_probe_score(const mp_index *ix, const probe *p, const uint32_t *nodes, size_t n, float *out)
{
    if (p->code) {
        score_by_code(ix, p, nodes, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = mp_probe_exact(ix, p, nodes[i]);
}

float mp_probe_exact(const mp_index *ix, const probe *p, uint32_t node)
{
    const size_t dims = (size_t)ix->opt.dims;
    return ix->half ? ix->kernels->dot_half(p->unit, half_vector_of(ix, node), dims)
                    : ix->kernels->dot(p->unit, vector_of(ix, node), dims);
}

/* With q = q' + e and v = v' + f: q v = q' v' + e v' + q f, and |v'| <= |v| + |f|. Lengths are 1,
 * and within 2^-11 of it where f16 has rounded them. */
float mp_probe_bound(const mp_index *ix, const probe *p, uint32_t node)
{
    static const float rounding = 2e-6f, longest_half = 1 + 0x1p-11f;
    if (!p->code)
        return 0;
    float f = coding_of(ix, node).error, length = ix->half ? longest_half : 1;
    return length * f + p->how.error * (length + f) + rounding;
}

float mp_probe_spread(const mp_index *ix, const probe *p, uint32_t node)
{
    static const float deviations = 6;
    if (!p->code)
        return 0;
    float f = coding_of(ix, node).error;
    return deviations * sqrtf((f * f + p->how.error * p->how.error) / (float)ix->opt.dims);
}
