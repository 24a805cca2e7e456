/* What every metadata store promises of the rows of products (products.h): writing, reading,
 * limits, threads, a kill in the middle. */
#include "product_store.h"
#include "base/os.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one product ---- */

static void a_product_comes_back_whole(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product want = red_shoe(), got;
    want.asset_id = add_item(s, 1);
    want.index_state = MP_INDEX_FAILED;
    want.index_error = "the server said 404";
    assert_ok(mp_meta_put_product(s->m, &want, MP_PRODUCT_ALL, &why));
    mp_meta_close(s->m);
    assert_ok(open_store(s, &why));
    assert_ok(mp_meta_find_product(s->m, 1, "A-1", s->arena, &got, &why));
    assert_int_equal(got.id, want.id);
    assert_int_equal(got.project_id, 1);
    assert_string_equal(got.title, want.title);
    assert_string_equal(got.description, want.description);
    assert_string_equal(got.category, "Shoes");
    assert_true(got.has_price);
    assert_int_equal(got.price_e4, 795000);
    assert_string_equal(got.currency, "EUR");
    assert_string_equal(got.image_url, want.image_url);
    assert_string_equal(got.metadata, want.metadata);
    assert_int_equal(got.asset_id, want.asset_id);
    assert_int_equal(got.index_state, MP_INDEX_FAILED);
    assert_string_equal(got.index_error, want.index_error);
    assert_true(got.created_ms > 0 && got.created_ms == want.created_ms);
    assert_int_equal(got.updated_ms, want.updated_ms);
    assert_int_equal(mp_meta_find_product(s->m, 1, "a-1", s->arena, &got, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_find_product(s->m, 2, "A-1", s->arena, &got, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_get_product(s->m, 99, s->arena, &got, &why), MP_NOT_FOUND);
    assert_int_equal(got.id, 0);
}

static void a_change_takes_only_its_fields(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = put(s, red_shoe());
    mp_product before = get(s, id);
    mp_product change = {.id = id, .title = "Blue shoe", .category = "not taken"};
    usleep(3000);
    assert_ok(mp_meta_put_product(s->m, &change, MP_PRODUCT_TITLE | MP_PRODUCT_PRICE, &why));
    mp_product after = get(s, id);
    assert_string_equal(after.title, "Blue shoe");
    assert_string_equal(after.category, "Shoes");
    assert_false(after.has_price);
    assert_string_equal(after.metadata, before.metadata);
    assert_int_equal(after.created_ms, before.created_ms);
    assert_true(after.updated_ms > before.updated_ms);
    assert_int_equal(change.created_ms, before.created_ms);
    assert_int_equal(change.project_id, 1);
    usleep(3000);
    assert_ok(mp_meta_put_product(s->m, &change, MP_PRODUCT_TITLE, &why));
    assert_int_equal(get(s, id).updated_ms, after.updated_ms);
}

static void what_does_not_fit_together_is_refused(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = put(s, red_shoe()), other = put_named(s, "B", "b", 1);
    mp_product p = red_shoe();
    assert_int_equal(mp_meta_put_product(s->m, &p, MP_PRODUCT_ALL, &why), MP_EXISTS);
    assert_int_equal(p.id, 0);
    p = (mp_product){.id = other, .external_id = "A-1"};
    assert_int_equal(mp_meta_put_product(s->m, &p, MP_PRODUCT_EXTERNAL_ID, &why), MP_EXISTS);
    p = (mp_product){.id = 99, .title = "x"};
    assert_int_equal(mp_meta_put_product(s->m, &p, MP_PRODUCT_TITLE, &why), MP_NOT_FOUND);
    p = (mp_product){.project_id = 99, .external_id = "x", .title = "x"};
    assert_int_equal(mp_meta_put_product(s->m, &p, MP_PRODUCT_ALL, &why), MP_NOT_FOUND);
    p = (mp_product){.id = id, .asset_id = 99};
    assert_int_equal(mp_meta_put_product(s->m, &p, MP_PRODUCT_ASSET, &why), MP_NOT_FOUND);
    assert_int_equal(get(s, id).asset_id, 0);
    /* The same external id in another project is another product. */
    p = red_shoe();
    p.project_id = add_project(s);
    assert_true(put(s, p) != id);
}

static void a_new_address_is_queued(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product p = red_shoe();
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_CATALOGUE, &why));
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_QUEUED);
    int64_t item = add_item(s, 1);
    assert_int_equal(mp_meta_set_product_asset(s->m, p.id, item, "https://old.example", &why),
                     MP_EXISTS);
    assert_int_equal(mp_meta_set_product_asset(s->m, p.id, 99, p.image_url, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_set_product_asset(s->m, 99, item, NULL, &why), MP_NOT_FOUND);
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_QUEUED);
    assert_ok(mp_meta_set_product_asset(s->m, p.id, item, p.image_url, &why));
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_INDEXED);
    assert_int_equal(get(s, p.id).asset_id, item);

    p.title = "Another title, the same picture";
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_CATALOGUE, &why));
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_INDEXED);
    p.image_url = "https://shop.example/new.jpg";
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_IMAGE_URL, &why));
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_QUEUED);
    assert_int_equal(get(s, p.id).asset_id, item); /* the old picture stands until then */
    p.image_url = "";
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_IMAGE_URL, &why));
    assert_int_equal(get(s, p.id).index_state, MP_INDEX_NONE);
    assert_int_equal(get(s, p.id).asset_id, 0);
}

