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
    mp_taps taps[OUT];
} some_taps;

/* Weights as large as they may be for their number: sums reach beyond 0 and 255 but fit. */
static void make_taps(some_taps *s, int n, mp_rng *rng)
{
    int32_t most = (2 << MP_PIXEL_PRECISION) / n - 1;
    memset(s, 0, sizeof *s);
    for (int i = 0; i < OUT; i++) {
        for (int t = 0; t < n; t++) {
            int32_t w = (int32_t)(mp_rng_u64(rng) % (uint64_t)(2 * most + 1)) - most;
            s->weight[i][t] = w;
            s->low[i][t] = (int16_t)(w & ((1 << MP_PIXEL_SPLIT) - 1));
            s->high[i][t] = (int16_t)((w - s->low[i][t]) / (1 << MP_PIXEL_SPLIT));
        }
        s->taps[i] = (mp_taps){i, n, s->weight[i], s->low[i], s->high[i]};
    }
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
