/* pixel_avx512.c - see pixel.h. Columns 64 samples at a time: 1.3 to 1.5 times AVX2's speed. One
 * row is AVX2's: with the usual 4 to 20 taps an output, wider registers have nothing to fill them.
 * With VNNI four rows are taken together, sixteen pixels and weights at a time as bytes: a weight
 * is three of them, so that a product of sixteen taps and a channel is three instructions. */
#include "simd/pixel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

static void row_rgb(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    mp_pixel_avx2.row_rgb(in, taps, n_out, out);
}

static void row_grey(const uint8_t *in, const mp_taps *taps, int n_out, uint8_t *out)
{
    mp_pixel_avx2.row_grey(in, taps, n_out, out);
}

AVX512 static inline __m512i weighted(__m512i sum, __m128i bytes, __m512i w)
{
    return _mm512_add_epi32(sum, _mm512_mullo_epi32(_mm512_cvtepu8_epi32(bytes), w));
}

AVX512 static inline __m128i narrow(__m512i sum)
{
    sum = _mm512_srai_epi32(sum, MP_PIXEL_PRECISION);
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(sum, _mm512_setzero_si512()));
}

AVX512 static void column(const uint8_t *in, size_t stride, const mp_taps *t, size_t n,
                          uint8_t *out)
{
    size_t i = 0;
    for (; i + 64 <= n; i += 64) { /* a whole cache line of each row */
        __m512i a = _mm512_set1_epi32(MP_PIXEL_HALF), b = a, c = a, d = a;
        const uint8_t *p = in + i;
        for (int k = 0; k < t->n; k++, p += stride) {
            __m512i w = _mm512_set1_epi32(t->weight[k]);
            a = weighted(a, _mm_loadu_si128((const void *)p), w);
            b = weighted(b, _mm_loadu_si128((const void *)(p + 16)), w);
            c = weighted(c, _mm_loadu_si128((const void *)(p + 32)), w);
            d = weighted(d, _mm_loadu_si128((const void *)(p + 48)), w);
        }
        _mm_storeu_si128((void *)(out + i), narrow(a));
        _mm_storeu_si128((void *)(out + i + 16), narrow(b));
        _mm_storeu_si128((void *)(out + i + 32), narrow(c));
        _mm_storeu_si128((void *)(out + i + 48), narrow(d));
    }
    for (; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512i a = _mm512_set1_epi32(MP_PIXEL_HALF);
        const uint8_t *p = in + i;
        for (int k = 0; k < t->n; k++, p += stride)
            a = weighted(a, _mm_maskz_loadu_epi8(mask, p), _mm512_set1_epi32(t->weight[k]));
        _mm_mask_storeu_epi8(out + i, mask, narrow(a));
    }
}

/* ---- four rows, VNNI ---- */

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
enum { TAPS = MP_PIXEL_GROUP, ROWS = MP_PIXEL_ROWS };

/* Sixteen pixels, four to a quarter, each as R R R R G G G G B B B B 0 0 0 0. */
VNNI static inline __m512i pixels_at(const uint8_t *p)
{
    const __m512i quarters = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    const __m512i by_channel =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
    __m512i px = _mm512_maskz_loadu_epi8(0xFFFFFFFFFFFF, p);
    return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(quarters, px), by_channel);
}

/* Sixteen digits, the four of a quarter once for each channel. */
VNNI static inline __m512i digits_at(const int8_t *p)
{
    const __m512i quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_permutexvar_epi32(quarters,
                                    _mm512_castsi128_si512(_mm_loadu_si128((const void *)p)));
}

/* Adds the quarters of each row's sums up; the rows become the quarters. */
VNNI static inline __m512i gather_rows(const __m512i s[ROWS])
{
    __m512i a = _mm512_add_epi32(_mm512_shuffle_i64x2(s[0], s[1], 0x44),
                                 _mm512_shuffle_i64x2(s[0], s[1], 0xEE));
    __m512i b = _mm512_add_epi32(_mm512_shuffle_i64x2(s[2], s[3], 0x44),
                                 _mm512_shuffle_i64x2(s[2], s[3], 0xEE));
    return _mm512_add_epi32(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

/* One output of each row: R G B and a byte of nothing, four times. Sums of digits may wrap: what
 * they are joined to is right modulo 2^32 and fits. */
VNNI static inline __m128i output_of(const uint8_t *in, size_t stride, const mp_taps *tap)
{
    __m512i sum[MP_PIXEL_DIGITS][ROWS], joined[ROWS];
    MP_UNROLL
    for (int r = 0; r < ROWS; r++)
        sum[0][r] = sum[1][r] = sum[2][r] = _mm512_setzero_si512();
    const uint8_t *p = in + 3 * (size_t)tap->first;
    for (int t = 0; t < tap->n; t += TAPS, p += 3 * TAPS) {
        __m512i ones = digits_at(tap->digit[0] + t), more = digits_at(tap->digit[1] + t),
                most = digits_at(tap->digit[2] + t);
        MP_UNROLL
        for (int r = 0; r < ROWS; r++) {
            __m512i px = pixels_at(p + (size_t)r * stride);
            sum[0][r] = _mm512_dpbusd_epi32(sum[0][r], px, ones);
            sum[1][r] = _mm512_dpbusd_epi32(sum[1][r], px, more);
            sum[2][r] = _mm512_dpbusd_epi32(sum[2][r], px, most);
        }
    }
    MP_UNROLL
    for (int r = 0; r < ROWS; r++)
        joined[r] = _mm512_add_epi32(sum[0][r], _mm512_add_epi32(_mm512_slli_epi32(sum[1][r], 8),
                                                                 _mm512_slli_epi32(sum[2][r], 16)));
    return narrow(_mm512_add_epi32(gather_rows(joined), _mm512_set1_epi32(MP_PIXEL_HALF)));
}

/* n outputs of each row, where they belong. */
VNNI static inline void put_outputs(const __m128i px[ROWS], int n, uint8_t *out, size_t stride)
{
    const __m128i close = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    __m128i a = _mm_unpacklo_epi32(px[0], px[1]), b = _mm_unpacklo_epi32(px[2], px[3]);
    __m128i c = _mm_unpackhi_epi32(px[0], px[1]), d = _mm_unpackhi_epi32(px[2], px[3]);
    const __m128i row[ROWS] = {_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b),
                               _mm_unpacklo_epi64(c, d), _mm_unpackhi_epi64(c, d)};
    __mmask16 mask = (__mmask16)((1u << (3 * n)) - 1);
    MP_UNROLL
    for (int r = 0; r < ROWS; r++)
        _mm_mask_storeu_epi8(out + (size_t)r * stride, mask, _mm_shuffle_epi8(row[r], close));
}

VNNI static void rows_rgb(const uint8_t *in, size_t stride, const mp_taps *taps, int n_out,
                          uint8_t *out, size_t out_stride)
{
    for (int i = 0; i < n_out; i += ROWS) {
        int n = MP_MIN(ROWS, n_out - i);
        __m128i px[ROWS] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(),
                            _mm_setzero_si128()};
        for (int k = 0; k < n; k++)
            px[k] = output_of(in, stride, &taps[i + k]);
        put_outputs(px, n, out + 3 * (size_t)i, out_stride);
    }
}

const mp_pixel_kernels mp_pixel_avx512 = {row_rgb, row_grey, NULL, column};
const mp_pixel_kernels mp_pixel_vnni = {row_rgb, row_grey, rows_rgb, column};
#endif