static void index_states_are_set(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t ids[] = {put_named(s, "a", "a", 1), 99, put_named(s, "b", "b", 1)};
    char *lengthy = mp_xmalloc(3001);
    memset(lengthy, 'x', 1023);
    memset(lengthy + 1023, '\xC3', 1); /* the limit falls into a character */
    memset(lengthy + 1024, '\xA4', 1);
    memset(lengthy + 1025, 'x', 1975);
    lengthy[3000] = '\0';
    assert_ok(mp_meta_set_product_index(s->m, ids, 3, MP_INDEX_FAILED, lengthy, &why));
    assert_int_equal(get(s, ids[0]).index_state, MP_INDEX_FAILED);
    assert_int_equal(strlen(get(s, ids[2]).index_error), 1023);
    assert_ok(mp_meta_set_product_index(s->m, ids, 1, MP_INDEX_QUEUED, NULL, &why));
    assert_string_equal(get(s, ids[0]).index_error, "");
    assert_int_equal(mp_meta_set_product_index(s->m, ids, 1, (mp_index_state)4, "", &why),
                     MP_INVALID);
    free(lengthy);
}

static void a_product_outlives_its_picture(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t item = add_item(s, 1), id = put(s, red_shoe());
    assert_ok(mp_meta_set_product_asset(s->m, id, item, NULL, &why));
    assert_ok(mp_meta_remove(s->m, &item, 1, NULL, &why));
    mp_product p = get(s, id);
    assert_int_equal(p.asset_id, 0);
    assert_int_equal(p.index_state, MP_INDEX_NONE);
}

/* ---- many ---- */

