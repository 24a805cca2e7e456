/* pixel.c - the scalar reference and AVX2. See pixel.h. */
#include "simd/pixel.h"

enum { HALF = 1 << (MP_PIXEL_PRECISION - 1) };

static uint8_t clamp8(int32_t sum)
{
    sum >>= MP_PIXEL_PRECISION;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void row_rgb_scalar(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + 3 * (size_t)taps[i].first;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int t = 0; t < taps[i].n; t++, p += 3) {
            int32_t w = taps[i].weight[t];
            r += w * p[0];
            g += w * p[1];
            b += w * p[2];
        }
        out[3 * i] = clamp8(r);
        out[3 * i + 1] = clamp8(g);
        out[3 * i + 2] = clamp8(b);
    }
}

static void row_grey_scalar(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + taps[i].first;
        int32_t sum = HALF;
        for (int t = 0; t < taps[i].n; t++)
            sum += taps[i].weight[t] * p[t];
        out[i] = clamp8(sum);
    }
}

static void column_scalar(const uint8_t *in, size_t stride, const mp_taps *t, size_t n,
                          uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t sum = HALF;
        for (int k = 0; k < t->n; k++)
            sum += t->weight[k] * in[(size_t)k * stride + i];
        out[i] = clamp8(sum);
    }
}

static const mp_pixel_kernels scalar = {row_rgb_scalar, row_grey_scalar, column_scalar};

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

static inline int32_t load32(const uint8_t *p)
{
    int32_t x;
    memcpy(&x, p, 4);
    return x;
}

/* Two neighbouring RGB pixels fill the lanes as R G B x, R G B x. */
AVX2 static void row_rgb_avx2(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    const __m128i half = _mm_set1_epi32(HALF);
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + 3 * (size_t)taps[i].first;
        const int32_t *w = taps[i].weight;
        __m256i pair = _mm256_setzero_si256();
        int t = 0, n = taps[i].n;
        for (; t + 2 <= n; t += 2, p += 6) {
            __m128i bytes = _mm_insert_epi32(_mm_cvtsi32_si128(load32(p)), load32(p + 3), 1);
            __m256i px = _mm256_cvtepu8_epi32(bytes);
            __m256i weight = _mm256_set_m128i(_mm_set1_epi32(w[t + 1]), _mm_set1_epi32(w[t]));
            pair = _mm256_add_epi32(pair, _mm256_mullo_epi32(px, weight));
        }
        __m128i sum = _mm_add_epi32(half, _mm_add_epi32(_mm256_castsi256_si128(pair),
                                                        _mm256_extracti128_si256(pair, 1)));
        if (t < n)
            sum = _mm_add_epi32(sum, _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(load32(p))),
                                                     _mm_set1_epi32(w[t])));
        sum = _mm_srai_epi32(sum, MP_PIXEL_PRECISION);
        sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum); /* clamps to 0..255 */
        int32_t rgb = _mm_cvtsi128_si32(sum);
        memcpy(out + 3 * i, &rgb, 3);
    }
}

AVX2 static void column_avx2(const uint8_t *in, size_t stride, const mp_taps *t, size_t n,
                             uint8_t *out)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i low = _mm256_set1_epi32(HALF), high = low;
        for (int k = 0; k < t->n; k++) {
            const uint8_t *p = in + (size_t)k * stride + i;
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
            __m256i w = _mm256_set1_epi32(t->weight[k]);
            low = _mm256_add_epi32(low, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), w));
            bytes = _mm_srli_si128(bytes, 8);
            high = _mm256_add_epi32(high, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), w));
        }
        low = _mm256_srai_epi32(low, MP_PIXEL_PRECISION);
        high = _mm256_srai_epi32(high, MP_PIXEL_PRECISION);
        /* pack works within halves: put the quarters back in order */
        __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
        __m128i packed =
            _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((__m128i *)(void *)(out + i), packed);
    }
    if (i < n)
        column_scalar(in + i, stride, t, n - i, out + i);
}

static const mp_pixel_kernels avx2 = {row_rgb_avx2, row_grey_scalar, column_avx2};
#endif

const mp_pixel_kernels *mp_pixel_for(mp_isa isa)
{
#if defined(__x86_64__)
    if (isa >= MP_ISA_AVX2)
        return &avx2;
#endif
    (void)isa;
    return &scalar;
}
