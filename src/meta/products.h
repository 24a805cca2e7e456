/* products.h - a catalogue of products: the part of the metadata port that holds them, finds them
 * by words and counts them. As durable as all of it; any thread; each call is one transaction.
 *
 * Texts are UTF-8. A price is a whole number of ten-thousandths (price_e4) and never a float. The
 * picture of a product is an item of the library; several products may share one. */
#ifndef MP_PRODUCTS_H
#define MP_PRODUCTS_H

#include "meta/meta.h"

typedef enum mp_index_state {
    MP_INDEX_NONE = 0,   /* no picture, and none is awaited */
    MP_INDEX_QUEUED = 1, /* image_url waits to be fetched */
    MP_INDEX_INDEXED = 2,
    MP_INDEX_FAILED = 3 /* index_error says why */
} mp_index_state;

typedef struct mp_product {
    int64_t id, project_id;
    const char *external_id;                    /* unique in its project */
    const char *title, *description, *category; /* "" but for the title: none */
    bool has_price;                             /* else price_e4 says nothing */
    int64_t price_e4;                           /* 12.50 is 125000 */
    const char *currency;                       /* three upper-case letters, or "" */
    const char *image_url;                      /* "": none */
    const char *metadata;                       /* text of a JSON object */
    int64_t asset_id;                           /* its picture's item; 0: none */
    mp_index_state index_state;
    const char *index_error;
    int64_t created_ms, updated_ms;
} mp_product;

/* The fields that a call is about, as a mask. */
enum {
    MP_PRODUCT_EXTERNAL_ID = 1 << 0,
    MP_PRODUCT_TITLE = 1 << 1,
    MP_PRODUCT_DESCRIPTION = 1 << 2,
    MP_PRODUCT_CATEGORY = 1 << 3,
    MP_PRODUCT_PRICE = 1 << 4, /* has_price and price_e4 */
    MP_PRODUCT_CURRENCY = 1 << 5,
    MP_PRODUCT_IMAGE_URL = 1 << 6,
    MP_PRODUCT_METADATA = 1 << 7,
    MP_PRODUCT_CATALOGUE = (1 << 8) - 1, /* all of the above: what a shop knows */
    MP_PRODUCT_ASSET = 1 << 8,
    MP_PRODUCT_INDEX = 1 << 9, /* index_state and index_error */
    MP_PRODUCT_ALL = (1 << 10) - 1
};

/* ---- limits and prices ---- */

enum {
    MP_EXTERNAL_ID_MAX = 255, /* bytes, at least 1 */
    MP_TITLE_MAX = 512,       /* at least 1 */
    MP_DESCRIPTION_MAX = 65536,
    MP_CATEGORY_MAX = 255,
    MP_IMAGE_URL_MAX = 2048,
    MP_METADATA_MAX = 65536,
    MP_INDEX_ERROR_MAX = 1024
};
#define MP_PRICE_E4_MAX INT64_C(9999999999999) /* 999999999.9999 */

/* Holds the fields of the mask against the limits above; NULL texts count as "", metadata "" as {}.
 * INVALID, and `why` begins with the field's name. */
MP_CHECK mp_err mp_product_check(const mp_product *p, unsigned fields, mp_why *why);
/* Well-formed UTF-8 (RFC 3629) without zero bytes. */
bool mp_utf8_valid(const char *p, size_t n);
/* "12.5" -> 125000: digits, then a point and digits when there are any; blanks around are fine,
 * more than four decimals only when the rest are zeros. INVALID: anything else, or out of range. */
MP_CHECK mp_err mp_price_parse(mp_str text, int64_t *e4, mp_why *why);
enum { MP_PRICE_TEXT = 24 };
/* 125000 -> "12.50": at least two decimals. e4 is within 0..MP_PRICE_E4_MAX. */
void mp_price_format(int64_t e4, char out[MP_PRICE_TEXT]);

/* ---- writing ---- */

