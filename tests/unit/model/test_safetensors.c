/* The safetensors reader against whole and damaged files. */
#include "../test.h"
#include "base/os.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mp_err open_saying(const char *header, const void *values, size_t data_bytes,
                          mp_tensors **out, mp_why *said)
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
    mp_err err = mp_tensors_open(out, path, said);
    unlink(path);
    return err;
}

static mp_err open_values(const char *header, const void *values, size_t data_bytes,
                          mp_tensors **out)
{
    mp_why why;
    return open_saying(header, values, data_bytes, out, &why);
}

static mp_err open_said(const char *header, size_t data_bytes, mp_tensors **out, mp_why *why)
{
    static const float values[16] = {1, 2, 3, 4, 5, 6};
    return open_saying(header, values, data_bytes, out, why);
}

static mp_err open_text(const char *header, size_t data_bytes, mp_tensors **out)
{
    mp_why why;
    return open_said(header, data_bytes, out, &why);
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
        "{\"a\":{\"dtype\":\"I64\",\"shape\":[2,3],\"data_offsets\":[0,48]}}  ", /* another type */
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,24]}}  ", /* too much */
        "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[1,13]}} ", /* unaligned */
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

#define LINE(name, type, n, from, to)                                                              \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" #n "],\"data_offsets\":[" #from "," #to "]" \
    "}"

/* Of the second kind two 16-bit tensors that begin together once shared one's widened values. */
static void headers_are_refused_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *header, *says;
    } rows[] = {
        {"{" LINE("a", "F32", 4, 0, 16) "," LINE("b", "F32", 3, 12, 24) "}", "share bytes"},
        {"{" LINE("a", "F16", 2, 0, 4) "," LINE("b", "F16", 12, 0, 24) "}", "share bytes"},
        {"{" LINE("a", "F16", 4, 0, 8) "," LINE("b", "BF16", 4, 0, 8) "}", "share bytes"},
        {"{" LINE("a", "F32", 2, 0, 8) "," LINE("a", "F32", 2, 8, 16) "}", "duplicate"},
        {"{\"a\xff\":3}", "byte 0xff"},
        {"[1,2,3]", "something else"},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_tensors *t;
        mp_why why = {0};
        assert_int_equal(open_said(rows[i].header, 24, &t, &why), MP_CORRUPT);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].header, why.text);
    }
}

/* Nothing lies in an empty tensor, and neighbours touch. */
static void ranges_that_touch_are_fine(void **state)
{
    (void)state;
    mp_tensors *t;
    mp_why why;
    assert_ok(open_said("{" LINE("b", "F32", 2, 8, 16) "," LINE("e", "F32", 0, 4, 4) "," LINE(
                            "a", "F32", 2, 0, 8) "}",
                        16, &t, &why));
    mp_tensors_close(t);
}

static void a_length_beyond_the_file_is_refused(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {(uint64_t)1 << 60, UINT64_MAX, 25, 17};
    char path[] = "/tmp/magpie-tensors-XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < MP_COUNT(lengths); i++) {
        uint8_t file[32] = {0};
        mp_tensors *t;
        mp_why why = {0};
        memcpy(file, &lengths[i], sizeof lengths[i]);
        assert_ok(mp_file_replace(path, file, sizeof file, &why));
        assert_int_equal(mp_tensors_open(&t, path, &why), MP_CORRUPT);
        assert_non_null(strstr(why.text, "length is wrong"));
    }
    unlink(path);
}

/* Infinite ones may stand in a mask that nobody asks for. */
static void values_that_are_no_numbers_are_found(void **state)
{
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"dtype\":\"F32\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[8,20]},"
        "\"c\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[20,24]},"
        "\"d\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[24,99]}}";
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

/* 1, -2, the largest, the smallest and infinite of each; asked for twice, widened once. */
static void sixteen_bits_are_widened(void **state)
{
    (void)state;
    static const char header[] =
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[5],\"data_offsets\":[10,20]}}";
    static const uint16_t bits[12] = {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00,
                                      0x3F80, 0xC000, 0x7F7F, 0x0001, 0xFF80};
    static const float half[] = {1, -2, 65504, 0x1p-24f, INFINITY},
                       brain[] = {1, -2, 0x1.FEp127f, 0x1p-133f, -INFINITY};
    mp_tensors *t;
    mp_tensor a, b, again;
    mp_why why;
    assert_ok(open_values(header, bits, sizeof bits, &t));
    assert_ok(mp_tensors_check(t, &why));
    assert_ok(mp_tensors_get(t, "a", 5, &a, &why));
    assert_ok(mp_tensors_get(t, "b", 5, &b, &why));
    assert_ok(mp_tensors_get(t, "a", 5, &again, &why));
    assert_memory_equal(a.data, half, sizeof half);
    assert_memory_equal(b.data, brain, sizeof brain);
    assert_ptr_equal(a.data, again.data);
    assert_int_equal(mp_tensors_get(t, "b", 6, &b, &why), MP_CORRUPT);
    mp_tensors_close(t);
}

static void sixteen_bits_that_are_no_numbers_are_found(void **state)
{
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                                 "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[4,8]}}";
    static const struct {
        uint16_t bits[4];
        const char *bad;
    } rows[] = {
        {{0x7C00, 0xFC00, 0x7F80, 0xFF80}, NULL},   {{0x3C00, 0x7C01, 0, 0}, ": a holds"},
        {{0xFE00, 0x3C00, 0, 0}, ": a holds"},      {{0x3C00, 0, 0x7F81, 0}, ": b holds"},
        {{0x3C00, 0, 0x7C01, 0xFFC0}, ": b holds"},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        mp_tensors *t;
        mp_why why = {0};
        assert_ok(open_values(header, rows[i].bits, sizeof rows[i].bits, &t));
        assert_int_equal(mp_tensors_check(t, &why), rows[i].bad ? MP_CORRUPT : MP_OK);
        if (rows[i].bad)
            assert_non_null(strstr(why.text, rows[i].bad));
        mp_tensors_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_is_read_in_place),
        cmocka_unit_test(damaged_headers_are_refused),
        cmocka_unit_test(headers_are_refused_as_a_whole),
        cmocka_unit_test(ranges_that_touch_are_fine),
        cmocka_unit_test(a_length_beyond_the_file_is_refused),
        cmocka_unit_test(values_that_are_no_numbers_are_found),
        cmocka_unit_test(sixteen_bits_are_widened),
        cmocka_unit_test(sixteen_bits_that_are_no_numbers_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
