/* Reading of JSON lines: one object per line, its numbers as they are written. */
#include "import_reading.h"

#include <string.h>

static void lines_are_objects(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_LINES,
          "{\"external_id\": \"A\", \"title\": \"Sh\\u00f6e\", \"price\": 12.5, \"currency\": "
          "\"EUR\"}\n"
          "\n"
          "{\"external_id\": 17, \"price\": \"0.1000\", \"title\": null, \"extra\": null}\r\n"
          "  {\"price\": null, \"external_id\": \"C\", \"description\": \"a\\nb\"}");
    const mp_product *p = good(&r, 1);
    assert_string_equal(p->title, "Sh\xC3\xB6"
                                  "e");
    assert_int_equal(p->price_e4, 125000);
    assert_int_equal(r.row.fields, MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_TITLE | MP_PRODUCT_PRICE |
                                       MP_PRODUCT_CURRENCY);
    bad(&r, 3, "title: it must not be empty");
    p = good(&r, 4);
    assert_false(p->has_price);
    assert_string_equal(p->description, "a\nb");
    assert_int_equal(r.row.fields,
                     MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_PRICE | MP_PRODUCT_DESCRIPTION);
    end(&r);
}

static void numbers_are_taken_as_they_are_written(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_LINES,
          "{\"external_id\": 1, \"price\": 999999999.9999, \"ratio\": 0.1, \"big\": 1.000}\n"
          "{\"external_id\": 2, \"price\": 0.30000000000000004}\n"
          "{\"external_id\": 3, \"price\": 1e2}\n"
          "{\"external_id\": 4, \"price\": -0.0}\n"
          "{\"external_id\": 5, \"price\": 0.0001}\n"
          "{\"external_id\": 1.50}\n");
    assert_int_equal(good(&r, 1)->price_e4, MP_PRICE_E4_MAX);
    assert_string_equal(r.row.product.metadata, "{\"ratio\":0.1,\"big\":1.000}");
    bad(&r, 2, "price: it has more than four decimals");
    bad(&r, 3, "price: ");
    bad(&r, 4, "price: ");
    assert_int_equal(good(&r, 5)->price_e4, 1);
    assert_string_equal(good(&r, 6)->external_id, "1.50");
    end(&r);
}

static void other_members_go_into_metadata(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_LINES,
          "{\"a\\\"}\": \"x\\\\\", \"external_id\" : \"1\" ,\"b\": {\"c\": [1, {\"}\": \"]\"}], "
          "\"d\": \"\\\"\"} , "
          "\"e\" :[ ] ,\"metadata\": { \"own\": true }}\n"
          "{\"external_id\": \"2\", \"metadata\": \"{}\"}\n"
          "{\"external_id\": \"3\", \"metadata\": {\"x\": 1}, \"x\": 2}\n"
          "{\"external_id\": \"4\", \"metadata\": {}}\n");
    assert_string_equal(good(&r, 1)->metadata,
                        "{ \"own\": true,\"a\\\"}\":\"x\\\\\",\"b\":{\"c\": [1, {\"}\": \"]\"}], "
                        "\"d\": \"\\\"\"},\"e\":[ ]}");
    bad(&r, 2, "metadata: it must be a JSON object");
    bad(&r, 3, "metadata: it has a name twice");
    assert_string_equal(good(&r, 4)->metadata, "{}");
    end(&r);
    /* Many members: they are met in the order of the text. */
    mp_buf text = {0};
    mp_buf_str(&text, "{");
    for (int i = 0; i < 3000; i++)
        mp_buf_printf(&text, "\"member %d\": %d, ", i * 7919 % 3000, i);
    mp_buf_str(&text, "\"external_id\": \"many\", \"title\": \"t\"}");
    begin(&r, MP_IMPORT_LINES, text.p);
    const char *metadata = good(&r, 1)->metadata;
    static const char first[] = "{\"member 0\":0,\"member 1919\":1,";
    assert_memory_equal(metadata, first, sizeof first - 1);
    assert_string_equal(r.row.product.title, "t");
    end(&r);
    mp_buf_free(&text);
}

static void bad_lines_are_told_and_passed(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_LINES,
          "{\"external_id\": \"1\"\n"
          "not json\n"
          "[1, 2]\n"
          "{\"external_id\": \"4\", \"title\": true}\n"
          "{\"external_id\": \"5\", \"title\": [\"x\"]}\n"
          "{\"external_id\": \"6\", \"external_id\": \"6\"}\n"
          "{\"external_id\": \"7\", \"title\": \"a\", \"Title\": \"b\"}\n"
          "{\"external_id\": \"8\", \"title\": \"\xFF\"}\n"
          "{\"title\": \"nine\"}\n"
          "{\"external_id\": \"10\", \"n\": 1e999}\n"
          "{\"external_id\": \"11\"} {}\n"
          "{\"external_id\": \"1\\u00002\"}\n"
          "{}\n"
          "{\"external_id\": \"14\"}\n");
    bad(&r, 1, "not a JSON object");
    bad(&r, 2, "not a JSON object");
    bad(&r, 3, "not a JSON object");
    bad(&r, 4, "title: ");
    bad(&r, 5, "title: ");
    bad(&r, 6, "a name twice");
    bad(&r, 7, "title: it is given twice");
    bad(&r, 8, "UTF-8");
    bad(&r, 9, "external_id: ");
    bad(&r, 10, "number is too large");
    bad(&r, 11, "not a JSON object");
    bad(&r, 12, "not a JSON object");
    bad(&r, 13, "external_id: ");
    good(&r, 14);
    end(&r);
    refused(MP_IMPORT_LINES, " \n[\n{\"external_id\": \"1\"}]", MP_INVALID, "array");
    begin(&r, MP_IMPORT_LINES, "");
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_objects),
        cmocka_unit_test(numbers_are_taken_as_they_are_written),
        cmocka_unit_test(other_members_go_into_metadata),
        cmocka_unit_test(bad_lines_are_told_and_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