static void rows_are_found_by_their_external_ids(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product_row rows[5] = {
        {.product = red_shoe(), .fields = MP_PRODUCT_CATALOGUE},
        {.product = {.external_id = "B", .title = "Coat"}, .fields = MP_PRODUCT_TITLE},
        {.product = {.external_id = "C"}, .fields = MP_PRODUCT_PRICE},
        {.product = {.external_id = ""}, .fields = MP_PRODUCT_TITLE},
        {.product = {.external_id = "B", .title = "Warm coat"}, .fields = MP_PRODUCT_TITLE}};
    assert_ok(mp_meta_upsert_products(s->m, 1, rows, 5, &why));
    assert_int_equal(rows[0].outcome, MP_PRODUCT_CREATED);
    assert_int_equal(rows[1].outcome, MP_PRODUCT_CREATED);
    assert_int_equal(rows[2].outcome, MP_PRODUCT_REFUSED); /* a new one needs a title */
    assert_memory_equal(rows[2].why.text, "title:", 6);
    assert_int_equal(rows[3].outcome, MP_PRODUCT_REFUSED);
    assert_int_equal(rows[4].outcome, MP_PRODUCT_UPDATED);
    assert_int_equal(rows[4].product.id, rows[1].product.id);
    assert_string_equal(get(s, rows[1].product.id).title, "Warm coat");
    int64_t id = rows[0].product.id;

    rows[0].product.price_e4 = 5;
    rows[0].product.title = "not taken";
    rows[0].fields = MP_PRODUCT_PRICE;
    assert_ok(mp_meta_upsert_products(s->m, 1, rows, 1, &why));
    assert_int_equal(rows[0].outcome, MP_PRODUCT_UPDATED);
    assert_int_equal(rows[0].product.id, id);
    assert_ok(mp_meta_upsert_products(s->m, 1, rows, 1, &why));
    assert_int_equal(rows[0].outcome, MP_PRODUCT_UNCHANGED);
    assert_string_equal(get(s, id).title, "Red running shoe");
    assert_int_equal(get(s, id).price_e4, 5);
    assert_int_equal(mp_meta_upsert_products(s->m, 9, rows, 1, &why), MP_NOT_FOUND);
    int64_t project = add_project(s);
    rows[0].fields = MP_PRODUCT_TITLE;
    assert_ok(mp_meta_upsert_products(s->m, project, rows, 1, &why));
    assert_int_equal(rows[0].outcome, MP_PRODUCT_CREATED);
    assert_int_equal(rows[0].product.project_id, project);
}

static void some_are_read_and_removed(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product *got;
    size_t removed;
    uint64_t n;
    int64_t ids[] = {put_named(s, "a", "first", 1), 99, put_named(s, "b", "second", 1)};
    assert_ok(mp_meta_get_products(s->m, ids, 3, s->arena, &got, &why));
    assert_string_equal(got[0].title, "first");
    assert_int_equal(got[1].id, 0);
    assert_string_equal(got[2].title, "second");
    assert_ok(mp_meta_remove_products(s->m, ids, 2, &removed, &why));
    assert_int_equal(removed, 1);
    assert_ok(mp_meta_count_products(s->m, NULL, &n, &why));
    assert_int_equal(n, 1);
    assert_ok(mp_meta_remove_products(s->m, ids, 3, NULL, &why));
    assert_true(put_named(s, "a", "first", 1) > ids[2]); /* an id never comes back */
    mp_arena *small = mp_arena_new(16);
    mp_product p;
    assert_int_equal(mp_meta_find_product(s->m, 1, "a", small, &p, &why), MP_NOMEM);
    assert_int_equal(p.id, 0);
    mp_arena_free(small);
}

static void products_share_pictures(void **state)
{
    store *s = *state;
    mp_why why;
    mp_product_asset *pairs;
    size_t n;
    int64_t one = add_item(s, 1), two = add_item(s, 2);
    int64_t a = put_named(s, "a", "a", 1), b = put_named(s, "b", "b", 1),
            c = put_named(s, "c", "c", 1);
    assert_ok(mp_meta_set_product_asset(s->m, c, one, NULL, &why));
    assert_ok(mp_meta_set_product_asset(s->m, a, one, NULL, &why));
    assert_ok(mp_meta_set_product_asset(s->m, b, two, NULL, &why));
    const int64_t assets[] = {two, 99, one};
    assert_ok(mp_meta_products_of_assets(s->m, assets, 3, &pairs, &n, &why));
    assert_int_equal(n, 3);
    assert_true(pairs[0].asset_id == two && pairs[0].product_id == b);
    assert_true(pairs[1].asset_id == one && pairs[1].product_id == a);
    assert_true(pairs[2].asset_id == one && pairs[2].product_id == c);
    free(pairs);
    assert_ok(mp_meta_products_of_assets(s->m, assets, 0, &pairs, &n, &why));
    assert_int_equal(n, 0);
    free(pairs);
}

/* ---- threads, and an end in the middle ---- */

typedef struct worker {
    store *s;
    int number, written;
} worker;

