/* Kernels of the resize, each alone, against the scalar reference, bit for bit. The resize as a
 * whole is compared in tests/unit/image/test_pixels.c. */
#include "../test.h"
#include "base/os.h"
#include "simd/pixel.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TAPS = 45, OUT = 7 };

/* Taps as pixel.h wants them: halves of the weights, padded with zeros to a multiple of the group.
 */
typedef struct some_taps {
    int32_t weight[OUT][MOST_TAPS];
    int16_t low[OUT][MOST_TAPS + MP_PIXEL_GROUP], high[OUT][MOST_TAPS + MP_PIXEL_GROUP];
    int8_t digit[OUT][MP_PIXEL_DIGITS][MOST_TAPS + MP_PIXEL_GROUP];
    mp_taps taps[OUT];
} some_taps;

/* Weights as large as they may be for their number: sums reach beyond 0 and 255 but fit. */
static void make_taps(some_taps *s, int n, mp_rng *rng)
{
    int32_t most = MP_MIN((2 << MP_PIXEL_PRECISION) / n - 1, MP_PIXEL_MOST);
    memset(s, 0, sizeof *s);
    for (int i = 0; i < OUT; i++) {
        int8_t *digit[MP_PIXEL_DIGITS] = {s->digit[i][0], s->digit[i][1], s->digit[i][2]};
        for (int t = 0; t < n; t++) {
            int32_t w = (int32_t)(mp_rng_u64(rng) % (uint64_t)(2 * most + 1)) - most;
            s->weight[i][t] = t || i ? w : most; /* its bounds, too */
            mp_pixel_split(s->weight[i][t], s->low[i], s->high[i], digit, (size_t)t);
        }
        s->taps[i] =
            (mp_taps){i, n, s->weight[i], s->low[i], s->high[i], {digit[0], digit[1], digit[2]}};
    }
}

/* Four rows, each with its own bytes and a gap behind it, beside one after the other. */
static void check_rows(int n, int n_out, mp_rng *rng)
{
    enum { GAP = 5, OUT_STRIDE = 3 * OUT + 2 };
    static some_taps s;
    size_t stride = (size_t)((OUT - 1 + n) * 3) + GAP;
    uint8_t *in = malloc(MP_PIXEL_ROWS * stride - GAP + MP_PIXEL_SLACK);
    uint8_t want[MP_PIXEL_ROWS * OUT_STRIDE], have[MP_PIXEL_ROWS * OUT_STRIDE];
    assert_non_null(in);
    make_taps(&s, n, rng);
    for (size_t i = 0; i < MP_PIXEL_ROWS * stride - GAP + MP_PIXEL_SLACK; i++)
        in[i] = (uint8_t)mp_rng_u64(rng);
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
        const mp_pixel_kernels *k = mp_pixel_for((mp_isa)isa);
        if (!k->rows_rgb)
            continue;
        memset(want, 0xA5, sizeof want);
        memset(have, 0xA5, sizeof have);
        for (size_t r = 0; r < MP_PIXEL_ROWS; r++)
            mp_pixel_scalar.row_rgb(in + r * stride, s.taps, n_out, want + r * OUT_STRIDE);
        k->rows_rgb(in, stride, s.taps, n_out, have, OUT_STRIDE);
        assert_memory_equal(want, have, sizeof want);
    }
    free(in);
}

static void check_row(int n, int channels, bool extreme, mp_rng *rng)
{
    static some_taps s;
    size_t bytes = (size_t)((OUT - 1 + n) * channels) + MP_PIXEL_SLACK;
    uint8_t *in = malloc(bytes), want[3 * OUT + 1], have[3 * OUT + 1];
    assert_non_null(in);
    make_taps(&s, n, rng);
    for (size_t i = 0; i < bytes; i++) {
        uint8_t v = (uint8_t)mp_rng_u64(rng);
        in[i] = extreme ? (v & 1 ? 255 : 0) : v;
    }
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
        const mp_pixel_kernels *k = mp_pixel_for((mp_isa)isa);
        memset(want, 0xA5, sizeof want);
        memset(have, 0xA5, sizeof have);
        (channels == 3 ? mp_pixel_scalar.row_rgb : mp_pixel_scalar.row_grey)(in, s.taps, OUT, want);
        (channels == 3 ? k->row_rgb : k->row_grey)(in, s.taps, OUT, have);
        assert_memory_equal(want, have, sizeof want);
    }
    free(in);
}

static void row_kernels_at_all_lengths(void **state)
{
    (void)state;
    mp_rng rng = {8};
    for (int n = 1; n <= MOST_TAPS; n++)
        for (int round = 0; round < 8; round++)
            check_row(n, round & 1 ? 1 : 3, round & 2, &rng);
    for (int n = 1; n <= MOST_TAPS; n++)
        for (int n_out = 1; n_out <= OUT; n_out++)
            check_rows(n, n_out, &rng);
}

/* At every length, with inputs that end at the end of their memory. */
static void column_kernels_at_all_lengths(void **state)
{
    (void)state;
    int32_t weights[9];
    mp_rng rng = {4};
    for (int k = 0; k < 9; k++)
        weights[k] = (int32_t)(mp_rng_u64(&rng) % 1000000) - 30000;
    for (size_t n = 1; n < 200; n++)
        for (int rows = 1; rows <= 9; rows += 4) {
            uint8_t *in = malloc(n * (size_t)rows), *want = malloc(n), *have = malloc(n);
            for (size_t i = 0; i < n * (size_t)rows; i++)
                in[i] = (uint8_t)mp_rng_u64(&rng);
            mp_taps taps = {.n = rows, .weight = weights};
            mp_pixel_for(MP_ISA_SCALAR)->column(in, n, &taps, n, want);
            for (int isa = MP_ISA_NEON; isa <= (int)mp_simd_isa(); isa++) {
                memset(have, 0xA5, n);
                mp_pixel_for((mp_isa)isa)->column(in, n, &taps, n, have);
                assert_memory_equal(want, have, n);
            }
            free(in);
            free(want);
            free(have);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(row_kernels_at_all_lengths),
                                       cmocka_unit_test(column_kernels_at_all_lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
