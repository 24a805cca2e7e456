/* The limits of a product's fields, and its price between text and number (products.h). */
#include "product_store.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>

static void texts_have_limits(void **state)
{
    (void)state;
#define LIMIT(member, most)                                                                        \
    do {                                                                                           \
        mp_why why;                                                                                \
        mp_product p = red_shoe();                                                                 \
        char *text = of_length((most) + 1);                                                        \
        p.member = text;                                                                           \
        assert_int_equal(mp_product_check(&p, MP_PRODUCT_ALL, &why), MP_INVALID);                  \
        assert_memory_equal(why.text, #member ":", strlen(#member ":"));                           \
        text[most] = '\0';                                                                         \
        assert_ok(mp_product_check(&p, MP_PRODUCT_ALL, &why));                                     \
        free(text);                                                                                \
    } while (0)
    LIMIT(external_id, 255);
    LIMIT(title, 512);
    LIMIT(description, 65536);
    LIMIT(category, 255);
    LIMIT(image_url, 2048);
    LIMIT(index_error, 1024);
#undef LIMIT
}

static void fields_are_checked(void **state)
{
    static const struct {
        unsigned field;
        const char *name;
        mp_product wrong;
    } cases[] = {
        {MP_PRODUCT_EXTERNAL_ID, "external_id:", {.external_id = ""}},
        {MP_PRODUCT_TITLE, "title:", {.title = NULL}},
        {MP_PRODUCT_TITLE, "title:", {.title = "\xC3("}},
        {MP_PRODUCT_CURRENCY, "currency:", {.currency = "eur"}},
        {MP_PRODUCT_CURRENCY, "currency:", {.currency = "EU"}},
        {MP_PRODUCT_CURRENCY, "currency:", {.currency = "EURO"}},
        {MP_PRODUCT_PRICE, "price:", {.has_price = true, .price_e4 = -1}},
        {MP_PRODUCT_PRICE, "price:", {.has_price = true, .price_e4 = MP_PRICE_E4_MAX + 1}},
        {MP_PRODUCT_METADATA, "metadata:", {.metadata = "[]"}},
        {MP_PRODUCT_METADATA, "metadata:", {.metadata = "{"}},
        {MP_PRODUCT_METADATA, "metadata:", {.metadata = "{} {}"}},
        {MP_PRODUCT_METADATA, "metadata:", {.metadata = "{\"a\": 1, \"a\": 2}"}},
        {MP_PRODUCT_METADATA, "metadata:", {.metadata = "{\"a\": 1e999}"}},
        {MP_PRODUCT_INDEX, "index_state:", {.index_state = (mp_index_state)7}},
    };
    store *s = *state;
    mp_why why;
    mp_product p = red_shoe();
    int64_t id = put(s, p);
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_product wrong = cases[i].wrong;
        assert_int_equal(mp_product_check(&wrong, cases[i].field, &why), MP_INVALID);
        assert_memory_equal(why.text, cases[i].name, strlen(cases[i].name));
        assert_ok(mp_product_check(&wrong, 0, &why));
        wrong.id = id;
        assert_int_equal(mp_meta_put_product(s->m, &wrong, cases[i].field, &why), MP_INVALID);
    }
    char *metadata = of_length(MP_METADATA_MAX + 1);
    memcpy(metadata, "{\"a\":\"", 6);
    memcpy(metadata + MP_METADATA_MAX - 1, "\"}", 2);
    p.metadata = metadata;
    assert_int_equal(mp_product_check(&p, MP_PRODUCT_ALL, &why), MP_INVALID);
    memcpy(metadata + MP_METADATA_MAX - 2, "\"}", 3);
    assert_ok(mp_product_check(&p, MP_PRODUCT_ALL, &why));
    free(metadata);
    assert_string_equal(get(s, id).title, "Red running shoe");
}

static void prices_are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t e4;
        const char *back;
    } good[] = {{"12.5", 125000, "12.50"},
                {"0", 0, "0.00"},
                {"0.0001", 1, "0.0001"},
                {" 007.10 ", 71000, "7.10"},
                {"12.345", 123450, "12.345"},
                {"19.990000000", 199900, "19.99"},
                {"999999999.9999", MP_PRICE_E4_MAX, "999999999.9999"},
                {"000000000000000000000000000001", 10000, "1.00"}};
    static const char *const bad[] = {"",
                                      " ",
                                      ".",
                                      ".5",
                                      "5.",
                                      "-1",
                                      "+1",
                                      "1,50",
                                      "1e2",
                                      "1 0",
                                      "0x10",
                                      "1.00001",
                                      "1.2.3",
                                      "12.5€",
                                      "NaN",
                                      "inf",
                                      "1000000000",
                                      "1.5 EUR",
                                      "99999999999999999999999999999999"};
    (void)state;
    mp_why why;
    int64_t e4;
    char text[MP_PRICE_TEXT];
    for (size_t i = 0; i < MP_COUNT(good); i++) {
        assert_ok(mp_price_parse(mp_str_of(good[i].text), &e4, &why));
        assert_int_equal(e4, good[i].e4);
        mp_price_format(e4, text);
        assert_string_equal(text, good[i].back);
    }
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        assert_int_equal(mp_price_parse(mp_str_of(bad[i]), &e4, &why), MP_INVALID);
        assert_memory_equal(why.text, "price:", 6);
        assert_int_equal(e4, 0);
    }
    mp_rng rng = {1};
    for (int i = 0; i < 100000; i++) {
        int64_t back, price = (int64_t)(mp_rng_u64(&rng) % (uint64_t)(MP_PRICE_E4_MAX + 1));
        mp_price_format(price, text);
        assert_ok(mp_price_parse(mp_str_of(text), &back, &why));
        assert_int_equal(back, price);
    }
}

static void utf8_is_judged_by_the_standard(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xC2\x80",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC3",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "a\xE2\x82\xC0"};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(good); i++)
        assert_true(mp_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        assert_false(mp_utf8_valid(bad[i], strlen(bad[i])));
    assert_false(mp_utf8_valid("a\0b", 3));
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_limits),
        WITH_STORE(fields_are_checked),
        cmocka_unit_test(prices_are_exact),
        cmocka_unit_test(utf8_is_judged_by_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
