/* product_fusion.h - products by words and by pictures, both parts in one order. Inside the http
 * room.
 *
 * Two lists are made: products whose pictures look like what is asked for, and products whose words
 * match. They are joined by reciprocal-rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009): a
 * product's score is the sum over the lists of weight / (60 + rank), given here as the share of the
 * best score possible. Ranks need no common scale between cosines and bm25. */
#ifndef MP_HTTP_PRODUCT_FUSION_H
#define MP_HTTP_PRODUCT_FUSION_H

#include "http/message.h"

#include "meta/products.h"
#include "meta/search_logs.h"

typedef struct mp_found {
    int64_t product;
    double score;
    float picture, words; /* NAN: not in that list */
} mp_found;

typedef struct mp_fusion {
    mp_request *r;
    mp_product_filter filter;
    const char *where; /* the same for pictures */
    double picture_weight, text_weight;
    size_t offset, limit;
    int64_t *allowed; /* sorted ids that match the filter; NULL: whatever is reached */
    size_t n_allowed;
    mp_found *list;
    size_t n, cap;
    mp_query_type type;
    const char *text, *image_url;
    double began;
} mp_fusion;

/* Adds what looks like the terms, or whose words match. False with the reply made. */
bool mp_fusion_pictures(mp_fusion *f, const magpie_term *terms, size_t n_terms);
bool mp_fusion_words(mp_fusion *f, const char *words);
/* Replies with the page, and writes the search down. */
void mp_fusion_answer(mp_fusion *f);
void mp_fusion_end(mp_fusion *f); /* frees what it holds; an empty one is fine */

#endif
