/* product_store.h - a fresh store with a project or two, for the contract tests about products. */
#ifndef MP_PRODUCT_STORE_H
#define MP_PRODUCT_STORE_H

#include "../unit/test.h"
#include "meta/products.h"

typedef struct store {
    char dir[64], url[128];
    mp_meta *m;
    mp_arena *arena;
} store;

mp_err open_store(store *s, mp_why *why);
int set_up(void **state);
int tear_down(void **state);
int64_t add_project(store *s);          /* a second one */
int64_t add_item(store *s, int number); /* a picture */
mp_product red_shoe(void);
/* Inserts it with all its fields. */
int64_t put(store *s, mp_product p);
int64_t put_named(store *s, const char *external_id, const char *title, int64_t price_e4);
mp_product get(store *s, int64_t id);
char *of_length(size_t n); /* of the letter x; caller frees */

#endif
