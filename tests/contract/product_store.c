/* product_store.c - see product_store.h. */
#include "product_store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mp_err open_store(store *s, mp_why *why)
{
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    return mp_meta_open(&s->m, s->url, &opt, why);
}

int set_up(void **state)
{
    mp_why why;
    store *s = mp_xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-products-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    s->arena = mp_arena_new(0);
    *state = s;
    return open_store(s, &why) ? -1 : 0;
}

int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_meta_close(s->m);
    mp_arena_free(s->arena);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s);
    return code;
}

/* A second project: this port has no call for one. */
int64_t add_project(store *s)
{
    sqlite3 *db;
    char *wrong = NULL;
    assert_int_equal(sqlite3_open(s->url + 7, &db), SQLITE_OK);
    int code = sqlite3_exec(db, "INSERT INTO project (name) VALUES ('shop')", NULL, NULL, &wrong);
    if (code != SQLITE_OK)
        fail_msg("%s", wrong);
    int64_t id = sqlite3_last_insert_rowid(db);
    sqlite3_close(db);
    return id;
}

int64_t add_item(store *s, int number)
{
    mp_why why;
    char path[32];
    snprintf(path, sizeof path, "/p/%d.jpg", number);
    mp_put put = {.item = {.path = path,
                           .name = path + 3,
                           .title = "",
                           .description = "",
                           .format = "jpeg",
                           .added_ms = 1}};
    put.item.sha256[0] = (uint8_t)number;
    assert_ok(mp_meta_put_items(s->m, &put, 1, &why));
    return put.item.id;
}

mp_product red_shoe(void)
{
    return (mp_product){.project_id = 1,
                        .external_id = "A-1",
                        .title = "Red running shoe",
                        .description = "Light, for the road",
                        .category = "Shoes",
                        .has_price = true,
                        .price_e4 = 795000,
                        .currency = "EUR",
                        .image_url = "https://shop.example/a-1.jpg",
                        .metadata = "{\"size\": [41, 42]}"};
}

int64_t put(store *s, mp_product p)
{
    mp_why why;
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_ALL, &why));
    assert_true(p.id > 0);
    return p.id;
}

int64_t put_named(store *s, const char *external_id, const char *title, int64_t price_e4)
{
    return put(s, (mp_product){.project_id = 1,
                               .external_id = external_id,
                               .title = title,
                               .has_price = price_e4 >= 0,
                               .price_e4 = price_e4});
}

mp_product get(store *s, int64_t id)
{
    mp_why why;
    mp_product p;
    assert_ok(mp_meta_get_product(s->m, id, s->arena, &p, &why));
    return p;
}

char *of_length(size_t n)
{
    char *text = mp_xmalloc(n + 1);
    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}