/* Inserts (p->id 0: into p->project_id, fields that the mask lacks being empty) or changes the
 * mask's fields of row p->id. When image_url changes and the mask lacks MP_PRODUCT_INDEX, the row
 * is queued, or has no picture any more if the new one is "". p->id, project_id, created_ms and
 * updated_ms become the row's; a change that changes nothing leaves updated_ms. Errors: INVALID (a
 * limit), EXISTS (the external id is another's), NOT_FOUND (the row, the project or the item). */
MP_CHECK mp_err mp_meta_put_product(mp_meta *m, mp_product *p, unsigned fields, mp_why *why);

typedef enum mp_product_outcome {
    MP_PRODUCT_CREATED,
    MP_PRODUCT_UPDATED,
    MP_PRODUCT_UNCHANGED,
    MP_PRODUCT_REFUSED /* `why` of the row says what is wrong with it */
} mp_product_outcome;
typedef struct mp_product_row {
    mp_product product; /* id, project_id, created_ms, updated_ms are set */
    unsigned fields;    /* which to take; the external id always is */
    mp_product_outcome outcome;
    mp_why why;
} mp_product_row;
/* Each row as mp_meta_put_product does, found by its external id in the project, all in one
 * transaction; rows that are refused are left out. Of two with one external id the later wins.
 * NOT_FOUND: there is no such project. After an error nothing was written. */
MP_CHECK mp_err mp_meta_upsert_products(mp_meta *m, int64_t project_id, mp_product_row *rows,
                                        size_t n, mp_why *why);

/* Unknown ids are fine; *removed (NULL allowed) counts the others. */
MP_CHECK mp_err mp_meta_remove_products(mp_meta *m, const int64_t *ids, size_t n, size_t *removed,
                                        mp_why *why);
/* The picture was fetched and is item asset_id: the row is indexed. 0: it has none any more.
 * for_url is the address that was fetched (NULL: none); EXISTS when the row names another one by
 * now, and nothing changes. NOT_FOUND: the row or the item. */
MP_CHECK mp_err mp_meta_set_product_asset(mp_meta *m, int64_t id, int64_t asset_id,
                                          const char *for_url, mp_why *why);
/* One state for all of these, in one transaction; `error` is cut at MP_INDEX_ERROR_MAX. Unknown ids
 * are fine. */
MP_CHECK mp_err mp_meta_set_product_index(mp_meta *m, const int64_t *ids, size_t n,
                                          mp_index_state state, const char *error, mp_why *why);

/* ---- reading: strings in `arena` ---- */

MP_CHECK mp_err mp_meta_get_product(mp_meta *m, int64_t id, mp_arena *arena, mp_product *out,
                                    mp_why *why); /* NOT_FOUND */
MP_CHECK mp_err mp_meta_find_product(mp_meta *m, int64_t project_id, const char *external_id,
                                     mp_arena *arena, mp_product *out, mp_why *why); /* NOT_FOUND */
/* *out: array of n in the order of ids; unknown ids have id 0. */
MP_CHECK mp_err mp_meta_get_products(mp_meta *m, const int64_t *ids, size_t n, mp_arena *arena,
                                     mp_product **out, mp_why *why);
typedef struct mp_product_asset {
    int64_t asset_id, product_id;
} mp_product_asset;
/* The products that these items are pictures of: in the order of the items, then of product ids.
 * *out: caller frees. */
MP_CHECK mp_err mp_meta_products_of_assets(mp_meta *m, const int64_t *asset_ids, size_t n,
                                           mp_product_asset **out, size_t *n_out, mp_why *why);

typedef enum mp_any_yes_no { MP_ANY = 0, MP_YES, MP_NO } mp_any_yes_no;
/* What all must hold; a NULL filter lets all pass. One that is {0} lets none pass: whose catalogues
 * are meant is always said. */
