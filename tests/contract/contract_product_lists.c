/* What every metadata store promises of filters and pages of products (products.h). */
#include "product_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- filters ---- */

static size_t count(store *s, mp_product_filter f)
{
    mp_why why;
    int64_t *ids;
    size_t n;
    uint64_t counted;
    assert_ok(mp_meta_product_ids(s->m, &f, &ids, &n, &why));
    for (size_t i = 1; i < n; i++)
        assert_true(ids[i] > ids[i - 1]);
    free(ids);
    assert_ok(mp_meta_count_products(s->m, &f, &counted, &why));
    assert_int_equal(counted, n);
    return n;
}

static void filters_hold(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t shop = add_project(s), item = add_item(s, 1), *ids;
    size_t n;
    const char *const both[] = {"Shoes", "it's \"x\" OR 1=1"}, *const none[] = {"shoes"};
    put(s, (mp_product){.project_id = 1,
                        .external_id = "SKU_1",
                        .title = "a",
                        .category = "Shoes",
                        .has_price = true,
                        .price_e4 = 100000,
                        .currency = "EUR",
                        .asset_id = item,
                        .index_state = MP_INDEX_INDEXED});
    put(s, (mp_product){.project_id = 1,
                        .external_id = "sku%2",
                        .title = "b",
                        .category = both[1],
                        .has_price = true,
                        .price_e4 = 200000,
                        .currency = "USD",
                        .index_state = MP_INDEX_QUEUED});
    put(s, (mp_product){.project_id = shop, .external_id = "x", .title = "c"});
    assert_int_equal(count(s, (mp_product_filter){0}), 0); /* nobody's catalogue */
    assert_int_equal(count(s, (mp_product_filter){.all_projects = true}), 3);
    assert_ok(mp_meta_product_ids(s->m, NULL, &ids, &n, &why));
    assert_int_equal(n, 3);
    free(ids);
    const int64_t projects[] = {shop, 1, 99};
    assert_int_equal(count(s, (mp_product_filter){.projects = projects, .n_projects = 1}), 1);
    assert_int_equal(count(s, (mp_product_filter){.projects = projects, .n_projects = 3}), 3);
    assert_int_equal(count(s, (mp_product_filter){.projects = projects + 1, .n_projects = 2}), 2);
#define ALL(...) count(s, (mp_product_filter){.all_projects = true, __VA_ARGS__})
    assert_int_equal(ALL(.categories = both, .n_categories = 1), 1);
    assert_int_equal(ALL(.categories = both, .n_categories = 2), 2);
    assert_int_equal(ALL(.categories = none, .n_categories = 1), 0);
    assert_int_equal(ALL(.has_min = true, .price_min_e4 = 0), 2);
    assert_int_equal(ALL(.has_min = true, .price_min_e4 = 100001), 1);
    assert_int_equal(ALL(.has_max = true, .price_max_e4 = 100000), 1);
    assert_int_equal(ALL(.has_min = true, .price_min_e4 = INT64_MIN), 2);
    assert_int_equal(ALL(.has_max = true, .price_max_e4 = INT64_MAX), 2);
    assert_int_equal(ALL(.currency = "USD"), 1);
    assert_int_equal(ALL(.currency = ""), 1);
    assert_int_equal(ALL(.external_id_part = "sku"), 2);
    assert_int_equal(ALL(.external_id_part = "%"), 1);
    assert_int_equal(ALL(.external_id_part = "_"), 1);
    assert_int_equal(ALL(.has_picture = MP_YES), 1);
    assert_int_equal(ALL(.has_picture = MP_NO), 2);
    assert_int_equal(ALL(.index_states = 1u << MP_INDEX_QUEUED), 1);
    assert_int_equal(ALL(.index_states = 1u << MP_INDEX_QUEUED | 1u << MP_INDEX_NONE), 2);
#undef ALL
    const char *many[MP_FILTER_CATEGORIES + 1];
    for (size_t i = 0; i < MP_COUNT(many); i++)
        many[i] = "Shoes";
    mp_product_filter f = {
        .all_projects = true, .categories = many, .n_categories = MP_COUNT(many)};
    assert_int_equal(mp_meta_product_ids(s->m, &f, &ids, &n, &why), MP_INVALID);
    f.n_categories--;
    assert_int_equal(count(s, f), 1);
    f = (mp_product_filter){.all_projects = true, .index_states = 1u << 9};
    assert_int_equal(mp_meta_product_ids(s->m, &f, &ids, &n, &why), MP_INVALID);
}

/* ---- pages ---- */

/* The external ids in the order of the pages, as one word each of one letter. */
static void expect_order(store *s, mp_product_sort sort, bool descending, const char *want)
{
    mp_why why;
    mp_product *rows;
    char got[64] = "";
    size_t n, at = 0;
    const char *next = NULL;
    do {
        mp_product_page page = {.sort = sort, .descending = descending, .after = next, .limit = 2};
        assert_ok(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why));
        assert_true(n == 2 || !*next);
        for (size_t i = 0; i < n && at + 1 < sizeof got; i++)
            got[at++] = rows[i].external_id[0];
    } while (*next);
    assert_string_equal(got, want);
}

