/* pixel_avx2.c - see pixel.h.
 *
 * Row kernels multiply 16-bit samples with the two halves of the weights, two taps per
 * multiply-add; the halves are joined at the end. Their sums may wrap, but the joined sum is right
 * modulo 2^32 and fits. */
#include "simd/pixel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

static inline __m128i load16(const void *p)
{
    return _mm_loadu_si128(p);
}

AVX2 static inline __m128i join(__m128i low, __m128i high)
{
    return _mm_add_epi32(_mm_set1_epi32(MP_PIXEL_HALF),
                         _mm_add_epi32(low, _mm_slli_epi32(high, MP_PIXEL_SPLIT)));
}

/* Four sums to four bytes: shifted down and clamped to 0..255. */
AVX2 static inline int32_t narrow(__m128i sum)
{
    sum = _mm_srai_epi32(sum, MP_PIXEL_PRECISION);
    return _mm_cvtsi128_si32(_mm_packus_epi16(_mm_packs_epi32(sum, sum), sum));
}

/* Four pixels at a time: each half register has two of them as R R G G B B 0 0. */
AVX2 static void row_rgb(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    const __m256i spread =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, /* taps 0, 1 */
                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const __m256i pairs = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + 3 * (size_t)taps[i].first;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int t = 0; t < taps[i].n; t += 4, p += 12) {
            __m256i px = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load16(p)), spread);
            __m256i wl = _mm256_castsi128_si256(_mm_loadl_epi64((const void *)(taps[i].low + t)));
            __m256i wh = _mm256_castsi128_si256(_mm_loadl_epi64((const void *)(taps[i].high + t)));
            wl = _mm256_permutevar8x32_epi32(wl, pairs);
            wh = _mm256_permutevar8x32_epi32(wh, pairs);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(px, wl));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(px, wh));
        }
        int32_t rgb = narrow(
            join(_mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)),
                 _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1))));
        memcpy(out + 3 * i, &rgb, 3);
    }
}

AVX2 static void row_grey(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    for (int i = 0; i < n_out; i++) {
        const uint8_t *p = in + taps[i].first;
        __m128i low = _mm_setzero_si128(), high = low;
        for (int t = 0; t < taps[i].n; t += 8) {
            __m128i px = _mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)(p + t)));
            low = _mm_add_epi32(low, _mm_madd_epi16(px, load16(taps[i].low + t)));
            high = _mm_add_epi32(high, _mm_madd_epi16(px, load16(taps[i].high + t)));
        }
        __m128i both = _mm_hadd_epi32(low, high);
        both = _mm_hadd_epi32(both, both); /* sum of low, sum of high */
        out[i] = (uint8_t)narrow(join(both, _mm_shuffle_epi32(both, 1)));
    }
}

AVX2 static void column(const uint8_t *in, size_t stride, const mp_taps *t, size_t n, uint8_t *out)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i low = _mm256_set1_epi32(MP_PIXEL_HALF), high = low;
        const uint8_t *p = in + i;
        for (int k = 0; k < t->n; k++, p += stride) {
            __m128i bytes = load16(p);
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
        _mm_storeu_si128((void *)(out + i), packed);
    }
    if (i < n)
        mp_pixel_scalar.column(in + i, stride, t, n - i, out + i);
}

const mp_pixel_kernels mp_pixel_avx2 = {row_rgb, row_grey, NULL, column};
#endif