typedef struct mp_product_filter {
    bool all_projects;
    const int64_t *projects; /* unless all_projects */
    size_t n_projects;
    const char *const *categories; /* any of them, exactly; n 0: whatever */
    size_t n_categories;           /* at most MP_FILTER_CATEGORIES */
    bool has_min, has_max;         /* then only what has a price */
    int64_t price_min_e4, price_max_e4;
    const char *currency;         /* NULL: any */
    const char *external_id_part; /* occurs in the external id, ASCII case aside; NULL: any */
    mp_any_yes_no has_picture;
    unsigned index_states; /* 1 << mp_index_state ...; 0: any */
} mp_product_filter;
enum { MP_FILTER_CATEGORIES = 100 };

typedef enum mp_product_sort {
    MP_SORT_ID = 0,
    MP_SORT_TITLE, /* ASCII case aside */
    MP_SORT_PRICE, /* what has no price comes last, either way */
    MP_SORT_CREATED,
    MP_SORT_UPDATED
} mp_product_sort;
enum { MP_PRODUCT_PAGE_MAX = 1000 };
typedef struct mp_product_page {
    const mp_product_filter *filter;
    mp_product_sort sort;
    bool descending;
    const char *after; /* *next of the page before; NULL or "": the first page */
    size_t limit;      /* 1 to MP_PRODUCT_PAGE_MAX */
} mp_product_page;
/* Rows that come or go between two pages shift no others. *next: "" after the last page; else
 * letters, digits and '-', in `arena`. INVALID: `after` is not of this sort and direction, or the
 * limit. */
MP_CHECK mp_err mp_meta_list_products(mp_meta *m, const mp_product_page *page, mp_arena *arena,
                                      mp_product **out, size_t *n, const char **next, mp_why *why);
/* Sorted ids that match; *out: caller frees. */
MP_CHECK mp_err mp_meta_product_ids(mp_meta *m, const mp_product_filter *filter, int64_t **out,
                                    size_t *n, mp_why *why);
MP_CHECK mp_err mp_meta_count_products(mp_meta *m, const mp_product_filter *filter, uint64_t *n,
                                       mp_why *why);

/* ---- words ---- */

/* Products with any of the words (quotes and operators in them are only text), best first: bm25, a
 * title weighs most, then external id and category, then the description. At most `limit` (1 to
 * MP_PRODUCT_HITS_MAX); *out: caller frees. */
enum { MP_PRODUCT_HITS_MAX = 10000 };
MP_CHECK mp_err mp_meta_search_products(mp_meta *m, const char *words,
                                        const mp_product_filter *filter, size_t limit,
                                        mp_text_hit **out, size_t *n, mp_why *why);

/* ---- facets ---- */

typedef struct mp_facet_value {
    const char *name; /* "": those without */
    uint64_t count;
} mp_facet_value;
typedef struct mp_price_bucket {
    int64_t low_e4, high_e4; /* low <= price < high */
    uint64_t count;
} mp_price_bucket;
enum { MP_PRICE_BUCKETS = 10, MP_FACET_CURRENCIES = 200, MP_FACET_CATEGORIES_MAX = 1000 };
typedef struct mp_product_facets {
    uint64_t products, priced;
    const mp_facet_value *categories; /* most products first, then by name */
    size_t n_categories;
    const mp_facet_value *currencies;
    size_t n_currencies;
    int64_t price_min_e4, price_max_e4; /* when priced > 0 */
    mp_price_bucket bucket[MP_PRICE_BUCKETS];
    size_t n_buckets; /* side by side, of one width: 1, 2 or 5 times a power of ten */
} mp_product_facets;
/* Over what matches the filter and, unless `ids` is NULL, is one of those; one state of the data
 * for all figures. At most `top` categories (capped at MP_FACET_CATEGORIES_MAX). */
MP_CHECK mp_err mp_meta_product_facets(mp_meta *m, const mp_product_filter *filter,
                                       const int64_t *ids, size_t n_ids, size_t top,
                                       mp_arena *arena, mp_product_facets *out, mp_why *why);

#endif
