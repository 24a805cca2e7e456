/* Answers as text: the same as jansson writes, for what jansson can write. */
#include "../test.h"

#include "base/os.h"
#include "http/json_text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Takes the reference. */
static void same_as_jansson(json_t *value)
{
    mp_buf out = {0};
    assert_non_null(value);
    char *right = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    mp_json_write(value, &out);
    assert_string_equal(out.p, right);
    assert_int_equal(out.n, strlen(right));
    mp_buf_free(&out);
    free(right);
    json_decref(value);
}

static void trees_are_alike(void **state)
{
    (void)state;
    same_as_jansson(json_object());
    same_as_jansson(json_array());
    same_as_jansson(json_loads(
        "[{\"null\": null, \"true\": true, \"false\": false}, [], {}, [[1, [2.5]]]]", 0, NULL));
    same_as_jansson(json_pack("{s:s, s:i, s:{s:[s, s]}, s:s}", "z", "first", "a", 2, "m", "list",
                              "x", "y", "\"key\"\n", ""));
}

static void strings_are_escaped(void **state)
{
    (void)state;
    char all[256] = "";
    for (int c = 1; c < 128; c++)
        all[c - 1] = (char)c;
    same_as_jansson(json_string(all));
    same_as_jansson(json_string("\"\"\\\\"));
    same_as_jansson(json_string("Gr\xC3\xBC\xC3\x9F"
                                "e \xE2\x82\xAC \xF0\x9F\x90\xA6"));
    same_as_jansson(json_stringn("a\0b", 3));
    same_as_jansson(json_string(""));
}

static void integers_are_alike(void **state)
{
    (void)state;
    static const json_int_t some[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < MP_COUNT(some); i++)
        same_as_jansson(json_integer(some[i]));
}

static void known_reals_are_alike(void **state)
{
    (void)state;
    static const double some[] = {0.0,
                                  -0.0,
                                  1.0,
                                  -1.0,
                                  0.1,
                                  0.5,
                                  0.25,
                                  1.5,
                                  100,
                                  1e-2,
                                  1e-3,
                                  1e-4,
                                  0.00010001,
                                  0.0099999999999,
                                  0.999999999,
                                  0.9999999999,
                                  9.999999999,
                                  99.9999999999,
                                  0.123456789,
                                  12345678.9,
                                  1000000.25,
                                  1000000.125,
                                  1000000.375,
                                  123456789,
                                  999999998,
                                  999999998.5,
                                  -0.000123456789123};
    for (size_t i = 0; i < MP_COUNT(some); i++)
        same_as_jansson(json_real(some[i]));
}

/* Exponents have another form, which is as good. */
static void far_reals_are_equal(void **state)
{
    (void)state;
    static const double some[] = {9.9999e-5, 999999999, 999999999.6, 1e9,     1e10,
                                  1e300,     -1e-300,   DBL_MIN,     DBL_MAX, 1.25e-7};
    for (size_t i = 0; i < MP_COUNT(some); i++) {
        char right[40];
        mp_buf out = {0};
        json_t *value = json_real(some[i]);
        mp_json_write(value, &out);
        json_decref(value);
        snprintf(right, sizeof right, "%.9g", some[i]);
        json_t *back = json_loads(out.p, JSON_DECODE_ANY, NULL);
        if (!json_is_real(back) || json_real_value(back) != strtod(right, NULL))
            fail_msg("%s became %s", right, out.p);
        json_decref(back);
        mp_buf_free(&out);
    }
}

/* Every float comes back as it was, and is written as the C library would but for ties. */
static void reals_come_back(void **state)
{
    (void)state;
    mp_rng rng = {5};
    size_t different = 0;
    for (int i = 0; i < 300000; i++) {
        float x = (float)(mp_rng_gauss(&rng) * pow(10, (double)(mp_rng_u64(&rng) % 18) - 6));
        char right[40];
        mp_buf out = {0};
        json_t *value = json_real((double)x);
        mp_json_write(value, &out);
        json_decref(value);
        if (strtof(out.p, NULL) != x)
            fail_msg("%.9g became %s", (double)x, out.p);
        snprintf(right, sizeof right, "%.9g", (double)x);
        different += strncmp(right, out.p, strlen(right)) != 0 && !strchr(out.p, 'e');
        mp_buf_free(&out);
    }
    assert_true(different < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_alike),     cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(integers_are_alike),  cmocka_unit_test(known_reals_are_alike),
        cmocka_unit_test(far_reals_are_equal), cmocka_unit_test(reals_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
