/* What is described once comes out the same as a tree and as text. */
#include "../test.h"

#include "http/json_sink.h"
#include "http/json_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef void (*describe_fn)(mp_sink *s);

static void comes_out_as(describe_fn describe, const char *right)
{
    mp_buf direct = {0}, written = {0};
    mp_sink text = mp_sink_to_text(&direct), made = mp_sink_to_tree();
    describe(&text);
    describe(&made);
    json_t *tree = mp_sink_tree(&made);
    assert_non_null(tree);
    mp_json_write(tree, &written);
    assert_string_equal(direct.p, right);
    assert_string_equal(written.p, right);
    json_t *back = json_loads(direct.p, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(tree, back));
    json_decref(back);
    json_decref(tree);
    mp_buf_free(&direct);
    mp_buf_free(&written);
}

static void one_of_each(mp_sink *s)
{
    mp_sink_object(s, NULL);
    mp_sink_text(s, "text", "a \"word\"");
    mp_sink_text(s, "none", NULL);
    mp_sink_integer(s, "whole", INT64_MIN);
    mp_sink_real(s, "real", 0.25);
    mp_sink_real(s, "nan", (double)NAN);
    mp_sink_real(s, "far", -(double)INFINITY);
    mp_sink_bool(s, "yes", true);
    mp_sink_bool(s, "no", false);
    mp_sink_end(s);
}

static void nothing_in_them(mp_sink *s)
{
    mp_sink_array(s, NULL);
    mp_sink_object(s, NULL);
    mp_sink_end(s);
    mp_sink_array(s, NULL);
    mp_sink_end(s);
    mp_sink_end(s);
}

static void within_each_other(mp_sink *s)
{
    mp_sink_object(s, NULL);
    mp_sink_array(s, "list");
    for (int i = 0; i < 3; i++) {
        mp_sink_object(s, NULL);
        mp_sink_integer(s, "i", i);
        mp_sink_array(s, "in");
        mp_sink_integer(s, NULL, i);
        mp_sink_text(s, NULL, "x");
        mp_sink_end(s);
        mp_sink_end(s);
    }
    mp_sink_end(s);
    mp_sink_bool(s, "after", true);
    mp_sink_end(s);
}

static void as_deep_as_goes(mp_sink *s)
{
    for (int i = 0; i < MP_SINK_DEPTH; i++)
        mp_sink_array(s, NULL);
    mp_sink_integer(s, NULL, 1);
    for (int i = 0; i < MP_SINK_DEPTH; i++)
        mp_sink_end(s);
}

static void not_utf8(mp_sink *s)
{
    mp_sink_array(s, NULL);
    mp_sink_text(s, NULL,
                 "b\xFC"
                 "cher\xE2\x82");
    mp_sink_text(s, NULL,
                 "b\xC3\xBC"
                 "cher");
    mp_sink_text(s, NULL, "\xFF\"\n");
    mp_sink_end(s);
}

static void trees_and_text_agree(void **state)
{
    (void)state;
    comes_out_as(one_of_each, "{\"text\":\"a \\\"word\\\"\",\"none\":null,"
                              "\"whole\":-9223372036854775808,\"real\":0.25,\"nan\":null,"
                              "\"far\":null,\"yes\":true,\"no\":false}");
    comes_out_as(nothing_in_them, "[{},[]]");
    comes_out_as(within_each_other,
                 "{\"list\":[{\"i\":0,\"in\":[0,\"x\"]},{\"i\":1,\"in\":[1,\"x\"]},"
                 "{\"i\":2,\"in\":[2,\"x\"]}],\"after\":true}");
    comes_out_as(as_deep_as_goes, "[[[[[[[[1]]]]]]]]");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    comes_out_as(not_utf8, "[\"b\xEF\xBF\xBD"
                           "cher\xEF\xBF\xBD\xEF\xBF\xBD\",\"b\xC3\xBC"
                           "cher\","
                           "\"\xEF\xBF\xBD\\\"\\n\"]");
}

/* What was in the buffer stays; a value alone needs nothing around it. */
static void text_is_appended(void **state)
{
    (void)state;
    mp_buf out = {0};
    mp_buf_str(&out, "before ");
    mp_sink s = mp_sink_to_text(&out);
    mp_sink_integer(&s, NULL, 7);
    assert_string_equal(out.p, "before 7");
    mp_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_and_text_agree),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(text_is_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
