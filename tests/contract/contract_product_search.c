/* What every metadata store promises of words and facets of products (products.h). */
#include "product_store.h"
#include "base/os.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static size_t found(store *s, const char *words, const mp_product_filter *f, int64_t *first)
{
    mp_why why;
    mp_text_hit *hits;
    size_t n;
    assert_ok(mp_meta_search_products(s->m, words, f, 10, &hits, &n, &why));
    for (size_t i = 0; i < n; i++)
        assert_true(hits[i].score > 0 && (i == 0 || hits[i].score <= hits[i - 1].score));
    *first = n ? hits[0].id : 0;
    free(hits);
    return n;
}

static void words_find_products(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t first, shop = add_project(s);
    mp_product in_description = {.project_id = 1,
                                 .external_id = "D",
                                 .title = "Laces",
                                 .description = "for a running shoe, and for caf\xC3\xA9s"};
    int64_t d = put(s, in_description), t = put(s, red_shoe());
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        put_named(s, name, "something else", 1);
    }
    assert_int_equal(found(s, "running shoes", NULL, &first), 2);
    assert_int_equal(first, t); /* a title weighs more */
    assert_int_equal(found(s, "CAFE", NULL, &first), 1);
    assert_int_equal(first, d);
    assert_int_equal(found(s, "A-1", NULL, &first), 1);
    assert_int_equal(first, t);
    assert_int_equal(found(s, "nothing of this", NULL, &first), 0);
    mp_product_filter f = {.projects = &shop, .n_projects = 1};
    assert_int_equal(found(s, "shoe", &f, &first), 0);
    f = (mp_product_filter){.all_projects = true, .has_min = true, .price_min_e4 = 1};
    assert_int_equal(found(s, "shoe", &f, &first), 1);
    mp_text_hit *hits;
    size_t n;
    assert_ok(mp_meta_search_products(s->m, "something", NULL, 3, &hits, &n, &why));
    assert_int_equal(n, 3);
    free(hits);
    assert_int_equal(mp_meta_search_products(s->m, "x", NULL, 0, &hits, &n, &why), MP_INVALID);
    assert_int_equal(
        mp_meta_search_products(s->m, "x", NULL, MP_PRODUCT_HITS_MAX + 1, &hits, &n, &why),
        MP_INVALID);
}

