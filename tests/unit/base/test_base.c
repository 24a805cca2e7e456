/* Errors, arenas, buffers, files, eigenproblems. */
#include "../test.h"
#include "base/linalg.h"
#include "base/os.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void failure_text_is_one_line(void **state)
{
    (void)state;
    mp_why why = {0};
    assert_int_equal(mp_fail(&why, MP_CORRUPT, "bad %s\nthing", "big"), MP_CORRUPT);
    assert_string_equal(why.text, "bad big thing");
    assert_int_equal(mp_fail_errno(&why, ENOSPC, "write %s", "x"), MP_FULL);
    assert_string_equal(why.text, "write x: No space left on device");
    assert_int_equal(mp_fail(NULL, MP_IO, "nobody listens"), MP_IO);
}

static void numbers_as_printf_writes_them(void **state)
{
    (void)state;
    static const int64_t some[] = {0, 9, 10, -1, 1234567890123, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < MP_COUNT(some); i++) {
        char want[32], have[MP_DECIMAL];
        int n = snprintf(want, sizeof want, "%lld", (long long)some[i]);
        assert_int_equal(mp_decimal(some[i], have), n);
        assert_string_equal(have, want);
    }
}

/* Beside the C library: every day of some years, then moments of all that four digits can say. */
static void times_as_strftime_writes_them(void **state)
{
    (void)state;
    mp_rng rng = {5};
    char want[64], have[MP_UTC_TEXT];
    for (int i = 0; i < 200000; i++) {
        int64_t s = i < 50000 ? (int64_t)(i - 25000) * 86400 + i
                              : (int64_t)(mp_rng_u64(&rng) % 315569520000) - 62167219200;
        time_t seconds = (time_t)s;
        struct tm t;
        assert_non_null(gmtime_r(&seconds, &t));
        if (t.tm_year + 1900 > 9999) {
            assert_false(mp_utc_text(s * 1000, have));
            continue;
        }
        snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                 t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
        assert_true(mp_utc_text(s * 1000 + 999, have));
        assert_string_equal(have, want);
    }
    assert_true(mp_utc_text(-1, have)); /* a moment before 1970, not in it */
    assert_string_equal(have, "1969-12-31T23:59:59Z");
    assert_false(mp_utc_text(INT64_MAX, have));
    assert_false(mp_utc_text(INT64_MIN, have));
}

static void arena_respects_its_cap(void **state)
{
    (void)state;
    mp_arena *a = mp_arena_new(1000);
    char *p = mp_arena_alloc(a, 900);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    for (int i = 0; i < 900; i++)
        assert_int_equal(p[i], 0);
    assert_null(mp_arena_alloc(a, 200));
    assert_null(mp_arena_alloc(a, SIZE_MAX));
    mp_arena_reset(a);
    assert_non_null(mp_arena_alloc(a, 900));
    mp_arena_free(a);
}

static void buffer_grows(void **state)
{
    (void)state;
    mp_buf b = {0};
    for (int i = 0; i < 1000; i++)
        mp_buf_printf(&b, "%d,", i);
    assert_int_equal(strlen(b.p), b.n);
    assert_memory_equal(b.p, "0,1,2,", 6);
    mp_buf_free(&b);
}

static void file_is_replaced_whole(void **state)
{
    (void)state;
    mp_why why;
    char dir[] = "/tmp/magpie-base-XXXXXX", path[64], deep[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f", dir);
    snprintf(deep, sizeof deep, "%s/a/b/c", dir);
    assert_ok(mp_file_replace(path, "one", 3, &why));
    assert_ok(mp_file_replace(path, "twelve", 6, &why));
    uint8_t *data;
    size_t n;
    assert_ok(mp_file_read(path, 100, &data, &n, &why));
    assert_int_equal(n, 6);
    assert_memory_equal(data, "twelve", 6);
    free(data);
    assert_int_equal(mp_file_read(path, 5, &data, &n, &why), MP_TOO_BIG);
    assert_null(data);
    assert_int_equal(mp_file_read("/dev/null", 5, &data, &n, &why), MP_UNSUPPORTED);
    assert_ok(mp_mkdirs(deep, &why));
    assert_ok(mp_mkdirs(deep, &why));
    assert_int_equal(mp_file_replace("/nowhere/f", "x", 1, &why), MP_NOT_FOUND);
    rmdir(deep);
    *strrchr(deep, '/') = 0, rmdir(deep);
    *strrchr(deep, '/') = 0, rmdir(deep);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static void eigenvectors_rebuild_the_matrix(void **state)
{
    (void)state;
    enum { N = 37 };
    mp_why why;
    mp_rng rng = {7};
    double a[N * N], copy[N * N], values[N], vectors[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            a[i * N + j] = a[j * N + i] = mp_rng_gauss(&rng);
    for (int i = 0; i < N; i++) /* a zero row and column: the degenerate Householder step */
        a[20 * N + i] = a[i * N + 20] = 0;
    memcpy(copy, a, sizeof a);
    assert_ok(mp_eigen_symmetric(a, N, values, vectors, &why));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0, dot = 0;
            for (int k = 0; k < N; k++) {
                sum += values[k] * vectors[k * N + i] * vectors[k * N + j];
                dot += vectors[i * N + k] * vectors[j * N + k];
            }
            assert_true(fabs(sum - copy[i * N + j]) < 1e-9);
            assert_true(fabs(dot - (i == j)) < 1e-9);
        }
    for (int i = 1; i < N; i++)
        assert_true(values[i] <= values[i - 1]);
}

static void cholesky_solves(void **state)
{
    (void)state;
    double a[9] = {4, 2, 0, 2, 5, 1, 0, 1, 3}, b[3] = {2, 3, 4};
    assert_true(mp_cholesky(a, 3));
    mp_forward_solve(a, 3, b);
    double square = b[0] * b[0] + b[1] * b[1] + b[2] * b[2]; /* b' A^-1 b */
    assert_true(fabs(square - 71.0 / 11) < 1e-9);
    double bad[4] = {1, 2, 2, 1};
    assert_false(mp_cholesky(bad, 2));
}

static void random_is_reproducible(void **state)
{
    (void)state;
    mp_rng a = {42}, b = {42};
    double mean = 0;
    for (int i = 0; i < 10000; i++) {
        double x = mp_rng_unit(&a);
        assert_true(x == mp_rng_unit(&b) && x >= 0 && x < 1);
        mean += x / 10000;
    }
    assert_true(fabs(mean - 0.5) < 0.02);
    assert_true(mp_checksum64("abc", 3, 0) != mp_checksum64("abd", 3, 0));
    assert_true(mp_checksum64("abcdefgh", 8, 0) != mp_checksum64("abcdefgh", 8, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_text_is_one_line),
        cmocka_unit_test(numbers_as_printf_writes_them),
        cmocka_unit_test(times_as_strftime_writes_them),
        cmocka_unit_test(arena_respects_its_cap),
        cmocka_unit_test(buffer_grows),
        cmocka_unit_test(file_is_replaced_whole),
        cmocka_unit_test(eigenvectors_rebuild_the_matrix),
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(random_is_reproducible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