static void lists_are_sorted(void **state)
{
    store *s = *state;
    static const struct {
        const char *name, *title;
        int64_t price_e4;
    } rows[] = {{"a", "pear", 30}, {"b", "Apple", -1},        {"c", "apple", 10},
                {"d", "Pear", 30}, {"e", "\xC3\x84pfel", -1}, {"f", "zoo", 20}};
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        put_named(s, rows[i].name, rows[i].title, rows[i].price_e4);
        usleep(2000);
    }
    expect_order(s, MP_SORT_ID, false, "abcdef");
    expect_order(s, MP_SORT_ID, true, "fedcba");
    expect_order(s, MP_SORT_TITLE, false, "bcadfe");
    expect_order(s, MP_SORT_TITLE, true, "efdacb");
    expect_order(s, MP_SORT_PRICE, false, "cfadbe");
    expect_order(s, MP_SORT_PRICE, true, "dafceb");
    expect_order(s, MP_SORT_CREATED, false, "abcdef");
    mp_why why;
    mp_product change = {.id = 2, .title = "Apple pie"};
    assert_ok(mp_meta_put_product(s->m, &change, MP_PRODUCT_TITLE, &why));
    expect_order(s, MP_SORT_UPDATED, true, "bfedca");
}

static void pages_stay_whole_while_rows_come_and_go(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product *rows;
    size_t n, seen = 0;
    const char *next = NULL;
    int64_t ids[60];
    char name[16], title[16];
    bool had[60] = {false};
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "old %d", i);
        snprintf(title, sizeof title, "m%02d", i * 37 % 60 / 2); /* pairs of one title */
        ids[i] = put_named(s, name, title, i);
    }
    for (int page_number = 0; page_number == 0 || *next; page_number++) {
        mp_product_page page = {.sort = MP_SORT_TITLE, .after = next, .limit = 7};
        assert_ok(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why));
        for (size_t i = 0; i < n; i++) {
            if (strncmp(rows[i].external_id, "old", 3) != 0)
                continue;
            int at = atoi(rows[i].external_id + 4);
            assert_false(had[at]);
            had[at] = true;
            seen++;
        }
        /* One before, one after the place; and the very row that the cursor names goes away. */
        snprintf(name, sizeof name, "a%d", page_number);
        put_named(s, name, "a", 1);
        snprintf(name, sizeof name, "z%d", page_number);
        put_named(s, name, "z", 1);
        assert_ok(mp_meta_remove_products(s->m, &rows[n - 1].id, 1, NULL, &why));
        assert_true(page_number < 30);
    }
    assert_int_equal(seen, 60);
    assert_true(ids[59] > ids[0]);
}

static void cursors_are_checked(void **state)
{
    static const char *const bad[] = {"x",      "iu",    "iu-",    "iu1",    "iu1-", "id1-1",
                                      "tu1-61", "pu1-1", "iu1-1x", "iu1-1 ", "-1",   "iux-1"};
    store *s = *state;
    mp_why why;
    mp_product *rows;
    size_t n;
    const char *next;
    for (int i = 0; i < 3; i++)
        put_named(s, (const char *[]){"a", "b", "c"}[i], "t", i);
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        mp_product_page page = {.after = bad[i], .limit = 2};
        assert_int_equal(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why),
                         MP_INVALID);
        assert_int_equal(n, 0);
        assert_null(rows);
    }
    static const char *const bad_titles[] = {"tu1-", "tu1-6", "tu1-6G", "tu1-zz", "iu1-1"};
    for (size_t i = 0; i < MP_COUNT(bad_titles); i++) {
        mp_product_page page = {.sort = MP_SORT_TITLE, .after = bad_titles[i], .limit = 2};
        assert_int_equal(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why),
                         MP_INVALID);
    }
    mp_product_page page = {.limit = 0};
    assert_int_equal(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why),
                     MP_INVALID);
    page.limit = MP_PRODUCT_PAGE_MAX + 1;
    assert_int_equal(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why),
                     MP_INVALID);
    page = (mp_product_page){.limit = 3, .sort = (mp_product_sort)9};
    assert_int_equal(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why),
                     MP_INVALID);
    page = (mp_product_page){.limit = 3, .after = ""};
    assert_ok(mp_meta_list_products(s->m, &page, s->arena, &rows, &n, &next, &why));
    assert_int_equal(n, 3);
    assert_string_equal(next, ""); /* exactly full, and the last */
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(filters_hold),
        WITH_STORE(lists_are_sorted),
        WITH_STORE(pages_stay_whole_while_rows_come_and_go),
        WITH_STORE(cursors_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