static void *write_rows(void *context)
{
    worker *w = context;
    for (int i = 0; i < 20; i++) {
        char name[24];
        mp_product_row rows[10] = {{.outcome = MP_PRODUCT_REFUSED}};
        char names[10][24];
        for (int k = 0; k < 10; k++) {
            snprintf(names[k], sizeof names[k], "w%d-%d-%d", w->number, i, k);
            rows[k] = (mp_product_row){.product = {.external_id = names[k], .title = "thread shoe"},
                                       .fields = MP_PRODUCT_TITLE};
        }
        if (mp_meta_upsert_products(w->s->m, 1, rows, 10, NULL) == MP_OK)
            w->written += 10;
        snprintf(name, sizeof name, "shared %d", i);
        mp_product_row shared = {.product = {.external_id = name, .title = "shared"},
                                 .fields = MP_PRODUCT_TITLE};
        if (mp_meta_upsert_products(w->s->m, 1, &shared, 1, NULL) != MP_OK)
            w->written = -1000;
    }
    return NULL;
}

static void *read_rows(void *context)
{
    worker *w = context;
    mp_arena *arena = mp_arena_new(0);
    for (int i = 0; i < 40; i++) {
        mp_product_facets f;
        mp_text_hit *hits = NULL;
        size_t n;
        if (mp_meta_product_facets(w->s->m, NULL, NULL, 0, 3, arena, &f, NULL) != MP_OK)
            w->written = -1;
        if (mp_meta_search_products(w->s->m, "shoe", NULL, 5, &hits, &n, NULL) != MP_OK)
            w->written = -1;
        free(hits);
    }
    mp_arena_free(arena);
    return NULL;
}

static void threads_write_and_read_at_once(void **state)
{
    store *s = *state;
    mp_why why;
    pthread_t threads[4];
    worker workers[4];
    uint64_t n;
    for (int i = 0; i < 4; i++) {
        workers[i] = (worker){.s = s, .number = i};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < 3 ? write_rows : read_rows, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(workers[i].written, 200);
    assert_int_equal(workers[3].written, 0);
    assert_ok(mp_meta_count_products(s->m, NULL, &n, &why));
    assert_int_equal(n, 620);
}

/* A process that is killed while it writes batches of ten: what it reported is there, and no batch
 * is there in part. */
static void a_killed_import_leaves_whole_batches(void **state)
{
    store *s = *state;
    mp_why why;
    int reports[2], last = -1;
    uint64_t n;
    mp_meta_close(s->m);
    s->m = NULL;
    assert_int_equal(pipe(reports), 0);
    pid_t child = fork();
    if (child == 0) {
        if (open_store(s, NULL) != MP_OK)
            _exit(1);
        for (int i = 0;; i++) {
            char names[10][24];
            mp_product_row rows[10];
            for (int k = 0; k < 10; k++) {
                snprintf(names[k], sizeof names[k], "%d-%d", i, k);
                rows[k] = (mp_product_row){.product = {.external_id = names[k], .title = "x"},
                                           .fields = MP_PRODUCT_TITLE};
            }
            if (mp_meta_upsert_products(s->m, 1, rows, 10, NULL) != MP_OK ||
                write(reports[1], &i, sizeof i) != sizeof i)
                _exit(1);
        }
    }
    close(reports[1]);
    for (int i = 0; i < 15; i++)
        assert_int_equal(read(reports[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(reports[0], &last, sizeof last) == sizeof last)
        continue;
    close(reports[0]);
    assert_ok(open_store(s, &why));
    assert_ok(mp_meta_count_products(s->m, NULL, &n, &why));
    assert_int_equal(n % 10, 0);
    assert_true(n >= (uint64_t)(last + 1) * 10);
    mp_text_hit *hits;
    size_t found;
    assert_ok(mp_meta_search_products(s->m, "x", NULL, MP_PRODUCT_HITS_MAX, &hits, &found, &why));
    assert_int_equal(found, n);
    free(hits);
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_product_comes_back_whole),
        WITH_STORE(a_change_takes_only_its_fields),
        WITH_STORE(what_does_not_fit_together_is_refused),
        WITH_STORE(a_new_address_is_queued),
        WITH_STORE(index_states_are_set),
        WITH_STORE(a_product_outlives_its_picture),
        WITH_STORE(rows_are_found_by_their_external_ids),
        WITH_STORE(some_are_read_and_removed),
        WITH_STORE(products_share_pictures),
        WITH_STORE(threads_write_and_read_at_once),
        WITH_STORE(a_killed_import_leaves_whole_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