static void the_words_follow_every_change(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t first, id = put(s, red_shoe());
    mp_product change = {.id = id, .title = "Green boot", .external_id = "Z9", .price_e4 = 1};
    assert_ok(mp_meta_put_product(s->m, &change, MP_PRODUCT_TITLE | MP_PRODUCT_EXTERNAL_ID, &why));
    assert_int_equal(found(s, "shoe", NULL, &first), 1); /* still in the category */
    assert_int_equal(found(s, "running", NULL, &first), 0);
    assert_int_equal(found(s, "boot", NULL, &first), 1);
    assert_int_equal(found(s, "z9", NULL, &first), 1);
    assert_ok(mp_meta_put_product(s->m, &change, MP_PRODUCT_CATEGORY | MP_PRODUCT_PRICE, &why));
    assert_int_equal(found(s, "shoes", NULL, &first), 0);
    assert_ok(mp_meta_remove_products(s->m, &id, 1, NULL, &why));
    assert_int_equal(found(s, "boot", NULL, &first), 0);
    /* The index of words agrees with the rows. */
    sqlite3 *db;
    assert_int_equal(sqlite3_open(s->url + 7, &db), SQLITE_OK);
    put(s, red_shoe());
    assert_int_equal(sqlite3_exec(db,
                                  "INSERT INTO product_text (product_text, rank) "
                                  "VALUES ('integrity-check', 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static void hostile_words_are_only_words(void **state)
{
    static const char *const hostile[] = {"\"",
                                          "\"\"",
                                          "'",
                                          "shoe\"",
                                          "\"shoe",
                                          "shoe*",
                                          "shoe AND NOT shoe",
                                          "NEAR(shoe, 2)",
                                          "title:shoe",
                                          "^shoe",
                                          "shoe OR",
                                          "OR",
                                          "AND",
                                          "NOT shoe",
                                          "{title}:shoe",
                                          "shoe + shoe",
                                          "-shoe",
                                          "(shoe",
                                          "shoe)",
                                          "; DROP TABLE product",
                                          "\xFF\xFE",
                                          "\xE2\x80\x93",
                                          "x\xE2\x80\x93y",
                                          "%",
                                          "\\",
                                          "*",
                                          "",
                                          "   ",
                                          "\n\t",
                                          "the of and"};
    store *s = *state;
    mp_why why;
    int64_t first;
    put(s, red_shoe());
    for (size_t i = 0; i < MP_COUNT(hostile); i++) {
        size_t n = found(s, hostile[i], NULL, &first);
        assert_int_equal(n, strstr(hostile[i], "shoe") || strstr(hostile[i], "the ") ? 1 : 0);
    }
    /* Very many words, and one very long one. */
    mp_buf text = {0};
    for (int i = 0; i < 50000; i++)
        mp_buf_printf(&text, "w%d ", i);
    assert_int_equal(found(s, text.p, NULL, &first), 0);
    mp_buf_free(&text);
    char *word = of_length(1000000);
    assert_int_equal(found(s, word, NULL, &first), 0);
    free(word);
    uint64_t n;
    assert_ok(mp_meta_count_products(s->m, NULL, &n, &why));
    assert_int_equal(n, 1);
}

/* ---- facets ---- */

static uint64_t in_buckets(const mp_product_facets *f)
{
    uint64_t sum = 0;
    assert_true(f->n_buckets >= 1 && f->n_buckets <= MP_PRICE_BUCKETS);
    assert_true(f->bucket[0].low_e4 <= f->price_min_e4);
    assert_true(f->bucket[f->n_buckets - 1].high_e4 > f->price_max_e4);
    for (size_t i = 0; i < f->n_buckets; i++) {
        int64_t width = f->bucket[i].high_e4 - f->bucket[i].low_e4;
        while (width % 10 == 0)
            width /= 10;
        assert_true(width == 1 || width == 2 || width == 5);
        assert_true(i == 0 || f->bucket[i].low_e4 == f->bucket[i - 1].high_e4);
        sum += f->bucket[i].count;
    }
    return sum;
}

static void facets_count(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product_facets f;
    int64_t ids[30];
    char name[16];
    assert_ok(mp_meta_product_facets(s->m, NULL, NULL, 0, 5, s->arena, &f, &why));
    assert_true(f.products == 0 && f.priced == 0 && f.n_buckets == 0 && f.n_categories == 0);
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "p%d", i);
        ids[i] = put(s, (mp_product){.project_id = 1,
                                     .external_id = name,
                                     .title = name,
                                     .category = i < 15   ? "Shoes"
                                                 : i < 25 ? "Coats"
                                                          : "",
                                     .has_price = i != 29,
                                     .price_e4 = 9900 + i * 10000,
                                     .currency = i % 3 ? "EUR" : "USD"});
    }
    assert_ok(mp_meta_product_facets(s->m, NULL, NULL, 0, 2, s->arena, &f, &why));
    assert_int_equal(f.products, 30);
    assert_int_equal(f.priced, 29);
    assert_int_equal(f.n_categories, 2);
    assert_string_equal(f.categories[0].name, "Shoes");
    assert_int_equal(f.categories[0].count, 15);
    assert_string_equal(f.categories[1].name, "Coats");
    assert_int_equal(f.n_currencies, 2);
    assert_string_equal(f.currencies[0].name, "EUR");
    assert_int_equal(f.currencies[0].count, 20);
    assert_int_equal(f.price_min_e4, 9900);
    assert_int_equal(f.price_max_e4, 289900);
    assert_int_equal(f.bucket[0].high_e4, 50000); /* 0-5, 5-10, ... */
    assert_int_equal(f.bucket[0].count, 5);
    assert_int_equal(in_buckets(&f), 29);

    mp_product_filter dear = {.all_projects = true, .has_min = true, .price_min_e4 = 200000};
    assert_ok(mp_meta_product_facets(s->m, &dear, ids, 25, 5, s->arena, &f, &why));
    assert_int_equal(f.products, 5);
    assert_int_equal(f.n_categories, 1);
    assert_ok(mp_meta_product_facets(s->m, NULL, ids + 3, 1, 5, s->arena, &f, &why));
    assert_int_equal(f.n_buckets, 1);
    assert_int_equal(in_buckets(&f), 1);
    assert_ok(mp_meta_product_facets(s->m, NULL, ids, 0, 5, s->arena, &f, &why));
    assert_int_equal(f.products, 0);
    assert_ok(
        mp_meta_product_facets(s->m, &(mp_product_filter){0}, NULL, 0, 5, s->arena, &f, &why));
    assert_int_equal(f.products, 0);
    mp_arena *small = mp_arena_new(32);
    assert_int_equal(mp_meta_product_facets(s->m, NULL, NULL, 0, 5, small, &f, &why), MP_NOMEM);
    assert_int_equal(f.products, 0);
    mp_arena_free(small);
}

static void buckets_fit_any_prices(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product_facets f;
    mp_rng rng = {5};
    int64_t a = put_named(s, "a", "a", 0), b = put_named(s, "b", "b", 0);
    for (int i = 0; i < 60; i++) {
        int64_t most = i < 2 ? MP_PRICE_E4_MAX : (int64_t)(mp_rng_u64(&rng) >> (21 + i % 43));
        mp_product low = {.id = a, .has_price = true};
        mp_product high = {.id = b, .has_price = true, .price_e4 = MP_MIN(most, MP_PRICE_E4_MAX)};
        low.price_e4 = i == 1 ? MP_PRICE_E4_MAX : high.price_e4 / (1 + i % 3);
        assert_ok(mp_meta_put_product(s->m, &low, MP_PRODUCT_PRICE, &why));
        assert_ok(mp_meta_put_product(s->m, &high, MP_PRODUCT_PRICE, &why));
        assert_ok(mp_meta_product_facets(s->m, NULL, NULL, 0, 1, s->arena, &f, &why));
        assert_int_equal(in_buckets(&f), 2);
    }
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(words_find_products),          WITH_STORE(the_words_follow_every_change),
        WITH_STORE(hostile_words_are_only_words), WITH_STORE(facets_count),
        WITH_STORE(buckets_fit_any_prices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
