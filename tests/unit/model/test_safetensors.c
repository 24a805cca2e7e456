/* The safetensors reader against whole and damaged files. */
#include "../test.h"
#include "base/os.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mp_err open_values(const char *header, const float *values, size_t data_bytes,
                          mp_tensors **out)
{
    char path[] = "/tmp/magpie-tensors-XXXXXX";
    mp_why why;
    mp_buf b = {0};
    uint64_t n = (strlen(header) + 7) / 8 * 8;
    mp_buf_add(&b, &n, sizeof n);
    mp_buf_printf(&b, "%-*s", (int)n, header);
    mp_buf_add(&b, values, data_bytes);
    close(mkstemp(path));
    assert_ok(mp_file_replace(path, b.p, b.n, &why));
    mp_buf_free(&b);
    mp_err err = mp_tensors_open(out, path, &why);
    unlink(path);
    return err;
}

static mp_err open_text(const char *header, size_t data_bytes, mp_tensors **out)
{
    static const float values[16] = {1, 2, 3, 4, 5, 6};
    return open_values(header, values, data_bytes, out);
}

static void a_tensor_is_read_in_place(void **state)
{
    (void)state;
    mp_tensors *t;
    mp_tensor v;
    mp_why why;
    assert_int_equal(
        open_text("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}  ", 24, &t),
        MP_OK);
    assert_ok(mp_tensors_get(t, "a", 6, &v, &why));
    assert_int_equal(v.rank, 2);
    assert_int_equal(v.shape[1], 3);
    assert_true(v.data[5] == 6);
    assert_int_equal(mp_tensors_get(t, "a", 7, &v, &why), MP_CORRUPT);
    assert_int_equal(mp_tensors_get(t, "b", 6, &v, &why), MP_CORRUPT);
    mp_tensors_close(t);
}

static void damaged_headers_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,96]}}  ", /* beyond the end
                                                                                  */
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,0]}}  ", /* backwards */
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[-8,16]}} ", /* before it */
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}  ", /* another type */
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,24]}}   ",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}     ",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[1,25]}}  ", /* unaligned */
        "{\"a\":3}                                                         ",
        "[1,2,3]                                                         ",
        "{\"a\":{\"dtype\":\"F32\",                                          ",
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_tensors *t;
        mp_tensor v;
        if (open_text(rows[i], 24, &t) == MP_OK) {
            assert_int_equal(mp_tensors_get(t, "a", 6, &v, NULL), MP_CORRUPT);
            mp_tensors_close(t);
        }
    }
    mp_tensors *t;
    mp_why why;
    assert_int_equal(mp_tensors_open(&t, "/nowhere/x", &why), MP_NOT_FOUND);
}

/* Infinite ones may stand in a mask that nobody asks for. */
static void values_that_are_no_numbers_are_found(void **state)
{
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"dtype\":\"F32\"},"
                                 "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[8,20]},"
                                 "\"c\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[20,24]},"
                                 "\"d\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,99]}}";
    const float row[6] = {1, -0.0f, INFINITY, -INFINITY, 1e-45f, 7};
    for (int at = -1; at < 6; at++) {
        float values[6];
        mp_tensors *t;
        mp_why why = {0};
        memcpy(values, row, sizeof row);
        if (at >= 0)
            values[at] = at % 2 ? NAN : -NAN;
        assert_ok(open_values(header, values, sizeof values, &t));
        mp_err err = mp_tensors_check(t, &why);
        assert_int_equal(err, at < 0 || at == 5 ? MP_OK : MP_CORRUPT);
        if (err)
            assert_non_null(strstr(why.text, at < 2 ? ": a holds" : ": b holds"));
        mp_tensors_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_tensor_is_read_in_place),
                                       cmocka_unit_test(damaged_headers_are_refused),
                                       cmocka_unit_test(values_that_are_no_numbers_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
