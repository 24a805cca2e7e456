/* Pairs of coded rows: every set against sums made one by one. */
#include "../test.h"
#include "base/os.h"
#include "simd/pairs8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    mp_pairs8 t;
    int8_t *code; /* width x depth */
} problem;

static int32_t *numbers(mp_rng *rng, size_t n, int32_t low, int32_t high)
{
    int32_t *v = mp_xcalloc(n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = low + (int32_t)(mp_rng_u64(rng) % (uint64_t)(high - low));
    return v;
}

static problem make(size_t rows, size_t columns, size_t depth, int32_t least, bool extreme)
{
    mp_rng rng = {rows * 31 + columns * 7 + depth};
    size_t width = (columns + MP_PANEL - 1) / MP_PANEL * MP_PANEL;
    uint8_t *row = mp_xcalloc(rows, depth);
    int8_t *packed = aligned_alloc(64, width * depth);
    problem p = {.code = mp_xcalloc(width, depth)};
    int32_t *sum = mp_xcalloc(width, sizeof *sum);
    assert_non_null(packed);
    for (size_t i = 0; i < rows * depth; i++)
        row[i] = (uint8_t)(1 + (extreme ? mp_rng_u64(&rng) % 2 * 254 : mp_rng_u64(&rng) % 255));
    for (size_t i = 0; i < columns * depth; i++)
        p.code[i] = (int8_t)(extreme ? (int)(mp_rng_u64(&rng) % 2) * 254 - 127
                                     : (int)(mp_rng_u64(&rng) % 255) - 127);
    for (size_t c = 0; c < width; c++) {
        mp_pairs8_put(p.code + c * depth, depth, c, packed);
        for (size_t i = 0; i < depth; i++)
            sum[c] += p.code[c * depth + i];
    }
    int32_t *slack = numbers(&rng, width, 0, 500);
    int32_t *column_least = numbers(&rng, width, least, least + 40000);
    for (size_t c = columns; c < width; c++) {
        slack[c] = MP_PAIRS8_NEVER_SLACK;
        column_least[c] = MP_PAIRS8_NEVER_LEAST;
    }
    p.t = (mp_pairs8){.row = row,
                      .row_slack = numbers(&rng, rows, 0, 500),
                      .row_least = numbers(&rng, rows, least, least + 40000),
                      .n_rows = rows,
                      .column = packed,
                      .column_sum = sum,
                      .column_slack = slack,
                      .column_least = column_least,
                      .width = width,
                      .depth = depth};
    return p;
}

static void drop(problem *p)
{
    free((void *)(uintptr_t)p->t.row);
    free((void *)(uintptr_t)p->t.row_slack);
    free((void *)(uintptr_t)p->t.row_least);
    free((void *)(uintptr_t)p->t.column);
    free((void *)(uintptr_t)p->t.column_sum);
    free((void *)(uintptr_t)p->t.column_slack);
    free((void *)(uintptr_t)p->t.column_least);
    free(p->code);
}

static bool passes(const problem *p, size_t r, size_t c)
{
    int32_t sum = p->t.column_slack[c] + p->t.row_slack[r];
    for (size_t i = 0; i < p->t.depth; i++)
        sum += ((int)p->t.row[r * p->t.depth + i] - 128) * p->code[c * p->t.depth + i];
    return sum >= MP_MIN(p->t.row_least[r], p->t.column_least[c]);
}

static size_t expected(const problem *p, size_t columns, uint32_t *out)
{
    size_t n = 0;
    for (size_t panel = 0; panel < columns; panel += MP_PANEL)
        for (size_t r = 0; r < p->t.n_rows; r++)
            for (size_t c = panel; c < MP_MIN(panel + MP_PANEL, columns); c++)
                if (passes(p, r, c))
                    out[n++] = mp_pair8(r, c);
    return n;
}

static void check(size_t rows, size_t columns, size_t depth, int32_t least, bool extreme)
{
    problem p = make(rows, columns, depth, least, extreme);
    size_t room = rows * p.t.width + MP_PAIRS8_SPARE;
    uint32_t *want = mp_xcalloc(room, sizeof *want), *have = mp_xcalloc(room, sizeof *have);
    size_t n = expected(&p, columns, want);
    for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
        const mp_pairs8_kernels *k = mp_pairs8_for((mp_isa)isa);
        assert_int_equal(k->find(&p.t, have), n);
        assert_memory_equal(have, want, n * sizeof *have);
    }
    free(want);
    free(have);
    drop(&p);
}

static void test_all_sets_find_the_same_pairs(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 5, 11, 12, 13, 25}, columns[] = {1, 31, 32, 33, 70};
    static const int32_t least[] = {-1000000, -20000, 60000, 1000000};
    for (size_t r = 0; r < MP_COUNT(rows); r++)
        for (size_t c = 0; c < MP_COUNT(columns); c++)
            for (size_t l = 0; l < MP_COUNT(least); l++) {
                check(rows[r], columns[c], 4, least[l], false);
                check(rows[r], columns[c], 68, least[l], false);
            }
}

/* The largest codes there are: nothing may be cut off on the way. */
static void test_largest_codes_do_not_overflow(void **state)
{
    (void)state;
    check(25, 70, 512, 100000, true);
    check(13, 40, 2048, 100000, true);
}

static void test_codes_are_rounded_and_cut_off(void **state)
{
    (void)state;
    mp_rng rng = {5};
    float v[70];
    int8_t want[70], have[71];
    for (size_t i = 0; i < MP_COUNT(v); i++)
        v[i] = (float)mp_rng_gauss(&rng);
    v[3] = -1000;
    v[4] = 1000;
    for (size_t n = 0; n <= MP_COUNT(v); n++) {
        float missed = mp_pairs8_scalar.code(v, n, 50, want);
        if (n > 4)
            assert_true(want[3] == -127 && want[4] == 127);
        for (size_t i = 0; i < n; i++)
            assert_true(i == 3 || i == 4 || fabsf((float)want[i] - v[i] * 50) <= 0.5f ||
                        abs(want[i]) == 127);
        for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
            have[n] = 99;
            float other = mp_pairs8_for((mp_isa)isa)->code(v, n, 50, have);
            assert_memory_equal(have, want, n);
            assert_int_equal(have[n], 99);
            assert_true(fabsf(other - missed) <= 1e-5f * missed);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_sets_find_the_same_pairs),
                                              cmocka_unit_test(test_largest_codes_do_not_overflow),
                                              cmocka_unit_test(test_codes_are_rounded_and_cut_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
